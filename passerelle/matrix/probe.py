"""What `passerelle check` asks of the homeserver. Facts only: the sentences are the command's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.errors import TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import Request
from passerelle.matrix.power import RoomPower, judge_power
from passerelle.matrix.room_api import RoomApi

#: More than Synapse's own default burst (10), so that an account without an exemption shows it.
BURST = 15
_TIMELINE = "org.passerelle.check"


class Probed(Protocol):
    """Either transport."""

    user_id: UserId
    device_id: str
    api: RoomApi

    async def call(self, request: Request) -> Mapping[str, Any]: ...

    async def upload_limit_bytes(self) -> int: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFacts:
    user_id: UserId
    #: "" where the token belongs to no device.
    device_id: str
    upload_limit_bytes: int
    #: Versions of the specification that the homeserver speaks, as it gives them.
    versions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomFacts:
    room_id: RoomId
    name: str
    version: str
    #: `invite`, `public`, `knock`, `restricted` …; "invite" where nothing is said (the specification's default).
    join_rule: str
    #: `shared`, `joined`, `invited`, `world_readable`; "shared" where nothing is said.
    history_visibility: str
    encrypted: bool
    power: RoomPower

    @property
    def open_to_anyone(self) -> bool:
        """Whether someone who was not let in could read what is relayed."""
        return self.join_rule == "public" or self.history_visibility == "world_readable"


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimit:
    """What a burst of events met. No API tells a limit, so it is tried, in a room that nobody else sees."""

    #: How many events went through at once, `BURST` at the most.
    sent: int
    #: What the homeserver then asked to wait; None where it did not slow us, or did not say.
    retry_after_seconds: float | None

    @property
    def limited(self) -> bool:
        return self.sent < BURST


async def probe_account(transport: Probed) -> AccountFacts:
    """Log in, and ask what the homeserver is and takes. Raises TemporaryFailure, AccessRefused, ConfigError."""
    who = await transport.api.whoami()
    request = Request(method="GET", path="/_matrix/client/versions", doing="asking for versions")
    versions = (await transport.call(request)).get("versions")
    return AccountFacts(
        user_id=UserId(str(who.get("user_id"))),
        device_id=str(who.get("device_id") or ""),
        upload_limit_bytes=await transport.upload_limit_bytes(),
        versions=tuple(str(version) for version in versions) if isinstance(versions, list) else (),
    )


async def probe_room(transport: Probed, room: str) -> RoomFacts:
    """Read what a configured room (ID or alias) is. Changes nothing: it does not join.

    Raises MatrixRefusal where the room is unknown (M_NOT_FOUND) or we are not in it (M_FORBIDDEN), TemporaryFailure.
    """
    room_id = RoomId(room) if room.startswith("!") else await transport.api.resolve(room)
    if room_id not in await transport.api.joined_rooms():
        message = "the bridge is not in the room; it enters at its start, where it is invited"
        raise MatrixRefusal(message, errcode="M_FORBIDDEN", status=403)
    state = await transport.api.state(room_id)
    create = _content(state, "m.room.create") or {}
    return RoomFacts(
        room_id=room_id,
        name=_said(state, "m.room.name", "name", ""),
        version=str(create.get("room_version", "1")),
        join_rule=_said(state, "m.room.join_rules", "join_rule", "invite"),
        history_visibility=_said(state, "m.room.history_visibility", "history_visibility", "shared"),
        encrypted=_content(state, "m.room.encryption") is not None,
        power=judge_power(state, transport.user_id),
    )


async def probe_rate_limit(transport: Probed) -> RateLimit:
    """Send a burst of events to a room of our own, made for it and left at once.

    A homeserver that limits us goes on doing so for a while: relaying may be slow for a minute or two afterwards.

    Raises MatrixRefusal where no room may be made, TemporaryFailure, AccessRefused.
    """
    room_id = await transport.api.create_room({"preset": "private_chat", "name": "Passerelle check"})
    sent, asked = 0, None
    try:
        while sent < BURST:
            await transport.api.put_event(room_id, _TIMELINE, {"number": sent}, f"check-{room_id}-{sent}")
            sent += 1
    except TemporaryFailure as failure:
        asked = failure.retry_after_seconds
        if asked is None:
            raise
    finally:
        await _leave(transport.api, room_id)
    return RateLimit(sent=sent, retry_after_seconds=asked)


async def _leave(api: RoomApi, room_id: RoomId) -> None:
    try:
        await api.leave_and_forget(room_id)
    except (MatrixRefusal, TemporaryFailure):
        # Nobody else is in it: it does no harm.
        return


def _content(state: tuple[EventJson, ...], kind: str) -> Mapping[str, Any] | None:
    for event in state:
        content = event.get("content")
        if event.get("type") == kind and event.get("state_key") == "" and isinstance(content, Mapping):
            return content
    return None


def _said(state: tuple[EventJson, ...], kind: str, key: str, otherwise: str) -> str:
    value = (_content(state, kind) or {}).get(key)
    return value if isinstance(value, str) else otherwise
