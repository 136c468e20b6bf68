"""What the bot says under a line of the room that asked it something."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link, room_lane
from passerelle.core.model import NewOutboxRow
from passerelle.flows.context import FlowContext
from passerelle.matrix.events import RoomLine
from passerelle.matrix.render import notice, relate
from passerelle.store.outbox import insert_outbox

#: Nobody waits any longer for an answer.
ANSWER_WITHIN = timedelta(hours=1)
#: Questions to the bot that one person may ask within that time: more than anyone does, fewer than flood a room.
MOST_QUESTIONS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomAnswer:
    """What the bot answers; `purpose` and the line's event say what it is for: once."""

    purpose: str
    #: Of `templates/room`, without folder and language.
    template: str
    variables: Mapping[str, Any]
    #: Instead of the one that purpose and line make: where answers to it have to be found.
    unique_key: str = ""


async def insert_room_notice(
    ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, answer: RoomAnswer
) -> None:
    """A notice that answers the line, in its Matrix thread where it stands in one."""
    room_id = ctx.links.room_of(link)
    if room_id is None:
        return
    now, unique_key = ctx.now(), answer.unique_key or f"{answer.purpose}:{line.event_id}"
    key = ctx.hashed("delivery", unique_key)
    names = {"association": link.association, "link": link.settings, "coordinator": link.association.coordinators[0]}
    text = ctx.renderer(link.association).render(f"room/{answer.template}", **names, **answer.variables)
    content = relate(
        notice(text, delivery_key=key), root=line.thread_root, parent=line.event_id, style=link.settings.threads
    )
    await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=room_lane(room_id),
            kind="event",
            association=link.association_name,
            link=link.name,
            room_id=room_id,
            content=content,
            delivery_key=key,
            created_at=now,
            due_at=now,
            give_up_at=now + ANSWER_WITHIN,
        ),
    )
