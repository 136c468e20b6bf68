"""Dates and times to come, as people write them. Pure.

`parse_when` reads a text that is wholly a date; `find_when` finds a date inside a sentence. Nothing is guessed: what
may mean two days is given back as both, for somebody to ask.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.when_dateparser import ask_dateparser
from passerelle.core.when_find import find_when
from passerelle.core.when_leads import CLOSERS, lead_ends
from passerelle.core.when_model import FoundWhen, PartOfDay, When, WhenKind
from passerelle.core.when_resolve import resolve
from passerelle.core.when_said import Said, read_said
from passerelle.core.when_tokens import Line, tokenise
from passerelle.errors import WhenProblem

__all__ = ["FoundWhen", "PartOfDay", "When", "WhenKind", "WhenProblem", "find_when", "parse_when"]

#: A longer text is not wholly a date.
LONGEST_WHEN = 200
_EDGE_SIGNS = {".", "!", "?", ",", ";", ":", "(", ")", "[", "]", "«", "»", '"', "-", "…", "“", "”"}


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> When:
    """The date that `text` is, with or without « le », « pour le », « avant », « jusqu'au », « d'ici » in front.

    Args:
        now: Aware.
        zone: In whose calendar and on whose wall clock it is read.

    Raises:
        WhenProblem: it is none (`unknown`), it is over (`past`), or it may mean several days (`ambiguous`).
    """
    text = text.strip()
    if len(text) > LONGEST_WHEN:
        raise WhenProblem("unknown")
    said = _wholly_said(tokenise(text))
    if said is None:
        day = ask_dateparser(text, now.astimezone(zone).date())
        if day is None:
            raise WhenProblem("unknown")
        if day < now.astimezone(zone).date():
            raise WhenProblem("past")
        return When(day=day, text=text)
    found = resolve(said, now=now, zone=zone, text=text)
    if len(found) > 1:
        raise WhenProblem("ambiguous", found)
    return found[0]


def _wholly_said(line: Line) -> Said | None:
    """What all the words of `line` say of when."""
    start, end = 0, len(line)
    while start < end and line.word(start) in _EDGE_SIGNS:
        start += 1
    while end > start and line.word(end - 1) in _EDGE_SIGNS:
        end -= 1
    for begin in (start, *lead_ends(line, start)):
        found = read_said(line, begin)
        # The point of « nov. » belongs to it.
        if found is not None and end <= (CLOSERS.end(line, found[1]) or found[1]):
            return found[0]
    return None
