"""What people do with minutes: read them, correct a draft, approve it; by command, or in answer to the draft."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.answer_model import Answer
from passerelle.core.answers import parse_answers
from passerelle.core.command_arguments import CorrectArguments, NumbersArguments
from passerelle.core.command_row import CommandName
from passerelle.core.commands import Command
from passerelle.core.meeting_model import Meeting, MeetingState, MeetingStep, MinutesVersion, NewCorrection
from passerelle.core.minutes import apply_correction
from passerelle.core.polite_words import is_polite
from passerelle.core.replacements import Replacement
from passerelle.core.spoken_words import bare_words
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_adopt import adopt_by_minutes
from passerelle.flows.meeting_meant import meeting_answered, meeting_meant
from passerelle.flows.meeting_minutes import approve_now
from passerelle.flows.meeting_minutes_sent import sheet_of
from passerelle.flows.meeting_versions import change_draft
from passerelle.flows.outcome import NOTED, Outcome, sentence
from passerelle.flows.register_acts import may
from passerelle.flows.register_notes import notes_of
from passerelle.flows.said import Said
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.meeting_minutes import insert_correction, newest_minutes
from passerelle.store.meeting_steps import put_steps
from passerelle.store.meetings import list_past_meetings

MINUTES_COMMANDS: frozenset[CommandName] = frozenset({"minutes", "correct", "approve"})
#: Steps of the notices in which minutes leave: who answers one of them speaks of the minutes.
MINUTES_STEPS = frozenset({"draft", "minutes", "approval"})
LONGEST_CORRECTION = 2000
#: What a replacement is written down with: the first of these that stands in neither piece.
_DELIMITERS = "/|#!%~+=@_"


async def run_minutes_command(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    """`!compte-rendu 4`, `!corriger s/150/180/`, `!approuver 4`."""
    arguments = command.arguments
    number = arguments.number if isinstance(arguments, NumbersArguments | CorrectArguments) else None
    meeting = await _meant(ctx, conn, said, number, command.name)
    if isinstance(meeting, Outcome):
        return meeting
    if command.name == "approve":
        return await _approve(ctx, conn, said, meeting)
    if isinstance(arguments, CorrectArguments):
        return await _correct(ctx, conn, said, meeting, arguments.replacements, arguments.text)
    return await _show(ctx, conn, said, meeting)


async def run_minutes_answer(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    """`s/ancien/nouveau/` or « approuvé », in answer to minutes; None where it is something else."""
    meeting = await meeting_answered(conn, said)
    if meeting is None or said.about is None or said.about.step not in MINUTES_STEPS:
        return None
    if answer.kind == "correction":
        return await _correct(ctx, conn, said, meeting, answer.replacements, "")
    if answer.kind in ("approve", "adopt") and not answer.numbers:
        return await _approve(ctx, conn, said, meeting)
    return None


async def take_words_about_minutes(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Outcome | None:
    """Plain words in answer to a draft are kept for who presides; None where nothing was to be kept.

    Who answers somebody else beneath it, talks.
    """
    meeting = await meeting_answered(conn, said) if said.answered is None else None
    if meeting is None or said.about is None or said.about.step not in MINUTES_STEPS:
        return None
    if notes_of(said) or parse_answers(said.text, kinds=said.link.association.entry_register.kinds):
        return None
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or newest.state != "draft" or not _says_something(said.text):
        return None
    if (refused := await may(ctx, said, "correct")) is not None:
        return refused
    return await _keep_for_chair(ctx, conn, said, meeting, said.text)


def _says_something(text: str) -> bool:
    """« Merci », « Parfait, bravo à tous » ask for no correction."""
    return len(bare_words(text).split()) > 1 and not all(is_polite(line) for line in text.splitlines() if line.strip())


# ------------------------------------------------------------ which meeting


async def _meant(
    ctx: FlowContext, conn: AsyncConnection, said: Said, number: int | None, name: str
) -> Meeting | Outcome:
    """By number, by what is answered, else the last one that has minutes, or is to have them."""
    if number is not None or await meeting_answered(conn, said) is not None:
        return await meeting_meant(ctx, conn, said, number)
    wanted: Sequence[MeetingState] = ("drafted", "approved", "closed") if name == "minutes" else ("drafted",)
    local = ctx.now().astimezone(said.link.zone).replace(tzinfo=None)
    past = await list_past_meetings(
        conn, said.link.association_name, before_local=local, links=[said.link.name], states=wanted, limit=1
    )
    words = ctx.renderer(said.link.association).words
    return past[0] if past else sentence("minutes_none", words("minutes_none"), is_private=True)


# ------------------------------------------------------------ read


async def _show(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    if (refused := await may(ctx, said, "search")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    newest = await newest_minutes(conn, meeting.id)
    if newest is None and meeting.state == "closed":
        # Who asks for them does not wait any longer.
        await put_steps(conn, [MeetingStep(meeting_id=meeting.id, step="draft", due_at=ctx.now())])
        return sentence("minutes_soon", words("minutes_soon", number=meeting.number))
    if newest is None:
        return sentence("minutes_not_yet", words("minutes_not_yet", number=meeting.number), is_private=True)
    return Outcome(reason="minutes", template="minutes_shown", variables={
        "sheet": sheet_of(ctx, said.link, newest), "reply_address": said.link.mailbox.address,
    })  # fmt: skip


# ------------------------------------------------------------ correct


async def _correct(
    ctx: FlowContext,
    conn: AsyncConnection,
    said: Said,
    meeting: Meeting,
    replacements: Sequence[Replacement],
    text: str,
) -> Outcome:
    if (refused := await may(ctx, said, "correct")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or newest.state != "draft":
        key = "minutes_not_yet" if newest is None else "correction_too_late"
        return sentence(key, words(key, number=meeting.number), is_private=True)
    made: MinutesVersion | None = None
    left: list[Replacement] = []
    for one in replacements:
        version = await _apply(ctx, conn, said, meeting, one)
        made = version or made
        left += [one] if version is None else []
    if made is None and (text or not replacements):
        return await _keep_for_chair(ctx, conn, said, meeting, text or said.text)
    for one in left:
        await _note_correction(ctx, conn, said, meeting, written(one), applied=False)
    if made is None:
        told = words("correction_left", old=left[0].old, number=meeting.number)
        return sentence("correction_left", told, is_private=True)
    told = words("correction_made", number=meeting.number, version=made.version)
    return sentence("correction_made", told, reaction=NOTED)


async def _apply(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, one: Replacement
) -> MinutesVersion | None:
    version = await change_draft(
        ctx, conn, meeting, lambda minutes: apply_correction(minutes, one.old, one.new), by=said.actor.name
    )
    if version is not None:
        await _note_correction(ctx, conn, said, meeting, written(one), applied=True)
    return version


def written(one: Replacement) -> str:
    """A replacement as `s/ancien/nouveau/`, with a sign between that stands in neither."""
    sign = next((sign for sign in _DELIMITERS if sign not in one.old + one.new), "/")
    return f"s{sign}{one.old}{sign}{one.new}{sign}"


async def _keep_for_chair(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, text: str) -> Outcome:
    """In plain words: who presides is told, at most once a day (`meeting_chair`)."""
    words = ctx.renderer(said.link.association).words
    await _note_correction(ctx, conn, said, meeting, " ".join(text.split()), applied=False)
    chair = meeting.chair_name or said.link.association.coordinators[0].name
    told = words("correction_kept", chair=chair, number=meeting.number)
    return sentence("correction_kept", told, reaction=NOTED)


async def _note_correction(
    ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting, text: str, *, applied: bool
) -> None:
    await insert_correction(
        conn,
        NewCorrection(
            meeting_id=meeting.id,
            by_name=said.actor.name,
            by_person_id=said.actor.person_id,
            text=text[:LONGEST_CORRECTION],
            applied=applied,
            medium=said.medium,
            at=ctx.now(),
            post_id=said.post.id if said.post is not None else None,
        ),
    )


# ------------------------------------------------------------ approve


async def _approve(ctx: FlowContext, conn: AsyncConnection, said: Said, meeting: Meeting) -> Outcome:
    """By the word of somebody who may; of a coordinator's, decisions are adopted whose delay has gone by."""
    if (refused := await may(ctx, said, "approve")) is not None:
        return refused
    words = ctx.renderer(said.link.association).words
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or meeting.state not in ("drafted", "approved"):
        return sentence("minutes_not_yet", words("minutes_not_yet", number=meeting.number), is_private=True)
    if newest.state == "approved":
        return sentence("approved_already", words("approved_already", number=meeting.number), is_private=True)
    adopted = await adopt_by_minutes(ctx, conn, said, meeting)
    if await approve_now(ctx, conn, said.link, meeting, by=said.actor.name) is None:
        return sentence("approved_already", words("approved_already", number=meeting.number), is_private=True)
    link = said.link
    await insert_act(
        conn,
        NewAct(
            association=link.association_name,
            link=link.name,
            by=said.actor.name,
            what="minutes_approved",
            about={"meeting": meeting.number},
            at=ctx.now(),
        ),
    )
    told = words("minutes_approved_now", number=meeting.number)
    if adopted:
        told += " " + words.count("minutes_adopted", len(adopted), numbers=words.names(tuple(map(str, adopted))))
    return sentence("approved", told, reaction=NOTED)
