"""How many of each kind were not relayed, by day: for `status`."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.store.dialects import upsert
from passerelle.store.tables import tally

_COUNT = upsert(
    tally,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "link", "day", "what"], set_={"count": tally.c["count"] + i.excluded["count"]}
    ),
)
_LIST = (
    select(tally.c.association, tally.c.link, tally.c.day, tally.c.what, tally.c["count"].label("counted"))
    .where(tally.c.day >= bindparam("since"))
    .order_by(tally.c.association, tally.c.link, tally.c.day, tally.c.what)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many of `what` there were on a day (UTC)."""

    association: AssociationName
    link: LinkName
    day: date
    what: str
    count: int


async def count(
    conn: AsyncConnection, association: AssociationName, link: str, day: date, what: str, more: int = 1
) -> None:
    """Count `more` of `what` on a day (UTC); `link` is "" where it belongs to none."""
    values = {"association": association, "link": link, "day": day.isoformat()[:10], "what": what, "count": more}
    await conn.execute(_COUNT(conn), values)


async def list_tally(conn: AsyncConnection, since: date) -> list[Tally]:
    """All counts from that day (UTC) on."""
    rows = await conn.execute(_LIST, {"since": since.isoformat()[:10]})
    return [
        Tally(association=r.association, link=r.link, day=date.fromisoformat(r.day), what=r.what, count=r.counted)
        for r in rows
    ]
