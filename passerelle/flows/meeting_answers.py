"""An answer to something that the bridge told of a meeting: « je viens », « plus de rappels », a sign, a correction."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, parse_about
from passerelle.core.answer_model import Answer
from passerelle.core.answers import parse_answers
from passerelle.core.email import Email
from passerelle.core.meeting_subjects import meeting_named, tells_absence
from passerelle.core.signs import MEETING_SIGNS
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_make import find_next_meeting
from passerelle.flows.meeting_meant import meeting_answered
from passerelle.flows.meeting_minutes_commands import run_minutes_answer
from passerelle.flows.meeting_rsvp import take_quiet, take_rsvp
from passerelle.flows.outcome import Outcome
from passerelle.flows.said import Said
from passerelle.mail.trim import visible_text
from passerelle.store.meetings import find_meeting_by_number
from passerelle.store.outbox import find_outbox_by_message_id

#: Notices whose answers are about minutes.
_OF_MINUTES = frozenset({"draft", "minutes", "approval"})
#: Of a long chain of References only the end can be what somebody answers.
_NEAREST = 5


async def take_meeting_answer(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    """Act on an answer to a notice about a meeting; None where it answers nothing there."""
    meeting = await meeting_answered(conn, said)
    if meeting is None or said.about is None:
        return None
    if answer.kind == "quiet":
        return await take_quiet(ctx, conn, said, meeting)
    if answer.rsvp is not None and said.about.step not in _OF_MINUTES:
        # A bare « oui » beneath it may answer somebody else (PEOPLE 12): only « je viens » says what it means.
        if answer.kind in ("yes", "no") and said.answered is not None:
            return None
        return await take_rsvp(ctx, conn, said, meeting, answer)
    return await run_minutes_answer(ctx, conn, said, answer)


async def take_letter_answer(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome | None:
    """An answer in a mail to the bridge alone that says more: it counts, and of the rest nothing is kept (PEOPLE 9).

    Its author is told that nobody reads the rest. None where it answers no invitation.
    """
    if said.about is None or said.about.kind != "meeting" or said.about.step in _OF_MINUTES:
        return None
    taken: Outcome | None = None
    for place, answer in enumerate(parse_answers(said.text, kinds=said.link.association.entry_register.kinds)):
        # « Non, opération du genou » says why.
        if answer.kind in ("rsvp", "quiet") or (answer.kind == "no" and place == 0):
            taken = await take_meeting_answer(ctx, conn, said, answer) or taken
    if taken is None or taken.reason not in ("rsvp", "quiet"):
        return taken
    words = ctx.renderer(said.link.association).words
    told = f"{taken.variables['sentence']} {words('rsvp_nobody_reads', list_address=said.link.list_address)}"
    return replace(taken, variables={"sentence": told}, answers_mail=True)


async def take_meeting_sign(ctx: FlowContext, conn: AsyncConnection, said: Said, key: str) -> Outcome | None:
    """Act on a reaction to a notice about a meeting; None where it means nothing there."""
    meeting, answer = await meeting_answered(conn, said), MEETING_SIGNS.get(key)
    if meeting is None or answer is None or said.about is None or said.about.step in _OF_MINUTES:
        return None
    return await take_rsvp(ctx, conn, said, meeting, Answer(kind="rsvp", rsvp=answer, is_bare=True))


async def about_named_meeting(ctx: FlowContext, conn: AsyncConnection, said: Said, subject: str) -> Said:
    """A mail to the bridge that answers no notice, and names a meeting, or comes to the only one there is.

    « Re: réunion 4 » is what a click on the convocation's link begins. Without a number only words that can mean
    nothing else count: « je viens », never « oui ».
    """
    if said.about is not None or said.email is None:
        return said
    number = meeting_named(subject)
    if number is not None:
        meeting = await find_meeting_by_number(conn, said.link.association_name, number)
    else:
        answers = parse_answers(said.text, kinds=said.link.association.entry_register.kinds)
        plain = bool(answers) and all(answer.kind == "rsvp" and answer.is_bare for answer in answers)
        meeting = await find_next_meeting(ctx, conn, said.link) if plain else None
    if meeting is None or meeting.link != said.link.name:
        return said
    step = "minutes" if meeting.state in ("drafted", "approved") else "convocation"
    return replace(said, about=About(kind="meeting", ids=(meeting.id,), step=step))


async def is_of_meeting(conn: AsyncConnection, email: Email) -> bool:
    """Whether a mail to the bridge is about a meeting: by what it answers, by its subject, or since its author is away.

    Nothing is kept of the bytes of such a mail, whatever became of it: it may say why somebody does not come.
    """
    if meeting_named(email.subject) is not None or tells_absence(email.subject):
        return True
    answers = parse_answers(visible_text(email.text or ""))
    if any(answer.kind == "rsvp" and answer.rsvp == "no" for answer in answers):
        return True
    for message_id in dict.fromkeys((*email.in_reply_to[:1], *email.references[-_NEAREST:])):
        row = await find_outbox_by_message_id(conn, message_id)
        about = parse_about(row.unique_key) if row is not None else None
        if about is not None and about.kind == "meeting":
            return True
    return False


def is_answer(said: Said) -> bool:
    """Whether a mail about a meeting says nothing but an answer: then its subject is no command."""
    if said.about is None or said.about.kind != "meeting":
        return False
    answers = parse_answers(said.text, kinds=said.link.association.entry_register.kinds)
    return bool(answers) and all(answer.is_bare for answer in answers)
