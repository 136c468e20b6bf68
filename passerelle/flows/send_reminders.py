"""Reminders leave when they are due: each time once, a late one says so, several late ones come as one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import MOST_IDS, About, about_key
from passerelle.core.batching import after_quiet_hours
from passerelle.core.links import Link
from passerelle.core.recurrence import instants_between, next_instant
from passerelle.core.register_model import Reminder
from passerelle.errors import MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.link_stands import stopped_links
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice
from passerelle.flows.reach_person import PersonalNotice, reach_person
from passerelle.store.privacy import find_known_person
from passerelle.store.reminders import list_due_reminders, next_reminder_at, set_next

log = logging.getLogger(__name__)

#: From when on a reminder says that it is late: less is a busy machine.
LATE_AFTER = timedelta(minutes=15)
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueReminder:
    """One reminder that is due, as templates know it."""

    number: int
    text: str
    by: str
    #: When it should have come, last (aware).
    at: datetime
    is_late: bool
    #: How often it was missed besides, while the daemon was down.
    missed: int


async def send_reminders(ctx: FlowContext) -> int:
    """Make the reminders that are due; how many.

    What is for the same readers leaves together: after three days without a daemon nobody gets a burst.
    """
    async with ctx.store.write() as conn:
        groups: dict[tuple[str, str, int | None], list[tuple[Reminder, DueReminder]]] = {}
        stopped = await stopped_links(ctx, conn)
        for reminder in await list_due_reminders(conn, ctx.now(), besides=stopped):
            due = await _taken(ctx, conn, reminder)
            if due is not None:
                key = (f"{reminder.association}/{reminder.link}", reminder.target, reminder.person_id)
                groups.setdefault(key, []).append((reminder, due))
        for (path, _, _), reminders in groups.items():
            link = ctx.links.find(path)
            if link is not None:
                await _tell(ctx, conn, link, reminders[:MOST_IDS])
    return sum(len(reminders) for reminders in groups.values())


async def next_reminder_due_at(ctx: FlowContext) -> datetime | None:
    """When the next reminder is due. Those of a stopped link wait: they come late, and together, when it goes on."""
    async with ctx.store.read() as conn:
        return await next_reminder_at(conn, besides=await stopped_links(ctx, conn))


async def _taken(ctx: FlowContext, conn: AsyncConnection, reminder: Reminder) -> DueReminder | None:
    """The reminder, where it is ours to make: its next time is set in the same transaction."""
    now, due_at = ctx.now(), reminder.next_at
    assert due_at is not None
    try:
        times = instants_between(
            reminder.starts_local, reminder.zone, reminder.rrule, after=due_at - _INSTANT, until=now
        )
        following = next_instant(reminder.starts_local, reminder.zone, reminder.rrule, after=now)
    except MalformedRecurrence:
        log.error("A reminder's rule cannot be read; it is made once more and ends", extra={"reminder": reminder.id})
        times, following = [], None
    next_at = following[1] if following is not None else None
    if not await set_next(conn, reminder.id, previous=due_at, next_at=next_at, now=now):
        return None
    latest = times[-1][1] if times else due_at
    return DueReminder(
        number=reminder.number,
        text=reminder.text,
        by=reminder.by_name,
        at=latest,
        is_late=now > latest + LATE_AFTER,
        missed=max(0, len(times) - 1),
    )


async def _tell(
    ctx: FlowContext, conn: AsyncConnection, link: Link, reminders: Sequence[tuple[Reminder, DueReminder]]
) -> None:
    first = reminders[0][0]
    about = About(kind="reminder", ids=tuple(reminder.id for reminder, _ in reminders))
    variables = {"reminders": [due for _, due in reminders], "recurs": any(r.rrule for r, _ in reminders)}
    when = max(due.at for _, due in reminders).isoformat()
    if first.target == "person":
        if first.person_id is not None:
            key = about_key(about, when, ctx.hashed("person", str(first.person_id)))
            # They chose its hour, unless a daemon that was down lets it come at another.
            on_time = not any(due.is_late for _, due in reminders)
            notice = PersonalNotice(template="reminder", unique_key=key, variables=variables, at_once=on_time)
            person = await find_known_person(conn, first.person_id)
            await reach_person(ctx, conn, link, first.person_id, person.name if person is not None else "", notice)
        return
    everyone = {**variables, "name": ""}
    if first.target in ("both", "room"):
        key = about_key(about, when, "room")
        await insert_room_notice(ctx, conn, link, template="reminder", unique_key=key, variables=everyone)
    if first.target in ("both", "list"):
        key = about_key(about, when, "list")
        # Whoever set it chose its hour; everyone on the list did not (PEOPLE 11).
        extras = NoticeExtras(not_before=after_quiet_hours(ctx.now(), link.settings, link.zone))
        await insert_list_notice(
            ctx, conn, link, template="reminder", unique_key=key, variables=everyone, extras=extras
        )
