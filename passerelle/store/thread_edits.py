"""What humans changed in the trees of conversations. An edit is never deleted: it is undone, and that is noted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, PostId
from passerelle.store.archive_tables import thread_edit
from passerelle.store.rows import Shape, parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class NewThreadEdit:
    association: AssociationName
    kind: Literal["attach", "split"]
    post_id: PostId
    #: What it was attached to.
    parent_post_id: PostId | None = None
    #: Who did it, by name.
    by: str
    #: Aware, UTC.
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadEdit(NewThreadEdit):
    id: int
    undone_at: datetime | None


_SHAPE = Shape(ThreadEdit, thread_edit)
_INSERT = insert(thread_edit).returning(thread_edit.c.id)
_GET = select(*_SHAPE.columns).where(thread_edit.c.id == bindparam("which"))
_UNDO = (
    update(thread_edit)
    .where(thread_edit.c.id == bindparam("which"), thread_edit.c.undone_at.is_(None))
    .values(undone_at=bindparam("now"))
)
_LIST = (
    select(*_SHAPE.columns)
    .where(thread_edit.c.association == bindparam("association"))
    .order_by(thread_edit.c.id.desc())
    .limit(bindparam("limit"))
)


async def insert_thread_edit(conn: AsyncConnection, new: NewThreadEdit) -> int:
    """Note an edit; its id. The last one of a post that was not undone is in force."""
    id: int = (await conn.execute(_INSERT, parameters(new))).scalar_one()
    return id


async def find_thread_edit(conn: AsyncConnection, id: int) -> ThreadEdit | None:
    """The edit of that id."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else _SHAPE.value(row)


async def undo_thread_edit(conn: AsyncConnection, id: int, now: datetime) -> bool:
    """An edit is in force no longer; False where it was not."""
    return (await conn.execute(_UNDO, {"which": id, "now": now})).rowcount == 1


async def list_thread_edits(
    conn: AsyncConnection, association: AssociationName, *, limit: int = 100
) -> list[ThreadEdit]:
    """Edits of an association, undone ones too, the newest first."""
    rows = (await conn.execute(_LIST, {"association": association, "limit": limit})).all()
    return _SHAPE.values(rows)
