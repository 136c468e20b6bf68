"""Looking back in a room for an event that we may have sent already (DESIGN.md, promise 2)."""

from collections.abc import Callable, Mapping
from datetime import datetime

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.matrix.pages_back import pages_back
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.timeline import own_events_filter

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
    only_theirs = own_events_filter(sender)
    async for page in pages_back(api, room_id, not_before=not_before, event_filter=only_theirs):
        for event in page:
            if event.get("sender") == sender and _matches(event, wanted, reveal):
                return EventId(str(event.get("event_id")))
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
