"""What is held of one person in the register, in meetings and reminders, as they are shown it."""

from typing import Any

from sqlalchemy import BindParameter, bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.secretary_tables import (
    ask,
    attendance,
    correction,
    entry,
    entry_person,
    meeting,
    objection,
    reminder,
    rsvp,
)

_WHO: BindParameter[int] = bindparam("who")
_NAMED = select(entry_person.c.entry_id).where(entry_person.c.person_id == _WHO)
_OF_MEETING = (meeting.c.number.label("meeting"), meeting.c.title, meeting.c.starts_local, meeting.c.zone)

_ENTRIES = (
    select(
        entry.c.link, entry.c.number, entry.c.kind, entry.c.text, entry.c.state, entry.c.said_at, entry.c.due_on,
        (entry.c.author_person_id == _WHO).label("said_by_you"), entry.c.id.in_(_NAMED).label("names_you"),
    )
    .where(or_(entry.c.author_person_id == _WHO, entry.c.id.in_(_NAMED)))
    .order_by(entry.c.said_at, entry.c.id)
)  # fmt: skip
_OBJECTIONS = (
    select(entry.c.number, entry.c.text, objection.c.reason, objection.c.at, objection.c.withdrawn_at)
    .join(entry, entry.c.id == objection.c.entry_id)
    .where(objection.c.person_id == _WHO)
    .order_by(objection.c.id)
)
_RSVPS = (
    select(*_OF_MEETING, rsvp.c.answer, rsvp.c.said_by, rsvp.c.quiet, rsvp.c.at)
    .join(meeting, meeting.c.id == rsvp.c.meeting_id)
    .where(rsvp.c.person_id == _WHO)
    .order_by(meeting.c.starts_local, meeting.c.id)
)
_ATTENDANCE = (
    select(*_OF_MEETING, attendance.c.presence, attendance.c.how, attendance.c.represented_by, attendance.c.said_by)
    .join(meeting, meeting.c.id == attendance.c.meeting_id)
    .where(attendance.c.person_id == _WHO)
    .order_by(meeting.c.starts_local, meeting.c.id)
)
_CORRECTIONS = (
    select(*_OF_MEETING, correction.c.text, correction.c.at)
    .join(meeting, meeting.c.id == correction.c.meeting_id)
    .where(correction.c.by_person_id == _WHO)
    .order_by(correction.c.id)
)
_REMINDERS = (
    select(
        reminder.c.link, reminder.c.number, reminder.c.text, reminder.c.starts_local, reminder.c.zone,
        reminder.c.rrule, reminder.c.ended_at,
    )
    .where(or_(reminder.c.person_id == _WHO, reminder.c.by_person_id == _WHO))
    .order_by(reminder.c.id)
)  # fmt: skip
_ASKS = (
    select(ask.c.link, ask.c.kind, ask.c.about, ask.c.asked_at, ask.c.answer)
    .where(ask.c.person_id == _WHO)
    .order_by(ask.c.id)
)
_HELD = {
    "entries": _ENTRIES,
    "objections": _OBJECTIONS,
    "rsvps": _RSVPS,
    "attendance": _ATTENDANCE,
    "corrections": _CORRECTIONS,
    "reminders": _REMINDERS,
    "asks": _ASKS,
}
#: Of conditions, since SQLite gives numbers, and no value where nobody is known to have said it.
_FLAGS = frozenset({"said_by_you", "names_you"})


async def secretary_of(conn: AsyncConnection, person_id: int) -> dict[str, list[dict[str, Any]]]:
    """What a person noted, is named in, objected to, answered, corrected, and is reminded of: JSON values."""
    return {
        what: [
            {name: bool(value) if name in _FLAGS else _plain(value) for name, value in row._mapping.items()}
            for row in await conn.execute(statement, {"who": person_id})
        ]
        for what, statement in _HELD.items()
    }


def _plain(value: Any) -> Any:
    """Days and instants as ISO 8601."""
    return value.isoformat() if hasattr(value, "isoformat") else value
