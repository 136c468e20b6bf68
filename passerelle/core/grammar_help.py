"""The grammar as it is explained: rows for help and documents, made of the very tables that are read by. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from passerelle.core.answer_table import ANSWERS
from passerelle.core.command_row import CommandRow
from passerelle.core.command_table import COMMANDS
from passerelle.core.register_line_words import LINES
from passerelle.core.wording import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class HelpRow:
    """One thing that can be said, in one language."""

    name: str
    #: How it may be called, the usual way first.
    words: tuple[str, ...]
    #: What stands behind the word; "" where nothing does.
    form: str
    #: One that works, or several.
    examples: tuple[str, ...]
    #: What it does, in a short sentence.
    what: str


def command_rows(words: Words) -> Iterator[tuple[CommandRow, HelpRow]]:
    """Every command, as it is said without the `!`."""
    for row in COMMANDS:
        is_french = words.language == "fr"
        yield (
            row,
            HelpRow(
                name=row.name,
                words=row.french if is_french else row.english,
                form=row.form_french if is_french else row.form_english,
                examples=(row.example_french if is_french else row.example_english,),
                what=words(f"command_{row.name}"),
            ),
        )


def line_rows(words: Words) -> Iterator[HelpRow]:
    """Every kind of line that is noted."""
    for row in LINES:
        is_french = words.language == "fr"
        yield HelpRow(
            name=row.kind,
            words=row.french if is_french else row.english,
            form="",
            examples=(row.example_french if is_french else row.example_english,),
            what=words(f"line_{row.kind}"),
        )


def answer_rows(words: Words) -> Iterator[HelpRow]:
    """Every answer in plain words, by examples."""
    for row in ANSWERS:
        yield HelpRow(
            name=row.name,
            words=(),
            form="",
            examples=row.french if words.language == "fr" else row.english,
            what=words(f"answer_{row.name}"),
        )
