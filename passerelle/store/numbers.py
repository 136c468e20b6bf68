"""Numbers that members use (« fait 12 »): counted in each association, given once, never again."""

from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.dialects import upsert
from passerelle.store.secretary_tables import number

_NEXT = upsert(
    number,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "what"], set_={"last": number.c.last + 1}
    ).returning(number.c.last),
)


async def next_number(
    conn: AsyncConnection, association: AssociationName, what: Literal["entry", "meeting", "reminder", "fiche"]
) -> int:
    """The next number, from 1 on. Until this transaction ends no other one is given a number of that kind there."""
    values = {"association": association, "what": what, "last": 1}
    found: int = (await conn.execute(_NEXT(conn), values)).scalar_one()
    return found
