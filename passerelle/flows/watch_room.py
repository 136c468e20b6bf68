"""What the homeserver says of a linked room: its members and, above all, who may read it (issue: consent)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.links import Link
from passerelle.core.model import RoomFacts, RoomMember
from passerelle.core.names import safe_name
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.own_events import is_ours
from passerelle.flows.readers import note_left_room
from passerelle.flows.welcome import welcome_room_member
from passerelle.store.incidents import insert_incident
from passerelle.store.links import find_link_state, set_stopped
from passerelle.store.pins import set_pins
from passerelle.store.rooms import find_room, put_member, put_room_facts

log = logging.getLogger(__name__)

_MOST_PINS = 100
_FACTS = {"m.room.join_rules": "join_rule", "m.room.history_visibility": "history_visibility", "m.room.name": "name"}


async def take_state(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    room_id: RoomId,
    *,
    state: Sequence[Mapping[str, Any]],
    changes: Sequence[Mapping[str, Any]],
) -> None:
    """Keep members and facts of a linked room current; stop the link when strangers may read it.

    Args:
        state: as it stood when the timeline began; `changes`: state events of the timeline, which just happened.
    """
    if not state and not changes:
        return
    known = await find_room(conn, room_id)
    facts = known or RoomFacts(room_id=room_id)
    for event in (*state, *changes):
        content = event.get("content")
        if not isinstance(content, Mapping):
            continue
        kind = event.get("type")
        if kind in _FACTS:
            facts = _with_fact(facts, str(kind), content)
        elif kind == "m.room.encryption":
            facts = replace(facts, encrypted=True)
        elif kind == "m.room.pinned_events" and event.get("state_key", "") == "":
            await set_pins(conn, room_id, _pinned(content))
        elif kind == "m.room.member":
            await _take_member(ctx, conn, link, room_id, event, just_happened=event in changes)
    if facts != known:
        await put_room_facts(conn, facts, ctx.now())
        await _check_exposure(ctx, conn, link, facts)


def _pinned(content: Mapping[str, Any]) -> list[EventId]:
    """The newest of the events that are pinned: clients put these last."""
    found = content.get("pinned")
    events = found if isinstance(found, list) else []
    return [EventId(one) for one in events if isinstance(one, str) and one.startswith("$")][-_MOST_PINS:]


def _with_fact(facts: RoomFacts, kind: str, content: Mapping[str, Any]) -> RoomFacts:
    value = content.get(_FACTS[kind])
    text = value if isinstance(value, str) else ""
    if kind == "m.room.join_rules":
        return replace(facts, join_rule=text)
    if kind == "m.room.history_visibility":
        return replace(facts, history_visibility=text)
    return replace(facts, name=safe_name(text))


async def _take_member(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    room_id: RoomId,
    event: Mapping[str, Any],
    *,
    just_happened: bool,
) -> None:
    user_id, content = event.get("state_key"), event["content"]
    if not isinstance(user_id, str) or not user_id.startswith("@"):
        return
    name, membership = content.get("displayname"), str(content.get("membership", ""))
    before = (event.get("unsigned") or {}).get("prev_content") or {}
    arrives = just_happened and membership == "join" and before.get("membership") != "join"
    await put_member(
        conn,
        RoomMember(
            room_id=room_id,
            user_id=UserId(user_id),
            display_name=name if isinstance(name, str) else "",
            membership=membership,
            joined_at=ctx.now() if arrives else None,
        ),
    )
    if membership in ("leave", "ban"):
        await note_left_room(ctx, conn, link, UserId(user_id))
    if not arrives or is_ours(ctx.settings.matrix, user_id):
        return
    consent = await find_link_state(conn, link.association_name, link.name)
    if consent.confirmed_at is not None:
        await welcome_room_member(ctx, conn, link, UserId(user_id))


def exposure(facts: RoomFacts) -> str:
    """Why strangers may read the room: `world_readable`, `public_room`; "" where they may not.

    Matrix specification, "Room history visibility" and "m.room.join_rules".
    """
    if facts.history_visibility == "world_readable":
        return "world_readable"
    return "public_room" if facts.join_rule == "public" else ""


async def _check_exposure(ctx: FlowContext, conn: AsyncConnection, link: Link, facts: RoomFacts) -> None:
    why = exposure(facts)
    state = await find_link_state(conn, link.association_name, link.name)
    if not why or why == state.exposure_confirmed or state.stopped_at is not None:
        return
    now = ctx.now()
    log.warning("Link stopped: strangers may read its room", extra={"link": link.path, "exposure": why})
    await set_stopped(conn, link.association_name, link.name, now, why)
    await insert_incident(
        conn,
        association=link.association_name,
        link=link.name,
        kind=why,
        key=f"{why}:{link.path}:{now.isoformat()}",
        detail="",
        at=now,
    )
    await insert_room_notice(
        ctx,
        conn,
        link,
        template="room_exposed",
        unique_key=f"exposed:{link.path}:{why}:{now.isoformat()}",
        variables={"exposure": why},
    )


async def note_lost_past(ctx: FlowContext, conn: AsyncConnection, link: Link) -> None:
    """A part of the room's past cannot be fetched any more: a human must know."""
    now = ctx.now()
    await insert_incident(
        conn,
        association=link.association_name,
        link=link.name,
        kind="lost_past",
        key=f"lost_past:{link.path}:{now.isoformat()}",
        detail="",
        at=now,
    )
