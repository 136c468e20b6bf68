"""A room's timeline from now back to an instant (client-server API v1.18, "GET /rooms/{roomId}/messages")."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from passerelle.core.ids import RoomId
from passerelle.core.ports import EventJson
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.timeline import page_events


async def pages_back(
    api: RoomApi, room_id: RoomId, *, not_before: datetime, event_filter: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[EventJson, ...]]:
    """Each page, the newest event first, to the one that holds something sent before `not_before` (aware).

    Raises TemporaryFailure, MatrixRefusal.
    """
    token: str | None = None
    seen = set[str | None]()
    while token not in seen:
        seen.add(token)
        page = await api.messages(room_id, forward=False, start=token, event_filter=event_filter)
        events = page_events(page, "chunk", room_id)
        yield events
        end = page.get("end")
        if not isinstance(end, str) or not all(was_sent_since(event, not_before) for event in events):
            return
        token = end


def was_sent_since(event: EventJson, not_before: datetime) -> bool:
    """By `origin_server_ts`; what has none counts as new."""
    sent = event.get("origin_server_ts")
    return not isinstance(sent, int | float) or sent >= not_before.timestamp() * 1000
