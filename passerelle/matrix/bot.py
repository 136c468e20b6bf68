"""One bot account on any homeserver: in by `/sync`, out by PUT. The default way to run."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import EventJson, GhostProfile, Media, OnState, OnSync
from passerelle.core.settings import MatrixSettings
from passerelle.errors import TemporaryFailure
from passerelle.matrix.answers import LoginLost, MatrixRefusal
from passerelle.matrix.direct import DirectRooms
from passerelle.matrix.encryption import Encryption
from passerelle.matrix.homeserver import Homeserver, Request
from passerelle.matrix.login import OnSession, Session, adopt_token, log_in
from passerelle.matrix.media_repository import MediaRepository
from passerelle.matrix.own_events import find_own_event
from passerelle.matrix.power import RoomPower, judge_power
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.sync import Rooms, SyncLoop, SyncSettings
from passerelle.matrix.timeline import joined_windows

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """How the bot may log in. A `session` that was kept comes first, so that its device stays the same."""

    password: str | None = None
    access_token: str | None = None
    session: Session | None = None


class MatrixBot:
    """A `MatrixTransport` of one account. Every method that asks the homeserver logs in first where needed.

    Besides what the port names, methods raise AccessRefused (the login is refused) and ConfigError (the folder of
    encryption keys does not belong to the login).
    """

    def __init__(
        self,
        settings: MatrixSettings,
        credentials: Credentials,
        *,
        on_session: OnSession | None = None,
        on_state: OnState | None = None,
        clear_keys: Collection[str] = (),
    ) -> None:
        """
        Args:
            on_session: keeps a new login; awaited before it is used.
            on_state: told how the connection fares.
            clear_keys: keys of an event's content that stay readable in encrypted rooms, so that `find_own_event`
                works from a new device too. Nothing that says anything: an opaque outbox id.
        """
        self._settings = settings
        self._credentials = credentials
        self._on_session = on_session
        self._on_state = on_state
        self._clear_keys = frozenset(clear_keys)
        self._homeserver = Homeserver(settings.homeserver, timeout_seconds=settings.timeout_seconds)
        self._session: Session | None = None
        self._encryption: Encryption | None = None
        self._connecting = asyncio.Lock()
        self._encrypted_rooms: dict[RoomId, bool] = {}
        self.user_id = UserId(settings.user_id)
        self.device_id = credentials.session.device_id if credentials.session else ""
        self.api = RoomApi(self.call)
        self.media = MediaRepository(self)
        self._direct = DirectRooms(self.api)

    # ------------------------------------------------------------ the connection

    async def connect(self) -> Session:
        """Log in where that has not been done; return the login.

        Raises TemporaryFailure, AccessRefused, ConfigError.
        """
        async with self._connecting:
            if self._session is None:
                await self._use(await self._any_session())
            assert self._session is not None
            return self._session

    async def close(self) -> None:
        """Close the connections. The login stays valid."""
        if self._encryption is not None:
            self._encryption.close()
        await self._homeserver.close()

    async def call(self, request: Request) -> Mapping[str, Any]:
        """Send a request as the bot; where its login was lost, log in anew.

        What only reads is asked once more then. What writes is TemporaryFailure: an earlier try may have been taken
        under the old device, whose transaction ids protect no longer, so the caller looks before it sends again.
        """
        session = await self.connect()
        try:
            return await self._homeserver.call(request)
        except LoginLost:
            await self._log_in_afresh(session)
            if request.method != "GET":
                raise TemporaryFailure(
                    f"{request.doing}: logged in as a new device; look before sending again"
                ) from None
            return await self._homeserver.call(request)

    async def send_bytes(self, request: Request, data: bytes, media_type: str) -> str:
        session = await self.connect()
        try:
            return await self._homeserver.send_bytes(request, data, media_type)
        except LoginLost:
            await self._log_in_afresh(session)
            return await self._homeserver.send_bytes(request, data, media_type)

    async def fetch_bytes(self, request: Request, limit_bytes: int) -> bytes:
        await self.connect()
        return await self._homeserver.fetch_bytes(request, limit_bytes=limit_bytes)

    async def _any_session(self) -> Session:
        given = self._credentials
        if given.access_token is not None:
            kept = given.session
            if kept is not None and kept.access_token == given.access_token:
                return kept
            return await self._kept(await adopt_token(self._homeserver, self.user_id, given.access_token))
        if given.session is not None and given.session.user_id == self.user_id:
            return given.session
        return await self._new_session()

    async def _new_session(self) -> Session:
        if self._credentials.password is None:
            raise LoginLost
        return await self._kept(await log_in(self._homeserver, self.user_id, self._credentials.password))

    async def _kept(self, session: Session) -> Session:
        if self._on_session is not None:
            await self._on_session(session)
        return session

    async def _use(self, session: Session) -> None:
        encryption = None
        if self._settings.crypto_folder is not None:
            encryption = Encryption(
                self._settings.homeserver,
                session,
                Path(self._settings.crypto_folder),
                timeout_seconds=self._settings.timeout_seconds,
            )
            try:
                await encryption.open(self._homeserver.session)
            except LoginLost:
                encryption.close()
                return await self._use(await self._new_session())
            except BaseException:
                encryption.close()
                raise
        self._homeserver.access_token = session.access_token
        self._session, self._encryption, self.device_id = session, encryption, session.device_id
        return None

    async def _log_in_afresh(self, lost: Session) -> None:
        """The homeserver forgot our token: a new login is a new device, and what was kept under the old one is deaf."""
        async with self._connecting:
            if self._session is not lost:
                return
            _LOG.warning("matrix: the login was lost; logging in anew")
            session = await self._new_session()
            if self._encryption is not None:
                self._encryption.close()
            await self._use(session)

    # ------------------------------------------------------------ in

    async def follow(self, since: str | None, rooms: Rooms, on_sync: OnSync) -> None:
        """Hand on everything that happens in `rooms`, from the token `since`, until cancelled.

        None begins at the present. `on_sync` returns when what it got is stored with its token; where it raises one
        of our errors, the same is handed on again. Invitations to `rooms` are accepted, others left alone.
        """
        loop = SyncLoop(
            self.call,
            self,
            SyncSettings(
                source=f"matrix:{self.user_id}",
                user_id=self.user_id,
                sync_seconds=self._settings.sync_seconds,
                timeout_seconds=self._settings.timeout_seconds,
            ),
            on_state=self._on_state,
        )
        await loop.follow(since, rooms, on_sync)

    async def absorb(self, answer: Mapping[str, Any]) -> None:
        """Take what concerns encryption out of an answer of `/sync` (`Decryption`)."""
        for window in joined_windows(answer):
            if any(event.get("type") == "m.room.encryption" for event in (*window.state, *window.timeline)):
                self._encrypted_rooms[window.room_id] = True
        if self._encryption is not None:
            await self._encryption.absorb(answer)

    async def reveal(self, events: tuple[EventJson, ...]) -> tuple[EventJson, ...]:
        """Events, decrypted where the key is here; the key is asked for where it is not (`Decryption`)."""
        revealed = []
        for event in events:
            clear = self.decrypt(event)
            if clear is None and self._encryption is not None and event.get("type") == "m.room.encrypted":
                await self._encryption.request_key(event)
            revealed.append(clear or event)
        return tuple(revealed)

    def decrypt(self, event: EventJson) -> EventJson | None:
        """An `m.room.encrypted` event (with its `room_id`) in clear; None where its key is not here (yet)."""
        if self._encryption is None or event.get("type") != "m.room.encrypted":
            return None
        return self._encryption.decrypt(event)

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
        """See `MatrixTransport`. In an encrypted room the event is encrypted; a bot has no ghosts."""
        if await self.is_encrypted(room_id):
            if self._encryption is None:
                message = "sending an event: the room is encrypted; set matrix.crypto_folder or make an open room"
                raise MatrixRefusal(message, errcode="", status=0)
            event_type, content = await self._encryption.encrypt(room_id, event_type, content, self._clear_keys)
        return await self.api.put_event(room_id, event_type, content, transaction_id)

    async def redact(self, room_id: RoomId, event_id: EventId, *, transaction_id: str, reason: str = "") -> EventId:
        """See `MatrixTransport`."""
        return await self.api.redact(room_id, event_id, transaction_id, reason)

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
        """See `MatrixTransport`."""
        return await find_own_event(
            self.api,
            room_id,
            sender=self.user_id,
            wanted=(key, value),
            not_before=not_before,
            reveal=self.decrypt,
        )

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
        """Whether what is sent to the room must be encrypted. It is asked once: encryption is never turned off.

        A room whose encryption is turned on later is learnt of by `follow`.
        """
        if room_id not in self._encrypted_rooms:
            await self.connect()
            self._encrypted_rooms[room_id] = await self.api.state_content(room_id, "m.room.encryption") is not None
        return self._encrypted_rooms[room_id]

    async def read_power(self, room_id: RoomId) -> RoomPower:
        """What the bot may do in a room. Raises TemporaryFailure, MatrixRefusal."""
        return judge_power(await self.api.state(room_id), self.user_id)
