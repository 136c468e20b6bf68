"""What of the outbox the daemon looks at besides claiming: proofs of delivery, fates to settle, failures to tell."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.model import OutboxRow
from passerelle.store.outbox import TROUBLE
from passerelle.store.rows import Shape
from passerelle.store.tables import lane, outbox
from passerelle.store.types import Instant

_SHAPE = Shape(OutboxRow, outbox)
#: Parameters that one statement may have on every SQLite that Python brings.
_AT_ONCE = 500
_UNSENT = select(*_SHAPE.columns).where(
    outbox.c.delivery_key.in_(bindparam("keys", expanding=True)),
    outbox.c.state.in_(["waiting", "sending", "unknown", "failed"]),
)
# As literals, and as the partial index has them, so that it is used.
_UNTOLD = outbox.c.failure_told_at.is_(None) & TROUBLE
_NEXT_UNKNOWN = select(func.min(outbox.c.due_at, type_=Instant)).where(outbox.c.state == "unknown", _UNTOLD)
_SENDING = TROUBLE & (outbox.c.state == "sending")
#: Nobody works on the lane of a row any more: its lease was given back, or has run out.
_ABANDONED = or_(lane.c.name.is_(None), lane.c.lease_owner == "", lane.c.lease_until <= bindparam("now", type_=Instant))
_INTERRUPTED = (
    select(*_SHAPE.columns)
    .join(lane, lane.c.name == outbox.c.lane, isouter=True)
    .where(_SENDING, or_(_ABANDONED, lane.c.lease_owner == bindparam("owner")))
    .order_by(outbox.c.id)
)
_NEXT_INTERRUPTED = (
    select(
        func.min(
            case((or_(lane.c.name.is_(None), lane.c.lease_owner == ""), literal(0)), else_=lane.c.lease_until),
            type_=Instant,
        )
    )
    .select_from(outbox)
    .join(lane, lane.c.name == outbox.c.lane, isouter=True)
    .where(_SENDING)
)
_NEXT_FAILED = select(func.min(outbox.c.due_at, type_=Instant)).where(outbox.c.state == "failed", _UNTOLD)


async def find_unsent(conn: AsyncConnection, delivery_keys: Iterable[str]) -> list[OutboxRow]:
    """Rows with these keys that are not known to be sent: the answer to their request was lost, or is on its way."""
    keys = sorted(set(delivery_keys))
    found: list[OutboxRow] = []
    for start in range(0, len(keys), _AT_ONCE):
        found += _SHAPE.values((await conn.execute(_UNSENT, {"keys": keys[start : start + _AT_ONCE]})).all())
    return found


async def next_unknown_at(conn: AsyncConnection) -> datetime | None:
    """When the next mail of unknown fate has been waited for long enough."""
    found: datetime | None = (await conn.execute(_NEXT_UNKNOWN)).scalar_one()
    return found


async def next_failure_at(conn: AsyncConnection) -> datetime | None:
    """When the oldest delivery failed of which no human was told."""
    found: datetime | None = (await conn.execute(_NEXT_FAILED)).scalar_one()
    return found


async def find_interrupted(conn: AsyncConnection, now: datetime, owner: str) -> list[OutboxRow]:
    """Rows whose sending was begun and of which nobody tells any more, oldest first.

    Their lane's lease was given back or has run out: who sent them died, or could not store what came of it. Rows of
    lanes that `owner` holds are among them: the caller knows which of those it is sending at this moment.
    """
    return _SHAPE.values((await conn.execute(_INTERRUPTED, {"now": now, "owner": owner})).all())


async def next_interrupted_at(conn: AsyncConnection) -> datetime | None:
    """When the next row that is being sent counts as interrupted, unless its lease is renewed; None where none is."""
    found: datetime | None = (await conn.execute(_NEXT_INTERRUPTED)).scalar_one()
    return found
