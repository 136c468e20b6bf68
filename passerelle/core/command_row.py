"""What one command is: its words, what stands behind them, where it may be said and by whom. Pure.

All of them: `core.command_table`.
"""

from dataclasses import dataclass
from typing import Literal

from passerelle.core.permissions import Act

CommandName = Literal[
    "meeting", "assembly", "agenda", "move", "cancel", "dates",
    "attendance", "excuse", "proxy", "start", "pause", "resume", "end", "minutes", "correct", "approve",
    "note", "decisions", "adopt", "replace", "drop", "review", "object", "withdraw",
    "actions", "done", "loans", "returned", "bookings",
    "remind", "reminders", "quiet", "search", "link", "catch_up",
    "digest", "digest_pause", "digest_resume", "digest_stop",
    "fiche", "fiche_publish", "fiche_withdraw", "fiche_disagree",
    "offers", "first_name", "help",
]  # fmt: skip
#: Where a command may be said.
Where = Literal["room", "mail"]
#: What stands behind a command's word, roughly: whether numbers alone, words, or nothing may stand there.
Wants = Literal["nothing", "number", "numbers", "words"]
#: No command's word is longer, nor has more words.
LONGEST_WORD = 30
MOST_WORDS = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRow:
    """One command. Accents, capitals, hyphens and inclusive endings do not matter in its words."""

    name: CommandName
    #: The first of them is how the help calls it.
    french: tuple[str, ...]
    english: tuple[str, ...]
    #: What stands behind the word, in the words of members; "" where nothing does.
    form_french: str
    form_english: str
    wants: Wants
    #: Without the `!`.
    example_french: str
    example_english: str
    where: frozenset[Where] = frozenset({"room", "mail"})
    #: What `core.permissions` is asked, and so which key of the configuration says who may; None where anyone may.
    act: Act | None = None


def row(
    name: CommandName,
    words: tuple[str, str],
    forms: tuple[str, str],
    examples: tuple[str, str],
    *,
    wants: Wants = "words",
    where: str = "room mail",
    may: Act | None = None,
) -> CommandRow:
    """A row, its words parted by « | », French before English in each pair; `where` and `may` as in `CommandRow`."""
    french, english = (tuple(word.strip() for word in text.split("|")) for text in words)
    places: tuple[Where, ...] = ("room", "mail")
    return CommandRow(
        name=name,
        french=french,
        english=english,
        form_french=forms[0],
        form_english=forms[1],
        wants=wants,
        example_french=examples[0],
        example_english=examples[1],
        where=frozenset(place for place in places if place in where.split()),
        act=may,
    )
