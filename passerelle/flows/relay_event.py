"""One event of a linked room: a line becomes a post in an open batch; edits, redactions and reactions change it."""

import json
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.model import InboxRow, LinkState
from passerelle.core.not_archived import without_mark
from passerelle.core.ports import EventJson
from passerelle.errors import MalformedEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.link_command import LINK_REASONS, answer_link, asks_for_link
from passerelle.flows.obey import OBEYED
from passerelle.flows.room_changes import keep_edited, take_edit, take_reaction
from passerelle.flows.room_line import take_line
from passerelle.flows.search_commands import Answer, answer_in_room, search_for_room, search_of_line
from passerelle.flows.secretary import obey_line
from passerelle.flows.taking_back import HELD, take_redaction, was_redacted
from passerelle.matrix.events import (
    Edit,
    Ignored,
    Parsed,
    Reaction,
    Redaction,
    RoomLine,
    Undecryptable,
    is_kept_in_room,
    parse_event,
)
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import finish_inbox, postpone_inbox, set_aside_inbox
from passerelle.store.incidents import insert_incident
from passerelle.store.links import find_link_state, lock_link, note_last_line
from passerelle.store.tally import count

log = logging.getLogger(__name__)

#: Keys may come after the event that they open; its lane waits, so that the order stays.
_KEYS_COME_WITHIN = timedelta(seconds=20)
_TRIES_TO_DECRYPT = 4
#: What a row is finished with where nothing of it may be kept.
_FORGET = frozenset({"kept_in_room", "before_consent", "notice", "redacted", OBEYED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """An event on its way through this flow."""

    link: Link
    row: InboxRow
    state: LinkState
    #: Of a search: what was found, before this transaction.
    answer: Answer | None = None

    @property
    def consented(self) -> bool:
        confirmed_at = self.state.confirmed_at
        return confirmed_at is not None and self.row.received_at >= confirmed_at


async def relay_event(ctx: FlowContext, row: InboxRow) -> bool:
    """Take one inbox row of kind `event`; whatever comes of it, the row is finished.

    False where it is not: its key has not come, and what comes after it in the lane waits with it. A redaction of a
    line that cannot be read yet would find nothing, and the line leave after all.

    Raises StoreError; nothing else, since a bad event is set aside with its reason.
    """
    link = ctx.links.get(row.lane.removeprefix("in:"))
    async with ctx.store.read() as conn:
        raw = await get_blob(conn, row.raw_hash) if row.raw_hash else b"{}"
    try:
        event = _parse(ctx, row, json.loads(raw))
    except (MalformedEvent, ValueError, RecursionError) as error:
        await _set_aside(ctx, link, row, str(error) or "it is not an event that can be read")
        return True
    if isinstance(event, Undecryptable) and row.attempts < _TRIES_TO_DECRYPT:
        async with ctx.store.write() as conn:
            await postpone_inbox(conn, row.id, ctx.now() + _KEYS_COME_WITHIN, "its key has not come yet")
        return False
    asked = search_of_line(event) if isinstance(event, RoomLine) else None
    answer = await search_for_room(ctx, link, asked) if asked is not None else None
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        state = await find_link_state(conn, link.association_name, link.name)
        arrival = Arrival(link=link, row=row, state=state, answer=answer)
        reason = await _take(ctx, conn, arrival, event)
        if reason in HELD:
            await set_aside_inbox(conn, row.id, ctx.now(), reason)
        else:
            await finish_inbox(conn, row.id, ctx.now(), reason=reason, forget_raw=_forgets(arrival, event, reason))
        if reason:
            await count(conn, link.association_name, link.name, ctx.now().date(), f"event_{reason}")
    log.info("Event taken: %s", reason or "accepted", extra={"link": link.path, "inbox_id": row.id})
    return True


def _parse(ctx: FlowContext, row: InboxRow, raw: EventJson) -> Parsed:
    """Read an event; one that could not be decrypted when it came may be by now. Raises MalformedEvent."""
    event = parse_event(raw, not_after=row.received_at)
    if isinstance(event, Undecryptable):
        clear = ctx.decrypt(raw)
        return parse_event(clear, not_after=row.received_at) if clear is not None else event
    return event


def _forgets(arrival: Arrival, event: Parsed, reason: str) -> bool:
    """Whether nothing is kept of an event as it came: what an edit says is kept where it can be taken back."""
    if isinstance(event, Reaction) and reason == OBEYED:
        # A sign holds no words; taken back, it has to be found again.
        return not arrival.consented
    is_private = isinstance(event, Ignored | Edit) or arrival.answer is not None
    if isinstance(event, RoomLine):
        is_private = is_private or without_mark(event.body) is not None
    return reason in _FORGET | LINK_REASONS or is_private or not arrival.consented


async def _take(
    ctx: FlowContext,
    conn: AsyncConnection,
    arrival: Arrival,
    event: Parsed,
) -> str:
    """Act on an event; return why nothing leaves, or "" where something does."""
    link, row, state = arrival.link, arrival.row, arrival.state
    if isinstance(event, Ignored):
        return event.reason
    if isinstance(event, Redaction):
        # Taking back works at any time, also before consent and while the link is stopped.
        return await take_redaction(ctx, conn, link, row, event)
    if not arrival.consented:
        return "before_consent"
    if await was_redacted(ctx, conn, link, row, event.event_id):
        return "redacted"
    # Also while the link is stopped: such words are stored nowhere.
    if reason := await _take_kept(ctx, conn, row, event):
        return reason
    if state.stopped_at is not None:
        return "link_stopped"
    if isinstance(event, Undecryptable):
        await _tell_undecryptable(ctx, conn, link, row)
        return "undecryptable"
    if isinstance(event, RoomLine):
        return await _take_line(ctx, conn, arrival, event)
    if isinstance(event, Edit):
        return await take_edit(ctx, conn, link, row, event)
    if isinstance(event, Reaction):
        return await take_reaction(ctx, conn, link, row, event)
    return "no_line"


async def _take_line(ctx: FlowContext, conn: AsyncConnection, arrival: Arrival, line: RoomLine) -> str:
    """A line is something asked of the bridge, or a contribution."""
    link = arrival.link
    if arrival.answer is not None:
        return await answer_in_room(ctx, conn, link, line, arrival.answer)
    if asks_for_link(line):
        return await answer_link(ctx, conn, link, arrival.row, line)
    if await obey_line(ctx, conn, link, line):
        return OBEYED
    await note_last_line(conn, link.association_name, link.name, line.said_at)
    return await take_line(ctx, conn, link, arrival.row, line)


async def _take_kept(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, event: Parsed) -> str:
    """Why an event is for the room alone, its words stored nowhere; "" where it is not."""
    if isinstance(event, Edit):
        if event.line.is_notice:
            return "notice"
        if is_kept_in_room(event.line):
            await keep_edited(ctx, conn, row, event)
            return "kept_in_room"
    if isinstance(event, RoomLine):
        if event.is_notice:
            return "notice"
        return "kept_in_room" if is_kept_in_room(event) else ""
    return ""


async def _tell_undecryptable(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow) -> None:
    await insert_incident(
        conn,
        association=link.association_name,
        link=link.name,
        kind="undecryptable",
        key=f"undecryptable:{row.id}",
        detail=row.key,
        at=ctx.now(),
    )


async def _set_aside(ctx: FlowContext, link: Link, row: InboxRow, reason: str) -> None:
    log.warning("Event set aside: %s", reason, extra={"inbox_id": row.id, "link": link.path})
    now = ctx.now()
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        state = await find_link_state(conn, link.association_name, link.name)
        if not Arrival(link=link, row=row, state=state).consented:
            await finish_inbox(conn, row.id, now, reason="before_consent", forget_raw=True)
            return
        await set_aside_inbox(conn, row.id, now, reason)
        await count(conn, link.association_name, link.name, now.date(), "event_set_aside")
        await insert_incident(
            conn,
            association=link.association_name,
            link=link.name,
            kind="event_set_aside",
            key=f"inbox:{row.id}",
            detail=reason,
            at=now,
        )
