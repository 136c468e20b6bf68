"""Events that we sent and the homeserver gives back: they prove the delivery."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, RoomId
from passerelle.core.model import RoomEvent
from passerelle.core.settings import MatrixSettings
from passerelle.flows.context import FlowContext
from passerelle.matrix.event_types import DELIVERY_KEY
from passerelle.store.outbox import mark_sent
from passerelle.store.outbox_watch import find_unsent
from passerelle.store.posts import insert_room_event


def is_ours(matrix: MatrixSettings, sender: str) -> bool:
    """Whether an event was sent by the bridge: its bot, or one of its ghosts."""
    if sender == matrix.user_id:
        return True
    if matrix.appservice is None:
        return False
    # A user of another homeserver may call themselves like a ghost (Matrix specification, "User Identifiers").
    local_part, _, server = sender.partition(":")
    return local_part.startswith(f"@{matrix.appservice.ghost_prefix}") and server == matrix.user_id.partition(":")[2]


async def note_own_events(
    ctx: FlowContext, conn: AsyncConnection, room_id: RoomId, events: Sequence[Mapping[str, Any]]
) -> None:
    """Mark the deliveries that these events prove and whose answers were lost, and tie their posts to them."""
    proven = {key: event for event in events if (key := _key_of(event))}
    for row in await find_unsent(conn, proven):
        event = proven[row.delivery_key]
        event_id = EventId(str(event.get("event_id")))
        await mark_sent(conn, row.id, ctx.now(), event_id=event_id)
        if row.post_id is None or row.kind != "event":
            continue
        await insert_room_event(
            conn,
            RoomEvent(
                event_id=event_id,
                room_id=room_id,
                post_id=row.post_id,
                part=row.part,
                thread_root_event_id=_root_of(event),
                outbox_id=row.id,
                said_at=ctx.now(),
            ),
        )


def _key_of(event: Mapping[str, Any]) -> str | None:
    content = event.get("content")
    key = content.get(DELIVERY_KEY) if isinstance(content, Mapping) else None
    return key if isinstance(key, str) and isinstance(event.get("event_id"), str) else None


def _root_of(event: Mapping[str, Any]) -> EventId | None:
    relation = event["content"].get("m.relates_to")
    if isinstance(relation, Mapping) and relation.get("rel_type") == "m.thread":
        return EventId(str(relation.get("event_id")))
    return None
