"""Erasing: the rows of the register, of meetings, reminders and questions in which a person is named or quoted.

Nothing here decides what is erased. A number that an entry had is never given again.
"""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Column, Table, delete, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import AssociationName, EntryId, MeetingId, PostId
from passerelle.core.register_model import Entry
from passerelle.store.register import SHAPE, folded_label
from passerelle.store.secretary_tables import (
    ask,
    attendance,
    correction,
    direct_room,
    entry,
    entry_change,
    entry_person,
    entry_source,
    meeting,
    minutes,
    objection,
    reminder,
    rsvp,
    vote,
)
from passerelle.store.tables import person_user_id, post

#: A row by its columns' names.
Row = Mapping[str, Any]

#: Every column that says whose a row is. Where it may be empty, it is emptied once nobody is known by that number.
_WHOSE: tuple[Column[Any], ...] = (
    entry.c.author_person_id,
    entry_person.c.person_id,
    entry_change.c.by_person_id,
    objection.c.person_id,
    meeting.c.organizer_person_id,
    attendance.c.person_id,
    correction.c.by_person_id,
    reminder.c.person_id,
    reminder.c.by_person_id,
    ask.c.person_id,
)
#: What binds a group, and stays when one of it is forgotten.
_BINDING = ("adopted", "replaced")


async def list_entries_after(
    conn: AsyncConnection, association: AssociationName, after: int, limit: int
) -> list[Entry]:
    """The next entries of an association by id, whatever became of what they were read out of."""
    statement = select(*SHAPE.columns).where(entry.c.association == association, entry.c.id > after)
    return SHAPE.values((await conn.execute(statement.order_by(entry.c.id).limit(limit))).all())


async def list_meetings_after(
    conn: AsyncConnection, association: AssociationName, after: int, limit: int
) -> list[MeetingId]:
    """The next meetings of an association by id."""
    statement = select(meeting.c.id).where(meeting.c.association == association, meeting.c.id > after)
    return [MeetingId(id) for id in (await conn.execute(statement.order_by(meeting.c.id).limit(limit))).scalars()]


async def list_rows(conn: AsyncConnection, table: Table, column: str, values: Collection[Any]) -> list[Row]:
    """The rows of which `column` is one of `values`, by their key."""
    statement = select(table).where(table.c[column].in_(list(values))).order_by(*table.primary_key.columns)
    return [row._asdict() for row in await conn.execute(statement)] if values else []


async def set_row(conn: AsyncConnection, table: Table, row: Row, values: Row) -> None:
    """Other values for a row; words by which an entry is found follow its text and label."""
    changed = dict(values)
    if table is entry:
        changed |= {"folded": fold(changed["text"])} if "text" in changed else {}
        changed |= {"label_folded": folded_label(changed["label"])} if "label" in changed else {}
    statement = update(table)
    for column in table.primary_key.columns:
        statement = statement.where(column == row[column.name])
    await conn.execute(statement.values(changed))


# ------------------------------------------------------------ which entries


async def list_entries_standing_on(
    conn: AsyncConnection, post_ids: Collection[PostId]
) -> dict[EntryId, frozenset[PostId]]:
    """Entries that were read out of these posts and of no other that is still there; of each, which of these."""
    of_posts = select(entry_source.c.entry_id, entry_source.c.post_id).where(
        entry_source.c.post_id.in_(list(post_ids)), entry_source.c.role == "source"
    )
    found: dict[EntryId, set[PostId]] = {}
    for id, post_id in (await conn.execute(of_posts)).all() if post_ids else ():
        found.setdefault(id, set()).add(post_id)
    others = (
        select(entry_source.c.entry_id)
        .join(post, post.c.id == entry_source.c.post_id)
        .where(
            entry_source.c.entry_id.in_(list(found)),
            entry_source.c.role == "source",
            entry_source.c.post_id.not_in(list(post_ids)),
            post.c.state != "erased",
        )
    )
    standing = set((await conn.execute(others)).scalars()) if found else set()
    return {id: frozenset(ids) for id, ids in found.items() if id not in standing}


async def list_entries_by(conn: AsyncConnection, person_id: int) -> list[EntryId]:
    """The entries that a person said."""
    statement = select(entry.c.id).where(entry.c.author_person_id == person_id).order_by(entry.c.id)
    return [EntryId(id) for id in (await conn.execute(statement)).scalars()]


async def list_held_entries(conn: AsyncConnection, ids: Collection[EntryId]) -> frozenset[EntryId]:
    """Those of these that an adopted decision is, or approved minutes hold: not one person's words any more."""
    approved = select(minutes.c.meeting_id).where(minutes.c.state == "approved")
    statement = select(entry.c.id).where(
        entry.c.id.in_(list(ids)),
        or_(
            (entry.c.kind == "decision") & entry.c.state.in_(_BINDING),
            entry.c.meeting_id.in_(approved),
        ),
    )
    return frozenset((await conn.execute(statement)).scalars()) if ids else frozenset()


async def list_approved_meetings(conn: AsyncConnection, ids: Collection[MeetingId]) -> frozenset[MeetingId]:
    """Those of these meetings whose minutes are approved."""
    statement = select(minutes.c.meeting_id).where(minutes.c.meeting_id.in_(list(ids)), minutes.c.state == "approved")
    return frozenset((await conn.execute(statement)).scalars()) if ids else frozenset()


# ------------------------------------------------------------ whom they name


async def list_entries_naming(conn: AsyncConnection, person_id: int, ids: Collection[EntryId]) -> frozenset[EntryId]:
    """Those of these entries that a person said, does, objected to, or changed."""
    chosen = list(ids)
    statement = union(
        select(entry.c.id).where(entry.c.id.in_(chosen), entry.c.author_person_id == person_id),
        *(
            select(table.c.entry_id).where(table.c.entry_id.in_(chosen), table.c[column] == person_id)
            for table, column in ((entry_person, "person_id"), (entry_change, "by_person_id"), (objection, "person_id"))
        ),
    )
    return frozenset((await conn.execute(statement)).scalars()) if chosen else frozenset()


async def list_meetings_naming(
    conn: AsyncConnection, person_id: int, ids: Collection[MeetingId]
) -> frozenset[MeetingId]:
    """Those of these meetings that a person called, answered, was noted at, corrected, or has an entry of."""
    chosen = list(ids)
    statement = union(
        select(meeting.c.id).where(meeting.c.id.in_(chosen), meeting.c.organizer_person_id == person_id),
        select(entry.c.meeting_id).where(entry.c.meeting_id.in_(chosen), entry.c.author_person_id == person_id),
        select(entry.c.meeting_id)
        .join(entry_person, entry_person.c.entry_id == entry.c.id)
        .where(entry.c.meeting_id.in_(chosen), entry_person.c.person_id == person_id),
        *(
            select(table.c.meeting_id).where(table.c.meeting_id.in_(chosen), table.c[column] == person_id)
            for table, column in ((rsvp, "person_id"), (attendance, "person_id"), (correction, "by_person_id"))
        ),
    )
    return frozenset((await conn.execute(statement)).scalars()) if chosen else frozenset()


async def list_names_noted(conn: AsyncConnection, person_id: int) -> frozenset[str]:
    """What a person is called in the rows that are known to be about them."""
    columns = (
        (entry.c.author_name, entry.c.author_person_id), (entry_person.c.name, entry_person.c.person_id),
        (entry_change.c.by_name, entry_change.c.by_person_id), (objection.c.name, objection.c.person_id),
        (meeting.c.organizer_name, meeting.c.organizer_person_id), (rsvp.c.name, rsvp.c.person_id),
        (attendance.c.name, attendance.c.person_id), (correction.c.by_name, correction.c.by_person_id),
        (reminder.c.by_name, reminder.c.by_person_id),
    )  # fmt: skip
    statement = union(*(select(name).where(who == person_id, name != "") for name, who in columns))
    return frozenset((await conn.execute(statement)).scalars())


async def list_sayings(conn: AsyncConnection, person_id: int) -> list[str]:
    """What a person said to the secretary besides entries: reasons, corrections, reminders."""
    statement = union(
        select(entry_change.c.detail).where(entry_change.c.by_person_id == person_id),
        select(objection.c.reason).where(objection.c.person_id == person_id),
        select(correction.c.text).where(correction.c.by_person_id == person_id),
        select(reminder.c.text).where(or_(reminder.c.by_person_id == person_id, reminder.c.person_id == person_id)),
    )
    return [text for text in (await conn.execute(statement)).scalars() if text]


# ------------------------------------------------------------ going


async def delete_entries(conn: AsyncConnection, ids: Collection[EntryId]) -> int:
    """Entries with all that belongs to them; how many there were."""
    chosen = list(ids)
    if not chosen:
        return 0
    for table in (entry_person, entry_source, entry_change, objection):
        await conn.execute(delete(table).where(table.c.entry_id.in_(chosen)))
    await conn.execute(update(vote).where(vote.c.entry_id.in_(chosen)).values(entry_id=None))
    await conn.execute(update(entry).where(entry.c.replaced_by.in_(chosen)).values(replaced_by=None))
    return (await conn.execute(delete(entry).where(entry.c.id.in_(chosen)))).rowcount


async def leave_posts(conn: AsyncConnection, id: EntryId, post_ids: Collection[PostId]) -> None:
    """An entry stands by itself: these posts, which nothing is kept of, are its sources no longer."""
    gone = (entry_source.c.entry_id == id, entry_source.c.post_id.in_(list(post_ids)))
    await conn.execute(delete(entry_source).where(*gone))
    await conn.execute(update(entry).where(entry.c.id == id, entry.c.post_id.in_(list(post_ids))).values(post_id=None))


async def delete_asks_about(conn: AsyncConnection, association: AssociationName, entry_ids: Collection[EntryId]) -> int:
    """Questions that were asked back about entries which are there no longer; how many."""
    wanted = set(entry_ids)
    asked = (await conn.execute(select(ask.c.id, ask.c.about).where(ask.c.association == association))).all()
    ids = [id for id, about in asked if isinstance(about, dict) and about.get("entry") in wanted] if wanted else []
    if ids:
        await conn.execute(delete(ask).where(ask.c.id.in_(ids)))
    return len(ids)


async def delete_own_rows(conn: AsyncConnection, person_id: int) -> int:
    """A person's answers to meetings, reminders, and the questions that they were asked; how many rows."""
    mine = (
        delete(rsvp).where(rsvp.c.person_id == person_id),
        delete(reminder).where(or_(reminder.c.person_id == person_id, reminder.c.by_person_id == person_id)),
        delete(ask).where(ask.c.person_id == person_id),
    )
    return sum([(await conn.execute(statement)).rowcount for statement in mine])


async def unlink_person(conn: AsyncConnection, person_id: int) -> None:
    """Nobody is known by that number any more: no row of the secretary's says that it is theirs."""
    await delete_own_rows(conn, person_id)
    for column in _WHOSE:
        await conn.execute(update(column.table).where(column == person_id).values({column.name: None}))


async def forget_direct_rooms(conn: AsyncConnection, user_ids: Collection[str]) -> None:
    """Rooms of the bridge and one of these, unless somebody of another association is known by that user ID still."""
    known = select(person_user_id.c.user_id).where(person_user_id.c.user_id == direct_room.c.user_id)
    if user_ids:
        await conn.execute(delete(direct_room).where(direct_room.c.user_id.in_(list(user_ids)), ~known.exists()))
