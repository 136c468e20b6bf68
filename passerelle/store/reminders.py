"""Reminders, once or again and again: each time is made once, whoever gets there first."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, func, insert, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, ReminderId
from passerelle.core.register_model import NewReminder, Reminder
from passerelle.store.numbers import next_number
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import reminder
from passerelle.store.types import Instant, Words

_SHAPE = Shape(Reminder, reminder)
_WHICH: BindParameter[int] = bindparam("which")
_ALL = select(*_SHAPE.columns)
_INSERT = insert(reminder).returning(*_SHAPE.columns)
_GET = _ALL.where(reminder.c.id == _WHICH)
_BY_NUMBER = _ALL.where(reminder.c.association == bindparam("association"), reminder.c.number == bindparam("number"))
_PENDING = reminder.c.next_at.is_not(None)
_PATH = reminder.c.association.concat(literal_column("'/'", Words())).concat(reminder.c.link)
_NOT_BESIDES = _PATH.not_in(bindparam("besides", expanding=True))
_DUE = _ALL.where(_PENDING, reminder.c.next_at <= bindparam("now"), _NOT_BESIDES).order_by(
    reminder.c.next_at, reminder.c.id
)
_NEXT = select(func.min(reminder.c.next_at, type_=Instant())).where(_PENDING, _NOT_BESIDES)
_SET_NEXT = (
    update(reminder)
    .where(reminder.c.id == _WHICH, reminder.c.next_at == bindparam("previous"), reminder.c.ended_at.is_(None))
    .values(next_at=bindparam("next"))
)
_END = (
    update(reminder)
    .where(reminder.c.id == _WHICH, reminder.c.ended_at.is_(None))
    .values(next_at=None, ended_at=bindparam("now"))
)
_MOVE = (
    update(reminder)
    .where(reminder.c.id == _WHICH, reminder.c.ended_at.is_(None), _PENDING)
    .values(starts_local=bindparam("starts"), next_at=bindparam("next"))
)
_LAST_TIME = _END.where(reminder.c.next_at == bindparam("previous"))


async def insert_reminder(conn: AsyncConnection, new: NewReminder) -> Reminder:
    """Note a reminder, under the next number of its association."""
    values = parameters(new) | {"number": await next_number(conn, new.association, "reminder")}
    return _SHAPE.value((await conn.execute(_INSERT, values)).one())


async def find_reminder(conn: AsyncConnection, id: ReminderId) -> Reminder | None:
    """The reminder of that id."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else _SHAPE.value(row)


async def find_reminder_by_number(conn: AsyncConnection, association: AssociationName, number: int) -> Reminder | None:
    """The reminder that members call so."""
    row = (await conn.execute(_BY_NUMBER, {"association": association, "number": number})).first()
    return None if row is None else _SHAPE.value(row)


async def list_reminders(
    conn: AsyncConnection,
    association: AssociationName,
    *,
    links: Collection[LinkName] | None = None,
    person_id: int | None = None,
) -> list[Reminder]:
    """Reminders that are still to come, the next first.

    `links`: what these links are reminded of; what is for one person stands in no link's list. `person_id`: what is for
    that person, or was asked for by them. Without either: all.
    """
    statement = _ALL.where(_PENDING, reminder.c.association == association)
    if links is not None:
        statement = statement.where(reminder.c.link.in_(sorted(links)), reminder.c.target != "person")
    if person_id is not None:
        statement = statement.where(or_(reminder.c.person_id == person_id, reminder.c.by_person_id == person_id))
    rows = await conn.execute(statement.order_by(reminder.c.next_at, reminder.c.id))
    return _SHAPE.values(rows.all())


async def list_due_reminders(conn: AsyncConnection, now: datetime, *, besides: Collection[str] = ()) -> list[Reminder]:
    """What is to be reminded of by now, the longest due first; but of links with these paths (`association/link`)."""
    return _SHAPE.values((await conn.execute(_DUE, {"now": now, "besides": sorted(besides)})).all())


async def next_reminder_at(conn: AsyncConnection, *, besides: Collection[str] = ()) -> datetime | None:
    """When somebody is next to be reminded of something; but for links with these paths."""
    found: datetime | None = (await conn.execute(_NEXT, {"besides": sorted(besides)})).scalar_one()
    return found


async def set_next(
    conn: AsyncConnection, id: ReminderId, *, previous: datetime, next_at: datetime | None, now: datetime
) -> bool:
    """The time `previous` is being made; the next is `next_at`, None where it was the last one.

    Compare-and-swap: False where another daemon made it, or the reminder was ended. Whoever is told so sends nothing.
    """
    if next_at is None:
        return (await conn.execute(_LAST_TIME, {"which": id, "previous": previous, "now": now})).rowcount == 1
    return (await conn.execute(_SET_NEXT, {"which": id, "previous": previous, "next": next_at})).rowcount == 1


async def move_reminder_to(conn: AsyncConnection, id: ReminderId, starts_local: datetime, next_at: datetime) -> bool:
    """It is to come at another time, once; False where it was made or ended.

    Args:
        starts_local: the new time on the clock of its zone, without a zone.
        next_at: the same as an instant.
    """
    return (await conn.execute(_MOVE, {"which": id, "starts": starts_local, "next": next_at})).rowcount == 1


async def end_reminder(conn: AsyncConnection, id: ReminderId, now: datetime) -> bool:
    """Nobody is to be reminded of it any more; False where it was over."""
    return (await conn.execute(_END, {"which": id, "now": now})).rowcount == 1
