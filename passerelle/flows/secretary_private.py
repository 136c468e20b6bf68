"""What reaches the bridge alone is obeyed and answered there: a mail to its address, a line of a direct room.

Nothing of it is relayed (PEOPLE 1); what it notes stands in the register, since it was written to be noted.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, parse_about
from passerelle.core.links import Link, person_lane
from passerelle.core.model import InboxRow, OutboxRow
from passerelle.errors import MalformedEvent
from passerelle.flows.actors import actor_of_email, actor_of_line
from passerelle.flows.confirm_act import NotConfirmed, take_confirmation
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_answer_asks import ask_for_word, settle_part, take_item_choice, take_send_word
from passerelle.flows.digest_answer_direct import take_direct_answer
from passerelle.flows.digest_answers import parts_of_answer
from passerelle.flows.digest_commands import answers_digest
from passerelle.flows.fiche_commands import is_about_fiche
from passerelle.flows.find_about import about_email, answered_by_email
from passerelle.flows.link_meant import link_of_direct, link_of_letter
from passerelle.flows.meeting_agenda import add_to_agenda, attach_items, take_call_reply
from passerelle.flows.meeting_answers import about_named_meeting, is_answer, take_letter_answer
from passerelle.flows.meeting_minutes_commands import take_words_about_minutes
from passerelle.flows.meeting_notes import note_letter_of_meeting
from passerelle.flows.meeting_papers import find_brought, too_long_for_yes
from passerelle.flows.meeting_presence import note_presence
from passerelle.flows.meeting_replies import CalendarMail, take_calendar
from passerelle.flows.obey import OBEYED, finish, obey, said_again
from passerelle.flows.outcome import sentence, tell_outcome
from passerelle.flows.privacy_mail import Letter
from passerelle.flows.register_acts import may
from passerelle.flows.register_notes import note_command, notes_of
from passerelle.flows.said import Said
from passerelle.mail.trim import visible_text
from passerelle.matrix.events import RoomLine, parse_event
from passerelle.store.blobs import get_blob
from passerelle.store.direct_rooms import find_latest_direct
from passerelle.store.inbox import finish_inbox
from passerelle.store.outbox import find_outbox_by_event_id
from passerelle.store.seen import find_seen, insert_seen

#: Of a mail that may be a command or an answer no more is read than this.
_LONGEST = 20_000


# ------------------------------------------------------------ a mail to the bridge's address


async def obey_letter(
    ctx: FlowContext, conn: AsyncConnection, row: InboxRow, letter: Letter, links: Sequence[Link], *, papers: str = ""
) -> str | None:
    """Do what a mail to the bridge asks, answers or notes; the reason by which it ends, None where it does neither.

    Args:
        papers: what its files say, where it may bring minutes.
    """
    email, author = letter.email, letter.author
    calendar = CalendarMail(email=email, author=author, received_at=row.received_at, key=f"inbox:{row.id}")
    if await take_calendar(ctx, conn, calendar, links) is not None:
        return OBEYED
    text = visible_text(email.text or "")[:_LONGEST]
    link = await link_of_letter(ctx, conn, email, author, links, text=text)
    if link is None:
        return None
    said = Said(
        link=link,
        actor=await actor_of_email(ctx, conn, link, email, author, through_list=False),
        text=text,
        said_at=row.received_at,
        key=f"inbox:{row.id}",
        about=await about_email(conn, link, email),
        answered=await answered_by_email(conn, link, email),
        email=email,
        author=author,
        is_private=True,
    )
    # It may come once more: from the mail server, or where its mailbox is numbered anew (RFC 3501, "UIDVALIDITY").
    seen = [ctx.hashed("letter", link.path, email.message_id, email.subject, text)] if email.message_id else []
    if await find_seen(conn, link.association_name, "letter", seen):
        return OBEYED
    if not await _obey_said(ctx, conn, said, letter, papers=papers):
        return None
    await insert_seen(conn, link.association_name, "letter", seen, ctx.now())
    return OBEYED


async def _obey_said(ctx: FlowContext, conn: AsyncConnection, said: Said, letter: Letter, *, papers: str) -> bool:
    """Whether a mail said « oui » or « non » to a question of ours, brought minutes, or asked for something."""
    confirmed = await take_confirmation(ctx, conn, letter)
    if isinstance(confirmed, NotConfirmed):
        words = ctx.renderer(said.link.association).words
        await tell_outcome(ctx, conn, said, sentence(confirmed.reason, words(confirmed.reason)))
        return True
    if confirmed is not None:
        await _do(ctx, conn, said_again(confirmed, said), "")
        return True
    if await _answers_digest(ctx, conn, said, letter):
        return True
    subject = letter.email.subject
    said = await about_named_meeting(ctx, conn, said, subject)
    if papers and await _brought(ctx, conn, replace(said, text=f"{said.text}\n{papers}")):
        return True
    is_bare = is_answer(said) or is_about_fiche(said) or await answers_digest(conn, letter.email)
    return await _do(ctx, conn, said, "" if is_bare else subject)


async def _answers_digest(ctx: FlowContext, conn: AsyncConnection, said: Said, letter: Letter) -> bool:
    """Whether a mail answered items of a digest, or what was asked back about such an answer."""
    if await take_send_word(ctx, conn, said, letter):
        return True
    parts = await take_item_choice(ctx, conn, said, letter)
    if parts is None:
        parts = await parts_of_answer(ctx, conn, said, letter)
    for part in parts or ():
        if await ask_for_word(ctx, conn, part):
            continue
        # Below a conversation « réunion lundi ? » is a word of it, no command; what is written to be noted is noted.
        act = _note(ctx, conn, part.said) if part.is_talk else _do(ctx, conn, part.said, "")
        if not await act:
            await settle_part(ctx, conn, part)
    return parts is not None


async def _do(ctx: FlowContext, conn: AsyncConnection, said: Said, subject: str) -> bool:
    """Whether a mail was a command or an answer, or was written to be noted. Minutes begin with no command."""
    if await _brought(ctx, conn, said) or await obey(ctx, conn, said, subject=subject):
        return True
    answered = await _answer_in_letter(ctx, conn, said)
    noted = await _call_reply(ctx, conn, said) or await _note(ctx, conn, said)
    return answered or noted or await _remark(ctx, conn, said)


async def _brought(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """What brings the minutes of a meeting; whether it did."""
    meeting = await find_brought(ctx, conn, said) if notes_of(said) else None
    if meeting is None:
        return False
    about = About(kind="meeting", ids=(meeting.id,), step="minutes")
    return await _note(ctx, conn, replace(said, about=about))


async def _answer_in_letter(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """Who comes, in a mail that says why or something else besides; whether it was there."""
    outcome = await take_letter_answer(ctx, conn, said)
    if outcome is not None:
        await tell_outcome(ctx, conn, said, outcome)
    return outcome is not None


async def _remark(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """Plain words in answer to a draft of minutes; whether they were."""
    outcome = await take_words_about_minutes(ctx, conn, said)
    if outcome is not None:
        await finish(ctx, conn, said, outcome)
    return outcome is not None


async def _call_reply(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """A few words in answer to the call for items of an agenda; whether they were."""
    outcome = await take_call_reply(ctx, conn, said)
    if outcome is not None:
        await tell_outcome(ctx, conn, said, outcome)
    return outcome is not None


async def _note(ctx: FlowContext, conn: AsyncConnection, said: Said) -> bool:
    """Lines that note something, in a mail to the bridge alone; whether there were any."""
    if said.actor.person_id is None or not notes_of(said):
        return False
    if (refused := await may(ctx, said, "note")) is not None:
        await finish(ctx, conn, said, too_long_for_yes(ctx, said, refused))
        return True
    of_meeting = await note_letter_of_meeting(ctx, conn, said)
    if of_meeting:
        for outcome in of_meeting:
            await tell_outcome(ctx, conn, said, outcome)
        return True
    noted = await note_command(ctx, conn, said, notes_of(said))
    words = ctx.renderer(said.link.association).words
    if await attach_items(ctx, conn, said, noted.entries) is not None:
        await tell_outcome(ctx, conn, said, await add_to_agenda(ctx, conn, said, noted.entries))
        return True
    for outcome in await note_presence(ctx, conn, said, noted.others):
        await tell_outcome(ctx, conn, said, outcome)
    for entry in noted.entries[:1]:
        text = words("mark_noted", number=entry.number, text=entry.text)
        await tell_outcome(ctx, conn, said, sentence("noted", text))
    for outcome in noted.outcomes:
        await tell_outcome(ctx, conn, said, outcome)
    return bool(noted.entries or noted.others or noted.outcomes)


# ------------------------------------------------------------ a line of a direct room


async def receive_direct(ctx: FlowContext, row: InboxRow) -> None:
    """Take one line that a person said to the bridge alone; whatever comes of it, nothing is kept of it."""
    async with ctx.store.read() as conn:
        raw = await get_blob(conn, row.raw_hash) if row.raw_hash else b"{}"
    try:
        event = parse_event(json.loads(raw), not_after=row.received_at)
    except (MalformedEvent, ValueError, RecursionError):
        event = None
    async with ctx.store.write() as conn:
        reason = "direct"
        if isinstance(event, RoomLine) and not event.is_notice and ctx.links.direct_user(row.room_id) == event.sender:
            reason = OBEYED if await _obey_direct(ctx, conn, row, event) else "direct_not_understood"
        await finish_inbox(conn, row.id, ctx.now(), reason=reason, forget_raw=True)


async def _obey_direct(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, line: RoomLine) -> bool:
    ours = await _answered(ctx, conn, row, line)
    link = await link_of_direct(ctx, conn, line.sender, ours, text=line.body)
    if link is None:
        return False
    about: About | None = parse_about(ours.unique_key) if ours is not None else None
    said = Said(
        link=link,
        actor=await actor_of_line(ctx, conn, link, line.sender),
        text=line.body,
        said_at=line.said_at,
        key=line.event_id,
        about=about,
        is_private=True,
    )
    if await take_direct_answer(ctx, conn, said, ours) or await obey(ctx, conn, said):
        return True
    # To the bridge alone the sign of a command is not needed.
    bare = replace(said, text=f"!{line.body}") if not line.body.startswith("!") else said
    return await obey(ctx, conn, bare) if bare is not said else False


async def _answered(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, line: RoomLine) -> OutboxRow | None:
    """What a line of a direct room answers: what it replies to, else what the bridge said there last."""
    if line.replies_to is not None and row.room_id is not None:
        found = await find_outbox_by_event_id(conn, row.room_id, line.replies_to)
        if found is not None:
            return found
    return await find_latest_direct(conn, person_lane(ctx.hashed("person", line.sender)), line.sender)
