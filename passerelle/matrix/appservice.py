"""An application service: the homeserver pushes, and each author of mails writes as a ghost. The hosted way to run."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import EventJson, GhostProfile, Marks, Media, OnState, OnSync
from passerelle.core.settings import MatrixSettings
from passerelle.errors import ConfigError
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.direct import DirectRooms
from passerelle.matrix.ghosts import DEVICE_ID, Ghosts
from passerelle.matrix.homeserver import Acting, Homeserver, Request
from passerelle.matrix.media_repository import MediaRepository
from passerelle.matrix.own_events import find_own_event
from passerelle.matrix.power import RoomPower, judge_power
from passerelle.matrix.pushes import PushLoop, PushSettings
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.sync import Rooms


class Appservice:
    """A `MatrixTransport` whose bot user is the registration's `sender_localpart`.

    Encrypted rooms are refused: an application service cannot read them on homeservers of today.
    """

    def __init__(
        self,
        settings: MatrixSettings,
        *,
        as_token: str,
        hs_token: str,
        on_state: OnState | None = None,
        marks: Marks | None = None,
    ) -> None:
        if settings.appservice is None:
            raise ConfigError("matrix.appservice: the section is missing")
        self._homeserver = Homeserver(
            settings.homeserver, timeout_seconds=settings.timeout_seconds, access_token=as_token
        )
        self.user_id = UserId(settings.user_id)
        #: Never changes: see `ghosts.DEVICE_ID`.
        self.device_id = DEVICE_ID
        self._ghosts = Ghosts(self._homeserver, self.user_id, settings.appservice.ghost_prefix)
        self._acting = Acting(user_id=self.user_id, device_id=DEVICE_ID)
        self.api = RoomApi(self.call)
        self.media = MediaRepository(self)
        self._direct = DirectRooms(self.api)
        self._encrypted_rooms: dict[RoomId, bool] = {}
        self._pushes = PushLoop(
            self.api,
            PushSettings(
                user_id=self.user_id,
                appservice=settings.appservice,
                ping_seconds=settings.sync_seconds,
                hs_token=hs_token,
            ),
            on_state=on_state,
            on_events=self._learn_encryption,
            marks=marks,
        )

    @property
    def port(self) -> int:
        """Where it listens for the homeserver, once `follow` does."""
        return self._pushes.port

    async def close(self) -> None:
        await self._homeserver.close()

    async def call(self, request: Request) -> Mapping[str, Any]:
        """Send a request as the bot user."""
        await self._ghosts.make_ready(self.user_id)
        return await self._homeserver.call(request, self._acting)

    async def send_bytes(self, request: Request, data: bytes, media_type: str) -> str:
        await self._ghosts.make_ready(self.user_id)
        return await self._homeserver.send_bytes(request, data, media_type, self._acting)

    async def fetch_bytes(self, request: Request, limit_bytes: int) -> bytes:
        await self._ghosts.make_ready(self.user_id)
        return await self._homeserver.fetch_bytes(request, limit_bytes=limit_bytes, acting=self._acting)

    # ------------------------------------------------------------ in

    async def follow(self, since: str | None, rooms: Rooms, on_sync: OnSync) -> None:
        """Listen for the homeserver's transactions until cancelled; hand on what happens in `rooms`.

        `since` is not used: the homeserver keeps the queue. See `pushes.PushLoop`.

        Raises ConfigError where the configured port cannot be taken.
        """
        del since
        await self._pushes.follow(rooms, on_sync)

    # ------------------------------------------------------------ out

    async def send_event(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        transaction_id: str,
        event_type: str = "m.room.message",
        ghost: GhostProfile | None = None,
    ) -> EventId:
        """See `MatrixTransport`. A ghost is made, named and brought into the room where that is needed."""
        if await self.is_encrypted(room_id):
            message = "sending an event: the room is encrypted, which application-service mode cannot do"
            raise MatrixRefusal(message, errcode="", status=0)
        if ghost is None:
            return await self.api.put_event(room_id, event_type, content, transaction_id)
        user_id = self._ghosts.user_id(ghost)
        await self._ghosts.make_ready(self.user_id)
        await self._ghosts.make_ready(user_id, ghost.display_name)
        api = self._ghosts.api(user_id)
        try:
            return await api.put_event(room_id, event_type, content, transaction_id)
        except MatrixRefusal as refusal:
            # Most often it is in the room: only a refusal makes us look.
            if refusal.errcode != "M_FORBIDDEN" or not await self._ghosts.bring_in(user_id, room_id):
                raise
        return await api.put_event(room_id, event_type, content, transaction_id)

    async def redact(self, room_id: RoomId, event_id: EventId, *, transaction_id: str, reason: str = "") -> EventId:
        """See `MatrixTransport`. A ghost's event is taken back by the ghost: the bot may lack the power."""
        await self._ghosts.make_ready(self.user_id)
        sender = await self._ghosts.sender_of(room_id, event_id)
        await self._ghosts.make_ready(sender)
        return await self._ghosts.api(sender).redact(room_id, event_id, transaction_id, reason)

    async def upload(self, data: bytes, *, media_type: str, filename: str, encrypted: bool) -> Media:
        """See `MatrixTransport`."""
        return await self.media.upload(data, media_type=media_type, filename=filename, encrypted=encrypted)

    async def download(self, media: Media) -> bytes:
        """See `MatrixTransport`."""
        return await self.media.download(media)

    async def upload_limit_bytes(self) -> int:
        """See `MatrixTransport`."""
        return await self.media.limit_bytes()

    async def find_own_event(
        self, room_id: RoomId, *, key: str, value: str, not_before: datetime, ghost: GhostProfile | None = None
    ) -> EventId | None:
        """See `MatrixTransport`. The bot looks, also for a ghost's event."""
        sender = self.user_id if ghost is None else self._ghosts.user_id(ghost)
        return await find_own_event(self.api, room_id, sender=sender, wanted=(key, value), not_before=not_before)

    async def open_direct_room(self, user_id: UserId) -> RoomId:
        """See `MatrixTransport`."""
        return await self._direct.open(self.user_id, user_id)

    async def join(self, room: str) -> RoomId:
        """See `MatrixTransport`."""
        room_id = RoomId(room) if room.startswith("!") else await self.api.resolve(room)
        if room_id not in await self.api.joined_rooms():
            await self.api.join(room_id)
        return room_id

    async def is_encrypted(self, room_id: RoomId) -> bool:
        """Whether the room is encrypted. Asked once; what is turned on later, transactions tell."""
        if room_id not in self._encrypted_rooms:
            found = await self.api.state_content(room_id, "m.room.encryption")
            self._encrypted_rooms[room_id] = found is not None
        return self._encrypted_rooms[room_id]

    def _learn_encryption(self, room_id: RoomId, events: tuple[EventJson, ...]) -> None:
        if any(event.get("type") == "m.room.encryption" and "state_key" in event for event in events):
            self._encrypted_rooms[room_id] = True

    async def read_power(self, room_id: RoomId) -> RoomPower:
        """What the bot user may do in a room. Raises TemporaryFailure, MatrixRefusal."""
        return judge_power(await self.api.state(room_id), self.user_id)
