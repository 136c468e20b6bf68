"""Shared things: what is booked when, and who has what."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, bindparam, func, literal_column, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import FIRST_STATES
from passerelle.store.register import SHAPE, folded_label
from passerelle.store.register_lists import SHOWN
from passerelle.store.secretary_tables import entry
from passerelle.store.types import Words

_OF_THING = (
    entry.c.association == bindparam("association"),
    entry.c.label_folded == bindparam("thing"),
    # Literals, as the partial index has them.
    entry.c.state.in_([literal_column(f"'{FIRST_STATES[kind]}'") for kind in ("booking", "loan")]),
)


def _wall_clock(day: ColumnElement[Any], time_column: Column[Any], otherwise: str) -> ColumnElement[str]:
    """`2026-11-12T18:30`, as text: days and times stand as text of one length, so they compare as what they mean."""
    time = func.coalesce(type_coerce(time_column, Words()), literal_column(f"'{otherwise}'"), type_=Words())
    return type_coerce(day, Words()).concat(literal_column("'T'", Words())).concat(time)


# A booking without a time takes the whole day; one without an end lasts until the end of its day: « 24:00 » comes
# behind every time of that day and before the next.
_BEGINS = _wall_clock(entry.c.due_on, entry.c.due_at, "00:00")
_ENDS = _wall_clock(func.coalesce(entry.c.until_on, entry.c.due_on), entry.c.until_at, "24:00")
_OVERLAPPING = (
    select(*SHAPE.columns)
    .where(
        *_OF_THING,
        entry.c.kind == "booking",
        SHOWN,
        entry.c.due_on.is_not(None),
        bindparam("ends", type_=Words()) > _BEGINS,
        bindparam("begins", type_=Words()) < _ENDS,
    )
    .order_by(_BEGINS, entry.c.number)
)
_OPEN_LOAN = (
    select(*SHAPE.columns)
    .where(*_OF_THING, entry.c.kind == "loan")
    .order_by(entry.c.created_at.desc(), entry.c.number.desc())
    .limit(1)
)


async def find_overlapping_bookings(
    conn: AsyncConnection, association: AssociationName, label: str, begins: datetime, ends: datetime
) -> list[Entry]:
    """Bookings of a thing that stand, are shown and share any time with `begins` to `ends`, by their beginning.

    Both are naive: the wall clock of the association's zone, `ends` not included. `core.register_moves.clashes` says
    the same of entries at hand.
    """
    values = {
        "association": association,
        "thing": folded_label(label),
        "begins": begins.isoformat(timespec="minutes"),
        "ends": ends.isoformat(timespec="minutes"),
    }
    return SHAPE.values((await conn.execute(_OVERLAPPING, values)).all())


async def find_open_loan(conn: AsyncConnection, association: AssociationName, label: str) -> Entry | None:
    """The loan of a thing that has not been given back, the latest where there are several."""
    values = {"association": association, "thing": folded_label(label)}
    row = (await conn.execute(_OPEN_LOAN, values)).first()
    return None if row is None else SHAPE.value(row)
