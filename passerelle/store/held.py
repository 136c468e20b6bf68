"""What is held of one person besides their posts, as they are shown it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.archive_tables import feed_key, reader_session, reader_token, roster_entry
from passerelle.store.tables import outbox, participant

_PARTICIPATIONS = (
    select(participant.c.link, participant.c.side, participant.c.since, participant.c.until)
    .where(participant.c.person_id == bindparam("who"))
    .order_by(participant.c.link, participant.c.side)
)
_ROSTERS = (
    select(roster_entry.c.link, roster_entry.c.address, roster_entry.c.name)
    .where(roster_entry.c.person_id == bindparam("who"))
    .order_by(roster_entry.c.link, roster_entry.c.address)
)
_DELIVERIES = (
    select(outbox.c.kind, outbox.c.recipient, outbox.c.created_at, outbox.c.sent_at, outbox.c.state)
    .where(
        outbox.c.association == bindparam("association"),
        func.lower(outbox.c.recipient).in_(bindparam("named", expanding=True)),
    )
    .order_by(outbox.c.id)
)


async def participations_of(conn: AsyncConnection, person_id: int) -> list[dict[str, Any]]:
    """In which links a person takes or took part, and on which imported rosters they stand."""
    rows = (await conn.execute(_PARTICIPATIONS, {"who": person_id})).all()
    found: list[dict[str, Any]] = [
        {
            "link": row.link,
            "side": row.side,
            "since": row.since.isoformat(),
            "until": None if row.until is None else row.until.isoformat(),
        }
        for row in rows
    ]
    for row in (await conn.execute(_ROSTERS, {"who": person_id})).all():
        found.append({"link": row.link, "roster": True, "address": row.address, "name": row.name})
    return found


async def deliveries_to(
    conn: AsyncConnection, association: AssociationName, named: Sequence[str]
) -> list[dict[str, Any]]:
    """What the bridge sent to a person alone: when, and to which address."""
    values = {"association": association, "named": [name.lower() for name in named]}
    return [
        {
            "kind": row.kind,
            "to": row.recipient,
            "made_at": row.created_at.isoformat(),
            "sent_at": None if row.sent_at is None else row.sent_at.isoformat(),
            "state": row.state,
        }
        for row in (await conn.execute(_DELIVERIES, values)).all()
    ]


async def sessions_of(conn: AsyncConnection, person_id: int) -> list[dict[str, Any]]:
    """When a person signed in, or asked to."""
    found: list[dict[str, Any]] = []
    for what, table in (("session", reader_session), ("link", reader_token), ("feeds", feed_key)):
        statement = select(table.c.created_at).where(table.c.person_id == person_id).order_by(table.c.created_at)
        found += [{"what": what, "at": at.isoformat()} for at in (await conn.execute(statement)).scalars()]
    return found
