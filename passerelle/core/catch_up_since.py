"""« rattrapage depuis mardi », « depuis le 3 mars », « depuis le début »: since when somebody was away. Pure."""

import re
from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from passerelle.core.catch_up import BEGINNING
from passerelle.core.command_arguments import Arguments, CatchUpArguments
from passerelle.core.command_reading import Asked
from passerelle.core.polite_words import without_thanks
from passerelle.core.search_dates import Today, read_span, today_of
from passerelle.core.spoken_words import plain
from passerelle.errors import CommandProblem

_SINCE = re.compile(r"^(?:depuis|à partir d[eu]|dès|since|from)\b\s*", re.IGNORECASE)
_FROM_THE_BEGINNING = frozenset(
    {
        "le debut", "les debuts", "debut", "du debut", "toujours", "le commencement", "the beginning", "the start",
        "beginning", "start", "ever", "always",
    }
)  # fmt: skip
#: Nothing is said by these that the bridge does not know itself.
_LAST_TIME = frozenset(
    {
        "la derniere fois", "derniere fois", "le dernier resume", "mon dernier resume", "mon dernier message",
        "last time", "the last time", "my last digest", "the last digest", "my last message",
    }
)  # fmt: skip
_DAY_ALONE = re.compile(r"(?:le |the )?(\d{1,2})(?:er|st|nd|rd|th)?", re.IGNORECASE)
_LONGEST = 60


def parse_since(text: str, *, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Since when (aware); `BEGINNING` for « le début »; None where nothing is said, or « la dernière fois ».

    A day, weekday or month without a year is the last one that has begun, as in a search.

    Raises CommandProblem: `since_unclear`, or `since_future` for a day that has not come.
    """
    words = _SINCE.sub("", without_thanks(" ".join(text.split())).strip(" .!?:,;"))
    bare = plain(words)
    if not words or bare in _LAST_TIME:
        return None
    if bare in _FROM_THE_BEGINNING:
        return BEGINNING
    today = today_of(now, zone)
    day = _day_of(words, today)
    if day is None:
        raise CommandProblem("since_unclear", {"words": words[:_LONGEST]}, "rattrapage depuis mardi")
    if day > today.day:
        raise CommandProblem("since_future", {"words": words[:_LONGEST]}, "rattrapage depuis mardi")
    return today.begins(day)


def _day_of(words: str, today: Today) -> date | None:
    alone = _DAY_ALONE.fullmatch(words)
    if alone is not None:
        return _last_such_day(int(alone[1]), today.day)
    # Our own rules only: a date that only a guess can read is asked back.
    span = read_span(words, today, loosely=False)
    return span.start if span is not None else None


def _last_such_day(number: int, today: date) -> date | None:
    """The last 3rd that has begun; None where no month has such a day."""
    first = today.replace(day=1)
    for _ in range(3):
        if 1 <= number <= monthrange(first.year, first.month)[1] and first.replace(day=number) <= today:
            return first.replace(day=number)
        first = (first - timedelta(days=1)).replace(day=1)
    return None


def read_catch_up(asked: Asked) -> Arguments:
    """What stands behind « rattrapage »."""
    try:
        return CatchUpArguments(since=parse_since(asked.rest, now=asked.now, zone=asked.zone))
    except CommandProblem as problem:
        asked.problem(problem.kind, asked.in_language("depuis mardi", "since Tuesday"), **problem.values)


CATCH_UP_READERS: Mapping[str, Callable[[Asked], Arguments]] = {"catch_up": read_catch_up}
