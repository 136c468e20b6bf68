"""What arrives is stored here, raw, in one transaction with the cursor that says so. Nothing is parsed but headers."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, RoomId
from passerelle.core.links import BRIDGE_LANE, Link
from passerelle.core.model import NewInboxRow
from passerelle.core.ports import ConnectionState, EmailArrivals, RawEmail, RoomUpdate, SyncArrivals
from passerelle.core.routing import Route, route
from passerelle.core.settings import MailboxSettings
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.own_events import is_ours, note_own_events
from passerelle.flows.watch_room import note_lost_past, take_state
from passerelle.mail.parse import parse_headers
from passerelle.shared_marks import note_marks
from passerelle.steps import reached
from passerelle.store.cursors import move_cursor
from passerelle.store.inbox import insert_inbox

log = logging.getLogger(__name__)

#: Event types that people cause and the list may read of; all else in a timeline is state or noise.
_SPOKEN = frozenset(
    {
        "m.room.message",
        "m.room.encrypted",
        "m.room.redaction",
        "m.reaction",
        "m.sticker",
        "m.poll.start",
        "m.poll.end",
        "org.matrix.msc3381.poll.start",
        "org.matrix.msc3381.poll.end",
    }
)
#: The bridge's own email: a private answer, a bounce, a question.
_OWN = Route(link=None)
#: What no header may take longer to be read: everything else waits meanwhile.
_HEADER_SECONDS = 2


class Intake:
    """Stores arrivals. The adapters call it; it returns when what they brought is durable."""

    def __init__(self, ctx: FlowContext) -> None:
        self._ctx = ctx
        #: When the homeserver last said that nothing newer waits; None until it has.
        self.live_at: datetime | None = None
        #: Mailboxes that were read to their end since the start.
        self.caught_up: set[str] = set()
        #: Those that were read to their end on the connection that stands.
        self._hearing: set[str] = set()
        self._began_at = ctx.now()

    def hears(self, link: Link) -> bool:
        """Whether what the link's list sent out some time ago is in the inbox.

        Over IMAP: the mailbox was read to its end, and its connection stands. By LMTP the mail server hands over what
        it kept while we were away, sooner or later: it is given as long as an echo is.
        """
        if link.mailbox.imap is not None:
            return link.mailbox.name in self._hearing
        return self._ctx.now() >= self._began_at + timedelta(minutes=link.settings.echo_wait_minutes)

    def note_connection(self, mailbox: MailboxSettings, state: ConnectionState) -> None:
        """While a mailbox cannot be read, mails may wait there of which nobody here knows."""
        if not state.up:
            self._hearing.discard(mailbox.name)

    def wanted(self, mailbox: MailboxSettings, header: bytes) -> bool:
        """Whether an email in this mailbox is a link's or the bridge's own; all else stays there, untouched."""
        return self._route(mailbox, header, None) is not None

    async def take_emails(self, mailbox: MailboxSettings, arrivals: EmailArrivals) -> None:
        """Store what one look at a mailbox brought, and where reading stands. Raises StoreError, StaleCursor."""
        rows = [row for email in arrivals.emails if (row := self._email_row(mailbox, arrivals.source, email))]
        now = self._ctx.now()
        if rows or arrivals.before != arrivals.after:
            await self._store_emails(mailbox, arrivals, rows, now)
        if arrivals.caught_up:
            self.caught_up.add(mailbox.name)
            self._hearing.add(mailbox.name)

    async def _store_emails(
        self, mailbox: MailboxSettings, arrivals: EmailArrivals, rows: Sequence[NewInboxRow], now: datetime
    ) -> None:
        if rows:
            reached("email_fetched")
        async with self._ctx.store.write() as conn:
            await insert_inbox(conn, rows, now)
            before = str(arrivals.before) if arrivals.before else None
            await move_cursor(conn, arrivals.source, before=before, after=str(arrivals.after), now=now)
        if rows:
            reached("email_stored")
        if rows or arrivals.foreign:
            log.info(
                "Mailbox read",
                extra={"mailbox": mailbox.name, "taken": len(rows), "left_untouched": arrivals.foreign},
            )

    async def take_lmtp(self, mailbox: MailboxSettings, emails: Sequence[RawEmail]) -> None:
        """Store what the mail server hands over, one row for each recipient. Raises StoreError.

        It has no mailbox where a stranger's email could stay: what belongs to no link is the bridge's own.
        """
        reached("email_fetched")
        source = f"lmtp:{mailbox.name}"
        delivered = [_with_return_path(email) for email in emails]
        rows = [self._row(mailbox, source, e, self._route(mailbox, e.raw, e.recipient) or _OWN) for e in delivered]
        async with self._ctx.store.write() as conn:
            await insert_inbox(conn, rows, self._ctx.now())
        reached("email_stored")

    async def take_sync(self, arrivals: SyncArrivals) -> None:
        """Store one answer of `/sync`, or one application-service transaction. Raises StoreError, StaleCursor."""
        now = self._ctx.now()
        moves = arrivals.after is not None and arrivals.before != arrivals.after
        if moves or arrivals.marks or any(r.timeline or r.state or r.lost_past for r in arrivals.rooms):
            spoken = any(self._spoken(update) for update in arrivals.rooms)
            if spoken:
                reached("line_fetched")
            async with self._ctx.store.write() as conn:
                for update in arrivals.rooms:
                    await self._take_room(conn, arrivals.source, update, now)
                await note_marks(conn, arrivals.marks)
                if moves and arrivals.after is not None:
                    await move_cursor(conn, arrivals.source, before=arrivals.before, after=arrivals.after, now=now)
            if spoken:
                reached("line_stored")
        if arrivals.live:
            self.live_at = now

    def _spoken(self, update: RoomUpdate) -> list[Mapping[str, Any]]:
        """What people said in a room, our own events left out."""
        matrix = self._ctx.settings.matrix
        spoken = [e for e in update.timeline if e.get("type") in _SPOKEN and "state_key" not in e]
        return [e for e in spoken if not is_ours(matrix, str(e.get("sender", "")))]

    async def _take_room(self, conn: AsyncConnection, source: str, update: RoomUpdate, now: datetime) -> None:
        link = self._ctx.links.find_by_room(update.room_id)
        if link is None:
            if self._ctx.links.direct_user(update.room_id) is not None:
                await self._take_direct(conn, source, update, now)
            return
        changes = [event for event in update.timeline if "state_key" in event]
        await take_state(self._ctx, conn, link, update.room_id, state=update.state, changes=changes)
        if update.lost_past:
            await note_lost_past(self._ctx, conn, link)
        ours = [e for e in update.timeline if is_ours(self._ctx.settings.matrix, str(e.get("sender", "")))]
        await note_own_events(self._ctx, conn, update.room_id, ours)
        rows = [_event_row(source, link.inbox_lane, update.room_id, e, now) for e in self._spoken(update)]
        await insert_inbox(conn, [row for row in rows if row is not None], now)

    async def _take_direct(self, conn: AsyncConnection, source: str, update: RoomUpdate, now: datetime) -> None:
        """What a person says to the bridge alone; our own events there prove their delivery."""
        ours = [e for e in update.timeline if is_ours(self._ctx.settings.matrix, str(e.get("sender", "")))]
        await note_own_events(self._ctx, conn, update.room_id, ours)
        rows = [_event_row(source, BRIDGE_LANE, update.room_id, e, now) for e in self._spoken(update)]
        await insert_inbox(conn, [row for row in rows if row is not None], now)

    def _email_row(self, mailbox: MailboxSettings, source: str, email: RawEmail) -> NewInboxRow | None:
        taken = self._route(mailbox, email.raw, email.recipient)
        return None if taken is None else self._row(mailbox, source, email, taken)

    def _row(self, mailbox: MailboxSettings, source: str, email: RawEmail, taken: Route) -> NewInboxRow:
        return NewInboxRow(
            source=source,
            key=email.key,
            kind="email",
            lane=taken.lane,
            raw=email.raw,
            size_bytes=email.size_bytes,
            received_at=email.received_at,
            recipient=email.recipient or MailAddress(mailbox.address),
            envelope_from=email.envelope_from,
        )

    def _route(self, mailbox: MailboxSettings, raw: bytes, recipient: MailAddress | None) -> Route | None:
        links = [link for link in self._ctx.links if link.mailbox.name == mailbox.name]
        try:
            with deadline(_HEADER_SECONDS):
                header = parse_headers(raw)
                return route(header, links, bridge=MailAddress(mailbox.address), recipient=recipient)
        except (MalformedEmail, DeadlinePassed):
            # It cannot be said whose it is: the bridge takes it in, so that a human hears of it.
            return _OWN


def _with_return_path(email: RawEmail) -> RawEmail:
    """As whoever delivers at last has to (RFC 5321 §4.4): bounces and robots are known by a null return path."""
    if email.envelope_from is None:
        return email
    return replace(email, raw=f"Return-Path: <{email.envelope_from}>\r\n".encode("utf-8", "replace") + email.raw)


def _event_row(source: str, lane: str, room_id: RoomId, event: Mapping[str, Any], now: datetime) -> NewInboxRow | None:
    event_id = event.get("event_id")
    if not isinstance(event_id, str):
        log.warning("An event without an ID was left out", extra={"lane": lane})
        return None
    raw = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return NewInboxRow(
        source=source,
        key=event_id,
        kind="event",
        lane=lane,
        raw=raw,
        size_bytes=len(raw),
        received_at=min(_sent_at(event) or now, now),
        room_id=room_id,
    )


def _sent_at(event: Mapping[str, Any]) -> datetime | None:
    """`origin_server_ts`, where it is a sane number of milliseconds."""
    ts = event.get("origin_server_ts")
    if isinstance(ts, int) and 0 < ts < 4_102_444_800_000:
        return datetime.fromtimestamp(ts / 1000, UTC)
    return None
