"""What a human must know; `status` shows the open ones."""

from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import Incident
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape
from passerelle.store.tables import incident
from passerelle.store.types import Instant

_SHAPE = Shape(Incident, incident)
_INSERT = upsert(incident, lambda i: i.on_conflict_do_nothing(index_elements=["key"]).returning(incident.c.id))
_LIST_OPEN = select(*_SHAPE.columns).where(incident.c.resolved_at.is_(None)).order_by(incident.c.id)
_LIST_OPEN_OF = _LIST_OPEN.where(incident.c.association == bindparam("association"))
_LIST_UNTOLD = _LIST_OPEN_OF.where(incident.c.told_at.is_(None))
_SET_TOLD = update(incident).where(incident.c.id.in_(bindparam("ids", expanding=True))).values(told_at=bindparam("now"))
_OLDEST_UNTOLD = select(func.min(incident.c.at, type_=Instant)).where(
    incident.c.told_at.is_(None), incident.c.resolved_at.is_(None)
)
_KEYS_OF_KIND = select(incident.c.key).where(
    incident.c.association == bindparam("association"),
    incident.c.link == bindparam("link"),
    incident.c.kind == bindparam("kind"),
)
_RESOLVE_UNTIL = (
    update(incident)
    .where(incident.c.resolved_at.is_(None), incident.c.id <= bindparam("newest"))
    .values(resolved_at=bindparam("now"))
)
_LAST_TOLD = select(func.max(incident.c.told_at, type_=Instant))
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


async def list_untold_incidents(conn: AsyncConnection, association: AssociationName) -> list[Incident]:
    """Open incidents that the coordinators have not been written of, oldest first."""
    return _SHAPE.values((await conn.execute(_LIST_UNTOLD, {"association": association})).all())


async def set_incidents_told(conn: AsyncConnection, ids: list[int], now: datetime) -> None:
    """The coordinators are being written of them in this transaction."""
    await conn.execute(_SET_TOLD, {"ids": ids, "now": now})


async def oldest_untold_at(conn: AsyncConnection) -> datetime | None:
    """When the oldest incident happened that nobody was told of; None where there is none."""
    found: datetime | None = (await conn.execute(_OLDEST_UNTOLD)).scalar_one()
    return found


async def last_told_at(conn: AsyncConnection) -> datetime | None:
    """When coordinators were last written of an incident."""
    found: datetime | None = (await conn.execute(_LAST_TOLD)).scalar_one()
    return found


async def resolve(conn: AsyncConnection, key: str, now: datetime) -> bool:
    """The incident of that key is over; False where there is no open one."""
    return (await conn.execute(_RESOLVE, {"which": key, "now": now})).rowcount == 1


async def resolve_until(conn: AsyncConnection, newest: int, now: datetime) -> int:
    """A human has seen every incident up to that id; how many of them were open."""
    return (await conn.execute(_RESOLVE_UNTIL, {"newest": newest, "now": now})).rowcount


async def list_keys_of_kind(
    conn: AsyncConnection, association: AssociationName, link: LinkName, kind: str
) -> list[str]:
    """Keys of all incidents of a kind on a link, resolved ones too."""
    values = {"association": association, "link": link, "kind": kind}
    return list((await conn.execute(_KEYS_OF_KIND, values)).scalars())
