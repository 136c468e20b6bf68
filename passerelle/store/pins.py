"""What is pinned in a room, as its state says (Matrix specification, `m.room.pinned_events`)."""

from collections.abc import Collection, Sequence

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, PostId, RoomId
from passerelle.store.digest_tables import room_pin
from passerelle.store.tables import room_event

_FORGET = delete(room_pin).where(room_pin.c.room_id == bindparam("which"))
_INSERT = insert(room_pin)
_POSTS = (
    select(room_event.c.post_id)
    .join(room_pin, room_pin.c.event_id == room_event.c.event_id)
    .where(room_pin.c.room_id.in_(bindparam("rooms", expanding=True)))
    .order_by(room_pin.c.room_id, room_pin.c.position)
)


async def set_pins(conn: AsyncConnection, room_id: RoomId, pinned: Sequence[EventId]) -> None:
    """These events are pinned in the room now, in their order, and no others."""
    await conn.execute(_FORGET, {"which": room_id})
    rows = [{"room_id": room_id, "position": at, "event_id": id} for at, id in enumerate(dict.fromkeys(pinned))]
    if rows:
        await conn.execute(_INSERT, rows)


async def list_pinned_posts(conn: AsyncConnection, rooms: Collection[RoomId]) -> list[PostId]:
    """The posts whose events are pinned in these rooms, as far as they are known here; what is pinned last, last."""
    if not rooms:
        return []
    found = (await conn.execute(_POSTS, {"rooms": sorted(rooms)})).scalars()
    return list(dict.fromkeys(PostId(id) for id in found))
