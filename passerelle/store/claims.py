"""Claiming the due rows at the head of one free lane; the inbox and the outbox do it alike."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Table, bindparam, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store import lanes
from passerelle.store.engine import Store
from passerelle.store.rows import Shape
from passerelle.store.tables import lane as lane_table
from passerelle.store.types import Instant

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Who claims, when, for how long, and how much."""

    owner: str
    now: datetime
    lease_seconds: float
    limit: int
    exclude_lanes: Collection[str]


class Claims(Generic[T]):
    """The statements that claim from one queue, built once."""

    def __init__(
        self, queue: Table, shape: Shape[T], *, in_lane: ColumnElement[bool], counted: Mapping[str, Any] | None = None
    ) -> None:
        """`in_lane`: the literal condition of the queue's head index. `counted`: set besides the attempt."""
        self._shape = shape
        self._free = lanes.free_lanes(queue, in_lane)
        self._head = (
            select(queue.c.id, queue.c.state, queue.c.due_at, queue.c.attempts)
            .where(in_lane, queue.c.lane == bindparam("which"))
            .order_by(queue.c.id)
            .limit(bindparam("limit"))
        )
        self._count = (
            update(queue)
            .where(in_lane, queue.c.lane == bindparam("which"), queue.c.id <= bindparam("last"))
            .values({"attempts": queue.c.attempts + 1, **(counted or {})})
            .returning(*shape.columns)
        )
        self._next_due = _next_due(queue, in_lane)

    async def claim(self, store: Store, request: Claim, **extra: Any) -> list[T]:
        """Claim up to `limit` due rows of one free lane, from its head on, oldest first; their attempt is counted.

        A head that was tried twice is claimed alone: should it end the daemon again, no neighbour pays for it.
        The lane's lease is `owner`'s then. `extra`: parameters of `counted`. Empty where no lane has anything due.
        """
        async with store.read() as conn:
            values = {"now": request.now, "excluded": list(request.exclude_lanes)}
            names = [row.lane for row in await conn.execute(self._free, values)]
        if not names:
            return []
        until = request.now + timedelta(seconds=request.lease_seconds)
        async with store.write(durable=False, quiet=True) as conn:
            while names:
                lane = await lanes.take_one_lane(conn, names, owner=request.owner, now=request.now, until=until)
                if lane is None:
                    return []
                if rows := await self._take_rows(conn, lane, request, extra):
                    return rows
                # Whoever had the lane before has just finished it.
                await lanes.release_lane(conn, lane, request.owner)
                names.remove(lane)
        return []

    async def _take_rows(self, conn: AsyncConnection, lane: str, request: Claim, extra: Mapping[str, Any]) -> list[T]:
        head = (await conn.execute(self._head, {"which": lane, "limit": request.limit})).all()
        last = lanes.due_prefix(head, request.now)
        if last is None:
            return []
        counted = await conn.execute(self._count, {"which": lane, "last": last, **extra})
        return self._shape.values(sorted(counted.all(), key=_id_of))

    async def next_due_at(self, conn: AsyncConnection) -> datetime | None:
        """When the next head of a lane can be claimed, as far as is known now: it is due, and the lease has run out."""
        found: datetime | None = (await conn.execute(self._next_due)).scalar_one()
        return found


def _id_of(row: Any) -> int:
    return int(row.id)


def _next_due(queue: Table, in_lane: ColumnElement[bool]) -> Any:
    heads = lanes.heads_of(queue, in_lane)
    held = (lane_table.c.lease_owner != "") & (lane_table.c.lease_until > queue.c.due_at)
    free_at = case((held, lane_table.c.lease_until), else_=queue.c.due_at)
    return (
        select(func.min(free_at, type_=Instant))
        .select_from(heads)
        .join(queue, queue.c.id == heads.c.id)
        .join(lane_table, lane_table.c.name == heads.c.lane, isouter=True)
        .where(queue.c.state == "waiting")
    )
