"""Dates and times to come, as people write them. Pure.

`parse_when` reads a text that is wholly a date; `find_when` finds a date inside a sentence. Nothing is guessed: what may
mean two days is given back as both, for somebody to ask.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.when_model import FoundWhen, When, WhenKind
from passerelle.errors import WhenProblem

__all__ = ["FoundWhen", "When", "WhenKind", "WhenProblem", "find_when", "parse_when"]


def parse_when(text: str, *, now: datetime, zone: ZoneInfo) -> When:
    """The date that `text` is.

    Args:
        now: Aware.
        zone: In whose calendar and on whose wall clock it is read.

    Raises:
        WhenProblem: it is none (`unknown`), it is over (`past`), or it may mean several days (`ambiguous`).
    """
    raise NotImplementedError


def find_when(text: str, *, now: datetime, zone: ZoneInfo) -> FoundWhen | None:
    """The date in the sentence `text`, or None. What « pour », « avant », « jusqu'à », « d'ici » introduce goes first.

    Args:
        now: Aware.
        zone: In whose calendar and on whose wall clock it is read.
    """
    raise NotImplementedError
