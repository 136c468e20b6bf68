"""Follow one mailbox for ever: what came, in order, each email once, nothing touched.

The way of an email: EXISTS in IDLE → headers of what is above the cursor → `wanted` → the whole email, one a FETCH →
`on_emails`, which stores it together with the cursor. Only then does the cursor move here. After any trouble the
connection is dropped, and everything above the stored cursor is looked at again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from passerelle.core.backoff import RECONNECT, REFUSED
from passerelle.core.ports import ConnectionState, EmailArrivals, ImapCursor, OnEmails, OnState, RawEmail, Wanted
from passerelle.core.settings import ImapSettings
from passerelle.errors import AccessRefused, StoreError, TemporaryFailure
from passerelle.mail.imap_session import ImapSession
from passerelle.mail.imap_syntax import Fetched, Folder, format_search_date

log = logging.getLogger(__name__)

#: Emails whose headers are asked for at once. aioimaplib's FETCH takes quadratic time in the lines of one answer.
SLICE = 50
#: What one EmailArrivals holds at the most: one transaction of the store, and our memory.
CHUNK_EMAILS = 50
CHUNK_BYTES = 16_000_000
#: How much older than the newest email that we knew an email may be to be read again after UIDVALIDITY changed.
READ_AGAIN = timedelta(days=2)
#: A server without IDLE is asked this often.
POLL_SECONDS = 30.0
#: So often an email that the server announces but does not hand over is asked for before its header must do.
TRIES_PER_EMAIL = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapProbe:
    """What `check` wants to know of a mailbox."""

    idle: bool
    uidplus: bool
    #: For instance `TLSv1.3`; None in clear text.
    tls: str | None
    message_count: int


async def probe_imap(settings: ImapSettings, password: str | None) -> ImapProbe:
    """Log in, open the folder, look, leave. Raises TemporaryFailure or AccessRefused with a plain English reason."""
    session = await ImapSession.open(settings, password)
    try:
        folder = await session.select(settings.folder)
        return ImapProbe(
            idle=session.has_idle,
            uidplus=session.has_uidplus,
            tls=session.tls_version,
            message_count=folder.message_count,
        )
    finally:
        await session.close()


class ImapMailbox:
    """One folder of one account, over one connection at a time.

    `wanted` is asked with the header block (at most 256 KiB of it) and must not raise. `email_limit_bytes`: of a larger
    email only the header is taken. `now` gives an aware datetime. `on_state` hears of each change.
    """

    def __init__(
        self,
        settings: ImapSettings,
        password: str | None,
        *,
        source: str,
        wanted: Wanted,
        email_limit_bytes: int,
        now: Callable[[], datetime],
        on_state: OnState,
    ) -> None:
        self._settings = settings
        self._password = password
        self._source = source
        self._wanted = wanted
        self._email_limit_bytes = email_limit_bytes
        self._now = now
        self._on_state = on_state
        self._cursor: ImapCursor | None = None
        self._failures = 0
        self._tries: dict[str, int] = {}

    async def follow(self, cursor: ImapCursor | None, on_emails: OnEmails) -> NoReturn:
        """Read what is above `cursor`, then whatever comes, until cancelled.

        A new mailbox (None) starts at its end: the first EmailArrivals has no emails, and an `after` that says so.

        When UIDVALIDITY changed, UIDs mean nothing any more (RFC 9051 §2.3.1.1): a server was repaired, or the folder
        made anew. Then emails are offered again whose INTERNALDATE is at most two days older than the newest one that
        was known, and the flow, which keeps keyed hashes of seen Message-IDs, lets the doubles go. Reading everything
        would pour into the room the years of mail from before the bridge, of which there are no hashes; reading from
        the new end would lose what came while we were away. Two days forgive that INTERNALDATE does not rise strictly
        with arrival. Such a reading moves the cursor at its end only, so that it begins anew where it was broken off.

        An error of `on_emails` that is a StoreError is waited out as a network failure is; any other ends `follow`.
        """
        self._cursor = cursor
        while True:
            try:
                async with self._session() as session:
                    await self._follow_once(session, on_emails)
            except AccessRefused as refusal:
                self._failures += 1
                await self._pause(str(refusal), REFUSED.delay_seconds(self._failures, random.random()), refused=True)
            except (TemporaryFailure, StoreError) as failure:
                self._failures += 1
                await self._pause(str(failure), RECONNECT.delay_seconds(self._failures, random.random()), refused=False)

    # ------------------------------------------------------------ one connection

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ImapSession]:
        session = await ImapSession.open(self._settings, self._password)
        try:
            yield session
        finally:
            await session.close()

    async def _follow_once(self, session: ImapSession, on_emails: OnEmails) -> NoReturn:
        folder = await session.select(self._settings.folder)
        log.info("mailbox opened", extra={"source": self._source, "idle": session.has_idle})
        self._on_state(ConnectionState(source=self._source, up=True))
        cursor = self._cursor
        if cursor is None:
            await self._start_at_end(session, folder, on_emails)
        elif cursor.uidvalidity != folder.uidvalidity or cursor.last_uid == 0:
            await self._read_again(session, folder, cursor, on_emails)
        while True:
            await self._look(session, on_emails)
            self._failures = 0
            await self._wait(session)

    async def _wait(self, session: ImapSession) -> None:
        """Until something came, or it is time to look whatever the server says: IDLE alone is not trusted."""
        if session.has_idle:
            await session.idle(self._settings.idle_minutes * 60)
        else:
            await session.wait_without_idle(POLL_SECONDS)
        if not session.growth:
            await session.noop()

    async def _pause(self, reason: str, seconds: float, *, refused: bool) -> None:
        log.warning("mailbox not followed: %s", reason, extra={"source": self._source, "retry_in_seconds": seconds})
        self._on_state(
            ConnectionState(source=self._source, up=False, reason=reason, refused=refused, retry_in_seconds=seconds)
        )
        await asyncio.sleep(seconds)

    # ------------------------------------------------------------ where reading begins

    async def _start_at_end(self, session: ImapSession, folder: Folder, on_emails: OnEmails) -> None:
        after = ImapCursor(
            uidvalidity=folder.uidvalidity,
            last_uid=await self._last_uid(session, folder),
            newest_at=self._now().astimezone(UTC),
        )
        await on_emails(EmailArrivals(source=self._source, before=None, after=after, emails=()))
        self._cursor = after

    async def _last_uid(self, session: ImapSession, folder: Folder) -> int:
        if folder.uidnext is not None:
            return folder.uidnext - 1
        return max(await session.search("ALL"), default=0)

    async def _read_again(self, session: ImapSession, folder: Folder, cursor: ImapCursor, on_emails: OnEmails) -> None:
        if cursor.uidvalidity != folder.uidvalidity:
            log.warning("UIDVALIDITY changed: the newest emails are read again", extra={"source": self._source})
        floor = (cursor.newest_at or self._now()) - READ_AGAIN
        begin = replace(cursor, uidvalidity=folder.uidvalidity, last_uid=0)
        end = replace(begin, last_uid=await self._last_uid(session, folder))
        # SEARCH compares days, without time zones: one day earlier, and exactly below.
        since = format_search_date((floor - timedelta(days=1)).astimezone(UTC).date())
        uids = [uid for uid in await session.search("SINCE", since) if uid <= end.last_uid]
        for slice_ in _slices(uids):
            heads = await session.fetch_headers(_uid_set(slice_))
            heads = [h for h in heads if h.received_at is None or h.received_at >= floor]
            await self._offer(session, heads, on_emails, _Reading(begin=begin, moves=False, caught_up=False))
        if self._cursor != end:
            await on_emails(EmailArrivals(source=self._source, before=self._cursor, after=end, emails=()))
            self._cursor = end

    # ------------------------------------------------------------ reading on

    async def _look(self, session: ImapSession, on_emails: OnEmails) -> None:
        """Read everything above the cursor."""
        cursor = self._cursor
        assert cursor is not None
        announced = session.take_growth()
        # `n:*` always names the last email, even where it is below n (RFC 9051 §9, seq-range).
        above = f"{cursor.last_uid + 1}:*"
        reading = _Reading(begin=cursor, moves=True, caught_up=True)
        if 0 < announced <= SLICE:
            heads = [h for h in await session.fetch_headers(above) if h.uid > cursor.last_uid]
            await self._offer(session, heads, on_emails, reading)
            return
        slices = _slices([uid for uid in await session.search("UID", above) if uid > cursor.last_uid])
        if not slices:
            # Nothing came: that, too, is worth knowing to who waits until everything was read.
            await on_emails(EmailArrivals(source=self._source, before=cursor, after=cursor, emails=()))
        for number, slice_ in enumerate(slices, start=1):
            heads = [h for h in await session.fetch_headers(_uid_set(slice_)) if h.uid > cursor.last_uid]
            await self._offer(session, heads, on_emails, replace(reading, caught_up=number == len(slices)))

    async def _offer(
        self, session: ImapSession, heads: Sequence[Fetched], on_emails: OnEmails, reading: "_Reading"
    ) -> None:
        """Hand over what is wanted of `heads`, in chunks, and move the cursor after each."""
        emails: list[RawEmail] = []
        held_bytes = foreign = 0
        for position, head in enumerate(heads, start=1):
            if self._wanted(head.body or b""):
                email = await self._take(session, head, reading.begin.uidvalidity)
                emails += [email] if email else []
                held_bytes += len(email.raw) if email else 0
            else:
                foreign += 1
            last = position == len(heads)
            if last or len(emails) >= CHUNK_EMAILS or held_bytes >= CHUNK_BYTES:
                arrivals = EmailArrivals(
                    source=self._source,
                    before=self._cursor,
                    after=self._after(heads[:position], reading),
                    emails=tuple(emails),
                    foreign=foreign,
                    caught_up=last and reading.caught_up and not session.growth,
                )
                await on_emails(arrivals)
                log.info(
                    "mailbox read",
                    extra={"source": self._source, "emails": len(emails), "foreign": foreign, "uid": head.uid},
                )
                self._cursor = arrivals.after
                emails, held_bytes, foreign = [], 0, 0

    def _after(self, heads: Sequence[Fetched], reading: "_Reading") -> ImapCursor:
        if not reading.moves:
            return reading.begin
        now = self._now().astimezone(UTC)
        # A date in the future, which whoever copies an email into the folder can set, would hide what comes before it.
        dates = [min(d, now) for d in (reading.begin.newest_at, *(h.received_at for h in heads)) if d]
        return replace(reading.begin, last_uid=heads[-1].uid, newest_at=max(dates, default=None))

    async def _take(self, session: ImapSession, head: Fetched, uidvalidity: int) -> RawEmail | None:
        """The whole email, or its header where it is too large; None where it was deleted meanwhile."""
        key = f"{uidvalidity}:{head.uid}"
        size_bytes = head.size_bytes or 0
        raw: bytes | None = None
        if size_bytes <= self._email_limit_bytes:
            raw = await session.fetch_whole(head.uid, size_bytes=size_bytes)
            if raw is None and not await session.search("UID", str(head.uid)):
                return None
            if raw is None:
                self._give_up_or_raise(key)
        self._tries.pop(key, None)
        size_bytes = max(size_bytes, len(raw or b""))
        return RawEmail(
            key=key,
            raw=raw if raw is not None and size_bytes <= self._email_limit_bytes else head.body or b"",
            size_bytes=size_bytes,
            received_at=head.received_at or self._now().astimezone(UTC),
        )

    def _give_up_or_raise(self, key: str) -> None:
        """An email that is there but is not handed over must not hide all that come after it, for ever."""
        self._tries[key] = self._tries.get(key, 0) + 1
        if self._tries[key] < TRIES_PER_EMAIL:
            raise TemporaryFailure("the server does not hand over one email")
        log.error("the server does not hand over one email: only its header is taken", extra={"key": key})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """One look at the folder."""

    #: The cursor before it.
    begin: ImapCursor
    #: Whether the cursor moves with each chunk.
    moves: bool
    #: Whether nothing newer is known behind what is read.
    caught_up: bool


def _slices(uids: Sequence[int]) -> list[Sequence[int]]:
    return [uids[start : start + SLICE] for start in range(0, len(uids), SLICE)]


def _uid_set(uids: Sequence[int]) -> str:
    """`1:3,7` (RFC 9051 §9, sequence-set): some servers limit the length of a command."""
    runs: list[list[int]] = []
    for uid in uids:
        if runs and runs[-1][1] + 1 == uid:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in runs)
