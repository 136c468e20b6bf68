"""What each person is sent before a meeting: the convocation with its invitation, the reminder.

Hundreds may be invited, and a transaction is to be short: so they are written some at a time, each once by its unique
key, and the step is done when all are. A crash in between writes the rest after it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.calendar_values import CalendarAttendee, CalendarPerson, Partstat
from passerelle.core.convocation import Convocation
from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.list_notice import notice_message_id
from passerelle.flows.meeting_notices import Called, answer_links, list_key
from passerelle.flows.meeting_people import Invitee, Invitees, invitation_key
from passerelle.flows.meeting_shown import shown_meeting, tally_of
from passerelle.flows.personal_email import Personal, insert_personal_email, personal_message_id
from passerelle.flows.reach_person import PersonalNotice, reach_person
from passerelle.flows.who_is_named import known_names
from passerelle.mail.calendar_build import build_invitation
from passerelle.mail.compose_types import CalendarPart
from passerelle.store.meeting_people import list_quiet, list_rsvps
from passerelle.store.meetings import get_meeting

_PARTSTATS: Mapping[RsvpAnswer, Partstat] = {"yes": "ACCEPTED", "no": "DECLINED", "maybe": "TENTATIVE"}
#: Letters of one transaction.
_AT_ONCE = 20


# ------------------------------------------------------------ the convocation


async def invite_each(ctx: FlowContext, called: Called, people: Invitees) -> bool:
    """Write the convocation with its invitation to each; False where the meeting was changed meanwhile.

    Only the invitation where the list mail is the convocation: nobody gets the same text twice.
    """
    link, meeting = called.link, called.meeting
    beside = None
    if not people.is_everyone:
        beside = notice_message_id(ctx, link, list_key(link, meeting, "convocation"))
    for start in range(0, len(people.known), _AT_ONCE):
        async with ctx.store.write() as conn:
            if await get_meeting(conn, meeting.id) != meeting:
                return False
            answers = await answers_of(conn, meeting)
            shown = await shown_meeting(ctx, conn, link, meeting)
            for invitee in people.known[start : start + _AT_ONCE]:
                calendar = invitation_for(ctx, called, invitee, answers)
                variables: dict[str, Any] = {"meeting": shown}
                if beside is None:
                    variables = {"convocation": called.convocation, "has_sheet": called.sheet is not None}
                await _invite(
                    ctx, conn, called, invitee, _Letter(variables=variables, calendar=calendar, beside=beside)
                )
    return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Letter:
    """What one address is sent."""

    variables: Mapping[str, Any]
    calendar: CalendarPart
    #: The list mail that it goes on from; None where it is the convocation itself.
    beside: MessageId | None


async def _invite(ctx: FlowContext, conn: AsyncConnection, called: Called, invitee: Invitee, letter: _Letter) -> None:
    link, name, beside = called.link, _name_of(ctx, called.link, invitee), letter.beside
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=Mailbox(name=name, address=invitee.address),
            template="meeting_convocation" if beside is None else "meeting_invitation",
            unique_key=invitation_key(ctx, link, called.meeting, invitee.address),
            variables={"name": name, **letter.variables},
            html=beside is None,
            files=called.files if beside is None else (),
            calendar=letter.calendar,
            in_reply_to=beside,
            references=(beside,) if beside is not None else (),
        ),
    )


def _name_of(ctx: FlowContext, link: Link, invitee: Invitee) -> str:
    return ctx.renderer(link.association).words.names(invitee.names)


async def answers_of(conn: AsyncConnection, meeting: Meeting) -> dict[int, RsvpAnswer]:
    """What each person has answered so far."""
    return {one.person_id: one.answer for one in await list_rsvps(conn, meeting.id)}


def invitation_for(
    ctx: FlowContext, called: Called, invitee: Invitee, answers: Mapping[int, RsvpAnswer]
) -> CalendarPart:
    """The calendar part for one address, with the answer that is known of it."""
    given = {answers.get(id) for id in invitee.person_ids}
    answer = given.pop() if len(given) == 1 else None
    return build_invitation(
        called.meeting,
        CalendarAttendee(
            address=invitee.address,
            name=_name_of(ctx, called.link, invitee),
            partstat=_PARTSTATS[answer] if answer else "NEEDS-ACTION",
            rsvp=True,
        ),
        organizer=organizer_of(called.link),
        dtstamp=ctx.now().astimezone(UTC),
        description=_description(called.convocation, ctx.renderer(called.link.association).words),
    )


def organizer_of(link: Link) -> CalendarPerson:
    """Who invites: the bridge, at the address that its mails come from, in the association's name."""
    return CalendarPerson(address=MailAddress(link.mailbox.address), name=link.association.title)


def _description(convocation: Convocation, words: Words) -> str:
    lines = [f"{number}. {item}" for number, item in enumerate(convocation.agenda, 1)]
    head = [words("minutes_agenda")] if lines else []
    return "\n".join([*filter(None, [convocation.notes]), *head, *lines])


def thread_of_person(ctx: FlowContext, link: Link, meeting: Meeting, address: MailAddress) -> MessageId:
    """The Message-ID of the mail that invited one address."""
    return personal_message_id(ctx, link, invitation_key(ctx, link, meeting, address))


# ------------------------------------------------------------ the reminder


async def remind_each(ctx: FlowContext, link: Link, meeting: Meeting) -> bool:
    """Remind those who come and those who have not answered, where they are; False where the meeting was changed.

    Not who declined, nor who wants no reminders.
    """
    async with ctx.store.read() as conn:
        rsvps = await list_rsvps(conn, meeting.id)
        people = {person.person_id: person.name for person in await known_names(conn, link)}
    people = {one.person_id: one.name for one in rsvps} | people
    everyone = list(people.items())
    for start in range(0, len(everyone), _AT_ONCE):
        async with ctx.store.write() as conn:
            if await get_meeting(conn, meeting.id) != meeting:
                return False
            await _remind(ctx, conn, link, meeting, everyone[start : start + _AT_ONCE])
    return True


async def _remind(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, people: Sequence[tuple[int, str]]
) -> None:
    words = ctx.renderer(link.association).words
    answers, quiet = await answers_of(conn, meeting), await list_quiet(conn, meeting.id)
    with_names = link.association.meetings.names_to == "everyone"
    variables = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "tally": await tally_of(conn, meeting.id, words, with_names=with_names),
        **answer_links(ctx, link, meeting),
    }
    about = About(kind="meeting", ids=(meeting.id,), step="reminder")
    for person_id, name in people:
        answer = answers.get(person_id, "")
        if person_id in quiet or answer == "no":
            continue
        key = about_key(about, link.path, str(meeting.sequence), ctx.hashed("person", str(person_id)))
        notice = PersonalNotice(template="meeting_reminder", unique_key=key, variables={**variables, "answer": answer})
        await reach_person(ctx, conn, link, person_id, name, notice)
