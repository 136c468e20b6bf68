"""Delivery by SMTP: one connection for a batch, the fate of each mail stored at every step."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from passerelle.core.backoff import Backoff
from passerelle.core.ids import MailAddress, OutboxId
from passerelle.core.model import OutboxRow
from passerelle.core.ports import EmailSender, EmailSession, Envelope
from passerelle.errors import PermanentFailure, StoreError, TemporaryFailure, UnknownFate
from passerelle.flows.context import FlowContext
from passerelle.flows.report_failures import MOST_SENDINGS
from passerelle.lanes import retry_at
from passerelle.leases import LEASE
from passerelle.steps import reached
from passerelle.store.blobs import get_blob
from passerelle.store.lanes import renew_lane
from passerelle.store.links import find_link_state
from passerelle.store.outbox import get_outbox, mark_failed, mark_sending, mark_sent, mark_unknown, mark_waiting
from passerelle.store.outbox_watch import find_interrupted

log = logging.getLogger(__name__)

_RETRY = Backoff(first_seconds=15, longest_seconds=3600)
#: A mail to a single person has no echo: it is tried once more, and that rare double is accepted.
_MOST_SENDINGS_TO_ONE = 2


class _NotOurs(Exception):
    """Another daemon has taken the lane or the email while this one was slow, or the email was cancelled."""


class EmailDelivery:
    """Sends the emails of one lane in order, over one connection."""

    def __init__(self, ctx: FlowContext, senders: Mapping[str, EmailSender], *, owner: str) -> None:
        self._ctx, self._senders, self._owner = ctx, senders, owner
        #: Emails that are on their way at this moment.
        self._under_way: set[OutboxId] = set()
        #: Emails that a server has taken, and the store refused to note it: a 250 is final, so it is not forgotten.
        self._accepted: dict[OutboxId, datetime] = {}
        #: When the next email of a lane may leave: `mails_per_minute`.
        self._next_at: dict[str, datetime] = {}

    async def deliver(self, rows: Sequence[OutboxRow]) -> int:
        """Send until one must wait: what comes after it in the lane waits with it. How many were tried."""
        sender = self._senders.get(rows[0].mailbox)
        if sender is None:
            await self._postpone(rows[0], TemporaryFailure(f"mailbox '{rows[0].mailbox}' is not configured any more"))
            return 1
        if not await self._paced(rows[0]):
            return 0
        tried = 0
        try:
            async with sender.session() as session:
                for row in rows:
                    if not await self._paced(row):
                        break
                    tried += 1
                    if not await self._one(session, row):
                        break
        except TemporaryFailure as failure:
            await self._postpone(rows[0], failure)
        except PermanentFailure as failure:
            # The server refuses the connection or the login: nothing is wrong with the mail, an administrator mends it.
            await self._postpone(rows[0], TemporaryFailure(str(failure)))
        return max(1, tried)

    async def _one(self, session: EmailSession, row: OutboxRow) -> bool:
        """Send one email; False where the lane must wait."""
        reached("mail_claimed")
        if row.raw_hash is None:
            await self._fail(row, PermanentFailure("the email's bytes are gone"))
            return True
        async with self._ctx.store.read() as conn:
            if (await get_outbox(conn, row.id)).state != "waiting":
                return True  # its words were taken back since it was claimed
            raw = await get_blob(conn, row.raw_hash)
        self._under_way.add(row.id)
        try:
            return await self._send(session, row, raw)
        finally:
            self._under_way.discard(row.id)

    async def _send(self, session: EmailSession, row: OutboxRow, raw: bytes) -> bool:
        envelope = Envelope(sender=self._bridge_of(row), recipients=(MailAddress(str(row.recipient)),))

        async def fate_unknown_from_now_on() -> None:
            # Durable: after a power cut, too, nobody may believe that the server has certainly not got it.
            async with self._ctx.store.write() as conn:
                if not await mark_sending(conn, row.id, owner=self._owner):
                    raise _NotOurs
            reached("mail_begun")

        try:
            await session.send(envelope, raw, before_data=fate_unknown_from_now_on)
        except _NotOurs:
            log.warning("The email is not ours to send any more", extra={"outbox_id": row.id, "link": row.link})
            return False
        except TemporaryFailure as failure:
            return await self._postpone(row, failure)
        except PermanentFailure as failure:
            await self._fail(row, failure)
            return True
        except UnknownFate as failure:
            await self.note_unknown(row, str(failure))
            return False
        reached("mail_given")
        self._pace(row)
        now = self._ctx.now()
        try:
            await self._store_sent(row.id, now)
        except StoreError as error:
            log.error("The store refuses what came of an email: %s", error, extra={"outbox_id": row.id})
            self._accepted[row.id] = now
            return False
        reached("mail_sent")
        log.info("Email sent", extra={"outbox_id": row.id, "link": row.link})
        return True

    async def store_accepted(self) -> None:
        """Note as sent what servers have taken. Raises StoreError; nothing is forgotten then: to be called again."""
        for id, at in list(self._accepted.items()):
            await self._store_sent(id, at)
            self._accepted.pop(id, None)

    async def _store_sent(self, id: OutboxId, at: datetime) -> None:
        async with self._ctx.store.write() as conn:
            await mark_sent(conn, id, at)

    async def settle_interrupted(self) -> int:
        """Emails whose sending was begun and never ended: of a daemon that died, or whose store refused the outcome.

        Nobody knows whether they arrived; how many there were. Emails that a living daemon is sending are not among
        them: it renews its lease. Raises StoreError.
        """
        await self.store_accepted()
        async with self._ctx.store.read() as conn:
            rows = await find_interrupted(conn, self._ctx.now(), self._owner)
        left = [row for row in rows if row.id not in self._under_way and row.kind == "email"]
        for row in left:
            await self.note_unknown(row, "its sending broke off: it may have arrived")
        return len(left)

    def _bridge_of(self, row: OutboxRow) -> MailAddress:
        box = next(m for m in self._ctx.settings.mailboxes if m.name == row.mailbox)
        return MailAddress(box.address)

    async def _fail(self, row: OutboxRow, failure: PermanentFailure) -> None:
        log.warning("Email refused", extra={"outbox_id": row.id, "link": row.link, "error": str(failure)})
        async with self._ctx.store.write() as conn:
            await mark_failed(conn, row.id, self._ctx.now(), str(failure))

    async def _postpone(self, row: OutboxRow, failure: TemporaryFailure) -> bool:
        """Try the lane again later; give the row up, and let the lane go on, after the link's `give_up_hours`."""
        now = self._ctx.now()
        due = retry_at(row.attempts, now, _RETRY)
        async with self._ctx.store.write() as conn:
            if not await renew_lane(conn, row.lane, self._owner, now + LEASE):
                return False  # what becomes of it is another daemon's to say
            # Counted from the first try: what waited while we were down was never tried.
            untried = (row.first_tried_at or now) - row.created_at
            if due >= row.give_up_at + untried:
                await mark_failed(conn, row.id, now, str(failure))
                return True
            await mark_waiting(conn, row.id, due, str(failure))
        log.info("Email waits", extra={"outbox_id": row.id, "link": row.link, "error": str(failure)})
        return False

    async def note_unknown(self, row: OutboxRow, why: str) -> None:
        """The server may have taken it (DESIGN §2): wait for the list's echo, or try a single person once more."""
        now = self._ctx.now()
        link = self._ctx.links.find(f"{row.association}/{row.link}")
        async with self._ctx.store.write() as conn:
            sendings = (await get_outbox(conn, row.id)).sendings
            if link is not None and row.lane == link.list_lane:
                state = await find_link_state(conn, link.association_name, link.name)
                wait = timedelta(minutes=link.settings.echo_wait_minutes)
                settle_at = now + wait if state.echoes and sendings < MOST_SENDINGS else None
                await mark_unknown(conn, row.id, now, why, due_at=settle_at)
            elif sendings < _MOST_SENDINGS_TO_ONE:
                await mark_waiting(conn, row.id, now + timedelta(minutes=10), why)
            else:
                await mark_unknown(conn, row.id, now, why, due_at=None)
        log.warning("Email of unknown fate", extra={"outbox_id": row.id, "link": row.link, "error": why})

    async def _paced(self, row: OutboxRow) -> bool:
        """Whether the link's rate lets this email leave now; otherwise the row waits, without an error."""
        now, next_at = self._ctx.now(), self._next_at.get(row.lane)
        if next_at is None or now >= next_at:
            return True
        async with self._ctx.store.write(durable=False) as conn:
            if await renew_lane(conn, row.lane, self._owner, now + LEASE):
                await mark_waiting(conn, row.id, next_at, "")
        return False

    def _pace(self, row: OutboxRow) -> None:
        link = self._ctx.links.find(f"{row.association}/{row.link}")
        if link is not None and row.lane == link.list_lane:
            self._next_at[row.lane] = self._ctx.now() + timedelta(minutes=1 / link.settings.mails_per_minute)
