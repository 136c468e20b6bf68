"""Entries of the register: noting, finding, changing one. Lists: `register_lists`. History: `register_history`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

from sqlalchemy import BindParameter, Update, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import AssociationName, EntryId, LinkName, MeetingId, PostId
from passerelle.core.model import PostState, Side
from passerelle.core.register_model import Entry, NamedPerson, NewEntry
from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.numbers import next_number
from passerelle.store.rows import Shape, parameters
from passerelle.store.secretary_tables import entry, entry_person, entry_source
from passerelle.store.tables import post

#: What a post is to an entry: what it was read out of; what marked it as one; what moved it.
SourceRole = Literal["source", "mark", "answer"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EntrySource:
    """A post that an entry comes from."""

    entry_id: EntryId
    post_id: PostId
    role: SourceRole
    link: LinkName
    side: Side
    #: The short one; "" where the post has none.
    permalink: str
    said_at: datetime
    #: Only an accepted one may be shown.
    state: PostState


SHAPE = Shape(Entry, entry)
_ALL = select(*SHAPE.columns)
_WHICH: BindParameter[int] = bindparam("which")

_INSERT = insert(entry).returning(*SHAPE.columns)
_GET = _ALL.where(entry.c.id == _WHICH)
_BY_NUMBER = _ALL.where(entry.c.association == bindparam("association"), entry.c.number == bindparam("number"))
_OF_POST = (
    _ALL.join(entry_source, entry_source.c.entry_id == entry.c.id)
    .where(entry_source.c.post_id == bindparam("post_id"), entry_source.c.role.in_(bindparam("roles", expanding=True)))
    .order_by(entry.c.number)
)
_MOVE = (
    update(entry)
    .where(entry.c.id == _WHICH, entry.c.state == bindparam("before"))
    .values(state=bindparam("after"), changed_at=bindparam("now"))
)


def _set(*names: str) -> Update:
    """Columns of the entry `which`, each from a parameter `new_…`, and when it was changed."""
    values: dict[str, Any] = {name: bindparam(f"new_{name}", type_=entry.c[name].type) for name in names}
    return update(entry).where(entry.c.id == _WHICH).values(changed_at=bindparam("now"), **values)


_SET_DUE = _set("due_on", "due_at", "until_on", "until_at")
_SET_TEXT = _set("text", "folded")
_SET_REPLACED_BY = _set("replaced_by")
_SET_REVIEW_ON = _set("review_on")
_SET_MEETING = _set("meeting_id")
_THESE = entry.c.id.in_(bindparam("ids", expanding=True))
_SET_REMINDED = update(entry).where(_THESE).values(reminded_at=bindparam("now"))

_INSERT_PERSON = insert(entry_person)
_DELETE_PEOPLE = delete(entry_person).where(entry_person.c.entry_id == _WHICH)
_PEOPLE = (
    select(entry_person.c.entry_id, entry_person.c.name, entry_person.c.person_id)
    .where(entry_person.c.entry_id.in_(bindparam("ids", expanding=True)))
    .order_by(entry_person.c.entry_id, entry_person.c.position)
)
_ADD_SOURCE = upsert(entry_source, lambda i: i.on_conflict_do_nothing(index_elements=["entry_id", "post_id"]))
_SOURCES = (
    select(
        entry_source.c.entry_id, entry_source.c.post_id, entry_source.c.role,
        post.c.link, post.c.side, post.c.permalink, post.c.said_at, post.c.state,
    )
    .join(post, post.c.id == entry_source.c.post_id)
    .where(entry_source.c.entry_id.in_(bindparam("ids", expanding=True)))
    .order_by(entry_source.c.entry_id, post.c.said_at, post.c.id)
)  # fmt: skip


def folded_label(label: str) -> str:
    """A label as labels are compared: no accents, no capitals, one space between words."""
    return " ".join(fold(label).split())


async def insert_entry(
    conn: AsyncConnection,
    new: NewEntry,
    people: Sequence[NamedPerson] = (),
    sources: Sequence[tuple[PostId, SourceRole]] = (),
) -> Entry:
    """Note an entry, under the next number of its association; `new.post_id` is one of its sources.

    Its history is the caller's to write (`register_history.insert_entry_change`).
    """
    values = parameters(new) | {
        "number": await next_number(conn, new.association, "entry"),
        "folded": fold(new.text),
        "label_folded": folded_label(new.label),
        "changed_at": new.created_at,
    }
    noted = SHAPE.value((await conn.execute(_INSERT, values)).one())
    await _insert_people(conn, noted.id, people)
    if new.post_id is not None:
        sources = [(new.post_id, "source"), *sources]
    for post_id, role in sources:
        await add_entry_source(conn, noted.id, post_id, role)
    return noted


async def find_entry(conn: AsyncConnection, id: EntryId) -> Entry | None:
    """The entry of that id, whatever became of what it was read out of."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else SHAPE.value(row)


async def get_entry(conn: AsyncConnection, id: EntryId) -> Entry:
    """The entry of that id. Raises StoreError where there is none."""
    found = await find_entry(conn, id)
    if found is None:
        raise StoreError(f"There is no entry {id}.")
    return found


async def find_entry_by_number(conn: AsyncConnection, association: AssociationName, number: int) -> Entry | None:
    """The entry that members call so; for what a reader asks for, `register_lists.find_shown_entry`."""
    row = (await conn.execute(_BY_NUMBER, {"association": association, "number": number})).first()
    return None if row is None else SHAPE.value(row)


async def find_entries_of_post(
    conn: AsyncConnection, post_id: PostId, *, roles: Collection[SourceRole] = ("source", "mark")
) -> list[Entry]:
    """The entries that were read out of a post, or were made by it, by number."""
    rows = (await conn.execute(_OF_POST, {"post_id": post_id, "roles": list(roles)})).all()
    return SHAPE.values(rows)


async def move_entry(conn: AsyncConnection, id: EntryId, *, before_state: str, after_state: str, now: datetime) -> bool:
    """An entry goes from one state to another; False, and nothing is changed, where it is in another already."""
    values = {"which": id, "before": before_state, "after": after_state, "now": now}
    return (await conn.execute(_MOVE, values)).rowcount == 1


async def set_entry_due(
    conn: AsyncConnection,
    id: EntryId,
    now: datetime,
    *,
    due_on: date | None,
    due_at: time | None = None,
    until_on: date | None = None,
    until_at: time | None = None,
) -> None:
    """By when it is due, or from when to when it is booked."""
    new = {"new_due_on": due_on, "new_due_at": due_at, "new_until_on": until_on, "new_until_at": until_at}
    await conn.execute(_SET_DUE, {"which": id, "now": now, **new})


async def set_entry_text(conn: AsyncConnection, id: EntryId, text: str, now: datetime) -> None:
    """What it says."""
    await conn.execute(_SET_TEXT, {"which": id, "now": now, "new_text": text, "new_folded": fold(text)})


async def set_entry_people(conn: AsyncConnection, id: EntryId, people: Sequence[NamedPerson]) -> None:
    """Whom it names, instead of those it named."""
    await conn.execute(_DELETE_PEOPLE, {"which": id})
    await _insert_people(conn, id, people)


async def _insert_people(conn: AsyncConnection, id: EntryId, people: Sequence[NamedPerson]) -> None:
    rows = [
        {"entry_id": id, "position": position, "name": one.name, "person_id": one.person_id}
        for position, one in enumerate(people)
    ]
    if rows:
        await conn.execute(_INSERT_PERSON, rows)


async def set_reminded(conn: AsyncConnection, ids: Collection[EntryId], now: datetime) -> None:
    """Whoever they name, or whoever has to decide, was reminded of them."""
    if ids:
        await conn.execute(_SET_REMINDED, {"ids": list(ids), "now": now})


async def set_replaced_by(conn: AsyncConnection, id: EntryId, by: EntryId, now: datetime) -> None:
    """Which decision stands in its place."""
    await conn.execute(_SET_REPLACED_BY, {"which": id, "now": now, "new_replaced_by": by})


async def set_review_on(conn: AsyncConnection, id: EntryId, day: date | None, now: datetime) -> None:
    """When it is to be looked at again."""
    await conn.execute(_SET_REVIEW_ON, {"which": id, "now": now, "new_review_on": day})


async def set_entry_meeting(conn: AsyncConnection, id: EntryId, meeting_id: MeetingId | None, now: datetime) -> None:
    """On which meeting's agenda it stands: what is open goes to the next."""
    await conn.execute(_SET_MEETING, {"which": id, "now": now, "new_meeting_id": meeting_id})


async def add_entry_source(conn: AsyncConnection, id: EntryId, post_id: PostId, role: SourceRole) -> None:
    """A post that it comes from, on either side; one that is known already keeps its role."""
    await conn.execute(_ADD_SOURCE(conn), {"entry_id": id, "post_id": post_id, "role": role})


async def list_entry_people(
    conn: AsyncConnection, ids: Collection[EntryId]
) -> Mapping[EntryId, tuple[NamedPerson, ...]]:
    """Whom each of these names, in their order; an entry that names nobody is not in it."""
    if not ids:
        return {}
    found: dict[EntryId, tuple[NamedPerson, ...]] = {}
    for id, name, person_id in await conn.execute(_PEOPLE, {"ids": list(ids)}):
        found[EntryId(id)] = (*found.get(id, ()), NamedPerson(name=name, person_id=person_id))
    return found


async def list_entry_sources(
    conn: AsyncConnection, ids: Collection[EntryId]
) -> Mapping[EntryId, tuple[EntrySource, ...]]:
    """The posts that each of these comes from, whatever became of them, the oldest first."""
    if not ids:
        return {}
    found: dict[EntryId, tuple[EntrySource, ...]] = {}
    for row in await conn.execute(_SOURCES, {"ids": list(ids)}):
        source = EntrySource(**row._mapping)
        found[source.entry_id] = (*found.get(source.entry_id, ()), source)
    return found
