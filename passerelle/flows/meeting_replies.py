"""What calendar programs answer to our invitations (RFC 5546 §3.2.3, 3.2.7): a button was pressed, or another time
proposed.

The meeting is found by its UID, the person by the address that was invited: Outlook.com leaves ORGANIZER out, Nextcloud
sends from an address of its own. Who was not invited counts for nobody. Of a refusal no reason is kept (PEOPLE 9).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.calendar_values import CalendarAttendee, CalendarMessage, find_reply
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting
from passerelle.core.names import one_line, safe_name
from passerelle.core.readership import named_alike
from passerelle.core.recurrence import instant_of
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedCalendar, MalformedRecurrence
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_people import was_invited
from passerelle.flows.meeting_rsvp import Voice, put_voice
from passerelle.flows.meeting_shown import shown_meeting, starts_at
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator, reach_person
from passerelle.mail.calendar import parse_calendar
from passerelle.store.meetings import find_meeting_by_uid
from passerelle.store.privacy import find_known_person
from passerelle.store.readers import list_persons_at

log = logging.getLogger(__name__)

#: No calendar of a mail takes longer to be read.
_PARSE_SECONDS = 5
_LONGEST_REMARK = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarMail:
    """A mail to the bridge that carries a calendar."""

    email: Email
    author: Mailbox
    #: Aware.
    received_at: datetime
    #: What tells it from all others.
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reply:
    """An answer to an invitation of ours."""

    link: Link
    meeting: Meeting
    message: CalendarMessage
    attendee: CalendarAttendee
    #: The address that we invited.
    address: MailAddress


def read_calendar(email: Email, link: Link) -> CalendarMessage | None:
    """What the calendar of a mail says, read under a time limit; None where there is none that can be read."""
    if not email.attachments:
        return None
    try:
        with deadline(_PARSE_SECONDS):
            return parse_calendar(email, home_zone=link.association.timezone)
    except (MalformedCalendar, DeadlinePassed) as error:
        log.info("A calendar cannot be read: %s", error, extra={"link": link.path})
        return None


async def take_calendar(
    ctx: FlowContext, conn: AsyncConnection, mail: CalendarMail, links: Sequence[Link]
) -> str | None:
    """Take an answer that a calendar program sent to the bridge; what came of it, None where it is none.

    Whatever came of it, nobody is answered: a button was pressed, and is heard.
    """
    message = read_calendar(mail.email, links[0]) if links else None
    if message is None or message.method not in ("REPLY", "COUNTER"):
        return None
    reply = await _ours(ctx, conn, mail, message, links)
    if reply is None:
        return "calendar_of_nothing"
    if message.method == "COUNTER":
        await _tell_organizer(ctx, conn, mail, reply)
        return "calendar_counter"
    answer = reply.attendee.answer
    if answer is None or _is_of_former_time(reply) or reply.meeting.state not in (*TO_COME, "open"):
        return "calendar_too_late"
    voice = await _voice(ctx, conn, reply)
    if voice is None:
        return "calendar_whose"
    await put_voice(conn, reply.meeting, voice, answer, at=mail.received_at, medium="calendar")
    return "calendar_reply"


async def _ours(
    ctx: FlowContext, conn: AsyncConnection, mail: CalendarMail, message: CalendarMessage, links: Sequence[Link]
) -> _Reply | None:
    """The invitation of ours that is answered, by UID and by the address that it went to."""
    authors = [mail.author.address, *(one.address for one in mail.email.reply_to)]
    attendee = find_reply(message, authors)
    if attendee is None or not message.uid:
        return None
    for association in dict.fromkeys(link.association_name for link in links):
        meeting = await find_meeting_by_uid(conn, association, message.uid)
        link = ctx.links.find(f"{association}/{meeting.link}") if meeting is not None else None
        if meeting is None or link is None:
            continue
        # Somebody with several addresses answers from another: then it is the author whom we invited.
        for address in (attendee.address, *authors):
            if await was_invited(ctx, conn, link, meeting, address):
                return _Reply(link=link, meeting=meeting, message=message, attendee=attendee, address=address)
    return None


def _is_of_former_time(reply: _Reply) -> bool:
    """Whether it answers an invitation to another time, which came before the meeting was moved."""
    message, meeting = reply.message, reply.meeting
    if message.sequence >= meeting.sequence or message.starts_local is None:
        return False
    try:
        return instant_of(message.starts_local, message.zone or meeting.zone) != starts_at(meeting)
    except MalformedRecurrence:
        return False


async def _voice(ctx: FlowContext, conn: AsyncConnection, reply: _Reply) -> Voice | None:
    """Whose answer it is: the one at that address; of several, who is named; else both are asked (PEOPLE 19)."""
    persons = await list_persons_at(conn, reply.link.association_name, reply.address)
    if len(persons) > 1:
        called = reply.attendee.name
        alike = [one for one in persons if called and named_alike(called, one[1])]
        if len(alike) != 1:
            await _ask_whose(ctx, conn, reply, [name for _, name, _ in persons])
            return None
        persons = alike
    return Voice(person_id=persons[0][0], name=persons[0][1]) if persons else None


async def _ask_whose(ctx: FlowContext, conn: AsyncConnection, reply: _Reply, names: Sequence[str]) -> None:
    words = ctx.renderer(reply.link.association).words
    shown = words.names(tuple(safe_name(name) or words("list_member") for name in names))
    about = About(kind="meeting", ids=(reply.meeting.id,), step="who")
    mail = Personal(
        to=Mailbox(name="", address=reply.address),
        template="answer",
        unique_key=about_key(about, reply.link.path, ctx.hashed("person", reply.address.lower())),
        variables={"name": "", "sentence": words("rsvp_who", names=shown)},
    )
    await insert_personal_email(ctx, conn, reply.link, mail)


async def _tell_organizer(ctx: FlowContext, conn: AsyncConnection, mail: CalendarMail, reply: _Reply) -> None:
    """Somebody proposes another time: who called the meeting decides, by a command like any other."""
    link, meeting, message = reply.link, reply.meeting, reply.message
    persons = await list_persons_at(conn, link.association_name, reply.address)
    words = ctx.renderer(link.association).words
    proposed = ""
    if message.starts_local is not None:
        try:
            at = instant_of(message.starts_local, message.zone or meeting.zone)
            proposed = words.moment(at, weekday=True)
        except MalformedRecurrence:
            pass
    who = safe_name(persons[0][1] if len(persons) == 1 else reply.attendee.name) or words("list_member")
    variables = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "who": who,
        "proposed": proposed,
        "remark": one_line(message.comment)[:_LONGEST_REMARK],
    }
    about = About(kind="meeting", ids=(meeting.id,), step="remark")
    organizer = meeting.organizer_person_id
    if organizer is not None:
        known = await find_known_person(conn, organizer)
        notice = PersonalNotice(
            template="meeting_remark", unique_key=about_key(about, mail.key, "organizer"), variables=variables
        )
        name = known.name if known is not None else meeting.organizer_name
        if await reach_person(ctx, conn, link, organizer, name, notice):
            return
    for coordinator in link.association.coordinators:
        person = ctx.hashed("person", coordinator.address or coordinator.matrix or coordinator.name)
        notice = PersonalNotice(
            template="meeting_remark", unique_key=about_key(about, mail.key, person), variables=variables
        )
        await reach_coordinator(ctx, conn, link, coordinator, notice)
