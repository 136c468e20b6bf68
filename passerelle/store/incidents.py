"""What a human must know; `status` shows the open ones."""

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import Incident
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape
from passerelle.store.tables import incident

_SHAPE = Shape(Incident, incident)
_INSERT = upsert(incident, lambda i: i.on_conflict_do_nothing(index_elements=["key"]).returning(incident.c.id))
_LIST_OPEN = select(*_SHAPE.columns).where(incident.c.resolved_at.is_(None)).order_by(incident.c.id)
_LIST_OPEN_OF = _LIST_OPEN.where(incident.c.association == bindparam("association"))
_RESOLVE = (
    update(incident)
    .where(incident.c.key == bindparam("which"), incident.c.resolved_at.is_(None))
    .values(resolved_at=bindparam("now"))
)


async def insert_incident(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName | Literal[""] = "",
    *,
    kind: str,
    key: str,
    detail: str = "",
    at: datetime,
) -> bool:
    """Note an incident once for each `key`; False where it was noted before. `detail`: never a body or an address."""
    values = {"association": association, "link": link, "kind": kind, "key": key, "detail": detail, "at": at}
    return (await conn.execute(_INSERT(conn), values)).first() is not None


async def list_open(conn: AsyncConnection, association: AssociationName | None = None) -> list[Incident]:
    """Incidents that are not resolved, of an association or of all, oldest first."""
    if association is None:
        return _SHAPE.values((await conn.execute(_LIST_OPEN)).all())
    return _SHAPE.values((await conn.execute(_LIST_OPEN_OF, {"association": association})).all())


async def resolve(conn: AsyncConnection, key: str, now: datetime) -> bool:
    """The incident of that key is over; False where there is no open one."""
    return (await conn.execute(_RESOLVE, {"which": key, "now": now})).rowcount == 1
