"""A command that is not understood gets one sentence with the nearest right form, privately (PEOPLE 13)."""

from passerelle.core.commands import UnknownCommand
from passerelle.errors import CommandProblem
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.said import Heard


def problem_outcome(ctx: FlowContext, heard: Heard, problem: CommandProblem) -> Outcome:
    """What is wrong with the words behind a command, and how it is said right."""
    words = ctx.renderer(heard.link.association).words
    told = words(f"command_wrong_{problem.kind}", **problem.values)
    if problem.suggestion:
        told += " " + words("command_for_example", example=_typed(heard, problem.suggestion))
    return sentence("not_understood", told, is_private=True)


def not_understood(ctx: FlowContext, heard: Heard, unknown: UnknownCommand) -> Outcome:
    """A word that is nearly a command."""
    words = ctx.renderer(heard.link.association).words
    told = words("command_unknown", word=unknown.word, example=_typed(heard, unknown.nearest))
    return sentence("not_understood", told, is_private=True)


def _typed(heard: Heard, command: str) -> str:
    bare = command.removeprefix("!")
    return f"!{bare}" if heard.medium == "room" else bare
