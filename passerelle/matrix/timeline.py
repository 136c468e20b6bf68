"""What an answer of `/sync` or a page of `/messages` means for us. Pure.

Sources: Matrix client-server API v1.18, "Syncing" and "Filtering"; TRAPS.md (limited timelines).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson

TIMELINE_LIMIT = 100
_NOTHING: Mapping[str, Any] = {"not_types": ["*"]}
#: Members come with the events that they wrote; redundant ones too, so that each window names its own authors even
#: where an earlier answer was never stored.
_LAZY: Mapping[str, Any] = {"lazy_load_members": True, "include_redundant_members": True}


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What `/sync` says of one room."""

    room_id: RoomId
    state: tuple[EventJson, ...]
    timeline: tuple[EventJson, ...]
    #: Where the timeline before these events is to be had; None where the homeserver gave nothing.
    prev_batch: str | None
    #: Events between `since` and this timeline were left out.
    limited: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnChange:
    """Our own coming into a room, or our going from it, as one event of its timeline."""

    index: int
    came_in: bool


def sync_filter(rooms: Iterable[RoomId], *, timeline_limit: int = TIMELINE_LIMIT) -> Mapping[str, Any]:
    """The filter of `/sync`: only these rooms, no presence, typing, receipts or account data."""
    return {
        "presence": _NOTHING,
        "account_data": _NOTHING,
        "room": {
            "rooms": sorted(rooms),
            "include_leave": False,
            "timeline": {"limit": timeline_limit, **_LAZY},
            "state": _LAZY,
            "ephemeral": _NOTHING,
            "account_data": _NOTHING,
        },
    }


def page_filter() -> Mapping[str, Any]:
    """The filter of `/messages`: with the members who wrote what is on the page."""
    return _LAZY


def members_filter() -> Mapping[str, Any]:
    return {"types": ["m.room.member"]}


def own_events_filter(user_id: UserId) -> Mapping[str, Any]:
    return {"senders": [user_id]}


def joined_windows(answer: Mapping[str, Any]) -> tuple[Window, ...]:
    """The rooms that we are in, and those that we have just left (an event of their timeline says so)."""
    rooms = _object(answer, "rooms")
    found = [*_object(rooms, "join").items(), *_object(rooms, "leave").items()]
    return tuple(_window(RoomId(room_id), body) for room_id, body in found if isinstance(body, Mapping))


def invitations(answer: Mapping[str, Any]) -> tuple[RoomId, ...]:
    return tuple(RoomId(room_id) for room_id in _object(_object(answer, "rooms"), "invite"))


def first_own_change(timeline: Sequence[EventJson], user_id: UserId) -> OwnChange | None:
    """The first time in `timeline` that we came in or went; None where we did neither.

    A change of name is an event of membership `join` too, but no coming in.
    """
    for index, event in enumerate(timeline):
        if event.get("type") == "m.room.member" and event.get("state_key") == user_id:
            before = _object(_object(event, "unsigned"), "prev_content")
            was_in = before.get("membership") == "join"
            is_in = _object(event, "content").get("membership") == "join"
            if was_in != is_in:
                return OwnChange(index=index, came_in=is_in)
    return None


def since_own_join(timeline: Sequence[EventJson], user_id: UserId) -> tuple[EventJson, ...]:
    """The timeline from our own coming in; all of it where we were in the room from its beginning.

    What was said before the bridge came into the room was not said to the list.
    """
    change = first_own_change(timeline, user_id)
    return tuple(timeline[change.index :] if change is not None and change.came_in else timeline)


def page_events(page: Mapping[str, Any], key: str, room_id: RoomId) -> tuple[EventJson, ...]:
    """The events under `key` (`chunk`, `state`) of a page of `/messages`."""
    return _events(page.get(key), room_id)


def _window(room_id: RoomId, body: Mapping[str, Any]) -> Window:
    timeline = _object(body, "timeline")
    prev_batch = timeline.get("prev_batch")
    return Window(
        room_id=room_id,
        state=_events(_object(body, "state").get("events"), room_id),
        timeline=_events(timeline.get("events"), room_id),
        prev_batch=prev_batch if isinstance(prev_batch, str) else None,
        limited=timeline.get("limited") is True,
    )


def _events(found: object, room_id: RoomId) -> tuple[EventJson, ...]:
    """Every JSON object of a list, whatever is in it, with its room's ID: `/sync` leaves it out."""
    events = found if isinstance(found, list) else []
    return tuple({**event, "room_id": room_id} for event in events if isinstance(event, dict))


def _object(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}
