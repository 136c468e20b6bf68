"""What of the outbox the daemon looks at besides claiming: proofs of delivery, fates to settle, failures to tell."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.model import OutboxRow
from passerelle.store.outbox import TROUBLE
from passerelle.store.rows import Shape
from passerelle.store.tables import outbox
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
