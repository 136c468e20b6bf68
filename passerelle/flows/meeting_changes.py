"""A meeting is moved or called off: everyone who heard of it hears of that, and calendars follow (RFC 5546 §3.2.2.1).

Who had said that they come is asked anew where the time changed: they said it of another evening.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.calendar_values import CalendarAttendee
from passerelle.core.command_arguments import CancelArguments, MoveArguments
from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME, steps_of
from passerelle.core.meeting_model import Meeting
from passerelle.core.recurrence import instant_of
from passerelle.core.when_model import When
from passerelle.errors import MalformedRecurrence, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice
from passerelle.flows.meeting_carry import carry_over
from passerelle.flows.meeting_dates import ask_date, duration_of
from passerelle.flows.meeting_letters import answers_of, invitation_for, organizer_of, thread_of_person
from passerelle.flows.meeting_make import follow_series
from passerelle.flows.meeting_meant import meeting_meant
from passerelle.flows.meeting_notices import (
    Called,
    answer_links,
    convocation_of,
    list_key,
    room_key,
    thread_of,
)
from passerelle.flows.meeting_people import Invitee, find_invitees, invited
from passerelle.flows.meeting_shown import moment_of, shown_meeting, starts_at, titled
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.mail.calendar_build import build_cancellation
from passerelle.mail.compose_types import CalendarPart
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.meeting_people import forget_answers
from passerelle.store.meeting_steps import put_steps, skip_steps, want_step_again
from passerelle.store.meetings import TimeAndPlace, move_meeting_state, reschedule_meeting
from passerelle.store.outbox import find_outbox_by_unique_key

ChangeKind = Literal["move", "cancel"]
_TEMPLATES: dict[ChangeKind, str] = {"move": "meeting_moved", "cancel": "meeting_cancelled"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What became of a meeting."""

    kind: ChangeKind
    #: Of one that was moved: as it was.
    before: Meeting | None = None
    #: Of one that was called off, as it was given.
    reason: str = ""
    #: False where a mail of the list said so itself.
    tells_list: bool = True


async def move_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: MoveArguments) -> Outcome:
    """`!déplacer réunion 4 au jeudi 19 à 18h`, or only to another place."""
    meeting = await meeting_meant(ctx, conn, said, asked.number)
    if isinstance(meeting, Outcome):
        return meeting
    if (refused := await may(ctx, said, "move")) is not None:
        return refused
    if asked.when is not None and asked.when.when is None:
        about = {"move": meeting.id, "place": asked.place, "url": asked.url}
        return await ask_date(ctx, conn, said, about, written=asked.when_text, candidates=asked.when.candidates)
    when = asked.when.when if asked.when is not None else None
    return await reschedule(ctx, conn, said, meeting, when, place=asked.place, url=asked.url)


async def reschedule(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, when: When | None, *, place: str, url: str
) -> Outcome:
    """Give a meeting another time or place; what was not said stays as it was."""
    words = ctx.renderer(said.link.association).words
    if meeting.state not in TO_COME:
        return sentence("meeting_is_over", words("meeting_is_over", number=meeting.number), is_private=True)
    local, duration = meeting.starts_local, meeting.duration_minutes
    if when is not None:
        # « au jeudi 19 »: at the same hour.
        local = datetime.combine(when.day, when.time or meeting.starts_local.time())
        duration = duration_of(when, meeting.duration_minutes)
    try:
        if instant_of(local, meeting.zone) <= ctx.now():
            return sentence("meeting_past", words("meeting_past"), is_private=True)
        to = TimeAndPlace(
            starts_local=local,
            zone=meeting.zone,
            duration_minutes=duration,
            place=place or meeting.place,
            url=url or meeting.url,
        )
        moved = await change_time_and_place(ctx, conn, said.link, meeting, to)
    except (MalformedRecurrence, StoreError):
        return sentence("meeting_not_moved", words("meeting_not_moved", number=meeting.number), is_private=True)
    await _log(ctx, conn, said, moved, "meeting_moved")
    told = words("meeting_moved", number=moved.number, moment=moment_of(moved, words), place=moved.place)
    return sentence("meeting_moved", told, reaction=NOTED)


async def change_time_and_place(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    meeting: Meeting,
    to: TimeAndPlace,
    *,
    sequence: int | None = None,
    tells_list: bool = True,
) -> Meeting:
    """Store it, give the steps that are left their new times, and tell whoever heard of the meeting.

    Args:
        sequence: as somebody else's invitation says; None: the next one of ours.
        tells_list: False where a mail of the list said so itself.

    Raises StoreError where another meeting of its UID begins then.
    """
    moved = await reschedule_meeting(conn, meeting.id, to, sequence=sequence)
    if moved.starts_local != meeting.starts_local or moved.zone != meeting.zone:
        settings = link.association.meetings
        # Who was reminded of the former evening is reminded of the new one.
        await want_step_again(conn, moved.id, "reminder")
        await put_steps(conn, steps_of(moved.id, starts_at=starts_at(moved), created_at=ctx.now(), settings=settings))
        await forget_answers(conn, moved.id)
    await tell_change(ctx, conn, link, moved, Change(kind="move", before=meeting, tells_list=tells_list))
    return moved


async def cancel_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, asked: CancelArguments) -> Outcome:
    """`!annuler réunion 4`; the next one of its series takes place all the same."""
    meeting = await meeting_meant(ctx, conn, said, asked.number)
    if isinstance(meeting, Outcome):
        return meeting
    if (refused := await may(ctx, said, "move")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    if not await call_off(ctx, conn, said.link, meeting, reason=asked.reason):
        return sentence("meeting_is_over", words("meeting_is_over", number=meeting.number), is_private=True)
    await _log(ctx, conn, said, meeting, "meeting_cancelled")
    told = words("meeting_cancelled", number=meeting.number, title=titled(meeting, words))
    return sentence("meeting_cancelled", told, reaction=NOTED)


async def call_off(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    meeting: Meeting,
    *,
    reason: str = "",
    tells_list: bool = True,
    is_series: bool = False,
) -> bool:
    """Call a meeting off, and tell whoever heard of it; False where it is over, or was called off already.

    Args:
        tells_list: False where a mail of the list said so itself.
        is_series: nothing follows it.
    """
    if meeting.state not in TO_COME:
        return False
    if not await move_meeting_state(conn, meeting.id, before=meeting.state, after="cancelled", now=ctx.now()):
        return False
    await skip_steps(conn, meeting.id, "cancelled")
    await carry_over(ctx, conn, link, meeting)
    await tell_change(ctx, conn, link, meeting, Change(kind="cancel", reason=reason, tells_list=tells_list))
    if not is_series:
        await follow_series(ctx, conn, link, meeting)
    return True


# ------------------------------------------------------------ who is told


async def tell_change(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, change: Change) -> None:
    """Tell the room; the list and those who were invited, where they were told of the meeting before."""
    words = ctx.renderer(link.association).words
    variables: dict[str, Any] = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "before": moment_of(change.before, words) if change.before is not None else "",
        "reason": change.reason,
        **answer_links(ctx, link, meeting),
    }
    await insert_room_notice(
        ctx,
        conn,
        link,
        template=_TEMPLATES[change.kind],
        unique_key=room_key(link, meeting, change.kind, str(meeting.sequence)),
        variables=variables,
    )
    people = await invited(ctx, conn, link, meeting) if change.tells_list else []
    if not change.tells_list or (meeting.state == "planned" and not people):
        return
    list_is_told = await _to_list(ctx, conn, link, meeting, change.kind, variables)
    # What the list's mail says is not said twice: beside it only calendars are told.
    template = "meeting_invitation" if list_is_told and change.kind == "move" else _TEMPLATES[change.kind]
    called = Called(link=link, meeting=meeting, convocation=await convocation_of(ctx, conn, link, meeting))
    for invitee in people:
        await _to_invitee(ctx, conn, called, invitee, change.kind, (template, variables))


async def _to_list(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, change: ChangeKind, variables: dict[str, Any]
) -> bool:
    """Whether the list is told: not where each of its members is told by a mail of their own."""
    found = await find_invitees(ctx, conn, link, meeting)
    was_told = await find_outbox_by_unique_key(conn, list_key(link, meeting, "convocation")) is not None
    if found.is_everyone and meeting.state == "convened" and not was_told and meeting.source == "command":
        return False
    thread = thread_of(ctx, link, meeting)
    await insert_list_notice(
        ctx,
        conn,
        link,
        template=_TEMPLATES[change],
        unique_key=list_key(link, meeting, change, str(meeting.sequence)),
        variables=variables | {"name": ""},
        extras=NoticeExtras(
            reply_to=MailAddress(link.mailbox.address),
            in_reply_to=thread if was_told else None,
            references=(thread,) if was_told else (),
        ),
    )
    return True


async def _to_invitee(
    ctx: FlowContext,
    conn: AsyncConnection,
    called: Called,
    invitee: Invitee,
    change: ChangeKind,
    letter: tuple[str, dict[str, Any]],
) -> None:
    link, meeting = called.link, called.meeting
    template, variables = letter
    name = ctx.renderer(link.association).words.names(invitee.names)
    about = About(kind="meeting", ids=(meeting.id,), step=change)
    thread = thread_of_person(ctx, link, meeting, invitee.address)
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=Mailbox(name=name, address=invitee.address),
            template=template,
            unique_key=about_key(
                about, link.path, str(meeting.sequence), "person", ctx.hashed("person", invitee.address.lower())
            ),
            variables=variables | {"name": name},
            calendar=await _calendar(ctx, conn, called, invitee, change),
            in_reply_to=thread,
            references=(thread,),
        ),
    )


async def _calendar(
    ctx: FlowContext, conn: AsyncConnection, called: Called, invitee: Invitee, change: ChangeKind
) -> CalendarPart:
    """The same event with its new time, or without one: SEQUENCE is above the last (RFC 5546 §2.1.4)."""
    if change == "move":
        return invitation_for(ctx, called, invitee, await answers_of(conn, called.meeting))
    words = ctx.renderer(called.link.association).words
    return build_cancellation(
        called.meeting,
        CalendarAttendee(address=invitee.address, name=words.names(invitee.names)),
        organizer=organizer_of(called.link),
        dtstamp=ctx.now().astimezone(UTC),
    )


async def _log(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, what: str) -> None:
    """What a coordinator does to a meeting stands where all can read it (PEOPLE 15)."""
    if not said.actor.is_coordinator:
        return
    await insert_act(
        conn,
        NewAct(
            association=meeting.association,
            link=meeting.link,
            by=said.actor.name,
            what=what,
            about={"meeting": meeting.number},
            at=ctx.now(),
        ),
    )
