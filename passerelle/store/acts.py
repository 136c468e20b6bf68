"""What coordinators did, where all participants can read it (PEOPLE 15). Nothing here is ever changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.store.archive_tables import act
from passerelle.store.rows import Shape, parameters


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAct:
    """`what`: attach, split, undo, hide, show, open, import, erase, roster …"""

    association: AssociationName
    link: LinkName | Literal[""] = ""
    #: Who did it, by name.
    by: str
    what: str
    #: Ids and counts; never a body, never an address.
    about: Mapping[str, Any] | None = None
    #: Aware, UTC.
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Act(NewAct):
    id: int


_SHAPE = Shape(Act, act)
_INSERT = insert(act).returning(act.c.id)
_OF_ASSOCIATION = (
    select(*_SHAPE.columns)
    .where(act.c.association == bindparam("association"))
    .order_by(act.c.id.desc())
    .limit(bindparam("limit"))
)
_OLDER = _OF_ASSOCIATION.where(act.c.id < bindparam("before"))


async def insert_act(conn: AsyncConnection, new: NewAct) -> int:
    """Note what was done, in the transaction that does it; its id."""
    id: int = (await conn.execute(_INSERT, parameters(new))).scalar_one()
    return id


async def list_acts(
    conn: AsyncConnection, association: AssociationName, *, limit: int = 100, before: int | None = None
) -> list[Act]:
    """What was done in an association, the newest first; with `before`, what is older than that act."""
    values: dict[str, Any] = {"association": association, "limit": limit}
    if before is None:
        return _SHAPE.values((await conn.execute(_OF_ASSOCIATION, values)).all())
    return _SHAPE.values((await conn.execute(_OLDER, values | {"before": before})).all())
