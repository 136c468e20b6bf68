"""A line that the secretary obeyed is no post; when it is taken back, what it made goes all the same (PEOPLE 7)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.digest_forgetting import Gone
from passerelle.core.ids import EventId, UserId
from passerelle.core.links import Link
from passerelle.core.register_model import Entry, NewEntryChange, Objection
from passerelle.core.register_moves import find_move, is_untouched
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_forgetting import forget_in_digests
from passerelle.flows.offers import take_offers_back
from passerelle.flows.register_forgetting import drop_untouched
from passerelle.flows.register_notice import withdraw_notices
from passerelle.flows.said import key_hash_of
from passerelle.store.outbox_forgetting import forget_unique
from passerelle.store.readers import find_person_of
from passerelle.store.register import get_entry, move_entry
from passerelle.store.register_history import count_standing_objections, insert_entry_change
from passerelle.store.register_notices import want_telling
from passerelle.store.register_said import (
    close_asks_of,
    empty_entry,
    empty_objection,
    empty_reminder,
    find_entries_said,
    find_objections_said,
    find_reminders_said,
    withdraw_objection,
)
from passerelle.store.reminders import end_reminder

_WHY = "the words that asked for it were taken back"


async def take_said_back(ctx: FlowContext, conn: AsyncConnection, link: Link, event_id: EventId, by: UserId) -> bool:
    """Whether a line of the link's room that was taken back had made something: then it goes, as far as it can.

    An entry that somebody has acted on stays. An objection that may have been told stays without its reason; so does
    one that another than who objects took out of the room: nobody else withdraws it (PEOPLE 15).

    Args:
        by: who took the line back.
    """
    said_key_hash = key_hash_of(ctx, link, event_id)
    entries = await find_entries_said(conn, said_key_hash)
    objections = await find_objections_said(conn, said_key_hash)
    reminders = await find_reminders_said(conn, said_key_hash)
    person_id = await find_person_of(conn, link.association_name, by)
    await _drop(ctx, conn, link, entries)
    for objection in objections:
        # Of what was passed on for somebody, only the name of who did so is known.
        is_own = bool(objection.passed_on_by) or objection.person_id == person_id
        await _forget_objection(ctx, conn, objection, is_own=is_own)
    for reminder in reminders:
        await end_reminder(conn, reminder.id, ctx.now())
        await empty_reminder(conn, reminder.id)
    offered = await take_offers_back(ctx, conn, link, event_id)
    return bool(entries or objections or reminders or offered)


async def _drop(ctx: FlowContext, conn: AsyncConnection, link: Link, entries: Sequence[Entry]) -> None:
    """Entries that nobody acted on are none any more, and nothing is kept of their words."""
    now, going = ctx.now(), [entry for entry in entries if is_untouched(entry)]
    ids = frozenset(entry.id for entry in going)
    await drop_untouched(ctx, conn, going)
    await forget_in_digests(conn, link.association_name, Gone(entries=ids), now=now)
    for asked in await close_asks_of(conn, link.association_name, ids, now):
        await forget_unique(conn, about_key(About(kind="ask", ids=(asked.id,)), "asked"), _WHY)
    for entry in going:
        await empty_entry(conn, entry.id, now)


async def _forget_objection(ctx: FlowContext, conn: AsyncConnection, objection: Objection, *, is_own: bool) -> None:
    entry = await get_entry(conn, objection.entry_id)
    await empty_objection(conn, objection.id)
    if _may_be_told(entry, objection):
        # The notice that may be on its way gives the reason.
        await withdraw_notices(ctx, conn, [entry])
    elif is_own and await withdraw_objection(conn, objection.id, ctx.now()):
        await stands_no_longer(conn, entry, objection, ctx.now())


def _may_be_told(entry: Entry, objection: Objection) -> bool:
    """Whether a notice that has left, or is made, can hold the objection."""
    if entry.told_at is None or objection.at > entry.told_at:
        return False
    return objection.at < entry.told_at or entry.announce_state == "telling"


async def stands_no_longer(conn: AsyncConnection, entry: Entry, objection: Objection, now: datetime) -> None:
    """An objection was withdrawn by its author: the decision waits again, unless somebody else objects to it."""
    move = find_move("withdraw", entry.kind, entry.state)
    if move is None or (await count_standing_objections(conn, [entry.id])).get(entry.id, 0):
        return
    if await move_entry(conn, entry.id, before_state=entry.state, after_state=move.after, now=now):
        change = NewEntryChange(
            entry_id=entry.id,
            at=now,
            move=move.name,
            by_name=objection.passed_on_by or objection.name,
            by_person_id=objection.person_id,
            before_state=entry.state,
            after_state=move.after,
        )
        await insert_entry_change(conn, change)
        await want_telling(conn, entry.id, now)
