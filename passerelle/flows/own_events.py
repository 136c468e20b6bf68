"""Events that we sent and the homeserver gives back: they prove the delivery."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId
from passerelle.core.settings import MatrixSettings
from passerelle.flows.context import FlowContext
from passerelle.matrix.event_types import DELIVERY_KEY
from passerelle.store.outbox import note_echoed_events


def is_ours(matrix: MatrixSettings, sender: str) -> bool:
    """Whether an event was sent by the bridge: its bot, or one of its ghosts."""
    if sender == matrix.user_id:
        return True
    return matrix.appservice is not None and sender.startswith(f"@{matrix.appservice.ghost_prefix}")


async def note_own_events(ctx: FlowContext, conn: AsyncConnection, events: Sequence[Mapping[str, Any]]) -> None:
    """Mark the deliveries that these events prove. Their rows may still wait for the answer to the request."""
    proven: dict[str, EventId] = {}
    for event in events:
        content = event.get("content")
        key = content.get(DELIVERY_KEY) if isinstance(content, Mapping) else None
        if isinstance(key, str) and isinstance(event.get("event_id"), str):
            proven[key] = EventId(event["event_id"])
    if proven:
        await note_echoed_events(conn, proven, ctx.now())
