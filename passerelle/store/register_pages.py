"""What the register's pages show beside its entries: how many there are of each kind, which labels and years."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.store.register_lists import EntryFilter, chosen
from passerelle.store.secretary_tables import entry
from passerelle.store.tables import post
from passerelle.store.types import Instant

_STANDING = select(post.c.id).where(
    post.c.id.in_(bindparam("ids", expanding=True)), post.c.state == literal_column("'accepted'")
)


async def standing_posts(conn: AsyncConnection, ids: Collection[PostId]) -> frozenset[PostId]:
    """Those of these posts that stand: what was said in the others is not shown any more, wherever it was noted."""
    if not ids:
        return frozenset()
    return frozenset(PostId(id) for id in (await conn.execute(_STANDING, {"ids": sorted(ids)})).scalars())


async def count_kinds(conn: AsyncConnection, association: AssociationName, wanted: EntryFilter) -> dict[str, int]:
    """How many entries of each kind a filter finds, whatever kind and state it asks for."""
    every = replace(wanted, kinds=(), states=())
    statement = chosen(select(entry.c.kind, func.count()), association, every).group_by(entry.c.kind)
    return {kind: number for kind, number in await conn.execute(statement)}


async def list_labels(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName], *, limit: int
) -> list[str]:
    """Labels of what may be shown in these links, those that stand most often; each as it was written first."""
    number, first = func.count(), func.min(entry.c.label)
    statement = (
        chosen(select(first), association, EntryFilter(links=links))
        .where(entry.c.label_folded != "")
        .group_by(entry.c.label_folded)
        .order_by(number.desc(), entry.c.label_folded)
        .limit(limit)
    )
    return list((await conn.execute(statement)).scalars())


async def span_of_entries(
    conn: AsyncConnection, association: AssociationName, links: Collection[LinkName]
) -> tuple[datetime, datetime] | None:
    """When the first and the last entry was said that may be shown in these links; None where there is none."""
    first, last = func.min(entry.c.said_at, type_=Instant()), func.max(entry.c.said_at, type_=Instant())
    row = (await conn.execute(chosen(select(first, last), association, EntryFilter(links=links)))).one()
    return None if row[0] is None else (row[0], row[1])
