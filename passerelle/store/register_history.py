"""What became of entries, line by line, and the objections to decisions."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import EntryId
from passerelle.core.register_model import EntryChange, NewEntryChange, NewObjection, Objection
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import entry_change, objection

_CHANGE = Shape(EntryChange, entry_change)
_INSERT_CHANGE = insert(entry_change).returning(entry_change.c.id)
_CHANGES = select(*_CHANGE.columns).where(entry_change.c.entry_id == bindparam("entry")).order_by(entry_change.c.id)
_OBJECTION = Shape(Objection, objection)
_STANDS = (objection.c.withdrawn_at.is_(None), objection.c.settled_at.is_(None))
_INSERT_OBJECTION = insert(objection).returning(objection.c.id)
_OBJECTIONS = select(*_OBJECTION.columns).where(objection.c.entry_id == bindparam("entry")).order_by(objection.c.id)
_COUNT_STANDING = (
    select(objection.c.entry_id, func.count())
    .where(objection.c.entry_id.in_(bindparam("ids", expanding=True)), *_STANDS)
    .group_by(objection.c.entry_id)
)
_WITHDRAW = (
    update(objection)
    .where(objection.c.id.in_(bindparam("ids", expanding=True)), *_STANDS)
    .values(withdrawn_at=bindparam("now"))
)
_SETTLE = (
    update(objection).where(objection.c.entry_id == bindparam("entry"), *_STANDS).values(settled_at=bindparam("now"))
)


async def insert_entry_change(conn: AsyncConnection, new: NewEntryChange) -> int:
    """Write one line of an entry's history; its id."""
    id: int = (await conn.execute(_INSERT_CHANGE, parameters(new))).scalar_one()
    return id


async def list_entry_changes(conn: AsyncConnection, entry_id: EntryId) -> list[EntryChange]:
    """An entry's history, the first line first."""
    return _CHANGE.values((await conn.execute(_CHANGES, {"entry": entry_id})).all())


async def insert_objection(conn: AsyncConnection, new: NewObjection) -> int:
    """Somebody objects; its id. It stands from now on."""
    id: int = (await conn.execute(_INSERT_OBJECTION, parameters(new))).scalar_one()
    return id


async def list_objections(conn: AsyncConnection, entry_id: EntryId) -> list[Objection]:
    """Objections to a decision, those that stand no longer too, the first first."""
    return _OBJECTION.values((await conn.execute(_OBJECTIONS, {"entry": entry_id})).all())


async def count_standing_objections(conn: AsyncConnection, ids: Collection[EntryId]) -> Mapping[EntryId, int]:
    """How many objections block each of these; an entry without one is not in it."""
    if not ids:
        return {}
    return {EntryId(id): count for id, count in await conn.execute(_COUNT_STANDING, {"ids": list(ids)})}


async def withdraw_objections(
    conn: AsyncConnection, entry_id: EntryId, *, person_id: int | None, name: str, now: datetime
) -> int:
    """Somebody's objections stand no longer, as they themselves say; how many did.

    Those of that person; where `person_id` is None, those by that name of somebody who is no known person.
    """
    folded = " ".join(fold(name).split())
    mine = [
        one.id
        for one in await list_objections(conn, entry_id)
        if (one.person_id == person_id if person_id is not None else one.person_id is None)
        and (person_id is not None or " ".join(fold(one.name).split()) == folded)
    ]
    if not mine:
        return 0
    return (await conn.execute(_WITHDRAW, {"ids": mine, "now": now})).rowcount


async def settle_objections(conn: AsyncConnection, entry_id: EntryId, now: datetime) -> int:
    """The minutes of a meeting settle all objections to a decision; how many stood."""
    return (await conn.execute(_SETTLE, {"entry": entry_id, "now": now})).rowcount
