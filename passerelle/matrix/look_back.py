"""What was said in a room a short while ago, asked of the homeserver. Whether it came before, who stores it knows.

Application services have no cursor: what the homeserver fails to push is not missed by anyone (`mark_order` tells how
that happens). So the newest pages are read now and then; what came already is known by its event ID.
"""

from datetime import datetime
from typing import Any

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.timeline import page_events, since_own_join

#: Pages of 100 events: more than people say in an hour.
MOST_PAGES = 20


async def read_recent(api: RoomApi, room_id: RoomId, *, user_id: UserId, not_before: datetime) -> tuple[EventJson, ...]:
    """A room's events that are no state, sent since `not_before` (aware) and since `user_id` came in, oldest first.

    Raises TemporaryFailure, MatrixRefusal.
    """
    earliest_ms = not_before.timestamp() * 1000
    token: str | None = None
    newest_first: list[EventJson] = []
    for _ in range(MOST_PAGES):
        page: Any = await api.messages(room_id, forward=False, start=token)
        events = page_events(page, "chunk", room_id)
        newest_first.extend(events)
        end = page.get("end")
        if any(_sent_ms(event) < earliest_ms for event in events) or not isinstance(end, str) or end == token:
            break
        token = end
    since_join = since_own_join(newest_first[::-1], user_id)
    return tuple(e for e in since_join if "state_key" not in e and _sent_ms(e) >= earliest_ms)


def _sent_ms(event: EventJson) -> float:
    sent = event.get("origin_server_ts")
    return sent if isinstance(sent, int | float) else 0.0
