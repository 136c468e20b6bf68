"""Dates as people write them in a search: « mars », « 12/11/2026 », « la semaine dernière ». Pure.

What is written most is read here, by rules that a page can explain; `dateparser` reads what is left. A day, month or
weekday without a year is the most recent one that has begun.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from passerelle.core.folding import fold

#: No date that a person writes is longer; `dateparser` is slow on hostile text.
LONGEST_DATE = 40
_MOST_WORDS = 6
_YEARS = range(1900, 2200)

_MONTH_NAMES = (
    "janvier janv jan january", "fevrier fevr fev feb february", "mars mar march", "avril avr apr april",
    "mai may", "juin jun june", "juillet juil jul july", "aout aug august", "septembre sept sep september",
    "octobre oct october", "novembre nov november", "decembre dec december",
)  # fmt: skip
MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names.split()}
_WEEKDAY_NAMES = (
    "lundi lun monday", "mardi tuesday", "mercredi mer wednesday", "jeudi jeu thursday", "vendredi ven friday",
    "samedi sam saturday", "dimanche dim sunday",
)  # fmt: skip
WEEKDAYS = {name: number for number, names in enumerate(_WEEKDAY_NAMES) for name in names.split()}
_NUMBERS = (
    "un une one a an", "deux two", "trois three", "quatre four", "cinq five", "six", "sept seven", "huit eight",
    "neuf nine", "dix ten", "onze eleven", "douze twelve",
)  # fmt: skip
NUMBERS = {name: number for number, names in enumerate(_NUMBERS, start=1) for name in names.split()} | {
    "quinze": 15, "vingt": 20, "trente": 30,
}  # fmt: skip
_UNITS = {
    "day": "jour jours day days", "week": "semaine semaines week weeks", "month": "mois month months",
    "year": "an ans annee annees year years",
}  # fmt: skip
UNITS = {name: unit for unit, names in _UNITS.items() for name in names.split()}
#: What a date that cannot be read may have been meant to be.
DATE_WORDS = tuple(name for name in (*MONTHS, *WEEKDAYS, "hier", "aujourd'hui", "avant-hier") if len(name) > 3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Whole days of a calendar: `end` is the first day after them."""

    start: date
    end: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Today:
    """The day on which, and the place where a search is made."""

    day: date
    zone: ZoneInfo

    def begins(self, day: date) -> datetime:
        """When `day` begins there, in UTC. Where the clock skips midnight, the instant at which it does."""
        return datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)


def today_of(now: datetime, zone: ZoneInfo) -> Today:
    """The day it is at `now` (aware) in `zone`."""
    return Today(day=now.astimezone(zone).date(), zone=zone)


def read_span(text: str, today: Today, *, loosely: bool = True) -> Span | None:
    """The days that `text` names, or None where it names none.

    Args:
        loosely: Also ask `dateparser`; False for words that may not be meant as a date at all.
    """
    words = _plain(text)
    if not words or len(words) > LONGEST_DATE or words.count(" ") >= _MOST_WORDS:
        return None
    try:
        for reading in _READINGS:
            if (span := reading(words, today)) is not None:
                return span if span.start.year in _YEARS and span.end.year <= _YEARS.stop else None
        return _ask_dateparser(words, today.day) if loosely else None
    except (ValueError, OverflowError):  # 31/02, or a day before the calendar begins
        return None


_ARTICLES = re.compile(r"(?:(?:le|la|les|the|du|de|au|on) |l'|d')")
_CLOCK = re.compile(r" (?:(?:a|vers|at) )?\d{1,2} ?(?:h ?(?:\d\d)?|:\d\d)$")
_PART_OF_DAY = re.compile(r"(?<=[a-z0-9])[ -](?:matin|midi|apres-midi|soir|morning|evening|night)$")


def _plain(text: str) -> str:
    """Folded, without articles in front and the time of day behind."""
    words = " ".join(fold(text).replace(",", " ").replace("‑", "-").split()).strip(" .;:!?()")
    words = words.replace("aujourd'hui", "aujourdhui")
    while found := _ARTICLES.match(words):
        words = words[found.end() :]
    return _PART_OF_DAY.sub("", _CLOCK.sub("", words))


_NAMED_DAYS = {
    "hier": -1, "yesterday": -1, "avant-hier": -2, "avant hier": -2, "aujourdhui": 0, "ce jour": 0, "today": 0, "ce": 0,
    "cet": 0, "this": 0, "tonight": 0, "demain": 1, "tomorrow": 1, "apres-demain": 2, "apres demain": 2,
}  # fmt: skip


def _named_day(words: str, today: Today) -> Span | None:
    ahead = _NAMED_DAYS.get(words)
    return None if ahead is None else _one_day(today.day + timedelta(days=ahead))


_DAY_FIRST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})(?:\2(\d{4}|\d{2}))?\.?")
_YEAR_FIRST = re.compile(r"(\d{4})([/.-])(\d{1,2})(?:\2(\d{1,2}))?")
_MONTH_OF_YEAR = re.compile(r"(\d{1,2})[/.-](\d{4})")
_YEAR = re.compile(r"(?:annee |year |en |in )?(\d{4})")


def _numbers(words: str, today: Today) -> Span | None:
    """12/11/2026, 12.11.26, 12/11, 2026-11-12, 2026-11, 11/2026, 2026. The day stands first, as in France."""
    if found := _DAY_FIRST.fullmatch(words):
        return _day(int(found[1]), int(found[3]), _year(found[4]), today)
    if found := _YEAR_FIRST.fullmatch(words):
        if found[4] is None:
            return _month(int(found[3]), int(found[1]))
        return _one_day(date(int(found[1]), int(found[3]), int(found[4])))
    if found := _MONTH_OF_YEAR.fullmatch(words):
        return _month(int(found[1]), int(found[2]))
    if found := _YEAR.fullmatch(words):
        return Span(start=date(int(found[1]), 1, 1), end=date(int(found[1]) + 1, 1, 1))
    return None


_WORD_DAY = re.compile(r"(?:([a-z]+)\.? )?(\d{1,2})(?:er|re|st|nd|rd|th|e)? (?:of )?([a-z]+)\.?(?: (\d{4}))?")
#: `mars 12 personnes`: in French the day never stands behind its month.
_FRENCH_ONLY = {"janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre",
                "novembre", "decembre"}  # fmt: skip
_ENGLISH_DAY = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?")


def _words_day(words: str, today: Today) -> Span | None:
    """12 mars, jeudi 12 mars 2026, 1er mars, March 12th 2026."""
    found = _WORD_DAY.fullmatch(words)
    if found and found[3] in MONTHS and (found[1] is None or found[1] in WEEKDAYS):
        return _day(int(found[2]), MONTHS[found[3]], _year(found[4]), today)
    found = _ENGLISH_DAY.fullmatch(words)
    if found and found[1] in MONTHS and found[1] not in _FRENCH_ONLY:
        return _day(int(found[2]), MONTHS[found[1]], _year(found[3]), today)
    return None


_WORD_MONTH = re.compile(
    r"(?:(?:en|in|mois de|mois d'|debut|debut de) ?)?(last )?([a-z]+)\.?(?: (\d{4}|dernier|passe))?"
)


def _words_month(words: str, today: Today) -> Span | None:
    """mars, en mars 2026, mars dernier: the last one over."""
    found = _WORD_MONTH.fullmatch(words)
    if not found or found[2] not in MONTHS:
        return None
    month = MONTHS[found[2]]
    if found[3] and found[3].isdigit():
        return _month(month, int(found[3]))
    span = _month(month, today.day.year)
    over = bool(found[1] or found[3])
    if span.start > today.day or (over and span.end > today.day):
        span = _month(month, today.day.year - 1)
    return span


_WORD_WEEKDAY = re.compile(r"(last )?([a-z]+)(?: (dernier|passe|prochain))?")


def _weekday(words: str, today: Today) -> Span | None:
    """lundi: the last one that has begun, today included; lundi dernier: before today."""
    found = _WORD_WEEKDAY.fullmatch(words)
    if not found or found[2] not in WEEKDAYS:
        return None
    back = (today.day.weekday() - WEEKDAYS[found[2]]) % 7
    if found[3] == "prochain":
        return _one_day(today.day + timedelta(days=7 - back))
    if back == 0 and (found[1] or found[3]):
        back = 7
    return _one_day(today.day - timedelta(days=back))


_WHOLE_UNIT = re.compile(
    r"(?:(cette|ce|cet|this|last|debut de|debut|debut du|debut de la|debut de l'|beginning of the|start of the) ?)?"
    r"(semaine|week|mois|month|annee|an|year|week-end|weekend)(?:[ -](dernier|derniere|passe|passee|ci))?"
)


def _whole_unit(words: str, today: Today) -> Span | None:
    """cette semaine, le mois dernier, l'an dernier, début de l'année, le week-end dernier, last week."""
    found = _WHOLE_UNIT.fullmatch(words)
    if not found or not (found[1] or found[3]):
        return None
    last = found[1] == "last" or (found[3] or "")[:5] in ("derni", "passe")
    if found[2].startswith("week") and found[2] != "week":
        saturday = today.day - timedelta(days=(today.day.weekday() - 5) % 7)
        if last and today.day.weekday() >= 5:
            saturday -= timedelta(days=7)
        return Span(start=saturday, end=saturday + timedelta(days=2))
    span = _unit_around(today.day, UNITS[found[2]])
    return _unit_around(span.start - timedelta(days=1), UNITS[found[2]]) if last else span


_AGO = re.compile(r"(?:il y a )?(\d{1,3}|[a-z]+) ([a-z]+)(?: ago)?")
_LAST_ONES = re.compile(r"(?:(?:ces|last) )?(\d{1,3}|[a-z]+) (?:(?:derniers|dernieres) )?([a-z]+)(?: passee?s)?")


def _counted(words: str, today: Today) -> Span | None:
    """il y a 3 jours, trois semaines, two weeks ago: that day; les 3 derniers jours, last 3 days: since then."""
    lasting = words.startswith(("ces ", "last ")) or " dernier" in words
    found = (_LAST_ONES if lasting else _AGO).fullmatch(words)
    if not found or found[2] not in UNITS:
        return None
    count = int(found[1]) if found[1].isdigit() else NUMBERS.get(found[1], 0)
    if not count:
        return None
    start = _back(today.day, count, UNITS[found[2]])
    return Span(start=start, end=today.day + timedelta(days=1)) if lasting else _one_day(start)


_READINGS: tuple[Callable[[str, Today], Span | None], ...] = (
    _named_day, _numbers, _words_day, _words_month, _weekday, _whole_unit, _counted,
)  # fmt: skip


@lru_cache(maxsize=256)
def _ask_dateparser(words: str, today: date) -> Span | None:
    """What our own rules do not read, as `dateparser` reads it: French first, the past first, the day first.

    Remembered, because it takes a thousand times as long as our rules, and a wrong search is read several times.
    """
    if not re.search(r"[a-z]{3}", words):
        return None
    # Loaded here: it is slow to load, and seldom asked.
    from dateparser.date import DateDataParser  # type: ignore[import-untyped]

    settings = {
        "RELATIVE_BASE": datetime.combine(today, time(12)),
        "PREFER_DATES_FROM": "past",
        "DATE_ORDER": "DMY",
        "PREFER_DAY_OF_MONTH": "first",
        "RETURN_AS_TIMEZONE_AWARE": False,
        "REQUIRE_PARTS": [],
    }
    found = DateDataParser(languages=["fr", "en"], settings=settings).get_date_data(words)
    if found is None or found.date_obj is None:
        return None
    day = found.date_obj.date()
    span = _unit_around(day, found.period) if found.period in ("month", "year") else _one_day(day)
    return span if day.year in _YEARS else None


def _one_day(day: date) -> Span:
    return Span(start=day, end=day + timedelta(days=1))


def _month(month: int, year: int) -> Span:
    return _unit_around(date(year, month, 1), "month")


def _year(digits: str | None) -> int | None:
    return None if digits is None else int(digits) + (2000 if len(digits) == 2 else 0)


def _day(day: int, month: int, year: int | None, today: Today) -> Span:
    """That day; without a year, the last one that has begun (29/02: of the last leap year)."""
    if year is not None:
        return _one_day(date(year, month, day))
    for back in range(9):
        try:
            found = date(today.day.year - back, month, day)
        except ValueError:
            continue
        if found <= today.day:
            return _one_day(found)
    raise ValueError("no such day")


def _unit_around(day: date, unit: str) -> Span:
    """The day, week (from Monday), month or year in which `day` lies."""
    if unit == "week":
        start = day - timedelta(days=day.weekday())
        return Span(start=start, end=start + timedelta(days=7))
    if unit == "month":
        start = day.replace(day=1)
        return Span(start=start, end=(start + timedelta(days=31)).replace(day=1))
    if unit == "year":
        return Span(start=date(day.year, 1, 1), end=date(day.year + 1, 1, 1))
    return _one_day(day)


def _back(day: date, count: int, unit: str) -> date:
    """`count` units before `day`; the last day of a shorter month."""
    if unit in ("day", "week"):
        return day - timedelta(days=count * (7 if unit == "week" else 1))
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    last = _month(month + 1, year).end - timedelta(days=1)
    return last.replace(day=min(day.day, last.day))
