"""What of the register and of meetings is older than it may be kept, and how much there is of it."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId, LinkName, MeetingId
from passerelle.store.retention import Amount
from passerelle.store.secretary_tables import (
    ask,
    attendance,
    correction,
    entry,
    meeting,
    meeting_span,
    meeting_step,
    minutes,
    reminder,
    rsvp,
    vote,
)

_OF_A_MEETING = (meeting_step, rsvp, attendance, vote, meeting_span, minutes, correction)


def _old_entries(statement: Select[Any], before: datetime, today: date) -> Select[Any]:
    """Of which nothing has become since then, and of which no day is still to come."""
    return statement.where(
        entry.c.changed_at < before,
        or_(entry.c.due_on.is_(None), entry.c.due_on < today),
        or_(entry.c.until_on.is_(None), entry.c.until_on < today),
        or_(entry.c.review_on.is_(None), entry.c.review_on < today),
    )


def _old_meetings(statement: Select[Any], before_local: datetime) -> Select[Any]:
    return statement.where(meeting.c.starts_local < before_local, meeting.c.state != "open")


async def list_old_entries(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime, *, today: date, limit: int
) -> list[EntryId]:
    """Entries of which nothing has become since `before`, and of which no day is still to come, the first first."""
    mine = select(entry.c.id).where(entry.c.association == association, entry.c.link == link)
    statement = _old_entries(mine, before, today).order_by(entry.c.id).limit(limit)
    return [EntryId(id) for id in (await conn.execute(statement)).scalars()]


async def list_old_meetings(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before_local: datetime, *, limit: int
) -> list[MeetingId]:
    """Meetings that began before `before_local` (naive) and are not under way, the first first."""
    mine = select(meeting.c.id).where(meeting.c.association == association, meeting.c.link == link)
    statement = _old_meetings(mine, before_local).order_by(meeting.c.id).limit(limit)
    return [MeetingId(id) for id in (await conn.execute(statement)).scalars()]


async def delete_meetings(conn: AsyncConnection, ids: Collection[MeetingId]) -> int:
    """Meetings with all that belongs to them; entries that were noted in them stand by themselves. How many."""
    chosen = list(ids)
    if not chosen:
        return 0
    for table in _OF_A_MEETING:
        await conn.execute(delete(table).where(table.c.meeting_id.in_(chosen)))
    await conn.execute(update(entry).where(entry.c.meeting_id.in_(chosen)).values(meeting_id=None))
    await conn.execute(update(meeting).where(meeting.c.series_id.in_(chosen)).values(series_id=None))
    return (await conn.execute(delete(meeting).where(meeting.c.id.in_(chosen)))).rowcount


async def forget_old_answers(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime
) -> int:
    """Who answered that they come to a meeting that is over, questions asked back, reminders that ended; how many."""
    old = select(meeting.c.id).where(
        meeting.c.association == association,
        meeting.c.link == link,
        meeting.c.starts_local < before.replace(tzinfo=None),
        meeting.c.state != "open",
    )
    over = (
        delete(rsvp).where(rsvp.c.meeting_id.in_(old)),
        delete(ask).where(ask.c.association == association, ask.c.link == link, ask.c.asked_at < before),
        delete(reminder).where(
            reminder.c.association == association, reminder.c.link == link, reminder.c.ended_at < before
        ),
    )
    return sum([(await conn.execute(statement)).rowcount for statement in over])


async def amount_of_minutes(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime | None, *, today: date
) -> Amount:
    """Entries of the register and meetings of a link."""
    entries = select(func.count()).where(entry.c.association == association, entry.c.link == link)
    meetings = select(func.count()).where(meeting.c.association == association, meeting.c.link == link)
    count = sum([(await conn.execute(one)).scalar_one() for one in (entries, meetings)])
    if before is None:
        return Amount(count=count, over=0)
    old = (_old_entries(entries, before, today), _old_meetings(meetings, before.replace(tzinfo=None)))
    return Amount(count=count, over=sum([(await conn.execute(one)).scalar_one() for one in old]))
