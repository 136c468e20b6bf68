"""`run --dry-run`: the daemon's own parts on a throw-away copy of the store, with transports that send nothing.

What would leave is said, a line each, and counts as sent in the copy; so what follows from it is seen too. The mailbox
is read as always (nothing in it is marked), the rooms are read by a login of its own that ends with the dry run. What
can be taken in only once is left to the daemon: transactions of the homeserver (application service), mails handed
over by LMTP, and the encryption keys that come to an access token's device.
"""

import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from passerelle import config
from passerelle.check_matrix import MatrixAccess
from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.ports import Envelope, EventJson, GhostProfile, Media, OnSync
from passerelle.core.settings import Settings
from passerelle.errors import DeliveryFailure, TemporaryFailure
from passerelle.flows.context import FlowContext
from passerelle.i18n import _
from passerelle.logs import shorten_addresses
from passerelle.mail.parse import parse_headers
from passerelle.store.backup import backup_sqlite
from passerelle.store.engine import Store
from passerelle.store.links import find_link_state, insert_told, set_asked, set_confirmed
from passerelle.store.rooms import list_members
from passerelle.store.sqlite import path_of

Say = Callable[[str], None]

#: Everything that a dry run sees was said after this.
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


@asynccontextmanager
async def empty_store() -> AsyncIterator[Store]:
    """A store that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="passerelle-") as folder:
        store = await Store.open(f"sqlite:///{folder}/passerelle.db", exclusive=True)
        try:
            yield store
        finally:
            await store.close()


@asynccontextmanager
async def throw_away_store(settings: Settings, say: Say) -> AsyncIterator[Store]:
    """A copy of the store that is gone afterwards; an empty one where there is none, or it is on PostgreSQL."""
    url = config.store_url(settings.store)
    parsed = make_url(url)
    on_sqlite = parsed.drivername.startswith("sqlite")
    with tempfile.TemporaryDirectory(prefix="passerelle-") as folder:
        copy = Path(folder) / "passerelle.db"
        if on_sqlite and path_of(parsed).exists():
            await backup_sqlite(url, copy)
            say(_("Dry run, on a copy of the store. Nothing is sent."))
        else:
            say(_("Dry run, on an empty store: it begins at the present. Nothing is sent."))
        store = await Store.open(f"sqlite:///{copy}", exclusive=True)
        try:
            yield store
        finally:
            await store.close()


class DryMatrix:
    """A `MatrixTransport` that reads and never writes: it joins nothing, sends nothing, uploads nothing."""

    def __init__(self, settings: Settings, say: Say) -> None:
        self._say = say
        self._settings = settings
        self._access = MatrixAccess(settings.matrix)
        self._numbers = itertools.count(1)
        self._joined: frozenset[RoomId] | None = None
        self._readable: set[RoomId] = set()
        #: Whom a made-up direct room is with.
        self._direct: dict[RoomId, UserId] = {}
        self.user_id = UserId(settings.matrix.user_id)
        self.device_id = "dry-run"
        self.api = self
        #: Called when the rooms are known and before anything of them is handed on.
        self.before_following: Callable[[], Awaitable[None]] | None = None
        self._deaf_because = _why_deaf(settings)

    # ------------------------------------------------------------ in

    async def join(self, room: str) -> RoomId:
        """The room's ID, without joining; a made-up one where the homeserver does not tell it."""
        if self._deaf_because:
            return RoomId(room) if room.startswith("!") else RoomId(f"!{room[1:]}")
        bot = self._access.transport()
        try:
            room_id = RoomId(room) if room.startswith("!") else await bot.api.resolve(room)
            if self._joined is None:
                self._joined = await bot.api.joined_rooms()
        except DeliveryFailure as failure:
            self._say(_("The room {room} cannot be reached: {reason}").format(room=room, reason=failure))
            return RoomId(room) if room.startswith("!") else RoomId(f"!{room[1:]}")
        if room_id in self._joined:
            self._readable.add(room_id)
        else:
            self._say(_("Would join the room {room}. Until then nothing is heard of it.").format(room=room))
        return room_id

    async def state(self, room_id: RoomId) -> tuple[EventJson, ...]:
        """The state of a room that the bridge is in; nothing elsewhere."""
        if room_id not in self._readable:
            return ()
        return await self._access.transport().api.state(room_id)

    async def follow(self, since: str | None, rooms: Callable[[], frozenset[RoomId]], on_sync: OnSync) -> None:
        """Follow the rooms that the bridge is in already: others would be joined by it."""
        if self.before_following is not None:
            await self.before_following()
        if self._deaf_because:
            self._say(self._deaf_because)
            await asyncio.Event().wait()
        await self._access.transport().follow(since, lambda: rooms() & self._readable, on_sync)

    async def download(self, media: Media) -> bytes:
        """See `MatrixTransport`."""
        return await self._access.transport().download(media)

    async def upload_limit_bytes(self) -> int:
        """See `MatrixTransport`."""
        if self._settings.matrix.appservice is not None:
            # An application service registers its user before it asks anything.
            raise TemporaryFailure("an application service asks nothing in a dry run")
        return await self._access.transport().upload_limit_bytes()

    async def find_own_event(
        self, room_id: RoomId, *, key: str, value: str, not_before: datetime, ghost: GhostProfile | None = None
    ) -> EventId | None:
        """See `MatrixTransport`."""
        if room_id not in self._readable:
            return None
        return await self._access.transport().find_own_event(
            room_id, key=key, value=value, not_before=not_before, ghost=ghost
        )

    async def close(self) -> None:
        """End the login that was made here."""
        await self._access.close()

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
        """Say what would be sent; the event ID is made up."""
        what = describe_event(content, event_type)
        if room_id in self._direct:
            self._say(_("Would go to {user} alone: {what}.").format(user=self._direct[room_id], what=what))
        else:
            self._say(_("Would go to the room {room}: {what}.").format(room=room_id, what=what))
        return self._made_up()

    async def redact(self, room_id: RoomId, event_id: EventId, *, transaction_id: str, reason: str = "") -> EventId:
        """Say what would be taken back."""
        self._say(_("Would take back something in the room {room}.").format(room=room_id))
        return self._made_up()

    async def upload(self, data: bytes, *, media_type: str, filename: str, encrypted: bool) -> Media:
        """A made-up address; the event that shows the file is said."""
        return Media(url=f"mxc://dry-run/{next(self._numbers)}", file={"url": "mxc://dry-run"} if encrypted else None)

    async def open_direct_room(self, user_id: UserId) -> RoomId:
        """A made-up room; nobody is invited."""
        room_id = RoomId(f"!dry-run-{user_id[1:]}")
        self._direct[room_id] = user_id
        return room_id

    def _made_up(self) -> EventId:
        return EventId(f"$dry-run-{next(self._numbers)}")


def rehearse_matrix(ctx: FlowContext, say: Say) -> DryMatrix:
    """The homeserver's side of a dry run; it says what it leaves out."""
    if any(box.imap is None for box in ctx.settings.mailboxes):
        say(_("What your mail server hands over by LMTP is not taken in: it is handed over only once, to the daemon."))
    matrix = DryMatrix(ctx.settings, say)
    matrix.before_following = partial(assume_confirmed, ctx, say)
    return matrix


class DrySender:
    """An `EmailSender`, and its session, that says what would be sent."""

    def __init__(self, say: Say) -> None:
        self._say = say

    def session(self) -> AbstractAsyncContextManager["DrySender"]:
        return nullcontext(self)

    async def send(self, envelope: Envelope, raw: bytes, *, before_data: Callable[[], Awaitable[None]]) -> str:
        await before_data()
        email = parse_headers(raw)
        self._say(
            _("Would go to {address}: a mail from {name}, “{subject}”, {size} bytes.").format(
                address=shorten_addresses(", ".join(envelope.recipients)),
                name=email.from_[0].name if email.from_ else "",
                subject=email.subject,
                size=len(raw),
            )
        )
        return "250 dry run"


def describe_event(content: Mapping[str, Any], event_type: str) -> str:
    """What an event is, without its words. Pure."""
    if event_type == "m.reaction":
        relation = content.get("m.relates_to") or {}
        return _("the reaction {key}").format(key=relation.get("key", ""))
    body = str(content.get("body", ""))
    info = content.get("info")
    if content.get("msgtype") in ("m.file", "m.image", "m.audio", "m.video"):
        size = info.get("size", 0) if isinstance(info, Mapping) else 0
        return _("the file {name}, {size} bytes").format(name=content.get("filename") or body, size=size)
    if content.get("msgtype") == "m.notice":
        return _("a notice of the bridge, {count} characters").format(count=len(body))
    return _("a post, {count} characters").format(count=len(body))


async def assume_confirmed(ctx: FlowContext, say: Say) -> None:
    """In the copy, let links that nobody confirmed be confirmed, and everyone in their rooms be told."""
    for link in ctx.links:
        room_id = ctx.links.room_of(link)
        async with ctx.store.write() as conn:
            state = await find_link_state(conn, link.association_name, link.name)
            if state.confirmed_at is not None:
                continue
            await set_asked(conn, link.association_name, link.name, _LONG_AGO)
            await set_confirmed(conn, link.association_name, link.name, _LONG_AGO, "dry run")
            for member in await list_members(conn, room_id, membership="join") if room_id else ():
                who = ctx.hashed("told", member.user_id)
                await insert_told(conn, link.association_name, link.name, who, now=ctx.now(), outbox_id=None)
        say(_("{link} is not confirmed yet; the dry run goes on as if it were.").format(link=link.path))


def _why_deaf(settings: Settings) -> str:
    """Why the rooms cannot be followed without taking something from the daemon; "" where they can."""
    matrix = settings.matrix
    if matrix.appservice is not None:
        return _("What is said in rooms is not taken in: the homeserver tells each thing only once, to the daemon.")
    if matrix.access_token_file is not None and matrix.crypto_folder is not None:
        return _("What is said in rooms is not taken in: its keys come to the access token's device only once.")
    return ""
