"""The daemon: builds everything, wires it, runs until it is told to stop. The only place that knows all parts."""

import asyncio
import json
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime
from typing import Any

from passerelle import config
from passerelle.core.ids import UserId
from passerelle.core.links import Link
from passerelle.core.ports import (
    ConnectionState,
    EmailArrivals,
    EmailSender,
    ImapCursor,
    RawEmail,
    RoomUpdate,
    SyncArrivals,
)
from passerelle.core.settings import MailboxSettings, Settings
from passerelle.delivery import Delivery
from passerelle.dispatch import Dispatch
from passerelle.dry_run import DryMatrix, DrySender, Say, rehearse_matrix, throw_away_store
from passerelle.errors import ConfigError, DeliveryFailure
from passerelle.fetching import Fetching
from passerelle.flows.consent import ask_consent
from passerelle.flows.context import FlowContext
from passerelle.flows.recover import find_restored, settle_restored
from passerelle.flows.report_failures import next_report_at, report_failures, report_incidents, settle_unknown
from passerelle.flows.seal_batches import seal_due_batches
from passerelle.intake import Intake
from passerelle.mail.imap import ImapMailbox
from passerelle.mail.lmtp import LmtpServer
from passerelle.mail.smtp import SmtpSender
from passerelle.matrix.appservice import Appservice
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.event_types import DELIVERY_KEY
from passerelle.matrix.login import Session
from passerelle.schedule import Duty, Schedule
from passerelle.store.batches import next_batch_due_at
from passerelle.store.cursors import StaleCursor, find_cursor
from passerelle.store.engine import Store
from passerelle.store.links import find_link_state, set_room
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.outbox import find_sending
from passerelle.store.outbox_watch import next_failure_at, next_unknown_at
from passerelle.store.rooms import find_room
from passerelle.wiring import build_context, resolve_known_rooms

log = logging.getLogger(__name__)

Matrix = MatrixBot | Appservice | DryMatrix

_JOIN_AGAIN_SECONDS = 30.0
_READ_ON_SECONDS = 2.0
_SESSION = "matrix_session"
#: Until the homeserver has told its own.
_UPLOAD_LIMIT_BYTES = 50_000_000


class CursorMoved(Exception):
    """Somebody else read on; no error of ours, so that it ends a follower, which is begun anew where it stands."""


async def run(settings: Settings, *, dry_run: Say | None = None) -> None:
    """Run until SIGTERM or SIGINT. Raises ConfigError, StoreError; both say in plain words what is wrong.

    Args:
        dry_run: told each thing that would leave; nothing does, and what is stored is thrown away at the end.
    """
    if dry_run is not None:
        async with throw_away_store(settings, dry_run) as copy:
            daemon = await Daemon.build(settings, copy, dry_run=dry_run)
            await daemon.run()
        return
    store = await Store.open(config.store_url(settings.store), exclusive=True)
    try:
        daemon = await Daemon.build(settings, store)
        await daemon.run()
    finally:
        await store.close()


class Daemon:
    """All parts, and the tasks that run them."""

    def __init__(
        self, ctx: FlowContext, matrix: Matrix, senders: dict[str, EmailSender], connections: "Connections"
    ) -> None:
        self._ctx = ctx
        self._connections = connections
        self._matrix = matrix
        owner = f"{socket.gethostname()}:{os.getpid()}"
        self._intake = Intake(ctx)
        self._dispatch = Dispatch(ctx, owner=owner)
        self._delivery = Delivery(ctx, owner=owner, matrix=matrix, senders=senders)
        self._fetching = Fetching(ctx, matrix)
        self._schedule = Schedule(self._duties(), now=ctx.now)
        ctx.store.on_commit(self._dispatch.worker.wake, queue="inbox")
        ctx.store.on_commit(self._delivery.worker.wake, queue="outbox")
        ctx.store.on_commit(self._fetching.wake, queue="attachment")
        ctx.store.on_commit(self._schedule.changed)

    @classmethod
    async def build(cls, settings: Settings, store: Store, *, dry_run: Say | None = None) -> "Daemon":
        """Build everything of a checked configuration; with `dry_run`, what sends only says so. Raises ConfigError."""
        limit = {"bytes": _UPLOAD_LIMIT_BYTES}
        restored = await find_restored(store)
        ctx = build_context(settings, store, upload_limit_bytes=lambda: limit["bytes"], restored=restored)
        connections = Connections()
        matrix = await _build_matrix(settings, store, connections) if dry_run is None else rehearse_matrix(ctx, dry_run)
        if isinstance(matrix, MatrixBot):
            ctx = replace(ctx, decrypt=matrix.decrypt)
        limit["bytes"] = await _upload_limit(matrix, limit["bytes"])
        senders: dict[str, EmailSender] = {
            box.name: SmtpSender(box.smtp, config.resolve_secret(box.smtp)) if dry_run is None else DrySender(dry_run)
            for box in settings.mailboxes
        }
        return cls(ctx, matrix, senders, connections)

    async def run(self) -> None:
        """Run every part until told to stop; one part's end is the end of all, and systemd's to mend."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await resolve_known_rooms(self._ctx)
        if self._ctx.restored is not None:
            await settle_restored(self._ctx, self._ctx.restored)
        await self._take_up_interrupted()
        tasks = {asyncio.create_task(part, name=name) for name, part in self._parts()}
        stopping = asyncio.create_task(stop.wait(), name="stop")
        log.info("Passerelle runs", extra={"links": len(list(self._ctx.links))})
        try:
            done, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
            await self._matrix.close()
        for task in done - {stopping}:
            task.result()
        log.info("Passerelle stops")

    def _parts(self) -> list[tuple[str, Coroutine[Any, Any, Any]]]:
        parts: list[tuple[str, Coroutine[Any, Any, Any]]] = [
            ("dispatch", self._dispatch.worker.run()),
            ("delivery", self._delivery.worker.run()),
            ("fetching", self._fetching.run()),
            ("schedule", self._schedule.run()),
            ("matrix", self._follow_matrix()),
        ]
        for box in self._ctx.settings.mailboxes:
            if box.imap is None and isinstance(self._matrix, DryMatrix):
                continue  # what the mail server hands over, it hands over once
            follow = self._follow_imap(box) if box.imap else self._serve_lmtp(box)
            parts.append((f"mailbox {box.name}", follow))
        return parts

    # ------------------------------------------------------------ mail in

    async def _follow_imap(self, box: MailboxSettings) -> None:
        assert box.imap is not None
        source = f"imap:{box.name}"

        def note(state: ConnectionState) -> None:
            self._connections.note(state)
            self._intake.note_connection(box, state)

        mailbox = ImapMailbox(
            box.imap,
            config.resolve_secret(box.imap),
            source=source,
            wanted=lambda header: self._intake.wanted(box, header),
            email_limit_bytes=self._email_limit(box),
            now=self._ctx.now,
            on_state=note,
        )

        async def take(arrivals: EmailArrivals) -> None:
            try:
                await self._intake.take_emails(box, arrivals)
            except StaleCursor as error:
                raise CursorMoved from error

        while True:
            async with self._ctx.store.read() as conn:
                cursor = await find_cursor(conn, source)
            try:
                await mailbox.follow(ImapCursor.parse(cursor) if cursor else None, take)
            except CursorMoved:
                log.warning("Another daemon reads the same mailbox; reading on", extra={"mailbox": box.name})
                await asyncio.sleep(_READ_ON_SECONDS)

    async def _serve_lmtp(self, box: MailboxSettings) -> None:
        assert box.lmtp is not None
        addresses = {box.address.lower()} | {
            a.lower() for k in self._ctx.links if k.mailbox.name == box.name for a in k.list_addresses
        }

        async def take(emails: tuple[RawEmail, ...]) -> None:
            await self._intake.take_lmtp(box, emails)

        server = LmtpServer(
            box.lmtp,
            take,
            accepts=lambda address: _without_tag(address) in addresses,
            email_limit_bytes=self._email_limit(box),
            now=self._ctx.now,
        )
        await server.start()
        try:
            await asyncio.Event().wait()
        finally:
            await server.stop()

    def _email_limit(self, box: MailboxSettings) -> int:
        """The highest limit of the mailbox's links: each link judges by its own."""
        return max((k.settings.email_limit_bytes for k in self._ctx.links if k.mailbox.name == box.name), default=0)

    # ------------------------------------------------------------ Matrix in

    async def _follow_matrix(self) -> None:
        """Follow the homeserver; each link comes in as soon as its room can be joined, and holds up no other."""
        source = f"matrix:{self._matrix.user_id}"
        async with asyncio.TaskGroup() as tasks:
            for link in self._ctx.links:
                tasks.create_task(self._resolve_room(link, source))
            while True:
                async with self._ctx.store.read() as conn:
                    since = await find_cursor(conn, source)
                try:
                    await self._matrix.follow(since, self._ctx.links.rooms, self._take_sync)
                except CursorMoved:
                    log.warning("Another daemon reads the same source; reading on from where it stands")
                    await asyncio.sleep(_READ_ON_SECONDS)

    async def _take_sync(self, arrivals: SyncArrivals) -> None:
        try:
            await self._intake.take_sync(arrivals)
        except StaleCursor as error:
            raise CursorMoved from error
        if arrivals.live:
            self._schedule.hurry("seal")
            self._schedule.hurry("ask_consent")

    async def _resolve_room(self, link: Link, source: str) -> None:
        """Join the link's room; its alias becomes an ID. Waits while the homeserver does not let us in."""
        while True:
            try:
                room_id = await self._matrix.join(link.settings.room)
                # `/sync` tells of members who speak only, and of changes: what the room is, is asked once.
                state = await self._matrix.api.state(room_id)
            except DeliveryFailure as failure:
                log.warning("Not in the room yet: %s", failure, extra={"link": link.path})
                await asyncio.sleep(_JOIN_AGAIN_SECONDS)
                continue
            break
        other = self._ctx.links.find_by_room(room_id)
        if other is not None and other.path != link.path:
            log.error("Two links name the same room; this one does not run", extra={"link": link.path})
            return
        self._ctx.links.set_room(link, room_id)
        async with self._ctx.store.write() as conn:
            await set_room(conn, link.association_name, link.name, room_id)
        facts = RoomUpdate(room_id=room_id, state=state)
        await self._intake.take_sync(SyncArrivals(source=source, before=None, after=None, rooms=(facts,), live=False))
        self._dispatch.worker.wake()

    async def _ask_consents(self) -> None:
        for link in self._ctx.links:
            await ask_consent(self._ctx, link)

    async def _consent_due_at(self) -> datetime | None:
        """Now, where a link's room is known, the homeserver answers, and nobody was told yet."""
        if self._intake.live_at is None:
            return None
        async with self._ctx.store.read() as conn:
            for link in self._ctx.links:
                room_id = self._ctx.links.room_of(link)
                state = await find_link_state(conn, link.association_name, link.name)
                # The room's facts come with its members: the notice has to know whom it tells.
                if state.asked_at is None and room_id is not None and await find_room(conn, room_id) is not None:
                    return self._ctx.now()
        return None

    # ------------------------------------------------------------ duties

    def _duties(self) -> list[Duty]:
        ctx = self._ctx
        return [
            Duty(
                name="seal",
                run=lambda: seal_due_batches(ctx, live_at=self._live_at()),
                next_at=self._asked(next_batch_due_at),
            ),
            Duty(
                name="settle",
                run=lambda: settle_unknown(ctx, heard=self._intake.hears),
                next_at=self._asked(next_unknown_at),
            ),
            Duty(name="ask_consent", run=self._ask_consents, next_at=self._consent_due_at),
            Duty(name="report_failures", run=lambda: report_failures(ctx), next_at=self._asked(next_failure_at)),
            Duty(name="report_incidents", run=lambda: report_incidents(ctx), next_at=lambda: next_report_at(ctx)),
        ]

    def _live_at(self) -> datetime | None:
        """When the homeserver last held nothing back; after a restore only once the mailboxes told what left."""
        boxes = {box.name for box in self._ctx.settings.mailboxes if box.imap is not None}
        if self._ctx.restored is not None and not boxes <= self._intake.caught_up:
            return None
        return self._intake.live_at

    def _asked(self, query: Callable[..., Any]) -> Callable[[], Coroutine[Any, Any, datetime | None]]:
        async def ask() -> datetime | None:
            async with self._ctx.store.read() as conn:
                found: datetime | None = await query(conn)
                return found

        return ask

    async def _take_up_interrupted(self) -> None:
        """Emails that were on their way when the last daemon ended: nobody knows whether they arrived."""
        async with self._ctx.store.read() as conn:
            rows = await find_sending(conn)
        for row in rows:
            await self._delivery.emails.note_unknown(row, "the daemon ended while it was being sent")


class Connections:
    """How each source fares; said in the log when it changes."""

    def __init__(self) -> None:
        self._states: dict[str, ConnectionState] = {}

    def note(self, state: ConnectionState) -> None:
        """Take note of a source's state."""
        before = self._states.get(state.source)
        self._states[state.source] = state
        if before is not None and before.up == state.up and before.reason == state.reason:
            return
        if state.up:
            log.info("Connected", extra={"source": state.source})
        else:
            log.warning("Not connected: %s", state.reason, extra={"source": state.source, "refused": state.refused})


def _without_tag(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.split('+', 1)[0]}@{domain}"


async def _upload_limit(matrix: Matrix, default: int) -> int:
    try:
        return await matrix.upload_limit_bytes()
    except DeliveryFailure as failure:
        log.warning("The homeserver's file limit is not known: %s", failure)
        return default


async def _build_matrix(settings: Settings, store: Store, connections: Connections) -> Matrix:
    """The homeserver's side: an application service where one is configured, a bot account otherwise."""
    matrix = settings.matrix
    if matrix.appservice is None:
        return await _build_bot(settings, store, connections)
    as_token = config.resolve_secret(matrix.appservice, "as_token")
    hs_token = config.resolve_secret(matrix.appservice, "hs_token")
    if as_token is None or hs_token is None:
        raise ConfigError("matrix.appservice: give as_token_file and hs_token_file, as in the registration file")
    return Appservice(matrix, as_token=as_token, hs_token=hs_token, on_state=connections.note)


async def _build_bot(settings: Settings, store: Store, connections: Connections) -> MatrixBot:
    """The bot, with the login that an earlier run left: the same device keeps transaction ids meaningful."""
    matrix = settings.matrix
    async with store.read() as conn:
        kept = await find_meta(conn, _SESSION)
    session = None
    if kept is not None:
        fields = json.loads(kept)
        if fields["user_id"] == matrix.user_id:
            session = Session(
                user_id=UserId(fields["user_id"]), device_id=fields["device_id"], access_token=fields["access_token"]
            )

    async def keep(new: Session) -> None:
        fields = {"user_id": new.user_id, "device_id": new.device_id, "access_token": new.access_token}
        async with store.write() as conn:
            await set_meta(conn, _SESSION, json.dumps(fields))

    return MatrixBot(
        matrix,
        Credentials(
            password=config.resolve_secret(matrix),
            access_token=config.resolve_secret(matrix, "access_token"),
            session=session,
        ),
        on_session=keep,
        on_state=connections.note,
        clear_keys=[DELIVERY_KEY],
    )
