"""The calls of the client-server API that both transports make, each named once. I/O; decides nothing."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.errors import TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import ITEMS, Request, path

#: Sends a request as one user and returns the JSON object of its answer, or raises our errors.
Call = Callable[[Request], Awaitable[Mapping[str, Any]]]


class RoomApi:
    """What one user asks of the homeserver. Every method raises TemporaryFailure, AccessRefused or MatrixRefusal."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def put_event(
        self, room_id: RoomId, event_type: str, content: Mapping[str, Any], transaction_id: str
    ) -> EventId:
        where = path("rooms", room_id, "send", event_type, transaction_id)
        return await self._event_id(Request(method="PUT", path=where, doing="sending an event", body=content))

    async def put_state(self, room_id: RoomId, event_type: str, content: Mapping[str, Any]) -> EventId:
        where = path("rooms", room_id, "state", event_type, "")
        return await self._event_id(Request(method="PUT", path=where, doing="changing a room's state", body=content))

    async def redact(self, room_id: RoomId, event_id: EventId, transaction_id: str, reason: str = "") -> EventId:
        where = path("rooms", room_id, "redact", event_id, transaction_id)
        body = {"reason": reason} if reason else {}
        return await self._event_id(Request(method="PUT", path=where, doing="redacting an event", body=body))

    async def _event_id(self, request: Request) -> EventId:
        event_id = (await self._call(request)).get("event_id")
        if not isinstance(event_id, str):
            raise TemporaryFailure(f"{request.doing}: the answer names no event")
        return EventId(event_id)

    async def messages(
        self,
        room_id: RoomId,
        *,
        forward: bool,
        start: str | None = None,
        stop: str | None = None,
        event_filter: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        """One page of a room's timeline: `chunk`, `state`, `start`, and `end` unless nothing is left."""
        query = {"dir": "f" if forward else "b", "limit": "100"}
        query |= {name: value for name, value in (("from", start), ("to", stop)) if value is not None}
        if event_filter is not None:
            query["filter"] = json.dumps(event_filter)
        where = path("rooms", room_id, "messages")
        return await self._call(Request(method="GET", path=where, doing="reading a room's past", query=query))

    async def state(self, room_id: RoomId) -> tuple[EventJson, ...]:
        """Every current state event, each with its sender. Holds each member that ever was."""
        where = path("rooms", room_id, "state")
        answer = await self._call(Request(method="GET", path=where, doing="reading a room's state"))
        return tuple(event for event in answer.get(ITEMS, ()) if isinstance(event, dict))

    async def state_content(self, room_id: RoomId, event_type: str, state_key: str = "") -> Mapping[str, Any] | None:
        """The content of one state event; None where there is none."""
        where = path("rooms", room_id, "state", event_type, state_key)
        try:
            return await self._call(Request(method="GET", path=where, doing="reading a room's state"))
        except MatrixRefusal as refusal:
            if refusal.errcode == "M_NOT_FOUND":
                return None
            raise

    async def joined_rooms(self) -> frozenset[RoomId]:
        answer = await self._call(Request(method="GET", path=path("joined_rooms"), doing="listing our rooms"))
        return frozenset(RoomId(room) for room in answer.get("joined_rooms", ()))

    async def joined_members(self, room_id: RoomId) -> Mapping[UserId, str]:
        """Who is in the room, each with a display name or ""."""
        where = path("rooms", room_id, "joined_members")
        answer = await self._call(Request(method="GET", path=where, doing="listing a room's members"))
        return {UserId(user): (m or {}).get("display_name") or "" for user, m in answer.get("joined", {}).items()}

    async def resolve(self, alias: str) -> RoomId:
        where = path("directory", "room", alias)
        answer = await self._call(Request(method="GET", path=where, doing=f"looking {alias} up"))
        return RoomId(answer["room_id"])

    async def join(self, room_id: RoomId) -> None:
        await self._call(Request(method="POST", path=path("join", room_id), doing="joining a room", body={}))

    async def leave_and_forget(self, room_id: RoomId) -> None:
        for verb in ("leave", "forget"):
            where = path("rooms", room_id, verb)
            await self._call(Request(method="POST", path=where, doing="leaving a room", body={}))

    async def invite(self, room_id: RoomId, user_id: UserId) -> None:
        where = path("rooms", room_id, "invite")
        await self._call(Request(method="POST", path=where, doing="inviting", body={"user_id": user_id}))

    async def create_room(self, body: Mapping[str, Any]) -> RoomId:
        answer = await self._call(Request(method="POST", path=path("createRoom"), doing="creating a room", body=body))
        return RoomId(answer["room_id"])

    async def account_data(self, user_id: UserId, data_type: str) -> Mapping[str, Any]:
        """Global account data; empty where there is none."""
        where = path("user", user_id, "account_data", data_type)
        try:
            return await self._call(Request(method="GET", path=where, doing="reading our account data"))
        except MatrixRefusal as refusal:
            if refusal.errcode == "M_NOT_FOUND":
                return {}
            raise

    async def put_account_data(self, user_id: UserId, data_type: str, content: Mapping[str, Any]) -> None:
        where = path("user", user_id, "account_data", data_type)
        await self._call(Request(method="PUT", path=where, doing="keeping our account data", body=content))

    async def whoami(self) -> Mapping[str, Any]:
        return await self._call(Request(method="GET", path=path("account", "whoami"), doing="asking who we are"))

    async def ping(self, appservice_id: str) -> None:
        """Have the homeserver reach us (application services only); what it kept back comes at once then."""
        where = f"/_matrix/client/v1/appservice/{quote(appservice_id, safe='')}/ping"
        await self._call(Request(method="POST", path=where, doing="asking the homeserver to reach us", body={}))
