"""What a line of the room asked for that became no post, found by the keyed hash of that line and emptied of its words.

A post that is taken back takes what was read out of it along (`register_lists.SHOWN`); of such a line nothing else is
kept that could.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BindParameter, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId
from passerelle.core.register_model import Ask, Entry, Objection, Reminder
from passerelle.store.register import SHAPE, set_entry_people
from passerelle.store.rows import Shape
from passerelle.store.secretary_tables import ask, entry, entry_change, objection, reminder

_OBJECTION = Shape(Objection, objection)
_REMINDER = Shape(Reminder, reminder)
_ASK = Shape(Ask, ask)
_HASH: BindParameter[str] = bindparam("hash")
_ENTRIES = select(*SHAPE.columns).where(entry.c.said_key_hash == _HASH).order_by(entry.c.number)
_OBJECTIONS = select(*_OBJECTION.columns).where(objection.c.said_key_hash == _HASH).order_by(objection.c.id)
_REMINDERS = select(*_REMINDER.columns).where(reminder.c.said_key_hash == _HASH).order_by(reminder.c.id)
_EMPTY_ENTRY = (
    update(entry)
    .where(entry.c.id == bindparam("which"))
    .values(text="", folded="", label="", label_folded="", said_for="", changed_at=bindparam("now"))
)
_EMPTY_CHANGES = update(entry_change).where(entry_change.c.entry_id == bindparam("which")).values(detail="")
_EMPTY_OBJECTION = update(objection).where(objection.c.id == bindparam("which")).values(reason="")
_WITHDRAW = (
    update(objection)
    .where(objection.c.id == bindparam("which"), objection.c.withdrawn_at.is_(None), objection.c.settled_at.is_(None))
    .values(withdrawn_at=bindparam("now"))
)
_EMPTY_REMINDER = update(reminder).where(reminder.c.id == bindparam("which")).values(text="")
_OPEN_ASKS = select(*_ASK.columns).where(
    ask.c.answered_at.is_(None),
    ask.c.association == bindparam("association"),
    ask.c.kind.in_(["date", "confirm_decision"]),
)
_CLOSE_ASK = (
    update(ask)
    .where(ask.c.id == bindparam("which"), ask.c.answered_at.is_(None))
    .values(about=bindparam("new_about"), answered_at=bindparam("now"))
)


async def find_entries_said(conn: AsyncConnection, said_key_hash: str) -> list[Entry]:
    """The entries that a line asked for, by number."""
    return SHAPE.values((await conn.execute(_ENTRIES, {"hash": said_key_hash})).all())


async def find_objections_said(conn: AsyncConnection, said_key_hash: str) -> list[Objection]:
    """The objections that a line made, the first first."""
    return _OBJECTION.values((await conn.execute(_OBJECTIONS, {"hash": said_key_hash})).all())


async def find_reminders_said(conn: AsyncConnection, said_key_hash: str) -> list[Reminder]:
    """The reminders that a line set, the first first."""
    return _REMINDER.values((await conn.execute(_REMINDERS, {"hash": said_key_hash})).all())


async def empty_entry(conn: AsyncConnection, id: EntryId, now: datetime) -> None:
    """An entry says nothing and names nobody any more: nobody is shown it (`register_lists.SHOWN`)."""
    await conn.execute(_EMPTY_ENTRY, {"which": id, "now": now})
    await conn.execute(_EMPTY_CHANGES, {"which": id})
    await set_entry_people(conn, id, ())


async def empty_objection(conn: AsyncConnection, id: int) -> None:
    """An objection gives no reason any more; whether it stands is not changed."""
    await conn.execute(_EMPTY_OBJECTION, {"which": id})


async def withdraw_objection(conn: AsyncConnection, id: int, now: datetime) -> bool:
    """This one objection stands no longer; False where it did not."""
    return (await conn.execute(_WITHDRAW, {"which": id, "now": now})).rowcount == 1


async def empty_reminder(conn: AsyncConnection, id: int) -> None:
    """A reminder says nothing any more; whether it comes again is not changed."""
    await conn.execute(_EMPTY_REMINDER, {"which": id})


async def close_asks_of(
    conn: AsyncConnection, association: AssociationName, entry_ids: Collection[EntryId], now: datetime
) -> list[Ask]:
    """Which day these entries mean, or whether they are decisions, is asked no longer, and nothing is kept of what was
    asked; those questions as they were."""
    if not entry_ids:
        return []
    rows = (await conn.execute(_OPEN_ASKS, {"association": association})).all()
    closed = [one for one in _ASK.values(rows) if one.about.get("entry") in entry_ids]
    for one in closed:
        emptied = {"entry": one.about["entry"], "written": "", "candidates": []}
        await conn.execute(_CLOSE_ASK, {"which": one.id, "new_about": emptied, "now": now})
    return closed
