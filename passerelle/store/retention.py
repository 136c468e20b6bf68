"""What is older than it may be kept, and how much there is of each class."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.store.blobs import delete_unreferenced_blob
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.tables import attachment, inbox, incident, outbox, post, tally

_NIGHT = "retained:"


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """How much there is, and how much of it is older than the limit."""

    count: int
    over: int


async def find_night(conn: AsyncConnection, association: AssociationName) -> date | None:
    """The night whose work was done last."""
    found = await find_meta(conn, _NIGHT + association)
    return None if found is None else date.fromisoformat(found)


async def set_night(conn: AsyncConnection, association: AssociationName, night: date) -> None:
    """The work of that night is done."""
    await set_meta(conn, _NIGHT + association, night.isoformat())


async def list_old_posts(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime, limit: int
) -> list[PostId]:
    """Posts said before then of which something is kept, the oldest first."""
    statement = (
        select(post.c.id)
        .where(
            post.c.association == association, post.c.link == link, post.c.said_at < before, post.c.state != "erased"
        )
        .order_by(post.c.said_at, post.c.id)
        .limit(limit)
    )
    return [PostId(id) for id in (await conn.execute(statement)).scalars()]


async def list_posts_with_old_files(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime, limit: int
) -> list[PostId]:
    """Posts said before then of which a file is kept."""
    statement = (
        select(post.c.id)
        .where(
            post.c.association == association,
            post.c.link == link,
            post.c.said_at < before,
            post.c.id.in_(select(attachment.c.post_id).where(attachment.c.blob_hash.is_not(None))),
        )
        .order_by(post.c.id)
        .limit(limit)
    )
    return [PostId(id) for id in (await conn.execute(statement)).scalars()]


async def amount_of_posts(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime | None
) -> Amount:
    """Posts of a link of which something is kept."""
    mine = (post.c.association == association, post.c.link == link, post.c.state != "erased")
    return await _amount(conn, select(func.count()).select_from(post).where(*mine), post.c.said_at, before)


async def amount_of_files(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime | None
) -> Amount:
    """Files of a link's posts that are kept."""
    counted = (
        select(func.count())
        .select_from(attachment)
        .join(post, post.c.id == attachment.c.post_id)
        .where(post.c.association == association, post.c.link == link, attachment.c.blob_hash.is_not(None))
    )
    return await _amount(conn, counted, post.c.said_at, before)


async def amount_of_arrivals(conn: AsyncConnection, lane: str, before: datetime | None) -> Amount:
    """What arrived for a link and is done with."""
    counted = select(func.count()).select_from(inbox).where(inbox.c.lane == lane, inbox.c.state == "done")
    return await _amount(conn, counted, inbox.c.received_at, before)


async def _amount(conn: AsyncConnection, counted: Select[Any], column: Column[Any], before: datetime | None) -> Amount:
    count = (await conn.execute(counted)).scalar_one()
    over = 0 if before is None else (await conn.execute(counted.where(column < before))).scalar_one()
    return Amount(count=count, over=over)


async def forget_old_arrivals(conn: AsyncConnection, lanes: Sequence[str], before: datetime, limit: int) -> int:
    """Arrivals that no post came of go; of the others only that they arrived is kept. How many were looked at."""
    old = (
        select(inbox.c.id, inbox.c.raw_hash)
        .where(inbox.c.lane.in_(lanes), inbox.c.state == "done", inbox.c.received_at < before)
        .where(
            inbox.c.raw_hash.is_not(None)
            | inbox.c.envelope_from.is_not(None)
            | ~select(post.c.id).where(post.c.inbox_id == inbox.c.id).exists()
        )
        .order_by(inbox.c.id)
        .limit(limit)
    )
    rows = (await conn.execute(old)).all()
    ids = [row.id for row in rows]
    if not ids:
        return 0
    await conn.execute(update(inbox).where(inbox.c.id.in_(ids)).values(raw_hash=None, envelope_from=None))
    of_posts = select(post.c.id).where(post.c.inbox_id == inbox.c.id).exists()
    await conn.execute(delete(inbox).where(inbox.c.id.in_(ids), ~of_posts))
    for one in sorted({row.raw_hash for row in rows if row.raw_hash is not None}):
        await delete_unreferenced_blob(conn, one)
    return len(ids)


async def forget_old_departures(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime, limit: int
) -> int:
    """Of what left, only that it left is kept. How many rows there were to clean."""
    old = (
        select(outbox.c.id, outbox.c.raw_hash, outbox.c.upload_hash)
        .where(
            outbox.c.association == association,
            outbox.c.link == link,
            outbox.c.state.in_(("sent", "cancelled")),
            outbox.c.created_at < before,
            outbox.c.raw_hash.is_not(None)
            | outbox.c.content.is_not(None)
            | outbox.c.upload_hash.is_not(None)
            | outbox.c.ghost.is_not(None),
        )
        .order_by(outbox.c.id)
        .limit(limit)
    )
    rows = (await conn.execute(old)).all()
    gone = {"raw_hash": None, "content": None, "upload_hash": None, "ghost": None, "last_error": ""}
    await conn.execute(update(outbox).where(outbox.c.id.in_([row.id for row in rows])).values(gone))
    for one in sorted({hash for row in rows for hash in (row.raw_hash, row.upload_hash) if hash is not None}):
        await delete_unreferenced_blob(conn, one)
    return len(rows)


async def forget_old_notes(
    conn: AsyncConnection, association: AssociationName, link: LinkName, before: datetime
) -> None:
    """Counts of what was not relayed, and incidents that are over."""
    mine = (tally.c.association == association, tally.c.link == link)
    await conn.execute(delete(tally).where(*mine, tally.c.day < before.date().isoformat()))
    over = (incident.c.association == association, incident.c.link == link, incident.c.resolved_at < before)
    await conn.execute(delete(incident).where(*over))
