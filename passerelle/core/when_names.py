"""Weekdays, months, ordinals and units by their names, in French and in English. Pure."""

from passerelle.core.search_dates import MONTHS, UNITS, WEEKDAYS
from passerelle.core.when_tokens import Line, Phrases

_SHORT_WEEKDAYS = {name: number for name, number in WEEKDAYS.items() if len(name) == 3} | {
    "mar": 1, "mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6,
}  # fmt: skip
_WEEKDAYS = {name: number for name, number in WEEKDAYS.items() if len(name) > 3}
_PLURAL_WEEKDAYS = {f"{name}s": number for name, number in _WEEKDAYS.items()}
#: What a point may end.
_SHORT_MONTHS = {
    name for name in MONTHS if name not in ("mars", "mai", "may", "juin", "june", "july") and len(name) < 5
}
#: « mars 12 » is no date in French.
_ENGLISH_MONTHS = {
    "january", "jan", "february", "feb", "march", "april", "apr", "may", "june", "jun", "july", "jul", "august", "aug",
    "september", "sep", "october", "oct", "november", "nov", "december", "dec",
}  # fmt: skip
SUFFIXES = {"er", "ers", "re", "res", "ere", "eres", "e", "es", "eme", "emes", "nd", "nde", "st", "rd", "th"}
_ORDINALS = Phrases({
    "premier": 1, "premiers": 1, "premiere": 1, "first": 1,
    "seconde": 2, "derniere": -1, "deuxieme": 2, "deuxiemes": 2, "second": 2, "seconds": 2,
    "troisieme": 3, "troisiemes": 3, "third": 3, "quatrieme": 4, "quatriemes": 4, "fourth": 4,
    "cinquieme": 5, "cinquiemes": 5, "fifth": 5, "dernier": -1, "derniers": -1, "last": -1,
    "avant-dernier": -2, "avant-derniers": -2,
})  # fmt: skip


def read_weekday_name(line: Line, place: int) -> tuple[int, int] | None:
    """A weekday in full; cut short, it needs its point or a number behind it (`jeu. 12/11`, `sam 14h`)."""
    word = line.word(place)
    if word in _WEEKDAYS:
        return _WEEKDAYS[word], place + 1
    if word not in _SHORT_WEEKDAYS:
        return None
    if line.word(place + 1) == "." and line.is_glued(place + 1):
        return _SHORT_WEEKDAYS[word], place + 2
    if word != "mon" and line.digits(place + 1) is not None:
        return _SHORT_WEEKDAYS[word], place + 1
    return None


def is_short_weekday(line: Line, place: int) -> bool:
    return line.word(place) in _SHORT_WEEKDAYS


def read_plural_weekday(line: Line, place: int) -> tuple[int, int] | None:
    word = line.word(place)
    return (_PLURAL_WEEKDAYS[word], place + 1) if word in _PLURAL_WEEKDAYS else None


def read_month_name(line: Line, place: int) -> tuple[int, int] | None:
    word = line.word(place)
    if word not in MONTHS:
        return None
    cut = word in _SHORT_MONTHS and line.word(place + 1) == "." and line.is_glued(place + 1)
    return MONTHS[word], place + (2 if cut else 1)


def read_english_month_name(line: Line, place: int) -> tuple[int, int] | None:
    return read_month_name(line, place) if line.word(place) in _ENGLISH_MONTHS else None


def read_ordinal(line: Line, place: int) -> tuple[int, int] | None:
    """« premier », « 2e », « dernier » (-1), « avant-dernier » (-2), `third`."""
    number = line.digits(place)
    if number is not None:
        right = 1 <= number <= 5 and line.is_glued(place + 1) and line.word(place + 1) in SUFFIXES
        return (number, place + 2) if right else None
    return _ORDINALS.read(line, place)


def read_year(line: Line, place: int) -> tuple[int, int] | None:
    number = line.digits(place)
    return None if number is None or not 1900 <= number < 2200 else (number, place + 1)


def unit_of(line: Line, place: int) -> str | None:
    """`day`, `week`, `month` or `year`."""
    return UNITS.get(line.word(place))
