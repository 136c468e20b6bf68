"""A sign beneath a notice of the bridge that its author takes off again says nothing any more, whatever it said."""

import json
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId, MeetingId, UserId
from passerelle.core.links import Link
from passerelle.core.model import InboxRow
from passerelle.core.register_model import NewEntryChange
from passerelle.core.register_moves import find_move
from passerelle.core.signs import ENTRY_SIGNS, MEETING_SIGNS
from passerelle.errors import MalformedEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.find_about import about_events
from passerelle.flows.register_said import stands_no_longer
from passerelle.flows.said import key_hash_of
from passerelle.matrix.events import Reaction, Redaction, parse_event
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import find_arrival
from passerelle.store.meeting_people import withdraw_answer
from passerelle.store.readers import find_person_of
from passerelle.store.register import get_entry, move_entry
from passerelle.store.register_history import insert_entry_change, list_entry_changes
from passerelle.store.register_said import find_objections_said, withdraw_objection

#: What « done » beneath a notice makes of an entry.
_FINISHED = frozenset({"finish", "give_back"})


async def take_sign_back(
    ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, redaction: Redaction
) -> bool:
    """Whether an event that was redacted was somebody's answer by a sign, and is none any more.

    A later answer of theirs stands, whichever way it came. Only who gave the sign takes it back: a moderator who tidies
    the room withdraws nobody's objection (PEOPLE 15).
    """
    reaction = await _reaction(conn, row, redaction)
    if reaction is None or reaction.sender != redaction.sender or row.room_id is None:
        return False
    about = await about_events(conn, link.association_name, row.room_id, [reaction.target])
    if about is None:
        return False
    person_id = await find_person_of(conn, link.association_name, UserId(reaction.sender))
    if about.kind == "meeting" and reaction.key in MEETING_SIGNS and person_id is not None:
        return await withdraw_answer(conn, MeetingId(about.id), person_id, reaction.said_at)
    if about.kind != "entries":
        return False
    if ENTRY_SIGNS.get(reaction.key) == "objection":
        return await _withdraw(ctx, conn, link, reaction)
    if ENTRY_SIGNS.get(reaction.key) == "done":
        done = [await _reopen(conn, EntryId(id), person_id, reaction.said_at, ctx.now()) for id in about.ids]
        return any(done)
    return False


async def _withdraw(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction) -> bool:
    """The objection that this sign made stands no longer."""
    found = await find_objections_said(conn, key_hash_of(ctx, link, reaction.event_id))
    for objection in found:
        if await withdraw_objection(conn, objection.id, ctx.now()):
            await stands_no_longer(conn, await get_entry(conn, objection.entry_id), objection, ctx.now())
    return bool(found)


async def _reopen(
    conn: AsyncConnection, id: EntryId, person_id: int | None, signed_at: datetime, now: datetime
) -> bool:
    """What this sign said to be done is open again, where nothing else has become of it since."""
    entry, changes = await get_entry(conn, id), await list_entry_changes(conn, id)
    last, move = (changes[-1] if changes else None), find_move("reopen", entry.kind, entry.state)
    if move is None or last is None or last.move not in _FINISHED:
        return False
    # What they had said in words before is no matter of the sign.
    if last.by_person_id != person_id or last.at < signed_at:
        return False
    if not await move_entry(conn, id, before_state=entry.state, after_state=move.after, now=now):
        return False
    change = NewEntryChange(
        entry_id=id,
        at=now,
        move=move.name,
        by_name=last.by_name,
        by_person_id=person_id,
        before_state=entry.state,
        after_state=move.after,
    )
    await insert_entry_change(conn, change)
    return True


async def _reaction(conn: AsyncConnection, row: InboxRow, redaction: Redaction) -> Reaction | None:
    """The reaction as it came; None where the event was another, or is not kept."""
    arrival = await find_arrival(conn, row.source, redaction.target)
    if arrival is None or arrival.room_id != row.room_id or arrival.raw_hash is None:
        return None
    try:
        event = parse_event(json.loads(await get_blob(conn, arrival.raw_hash)), not_after=arrival.received_at)
    except (MalformedEvent, ValueError, RecursionError):
        return None
    return event if isinstance(event, Reaction) else None
