"""Whoever is named is reminded of what is due, once, where they are; coordinators of what they may decide.

What nobody did by its day is not repeated to anyone: it comes onto the next agenda.
"""

from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.batching import after_quiet_hours
from passerelle.core.links import Link
from passerelle.core.register_model import Entry, NewEntryChange
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import shown_entries
from passerelle.flows.link_stands import stopped_links
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator, reach_person
from passerelle.store.register import list_entry_people, set_reminded
from passerelle.store.register_history import insert_entry_change
from passerelle.store.register_lists import (
    list_decisions_to_remind,
    list_due_actions,
    next_decision_at,
    next_due_days,
)

#: When people are reminded, on the wall clock of the association.
_AT = time(9)
_LONG_AGO = timedelta(days=36_500)


async def remind_of_entries(ctx: FlowContext) -> int:
    """Remind of actions and loans that are due soon, and of decisions that may be adopted; how many entries."""
    done = 0
    async with ctx.store.read() as conn:
        waiting, stopped = await next_due_days(conn), await stopped_links(ctx, conn)
    for link in ctx.links:
        if link.path in stopped or (link.association_name, link.name) not in waiting:
            continue
        if ctx.now() < _remind_at(ctx, link, ctx.now().astimezone(link.zone).date()):
            continue
        async with ctx.store.write() as conn:
            due = await list_due_actions(
                conn,
                link.association_name,
                on_or_before=_horizon(ctx, link),
                not_reminded_since=ctx.now() - _LONG_AGO,
            )
            for entry in [one for one in due if one.link == link.name]:
                await _remind(ctx, conn, link, entry)
                done += 1
    return done + await _tell_who_decides(ctx)


async def next_reminding_at(ctx: FlowContext) -> datetime | None:
    """When somebody is to be reminded next."""
    async with ctx.store.read() as conn:
        decision_at = await next_decision_at(conn)
        days = await next_due_days(conn)
        stopped = await stopped_links(ctx, conn)
    times = [decision_at] if decision_at is not None else []
    for link in ctx.links:
        if link.path not in stopped and (due_on := days.get((link.association_name, link.name))) is not None:
            before = timedelta(days=link.association.entry_register.remind_before_days)
            day = max((datetime.combine(due_on, _AT) - before).date(), ctx.now().astimezone(link.zone).date())
            times.append(_remind_at(ctx, link, day))
    return min(times, default=None)


def _horizon(ctx: FlowContext, link: Link) -> date:
    before = timedelta(days=link.association.entry_register.remind_before_days)
    return (ctx.now().astimezone(link.zone) + before).date()


def _remind_at(ctx: FlowContext, link: Link, day: date) -> datetime:
    return after_quiet_hours(datetime.combine(day, _AT, link.zone), link.settings, link.zone).astimezone(
        ctx.now().tzinfo
    )


async def _remind(ctx: FlowContext, conn: AsyncConnection, link: Link, entry: Entry) -> None:
    """Remind each whom an entry names and whom we know; once for its day."""
    (shown,) = await shown_entries(ctx, conn, link, [entry])
    people = (await list_entry_people(conn, [entry.id])).get(entry.id, ())
    about = About(kind="entries", ids=(entry.id,), step="remind")
    for person in people:
        if person.person_id is None:
            continue
        key = about_key(about, str(entry.due_on), ctx.hashed("person", str(person.person_id)))
        notice = PersonalNotice(template="entry_due", unique_key=key, variables={"entry": shown})
        if await reach_person(ctx, conn, link, person.person_id, person.name, notice):
            change = NewEntryChange(
                entry_id=entry.id, at=ctx.now(), move="reminded", medium="clock", detail=person.name
            )
            await insert_entry_change(conn, change)
    await set_reminded(conn, [entry.id], ctx.now())


async def _tell_who_decides(ctx: FlowContext) -> int:
    """Coordinators hear of decisions that nobody objects to and whose delay has gone by: adopting is their word."""
    async with ctx.store.write() as conn:
        waiting = await list_decisions_to_remind(conn, ctx.now())
        for entry in waiting:
            link = ctx.links.find(f"{entry.association}/{entry.link}")
            if link is not None:
                (shown,) = await shown_entries(ctx, conn, link, [entry])
                about = About(kind="entries", ids=(entry.id,), step="decide")
                for coordinator in link.association.coordinators:
                    who = coordinator.address or coordinator.matrix or coordinator.name
                    key = about_key(about, str(entry.open_until), ctx.hashed("person", who))
                    notice = PersonalNotice(template="entry_to_adopt", unique_key=key, variables={"entry": shown})
                    await reach_coordinator(ctx, conn, link, coordinator, notice)
            await set_reminded(conn, [entry.id], ctx.now())
    return len(waiting)
