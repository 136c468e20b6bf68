"""The direct rooms that the bridge opened: what their one person says there is the bridge's own, and private."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import RoomId, UserId
from passerelle.core.model import OutboxRow
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape
from passerelle.store.secretary_tables import direct_room
from passerelle.store.tables import outbox

_PUT = upsert(
    direct_room,
    lambda i: i.on_conflict_do_update(index_elements=["room_id"], set_={"user_id": i.excluded["user_id"]}),
)
_LIST = select(direct_room.c.room_id, direct_room.c.user_id)
_OUTBOX = Shape(OutboxRow, outbox)
_LATEST_TO = (
    select(*_OUTBOX.columns)
    .where(
        outbox.c.lane == bindparam("lane"),
        outbox.c.kind == "direct",
        outbox.c.state == "sent",
        outbox.c.recipient == bindparam("user_id"),
    )
    .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
    .limit(1)
)


async def note_direct_room(conn: AsyncConnection, room_id: RoomId, user_id: UserId, now: datetime) -> None:
    """The bridge and one person are in that room."""
    await conn.execute(_PUT(conn), {"room_id": room_id, "user_id": user_id, "opened_at": now})


async def list_direct_rooms(conn: AsyncConnection) -> dict[RoomId, UserId]:
    """All of them, with whom each is."""
    return {RoomId(room): UserId(user) for room, user in await conn.execute(_LIST)}


async def find_latest_direct(conn: AsyncConnection, lane: str, user_id: UserId) -> OutboxRow | None:
    """What the bridge told a person last by a direct message (`lane`: theirs): what a bare answer there is about."""
    row = (await conn.execute(_LATEST_TO, {"lane": lane, "user_id": user_id})).first()
    return None if row is None else _OUTBOX.value(row)
