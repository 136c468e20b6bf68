"""Until when somebody knows what happened, and what of a catch-up that was kept they may still read."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, PostId
from passerelle.core.shelves import Shelf
from passerelle.store.digest_tables import digest
from passerelle.store.on_shelves import on_shelves, shelf_values
from passerelle.store.tables import post
from passerelle.store.types import Instant

_TOLD = select(func.max(digest.c.until, type_=Instant())).where(
    digest.c.person_id == bindparam("who"), digest.c.association == bindparam("association")
)
_WROTE = select(func.max(post.c.said_at, type_=Instant())).where(
    post.c.person_id == bindparam("who"), post.c.association == bindparam("association"), post.c.state == "accepted"
)
_READABLE = select(post.c.id).where(
    post.c.id.in_(bindparam("ids", expanding=True)), post.c.state == "accepted", on_shelves()
)


async def find_last_known_at(conn: AsyncConnection, association: AssociationName, person_id: int) -> datetime | None:
    """The end of a person's last digest or catch-up, or when they wrote last, whichever is later; None: neither."""
    values = {"who": person_id, "association": association}
    found = [(await conn.execute(statement, values)).scalar_one() for statement in (_TOLD, _WROTE)]
    return max((at for at in found if at is not None), default=None)


async def list_readable(
    conn: AsyncConnection, ids: Collection[PostId], shelves: Collection[Shelf]
) -> frozenset[PostId]:
    """Which of these posts stand on one of these shelves, and are not hidden."""
    if not ids:
        return frozenset()
    found = await conn.execute(_READABLE, {"ids": sorted(ids), **shelf_values(shelves)})
    return frozenset(PostId(id) for id in found.scalars())
