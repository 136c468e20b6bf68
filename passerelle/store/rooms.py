"""What the homeserver says of rooms and their members."""

from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import RoomId, UserId
from passerelle.core.model import RoomFacts, RoomMember
from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import room, room_member

_SHAPE = Shape(RoomFacts, room)
_MEMBER_SHAPE = Shape(RoomMember, room_member)

_PUT = upsert(
    room,
    lambda i: i.on_conflict_do_update(
        index_elements=["room_id"],
        set_={c.name: i.excluded[c.name] for c in room.c if c.name != "room_id"},
    ),
)
_FIND = select(*_SHAPE.columns).where(room.c.room_id == bindparam("room_id"))
_PUT_MEMBER = upsert(
    room_member,
    lambda i: i.on_conflict_do_update(
        index_elements=["room_id", "user_id"],
        set_={c.name: i.excluded[c.name] for c in room_member.c if c.name not in ("room_id", "user_id")},
    ),
)
_FIND_MEMBER = select(*_MEMBER_SHAPE.columns).where(
    room_member.c.room_id == bindparam("room_id"), room_member.c.user_id == bindparam("user_id")
)
_NAMESAKES = select(room_member.c.user_id).where(
    room_member.c.room_id == bindparam("room_id"),
    room_member.c.membership == "join",
    room_member.c.display_name == bindparam("display_name"),
    room_member.c.user_id != bindparam("user_id"),
)
_LIST_MEMBERS = (
    select(*_MEMBER_SHAPE.columns)
    .where(room_member.c.room_id == bindparam("room_id"), room_member.c.membership == bindparam("membership"))
    .order_by(room_member.c.user_id)
)


async def put_room_facts(conn: AsyncConnection, facts: RoomFacts, now: datetime) -> None:
    """Keep what the homeserver says of a room, instead of what it said before."""
    await conn.execute(_PUT(conn), parameters(facts) | {"updated_at": now})


async def find_room(conn: AsyncConnection, room_id: RoomId) -> RoomFacts | None:
    """What is known of a room."""
    row = (await conn.execute(_FIND, {"room_id": room_id})).first()
    return None if row is None else _SHAPE.value(row)


async def get_room(conn: AsyncConnection, room_id: RoomId) -> RoomFacts:
    """What is known of a room. Raises StoreError where that is nothing."""
    found = await find_room(conn, room_id)
    if found is None:
        raise StoreError(f"Nothing is known of the room {room_id}.")
    return found


async def put_member(conn: AsyncConnection, member: RoomMember) -> None:
    """Keep what the homeserver says of a member of a room."""
    await put_members(conn, [member])


async def put_members(conn: AsyncConnection, members: list[RoomMember]) -> None:
    """Keep what the homeserver says of members, each once: of a new room there may be thousands."""
    if members:
        await conn.execute(_PUT_MEMBER(conn), [parameters(member) for member in members])


async def find_member(conn: AsyncConnection, room_id: RoomId, user_id: UserId) -> RoomMember | None:
    """What is known of a user in a room, whatever the membership."""
    row = (await conn.execute(_FIND_MEMBER, {"room_id": room_id, "user_id": user_id})).first()
    return None if row is None else _MEMBER_SHAPE.value(row)


async def has_namesake(conn: AsyncConnection, member: RoomMember) -> bool:
    """Whether another user in the room bears the very same display name."""
    values = {"room_id": member.room_id, "user_id": member.user_id, "display_name": member.display_name}
    return (await conn.execute(_NAMESAKES, values)).first() is not None


async def list_members(conn: AsyncConnection, room_id: RoomId, membership: str = "join") -> list[RoomMember]:
    """The users of a room with that membership, by user ID."""
    rows = await conn.execute(_LIST_MEMBERS, {"room_id": room_id, "membership": membership})
    return _MEMBER_SHAPE.values(rows.all())
