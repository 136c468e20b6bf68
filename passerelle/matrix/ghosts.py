"""Ghosts: a Matrix user for each author of mails, made when first needed (application-service mode)."""

import asyncio
from collections import defaultdict

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import GhostProfile
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.homeserver import Acting, Homeserver, Request, path
from passerelle.matrix.room_api import RoomApi

#: The device of every user of ours. Sent as `device_id`, it makes transaction ids outlive a crash of the homeserver;
#: without it Synapse gave a second event for the same transaction id (MEASURED.md). Always the same: made once.
DEVICE_ID = "PASSERELLE"


def acting_api(homeserver: Homeserver, acting: Acting) -> RoomApi:
    """The API as one of our users."""
    return RoomApi(lambda request: homeserver.call(request, acting))


class Ghosts:
    """The users in our namespace. Methods raise TemporaryFailure, AccessRefused or MatrixRefusal."""

    def __init__(self, homeserver: Homeserver, bot_id: UserId, prefix: str) -> None:
        self._homeserver = homeserver
        self._bot_id = bot_id
        self._server = bot_id.partition(":")[2]
        self._prefix = prefix
        self._names: dict[UserId, str] = {}
        self._ready: set[UserId] = set()
        self._making: defaultdict[UserId, asyncio.Lock] = defaultdict(asyncio.Lock)

    def user_id(self, ghost: GhostProfile) -> UserId:
        return UserId(f"@{self._prefix}{ghost.localpart.removeprefix(self._prefix)}:{self._server}")

    def is_ghost(self, user_id: str) -> bool:
        return user_id.startswith(f"@{self._prefix}") and user_id.endswith(f":{self._server}")

    def api(self, user_id: UserId) -> RoomApi:
        """The API as one of our users, who has been made ready."""
        return acting_api(self._homeserver, Acting(user_id=user_id, device_id=DEVICE_ID))

    async def make_ready(self, user_id: UserId, display_name: str | None = None) -> None:
        """Register a user of ours, with its device and its name, as far as that has not been done."""
        async with self._making[user_id]:
            if user_id not in self._ready:
                await self._register(user_id)
                self._ready.add(user_id)
            if display_name is not None and self._names.get(user_id) != display_name:
                await self._take_name(user_id, display_name)
                self._names[user_id] = display_name

    async def bring_in(self, user_id: UserId, room_id: RoomId) -> bool:
        """Bring a ghost into a room; False where it is in already (so something else is wrong).

        A ban stands: the homeserver refuses the invitation then.
        """
        bot = self.api(self._bot_id)
        member = await bot.state_content(room_id, "m.room.member", user_id) or {}
        if member.get("membership") == "join":
            return False
        if member.get("membership") != "invite":
            await bot.invite(room_id, user_id)
        await self.api(user_id).join(room_id)
        return True

    async def sender_of(self, room_id: RoomId, event_id: EventId) -> UserId:
        """Which of our users sent an event; the bot where none did."""
        where = path("rooms", room_id, "event", event_id)
        request = Request(method="GET", path=where, doing="looking at an event")
        event = await self._homeserver.call(request, Acting(user_id=self._bot_id, device_id=DEVICE_ID))
        sender = event.get("sender")
        return UserId(sender) if isinstance(sender, str) and self.is_ghost(sender) else self._bot_id

    async def _register(self, user_id: UserId) -> None:
        try:
            await self.api(user_id).whoami()
        except MatrixRefusal:
            # Not registered, or without its device: which of the two, homeservers say in different ways.
            await self._create(user_id)
            await self._log_in(user_id)

    async def _create(self, user_id: UserId) -> None:
        body = {"type": "m.login.application_service", "username": _localpart(user_id), "inhibit_login": True}
        try:
            await self._homeserver.call(
                Request(method="POST", path=path("register"), doing="registering a user", body=body)
            )
        except MatrixRefusal as refusal:
            if refusal.errcode != "M_USER_IN_USE":
                raise

    async def _log_in(self, user_id: UserId) -> None:
        """Make the device. Its own access token is not kept: the application service's serves for all."""
        body = {
            "type": "m.login.application_service",
            "identifier": {"type": "m.id.user", "user": _localpart(user_id)},
            "device_id": DEVICE_ID,
            "initial_device_display_name": "Passerelle",
        }
        await self._homeserver.call(Request(method="POST", path=path("login"), doing="making a device", body=body))

    async def _take_name(self, user_id: UserId, display_name: str) -> None:
        where, acting = path("profile", user_id, "displayname"), Acting(user_id=user_id, device_id=DEVICE_ID)
        try:
            present = await self._homeserver.call(Request(method="GET", path=where, doing="reading a name"), acting)
        except MatrixRefusal:
            present = {}
        if present.get("displayname") != display_name:
            # Each change is an event in every room of the ghost.
            body = {"displayname": display_name}
            await self._homeserver.call(Request(method="PUT", path=where, doing="setting a name", body=body), acting)


def _localpart(user_id: UserId) -> str:
    return user_id.removeprefix("@").partition(":")[0]
