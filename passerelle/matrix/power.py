"""Who may do what in a room. Pure.

nio reads the power levels alone; since room version 12 the creators stand above them all and are named in the create
event only (MSC4289), so nio sees level 0 where the power is without limit.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from passerelle.core.ids import UserId
from passerelle.core.ports import EventJson

#: Room versions whose creators are in the power levels like everyone else.
_OLD_VERSIONS = frozenset(str(version) for version in range(1, 12))


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomPower:
    """One user's power in one room, and what the room asks for. `math.inf` is a creator's in room version 12."""

    own: float
    to_send: Mapping[str, int] = field(default_factory=dict)
    events_default: int = 0
    to_redact: int = 50
    to_invite: int = 0
    to_change_state: int = 50

    def may_send(self, event_type: str = "m.room.message") -> bool:
        return self.own >= self.to_send.get(event_type, self.events_default)

    def may_redact_others(self) -> bool:
        return self.own >= self.to_redact

    def may_invite(self) -> bool:
        return self.own >= self.to_invite


def judge_power(state: Iterable[EventJson], user_id: UserId) -> RoomPower:
    """Read a user's power from a room's state events (`m.room.create` with its sender, `m.room.power_levels`)."""
    create: EventJson = {}
    levels: Mapping[str, Any] | None = None
    for event in state:
        content = event.get("content")
        if event.get("state_key") != "" or not isinstance(content, Mapping):
            continue
        if event.get("type") == "m.room.create":
            create = event
        elif event.get("type") == "m.room.power_levels":
            levels = content
    return RoomPower(
        own=_own_level(create, levels, user_id),
        to_send={kind: _level(level, 0) for kind, level in _mapping(levels, "events").items()},
        events_default=_level((levels or {}).get("events_default"), 0),
        to_redact=_level((levels or {}).get("redact"), 50),
        to_invite=_level((levels or {}).get("invite"), 0),
        to_change_state=_level((levels or {}).get("state_default"), 50 if levels is not None else 0),
    )


def _own_level(create: EventJson, levels: Mapping[str, Any] | None, user_id: UserId) -> float:
    content = _mapping(create, "content")
    if content.get("room_version", "1") not in _OLD_VERSIONS:
        others = content.get("additional_creators")
        creators = [create.get("sender"), *(others if isinstance(others, list) else ())]
        if user_id in creators:
            return math.inf
    if levels is None:
        return 100 if user_id == create.get("sender") else 0
    return _level(_mapping(levels, "users").get(user_id), _level(levels.get("users_default"), 0))


def _level(value: object, otherwise: int) -> int:
    """A power level; old rooms hold them as text too (room versions before 10)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        return int(value)
    return otherwise


def _mapping(body: Mapping[str, Any] | None, key: str) -> Mapping[str, Any]:
    value = (body or {}).get(key)
    return value if isinstance(value, Mapping) else {}
