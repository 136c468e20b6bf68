"""A short answer in plain words to something that the bridge told: « objection », « fait », « le 12 », « je viens ».

It counts only in answer to that (PEOPLE 12): the same word in a conversation is a word of that conversation.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.answer_model import Answer
from passerelle.core.command_row import CommandName
from passerelle.core.register_model import Ask, Entry
from passerelle.core.register_moves import MoveName
from passerelle.core.signs import ENTRY_SIGNS
from passerelle.core.when import parse_when
from passerelle.errors import WhenProblem
from passerelle.flows.ask_back import chosen, get_asked, settle_date, settle_decision
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_publish import settle_fiche
from passerelle.flows.meeting_answers import take_meeting_answer, take_meeting_sign
from passerelle.flows.meeting_dates import is_about_meeting
from passerelle.flows.meeting_settle import settle_meeting_date
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_acts import Wish, change_entry, set_state
from passerelle.flows.register_commands import entries_answered, entries_meant
from passerelle.flows.register_marks import MarkedKind, mark_post
from passerelle.flows.said import Said

_MOVES: dict[str, MoveName] = {
    "withdraw": "withdraw", "done": "finish", "returned": "give_back", "adopt": "adopt", "drop": "drop",
}  # fmt: skip
#: The command that says the same.
_COMMANDS: dict[MoveName, CommandName] = {
    "withdraw": "withdraw", "finish": "done", "give_back": "returned", "adopt": "adopt", "drop": "drop",
}  # fmt: skip
_MARKED: dict[str, MarkedKind] = {"decision": "decision", "action": "action"}


async def take_answer(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    """Act on an answer; None where it answers nothing of the bridge's."""
    if answer.kind == "its_a":
        return await _mark(ctx, conn, said, answer)
    if said.about is None:
        return None
    if said.about.kind == "ask":
        asked = await get_asked(conn, said.about)
        is_here = asked is not None and asked.association == said.link.association_name and asked.link == said.link.name
        return await _to_ask(ctx, conn, said, answer, asked) if asked is not None and is_here else None
    if said.about.kind == "entries":
        return await _to_entries(ctx, conn, said, answer)
    if said.about.kind == "meeting":
        return await take_meeting_answer(ctx, conn, said, answer)
    return None


async def take_sign(ctx: FlowContext, conn: AsyncConnection, said: Said, key: str) -> Outcome | None:
    """Act on a reaction to a notice; None where it means nothing there."""
    if said.about is not None and said.about.kind == "meeting":
        return await take_meeting_sign(ctx, conn, said, key)
    kind = ENTRY_SIGNS.get(key)
    return await take_answer(ctx, conn, said, Answer(kind=kind)) if kind is not None else None


async def _mark(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    """« c'est une décision », in answer to an old message."""
    kind = _MARKED.get(answer.entry_kind)
    if said.answered is None or kind is None:
        return None
    return await mark_post(ctx, conn, said, said.answered, kind, answer.names)


async def _to_ask(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer, asked: Ask) -> Outcome | None:
    if asked.kind == "confirm_decision" and answer.says_yes is not None:
        return await settle_decision(ctx, conn, said, asked, yes=answer.says_yes)
    if asked.kind == "fiche" and answer.says_yes is not None:
        return await settle_fiche(ctx, conn, said, asked, yes=answer.says_yes)
    # « oui, le 12 » says which day as well.
    if asked.kind != "date" or not answer.choice:
        return None
    when = chosen(asked, answer.choice_number, None)
    if when is None:
        try:
            meant = parse_when(answer.choice, now=ctx.now(), zone=said.link.zone)
        except WhenProblem:
            words = ctx.renderer(said.link.association).words
            return sentence("ask_unclear", words("ask_unclear"), is_private=True)
        when = (meant.day, meant.time)
    if is_about_meeting(asked):
        return await settle_meeting_date(ctx, conn, said, asked, when)
    return await settle_date(ctx, conn, said, asked, when)


async def _to_entries(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    if answer.kind == "objection":
        return await _object(ctx, conn, said, answer)
    if answer.kind == "state":
        return await _set_state(ctx, conn, said, answer)
    move = _MOVES.get(answer.kind)
    if move is None:
        return None
    found = await entries_meant(ctx, conn, said, _COMMANDS[move], answer.numbers)
    if isinstance(found, Outcome):
        # A conversation beneath an action may say « c'est fait » of something else: only a bare word is asked about.
        return found if answer.is_bare or answer.numbers else None
    outcome: Outcome | None = None
    for entry in found:
        outcome = await change_entry(ctx, conn, said, entry, Wish(name=_of_kind(move, entry)))
    return outcome


def _of_kind(move: MoveName, entry: Entry) -> MoveName:
    return "give_back" if move == "finish" and entry.kind == "loan" else move


async def _object(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome:
    found = await entries_meant(ctx, conn, said, "object", answer.numbers)
    if isinstance(found, Outcome):
        return found
    outcome: Outcome | None = None
    for whom in answer.said_for or ("",):
        outcome = await change_entry(
            ctx, conn, said, found[0], Wish(name="object", detail=answer.reason, said_for=whom)
        )
    assert outcome is not None
    return outcome


async def _set_state(ctx: FlowContext, conn: AsyncConnection, said: Said, answer: Answer) -> Outcome | None:
    fitting = [one for one in await entries_answered(conn, said) if one.kind in answer.state_kinds]
    return await set_state(ctx, conn, said, fitting[0], answer.state) if len(fitting) == 1 else None
