"""The daemon: builds everything, wires it, runs until it is told to stop. The only place that knows all parts."""

import asyncio
import logging
import os
import secrets
import signal
import socket
from collections.abc import Coroutine
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from passerelle import config
from passerelle.connections import Connections, Matrix, build_matrix, find_upload_limit
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
from passerelle.daemon_duties import asked, digest_duties, keeping_duties, secretary_duties
from passerelle.delivery import Delivery
from passerelle.dispatch import Dispatch
from passerelle.dry_run import DryMatrix, DrySender, Say, rehearse_matrix, throw_away_store
from passerelle.errors import DeliveryFailure, StoreError
from passerelle.fetching import Fetching
from passerelle.flows.consent import ask_consent
from passerelle.flows.context import FlowContext
from passerelle.flows.recover import find_restored, settle_restored
from passerelle.flows.report_failures import settle_unknown
from passerelle.flows.seal_batches import seal_due_batches
from passerelle.indexing import Indexing
from passerelle.intake import Intake
from passerelle.mail.imap import ImapMailbox
from passerelle.mail.lmtp import LmtpServer
from passerelle.mail.smtp import SmtpSender
from passerelle.matrix.bot import MatrixBot
from passerelle.peers import Peers
from passerelle.schedule import Duty, Schedule
from passerelle.store.batches import next_batch_due_at
from passerelle.store.cursors import StaleCursor, find_cursor
from passerelle.store.engine import Store
from passerelle.store.lanes import release_lanes_of
from passerelle.store.links import find_link_state, set_room
from passerelle.store.outbox_watch import next_interrupted_at, next_unknown_at
from passerelle.store.rooms import find_room
from passerelle.web.server import ArchiveServer
from passerelle.wiring import build_context, resolve_known_rooms

log = logging.getLogger(__name__)

_JOIN_AGAIN_SECONDS = 30.0
_READ_ON_SECONDS = 2.0
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
        self, ctx: FlowContext, matrix: Matrix, senders: dict[str, EmailSender], connections: Connections
    ) -> None:
        self._ctx = ctx
        self._connections = connections
        self._matrix = matrix
        # Unique, also where containers give every process the same name and number.
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._owner = owner
        self._peers = Peers(ctx.store, owner=owner)
        self._intake = Intake(ctx)
        self._dispatch = Dispatch(ctx, owner=owner)
        self._delivery = Delivery(ctx, owner=owner, matrix=matrix, senders=senders)
        self._fetching = Fetching(ctx, matrix)
        self._indexing = Indexing(ctx)
        self._schedule = Schedule(self._duties(), now=ctx.now)
        ctx.store.on_commit(self._dispatch.worker.wake, queue="inbox")
        ctx.store.on_commit(self._delivery.worker.wake, queue="outbox")
        ctx.store.on_commit(self._fetching.wake, queue="attachment")
        ctx.store.on_commit(self._indexing.wake, queue="words")
        ctx.store.on_commit(self._schedule.changed)

    @classmethod
    async def build(cls, settings: Settings, store: Store, *, dry_run: Say | None = None) -> "Daemon":
        """Build everything of a checked configuration; with `dry_run`, what sends only says so. Raises ConfigError."""
        limit = {"bytes": _UPLOAD_LIMIT_BYTES}
        restored = await find_restored(store)
        ctx = build_context(settings, store, upload_limit_bytes=lambda: limit["bytes"], restored=restored)
        connections = Connections()
        matrix = await build_matrix(settings, store, connections) if dry_run is None else rehearse_matrix(ctx, dry_run)
        if isinstance(matrix, MatrixBot):
            ctx = replace(ctx, decrypt=matrix.decrypt)
        limit["bytes"] = await find_upload_limit(matrix, limit["bytes"])
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
        await self._delivery.emails.settle_interrupted()
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
            await self._give_lanes_back()
        for task in done - {stopping}:
            task.result()
        log.info("Passerelle stops")

    async def _give_lanes_back(self) -> None:
        """Let another daemon go on at once; after a crash it has to wait for the leases to end."""
        try:
            async with self._ctx.store.write(durable=False) as conn:
                await release_lanes_of(conn, self._owner)
        except StoreError as error:
            log.warning("The lanes could not be given back: %s", error)

    def _parts(self) -> list[tuple[str, Coroutine[Any, Any, Any]]]:
        parts: list[tuple[str, Coroutine[Any, Any, Any]]] = [
            ("dispatch", self._dispatch.worker.run()),
            ("delivery", self._delivery.worker.run()),
            ("fetching", self._fetching.run()),
            ("indexing", self._indexing.run()),
            ("schedule", self._schedule.run()),
            ("peers", self._peers.run()),
            ("matrix", self._follow_matrix()),
        ]
        if self._ctx.settings.web is not None and not isinstance(self._matrix, DryMatrix):
            parts.append(("archive", ArchiveServer(self._ctx, self._ctx.settings.web).run()))
        for box in self._ctx.settings.mailboxes:
            if box.imap is None and isinstance(self._matrix, DryMatrix):
                continue  # what the mail server hands over, it hands over once
            source = f"imap:{box.name}"
            alone = self._peers.alone(source, partial(self._follow_imap, box)) if box.imap else None
            parts.append((f"mailbox {box.name}", alone or self._serve_lmtp(box)))
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
            if self._ctx.settings.matrix.appservice is not None:
                # Any daemon takes any transaction.
                await self._read_on(source)
            else:
                await self._peers.alone(source, partial(self._read_on, source))

    async def _read_on(self, source: str) -> None:
        """Follow the homeserver from where the store's cursor stands."""
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
                next_at=asked(ctx, next_batch_due_at),
            ),
            Duty(
                name="settle",
                run=lambda: settle_unknown(ctx, heard=self._intake.hears),
                next_at=asked(ctx, next_unknown_at),
            ),
            Duty(
                name="settle_interrupted",
                run=self._delivery.emails.settle_interrupted,
                next_at=asked(ctx, next_interrupted_at),
            ),
            Duty(name="ask_consent", run=self._ask_consents, next_at=self._consent_due_at),
            *keeping_duties(ctx),
            *secretary_duties(ctx),
            *digest_duties(ctx),
        ]

    def _live_at(self) -> datetime | None:
        """When the homeserver last held nothing back; after a restore only once the mailboxes told what left."""
        boxes = {box.name for box in self._ctx.settings.mailboxes if box.imap is not None}
        if self._ctx.restored is not None and not boxes <= self._intake.caught_up:
            return None
        return self._intake.live_at


def _without_tag(address: str) -> str:
    local, _, domain = address.lower().rpartition("@")
    return f"{local.split('+', 1)[0]}@{domain}"
