"""The minutes of a meeting, from the draft to the approved version, which is kept for good.

The draft leaves for both sides; for some days it is corrected by reply. Approved they are by the word of somebody who
may, or by the clock: then nobody's word adopts anything, and only the time for corrections has ended.

Each step is two transactions. The first makes the version and stores it; files are made of it outside, since that is
the processor's work; the second sends it and marks the step as done. Whatever stops in between, the next try goes on.
"""

import logging
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import approval_step
from passerelle.core.meeting_model import Meeting, MeetingStep, MinutesVersion
from passerelle.core.minutes import approve_minutes
from passerelle.core.minutes_model import Minutes
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_capture import close_forgotten
from passerelle.flows.meeting_carry import carry_over
from passerelle.flows.meeting_files import Paper, note_papers, read_papers
from passerelle.flows.meeting_minutes_sent import Leaving, draft_left_at, files_of, tell_minutes
from passerelle.flows.meeting_refresh import refreshed
from passerelle.flows.meeting_versions import build_next, says_nothing, store_version
from passerelle.store.links import lock_link
from passerelle.store.meeting_minutes import newest_minutes
from passerelle.store.meeting_steps import list_steps, mark_step_done, put_steps, skip_step
from passerelle.store.meetings import find_meeting, get_meeting, move_meeting_state

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    """A version that is stored and has not left."""

    link: Link
    meeting: Meeting
    version: MinutesVersion


# ------------------------------------------------------------ the draft


async def make_draft(ctx: FlowContext, meeting_id: MeetingId) -> None:
    """The step `draft`: the minutes are made and leave for both sides, once."""
    made = await _draft(ctx, meeting_id)
    if made is None:
        return
    link, meeting, version = made.link, made.meeting, made.version
    files = await files_of(ctx, link, meeting, version)
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        if (await get_meeting(conn, meeting.id)).state != "closed":
            return  # it goes on after all
        if not await mark_step_done(conn, meeting.id, "draft", ctx.now()):
            return
        await move_meeting_state(conn, meeting.id, before="closed", after="drafted", now=ctx.now())
        settings = link.association.meetings
        step = approval_step(meeting, left_at=ctx.now(), settings=settings)
        await put_steps(conn, [step if settings.corrections_days else replace(step, skipped="off")])
        until = step.due_at if settings.corrections_days else None
        leaving = Leaving(link=link, meeting=meeting, version=version, files=files, corrections_until=until)
        await tell_minutes(ctx, conn, leaving, step="draft")
    log.info("The draft of minutes leaves", extra={"link": link.path, "meeting": meeting.number})


async def _draft(ctx: FlowContext, meeting_id: MeetingId) -> _Made | None:
    papers = await _papers(ctx, meeting_id)
    async with ctx.store.write() as conn:
        meeting = await find_meeting(conn, meeting_id)
        link = ctx.links.find(f"{meeting.association}/{meeting.link}") if meeting is not None else None
        if meeting is None or link is None:
            return None
        await lock_link(conn, link.association_name, link.name)
        if meeting.state == "open":
            await close_forgotten(ctx, conn, link, meeting)
            return None  # its draft is due a while after that
        if meeting.state != "closed":
            await skip_step(conn, meeting.id, "draft", "too_late")
            return None
        newest = await newest_minutes(conn, meeting.id)
        if newest is None:
            await note_papers(ctx, conn, link, meeting, papers)
            meeting = await get_meeting(conn, meeting.id)
            minutes = await build_next(ctx, conn, link, meeting, None)
            if says_nothing(minutes):
                # Somebody tried the commands, or the meeting was held elsewhere: nobody gets empty minutes.
                await skip_step(conn, meeting.id, "draft", "off")
                await carry_over(ctx, conn, link, meeting)
                return None
            newest = await store_version(ctx, conn, meeting, minutes)
        return _Made(link=link, meeting=meeting, version=newest) if newest is not None else None


async def _papers(ctx: FlowContext, meeting_id: MeetingId) -> list[Paper]:
    """What files say that brought the minutes, read before anything is written."""
    async with ctx.store.read() as conn:
        meeting = await find_meeting(conn, meeting_id)
        made = await newest_minutes(conn, meeting_id)
    link = ctx.links.find(f"{meeting.association}/{meeting.link}") if meeting is not None else None
    if meeting is None or link is None or made is not None or meeting.state != "closed":
        return []
    return await read_papers(ctx, link, meeting)


# ------------------------------------------------------------ approval


async def approve_by_clock(ctx: FlowContext, meeting_id: MeetingId) -> None:
    """The step `approval`: the minutes are approved as they stand, where nobody did so, and leave for both sides."""
    made = await _approved(ctx, meeting_id)
    if made is None:
        return
    link, meeting, version = made.link, made.meeting, made.version
    files = await files_of(ctx, link, meeting, version)
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        if await mark_step_done(conn, meeting.id, "approval", ctx.now()):
            leaving = Leaving(link=link, meeting=meeting, version=version, files=files)
            await tell_minutes(ctx, conn, leaving, step="approval")
            log.info("Approved minutes leave", extra={"link": link.path, "meeting": meeting.number})


async def _approved(ctx: FlowContext, meeting_id: MeetingId) -> _Made | None:
    async with ctx.store.write() as conn:
        meeting = await find_meeting(conn, meeting_id)
        link = ctx.links.find(f"{meeting.association}/{meeting.link}") if meeting is not None else None
        if meeting is None or link is None:
            return None
        await lock_link(conn, link.association_name, link.name)
        newest = await newest_minutes(conn, meeting.id)
        if newest is None or meeting.state not in ("drafted", "approved"):
            await skip_step(conn, meeting.id, "approval", "too_late")
            return None
        if newest.state == "draft" and await _is_too_early(ctx, conn, link, meeting):
            return None
        if newest.state == "draft":
            newest = await approve_now(ctx, conn, link, meeting, by="")
        return _Made(link=link, meeting=meeting, version=newest) if newest is not None else None


async def _is_too_early(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> bool:
    """Whether the draft has not yet lain before both sides for the time that was promised: then the step waits."""
    left_at = await draft_left_at(ctx, conn, link, meeting)
    settings = link.association.meetings
    due_at = approval_step(meeting, left_at=left_at, settings=settings).due_at if left_at is not None else None
    if due_at is None:
        due_at = ctx.now() + timedelta(days=settings.corrections_days)
    if due_at <= ctx.now():
        return False
    await put_steps(conn, [MeetingStep(meeting_id=meeting.id, step="approval", due_at=due_at)])
    return True


async def approve_now(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, *, by: str
) -> MinutesVersion | None:
    """The minutes as they stand become the approved ones; what is open goes onto the next agenda.

    They leave with the step `approval`. None where there is no draft, or somebody was quicker.

    Args:
        by: whose word approves them; "" for the clock.
    """
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or newest.state != "draft":
        return None
    now = ctx.now()
    draft = await refreshed(conn, link, meeting, Minutes.from_json(newest.document))
    approved = approve_minutes(draft, now.astimezone(link.zone).date())
    stored = await store_version(ctx, conn, meeting, approved, by=by)
    if stored is None:
        return None
    await move_meeting_state(conn, meeting.id, before="drafted", after="approved", now=now)
    if not any(step.step == "approval" and step.done_at for step in await list_steps(conn, meeting.id)):
        await put_steps(conn, [MeetingStep(meeting_id=meeting.id, step="approval", due_at=now)])
    await carry_over(ctx, conn, link, meeting, approved)
    return stored
