"""What waits in the secretary's tables, in numbers, for who looks after the bridge."""

from datetime import datetime

from sqlalchemy import bindparam, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.secretary_tables import ask, entry

# As the partial index has it, so that it is used.
_TO_TELL = (
    select(func.count())
    .select_from(entry)
    .where(
        entry.c.announce_state.in_([literal_column("'wanted'"), literal_column("'telling'")]),
        entry.c.association == bindparam("association"),
    )
)
_WAITING = (
    select(func.count())
    .select_from(ask)
    .where(
        ask.c.association == bindparam("association"),
        ask.c.answered_at.is_(None),
        # What is to be confirmed can be confirmed for so long; other questions wait until they are answered.
        or_(ask.c.kind.not_in(("confirm_command", "digest_send")), ask.c.escalate_at > bindparam("now")),
    )
)


async def count_to_tell(conn: AsyncConnection, association: AssociationName) -> int:
    """How many entries both sides are still to be told of, or are being told of."""
    counted: int = (await conn.execute(_TO_TELL, {"association": association})).scalar_one()
    return counted


async def count_waiting_asks(conn: AsyncConnection, association: AssociationName, now: datetime) -> int:
    """How many questions that were asked back can still be answered."""
    counted: int = (await conn.execute(_WAITING, {"association": association, "now": now})).scalar_one()
    return counted
