"""Consent (PEOPLE 2): both sides are told, a coordinator confirms, and only then something is relayed."""

import logging
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.names import one_line
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.list_notice import insert_list_notice
from passerelle.flows.watch_room import exposure
from passerelle.store.inbox import retry_held
from passerelle.store.links import (
    clear_stop,
    find_link_state,
    insert_told,
    set_asked,
    set_confirmed,
    set_exposure,
    set_stopped,
)
from passerelle.store.outbox import find_outbox_by_unique_key
from passerelle.store.rooms import find_room, list_members

log = logging.getLogger(__name__)

Confirmed = Literal["now", "before", "goes_on", "too_early", "exposed"]

#: Why an administrator's stop is a stop; what follows a colon is what they said.
BY_HAND = "by_hand"


async def ask_consent(ctx: FlowContext, link: Link) -> bool:
    """Tell both sides of the bridge and its archive, once. True where that was stored just now."""
    async with ctx.store.write() as conn:
        state = await find_link_state(conn, link.association_name, link.name)
        room_id = ctx.links.room_of(link)
        if state.asked_at is not None or room_id is None:
            return False
        now = ctx.now()
        await insert_room_notice(
            ctx, conn, link, template="consent", unique_key=f"consent:room:{link.path}", variables=_names(ctx, link)
        )
        await insert_list_notice(
            ctx, conn, link, template="consent", unique_key=f"consent:list:{link.path}", variables=_names(ctx, link)
        )
        await set_asked(conn, link.association_name, link.name, now)
        for member in await list_members(conn, room_id, membership="join"):
            who = ctx.hashed("told", member.user_id)
            await insert_told(conn, link.association_name, link.name, who, now=now, outbox_id=None)
    log.info("Both sides are told; a coordinator confirms with `passerelle confirm`", extra={"link": link.path})
    return True


def _names(ctx: FlowContext, link: Link) -> dict[str, object]:
    return {"list_address": link.list_address, "bridge_address": link.mailbox.address}


async def confirm_link(ctx: FlowContext, link: Link, *, by: str) -> Confirmed:
    """A coordinator's word: the relay begins now, or goes on after a stop (whose cause is accepted with it).

    Args:
        by: who said so, for the log that everyone can read.
    """
    async with ctx.store.write() as conn:
        state = await find_link_state(conn, link.association_name, link.name)
        if state.asked_at is None or (state.confirmed_at is None and not await _both_sides_were_told(conn, link)):
            return "too_early"
        why = await _exposure_of(ctx, conn, link)
        if why and why not in (state.exposure_confirmed, state.stopped_reason):
            # Whoever confirms must know what: the room, the log and `status` say it now.
            await set_stopped(conn, link.association_name, link.name, ctx.now(), why)
            return "exposed"
        if state.stopped_at is not None:
            await set_exposure(conn, link.association_name, link.name, why)
            await clear_stop(conn, link.association_name, link.name)
            await retry_held(conn, link.inbox_lane, "link_stopped", ctx.now())
            outcome: Confirmed = "goes_on"
        elif state.confirmed_at is not None:
            return "before"
        else:
            outcome = "now"
        if state.confirmed_at is None:
            await set_confirmed(conn, link.association_name, link.name, ctx.now(), by)
    log.info("Link confirmed", extra={"link": link.path, "outcome": outcome})
    return outcome


async def _both_sides_were_told(conn: AsyncConnection, link: Link) -> bool:
    """Whether both notices have left; one that failed was told to a human, who decides by confirming."""
    for side in ("room", "list"):
        row = await find_outbox_by_unique_key(conn, f"consent:{side}:{link.path}")
        if row is None or row.state in ("waiting", "sending"):
            return False
    return True


async def _exposure_of(ctx: FlowContext, conn: AsyncConnection, link: Link) -> str:
    room_id = ctx.links.room_of(link)
    facts = await find_room(conn, room_id) if room_id else None
    return exposure(facts) if facts else ""


async def stop_link(ctx: FlowContext, link: Link, *, by: str, reason: str = "") -> bool:
    """Stop a link by hand: what arrives is kept, nothing new is relayed, until `confirm_link` lets it go on.

    Args:
        by: who said so, for the log.
        reason: their own words for it, shown by `status`; may be empty.

    Returns:
        False where it was stopped already, whatever for: that reason stays.
    """
    async with ctx.store.write() as conn:
        state = await find_link_state(conn, link.association_name, link.name)
        if state.stopped_at is not None:
            return False
        why = f"{BY_HAND}: {one_line(reason)}" if reason.strip() else BY_HAND
        await set_stopped(conn, link.association_name, link.name, ctx.now(), why)
    log.warning("Link stopped by hand", extra={"link": link.path, "by": by})
    return True
