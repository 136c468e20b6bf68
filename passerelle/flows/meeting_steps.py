"""The meeting cycle as a duty: each step that is due is done once, whatever stopped in between.

A daemon that was down for days does what still makes sense: of several late steps the last one that tells all of it,
and nothing before the meeting once it has begun.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import after_quiet_hours
from passerelle.core.convocation import Convocation
from passerelle.core.ids import MeetingId
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, MeetingState, MeetingStep, Step
from passerelle.documents.convocation import build_convocation_pdf
from passerelle.errors import DocumentFailure
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_carry import take_up_open
from passerelle.flows.meeting_letters import invite_each, remind_each
from passerelle.flows.meeting_make import follow_series
from passerelle.flows.meeting_minutes import approve_by_clock, make_draft
from passerelle.flows.meeting_notices import (
    Called,
    convocation_of,
    needs_sheet,
    tell_call,
    tell_convocation,
    tell_reminder,
)
from passerelle.flows.meeting_people import Invitees, find_invitees
from passerelle.flows.meeting_shown import starts_at
from passerelle.store.links import find_link_state, lock_link
from passerelle.store.meeting_steps import list_due_steps, mark_step_done, next_step_at, skip_step
from passerelle.store.meetings import find_meeting, get_meeting, move_meeting_state

log = logging.getLogger(__name__)

#: What is done after a meeting, in transactions of its own: documents are made outside of them.
After = Callable[[FlowContext, MeetingId], Awaitable[None]]
_BEFORE: tuple[Step, ...] = ("call", "convocation", "reminder")
#: How far ahead steps are looked at that wait for the end of quiet hours.
_A_DAY = timedelta(days=1)
#: No sheet takes longer to print.
_PRINT_SECONDS = 30


async def do_meeting_steps(ctx: FlowContext) -> int:
    """Do what is due for meetings, outside quiet hours; how many steps were done or left out."""
    now, done = ctx.now(), 0
    async with ctx.store.read() as conn:
        due = await list_due_steps(conn, now)
        found = [one for one in [await _ready(ctx, conn, step, now) for step in due] if one is not None]
    for (link_path, meeting_id), group in groupby(sorted(found, key=_by_meeting), key=_by_meeting):
        ready = [step for _, step, release_at in group if release_at <= now]
        before = [step.step for step in ready if step.step in _BEFORE]
        if before:
            done += await _do_before(ctx, ctx.links.get(link_path), MeetingId(meeting_id), before)
        for step in ready:
            if step.step in AFTER:
                await AFTER[step.step](ctx, MeetingId(meeting_id))
                done += 1
    return done


async def next_meeting_step_at(ctx: FlowContext) -> datetime | None:
    """When a step is due next that may leave; None where none is to come."""
    now = ctx.now()
    async with ctx.store.read() as conn:
        first = await next_step_at(conn)
        if first is None or first > now:
            return first
        waiting = [await _ready(ctx, conn, step, now) for step in await list_due_steps(conn, now + _A_DAY)]
    return min((one[2] for one in waiting if one is not None), default=now + _A_DAY)


_Ready = tuple[Link, MeetingStep, datetime]


def _by_meeting(one: _Ready) -> tuple[str, int]:
    return one[0].path, one[1].meeting_id


async def _ready(ctx: FlowContext, conn: AsyncConnection, step: MeetingStep, now: datetime) -> _Ready | None:
    """A step with its link and when it may leave; None where nothing leaves for that link.

    Args:
        now: one moment for the whole look: a step that is due may leave at that moment, not a little later.
    """
    meeting = await find_meeting(conn, step.meeting_id)
    link = ctx.links.find(f"{meeting.association}/{meeting.link}") if meeting is not None else None
    if meeting is None or link is None or ctx.links.room_of(link) is None:
        return None
    state = await find_link_state(conn, link.association_name, link.name)
    if state.confirmed_at is None or state.stopped_at is not None:
        return None
    at = max(step.due_at, now)
    release_at = after_quiet_hours(at, link.settings, link.zone)
    # Before the night is over it would be too late: nobody would come.
    is_urgent = step.step == "convocation" and release_at >= starts_at(meeting) > at
    return link, step, at if is_urgent else release_at


# ------------------------------------------------------------ before the meeting


async def _do_before(ctx: FlowContext, link: Link, id: MeetingId, due: Sequence[Step]) -> int:
    """The one step that tells all that is due; the others are left out."""
    async with ctx.store.write() as conn:
        meeting = await get_meeting(conn, id)
        step = _chosen(meeting, due, ctx.now())
        if step in ("call", "convocation"):
            await take_up_open(ctx, conn, link, meeting)
        convocation = await convocation_of(ctx, conn, link, meeting) if step == "convocation" else None
    convened = await _call(ctx, link, meeting, convocation) if convocation is not None else None
    if not await _write_letters(ctx, link, meeting, step, convened):
        return 0  # somebody changed it meanwhile: the next look sees it as it is now
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        if await get_meeting(conn, id) != meeting:
            return 0
        for other in due:
            if other != step:
                await skip_step(conn, id, other, "too_late")
        if step is not None:
            await _do(ctx, conn, meeting, step, convened, link)
        await follow_series(ctx, conn, link, meeting)
    return len(due)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Convened:
    """A meeting that people are called to, and whom we can write to."""

    called: Called
    people: Invitees


async def _call(ctx: FlowContext, link: Link, meeting: Meeting, convocation: Convocation) -> _Convened:
    """The convocation with its paper. Of a meeting that somebody else invited to, nobody gets a second invitation."""
    async with ctx.store.read() as conn:
        people = await find_invitees(ctx, conn, link, meeting)
    if meeting.source != "command":
        people = Invitees(known=(), is_everyone=False)
    called = Called(link=link, meeting=meeting, convocation=convocation)
    if needs_sheet(convocation):
        called = replace(called, sheet=await _print(ctx, called))
    return _Convened(called=called, people=people)


async def _write_letters(
    ctx: FlowContext, link: Link, meeting: Meeting, step: Step | None, convened: _Convened | None
) -> bool:
    """What each person is sent; False where the meeting was changed meanwhile."""
    if step == "convocation" and convened is not None:
        return await invite_each(ctx, convened.called, convened.people)
    return await remind_each(ctx, link, meeting) if step == "reminder" else True


def _chosen(meeting: Meeting, due: Sequence[Step], now: datetime) -> Step | None:
    """What still makes sense of the steps that are due: the convocation says all that call and reminder would."""
    if meeting.state not in TO_COME or now >= starts_at(meeting):
        return None
    if "convocation" in due:
        return "convocation"
    return "reminder" if "reminder" in due else "call"


async def _do(
    ctx: FlowContext, conn: AsyncConnection, meeting: Meeting, step: Step, convened: _Convened | None, link: Link
) -> None:
    if not await mark_step_done(conn, meeting.id, step, ctx.now()):
        return
    if step == "call":
        await tell_call(ctx, conn, link, meeting)
        await _move(conn, meeting, "called", ctx.now())
    elif step == "convocation" and convened is not None:
        await tell_convocation(ctx, conn, convened.called, is_everyone=convened.people.is_everyone)
        await _move(conn, meeting, "convened", ctx.now())
    elif step == "reminder":
        await tell_reminder(ctx, conn, link, meeting)
    log.info("A meeting's step is done", extra={"link": link.path, "meeting": meeting.number, "step": step})


async def _move(conn: AsyncConnection, meeting: Meeting, after: MeetingState, now: datetime) -> None:
    if meeting.state != after and not (after == "called" and meeting.state == "convened"):
        await move_meeting_state(conn, meeting.id, before=meeting.state, after=after, now=now)


async def _print(ctx: FlowContext, called: Called) -> bytes | None:
    """The convocation on one sheet; without it the mail says all the same."""
    association = called.link.association
    words = ctx.renderer(association).words
    try:
        return await asyncio.wait_for(
            asyncio.to_thread(
                build_convocation_pdf,
                called.convocation,
                words,
                made_at=ctx.now(),
                folder=Path(association.templates) if association.templates is not None else None,
            ),
            _PRINT_SECONDS,
        )
    except (DocumentFailure, TimeoutError):
        log.exception("The sheet of a convocation could not be printed", extra={"link": called.link.path})
        return None


AFTER: Mapping[Step, After] = {"draft": make_draft, "approval": approve_by_clock}
