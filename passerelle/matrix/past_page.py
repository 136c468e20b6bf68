"""A page of a room's past, oldest first. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.matrix.timeline import page_events


@dataclass(frozen=True, kw_only=True, slots=True)
class PastPage:
    """Some events of a room, one after the other."""

    #: Decrypted where the key is here.
    events: Sequence[EventJson]
    #: How members were called when they wrote what is on the page; not made safe.
    names: Mapping[UserId, str]
    #: Where the room is read on; None: this is the last page.
    token: str | None


def read_page(page: Mapping[str, Any], room_id: RoomId) -> PastPage:
    """A page of `/messages` in the direction of time."""
    events = page_events(page, "chunk", room_id)
    token = page.get("end")
    return PastPage(
        events=events,
        names=_names((*page_events(page, "state", room_id), *events)),
        token=token if isinstance(token, str) else None,
    )


def _names(events: Sequence[EventJson]) -> dict[UserId, str]:
    """The first name that each member has on the page; a later change is the next page's."""
    names: dict[UserId, str] = {}
    for event in events:
        user_id, content = event.get("state_key"), event.get("content")
        if event.get("type") != "m.room.member" or not isinstance(user_id, str) or not isinstance(content, Mapping):
            continue
        name = content.get("displayname")
        if content.get("membership") == "join" and isinstance(name, str):
            names.setdefault(UserId(user_id), name)
    return names
