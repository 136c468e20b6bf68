"""What our own rules do not read, as `dateparser` reads it, on conditions under which it cannot have guessed. Pure.

It always answers something: a missing day is today's, a missing year this year's, and words that it does not know are
left out. So it is asked only where every word speaks of dates, and several times: as if today were another day, and
with other rules for what is missing and what stands first. Only what is the same each time, or moves with today, was
said in full.
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from passerelle.core.search_dates import MONTHS, NUMBERS, UNITS
from passerelle.core.when_names import SUFFIXES
from passerelle.core.when_tokens import tokenise

#: No date that a person writes in words is longer; `dateparser` is slow on hostile text.
LONGEST = 60
_MOST_WORDS = 10
#: Without « après », « environ », « sauf », which it would leave out.
_WORDS = {*MONTHS, *NUMBERS, *UNITS, *SUFFIXES, "dans", "in", "et", "and", "le", "the", "de", "du", "of", ",", "."}
_MISSING = ("PREFER_DAY_OF_MONTH", "PREFER_MONTH_OF_YEAR")
_MANNERS: tuple[Mapping[str, str], ...] = (
    {"PREFER_DATES_FROM": "future", "DATE_ORDER": "DMY", **dict.fromkeys(_MISSING, "first")},
    {"PREFER_DATES_FROM": "past", "DATE_ORDER": "MDY", **dict.fromkeys(_MISSING, "last")},
)
#: Another day of the week, of the month and of the year.
_OTHER_DAY = timedelta(days=47)


def ask_dateparser(text: str, today: date) -> date | None:
    """The day that `text` means, or None. No hour is taken from it: it does not tell whether one was said in full."""
    words = tokenise(text[: LONGEST + 1]).words
    if len(text) > LONGEST or len(words) > _MOST_WORDS or not any(word.isalpha() and len(word) > 2 for word in words):
        return None
    if not all(word in _WORDS or word.isdigit() for word in words):
        return None
    return _ask(text, today)


@lru_cache(maxsize=256)
def _ask(text: str, today: date) -> date | None:
    """Remembered, because it takes a thousand times as long as our own rules, and what is wrong is often sent again."""
    found = {_asked(text, today, manner) for manner in _MANNERS}
    later = {_asked(text, today + _OTHER_DAY, manner) for manner in _MANNERS}
    if len(found) != 1 or len(later) != 1:
        return None
    day, moved = found.pop(), later.pop()
    return day if day and moved and moved - day in (timedelta(), _OTHER_DAY) else None


def _asked(text: str, today: date, manner: Mapping[str, str]) -> date | None:
    # Loaded here: it is slow to load, and seldom asked.
    from dateparser.date import DateDataParser  # type: ignore[import-untyped]

    settings = {
        "RELATIVE_BASE": datetime.combine(today, time(12)),
        "RETURN_AS_TIMEZONE_AWARE": False,
        "RETURN_TIME_AS_PERIOD": True,
        **manner,
    }
    try:
        found = DateDataParser(languages=["fr", "en"], settings=settings).get_date_data(text)
    except (ValueError, OverflowError):
        return None
    if found is None or found.date_obj is None or found.period != "day":
        return None
    day: date = found.date_obj.date()
    return day
