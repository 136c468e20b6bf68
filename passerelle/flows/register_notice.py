"""What has a deadline or names somebody leaves for both sides: grouped, at most one such mail a day (PEOPLE 14).

A decision's delay begins when its notice has left for both sides, whatever keeps it waiting.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import MOST_IDS, About, about_key
from passerelle.core.batching import after_quiet_hours
from passerelle.core.ids import EntryId, MailAddress
from passerelle.core.links import Link
from passerelle.core.register_model import Entry
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.entries_shown import shown_entries
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice
from passerelle.store.links import find_link_state, lock_link
from passerelle.store.outbox import find_outbox_by_unique_key
from passerelle.store.outbox_forgetting import cancel_unbegun, forget_sent, forget_unique
from passerelle.store.register_history import list_entry_changes
from passerelle.store.register_notices import (
    begin_telling,
    last_notice_at,
    links_with_notices,
    list_telling,
    list_wanted,
    note_told,
    oldest_wanted_at,
    tell_again,
    want_telling,
)

log = logging.getLogger(__name__)

_SIDES = ("room", "list")
_TAKEN_BACK = "words in it were taken back"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Notice:
    """A notice that was made: the entries that stand in it, and when it was made."""

    entries: tuple[Entry, ...]
    made_at: datetime

    @property
    def ids(self) -> tuple[EntryId, ...]:
        return tuple(entry.id for entry in self.entries)


async def tell_entries(ctx: FlowContext) -> int:
    """Make the notices that are due, and note those that have left; how many links something was done about."""
    done = 0
    async with ctx.store.read() as conn:
        links = await _links_to_look_at(ctx, conn)
    for link in links:
        async with ctx.store.write() as conn:
            await lock_link(conn, link.association_name, link.name)
            settled = await _settle(ctx, conn, link)
            due_at = await _due_at(ctx, conn, link)
            if due_at is not None and due_at <= ctx.now():
                await _tell(ctx, conn, link)
                settled = True
        done += settled
    return done


async def next_telling_at(ctx: FlowContext) -> datetime | None:
    """When a notice is due next, or now where one has left whose entries do not know it yet; None for neither."""
    times = []
    async with ctx.store.read() as conn:
        for link in await _links_to_look_at(ctx, conn):
            if [one for one in await _on_their_way(conn, link) if await _fate(conn, link, one) != "waits"]:
                return ctx.now()
            due_at = await _due_at(ctx, conn, link)
            times += [due_at] if due_at is not None else []
    return min(times, default=None)


async def _links_to_look_at(ctx: FlowContext, conn: AsyncConnection) -> list[Link]:
    found = [ctx.links.find(f"{association}/{link}") for association, link in await links_with_notices(conn)]
    return [link for link in found if link is not None]


async def _due_at(ctx: FlowContext, conn: AsyncConnection, link: Link) -> datetime | None:
    """When what waits is told: some time after the first of it, a day after the last notice, outside quiet hours."""
    oldest = await oldest_wanted_at(conn, link.association_name, link.name)
    if oldest is None or ctx.links.room_of(link) is None:
        return None
    state = await find_link_state(conn, link.association_name, link.name)
    if state.confirmed_at is None or state.stopped_at is not None:
        return None
    settings = link.association.entry_register
    at = oldest + timedelta(minutes=settings.announce_wait_minutes)
    last = await last_notice_at(conn, link.association_name, link.name)
    if last is not None:
        at = max(at, last + timedelta(hours=settings.announce_every_hours))
    return after_quiet_hours(max(at, ctx.now()) if at < ctx.now() else at, link.settings, link.zone)


async def _tell(ctx: FlowContext, conn: AsyncConnection, link: Link) -> None:
    now = ctx.now()
    entries = await list_wanted(conn, link.association_name, link.name, limit=MOST_IDS)
    await begin_telling(conn, [entry.id for entry in entries], now)
    about = About(kind="entries", ids=tuple(sorted(entry.id for entry in entries)), step="notice")
    variables = {
        "entries": await shown_entries(ctx, conn, link, entries),
        "objections_until": now + timedelta(days=link.association.entry_register.objection_days),
        "bridge_address": link.mailbox.address,
        "url": _page(ctx, link),
    }
    to_room, to_list = (_key(link, about, now, side) for side in _SIDES)
    await insert_room_notice(ctx, conn, link, template="entries_notice", unique_key=to_room, variables=variables)
    # What is answered is for the bridge: the list need not read it (PEOPLE 12).
    extras = NoticeExtras(reply_to=MailAddress(link.mailbox.address))
    await insert_list_notice(
        ctx, conn, link, template="entries_notice", unique_key=to_list, variables=variables, extras=extras
    )
    log.info("Both sides are told of entries", extra={"link": link.path, "entries": len(entries)})


def _page(ctx: FlowContext, link: Link) -> str:
    web = ctx.settings.web
    return f"{web.url.rstrip('/')}/{link.association_name}/register" if web is not None else ""


def _key(link: Link, about: About, made_at: datetime, side: str) -> str:
    return about_key(about, link.path, made_at.isoformat(), side)


async def _on_their_way(conn: AsyncConnection, link: Link) -> list[_Notice]:
    telling = await list_telling(conn, link.association_name, link.name)
    return [
        _Notice(entries=tuple(entries), made_at=made_at)
        for made_at, entries in groupby(telling, key=lambda entry: entry.told_at)
        if made_at is not None
    ]


async def _fate(conn: AsyncConnection, link: Link, notice: _Notice) -> datetime | str:
    """When a notice had left for both sides; `waits`; `lost` where it will never leave as it is."""
    about = About(kind="entries", ids=tuple(sorted(notice.ids)), step="notice")
    latest = notice.made_at
    for side in _SIDES:
        row = await find_outbox_by_unique_key(conn, _key(link, about, notice.made_at, side))
        if row is None or row.state == "cancelled":
            return "lost"
        if row.state != "sent" or row.sent_at is None:
            return "waits"
        latest = max(latest, row.sent_at)
    return latest


async def _settle(ctx: FlowContext, conn: AsyncConnection, link: Link) -> bool:
    """What has left begins its delay; what will never leave is told anew."""
    settled = False
    for notice in await _on_their_way(conn, link):
        fate = await _fate(conn, link, notice)
        if fate == "lost":
            await tell_again(conn, notice.ids)
        elif isinstance(fate, datetime):
            await _note_left(conn, link, notice, fate, ctx.now())
        settled = settled or fate != "waits"
    return settled


async def _note_left(conn: AsyncConnection, link: Link, notice: _Notice, left_at: datetime, now: datetime) -> None:
    delay = timedelta(days=link.association.entry_register.objection_days)
    for entry in notice.entries:
        # A delay that has begun is neither shortened nor begun again by what became of the decision meanwhile.
        fresh = entry.kind == "decision" and entry.state in ("proposed", "objected") and entry.open_until is None
        # What left is not what it says now: nobody has read that yet.
        fresh = fresh and not await _reads_otherwise(conn, entry, notice.made_at)
        await note_told(conn, entry.id, left_at=left_at, open_until=left_at + delay if fresh else entry.open_until)
        if entry.changed_at > notice.made_at:
            await want_telling(conn, entry.id, now)


async def _reads_otherwise(conn: AsyncConnection, entry: Entry, made_at: datetime) -> bool:
    if entry.changed_at <= made_at:
        return False
    return any(one.move == "edited" and one.at > made_at for one in await list_entry_changes(conn, entry.id))


# ------------------------------------------------------------ words that were taken back


async def withdraw_notices(ctx: FlowContext, conn: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Words that these entries hold were taken back: a notice of them that has not left stays here, and nothing is kept
    of what it says (PEOPLE 7). What else stands in it is told by another one."""
    ids = {entry.id for entry in entries if entry.announce_state == "telling"}
    paths = {f"{entry.association}/{entry.link}" for entry in entries if entry.id in ids}
    for link in [link for link in map(ctx.links.find, sorted(paths)) if link is not None]:
        for notice in await _on_their_way(conn, link):
            if ids.isdisjoint(notice.ids):
                continue
            about = About(kind="entries", ids=tuple(sorted(notice.ids)), step="notice")
            to_room, to_list = (_key(link, about, notice.made_at, side) for side in _SIDES)
            await forget_unique(conn, to_room, _TAKEN_BACK)
            row = await find_outbox_by_unique_key(conn, to_list)
            if row is not None and not await cancel_unbegun(conn, row.id, _TAKEN_BACK):
                await forget_sent(conn, row.id)
