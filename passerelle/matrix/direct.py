"""Direct rooms: one for each person, found again after a restart, a crash or a restored backup.

`m.direct` of our account data says which they are (Matrix client-server API v1.18, "Direct Messaging"). It is written
after the room is made: for a crash in between, each room of ours also carries its person in a state event.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from passerelle.core.ids import RoomId, UserId
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.room_api import RoomApi

DIRECT_STATE = "org.passerelle.direct"
_IN = frozenset({"join", "invite"})


class DirectRooms:
    """The direct rooms of one account."""

    def __init__(self, api: RoomApi) -> None:
        self._api = api
        # m.direct is read, changed and written whole: one at a time.
        self._changing = asyncio.Lock()

    async def open(self, own_id: UserId, user_id: UserId) -> RoomId:
        """The direct room with `user_id`; made where there is none. Raises as RoomApi."""
        async with self._changing:
            direct = await self._api.account_data(own_id, "m.direct")
            listed = [RoomId(room) for room in _strings(direct.get(user_id))]
            room_id = await self._find(user_id, listed)
            if room_id is None:
                room_id = await self._create(user_id)
            if room_id not in listed:
                content = {**direct, user_id: [room_id, *listed]}
                await self._api.put_account_data(own_id, "m.direct", content)
            return room_id

    async def _find(self, user_id: UserId, listed: list[RoomId]) -> RoomId | None:
        joined = await self._api.joined_rooms()
        for room_id in [room for room in listed if room in joined]:
            if await self._has(room_id, user_id):
                return room_id
        for room_id in sorted(joined.difference(listed)):
            marked = await self._api.state_content(room_id, DIRECT_STATE, _state_key(user_id)) is not None
            if marked and await self._has(room_id, user_id):
                return room_id
        return None

    async def _has(self, room_id: RoomId, user_id: UserId) -> bool:
        """Whether the person is in the room or invited; who left is invited again, unless that is refused."""
        member = await self._api.state_content(room_id, "m.room.member", user_id)
        if (member or {}).get("membership") in _IN:
            return True
        try:
            await self._api.invite(room_id, user_id)
        except MatrixRefusal:
            return False
        return True

    async def _create(self, user_id: UserId) -> RoomId:
        body: Mapping[str, Any] = {
            "preset": "trusted_private_chat",
            "visibility": "private",
            "is_direct": True,
            "invite": [user_id],
            "initial_state": [
                {"type": DIRECT_STATE, "state_key": _state_key(user_id), "content": {"user_id": user_id}}
            ],
        }
        return await self._api.create_room(body)


def _state_key(user_id: UserId) -> str:
    # A state key that begins with @ may be set by that very user only (authorization rules of every room version).
    return user_id.removeprefix("@")


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
