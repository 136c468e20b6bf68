"""Under which name a participant is shown on the other side, with a sign where it could be taken for another's."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import RoomId, UserId
from passerelle.core.links import Link
from passerelle.core.names import imitates, safe_name
from passerelle.flows.context import FlowContext
from passerelle.store.people import list_participants
from passerelle.store.rooms import find_member, has_namesake


async def display_name(conn: AsyncConnection, room_id: RoomId, sender: UserId) -> str:
    """How the room calls its member, made safe; the local part of the user ID where it has no name.

    Where another member bears the very same name, the local part stands beside it (Matrix client-server API,
    "Calculating the display name for a user").
    """
    member = await find_member(conn, room_id, sender)
    local_part = sender[1:].partition(":")[0]
    name = safe_name(member.display_name if member else "")
    if member is None or not name:
        return local_part
    return f"{name} ({local_part})" if await has_namesake(conn, member) else name


async def signed_name(ctx: FlowContext, conn: AsyncConnection, link: Link, name: str) -> str:
    """A member's name as the list reads it: with a sign where it looks like another participant's (PEOPLE 18)."""
    other = imitates(name, await names_besides(conn, link, name))
    return name if other is None else f"{name} {ctx.renderer(link.association).words('looks_like', other=other)}"


async def names_besides(conn: AsyncConnection, link: Link, own: str) -> Sequence[str]:
    """Names of the link's participants other than this one, which it must not imitate."""
    people = await list_participants(conn, link.association_name, link.name)
    return [person.name for person in people if person.name and person.name != own]
