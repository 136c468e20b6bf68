"""Corrections and reactions that wait for the next mail of their link: they never cause one of their own."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BatchId, EventId, LinkName, PostId
from passerelle.core.model import Batch, PendingLine
from passerelle.store.batches import add_line, take_out_adopted
from passerelle.store.dialects import upsert
from passerelle.store.rows import parameters
from passerelle.store.tables import pending_line

_INSERT = upsert(pending_line, lambda statement: statement.on_conflict_do_nothing())
_LIST = (
    select(pending_line)
    .where(pending_line.c.association == bindparam("association"), pending_line.c.link == bindparam("in_link"))
    .order_by(pending_line.c.id)
)
_DELETE = delete(pending_line).where(pending_line.c.id.in_(bindparam("ids", expanding=True)))
_REMOVE = delete(pending_line).where(
    pending_line.c.event_id == bindparam("event"),
    pending_line.c.association == bindparam("in_association"),
    pending_line.c.link == bindparam("in_link"),
)
_REMOVE_CORRECTIONS = delete(pending_line).where(
    pending_line.c.post_id == bindparam("which"), pending_line.c.kind == "correction"
)
_REMOVE_OF_POST = delete(pending_line).where(pending_line.c.post_id == bindparam("which"))


async def add_pending_line(conn: AsyncConnection, line: PendingLine) -> None:
    """Keep a correction or a reaction for the next mail; the same event is kept once."""
    await conn.execute(_INSERT(conn), parameters(line))


async def list_pending_authors(conn: AsyncConnection, association: AssociationName, link: LinkName) -> set[str]:
    """User IDs of those whose corrections and reactions wait for this link's next mail."""
    rows = (await conn.execute(_LIST, {"association": association, "in_link": link})).all()
    return {row.author_user_id for row in rows}


async def adopt_pending_lines(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    batch_id: BatchId,
    *,
    except_of: Collection[str] = (),
) -> int:
    """Put what waits for this link's next mail into the batch that leaves now; how many.

    What the users `except_of` said goes on waiting.
    """
    found = (await conn.execute(_LIST, {"association": association, "in_link": link})).all()
    rows: Sequence[Row[Any]] = [row for row in found if row.author_user_id not in except_of]
    for row in rows:
        await add_line(
            conn,
            batch_id,
            kind=row.kind,
            post_id=row.post_id,
            event_id=row.event_id,
            said_at=row.said_at,
            author_name=row.author_name,
            author_user_id=row.author_user_id,
            text=row.text,
        )
    if rows:
        await conn.execute(_DELETE, {"ids": [row.id for row in rows]})
    return len(rows)


async def return_pending_lines(conn: AsyncConnection, batch: Batch) -> None:
    """A batch does not leave after all: its corrections and reactions wait for their link's next mail again."""
    for line in await take_out_adopted(conn, batch.id):
        await add_pending_line(
            conn,
            PendingLine(
                association=batch.association,
                link=batch.link,
                kind=line.kind,
                post_id=line.post_id,
                event_id=line.event_id,
                author_name=line.author_name,
                author_user_id=line.author_user_id,
                text=line.text,
                said_at=line.said_at,
            ),
        )


async def remove_pending_line(
    conn: AsyncConnection, association: AssociationName, link: LinkName, event_id: EventId
) -> bool:
    """A reaction or correction was taken back before it left; False where it does not wait for this link's mail."""
    values = {"event": event_id, "in_association": association, "in_link": link}
    return (await conn.execute(_REMOVE, values)).rowcount > 0


async def remove_pending_corrections(conn: AsyncConnection, post_id: PostId) -> bool:
    """The post reads otherwise by now; whether a correction of it was waiting."""
    return (await conn.execute(_REMOVE_CORRECTIONS, {"which": post_id})).rowcount > 0


async def remove_pending_lines_of_post(conn: AsyncConnection, post_id: PostId) -> None:
    """What was said about a post that is taken back does not leave."""
    await conn.execute(_REMOVE_OF_POST, {"which": post_id})
