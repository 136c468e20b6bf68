"""A message of the bridge to one person who chats, or to the whole room: from a template, stored before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import after_quiet_hours
from passerelle.core.ids import EventId, OutboxId, PostId, RoomId, UserId
from passerelle.core.links import Link, person_lane, room_lane
from passerelle.core.model import NewOutboxRow
from passerelle.flows.context import FlowContext
from passerelle.matrix.render import notice
from passerelle.store.outbox import insert_outbox


def _words(ctx: FlowContext, link: Link, template: str, variables: Mapping[str, Any]) -> str:
    names = {"association": link.association, "link": link.settings, "coordinator": link.association.coordinators[0]}
    return ctx.renderer(link.association).render(f"room/{template}", **names, **variables).strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectMessage:
    """What one person who chats is told by themselves."""

    to: UserId
    #: A name under `templates/room/`.
    template: str
    unique_key: str
    variables: Mapping[str, Any] = field(default_factory=dict)
    #: It answers what they just did, or comes at the hour that they chose: it leaves in quiet hours too.
    at_once: bool = True


async def insert_direct_message(
    ctx: FlowContext, conn: AsyncConnection, link: Link, message: DirectMessage
) -> OutboxId | None:
    """Store one direct message; None where it stands already. What answers nobody waits for the morning."""
    now, key = ctx.now(), ctx.hashed("delivery", message.unique_key)
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=message.unique_key,
            lane=person_lane(ctx.hashed("person", message.to)),
            kind="direct",
            association=link.association_name,
            link=link.name,
            recipient=message.to,
            content=notice(_words(ctx, link, message.template, message.variables), delivery_key=key),
            delivery_key=key,
            created_at=now,
            due_at=now if message.at_once else after_quiet_hours(now, link.settings, link.zone),
            give_up_at=ctx.give_up_at(link),
        ),
    )


async def insert_room_notice(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    *,
    template: str,
    unique_key: str,
    variables: Mapping[str, Any],
    parent: PostId | None = None,
) -> OutboxId | None:
    """Store one notice for the link's room; None where it stands already, or the room is not known yet."""
    now, room_id = ctx.now(), ctx.links.room_of(link)
    if room_id is None:
        return None
    key = ctx.hashed("delivery", unique_key)
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=room_lane(room_id),
            kind="event",
            association=link.association_name,
            link=link.name,
            room_id=room_id,
            parent_post_id=parent,
            content=notice(_words(ctx, link, template, variables), delivery_key=key),
            delivery_key=key,
            created_at=now,
            due_at=now,
            give_up_at=ctx.give_up_at(link),
        ),
    )


async def insert_reaction(
    ctx: FlowContext, conn: AsyncConnection, link: Link, *, room_id: RoomId, target: EventId, key: str, unique_key: str
) -> OutboxId | None:
    """Store one reaction of the bridge to an event (`m.annotation`)."""
    now = ctx.now()
    relation = {"rel_type": "m.annotation", "event_id": target, "key": key}
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=room_lane(room_id),
            kind="reaction",
            association=link.association_name,
            link=link.name,
            room_id=room_id,
            target_event_id=target,
            content={"m.relates_to": relation},
            delivery_key=ctx.hashed("delivery", unique_key),
            created_at=now,
            due_at=now,
            give_up_at=ctx.give_up_at(link),
        ),
    )
