"""Where each source stands. A cursor moves only from the value that its mover believes it has."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.tables import cursor
from passerelle.store.types import Instant

_FIND = select(cursor.c.value).where(cursor.c.source == bindparam("source"))
_INSERT = upsert(cursor, lambda i: i.on_conflict_do_nothing(index_elements=["source"]).returning(cursor.c.source))
_MOVE = (
    update(cursor)
    .where(cursor.c.source == bindparam("which"), cursor.c.value == bindparam("before"))
    .values(value=bindparam("after"), updated_at=bindparam("now"))
)
_LAST_MOVED = select(func.max(cursor.c.updated_at, type_=Instant))


class StaleCursor(StoreError):
    """Somebody else moved the cursor."""


async def find_cursor(conn: AsyncConnection, source: str) -> str | None:
    """Where a source stands; None where it was never read."""
    return (await conn.execute(_FIND, {"source": source})).scalar_one_or_none()


async def move_cursor(conn: AsyncConnection, source: str, *, before: str | None, after: str, now: datetime) -> None:
    """Move a source's cursor from `before` (None: it has none yet) to `after`.

    Raises StaleCursor where another value stands there: what came with it must not be stored.
    """
    if before is None:
        moved = (await conn.execute(_INSERT(conn), {"source": source, "value": after, "updated_at": now})).first()
        done = moved is not None
    else:
        values = {"which": source, "before": before, "after": after, "now": now}
        done = (await conn.execute(_MOVE, values)).rowcount == 1
    if not done:
        raise StaleCursor(f"The cursor of {source} is not where it was believed to be.")


async def last_moved_at(conn: AsyncConnection) -> datetime | None:
    """When any cursor moved last: what happened later, this store does not know."""
    found: datetime | None = (await conn.execute(_LAST_MOVED)).scalar_one()
    return found
