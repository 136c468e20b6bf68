"""Looking back in a room for an event that we may have sent already (DESIGN.md, promise 2)."""

from collections.abc import Callable, Mapping
from datetime import datetime

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.timeline import own_events_filter, page_events

Reveal = Callable[[EventJson], EventJson | None]


async def find_own_event(
    api: RoomApi,
    room_id: RoomId,
    *,
    sender: UserId,
    wanted: tuple[str, str],
    not_before: datetime,
    reveal: Reveal | None = None,
) -> EventId | None:
    """Page a room backwards, to `not_before` (aware), for an event of `sender` with `content[key] == value`.

    Args:
        wanted: the key and its value.
        reveal: decrypts an event, or gives None; a key that stands in clear is found without.
    """
    token: str | None = None
    seen = set[str | None]()
    earliest_ms = not_before.timestamp() * 1000
    while token not in seen:
        seen.add(token)
        page = await api.messages(room_id, forward=False, start=token, event_filter=own_events_filter(sender))
        events = page_events(page, "chunk", room_id)
        for event in events:
            if event.get("sender") == sender and _matches(event, wanted, reveal):
                return EventId(str(event.get("event_id")))
        if any(_sent_ms(event) < earliest_ms for event in events):
            return None
        end = page.get("end")
        if not isinstance(end, str):
            return None
        token = end
    return None


def _matches(event: EventJson, wanted: tuple[str, str], reveal: Reveal | None) -> bool:
    key, value = wanted
    if _content(event).get(key) == value:
        return True
    if reveal is None or event.get("type") != "m.room.encrypted":
        return False
    revealed = reveal(event)
    return revealed is not None and _content(revealed).get(key) == value


def _content(event: EventJson) -> Mapping[str, object]:
    content = event.get("content")
    return content if isinstance(content, Mapping) else {}


def _sent_ms(event: EventJson) -> float:
    sent = event.get("origin_server_ts")
    return sent if isinstance(sent, int | float) else float("inf")
