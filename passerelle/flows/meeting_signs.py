"""Signs beneath a notice about a meeting are answers; one that is taken back is none any more."""

import json
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, MeetingId, UserId
from passerelle.core.links import Link
from passerelle.core.meeting_model import RsvpAnswer
from passerelle.core.model import InboxRow
from passerelle.errors import MalformedEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.find_about import about_events
from passerelle.matrix.events import Reaction, parse_event
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import find_arrival
from passerelle.store.meeting_people import withdraw_answer
from passerelle.store.readers import find_person_of

#: Reactions to a notice about a meeting; the notice says them in words.
SIGNS: Mapping[str, RsvpAnswer] = {
    "✅": "yes", "✔️": "yes", "✔": "yes", "👍": "yes",
    "❌": "no", "✖️": "no", "✖": "no", "👎": "no",
    "❓": "maybe", "❔": "maybe", "🤔": "maybe",
}  # fmt: skip


async def take_sign_back(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, target: EventId) -> bool:
    """Whether an event that was redacted was somebody's answer by a sign, and is none any more.

    A later answer of theirs stands, whichever way it came.
    """
    reaction = await _reaction(conn, row, target)
    if reaction is None or reaction.key not in SIGNS or row.room_id is None:
        return False
    about = await about_events(conn, link.association_name, row.room_id, [reaction.target])
    person_id = await find_person_of(conn, link.association_name, UserId(reaction.sender))
    if about is None or about.kind != "meeting" or person_id is None:
        return False
    return await withdraw_answer(conn, MeetingId(about.id), person_id, reaction.said_at)


async def _reaction(conn: AsyncConnection, row: InboxRow, target: EventId) -> Reaction | None:
    """The reaction as it came; None where the event was another, or is not kept."""
    arrival = await find_arrival(conn, row.source, target)
    if arrival is None or arrival.room_id != row.room_id or arrival.raw_hash is None:
        return None
    try:
        event = parse_event(json.loads(await get_blob(conn, arrival.raw_hash)), not_after=arrival.received_at)
    except (MalformedEvent, ValueError, RecursionError):
        return None
    return event if isinstance(event, Reaction) else None
