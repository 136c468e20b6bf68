"""Who comes: one tally, whichever way somebody answers. The answer is kept, never its reason (PEOPLE 9).

One's own word in answer to the convocation needs no proof of who wrote it: « je viens » in another's name does no harm
that the person themselves does not undo with a word. What is passed on for others does: a mail that nothing proves
waits for its author's « oui ».
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.answer_model import Answer
from passerelle.core.folding import words_of
from passerelle.core.ids import MailAddress
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, Rsvp, RsvpAnswer
from passerelle.core.names import safe_name
from passerelle.core.readership import named_alike
from passerelle.flows.ask_word import ask_for_answer
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_shown import moment_of, reads_names, shown_meeting, tally_of
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.said import Said
from passerelle.flows.who_is_named import known_names, named_persons
from passerelle.store.meeting_people import put_rsvp, set_quiet
from passerelle.store.people import find_or_insert_named_person, find_or_insert_person, find_persons_named
from passerelle.store.readers import list_persons_at

#: Names that one answer may pass on.
MOST_NAMES = 10
#: How the tally knows an answer: `word` where somebody passed it on.
RsvpMedium = Literal["mail", "calendar", "room", "word"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    """A person whose answer something is."""

    person_id: int
    name: str
    #: Who passed it on; "" where they said so themselves.
    said_by: str = ""


async def take_rsvp(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, answer: Answer) -> Outcome:
    """« je viens », « nous ne pourrons pas », « Mme Haddad viendra »: count it, or ask whose answer it is."""
    if (over := await _over(ctx, said, meeting)) is not None:
        return over
    if answer.rsvp is None:
        raise ValueError("no answer to an invitation")
    own = await _own_voices(ctx, conn, said, answer) if answer.for_self else []
    if isinstance(own, Outcome):
        return own
    others = await voices_named(ctx, conn, said, answer.said_for[:MOST_NAMES])
    if isinstance(others, Outcome):
        await count_answers(conn, said, meeting, own, answer.rsvp)
        if others.reason != "confirm":
            return others
        return await ask_for_answer(ctx, conn, said, meeting, answer.said_for[:MOST_NAMES], answer.rsvp)
    words = ctx.renderer(said.link.association).words
    if not own and not others:
        return sentence("rsvp_nobody", words("rsvp_nobody"), is_private=True)
    await count_answers(conn, said, meeting, [*own, *others], answer.rsvp)
    if answer.counts_both and len(own) < 2 and not others:
        return sentence("rsvp_who_else", words("rsvp_who_else"), reaction=NOTED, is_private=True)
    return _counted(ctx, said, meeting, answer.rsvp, () if own else others)


def _counted(ctx: FlowContext, said: Said, meeting: Meeting, answer: RsvpAnswer, others: Sequence[Voice]) -> Outcome:
    """Quietly: a sign in the room; by mail nothing, since a mail for each answer would be one too many (PEOPLE 11)."""
    words = ctx.renderer(said.link.association).words
    told = words(f"rsvp_{answer}", number=meeting.number, moment=moment_of(meeting, words))
    if others:
        names = words.names(tuple(voice.name for voice in others))
        told = words(f"rsvp_others_{answer}", number=meeting.number, names=names)
    return Outcome(reason="rsvp", reaction=NOTED, template="answer", variables={"sentence": told}, answers_mail=False)


async def _over(ctx: FlowContext, said: Said, meeting: Meeting) -> Outcome | None:
    if meeting.state in TO_COME or meeting.state == "open":
        return None
    words = ctx.renderer(said.link.association).words
    key = "meeting_is_cancelled" if meeting.state == "cancelled" else "meeting_is_over"
    return sentence(key, words(key, number=meeting.number), is_private=True)


async def count_answers(
    conn: AsyncConnection, said: Said, meeting: Meeting, voices: Sequence[Voice], answer: RsvpAnswer
) -> None:
    """Put answers into the tally, each instead of the one that the person gave before."""
    medium: RsvpMedium = "room" if said.medium == "room" else "mail"
    for voice in voices:
        await put_voice(conn, meeting, voice, answer, at=said.said_at, medium=medium)


async def put_voice(
    conn: AsyncConnection, meeting: Meeting, voice: Voice, answer: RsvpAnswer, *, at: datetime, medium: RsvpMedium
) -> None:
    """Put one answer into the tally; `at` (aware): the last one of a person counts."""
    await put_rsvp(
        conn,
        Rsvp(
            meeting_id=meeting.id,
            person_id=voice.person_id,
            name=voice.name,
            answer=answer,
            medium="word" if voice.said_by else medium,
            said_by=voice.said_by,
            at=at,
        ),
    )


# ------------------------------------------------------------ whose answer it is


async def _own_voices(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> list[Voice] | Outcome:
    """Whoever answers; of an address that several share, who of them (PEOPLE 19)."""
    actor, address = said.actor, _address_of(ctx, said)
    at_address = await list_persons_at(conn, said.link.association_name, address) if address is not None else []
    if len(at_address) > 1:
        return _of_shared(ctx, said, answer, at_address)
    if actor.person_id is not None:
        return [Voice(person_id=actor.person_id, name=actor.name)]
    return [await _stranger(ctx, conn, said, address)]


def _of_shared(
    ctx: FlowContext, said: Said, answer: Answer, persons: Sequence[tuple[int, str, MailAddress]]
) -> list[Voice] | Outcome:
    voices = [Voice(person_id=id, name=name) for id, name, _ in persons]
    if answer.counts_both and len(voices) == 2:
        return voices
    # « Je viens. Annie » from Paul's address: whoever signs says it.
    signed = [one for one in voices if answer.signed and named_alike(answer.signed, one.name)]
    if len(signed) == 1 and not answer.counts_both:
        return signed
    mine = [one for one in voices if one.person_id == said.actor.person_id]
    if mine and not answer.counts_both:
        return mine
    words = ctx.renderer(said.link.association).words
    names = words.names(tuple(safe_name(one.name) or words("list_member") for one in voices))
    return sentence("rsvp_who", words("rsvp_who", names=names), is_private=True)


def _address_of(ctx: FlowContext, said: Said) -> MailAddress | None:
    """The author's own address; of a list that writes its own in its place nothing is known."""
    address = said.author.address if said.author is not None else None
    if address is None or ctx.is_bridge(address) or address in said.link.list_addresses:
        return None
    return address


async def _stranger(ctx: FlowContext, conn: AsyncConnection, said: Said, address: MailAddress | None) -> Voice:
    """Somebody who reads and never wrote: their answer to what reached them counts, and makes them no participant."""
    actor, association = said.actor, said.link.association_name
    name = actor.name or (said.author.name if said.author is not None else "")
    if address is None and actor.user_id is None:
        id = await find_or_insert_named_person(conn, association, name, now=ctx.now())
    else:
        id = await find_or_insert_person(
            conn, association, name=name, address=address, user_id=actor.user_id, now=ctx.now(), source="answer"
        )
    return Voice(person_id=id, name=name)


async def voices_named(
    ctx: FlowContext, conn: AsyncConnection, said: Said, names: Sequence[str]
) -> list[Voice] | Outcome:
    """Who is meant by names that somebody else says; who is known by nobody is known by name from now on.

    Returns:
        what whoever says it is told, where it is not clear who is meant; with the reason `confirm` where nothing proves
        that it is they who say it.
    """
    voices: list[Voice] = []
    by = said.actor.name
    for named in await named_persons(conn, said.link, names, await known_names(conn, said.link)):
        person_id = named.person_id
        mine = person_id is not None and person_id == said.actor.person_id
        if not mine and said.actor.proof == "none" and (refused := await may(ctx, said, "note")) is not None:
            return refused
        if person_id is None:
            alike = await find_persons_named(conn, said.link.association_name, named.name)
            if len(alike) > 1:
                words = ctx.renderer(said.link.association).words
                shown = words.names(tuple(safe_name(one.name) for one in alike))
                told = words("rsvp_which", name=safe_name(named.name), names=shown)
                return sentence("rsvp_which", told, is_private=True)
            person_id = alike[0].id if alike else None
        if person_id is None:
            name = safe_name(named.name)
            if not words_of(name) or not (said.actor.is_participant or said.actor.is_coordinator):
                continue  # a stranger makes nobody known
            person_id = await find_or_insert_named_person(conn, said.link.association_name, name, now=ctx.now())
        mine = person_id == said.actor.person_id
        voices.append(Voice(person_id=person_id, name=named.name, said_by="" if mine else by))
    return voices


# ------------------------------------------------------------ no reminders, and the tally


async def take_quiet(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    """« plus de rappels »: nothing more about this meeting reminds them."""
    words = ctx.renderer(said.link.association).words
    voices = await _own_voices(ctx, conn, said, Answer(kind="quiet"))
    if isinstance(voices, Outcome):
        # Of a shared mailbox both are left in peace: nobody there wants to be asked who of them it was.
        address = _address_of(ctx, said)
        assert address is not None
        at = await list_persons_at(conn, said.link.association_name, address)
        voices = [Voice(person_id=id, name=name) for id, name, _ in at]
    medium: RsvpMedium = "room" if said.medium == "room" else "mail"
    for voice in voices:
        await set_quiet(conn, meeting.id, voice.person_id, said.said_at, medium=medium)
    return sentence("quiet", words("rsvp_quiet", number=meeting.number), reaction=NOTED)


async def show_tally(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    """Who comes: names in the room and for coordinators, numbers elsewhere."""
    words = ctx.renderer(said.link.association).words
    variables = {
        "meeting": await shown_meeting(ctx, conn, said.link, meeting),
        "tally": await tally_of(conn, meeting.id, words, with_names=reads_names(said)),
    }
    return Outcome(reason="tally", template="meeting_tally", variables=variables)
