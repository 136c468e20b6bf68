"""One command, understood: which flow does it."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_arguments import (
    CancelArguments,
    CatchUpArguments,
    ConsentArguments,
    FicheArguments,
    ListArguments,
    MoveArguments,
    NoteArguments,
    NumbersArguments,
    ObjectArguments,
    RemindArguments,
    ReplaceArguments,
    ReviewArguments,
    TextArguments,
)
from passerelle.core.command_row import CommandName
from passerelle.core.commands import Command
from passerelle.flows.catch_up import catch_up_command
from passerelle.flows.consent_words import consent_command
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_commands import is_about_digest, run_digest_command
from passerelle.flows.fiche_commands import run_fiche_command
from passerelle.flows.help_command import help_command
from passerelle.flows.meeting_commands import run_meeting_command
from passerelle.flows.offers import offers_command
from passerelle.flows.outcome import Outcome
from passerelle.flows.register_commands import (
    list_command,
    move_command,
    noting_command,
    object_command,
    replace_command,
    review_command,
)
from passerelle.flows.reminder_commands import list_reminders_command, run_reminder_command
from passerelle.flows.said import Said


async def run_command(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    """Do it, and say what came of it."""
    if is_about_digest(said, command):
        return await run_digest_command(ctx, conn, said, command)
    told = await _told(ctx, conn, said, command)
    return told if told is not None else await _run(ctx, conn, said, command)


async def _told(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome | None:
    """Commands about what is told of people and of what they know; None for the others."""
    match command.arguments:
        case FicheArguments() as arguments:
            return await run_fiche_command(ctx, conn, said, command.name, arguments)
        case CatchUpArguments() as arguments:
            return await catch_up_command(ctx, conn, said, arguments)
        case ConsentArguments() as arguments:
            return await consent_command(ctx, conn, said, arguments)
    return await offers_command(ctx, conn, said) if command.name == "offers" else None


async def _run(ctx: FlowContext, conn: AsyncConnection, said: Said, command: Command) -> Outcome:
    arguments: Any = command.arguments
    if command.name in _OF_MEETINGS or (command.name in ("move", "cancel") and arguments.what == "meeting"):
        return await run_meeting_command(ctx, conn, said, command)
    match arguments:
        case NoteArguments():
            return await noting_command(ctx, conn, said, arguments)
        case ListArguments():
            return await list_command(ctx, conn, said, command.name, arguments)
        case ObjectArguments():
            return await object_command(ctx, conn, said, arguments)
        case ReplaceArguments():
            return await replace_command(ctx, conn, said, arguments)
        case ReviewArguments():
            return await review_command(ctx, conn, said, arguments)
        case RemindArguments() | MoveArguments() | CancelArguments():
            return await run_reminder_command(ctx, conn, said, arguments)
        case TextArguments() if command.name == "help":
            return help_command(ctx, said, arguments)
        case NumbersArguments() if command.name in _MOVES:
            return await move_command(ctx, conn, said, command.name, arguments)
    if command.name == "reminders":
        return await list_reminders_command(ctx, conn, said)
    return help_command(ctx, said, TextArguments())


#: Commands about numbers of the register.
_MOVES: frozenset[CommandName] = frozenset({"adopt", "drop", "done", "returned", "withdraw"})
#: These concern a meeting whatever stands behind their word; `move` and `cancel` also know reminders.
_OF_MEETINGS: frozenset[CommandName] = frozenset(
    {
        "meeting", "assembly", "agenda", "dates", "attendance", "excuse", "proxy", "quiet",
        "start", "pause", "resume", "end", "minutes", "correct", "approve",
    }
)  # fmt: skip
