"""What was opened to more readers, and when both sides were told of it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import Side
from passerelle.core.readership import Opening, OpenTo, What
from passerelle.store.archive_tables import import_run, opening
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape

_SHAPE = Shape(Opening, opening)
_KEY = ["association", "link", "what", "to"]
_OF_LINK = select(*_SHAPE.columns).where(
    opening.c.association == bindparam("association"),
    opening.c.link == bindparam("link"),
    opening.c.cancelled_at.is_(None),
)
_PUT = upsert(
    opening,
    lambda i: i.on_conflict_do_update(
        index_elements=_KEY,
        set_={name: i.excluded[name] for name in ("told_at", "opens_at", "by", "cancelled_at")},
    ),
)
_THIS = (
    opening.c.association == bindparam("in_association"),
    opening.c.link == bindparam("of_link"),
    opening.c.cancelled_at.is_(None),
)
_BEGIN = (
    update(opening)
    .where(*_THIS, opening.c.told_at == bindparam("told"), opening.c.opens_at.is_(None))
    .values(opens_at=bindparam("opens"))
)
_CLOSE = (
    update(opening)
    .where(*_THIS, opening.c.what == bindparam("that"), opening.c.to == bindparam("to_whom"))
    .values(cancelled_at=bindparam("now"))
)
_ANY = select(opening.c.link).where(opening.c.cancelled_at.is_(None)).limit(1)
_SIDES_WITH_PAST = (
    select(import_run.c.side)
    .where(
        import_run.c.association == bindparam("association"),
        import_run.c.link == bindparam("link"),
        import_run.c.imported > 0,
    )
    .distinct()
    .order_by(import_run.c.side)
)


async def has_openings(conn: AsyncConnection) -> bool:
    """Whether anything was ever opened and not closed since, in any association."""
    return (await conn.execute(_ANY)).first() is not None


async def list_openings_of(conn: AsyncConnection, association: AssociationName, link: LinkName) -> list[Opening]:
    """What was opened of a link and not closed since."""
    return _SHAPE.values((await conn.execute(_OF_LINK, {"association": association, "link": link})).all())


async def put_opening(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    *,
    what: What,
    to: OpenTo,
    told_at: datetime,
    opens_at: datetime | None,
) -> None:
    """Both sides are being told; `opens_at` None until the notices have left. What was closed begins anew."""
    values = {
        "association": association,
        "link": link,
        "what": what,
        "to": to,
        "told_at": told_at,
        "opens_at": opens_at,
        "by": "configuration",
        "cancelled_at": None,
    }
    await conn.execute(_PUT(conn), values)


async def begin_delay(
    conn: AsyncConnection, association: AssociationName, link: LinkName, *, told_at: datetime, opens_at: datetime
) -> None:
    """The notices of `told_at` have left: what they told opens then."""
    values = {"in_association": association, "of_link": link, "told": told_at, "opens": opens_at}
    await conn.execute(_BEGIN, values)


async def close_openings(
    conn: AsyncConnection, association: AssociationName, link: LinkName, openings: Collection[Opening], now: datetime
) -> None:
    """Not open any more, nor going to be."""
    for one in openings:
        values = {"in_association": association, "of_link": link, "that": one.what, "to_whom": one.to, "now": now}
        await conn.execute(_CLOSE, values)


async def list_sides_with_past(conn: AsyncConnection, association: AssociationName, link: LinkName) -> list[Side]:
    """Of which sides of a link there is something that was imported."""
    return list((await conn.execute(_SIDES_WITH_PAST, {"association": association, "link": link})).scalars())
