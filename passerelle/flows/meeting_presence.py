"""« présents : … », « excusée : … », « pouvoir : … » before a meeting: answers that are passed on."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.answer_model import Answer
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Attendance, Meeting, Presence, RsvpAnswer
from passerelle.core.register_line_notes import Note, PresenceNote
from passerelle.flows.ask_word import ask_for_answer, ask_for_proxy
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_make import find_next_meeting
from passerelle.flows.meeting_meant import meeting_answered
from passerelle.flows.meeting_rsvp import MOST_NAMES, count_answers, take_rsvp, voices_named
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.store.meeting_people import put_attendance

_ANSWERS: dict[Presence, RsvpAnswer] = {"present": "yes", "excused": "no", "absent": "no"}


async def note_presence(ctx: FlowContext, conn: AsyncConnection, said: Said, notes: Sequence[Note]) -> list[Outcome]:
    """Take what a post or a command says of presence; nothing where no meeting is meant.

    Before the meeting it is answers, of whoever is named; from its beginning on it is `meeting_capture`'s.
    """
    meeting = await meeting_answered(conn, said) or await find_next_meeting(ctx, conn, said.link)
    if meeting is None or meeting.state not in TO_COME:
        return []
    outcomes: list[Outcome] = []
    for note in notes:
        if isinstance(note, PresenceNote):
            outcomes.append(await _before(ctx, conn, said, meeting, note))
    return outcomes


async def _before(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, note: PresenceNote) -> Outcome:
    if note.presence == "represented":
        return await give_proxy(ctx, conn, said, meeting, note)
    answer = Answer(kind="rsvp", rsvp=_ANSWERS[note.presence], said_for=note.names, for_self=not note.names)
    return await take_rsvp(ctx, conn, said, meeting, answer)


async def give_proxy(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, note: PresenceNote
) -> Outcome:
    """« pouvoir : Annie à Paul »: Annie does not come, and Paul votes for her (PEOPLE 16)."""
    words, by = ctx.renderer(said.link.association).words, said.actor
    names = note.names[:MOST_NAMES] or (by.name,)
    # It is a vote: nobody's is given away, not even one's own, by a mail that nothing proves.
    if (refused := await may(ctx, said, "note")) is not None:
        if refused.reason != "confirm":
            return refused
        return await ask_for_proxy(ctx, conn, said, meeting, names[0], note.represented_by)
    voices = await voices_named(ctx, conn, said, names)
    if isinstance(voices, Outcome):
        return voices
    for voice in voices:
        await put_attendance(
            conn,
            Attendance(
                meeting_id=meeting.id,
                name=voice.name,
                person_id=voice.person_id,
                presence="represented",
                represented_by=note.represented_by,
                said_by=voice.said_by,
                at=said.said_at,
            ),
        )
    await count_answers(conn, said, meeting, voices, "no")
    shown = words.names(tuple(voice.name for voice in voices))
    told = words("proxy_noted", giver=shown, holder=note.represented_by)
    return sentence("proxy", told, reaction=NOTED)


async def needs_word(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, note: PresenceNote
) -> Outcome | None:
    """What the author of a mail is told who says of others that they are there, or represented, and proves nothing.

    None where it may be noted.
    """
    if said.actor.proof != "none" or (not note.names and note.presence != "represented"):
        return None
    refused = await may(ctx, said, "note")
    if refused is None or refused.reason != "confirm":
        return refused
    if note.presence == "represented":
        giver = note.names[0] if note.names else said.actor.name
        return await ask_for_proxy(ctx, conn, said, meeting, giver, note.represented_by)
    return await ask_for_answer(ctx, conn, said, meeting, note.names[:MOST_NAMES], _ANSWERS[note.presence])
