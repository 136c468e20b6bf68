"""`!aide`: what the bridge can be asked, made of the very table that commands are read by."""

from dataclasses import dataclass

from passerelle.core.command_arguments import TextArguments
from passerelle.core.command_row import CommandName, CommandRow
from passerelle.core.command_table import COMMANDS, WORDS
from passerelle.core.spoken_words import plain
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.flows.outcome import Outcome
from passerelle.flows.said import Said

#: Commands that a first help names: what most people need, in this order. The rest by `aide tout`.
_FIRST = ("decisions", "actions", "done", "meeting", "dates", "remind", "search", "help")
_LISTS: frozenset[CommandName] = frozenset({"decisions", "actions", "loans", "bookings"})
_ALL_WORDS = frozenset({"tout", "toutes", "all", "everything"})


@dataclass(frozen=True, kw_only=True, slots=True)
class HelpLine:
    """One command, as it is typed where it was asked about."""

    example: str
    what: str


def help_command(ctx: FlowContext, said: Said, wanted: TextArguments) -> Outcome:
    """A few commands with an example each; one, or all of them, where that was asked."""
    words = ctx.renderer(said.link.association).words
    where = "room" if said.medium == "room" else "mail"
    rows = [row for row in COMMANDS if where in row.where]
    asked = plain(wanted.text)
    found = WORDS.get(asked)
    if asked in _ALL_WORDS:
        chosen = rows
    elif found is not None:
        chosen = [row for row in rows if row.name == found[0]]
    else:
        chosen = sorted((row for row in rows if row.name in _FIRST), key=lambda row: _FIRST.index(row.name))
    lines = [_line(row, words, said) for row in chosen]
    variables = {"lines": lines, "has_more": len(lines) < len(rows), "in_room": said.medium == "room"}
    return Outcome(reason="help", template="help", variables=variables, is_private=len(lines) > len(_FIRST))


def _line(row: CommandRow, words: Words, said: Said) -> HelpLine:
    is_french = words.language == "fr"
    example = row.example_french if is_french else row.example_english
    if said.medium == "mail" and row.name in _LISTS:
        # Without its sign « décision … » would be the beginning of a sentence: by mail the word alone is a command.
        example = (row.french if is_french else row.english)[0]
    return HelpLine(
        example=f"!{example}" if said.medium == "room" else example,
        what=words(f"command_{row.name}"),
    )
