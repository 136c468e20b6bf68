"""Lanes: whoever holds a lane's lease is alone in working on its rows, and so keeps their order.

A lane is free where nobody holds it or the lease has run out. Among the free lanes with a due head, the one that was
served longest ago comes first, so that a long backlog in one room keeps no other room waiting.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, bindparam, delete, func, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.dialects import upsert
from passerelle.store.tables import lane as lane_table
from passerelle.store.types import Instant

#: PostgreSQL: how many lanes a claim looks at, so that it finds one that no other daemon is taking right now.
_CANDIDATES = 16
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_IS_FREE = or_(lane_table.c.lease_owner == "", lane_table.c.lease_until <= bindparam("now", type_=Instant))

_TAKE = upsert(
    lane_table,
    lambda i: i.on_conflict_do_update(
        index_elements=["name"],
        set_={"lease_owner": i.excluded.lease_owner, "lease_until": i.excluded.lease_until},
        where=_IS_FREE,
    ).returning(lane_table.c.name),
)
_MAKE = upsert(lane_table, lambda i: i.on_conflict_do_nothing(index_elements=["name"]))
_LOCK_ONE_FREE = (
    select(lane_table.c.name)
    .where(lane_table.c.name.in_(bindparam("names", expanding=True)), _IS_FREE)
    .order_by(lane_table.c.lease_until, lane_table.c.name)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_LEASE = (
    update(lane_table)
    .where(lane_table.c.name == bindparam("lane"))
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"))
)
_RENEW = (
    update(lane_table)
    .where(lane_table.c.name == bindparam("lane"), lane_table.c.lease_owner == bindparam("holder"))
    .values(lease_until=bindparam("until"))
)
#: `lease_until` stays: it tells when the lane was last served.
_RELEASE = (
    update(lane_table)
    .where(lane_table.c.name == bindparam("lane"), lane_table.c.lease_owner == bindparam("holder"))
    .values(lease_owner="")
)
_CLEAR = update(lane_table).where(lane_table.c.lease_owner != "").values(lease_owner="")
_RELEASE_ALL = update(lane_table).where(lane_table.c.lease_owner == bindparam("owner")).values(lease_owner="")
_HOLDERS = select(lane_table.c.lease_owner).where(lane_table.c.lease_owner != "").distinct()
_FORGET = delete(lane_table).where(lane_table.c.lease_owner == "", lane_table.c.lease_until < bindparam("before"))


async def take_lane(conn: AsyncConnection, name: str, owner: str, now: datetime, until: datetime) -> bool:
    """Take a lane's lease where it is free; whether it was."""
    row = (
        await conn.execute(_TAKE(conn), {"name": name, "lease_owner": owner, "lease_until": until, "now": now})
    ).first()
    return row is not None


async def take_one_lane(
    conn: AsyncConnection, names: Sequence[str], *, owner: str, now: datetime, until: datetime
) -> str | None:
    """Take the first of some lanes that is free and that nobody else is taking at this moment; None where none is."""
    if not names:
        return None
    if conn.dialect.name == "sqlite":  # this transaction is the only writer
        for name in names:
            if await take_lane(conn, name, owner, now, until):
                return name
        return None
    await conn.execute(_MAKE(conn), [{"name": n, "lease_owner": "", "lease_until": _NEVER} for n in sorted(names)])
    name_taken: str | None = (await conn.execute(_LOCK_ONE_FREE, {"names": list(names), "now": now})).scalar()
    if name_taken is not None:
        await conn.execute(_LEASE, {"lane": name_taken, "owner": owner, "until": until})
    return name_taken


async def renew_lane(conn: AsyncConnection, name: str, owner: str, until: datetime) -> bool:
    """Lengthen a lease that `owner` holds; False where somebody else has taken the lane since."""
    result = await conn.execute(_RENEW, {"lane": name, "holder": owner, "until": until})
    return result.rowcount == 1


async def release_lane(conn: AsyncConnection, lane: str, owner: str) -> bool:
    """Give back a lane that `owner` holds; False where somebody else has taken it since: theirs it stays."""
    return (await conn.execute(_RELEASE, {"lane": lane, "holder": owner})).rowcount == 1


async def release_lanes_of(conn: AsyncConnection, owner: str) -> None:
    """Give back all that an owner holds: a daemon that stops in order."""
    await conn.execute(_RELEASE_ALL, {"owner": owner})


async def list_holders(conn: AsyncConnection) -> list[str]:
    """Who holds lanes."""
    return list((await conn.execute(_HOLDERS)).scalars())


async def clear_lanes(conn: AsyncConnection) -> None:
    """Give back every lane, whoever held it: where no other daemon can be running."""
    await conn.execute(_CLEAR)


async def delete_old_lanes(conn: AsyncConnection, before: datetime) -> None:
    """Forget the lanes that nobody holds and that were last served before that time."""
    await conn.execute(_FORGET, {"before": before})


def heads_of(queue: Table, in_lane: ColumnElement[bool]) -> Any:
    """The oldest row of each lane of `queue` among those that `in_lane` names, as a CTE with `lane` and `id`.

    A loose index scan: one step for each lane, however long the lanes are. `in_lane` must be the condition of the
    queue's `ix_…_head` index, literally.
    """
    first = select(func.min(queue.c.lane).label("lane")).where(in_lane)
    names = first.cte("names", recursive=True)
    following = select(func.min(queue.c.lane)).where(in_lane, queue.c.lane > names.c.lane).scalar_subquery()
    names = names.union_all(select(following).where(names.c.lane.is_not(None)))
    head = select(func.min(queue.c.id)).where(in_lane, queue.c.lane == names.c.lane).scalar_subquery()
    return select(names.c.lane, head.label("id")).where(names.c.lane.is_not(None)).cte("heads")


def free_lanes(queue: Table, in_lane: ColumnElement[bool]) -> Select[tuple[str]]:
    """The lanes of `queue` that are free, with a head that waits and is due.

    Parameters of the statement: `now`, `excluded` (names of lanes not to look at).
    """
    heads = heads_of(queue, in_lane)
    return (
        select(heads.c.lane)
        .join(queue, queue.c.id == heads.c.id)
        .join(lane_table, lane_table.c.name == heads.c.lane, isouter=True)
        .where(
            queue.c.state == "waiting",
            queue.c.due_at <= bindparam("now", type_=Instant),
            heads.c.lane.not_in(bindparam("excluded", expanding=True)),
            or_(lane_table.c.name.is_(None), _IS_FREE),
        )
        .order_by(func.coalesce(lane_table.c.lease_until, literal(0)), heads.c.id)
        .limit(_CANDIDATES)
    )


def due_prefix(rows: Sequence[Any], now: datetime) -> int | None:
    """The id of the last row of a lane that may be claimed now: from its head on, without a gap. Rows by id.

    Only the head where it was tried twice: see `Claims.claim`.
    """
    last: int | None = None
    for row in rows:
        if row.state != "waiting" or row.due_at > now:
            break
        last = row.id
        if row.attempts > 1:
            break
    return last
