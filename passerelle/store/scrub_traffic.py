"""Erasing: what arrived and what left, row by row, until nothing of it is kept."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BlobHash, RoomId
from passerelle.store.blobs import delete_unreferenced_blob
from passerelle.store.tables import inbox, outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """Bytes that arrived."""

    id: int
    kind: str
    raw_hash: BlobHash | None
    #: Why it was not relayed.
    reason: str
    envelope_from: str
    room_id: RoomId | None
    key: str
    lane: str
    #: waiting | done | set_aside
    state: str


async def list_arrivals(conn: AsyncConnection, lanes: Collection[str], after: int, limit: int) -> list[Arrival]:
    """The next arrivals of these lanes by id of which something is kept."""
    columns = [inbox.c[name] for name in Arrival.__dataclass_fields__]
    statement = (
        select(*columns)
        .where(
            inbox.c.id > after,
            inbox.c.lane.in_(lanes),
            inbox.c.raw_hash.is_not(None) | inbox.c.envelope_from.is_not(None),
        )
        .order_by(inbox.c.id)
        .limit(limit)
    )
    rows = (await conn.execute(statement)).all()
    return [Arrival(**(row._asdict() | {"envelope_from": row.envelope_from or ""})) for row in rows]


async def forget_arrival(conn: AsyncConnection, id: int, raw_hash: BlobHash | None) -> None:
    """Keep that something arrived, and nothing of what it was."""
    await conn.execute(update(inbox).where(inbox.c.id == id).values(raw_hash=None, envelope_from=None))
    if raw_hash is not None:
        await delete_unreferenced_blob(conn, raw_hash)


async def forget_envelope(conn: AsyncConnection, id: int) -> None:
    """Nobody is named any more as the one who sent it."""
    await conn.execute(update(inbox).where(inbox.c.id == id).values(envelope_from=None))


async def list_departures(conn: AsyncConnection, association: AssociationName, after: int, limit: int) -> list[Any]:
    """The next rows of the outbox by id of which something is kept: id, kind, state, recipient, content and hashes."""
    names = (
        "id",
        "kind",
        "state",
        "recipient",
        "content",
        "raw_hash",
        "upload_hash",
        "event_id",
        "room_id",
        "link",
        "last_error",
    )
    statement = (
        select(*(outbox.c[name] for name in names), outbox.c.message_id, outbox.c.ghost, outbox.c.unique_key)
        .where(outbox.c.association == association, outbox.c.id > after)
        .order_by(outbox.c.id)
        .limit(limit)
    )
    return list((await conn.execute(statement)).all())


async def forget_mail_bytes(conn: AsyncConnection, outbox_id: int) -> bool:
    """A mail that was sent, or will not be, is kept no longer; False while it may be leaving this instant."""
    row = (await conn.execute(select(outbox.c.raw_hash, outbox.c.state).where(outbox.c.id == outbox_id))).one()
    if row.state == "sending":
        return False
    state = "sent" if row.state == "sent" else "cancelled"
    await conn.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(state=state, raw_hash=None, content=None, upload_hash=None, last_error="")
    )
    if row.raw_hash is not None:
        await delete_unreferenced_blob(conn, row.raw_hash)
    return True


async def list_left_answers(conn: AsyncConnection, key: str) -> list[int]:
    """Mails of which `unique_key` begins with `key`, and that have left, or cannot."""
    over = ("sent", "failed", "cancelled")
    statement = select(outbox.c.id).where(outbox.c.unique_key.startswith(key), outbox.c.state.in_(over))
    return list((await conn.execute(statement)).scalars())


async def forget_content(conn: AsyncConnection, outbox_id: int, upload_hash: BlobHash | None) -> None:
    """The event that it became, or would have, is kept no longer."""
    await conn.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(content=None, upload_hash=None, uploaded=None, ghost=None, last_error="")
    )
    await conn.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.state.in_(("waiting", "failed", "unknown")))
        .values(state="cancelled")
    )
    if upload_hash is not None:
        await delete_unreferenced_blob(conn, upload_hash)


async def forget_error(conn: AsyncConnection, outbox_id: int) -> None:
    """What a server answered is kept no longer: it may name somebody."""
    await conn.execute(update(outbox).where(outbox.c.id == outbox_id).values(last_error=""))


async def forget_recipient(conn: AsyncConnection, outbox_id: int) -> None:
    """Nobody is named any more as the one that it was for."""
    await conn.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id)
        .values(recipient=None, ghost=None, last_error="", unique_key=f"erased:{outbox_id}")
    )
