"""Days that are said by their number: « le 15 », « 12/11 », « jeudi 12 novembre », « March 1st ». Pure."""

from dataclasses import replace

from passerelle.core.when_clock import read_clock
from passerelle.core.when_days import Calendar
from passerelle.core.when_names import (
    SUFFIXES,
    read_english_month_name,
    read_month_name,
    read_weekday_name,
    read_year,
)
from passerelle.core.when_tokens import Line, Phrases, phrases_of

_ARTICLES = phrases_of("le", "the", "on the", "on")
_BEFORE_DAY = {"le", "au", "du", "the"}
_OF_MONTH = Phrases({
    "du mois prochain": 1, "du mois qui vient": 1, "of next month": 1, "next month": 1,
    "du mois": 0, "de ce mois": 0, "de ce mois-ci": 0, "courant": 0, "du mois courant": 0, "du mois en cours": 0,
    "of the month": 0, "of this month": 0,
})  # fmt: skip
_NEXT = {"prochain", "prochaine", "prochains"}
#: The others are single words.
_SAID_DAYS = Phrases({
    "premier": 1, "first": 1, "vingt-et-un": 21, "vingt et un": 21, "vingt-deux": 22, "vingt-trois": 23,
    "vingt-quatre": 24, "vingt-cinq": 25, "vingt-six": 26, "vingt-sept": 27, "vingt-huit": 28, "vingt-neuf": 29,
    "dix-sept": 17, "dix-huit": 18, "dix-neuf": 19, "trente-et-un": 31, "trente et un": 31,
})  # fmt: skip
_OVER = {"dernier", "passe"}
#: Other words behind « le 15 » say that it is no day: « jeudi 12 personnes viennent », « le 3 pièces ».
_BEHIND_NUMBER = {
    "a", "au", "pour", "et", "ou", "avec", "chez", "dans", "sans", "afin", "puis", "mais", "car", "vers", "des",
    "jusqu", "matin", "soir", "apres", "midi", "minuit", "prochain", "at", "from", "to", "for", "and", "or", "with",
    "until", "tous", "toutes", "chaque", "every", "on", "il", "elle", "nous", "vous", "ils", "elles", "je", "le", "in",
}  # fmt: skip
_NO_SIGNS_BEHIND = {"%", "€", "$", "°", "/", "+", "="}


def read_calendar(line: Line, place: int, *, bare: bool = False) -> tuple[Calendar, int] | None:
    """A day by its number.

    Args:
        bare: A number alone may be one, because it stands in « du 3 au 5 mars ».
    """
    start = place + 1 if line.word(place) in ("le", "ce", "cet", "the", "this", "on") else place
    named = read_weekday_name(line, start)
    weekday = None if named is None else named[0]
    if named is None and line.word(place) in ("ce", "cet", "this"):
        return None
    number_at = place if named is None else _behind_weekday(line, named[1])
    article = _ARTICLES.end(line, number_at)
    if article is not None:
        number_at = article
    may_be_bare = bare or weekday is not None or line.word(number_at - 1) in _BEFORE_DAY
    for reading in (_year_first, _digits, _worded, _month_first):
        found = reading(line, number_at)
        if found is not None:
            return replace(found[0], weekday=weekday), found[1]
    alone = _alone(line, number_at) if may_be_bare else None
    return None if alone is None else (replace(alone[0], weekday=weekday), alone[1])


def _behind_weekday(line: Line, place: int) -> int:
    """« jeudi prochain, le 12 novembre »."""
    if line.word(place) in _NEXT:
        place += 1
    return place + 1 if line.word(place) == "," else place


def _is_part_of_more(line: Line, place: int) -> bool:
    """Whether letters or digits go on at `place`: telephone numbers, versions, addresses of the web."""
    if not line.is_glued(place):
        return False
    word = line.word(place)
    if word in ("/", ".", "-", ":", "_", "@"):
        return line.is_glued(place + 1) and line.word(place + 1).isalnum()
    return word.isalnum()


def _year_first(line: Line, place: int) -> tuple[Calendar, int] | None:
    """2026-11-12"""
    separator = line.word(place + 1)
    if separator not in ("-", "/", ".") or line.word(place + 3) != separator:
        return None
    if len(line.word(place)) != 4 or not all(line.is_glued(place + ahead) for ahead in (1, 2, 3, 4)):
        return None
    return _made(line, place + 5, day=line.digits(place + 4), month=line.digits(place + 2), year=line.digits(place))


def _digits(line: Line, place: int) -> tuple[Calendar, int] | None:
    """12/11, 12/11/2026, 12.11.26. The day stands first, as in France."""
    separator = line.word(place + 1)
    if separator not in ("/", ".", "-") or not (line.is_glued(place + 1) and line.is_glued(place + 2)):
        return None
    day, month = line.digits(place), line.digits(place + 2)
    if len(line.word(place)) > 2 or len(line.word(place + 2)) > 2:
        return None
    year_at = place + 4
    if line.word(place + 3) == separator and line.is_glued(place + 3) and line.is_glued(year_at):
        year = line.digits(year_at)
        if year is None or len(line.word(year_at)) not in (2, 4):
            return None
        return _made(line, place + 5, day=day, month=month, year=year + 2000 if year < 100 else year)
    if separator == "-" or (separator == "." and len(line.word(place + 2)) != 2):
        return None
    return _made(line, place + 3, day=day, month=month, year=None)


def _made(line: Line, end: int, *, day: int | None, month: int | None, year: int | None) -> tuple[Calendar, int] | None:
    if day is None or month is None or not 1 <= day <= 31 or not 1 <= month <= 12 or _is_part_of_more(line, end):
        return None
    return Calendar(day=day, month=month, year=year, doubtful=year is None), end


def _number(line: Line, place: int) -> tuple[int, int] | None:
    """« 1er », « 15 », « quinze »."""
    word = line.word(place)
    said = _SAID_DAYS.read(line, place)
    if said is not None:
        return said
    number = line.number(place)
    if (
        number is None
        or not 1 <= number <= 31
        or (number == 1 and not word.isdigit())
        or (len(word) > 2 and word.isdigit())
    ):
        return None
    with_suffix = word.isdigit() and line.is_glued(place + 1) and line.word(place + 1) in SUFFIXES
    return number, place + (2 if with_suffix else 1)


def _worded(line: Line, place: int) -> tuple[Calendar, int] | None:
    """1er mars, 12 nov. 2026, 1st of March."""
    number = _number(line, place)
    if number is None:
        return None
    month_at = number[1] + 1 if line.word(number[1]) in ("de", "of") else number[1]
    month = read_month_name(line, month_at)
    if month is None:
        return None
    year = read_year(line, month[1] + 1 if line.word(month[1]) == "," else month[1])
    end = year[1] if year else month[1]
    over = line.word(end) in _OVER
    if over or line.word(end) in _NEXT:
        end += 1
    return Calendar(day=number[0], month=month[0], year=year[0] if year else None, over=over), end


def _month_first(line: Line, place: int) -> tuple[Calendar, int] | None:
    """March 1st, November 12, 2026."""
    month = read_english_month_name(line, place)
    number = None if month is None or line.digits(month[1]) is None else _number(line, month[1])
    if month is None or number is None or _is_part_of_more(line, number[1]):
        return None
    year = read_year(line, number[1] + 1 if line.word(number[1]) == "," else number[1])
    with_suffix = number[1] - month[1] == 2
    found = Calendar(day=number[0], month=month[0], year=year[0] if year else None, doubtful=not (year or with_suffix))
    return found, year[1] if year else number[1]


def _alone(line: Line, place: int) -> tuple[Calendar, int] | None:
    """« le 15 », « le 15 du mois prochain », « le 15 prochain »."""
    number = _number(line, place) if line.digits(place) is not None else None
    if number is None or _is_part_of_more(line, number[1]) or read_clock(line, place) is not None:
        return None
    of_month = _OF_MONTH.read(line, number[1])
    if of_month is not None:
        return Calendar(day=number[0], months_ahead=of_month[0]), of_month[1]
    if not _may_end(line, number[1]):
        return None
    strictly = line.word(number[1]) in _NEXT
    return Calendar(day=number[0], strictly=strictly), number[1] + (1 if strictly else 0)


def _may_end(line: Line, place: int) -> bool:
    """Whether a number that stands before `place` may be a day."""
    word = line.word(place)
    if word == "de" or word.isdigit():  # « le 15 de 14h à 16h », « le 15 18h30 »
        return read_clock(line, place) is not None
    return word in _BEHIND_NUMBER if word.isalpha() else word not in _NO_SIGNS_BEHIND
