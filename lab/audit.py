"""Looking at both sides of a link with the members' eyes, and waiting until nothing more can come."""

from __future__ import annotations

import asyncio
import imaplib
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lab.association import Association
from lab.imap import Mailbox
from lab.ledger import Findings, Ledger, nothing
from lab.process import NotReadyError

_PAUSE_SECONDS = 0.3

#: What a store that has nothing left to do has none of.
_UNDONE = {
    "inbox": "SELECT count(*) FROM inbox WHERE state = 'waiting'",
    "outbox": "SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sending')",
    "unknown": "SELECT count(*) FROM outbox WHERE state = 'unknown' AND failure_told_at IS NULL",
    "batches": "SELECT count(*) FROM batch WHERE state = 'open'",
    "files": "SELECT count(*) FROM attachment WHERE state = 'wanted'",
}
_GIVEN_UP = (
    "SELECT 'inbox ' || id || ' set aside: ' || reason FROM inbox WHERE state = 'set_aside' UNION ALL "
    "SELECT 'outbox ' || id || ' ' || kind || ' ' || state || ': ' || last_error FROM outbox "
    "WHERE state IN ('failed', 'unknown') AND failure_told_at IS NOT NULL"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Witnessed:
    """One link and what was said on it."""

    association: Association
    ledger: Ledger


async def look(witnessed: Witnessed) -> Findings:
    """Read the whole room and every member's whole mailbox, and compare them with what was said."""
    association, ledger = witnessed.association, witnessed.ledger
    from_list = await asyncio.to_thread(association.bridge_mailbox.fetch)
    async with association.coordinator() as person:
        timeline = await person.timeline(association.room_id)
    findings = ledger.audit_room(timeline, association.bot.user_id, from_list)
    for member in association.mail_members.values():
        mails = await asyncio.to_thread(member.mailbox.fetch)
        findings += ledger.audit_mailbox(member.name, mails, timeline)
    return findings


async def settle(links: Sequence[Witnessed], store: Path, *, deadline_seconds: float) -> Findings:
    """Wait until everything has arrived and nothing more is under way anywhere, and look; or until the deadline.

    A second copy needs a while longer than the first: so nothing may be under way twice in a row, at the list server,
    in the bridge's mailbox and in the daemon's store.
    """
    deadline = time.monotonic() + deadline_seconds
    before: object = None
    while True:
        now = await asyncio.to_thread(_traces, links[0].association, store)
        quiet = now is not None and now == before
        before = now
        if quiet or time.monotonic() > deadline:
            findings = await look_at_all(links)
            if not findings.lost or time.monotonic() > deadline:
                return findings + await asyncio.to_thread(_left_over, store, quiet=quiet)
        await asyncio.sleep(_PAUSE_SECONDS)


async def look_at_all(links: Sequence[Witnessed]) -> Findings:
    """What is wrong on any of several links."""
    findings = nothing()
    for link in links:
        findings += await look(link)
    return findings


def undone(store: Path) -> dict[str, int]:
    """How much of each kind waits in a store; only what waits."""
    with closing(_open(store)) as database:
        counts = {what: int(database.execute(query).fetchone()[0]) for what, query in _UNDONE.items()}
    return {what: count for what, count in counts.items() if count}


def given_up(store: Path) -> list[str]:
    """What a human was told of, because the daemon could not bring it to its end."""
    with closing(_open(store)) as database:
        return [str(row[0]) for row in database.execute(_GIVEN_UP)]


def _traces(association: Association, store: Path) -> object:
    """What would be another if anything moved; None while something is certainly under way."""
    try:
        association.town.mailman.wait_idle(deadline_seconds=0)
    except NotReadyError:
        return None
    last_uid = _last_uid(association.bridge_mailbox)
    with closing(_open(store)) as database:
        cursor = str(database.execute("SELECT value FROM cursor WHERE source LIKE 'imap:%'").fetchone()[0])
        newest = database.execute("SELECT (SELECT max(id) FROM inbox), (SELECT max(id) FROM outbox)").fetchone()
    if undone(store) or cursor.split(":")[1] != str(last_uid):
        return None
    return last_uid, newest


def _last_uid(mailbox: Mailbox) -> int:
    with imaplib.IMAP4(mailbox.host, mailbox.port, timeout=60) as imap:
        imap.login(mailbox.user, mailbox.password)
        _, (answer, *_) = imap.status("INBOX", "(UIDNEXT)")
    return int(bytes(answer).rpartition(b"UIDNEXT ")[2].rstrip(b")")) - 1


def _left_over(store: Path, *, quiet: bool) -> Findings:
    left = [] if quiet else [f"not quiet at the deadline: {undone(store) or 'something still moves'}"]
    return Findings(lost=tuple([*left, *given_up(store)]))


def _open(store: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=10)
