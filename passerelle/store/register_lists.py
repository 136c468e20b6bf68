"""Lists of the register's entries. An entry is shown while something that it was read out of is: see `SHOWN`.

Which of them both sides are to be told of: `register_notices`.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, literal_column, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import AssociationName, LinkName, MeetingId
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import FIRST_STATES
from passerelle.store.register import SHAPE, folded_label
from passerelle.store.secretary_tables import entry, entry_change, entry_person, entry_source
from passerelle.store.tables import post
from passerelle.store.types import Instant, LocalDay

Order = Literal["newest", "oldest", "number", "due"]

#: States of a post that was taken back or hidden: what was read out of it is not shown either. An erased one is not
#: among them: its entries were erased with it, or stand because a decision or minutes hold them.
TAKEN_BACK = ("kept_back", "withdrawn", "redacted", "hidden")
# Literals, as the partial indices have them.
#: Actions and loans that are not done or given back: what has a day by which somebody does so.
_AWAITED = (
    entry.c.state.in_([literal_column(f"'{FIRST_STATES[kind]}'") for kind in ("action", "loan")]),
    entry.c.kind.in_(["action", "loan"]),
)


def _shown() -> ColumnElement[bool]:
    sources = select(entry_source.c.post_id).where(
        entry_source.c.entry_id == entry.c.id, entry_source.c.role == "source"
    )
    shown = sources.join(post, post.c.id == entry_source.c.post_id).where(post.c.state.not_in(TAKEN_BACK))
    # Of a line that was no post the words alone are taken back: see `register_said`.
    return and_(or_(~sources.exists(), shown.exists()), or_(entry.c.said_key_hash.is_(None), entry.c.text != ""))


#: The condition over `entry` that it may be shown: it comes from no post, or from one that was not taken back.
SHOWN = _shown()


@dataclass(frozen=True, kw_only=True, slots=True)
class Became:
    """That came into a state from `since` on and before `until` (aware), whatever became of them since."""

    state: str
    since: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryFilter:
    """Which entries of an association; what is None or empty asks for nothing."""

    #: Those of these links only, which the reader reads; None: of all.
    links: Collection[LinkName] | None = None
    kinds: Collection[str] = ()
    states: Collection[str] = ()
    #: Whom they name.
    person_id: int | None = None
    #: Who said them.
    author_person_id: int | None = None
    meeting_id: MeetingId | None = None
    label: str = ""
    #: Said from `since` on and before `until` (aware).
    since: datetime | None = None
    until: datetime | None = None
    became: Became | None = None
    #: Due, or beginning, from that day on, up to that day.
    due_from: date | None = None
    due_to: date | None = None
    #: Words that stand in the text or the label, as they are, without accents and capitals.
    words: str = ""


#: For each field of a filter, the condition that a value of it makes.
_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "kinds": lambda kinds: entry.c.kind.in_(sorted(kinds)),
    "states": lambda states: entry.c.state.in_(sorted(states)),
    "person_id": lambda who: entry.c.id.in_(select(entry_person.c.entry_id).where(entry_person.c.person_id == who)),
    "author_person_id": lambda who: entry.c.author_person_id == who,
    "meeting_id": lambda meeting: entry.c.meeting_id == meeting,
    "label": lambda label: entry.c.label_folded == folded_label(label),
    "since": lambda instant: entry.c.said_at >= instant,
    "until": lambda instant: entry.c.said_at < instant,
    "became": lambda became: entry.c.id.in_(
        select(entry_change.c.entry_id).where(
            entry_change.c.at >= became.since,
            entry_change.c.at < became.until,
            entry_change.c.after_state == became.state,
            entry_change.c.before_state != became.state,
        )
    ),
    "due_from": lambda day: entry.c.due_on >= day,
    "due_to": lambda day: entry.c.due_on <= day,
    "words": lambda words: and_(true(), *(_holds(word) for word in fold(words).split())),
}

_ORDERS: dict[Order, tuple[Any, ...]] = {
    "newest": (entry.c.said_at.desc(), entry.c.id.desc()),
    "oldest": (entry.c.said_at, entry.c.id),
    "number": (entry.c.number,),
    # Without a day last: neither database sorts NULL as the other.
    "due": (entry.c.due_on.is_(None), entry.c.due_on, entry.c.due_at.is_not(None), entry.c.due_at, entry.c.number),
}


def _holds(word: str) -> ColumnElement[bool]:
    columns = (entry.c.folded, entry.c.label_folded)
    return or_(*(column.contains(word, autoescape=True) for column in columns))


def chosen(columns: Select[Any], association: AssociationName, wanted: EntryFilter) -> Select[Any]:
    """A selection over `entry`, of those that a filter asks for and that may be shown."""
    statement = columns.where(entry.c.association == association, SHOWN)
    if wanted.links is not None:
        statement = statement.where(entry.c.link.in_(sorted(wanted.links)))
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None and value != "" and value != ():
            statement = statement.where(condition(value))
    return statement


_IN_ASSOCIATION = entry.c.association == bindparam("association")
_ALL = select(*SHAPE.columns)
_BY_NUMBER = _ALL.where(
    _IN_ASSOCIATION, entry.c.number == bindparam("number"), entry.c.link.in_(bindparam("links", expanding=True)), SHOWN
)
_DUE = _ALL.where(_IN_ASSOCIATION, *_AWAITED, SHOWN).order_by(entry.c.due_on, entry.c.number)
_TO_REMIND = _DUE.where(
    entry.c.due_on <= bindparam("day", type_=LocalDay()),
    or_(entry.c.reminded_at.is_(None), entry.c.reminded_at < bindparam("since", type_=Instant())),
)
_OVERDUE = _DUE.where(entry.c.due_on < bindparam("day", type_=LocalDay()))
_NEXT_DUE_DAYS = (
    select(entry.c.association, entry.c.link, func.min(entry.c.due_on, type_=LocalDay()))
    .where(entry.c.due_on.is_not(None), entry.c.reminded_at.is_(None), *_AWAITED, SHOWN)
    .group_by(entry.c.association, entry.c.link)
)
_TO_REVIEW = _ALL.where(
    _IN_ASSOCIATION,
    entry.c.kind == "decision",
    entry.c.state == "adopted",
    entry.c.review_on <= bindparam("day", type_=LocalDay()),
    SHOWN,
).order_by(entry.c.review_on, entry.c.number)
_WINDOW_ENDED = (
    entry.c.kind == "decision",
    entry.c.state == literal_column("'proposed'"),  # as the partial index has it
    entry.c.open_until.is_not(None),
    # Once: when it ended.
    or_(entry.c.reminded_at.is_(None), entry.c.reminded_at < entry.c.open_until),
    SHOWN,
)
_TO_DECIDE = _ALL.where(*_WINDOW_ENDED, entry.c.open_until <= bindparam("now", type_=Instant())).order_by(
    entry.c.association, entry.c.number
)
_NEXT_TO_DECIDE = select(func.min(entry.c.open_until, type_=Instant())).where(*_WINDOW_ENDED)


async def list_entries(
    conn: AsyncConnection,
    association: AssociationName,
    wanted: EntryFilter,
    *,
    order: Order = "newest",
    limit: int = 200,
    offset: int = 0,
) -> list[Entry]:
    """Entries that may be shown."""
    statement = chosen(_ALL, association, wanted).order_by(*_ORDERS[order]).limit(limit).offset(offset)
    return SHAPE.values((await conn.execute(statement)).all())


async def count_entries(conn: AsyncConnection, association: AssociationName, wanted: EntryFilter) -> int:
    """How many entries there are that may be shown."""
    counted: int = (
        await conn.execute(chosen(select(func.count()).select_from(entry), association, wanted))
    ).scalar_one()
    return counted


async def find_shown_entry(
    conn: AsyncConnection, association: AssociationName, number: int, links: Collection[LinkName]
) -> Entry | None:
    """The entry of that number, where it may be shown to a reader of these links."""
    values = {"association": association, "number": number, "links": sorted(links)}
    row = (await conn.execute(_BY_NUMBER, values)).first()
    return None if row is None else SHAPE.value(row)


async def list_due_actions(
    conn: AsyncConnection, association: AssociationName, *, on_or_before: date, not_reminded_since: datetime
) -> list[Entry]:
    """Actions and loans that stand and are due by that day, and of which nobody was reminded since then."""
    values = {"association": association, "day": on_or_before, "since": not_reminded_since}
    return SHAPE.values((await conn.execute(_TO_REMIND, values)).all())


async def next_due_days(conn: AsyncConnection) -> dict[tuple[AssociationName, LinkName], date]:
    """The same of every link in which something is due of which nobody was reminded yet."""
    return {(AssociationName(a), LinkName(link)): day for a, link, day in await conn.execute(_NEXT_DUE_DAYS)}


async def list_overdue(conn: AsyncConnection, association: AssociationName, *, before: date) -> list[Entry]:
    """Actions and loans that stand and were due before that day, the longest overdue first."""
    return SHAPE.values((await conn.execute(_OVERDUE, {"association": association, "day": before})).all())


async def list_to_review(conn: AsyncConnection, association: AssociationName, *, on_or_before: date) -> list[Entry]:
    """Decisions that are to be looked at again by that day."""
    return SHAPE.values((await conn.execute(_TO_REVIEW, {"association": association, "day": on_or_before})).all())


async def list_decisions_to_remind(conn: AsyncConnection, now: datetime) -> list[Entry]:
    """Proposed decisions of every association whose time to object has ended, and nobody was reminded since."""
    return SHAPE.values((await conn.execute(_TO_DECIDE, {"now": now})).all())


async def next_decision_at(conn: AsyncConnection) -> datetime | None:
    """When the next proposed decision's time to object ends, or ended, that nobody was reminded of."""
    found: datetime | None = (await conn.execute(_NEXT_TO_DECIDE)).scalar_one()
    return found
