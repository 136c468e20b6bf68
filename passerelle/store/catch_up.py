"""Until when somebody knows what happened: what they were told last, and what they wrote themselves."""

from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.digest_tables import digest
from passerelle.store.tables import post
from passerelle.store.types import Instant

_TOLD = select(func.max(digest.c.until, type_=Instant())).where(
    digest.c.person_id == bindparam("who"), digest.c.association == bindparam("association")
)
_WROTE = select(func.max(post.c.said_at, type_=Instant())).where(
    post.c.person_id == bindparam("who"), post.c.association == bindparam("association"), post.c.state == "accepted"
)


async def find_last_known_at(conn: AsyncConnection, association: AssociationName, person_id: int) -> datetime | None:
    """The end of a person's last digest or catch-up, or when they wrote last, whichever is later; None: neither."""
    values = {"who": person_id, "association": association}
    found = [(await conn.execute(statement, values)).scalar_one() for statement in (_TOLD, _WROTE)]
    return max((at for at in found if at is not None), default=None)
