"""Runs of an import: how far each came, and what it did not take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import Side
from passerelle.store.archive_tables import import_refusal, import_run
from passerelle.store.rows import Shape, parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class NewImportRun:
    association: AssociationName
    link: LinkName
    #: Whose past it is.
    side: Side
    #: What was named on the command line, absolute; a room's past: its ID.
    source: str
    format: str
    started_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRun(NewImportRun):
    id: int
    #: None: under way, or interrupted.
    ended_at: datetime | None
    #: Where the source is read on; its own business.
    position: Any | None
    read: int
    imported: int
    known: int
    refused: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportRefusal:
    """Something that was not taken: where it stands, and why (an English sentence that the command translates)."""

    place: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What came of some mails or events. They are added to what the run has counted."""

    #: The run goes on after this; None leaves it where it is.
    position: Any | None
    read: int = 0
    imported: int = 0
    known: int = 0
    refused: int = 0


_SHAPE = Shape(ImportRun, import_run)
_REFUSAL = Shape(ImportRefusal, import_refusal)
_INSERT = insert(import_run).returning(import_run.c.id)
_GET = select(*_SHAPE.columns).where(import_run.c.id == bindparam("which"))
_OPEN = (
    select(*_SHAPE.columns)
    .where(
        import_run.c.association == bindparam("association"),
        import_run.c.link == bindparam("link"),
        import_run.c.source == bindparam("source"),
        import_run.c.side == bindparam("of_side"),
        import_run.c.format == bindparam("of_format"),
        import_run.c.ended_at.is_(None),
    )
    .order_by(import_run.c.id.desc())
    .limit(1)
)
_ADD = {name: import_run.c[name] + bindparam(f"more_{name}") for name in ("read", "imported", "known", "refused")}
_COUNT = update(import_run).where(import_run.c.id == bindparam("which")).values(**_ADD)
_ADVANCE = _COUNT.values(position=bindparam("goes_on_after"))
_END = update(import_run).where(import_run.c.id == bindparam("which")).values(ended_at=bindparam("now"))
_INSERT_REFUSAL = insert(import_refusal)
_OF_RUN = import_refusal.c.run_id == bindparam("run_id")
_BY_REASON = (
    select(import_refusal.c.reason, func.count(), func.min(import_refusal.c.id))
    .where(_OF_RUN)
    .group_by(import_refusal.c.reason)
    .order_by(func.count().desc(), import_refusal.c.reason)
)
_PAGE = (
    select(*_REFUSAL.columns, import_refusal.c.id)
    .where(_OF_RUN, import_refusal.c.id > bindparam("after"))
    .order_by(import_refusal.c.id)
    .limit(bindparam("limit"))
)
_EXAMPLES = (
    select(import_refusal.c.place)
    .where(_OF_RUN, import_refusal.c.reason == bindparam("why"))
    .order_by(import_refusal.c.id)
    .limit(bindparam("limit"))
)


async def insert_import_run(conn: AsyncConnection, new: NewImportRun) -> int:
    """Begin a run; its id."""
    return int((await conn.execute(_INSERT, parameters(new))).scalar_one())


async def get_import_run(conn: AsyncConnection, id: int) -> ImportRun:
    """The run of that id, which stands."""
    return _SHAPE.value((await conn.execute(_GET, {"which": id})).one())


async def find_interrupted_run(conn: AsyncConnection, like: NewImportRun) -> ImportRun | None:
    """The last run of the same source into the same link that did not come to its end."""
    values = {
        "association": like.association,
        "link": like.link,
        "source": like.source,
        "of_side": like.side,
        "of_format": like.format,
    }
    row = (await conn.execute(_OPEN, values)).first()
    return None if row is None else _SHAPE.value(row)


async def advance_import_run(conn: AsyncConnection, id: int, progress: Progress) -> None:
    """Note what came of the next part of the source, in the transaction that stores it."""
    values: dict[str, Any] = {"which": id}
    values |= {f"more_{name}": getattr(progress, name) for name in _ADD}
    if progress.position is None:
        await conn.execute(_COUNT, values)
    else:
        await conn.execute(_ADVANCE, values | {"goes_on_after": progress.position})


async def end_import_run(conn: AsyncConnection, id: int, now: datetime) -> None:
    """The source was read to its end."""
    await conn.execute(_END, {"which": id, "now": now})


async def insert_import_refusals(conn: AsyncConnection, run_id: int, refusals: Sequence[ImportRefusal]) -> None:
    """Note what was not taken, in the transaction that counts it."""
    if refusals:
        await conn.execute(_INSERT_REFUSAL, [parameters(one) | {"run_id": run_id} for one in refusals])


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusalGroup:
    reason: str
    count: int
    #: The first places.
    examples: tuple[str, ...]


async def group_import_refusals(conn: AsyncConnection, run_id: int, *, examples: int = 3) -> list[RefusalGroup]:
    """What a run refused by reason, the most frequent first, each with its first places."""
    groups = []
    for reason, count, _first in (await conn.execute(_BY_REASON, {"run_id": run_id})).all():
        places = await conn.execute(_EXAMPLES, {"run_id": run_id, "why": reason, "limit": examples})
        groups.append(RefusalGroup(reason=reason, count=count, examples=tuple(places.scalars())))
    return groups


async def page_import_refusals(
    conn: AsyncConnection, run_id: int, *, after: int = 0, limit: int = 1000
) -> tuple[list[ImportRefusal], int]:
    """Some refusals in their order, and what to give as `after` for the next ones; none at the end."""
    rows = (await conn.execute(_PAGE, {"run_id": run_id, "after": after, "limit": limit})).all()
    return _REFUSAL.values(rows), rows[-1][-1] if rows else after
