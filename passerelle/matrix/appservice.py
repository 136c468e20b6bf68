"""An application service: the homeserver pushes, and each author of mails writes as a ghost. The hosted way to run."""

import asyncio
import logging
import random
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from passerelle.core.backoff import RECONNECT, REFUSED
from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import (
    ConnectionState,
    EventJson,
    GhostProfile,
    Media,
    OnState,
    OnSync,
    RoomUpdate,
    SyncArrivals,
)
from passerelle.core.settings import AppserviceSettings, MatrixSettings
from passerelle.errors import AccessRefused, ConfigError, DeliveryFailure, PasserelleError, TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.direct import DirectRooms
from passerelle.matrix.ghosts import DEVICE_ID, Ghosts
from passerelle.matrix.homeserver import Acting, Homeserver, Request
from passerelle.matrix.media_repository import MediaRepository
from passerelle.matrix.own_events import find_own_event
from passerelle.matrix.power import RoomPower, judge_power
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.sync import Rooms
from passerelle.matrix.transactions import TransactionServer

_LOG = logging.getLogger(__name__)
#: A transaction whose newest event is older than this comes from a queue that is being worked off.
BACKLOG_SECONDS = 60
#: After a ping a homeserver that had queued sends at once: silence for so long means that nothing is left.
SETTLE_SECONDS = 2.0


class Appservice:
    """A `MatrixTransport` whose bot user is the registration's `sender_localpart`.

    Encrypted rooms are refused: an application service cannot read them on homeservers of today.
    """

    def __init__(
        self, settings: MatrixSettings, *, as_token: str, hs_token: str, on_state: OnState | None = None
    ) -> None:
        if settings.appservice is None:
            raise ConfigError("matrix.appservice: the section is missing")
        self._settings = settings
        self._service: AppserviceSettings = settings.appservice
        self._on_state = on_state
        self._homeserver = Homeserver(
            settings.homeserver, timeout_seconds=settings.timeout_seconds, access_token=as_token
        )
        self.user_id = UserId(settings.user_id)
        #: Never changes: see `ghosts.DEVICE_ID`.
        self.device_id = DEVICE_ID
        self._ghosts = Ghosts(self._homeserver, self.user_id, self._service.ghost_prefix)
        self._acting = Acting(user_id=self.user_id, device_id=DEVICE_ID)
        self.api = RoomApi(self.call)
        self.media = MediaRepository(self)
        self._direct = DirectRooms(self.api)
        self._server = TransactionServer(hs_token, self._take)
        self._encrypted_rooms: dict[RoomId, bool] = {}
        self._waiting_invitations: set[RoomId] = set()
        self._rooms: Rooms = frozenset
        self._on_sync: OnSync | None = None
        self._taking = asyncio.Lock()
        self._live = False
        self._taken = 0

    @property
    def source(self) -> str:
        return f"matrix:{self.user_id}"

    @property
    def port(self) -> int:
        """Where it listens for the homeserver, once `follow` does."""
        return self._server.port

    async def close(self) -> None:
        await self._server.stop()
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

        At first each room's state is handed on, then transactions as they come; an empty `SyncArrivals` with `live`
        says that the homeserver holds nothing back any more. `since` is not used: the homeserver keeps the queue.

        Raises ConfigError where the configured port cannot be taken.
        """
        self._rooms, self._on_sync, self._live = rooms, on_sync, False
        await self._server.start(self._service.host, self._service.port)
        try:
            await self._watch(on_sync)
        finally:
            await self._server.stop()

    async def _watch(self, on_sync: OnSync) -> None:
        """Keep the homeserver sending: ask it regularly to ping us, which also makes it retry what it queued."""
        failures, introduced = 0, False
        while True:
            try:
                if not introduced:
                    await self._introduce(on_sync)
                    introduced = True
                await self._ping()
                await self._join_waiting()
                await self._settle(on_sync)
                # It reaches us, and pushes at once: nothing newer than this waits on its side.
                await on_sync(SyncArrivals(source=self.source, before=None, after=None, live=self._live))
            except PasserelleError as error:
                failures += 1
                await self._pause(error, failures)
            else:
                failures = 0
                self._report(ConnectionState(source=self.source, up=True))
                await asyncio.sleep(max(self._settings.sync_seconds, SETTLE_SECONDS))

    async def _pause(self, error: PasserelleError, failures: int) -> None:
        self._live = False
        refused = isinstance(error, AccessRefused | ConfigError | MatrixRefusal)
        asked = error.retry_after_seconds if isinstance(error, TemporaryFailure) else None
        backoff = REFUSED if refused else RECONNECT
        seconds = backoff.delay_seconds(failures, random.random(), at_least_seconds=asked)
        _LOG.log(logging.ERROR if refused else logging.WARNING, "matrix: %s; again in %.0f s", error, seconds)
        self._report(
            ConnectionState(source=self.source, up=False, reason=str(error), refused=refused, retry_in_seconds=seconds)
        )
        await asyncio.sleep(seconds)

    async def _introduce(self, on_sync: OnSync) -> None:
        """Join the configured rooms and hand on their state: transactions tell changes only."""
        rooms, joined = self._rooms(), await self.api.joined_rooms()
        self._waiting_invitations |= rooms - joined
        await self._join_waiting()
        for room_id in sorted(rooms & await self.api.joined_rooms()):
            await self._hand_state_on(room_id, on_sync)

    async def _hand_state_on(self, room_id: RoomId, on_sync: OnSync) -> None:
        state = tuple({**event, "room_id": room_id} for event in await self.api.state(room_id))
        self._learn_encryption(room_id, state)
        update = RoomUpdate(room_id=room_id, state=state)
        await on_sync(SyncArrivals(source=self.source, before=None, after=None, rooms=(update,), live=False))

    async def _join_waiting(self) -> None:
        for room_id in sorted(self._waiting_invitations & self._rooms()):
            try:
                await self.api.join(room_id)
            except MatrixRefusal as refusal:
                _LOG.error("room %s: %s", room_id, refusal)
            self._waiting_invitations.discard(room_id)

    async def _ping(self) -> None:
        where = f"/_matrix/client/v1/appservice/{quote(self._service.id, safe='')}/ping"
        request = Request(method="POST", path=where, doing="asking the homeserver to reach us", body={})
        try:
            await self._homeserver.call(request)
        except MatrixRefusal as refusal:
            if refusal.errcode != "M_UNRECOGNIZED":
                raise

    async def _settle(self, on_sync: OnSync) -> None:
        while not self._live:
            taken = self._taken
            await asyncio.sleep(SETTLE_SECONDS)
            async with self._taking:
                if taken == self._taken:
                    await on_sync(SyncArrivals(source=self.source, before=None, after=None, live=True))
                    self._live = True

    async def _take(self, transaction_id: str, body: Mapping[str, Any]) -> None:
        """Hand one transaction on; returning means that it is stored (`OnTransaction`)."""
        events = [event for event in body.get("events") or () if isinstance(event, dict)]
        async with self._taking:
            self._taken += 1
            if self._on_sync is None:
                raise TemporaryFailure("nobody listens yet")
            self._live = self._live and not _is_backlog(events)
            by_room: defaultdict[RoomId, list[EventJson]] = defaultdict(list)
            for event in events:
                by_room[RoomId(str(event.get("room_id")))].append(event)
            updates = tuple(
                RoomUpdate(room_id=room_id, timeline=tuple(timeline))
                for room_id, timeline in by_room.items()
                if room_id in self._rooms()
            )
            await self._on_sync(
                SyncArrivals(
                    source=self.source,
                    before=None,
                    after=None,
                    rooms=updates,
                    live=self._live,
                    transaction_id=transaction_id,
                )
            )
        for room_id, timeline in by_room.items():
            self._learn_encryption(room_id, tuple(timeline))
        await self._accept_invitations(events)

    async def _accept_invitations(self, events: list[dict[str, Any]]) -> None:
        invited = {RoomId(str(event.get("room_id"))) for event in events if self._invites_us(event)}
        self._waiting_invitations |= invited & self._rooms()
        try:
            await self._join_waiting()
        except DeliveryFailure as failure:
            # Stored is stored: `_watch` tries again.
            _LOG.warning("an invitation waits: %s", failure)

    def _invites_us(self, event: Mapping[str, Any]) -> bool:
        content = event.get("content")
        membership = content.get("membership") if isinstance(content, dict) else None
        return (
            event.get("type") == "m.room.member" and event.get("state_key") == self.user_id and membership == "invite"
        )

    def _learn_encryption(self, room_id: RoomId, events: tuple[EventJson, ...]) -> None:
        if any(event.get("type") == "m.room.encryption" and "state_key" in event for event in events):
            self._encrypted_rooms[room_id] = True

    def _report(self, state: ConnectionState) -> None:
        if self._on_state is not None:
            self._on_state(state)

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

    async def read_power(self, room_id: RoomId) -> RoomPower:
        """What the bot user may do in a room. Raises TemporaryFailure, MatrixRefusal."""
        return judge_power(await self.api.state(room_id), self.user_id)


def _is_backlog(events: list[dict[str, Any]]) -> bool:
    sent = [e["origin_server_ts"] for e in events if isinstance(e.get("origin_server_ts"), int)]
    return bool(sent) and max(sent) < (time.time() - BACKLOG_SECONDS) * 1000
