"""A meeting in the room, from `!début` to `!fin`: when it was under way, in pauses, past midnight, after a restart.

What is said meanwhile belongs to it by the time at which it was said. A meeting that nobody ends, ends by itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.batching import after_quiet_hours
from passerelle.core.command_arguments import NumbersArguments
from passerelle.core.command_row import CommandName
from passerelle.core.commands import Command
from passerelle.core.ids import MeetingId
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME, draft_step
from passerelle.core.meeting_model import Meeting, MeetingSpan, MeetingState, MeetingStep, NewMeeting
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice as tell_room
from passerelle.flows.meeting_make import follow_series, own_uid
from passerelle.flows.meeting_shown import shown_meeting, starts_at
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.meeting_capture import find_meeting_under_way
from passerelle.store.meeting_people import list_attendance
from passerelle.store.meeting_steps import put_steps, skip_steps
from passerelle.store.meetings import (
    begin_span,
    end_span,
    find_meeting,
    find_meeting_by_number,
    get_meeting,
    insert_meeting,
    list_meetings,
    list_posts_between,
    list_spans,
    move_meeting_state,
)
from passerelle.store.register_lists import EntryFilter, count_entries

CAPTURE_COMMANDS: frozenset[CommandName] = frozenset({"start", "pause", "resume", "end"})
#: How long before and after its time a meeting is the one that `!début` means.
_EARLY, _LATE = timedelta(hours=12), timedelta(hours=18)
#: No meeting lasts longer: one that nobody ended is over then.
LONGEST = timedelta(hours=12)
#: Of one that nobody ended: so long a silence was its end.
_SILENCE = timedelta(minutes=90)


async def run_capture_command(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    """`!début`, `!pause`, `!reprise`, `!fin`."""
    if (refused := await may(ctx, said, "chair")) is not None:
        return refused
    arguments = command.arguments
    number = arguments.number if isinstance(arguments, NumbersArguments) else None
    if command.name == "start":
        return await _start(ctx, conn, said, number)
    meeting = await _begun(ctx, conn, said, number)
    if meeting is None:
        return _told(ctx, said, "capture_none_open", is_private=True)
    if command.name == "resume":
        return await _resume(ctx, conn, said, meeting)
    if command.name == "pause":
        return await _pause(ctx, conn, said, meeting)
    return await _end(ctx, conn, said, meeting)


async def current_meeting_id(
    ctx: FlowContext, conn: AsyncConnection, link: Link, said_at: datetime
) -> MeetingId | None:
    """The meeting that was under way in a link when something was said; None where there was none, or in a pause."""
    found = await find_meeting_under_way(conn, link.association_name, link.name, min(said_at, ctx.now()))
    return found.id if found is not None else None


def _told(ctx: FlowContext, said: Said, key: str, *, is_private: bool = False, **values: Any) -> Outcome:
    words = ctx.renderer(said.link.association).words
    return sentence(key, words(key, **values), is_private=is_private, reaction="" if is_private else NOTED)


def _said_at(ctx: FlowContext, said: Said) -> datetime:
    """When it was said, but never later than now: what a homeserver's clock says is not always so."""
    return min(said.said_at, ctx.now())


# ------------------------------------------------------------ which meeting


async def _begun(ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None) -> Meeting | None:
    """The meeting that is open, or was closed a short while ago."""
    if number is not None:
        found = await _numbered(conn, said.link, number)
        return found if found is not None and found.state in ("open", "closed") else None
    meetings = await list_meetings(
        conn, said.link.association_name, links=[said.link.name], states=["open", "closed"], limit=1000
    )
    is_open = [one for one in meetings if one.state == "open"]
    just_closed = [one for one in meetings if one.closed_at is not None and one.closed_at > ctx.now() - LONGEST]
    return next(iter([*is_open, *reversed(just_closed)]), None)


async def _numbered(conn: AsyncConnection, link: Link, number: int) -> Meeting | None:
    found = await find_meeting_by_number(conn, link.association_name, number)
    return found if found is not None and found.link == link.name else None


async def _meant(ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None) -> Meeting | None:
    """The meeting that is to begin: by number, by what is answered, or the one whose time is now."""
    link = said.link
    if number is not None:
        return await _numbered(conn, link, number)
    if said.about is not None and said.about.kind == "meeting":
        return await find_meeting(conn, MeetingId(said.about.id))
    now = _said_at(ctx, said)
    coming = await list_meetings(conn, link.association_name, links=[link.name], states=sorted(TO_COME), limit=1000)
    near = [one for one in coming if now - _LATE <= starts_at(one) <= now + _EARLY]
    return min(near, key=lambda one: abs(starts_at(one) - now), default=None)


# ------------------------------------------------------------ begin, pause, resume, end


async def _start(ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None) -> Outcome:
    running = await _begun(ctx, conn, said, None)
    if number is None and running is not None and running.state == "open":
        return _told(ctx, said, "capture_already_open", is_private=True, number=running.number)
    meeting = await _meant(ctx, conn, said, number)
    if running is not None and running.state == "open" and (meeting is None or meeting.id != running.id):
        return _told(ctx, said, "capture_other_open", is_private=True, number=running.number)
    if meeting is None and number is not None:
        return _told(ctx, said, "meeting_unknown", is_private=True, number=number)
    if meeting is None:
        meeting = await _unplanned(ctx, conn, said)
    if meeting.state == "open":
        return _told(ctx, said, "capture_already_open", is_private=True, number=meeting.number)
    if meeting.state == "closed":
        return await _resume(ctx, conn, said, meeting)
    if meeting.state not in TO_COME:
        return _told(ctx, said, "capture_over", is_private=True, number=meeting.number)
    # What was still to be told of it before it began makes no sense any more.
    await skip_steps(conn, meeting.id, "too_late")
    await _open(ctx, conn, said, meeting)
    await _tell(ctx, conn, said, await get_meeting(conn, meeting.id), "open")
    return Outcome(reason="meeting_opened", reaction=NOTED)


async def _unplanned(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Meeting:
    """Nobody called a meeting, and one begins: it is held all the same."""
    link, now = said.link, _said_at(ctx, said)
    local = now.astimezone(link.zone).replace(tzinfo=None, second=0, microsecond=0)
    return await insert_meeting(
        conn,
        NewMeeting(
            association=link.association_name,
            link=link.name,
            uid=own_uid(ctx, link, said.key, local),
            title="",
            starts_local=local,
            zone=link.zone.key,
            duration_minutes=link.association.meetings.duration_minutes,
            organizer_name=said.actor.name,
            organizer_person_id=said.actor.person_id,
            created_at=ctx.now(),
        ),
    )


async def _open(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> None:
    at = _said_at(ctx, said)
    if meeting.state != "open":
        await _move(conn, meeting, "open", at)
    await begin_span(conn, meeting.id, at)
    await put_steps(conn, [MeetingStep(meeting_id=meeting.id, step="draft", due_at=at + LONGEST)])


async def _resume(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    if await _runs(conn, meeting):
        return _told(ctx, said, "capture_already_open", is_private=True, number=meeting.number)
    await _open(ctx, conn, said, meeting)
    await _tell(ctx, conn, said, meeting, "resumed")
    return Outcome(reason="meeting_resumed", reaction=NOTED)


async def _pause(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    if not await _end_span(ctx, conn, said, meeting):
        return _told(ctx, said, "capture_not_running", is_private=True, number=meeting.number)
    await _tell(ctx, conn, said, meeting, "paused")
    return Outcome(reason="meeting_paused", reaction=NOTED)


async def _end(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    if meeting.state != "open":
        return _told(ctx, said, "capture_over", is_private=True, number=meeting.number)
    await _end_span(ctx, conn, said, meeting)
    await close_meeting(ctx, conn, said.link, meeting, at=_said_at(ctx, said))
    await _tell(ctx, conn, said, await get_meeting(conn, meeting.id), "closed")
    return Outcome(reason="meeting_closed", reaction=NOTED)


async def close_meeting(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, *, at: datetime) -> None:
    """A meeting is over: its minutes are due some time later, and the next of its series is made.

    Args:
        at: when it ended (aware).
    """
    await _move(conn, meeting, "closed", at)
    settings = link.association.meetings
    step = draft_step(meeting, ended_at=at, settings=settings)
    await put_steps(conn, [step if settings.draft_hours else replace(step, skipped="off")])
    await follow_series(ctx, conn, link, await get_meeting(conn, meeting.id))


async def close_forgotten(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Nobody said `!fin`: it ended when it last paused, or when nobody said anything any more."""
    spans = await list_spans(conn, meeting.id)
    ends = [span.ended_at or await _fell_silent_at(conn, link, span) for span in spans]
    ended_at = min(max(ends, default=ctx.now()), ctx.now())
    await end_span(conn, meeting.id, ended_at)
    await close_meeting(ctx, conn, link, meeting, at=ended_at)


async def _fell_silent_at(conn: AsyncConnection, link: Link, span: MeetingSpan) -> datetime:
    """When nobody said anything any more for so long that the meeting must have been over."""
    latest = span.started_at + LONGEST
    said = await list_posts_between(conn, link.association_name, link.name, started_at=span.started_at, ended_at=latest)
    last = span.started_at
    for post in said:
        if post.said_at > last + _SILENCE:
            break
        last = post.said_at
    # What was said at that very moment still belongs to it.
    return last + timedelta(seconds=1) if last + _SILENCE < latest else latest


async def _runs(conn: AsyncConnection, meeting: Meeting) -> bool:
    return any(span.ended_at is None for span in await list_spans(conn, meeting.id))


async def _end_span(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> bool:
    """Whether it was under way until now."""
    running: Sequence[MeetingSpan] = [one for one in await list_spans(conn, meeting.id) if one.ended_at is None]
    at = max([_said_at(ctx, said), *(span.started_at for span in running)])
    return await end_span(conn, meeting.id, at)


async def _move(conn: AsyncConnection, meeting: Meeting, after: MeetingState, at: datetime) -> None:
    if meeting.state != after:
        await move_meeting_state(conn, meeting.id, before=meeting.state, after=after, now=at)


# ------------------------------------------------------------ what the room is told


async def _tell(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, step: str) -> None:
    """Everyone in the room sees that it begins, pauses, goes on, ends; whoever answers that, speaks of this meeting."""
    variables = {
        "meeting": await shown_meeting(ctx, conn, said.link, meeting),
        "step": step,
        "decisions": await _count(conn, meeting, "decision"),
        "actions": await _count(conn, meeting, "action"),
        "minutes_at": _minutes_at(ctx, said.link) if await _has_notes(conn, meeting) else None,
    }
    key = about_key(About(kind="meeting", ids=(meeting.id,), step=step), said.link.path, said.key, "room")
    await tell_room(ctx, conn, said.link, template="meeting_capture", unique_key=key, variables=variables)


async def _has_notes(conn: AsyncConnection, meeting: Meeting) -> bool:
    noted = EntryFilter(links=[meeting.link], meeting_id=meeting.id)
    return bool(await count_entries(conn, meeting.association, noted) or await list_attendance(conn, meeting.id))


def _minutes_at(ctx: FlowContext, link: Link) -> datetime | None:
    hours = link.association.meetings.draft_hours
    return after_quiet_hours(ctx.now() + timedelta(hours=hours), link.settings, link.zone) if hours else None


async def _count(conn: AsyncConnection, meeting: Meeting, kind: str) -> int:
    wanted = EntryFilter(links=[meeting.link], kinds=[kind], meeting_id=meeting.id)
    return await count_entries(conn, meeting.association, wanted)
