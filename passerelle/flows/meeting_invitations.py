"""An invitation that a member's calendar sent to the list (Google, Outlook, Thunderbird …) is a meeting like any other.

It stands in that member's calendar, so nobody is invited a second time: the room reads of it in one line, and our cycle
goes on from there. A later version of it (SEQUENCE) moves the meeting, a CANCEL calls it off, where its organizer sent
it: through a list that is authenticated at once, else after their « oui », as for any command that moves a meeting.
"""

import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.calendar_values import CalendarMessage
from passerelle.core.email import Email
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, NewMeeting
from passerelle.core.model import Post
from passerelle.core.names import one_line, safe_name
from passerelle.core.permissions import judge_act
from passerelle.core.recurrence import instant_of, instants_between, next_instant, parse_rrule
from passerelle.errors import MalformedRecurrence, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.meeting_changes import call_off, change_time_and_place
from passerelle.flows.meeting_make import make_meeting
from passerelle.flows.meeting_notices import answer_links, room_key
from passerelle.flows.meeting_replies import read_calendar
from passerelle.flows.meeting_shown import shown_meeting, starts_at
from passerelle.flows.outcome import Outcome
from passerelle.flows.said import Said
from passerelle.store.meeting_steps import list_steps, mark_step_done
from passerelle.store.meetings import (
    TimeAndPlace,
    insert_meeting,
    list_meetings_by_uid,
    move_meeting_state,
    set_meeting_words,
)

log = logging.getLogger(__name__)

#: Occurrences that are left out or moved which one invitation tells of ahead.
_MOST_CHANGED = 20
_LONGEST_TITLE = 200
_A_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Invited:
    """An invitation on its way to become a meeting."""

    said: Said
    post: Post
    message: CalendarMessage
    #: IANA; the association's where the calendar names none.
    zone: str


async def take_invitation(
    ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post, email: Email
) -> list[Outcome]:
    """Take the calendar of a mail that is a post now; what its author has to be asked or told."""
    message = read_calendar(email, said.link)
    if message is None or not message.uid or message.others:
        return []
    zone = message.zone or said.link.association.timezone
    invited = _Invited(said=said, post=post, message=message, zone=zone)
    known = await list_meetings_by_uid(conn, said.link.association_name, message.uid)
    if any(one.source != "invitation" or one.link != said.link.name for one in known):
        # Ours, forwarded by somebody: what we invited to changes by our commands alone.
        return []
    try:
        if message.cancelled and message.method in ("CANCEL", "REQUEST", "PUBLISH"):
            return await _cancel(ctx, conn, invited, known)
        if message.method not in ("REQUEST", "PUBLISH", "ADD") or message.starts_local is None or message.all_day:
            return []
        if known:
            return await _update(ctx, conn, invited, known)
        await _create(ctx, conn, invited)
    except MalformedRecurrence:
        log.info("An invitation's time or rule cannot be understood", extra={"link": said.link.path})
    return []


# ------------------------------------------------------------ a new meeting


async def _create(ctx: FlowContext, conn: AsyncConnection, invited: _Invited) -> None:
    said, message = invited.said, invited.message
    # Calling a meeting through the list is proposing one: what is asked for is the role, as for any line of a post.
    if judge_act("meet", said.actor, said.link.association.permissions) == "refused" or message.recurrence_id:
        return
    local = _first_start(ctx, invited)
    if local is None:
        return
    meeting = await make_meeting(ctx, conn, said.link, _new(ctx, invited, local))
    await _note_changed(ctx, conn, invited, meeting)
    await _begin_cycle(ctx, conn, meeting)
    await _tell_room(ctx, conn, invited, meeting)
    log.info("An invitation became a meeting", extra={"link": said.link.path, "meeting": meeting.number})


def _first_start(ctx: FlowContext, invited: _Invited) -> datetime | None:
    """The next time that it takes place, on its wall clock; None where all of it is over."""
    message, now = invited.message, ctx.now()
    assert message.starts_local is not None
    if not message.rrule:
        return message.starts_local if instant_of(message.starts_local, invited.zone) > now else None
    left_out = {*message.exdates, *(one.was_local for one in message.changed)}
    after = now
    for _ in range(_MOST_CHANGED):
        found = next_instant(message.starts_local, invited.zone, message.rrule, after=after)
        if found is None or found[0] not in left_out:
            return found[0] if found is not None else None
        after = found[1]
    return None


def _new(ctx: FlowContext, invited: _Invited, local: datetime, **more: Any) -> NewMeeting:
    said, message, post = invited.said, invited.message, invited.post
    words = ctx.renderer(said.link.association).words
    organizer = message.organizer.name if message.organizer is not None else ""
    values: dict[str, Any] = {
        "association": said.link.association_name,
        "link": said.link.name,
        "uid": message.uid,
        "title": one_line(message.summary)[:_LONGEST_TITLE] or words("meeting_title_meeting"),
        "starts_local": local,
        "zone": invited.zone,
        "duration_minutes": _minutes(invited),
        "place": one_line(message.location),
        "url": message.url,
        "notes": message.description,
        "rrule": _rule(invited),
        "organizer_name": safe_name(said.actor.name or organizer),
        "organizer_person_id": post.person_id,
        "source": "invitation",
        "post_id": post.id,
        "created_at": ctx.now(),
    }
    return NewMeeting(**(values | more))


def _minutes(invited: _Invited) -> int:
    duration = invited.message.duration
    minutes = duration // timedelta(minutes=1) if duration is not None else 0
    return minutes if 5 <= minutes <= 24 * 60 else invited.said.link.association.meetings.duration_minutes


def _rule(invited: _Invited) -> str:
    """The rule with its end as a time: of « ten times » nobody knows later how many have been."""
    message = invited.message
    rule = parse_rrule(message.rrule) if message.rrule else None
    if rule is None or rule.count is None or message.starts_local is None:
        return message.rrule
    first = instant_of(message.starts_local, invited.zone)
    times = instants_between(
        message.starts_local,
        invited.zone,
        message.rrule,
        after=first - _A_MOMENT,
        until=first + timedelta(days=366 * 10),
        limit=rule.count,
    )
    parts = [part for part in message.rrule.split(";") if not part.upper().startswith("COUNT=")]
    last = times[-1][1].astimezone(UTC) if times else first
    return ";".join([*parts, f"UNTIL={last:%Y%m%dT%H%M%SZ}"])


async def _note_changed(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, first: Meeting) -> None:
    """Occurrences to come that are left out, or at another time, as the invitation says."""
    message = invited.message
    if not first.rrule:
        return
    for local in message.exdates[:_MOST_CHANGED]:
        await _left_out(ctx, conn, invited, first, local)
    for change in message.changed[:_MOST_CHANGED]:
        await _left_out(ctx, conn, invited, first, change.was_local)
        if change.starts_local is not None and not change.cancelled:
            await _one_more(ctx, conn, invited, first, change.starts_local)


async def _left_out(
    ctx: FlowContext, conn: AsyncConnection, invited: _Invited, first: Meeting, local: datetime
) -> None:
    """It stands there as called off: nobody has heard of it, and the series goes on behind it."""
    if not await _is_free(ctx, conn, invited, local):
        return
    series = first.series_id or first.id
    await insert_meeting(conn, _new(ctx, invited, local, rrule=first.rrule, series_id=series, state="cancelled"))


async def _one_more(
    ctx: FlowContext, conn: AsyncConnection, invited: _Invited, first: Meeting, local: datetime
) -> Meeting | None:
    """One that is not where the rule has it."""
    if not await _is_free(ctx, conn, invited, local):
        return None
    return await make_meeting(ctx, conn, invited.said.link, _new(ctx, invited, local, rrule="", series_id=first.id))


async def _is_free(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, local: datetime) -> bool:
    known = await list_meetings_by_uid(conn, invited.said.link.association_name, invited.message.uid)
    return instant_of(local, invited.zone) > ctx.now() and local not in {one.starts_local for one in known}


async def _begin_cycle(ctx: FlowContext, conn: AsyncConnection, meeting: Meeting) -> None:
    """The invitation itself has convened the list, where our convocation would leave right behind it."""
    now = ctx.now()
    due = {step.step: step for step in await list_steps(conn, meeting.id)}
    convocation = due.get("convocation")
    if convocation is None or (convocation.due_at > now and not convocation.skipped):
        return
    if "call" in due:
        await mark_step_done(conn, meeting.id, "call", now)
    await mark_step_done(conn, meeting.id, "convocation", now)
    await move_meeting_state(conn, meeting.id, before=meeting.state, after="convened", now=now)


async def _tell_room(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, meeting: Meeting) -> None:
    link = invited.said.link
    variables = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "zone_is_sure": invited.message.zone_is_sure,
        **answer_links(ctx, link, meeting),
    }
    await insert_room_notice(
        ctx,
        conn,
        link,
        template="meeting_invited",
        unique_key=room_key(link, meeting, "convocation", "invited"),
        variables=variables,
        parent=invited.post.id,
    )


# ------------------------------------------------------------ a later version


async def _update(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, known: list[Meeting]) -> list[Outcome]:
    """The organizer changed it; what is older than what we know changes nothing (RFC 5546 §2.1.5)."""
    message = invited.message
    assert message.starts_local is not None
    meeting = _meant(ctx, invited, known)
    if meeting is None:
        return await _further(ctx, conn, invited, known)
    if message.sequence < meeting.sequence:
        return []
    local = message.starts_local if message.recurrence_id or not message.rrule else _first_start(ctx, invited)
    if local is None:
        return []
    to = TimeAndPlace(
        starts_local=local,
        zone=invited.zone,
        duration_minutes=_minutes(invited),
        place=one_line(message.location) or meeting.place,
        url=message.url or meeting.url,
    )
    same = TimeAndPlace(
        starts_local=meeting.starts_local,
        zone=meeting.zone,
        duration_minutes=meeting.duration_minutes,
        place=meeting.place,
        url=meeting.url,
    )
    if to == same:
        return []
    if (asked := _needs_word(invited, meeting, _moving(invited, meeting, to))) is not None:
        return asked
    try:
        await change_time_and_place(
            ctx, conn, invited.said.link, meeting, to, sequence=message.sequence, tells_list=False
        )
    except StoreError:
        log.info("An occurrence is there already", extra={"link": invited.said.link.path, "meeting": meeting.number})
        return []
    title = one_line(message.summary)[:_LONGEST_TITLE] or meeting.title
    await set_meeting_words(conn, meeting.id, title=title, notes=message.description or meeting.notes)
    return []


async def _further(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, known: list[Meeting]) -> list[Outcome]:
    """It changes one of a series that is not made yet: it is left out of the rule, and stands where it is now."""
    message, first = invited.message, known[0]
    if message.recurrence_id is None or message.starts_local is None or not _is_organizer(invited, first):
        return []
    if invited.said.actor.proof == "none":
        return []
    await _left_out(ctx, conn, invited, first, message.recurrence_id)
    made = await _one_more(ctx, conn, invited, first, message.starts_local)
    if made is not None:
        await _tell_room(ctx, conn, invited, made)
    return []


async def _cancel(ctx: FlowContext, conn: AsyncConnection, invited: _Invited, known: list[Meeting]) -> list[Outcome]:
    message = invited.message
    meant = [one for one in known if one.state in TO_COME and message.sequence >= one.sequence]
    if message.recurrence_id is not None:
        found = _meant(ctx, invited, known)
        meant = [found] if found in meant and found is not None else []
        if not meant and known and _is_organizer(invited, known[0]) and invited.said.actor.proof != "none":
            await _left_out(ctx, conn, invited, known[0], message.recurrence_id)
    for meeting in meant:
        words = f"annuler réunion {meeting.number}"
        if (asked := _needs_word(invited, meeting, words)) is not None:
            return asked
        await call_off(ctx, conn, invited.said.link, meeting, tells_list=False, is_series=message.recurrence_id is None)
    return []


def _meant(ctx: FlowContext, invited: _Invited, known: list[Meeting]) -> Meeting | None:
    """Which meeting a later version is about: the occurrence that it names, else the next one."""
    message = invited.message
    coming = [one for one in known if one.state in TO_COME and starts_at(one) > ctx.now()]
    if message.recurrence_id is not None:
        at = instant_of(message.recurrence_id, invited.zone)
        return next((one for one in coming if starts_at(one) == at), None)
    return min(coming, key=starts_at, default=None)


# ------------------------------------------------------------ who may change it


def _is_organizer(invited: _Invited, meeting: Meeting) -> bool:
    """Whether the mail comes from who invited."""
    return meeting.organizer_person_id is not None and invited.post.person_id == meeting.organizer_person_id


def _needs_word(invited: _Invited, meeting: Meeting, command: str) -> list[Outcome] | None:
    """None where it may be done; nothing where it may not; else the question to its organizer."""
    said = invited.said
    if not _is_organizer(invited, meeting) and not said.actor.is_coordinator:
        return []
    if said.actor.proof != "none":
        return None
    return [Outcome(reason="confirm", variables={"command": command})]


def _moving(invited: _Invited, meeting: Meeting, to: TimeAndPlace) -> str:
    """The command that says the same."""
    place = f" {to.place}" if to.place and to.place != meeting.place else ""
    when = (
        f" au {to.starts_local:%d/%m/%Y} à {to.starts_local:%Hh%M}" if to.starts_local != meeting.starts_local else ""
    )
    return f"déplacer réunion {meeting.number}{when}{place}"


def said_as(said: Said, outcome: Outcome) -> Said:
    """What an invitation asks for, as the command that its organizer is asked to confirm."""
    return replace(said, text=str(outcome.variables.get("command", said.text)))
