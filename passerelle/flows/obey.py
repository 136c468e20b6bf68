"""Commands and short answers are obeyed, not relayed (PEOPLE 12): one way for the list, the room, and what is private.

What holds nothing but an answer or a command is obeyed here and becomes no post. What says more is a post like any
other, and is acted on beside that (`act_on_post`). What nothing proves waits for its author's « oui ».
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About
from passerelle.core.answer_pieces import is_short_answer
from passerelle.core.answers import Answer, parse_answers
from passerelle.core.command_arguments import NoteArguments
from passerelle.core.command_astray import parse_astray
from passerelle.core.command_table import row_of
from passerelle.core.commands import Command, UnknownCommand, parse_command, parse_mail_command
from passerelle.core.presence_lines import build_presence_line
from passerelle.core.register_line_notes import Note
from passerelle.errors import CommandProblem
from passerelle.flows.command_problems import not_understood, problem_outcome
from passerelle.flows.confirm_act import Confirmed, Unconfirmed, ask_to_confirm
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_commands import is_about_fiche, take_fiche_reply
from passerelle.flows.outcome import Outcome, sentence, tell_outcome
from passerelle.flows.register_notes import notes_of
from passerelle.flows.run_command import run_command
from passerelle.flows.said import Heard, Said
from passerelle.flows.take_answer import take_answer
from passerelle.flows.who_is_named import known_names

#: Why an arrival ends that was obeyed: nothing is kept of it as it came. Why somebody does not come is never kept.
OBEYED = "obeyed"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Wanted:
    """What was said, understood: a command, or answers."""

    command: Command | None = None
    answers: tuple[Answer, ...] = ()
    #: A command that is none, or whose arguments are not right.
    outcome: Outcome | None = None


def may_be_obeyed(ctx: FlowContext, heard: Heard) -> bool:
    """Whether something said to everyone may be a command or an answer; `obey` finds that out."""
    return is_about_fiche(heard) or _understood(ctx, heard, "") != _Wanted()


async def obey(ctx: FlowContext, conn: AsyncConnection, said: Said, *, subject: str = "") -> bool:
    """Do what was said, where it is a command or nothing but answers, and tell its author; False where it is neither.

    Args:
        subject: of a mail to the bridge's own address: a command may stand there.
    """
    completed = await take_fiche_reply(ctx, conn, said)
    if completed is not None:
        await finish(ctx, conn, said, completed)
        return True
    wanted = _understood(ctx, said, subject)
    if wanted.outcome is not None:
        await tell_outcome(ctx, conn, said, wanted.outcome)
        return True
    if wanted.command is not None:
        outcome = await run_command(ctx, conn, said, wanted.command)
        await finish(ctx, conn, replace(said, text=_again(wanted.command)), outcome, notes=_noted_by(wanted.command))
        return True
    if not wanted.answers:
        return False
    if not all(answer.is_bare for answer in wanted.answers) and not _says_why(said, wanted.answers):
        return False
    return await _answer(ctx, conn, said, wanted.answers)


def _says_why(said: Said, answers: Sequence[Answer]) -> bool:
    """Whether a mail of the list declines an invitation and adds a few words: why, which is not passed on (PEOPLE 9).

    What is longer, asks or notes something is a post like any other; so is what who comes adds.
    """
    if said.email is None or said.is_private or said.about is None or said.answered is not None:
        return False
    is_invitation = said.about.kind == "meeting" and said.about.step in _INVITATIONS
    is_own = all(answer.for_self and answer.rsvp in ("no", "maybe") for answer in answers)
    return is_invitation and is_own and is_short_answer(said.text) and not notes_of(said)


async def act_on_post(ctx: FlowContext, conn: AsyncConnection, said: Said) -> None:
    """A post says more than an answer, and answers something all the same."""
    kinds = said.link.association.entry_register.kinds
    if said.about is None and said.answered is None:
        return
    await _answer(ctx, conn, said, parse_answers(said.text, kinds=kinds))


async def _answer(ctx: FlowContext, conn: AsyncConnection, said: Said, answers: tuple[Answer, ...]) -> bool:
    """Whether something was answered."""
    taken = False
    for answer in answers:
        outcome = await take_answer(ctx, conn, said, answer)
        if outcome is not None:
            taken = True
            await finish(ctx, conn, said, outcome)
    return taken


def _understood(ctx: FlowContext, heard: Heard, subject: str) -> _Wanted:
    kinds = heard.link.association.entry_register.kinds
    try:
        if subject or (heard.is_private and heard.email is not None):
            found = parse_mail_command(subject, heard.text, now=heard.said_at, zone=heard.link.zone, kinds=kinds)
        else:
            found = parse_command(heard.text, now=heard.said_at, zone=heard.link.zone, kinds=kinds)
            if found is None and heard.email is not None and heard.about is None and heard.answered is None:
                found = parse_astray(heard.text, now=heard.said_at, zone=heard.link.zone, kinds=kinds)
    except CommandProblem as problem:
        return _Wanted(outcome=problem_outcome(ctx, heard, problem))
    if isinstance(found, UnknownCommand):
        return _Wanted(outcome=not_understood(ctx, heard, found))
    # « stop » in answer to a notice of a meeting or a reminder is about that, and no command.
    if found is not None and not (found.name == "digest_stop" and heard.about is not None and not found.has_mark):
        return _Wanted(command=found)
    if heard.about is None and heard.answered is None:
        return _Wanted()
    return _Wanted(answers=parse_answers(heard.text, kinds=kinds))


def _again(command: Command) -> str:
    """The words that say a command once more; of one that notes a line, the line."""
    return command.rest if command.rest.startswith(command.word) else f"{command.word} {command.rest}".strip()


def _noted_by(command: Command) -> tuple[Note, ...] | None:
    """What a command notes of people by their names; None where it notes nothing, or its bare word says all."""
    notes = command.arguments.notes if isinstance(command.arguments, NoteArguments) and command.rest else None
    return notes or None


async def finish(
    ctx: FlowContext, conn: AsyncConnection, said: Said, outcome: Outcome, *, notes: Sequence[Note] | None = None
) -> None:
    """Tell what came of it; what needs its author's word is asked for at the address that we know.

    Args:
        said: its text is done again once it is confirmed.
        notes: what that text notes, where the text alone does not tell.
    """
    if outcome.reason == "confirm":
        line = await _without_reason(ctx, conn, said, notes)
        if line == "":
            await tell_outcome(ctx, conn, said, _nobody_named(ctx, said))
            return
        said = replace(said, text=line) if line is not None else said
        act = Unconfirmed(link=said.link, actor=said.actor, words=_words(said), command=stored_words(said))
        asked = await ask_to_confirm(ctx, conn, act, email=said.email)
        if asked == "too_long":
            words = ctx.renderer(said.link.association).words
            outcome = sentence("confirm_too_long", words("confirm_too_long"))
        elif said.email is not None or asked != "asked":
            return  # the question itself is the answer
    await tell_outcome(ctx, conn, said, outcome)


def _nobody_named(ctx: FlowContext, said: Said) -> Outcome:
    row, words = row_of("excuse"), ctx.renderer(said.link.association).words
    word = (row.english if words.language == "en" else row.french)[0]
    return sentence("not_understood", words("command_wrong_names_missing", word=word), is_private=True)


async def _without_reason(
    ctx: FlowContext, conn: AsyncConnection, said: Said, notes: Sequence[Note] | None
) -> str | None:
    """Who is excused, without why, where nothing else is to be confirmed; None: the text as it is. Minutes are kept."""
    if said.about is not None and said.about.step == "minutes":
        return None
    known = await known_names(conn, said.link)
    found = notes_of(said, known) if notes is None else notes
    names = [person.name for person in known if person.name]
    return build_presence_line(found, known=names, language=said.link.association.language)


#: Steps whose notice invites to a meeting.
_INVITATIONS = frozenset({"convocation", "reminder"})
_LONGEST_WORDS = 120


def _words(said: Said) -> str:
    line = next((line.strip() for line in said.text.splitlines() if line.strip()), "")
    return line[:_LONGEST_WORDS]


def stored_words(said: Said) -> Mapping[str, Any]:
    """What is needed to do it later, by its author's word."""
    about = said.about
    return {
        "text": said.text,
        "said_at": said.said_at.isoformat(),
        "about": {"kind": about.kind, "ids": list(about.ids), "step": about.step} if about is not None else None,
    }


def said_again(confirmed: Confirmed, said: Said) -> Said:
    """What was confirmed, as said by who confirmed it.

    Args:
        said: the mail that says « oui »: what came of it is told in answer to that.
    """
    command = confirmed.command
    about = command.get("about")
    return Said(
        link=confirmed.link,
        actor=confirmed.actor,
        text=str(command["text"]),
        # « jeudi » means what it meant when it was asked for.
        said_at=datetime.fromisoformat(str(command["said_at"])),
        key=f"{said.key}:confirmed",
        about=About(kind=about["kind"], ids=tuple(about["ids"]), step=about["step"]) if about else None,
        email=said.email,
        author=said.author,
        is_private=True,
    )
