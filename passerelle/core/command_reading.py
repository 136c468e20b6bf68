"""What stands behind the word of a command, read: numbers, notes, corrections. Pure.

What cannot be read raises `CommandProblem`, with the nearest right form. Meetings and reminders: `core.command_times`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from zoneinfo import ZoneInfo

from passerelle.core.command_arguments import (
    Arguments,
    CorrectArguments,
    ListArguments,
    NoteArguments,
    NumbersArguments,
    ObjectArguments,
    ReplaceArguments,
    TextArguments,
)
from passerelle.core.command_heads import CommandHead
from passerelle.core.command_table import WORDS, example_of, is_english, row_of
from passerelle.core.register_line_heads import ON_BEHALF
from passerelle.core.register_line_notes import Note, PresenceNote
from passerelle.core.register_lines import parse_notes
from passerelle.core.replacements import parse_replacements
from passerelle.core.said_names import is_name, is_proper_name
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import numbers_in, plain
from passerelle.errors import CommandProblem

_LONGEST = 1000
_LONGEST_SUGGESTION = 200

#: « 7 : raison », « n° 7, c'est fait », « la décision 7 ».
_NUMBER_FIRST = re.compile(
    r"(?:(?:à|a|to) )?(?:la |l['’]|the )?(?:(?:décision|decision|action|réunion|reunion|meeting|objection)\s)?"
    r"(?:n[°ºo]\.?\s?|numéro\s|#)?(?P<number>\d{1,6})\b\s*[:,.;–—-]?\s*(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_BY = re.compile(r"\s*(?:\bpar\b|\bby\b|\bwith\b|->|→|:)\s*", re.IGNORECASE)
_TO_WHOM = re.compile(r"(?:à|a|to)\s+(?P<holder>[^\W\d_].{0,60})", re.IGNORECASE)
_TAG = re.compile(r"[#＃]([^\W\d_][\w\-]{0,40})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A command and from when and where it is read."""

    head: CommandHead
    #: Aware.
    now: datetime
    zone: ZoneInfo
    kinds: Sequence[KindSettings] = ()
    names_known: Sequence[str] = ()

    @property
    def rest(self) -> str:
        return self.head.rest[:_LONGEST]

    def problem(self, kind: str, behind: str | None = None, **values: str) -> NoReturn:
        """Raise what is wrong with it.

        Args:
            behind: what may stand behind the word; None: what the example has.
        """
        head = self.head
        # « prêt » notes a loan: its example is a loan's.
        name, _ = WORDS.get(plain(head.word), (head.name, ""))
        example = example_of(row_of(name), head.word)
        form = example if behind is None else f"{head.word} {behind}"
        mark = "!" if head.has_mark else ""
        raise CommandProblem(kind, {"word": head.word, **values}, f"{mark}{form}"[:_LONGEST_SUGGESTION])

    def notes(self, line: str) -> tuple[Note, ...]:
        return parse_notes(line, kinds=self.kinds, now=self.now, zone=self.zone, names_known=self.names_known)

    def in_language(self, french: str, english: str) -> str:
        return english if is_english(self.head.word) else french


def read_nothing(asked: Asked) -> Arguments:
    return TextArguments(text=asked.rest)


def read_text(asked: Asked) -> Arguments:
    return TextArguments(text=" ".join(asked.rest.split()))


def read_numbers(asked: Asked) -> Arguments:
    """« 12 et 14 », « 7 : raison »; nothing where the command answers what it is about."""
    numbers = numbers_in(asked.rest)
    if numbers or not asked.rest:
        return NumbersArguments(numbers=numbers)
    number, text = split_number(asked.rest)
    if number is None:
        asked.problem("number_unclear", "12", words=asked.rest[:60])
    return NumbersArguments(numbers=(number,), text=text)


def split_number(text: str) -> tuple[int | None, str]:
    """The number at the beginning of `text`, and what follows it."""
    found = _NUMBER_FIRST.fullmatch(text.strip())
    return (int(found["number"]), found["rest"].strip()) if found else (None, text.strip())


def read_returned(asked: Asked) -> Arguments:
    """« rendu 12 », or the thing: « rendu vidéoprojecteur »."""
    numbers = numbers_in(asked.rest)
    if numbers or not asked.rest:
        return NumbersArguments(numbers=numbers)
    notes = asked.notes(f"rendu : {_line(asked.rest)}")
    return NoteArguments(notes=notes) if notes else NumbersArguments(text=asked.rest)


def read_list(asked: Asked) -> Arguments:
    """« !décisions », « !décision 12 », « !actions #jardin », « !actions Léa »."""
    tag = _TAG.fullmatch(asked.rest)
    numbers = numbers_in(asked.rest)
    text = "" if tag or numbers else asked.rest.removeprefix("@")
    return ListArguments(numbers=numbers, tag=tag[1] if tag else "", text=text)


def read_note(asked: Asked) -> Arguments:
    notes = asked.notes(asked.rest)
    if not notes:
        asked.problem("note_unclear")
    return NoteArguments(notes=notes)


def read_agenda(asked: Asked) -> Arguments:
    notes = asked.notes(f"#topic {_line(asked.rest)}") if asked.rest else ()
    if not notes:
        asked.problem("text_missing")
    return NoteArguments(notes=notes)


def read_attendance(asked: Asked) -> Arguments:
    """Names that are present, or excused; without any, who comes, or whoever says it."""
    if not asked.rest:
        is_list = asked.head.name == "attendance"
        return ListArguments() if is_list else NoteArguments(notes=(PresenceNote(presence="excused", names=()),))
    word = "présents" if asked.head.name == "attendance" else "excusés"
    notes = asked.notes(f"{word} : {_line(asked.rest)}")
    if not notes:
        asked.problem("names_missing")
    return NoteArguments(notes=notes)


def read_proxy(asked: Asked) -> Arguments:
    """« Annie à Paul », « à Paul »."""
    own = _TO_WHOM.fullmatch(asked.rest.strip(" ."))
    if own and is_name(own["holder"]):
        note = PresenceNote(presence="represented", names=(), represented_by=own["holder"].strip())
        return NoteArguments(notes=(note,))
    notes = asked.notes(f"pouvoir : {_line(asked.rest)}")
    if not notes:
        asked.problem("names_missing")
    return NoteArguments(notes=notes)


def read_replace(asked: Asked) -> Arguments:
    """« 7 par 9 », « 7 par louer la petite salle »; « par 9 » in answer to it."""
    number, rest = split_number(asked.rest)
    by = _BY.match(rest)
    behind = rest[by.end() :].strip() if by else "" if number is None else rest
    numbers = numbers_in(behind)
    if not behind:
        asked.problem("replace_unclear")
    return ReplaceArguments(
        number=number, by=numbers[0] if len(numbers) == 1 else None, text="" if len(numbers) == 1 else _line(behind)
    )


def read_object(asked: Asked) -> Arguments:
    """« 7 : c'est trop cher », « de la part de Mme Haddad : … »."""
    number, rest = split_number(asked.rest)
    behalf = ON_BEHALF.match(f"{rest}:")
    if behalf and is_proper_name(behalf["name"]):
        further, reason = split_number(rest[behalf.end() :])
        number = number if number is not None else further
        return ObjectArguments(number=number, reason=reason.strip(), said_for=behalf["name"].strip())
    return ObjectArguments(number=number, reason=rest)


def read_correct(asked: Asked) -> Arguments:
    """« s/ancien/nouveau/ », or plain words for the chair."""
    number, rest = split_number(asked.rest)
    replacements, text = parse_replacements(rest if number is not None else asked.rest)
    if not replacements and not text:
        asked.problem("text_missing")
    return CorrectArguments(number=number, replacements=replacements, text=text)


def _line(text: str) -> str:
    return " ".join(text.split())


READERS: Mapping[str, Callable[[Asked], Arguments]] = {
    "agenda": read_agenda,
    "dates": read_nothing,
    "attendance": read_attendance,
    "excuse": read_attendance,
    "proxy": read_proxy,
    "pause": read_nothing,
    "resume": read_nothing,
    "end": read_nothing,
    "correct": read_correct,
    "note": read_note,
    "decisions": read_list,
    "actions": read_list,
    "loans": read_list,
    "bookings": read_list,
    "replace": read_replace,
    "object": read_object,
    "returned": read_returned,
    "reminders": read_nothing,
    "search": read_text,
    "link": read_nothing,
    "help": read_text,
}
