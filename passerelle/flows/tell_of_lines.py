"""What became of a mail of the room is told under its lines: a sign on each, and one notice in plain words."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.model import OutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_reaction, insert_room_notice
from passerelle.store.batches import list_lines_of_mail

#: The sign on a line that did not reach the list.
FAILED_KEY = "⚠️"
#: The sign on a line that waits for a moderator of the list.
HELD_KEY = "⏳"


async def tell_of_lines(
    ctx: FlowContext, conn: AsyncConnection, link: Link, row: OutboxRow, *, template: str, key: str
) -> bool:
    """Tell the room of a mail to the list, once for each template; False where it held no lines, or no room is known.

    Args:
        template: a name under `templates/room/`; it is given `names` and `said_at`.
        key: the reaction under each line.
    """
    lines = await list_lines_of_mail(conn, link.association_name, row.message_id)
    room_id = ctx.links.room_of(link)
    if row.lane != link.list_lane or not lines or room_id is None:
        return False
    spoken = [line for line, _ in lines if line.kind == "line"]
    for line in spoken:
        await insert_reaction(
            ctx,
            conn,
            link,
            room_id=room_id,
            target=line.event_id,
            key=key,
            unique_key=f"{template}_reaction:{row.id}:{line.event_id}",
        )
    await insert_room_notice(
        ctx,
        conn,
        link,
        template=template,
        unique_key=f"{template}_notice:{row.id}",
        variables={
            "names": list(dict.fromkeys(line.author_name for line in spoken)),
            "said_at": lines[0][0].said_at,
        },
        parent=row.post_id,
    )
    return True
