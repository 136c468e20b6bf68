"""What recurs, as it is said: « chaque jeudi », « tous les premiers lundis du mois », « un mardi sur deux ». Pure."""

from dataclasses import dataclass, replace

from passerelle.core.recurrence_rule import Frequency
from passerelle.core.when_calendar import read_calendar
from passerelle.core.when_clock import PARTS
from passerelle.core.when_model import PartOfDay
from passerelle.core.when_names import (
    read_month_name,
    read_ordinal,
    read_plural_weekday,
    read_weekday_name,
    unit_of,
)
from passerelle.core.when_tokens import Line, Phrases, phrases_of, remembered

#: (which one, weekday), as in `RecurrenceRule.by_day`.
_Nths = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Recurring:
    """How often. What is missing (the weekday of « tous les quinze jours ») may be said elsewhere in the sentence."""

    freq: Frequency
    interval: int = 1
    by_day: tuple[tuple[int, int], ...] = ()
    month_days: tuple[int, ...] = ()
    month: int | None = None
    #: « tous les soirs »
    part: PartOfDay = ""


ReadRule = tuple[Recurring, int] | None

_EVERY = phrases_of("chaque", "tous les", "toutes les", "every", "each")
#: « every second Tuesday » is every other one; « chaque second mardi » is that of each month.
_OTHER = Phrases({"every other": 2, "every second": 2})
_WORKING_DAYS = phrases_of(
    "jours de la semaine", "jours ouvres", "jours ouvrables", "jours du lundi au vendredi", "weekday", "jour ouvre",
    "jour de la semaine", "weekdays",
)  # fmt: skip
_WEEK_ENDS = phrases_of("week-end", "week-ends", "weekend", "weekends")
_OF_MONTH = phrases_of(
    "du mois", "de chaque mois", "de tous les mois", "of the month", "of every month", "of each month", "dans le mois"
)
_OF_EACH_MONTH = phrases_of(
    "de chaque mois", "de tous les mois", "of every month", "of each month", "every month", "each month"
)
_OF_EACH_YEAR = phrases_of(
    "de chaque annee", "de tous les ans", "of every year", "of each year", "every year", "each year"
)
_MONTH_ENDS = Phrases({"fin de mois": -1, "fins de mois": -1, "debut de mois": 1, "debuts de mois": 1})
_ONE = {"un", "une", "1", "one"}
_OUT_OF = phrases_of("sur", "out of", "in")
_MORE_UNITS = {"trimestre": 3, "trimestres": 3, "quarter": 3, "semestre": 6, "semestres": 6}
#: « le 1er, le 2e … lundi »
_MOST_PLACES = 5
#: « tous les quinze jours » is every other week.
_FRENCH_DAYS = {8: 7, 15: 14}


@remembered
def read_rule(line: Line, place: int) -> ReadRule:
    """The longest recurrence that is said at `place`."""
    best: ReadRule = None
    for reading in (_every, _these, _once_a, _one_out_of, _each_month, _each_year):
        found = reading(line, place)
        if found is not None and (best is None or found[1] > best[1]):
            best = found
    return best


def _every(line: Line, place: int) -> ReadRule:
    start = _EVERY.end(line, place)
    if start is None:
        return None
    interval, counted = _OTHER.read(line, place) or (1, start)
    number = line.number(start)
    if number is not None and 0 < number <= 100:
        interval, counted = number, start + 1
    best: ReadRule = None
    candidates = (
        _weekly(line, counted, interval),
        _nths_of_month(line, start),
        _monthly(line, start),
        _yearly(line, start),
        _units(line, counted, interval),
        _parts(line, start),
    )
    for found in candidates:
        if found is not None and (best is None or found[1] > best[1]):
            best = found
    return best


def _these(line: Line, place: int) -> ReadRule:
    """« les jeudis », « les premiers lundis du mois », `Mondays`: in the plural it recurs."""
    start = place + 1 if line.word(place) in ("les", "on", "the") else place
    if read_plural_weekday(line, start) is not None:
        return _weekly(line, start, 1)
    ordinal = read_ordinal(line, start)
    if ordinal is None or not line.word(ordinal[1] - 1).endswith("s"):
        return None
    return _nths_of_month(line, start)


def _weekday(line: Line, place: int) -> tuple[int, int] | None:
    return read_plural_weekday(line, place) or read_weekday_name(line, place)


def _weekdays(line: Line, place: int) -> tuple[tuple[int, ...], int] | None:
    """« lundis, mercredis et vendredis », « mardi et chaque jeudi »."""
    found = _weekday(line, place)
    if found is None:
        return None
    days, end = [found[0]], found[1]
    while len(days) < 7 and line.word(end) in (",", "et", "and", "&"):
        following = _EVERY.end(line, end + 1) or end + 1
        if line.word(following) in ("le", "les"):
            following += 1
        found = _weekday(line, following)
        if found is None:
            break
        days.append(found[0])
        end = found[1]
    return tuple(sorted(set(days))), end


def _weekly(line: Line, place: int, interval: int) -> ReadRule:
    working = _WORKING_DAYS.end(line, place)
    if working is not None:
        return Recurring(freq="WEEKLY", by_day=_every_one(tuple(range(5)))), working
    week_end = _WEEK_ENDS.end(line, place)
    if week_end is not None:
        return Recurring(freq="WEEKLY", by_day=_every_one((5, 6)), interval=interval), week_end
    found = _weekdays(line, place)
    return (
        None if found is None else (Recurring(freq="WEEKLY", by_day=_every_one(found[0]), interval=interval), found[1])
    )


def _every_one(weekdays: tuple[int, ...]) -> _Nths:
    return tuple((0, weekday) for weekday in weekdays)


def _units(line: Line, place: int, interval: int) -> ReadRule:
    """« chaque semaine », « tous les 15 jours », « toutes les deux semaines », « tous les ans »."""
    unit = unit_of(line, place)
    end = place + 1
    if line.word(place) in _MORE_UNITS:
        return Recurring(freq="MONTHLY", interval=_MORE_UNITS[line.word(place)] * interval), end
    if unit == "day":
        days = _FRENCH_DAYS.get(interval, interval) if line.word(place).startswith("jour") else interval
        if days % 7 == 0:
            return Recurring(freq="WEEKLY", interval=days // 7), end
        return Recurring(freq="DAILY", interval=days), end
    if unit == "week":
        return Recurring(freq="WEEKLY", interval=interval), end
    if unit == "month":
        return Recurring(freq="MONTHLY", interval=interval), end
    return None if unit is None else (Recurring(freq="YEARLY", interval=interval), end)


def _parts(line: Line, place: int) -> ReadRule:
    """« tous les soirs », « chaque matin »."""
    part = PARTS.read(line, place)
    return None if part is None else (Recurring(freq="DAILY", part=part[0]), part[1])


def read_nths(line: Line, place: int) -> tuple[Recurring, int] | None:
    """« le 1er et le 3e lundi », « deuxièmes et quatrièmes mardis », « le dernier jour », of whatever month."""
    places: list[int] = []
    end = place
    while len(places) < _MOST_PLACES:
        start = end + 1 if line.word(end) in ("le", "la", "les", "the") else end
        ordinal = read_ordinal(line, start)
        if ordinal is None:
            return None
        places.append(ordinal[0])
        end = ordinal[1]
        if line.word(end) not in (",", "et", "and"):
            break
        end += 1
    else:
        return None
    if line.word(end) in ("jour", "jours", "day"):
        return Recurring(freq="MONTHLY", month_days=tuple(places)), end + 1
    weekday = _weekday(line, end)
    if weekday is None:
        return None
    return Recurring(freq="MONTHLY", by_day=tuple((one, weekday[0]) for one in places)), weekday[1]


def _nths_of_month(line: Line, place: int) -> ReadRule:
    """« premiers lundis du mois », « premier samedi de juin », behind « tous les » or « chaque »."""
    found = read_nths(line, place)
    if found is None:
        return None
    spec, end = found
    of_month = _OF_MONTH.end(line, end)
    if of_month is not None:
        return spec, of_month
    month = read_month_name(line, end + 1) if line.word(end) in ("de", "d", "of", "in") else None
    if month is not None:
        return replace(spec, freq="YEARLY", month=month[0]), month[1]
    # « tous les premiers lundis » are those of each month; « chaque dernier jour » needs to say of what.
    return None if spec.month_days else (spec, end)


def _monthly(line: Line, place: int) -> ReadRule:
    """« 5 du mois », « fin de mois », behind « tous les » or « chaque »."""
    edge = _MONTH_ENDS.read(line, place)
    if edge is not None:
        return Recurring(freq="MONTHLY", month_days=(edge[0],)), edge[1]
    day = _month_day(line, place)
    end = None if day is None else _OF_MONTH.end(line, day[1])
    return None if day is None or end is None else (Recurring(freq="MONTHLY", month_days=(day[0],)), end)


def _month_day(line: Line, place: int) -> tuple[int, int] | None:
    number = line.digits(place)
    if number is None or not 1 <= number <= 31:
        return None
    suffixed = line.is_glued(place + 1) and line.word(place + 1) in ("er", "st", "nd", "rd", "th")
    return number, place + (2 if suffixed else 1)


def _yearly(line: Line, place: int) -> ReadRule:
    """« 1er mars », « 14 juillet », behind « tous les » or « chaque »."""
    found = read_calendar(line, place)
    if found is None or found[0].month is None or found[0].year or found[0].weekday is not None:
        return None
    return Recurring(freq="YEARLY", month=found[0].month, month_days=(found[0].day,)), found[1]


_ONCE_A = phrases_of("une fois par", "1 fois par", "once a", "once every")


def _once_a(line: Line, place: int) -> ReadRule:
    """« une fois par mois »"""
    start = _ONCE_A.end(line, place)
    return None if start is None else _units(line, start, 1)


def _one_out_of(line: Line, place: int) -> ReadRule:
    """« un mardi sur deux », « une semaine sur trois »."""
    if line.word(place) not in _ONE:
        return None
    weekday = _weekday(line, place + 1)
    middle = weekday[1] if weekday else place + 2
    after = _OUT_OF.end(line, middle)
    number = None if after is None else line.number(after)
    if after is None or number is None or not 2 <= number <= 100:
        return None
    if weekday is not None:
        return Recurring(freq="WEEKLY", interval=number, by_day=_every_one((weekday[0],))), after + 1
    found = _units(line, place + 1, 1)
    return None if found is None else (replace(found[0], interval=found[0].interval * number), after + 1)


def _each_month(line: Line, place: int) -> ReadRule:
    """« le 1er lundi de chaque mois », « le 5 et le 20 de chaque mois », « le dernier jour de chaque mois »."""
    found = read_nths(line, place) or _month_days(line, place)
    end = None if found is None else _OF_EACH_MONTH.end(line, found[1])
    return None if found is None or end is None else (found[0], end)


def _month_days(line: Line, place: int) -> ReadRule:
    days: list[int] = []
    end = place
    while len(days) < _MOST_PLACES:
        start = end + 1 if line.word(end) in ("le", "the") else end
        day = _month_day(line, start)
        if day is None or (start == end and not days):
            return None
        days.append(day[0])
        end = day[1]
        if line.word(end) not in (",", "et", "and"):
            return Recurring(freq="MONTHLY", month_days=tuple(sorted(set(days)))), end
        end += 1
    return None


def _each_year(line: Line, place: int) -> ReadRule:
    """« le 1er mars de chaque année »."""
    start = place + 1 if line.word(place) in ("le", "the") else place
    found = _yearly(line, start)
    end = None if found is None else _OF_EACH_YEAR.end(line, found[1])
    return None if found is None or end is None else (found[0], end)
