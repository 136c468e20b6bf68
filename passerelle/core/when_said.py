"""What a text says of when, in whatever order: a day, an hour, an end, how often. Pure; who makes days of it:
`core.when_resolve`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from passerelle.core.when_calendar import read_calendar
from passerelle.core.when_clock import Clock, place_in_part, read_clock, read_part
from passerelle.core.when_day_words import read_count, read_day
from passerelle.core.when_days import Ahead, Calendar, DaySpec, Edge
from passerelle.core.when_model import PartOfDay
from passerelle.core.when_periods import Period, Several
from passerelle.core.when_rules import Recurring, read_nths, read_rule
from passerelle.core.when_tokens import Line, Phrases, phrases_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What was said, as far as it was. Of a recurrence, `day` completes the rule (« tous les 15 jours le mardi »)."""

    day: DaySpec | None = None
    clock: Clock | None = None
    part: PartOfDay = ""
    #: The end of it; of a recurrence, its last day.
    until_day: DaySpec | None = None
    until_clock: int | None = None
    #: « dans trois minutes »
    later: timedelta | None = None
    rule: Recurring | None = None
    #: « le premier lundi », beside « tous les mois »
    nths: Recurring | None = None
    #: Of a recurrence: its first day.
    starts: DaySpec | None = None
    #: Of a recurrence: how many times, or for how long.
    count: int | None = None
    lasting: Ahead | None = None


ReadSaid = tuple[Said, int] | None
_Element = Callable[[Line, int, Said], ReadSaid]

#: What may stand between a day, its hour and how often.
_BETWEEN = phrases_of(
    ",", "a", "at", "vers", "-", "des", "de", "le", ", a", ", le", ", vers", "a partir de", ", a partir de", "on",
    "around",
)  # fmt: skip
#: The longest element that one text can be made of.
_MOST_ELEMENTS = 8


def read_said(line: Line, place: int) -> ReadSaid:
    """All that stands at `place` and says when; None where nothing does."""
    said, end = Said(), place
    for _ in range(_MOST_ELEMENTS):
        found = _next_element(line, end, said, first=end == place)
        if found is None:
            break
        said, end = found
    return None if end == place or not _is_enough(said) else (said, end)


def _is_enough(said: Said) -> bool:
    return said.day is not None or said.clock is not None or said.later is not None or said.rule is not None


def _next_element(line: Line, place: int, said: Said, *, first: bool) -> ReadSaid:
    starts = [place]
    between = None if first else _BETWEEN.end(line, place)
    if between is not None:
        starts.append(between)
    best: ReadSaid = None
    for start in starts:
        for element in _ELEMENTS:
            found = element(line, start, said)
            if found is not None and (best is None or found[1] > best[1]):
                best = found
    return best


def _rule(line: Line, place: int, said: Said) -> ReadSaid:
    found = read_rule(line, place) if said.rule is None else None
    if found is None:
        return None
    said = replace(said, rule=found[0])
    return _with_part(said, found[0].part, found[1]) if found[0].part else (said, found[1])


_IN = phrases_of("dans", "dans les", "d'ici", "sous", "sous les", "in", "within", "in the next")
_SHORT = Phrases({
    "une demi-heure": 30, "une demi heure": 30, "un quart d'heure": 15, "trois quarts d'heure": 45, "half an hour": 30,
    "une heure et demie": 90, "an hour and a half": 90, "une heure": 60, "an hour": 60, "une minute": 1, "a minute": 1,
})  # fmt: skip
_HOURS = {"h", "heure", "heures", "hour", "hours"}
_MINUTES = {"min", "mn", "minute", "minutes"}


def _later(line: Line, place: int, said: Said) -> ReadSaid:
    """« dans trois minutes », « dans 1h30 », « dans deux heures »."""
    start = _IN.end(line, place)
    if start is None or said != Said():
        return None
    short = _SHORT.read(line, start)
    if short is not None:
        return Said(later=timedelta(minutes=short[0])), short[1]
    count = line.number(start)
    unit = line.word(start + 1)
    if count is None or not 0 < count <= 1000:
        return None
    if unit in _MINUTES:
        return Said(later=timedelta(minutes=count)), start + 2
    if unit not in _HOURS:
        return None
    minutes = line.digits(start + 2) if unit == "h" and line.is_glued(start + 2) else None
    if minutes is None or minutes >= 60:
        return Said(later=timedelta(hours=count)), start + 2
    return Said(later=timedelta(hours=count, minutes=minutes)), start + 3


_SPAN_BEGINS = phrases_of(
    "du", "de", "des", "les", "le", "from", "between", "entre", "entre le", "le week-end des", "week-end des"
)
_SPAN_JOINS = phrases_of("au", "a", "jusqu'au", "jusqu'a", "jusqu'en", "to", "until", "-")
_LIST_JOINS = Phrases[Literal["more", "and", "or"]]({
    ",": "more", ", le": "more", "et": "and", "et le": "and", "and": "and", "ou": "or", "ou le": "or", "or": "or",
})  # fmt: skip
_MOST_DAYS = 6


def _span(line: Line, place: int, said: Said) -> ReadSaid:
    """« du 3 au 5 mars », « samedi 14h à dimanche 12h », « samedi 3 et dimanche 4 mars »."""
    if said.day is not None or said.until_day is not None:
        return None
    begins = _SPAN_BEGINS.end(line, place)
    for start in (begins, place):
        if start is None:
            continue
        found = _read_span(line, start, prefixed=start != place) or _read_list(line, start, prefixed=start != place)
        if found is not None:
            return _merged(said, *found)
    return None


def _first_day(line: Line, place: int) -> tuple[DaySpec, int] | None:
    """A day, or the number of one whose month is said with the last."""
    found = read_day(line, place) or read_calendar(line, place, bare=True)
    number = line.digits(place)
    if found is None and number is not None and 1 <= number <= 31:
        return Calendar(day=number), place + 1
    return found


def _read_list(line: Line, place: int, *, prefixed: bool) -> ReadSaid:
    """« samedi 3 et dimanche 4 mars », « le 12, le 13 ou le 14 novembre »"""
    days: list[DaySpec] = []
    end = place
    while len(days) < _MOST_DAYS:
        found = _first_day(line, end)
        if found is None:
            return None
        days.append(found[0])
        join = _LIST_JOINS.read(line, found[1])
        if join is None:
            return None
        end = join[1]
        if join[0] != "more":
            last = read_day(line, end, bare=prefixed)
            if last is None:
                return None
            specs = [_completed(day, last[0]) for day in days] + [last[0]]
            if any(isinstance(day, Calendar) and day.month is None for day in specs) and not prefixed:
                return None
            return Said(day=Several(days=tuple(specs), either=join[0] == "or")), last[1]
    return None


def _read_span(line: Line, place: int, *, prefixed: bool) -> ReadSaid:
    first = _first_day(line, place)
    if first is None:
        return None
    clock = read_clock(line, _BETWEEN.end(line, first[1]) or first[1])
    clock = clock if clock is None or clock[0].ends is None else None
    join = _SPAN_JOINS.end(line, clock[1] if clock else first[1])
    second = None if join is None else read_day(line, join, bare=prefixed)
    if second is None:
        return None
    begin = _completed(first[0], second[0])
    if isinstance(begin, Calendar) and begin.month is None and not prefixed:
        return None
    until = read_clock(line, _BETWEEN.end(line, second[1]) or second[1]) if clock else None
    said = Said(day=begin, until_day=second[0], clock=clock[0] if clock else None)
    return (replace(said, until_clock=until[0].begins), until[1]) if until else (said, second[1])


def _completed(first: DaySpec, second: DaySpec) -> DaySpec:
    """« du 28 au 3 mars »: the first day with the month and year of the second, or those before."""
    if not isinstance(first, Calendar) or not isinstance(second, Calendar) or second.month is None:
        return first
    if first.month is not None:
        earlier = second.year is not None and first.year is None
        if not earlier or second.year is None:
            return first
        over_new_year = (first.month, first.day) > (second.month, second.day)
        return replace(first, year=second.year - (1 if over_new_year else 0))
    if first.day <= second.day:
        return replace(first, month=second.month, year=second.year)
    month = (second.month - 2) % 12 + 1
    year = second.year - 1 if second.year is not None and month == 12 else second.year
    return replace(first, month=month, year=year)


def _merged(said: Said, span: Said, end: int) -> ReadSaid:
    if said.rule is not None:  # « tous les jeudis du 3 mars au 30 juin »
        if span.until_day is None or span.clock is not None or said.starts is not None:
            return None
        return replace(said, starts=_edge_of(span.day, "start"), until_day=_edge_of(span.until_day, "end")), end
    if said.clock is not None and span.clock is not None:
        return None
    clock = span.clock or said.clock
    return replace(said, day=span.day, until_day=span.until_day, clock=clock, until_clock=span.until_clock), end


def _edge_of(day: DaySpec | None, edge: Literal["start", "end"]) -> DaySpec | None:
    """Of what recurs « de septembre à juin », the first and the last day."""
    if isinstance(day, Period) and day.month is not None:
        return Edge(edge=edge, of="month", month=day.month, year=day.year)
    return day


_UNTIL = phrases_of("jusqu'au", "jusqu'a", "jusqu'en", "jusqu'a la", "until", "until the", "till", "jusque")


def _until(line: Line, place: int, said: Said) -> ReadSaid:
    """« jeudi jusqu'à 20h », « chaque mardi jusqu'au 30 juin »."""
    if not _is_enough(said) or said.until_day is not None:
        return None
    start = _UNTIL.end(line, place)
    if start is None:
        return None
    day = read_day(line, start)
    if day is not None:
        return replace(said, until_day=_edge_of(day[0], "end") if said.rule else day[0]), day[1]
    clock = read_clock(line, start)
    if clock is None or clock[0].ends is not None or said.clock is None or said.clock.ends is not None:
        return None
    return replace(said, clock=replace(said.clock, ends=clock[0].begins)), clock[1]


_STARTS = phrases_of(
    "a partir de", "a partir du", "a compter de", "a compter du", "des", "des le", "from", "starting", "starting on",
    "beginning", "depuis le",
)  # fmt: skip


def _starts(line: Line, place: int, said: Said) -> ReadSaid:
    """« tous les jeudis à partir du 5 mars »."""
    start = _STARTS.end(line, place)
    if said.rule is None or said.starts is not None or start is None:
        return None
    day = read_day(line, start)
    return None if day is None else (replace(said, starts=_edge_of(day[0], "start")), day[1])


_TIMES = {"fois", "times"}
_LASTING = phrases_of("pendant", "durant", "for")


def _count(line: Line, place: int, said: Said) -> ReadSaid:
    """« 10 fois », « pendant six semaines »."""
    if said.rule is None or said.count is not None or said.lasting is not None:
        return None
    number = line.number(place)
    if number is not None and 0 < number <= 1000 and line.word(place + 1) in _TIMES:
        return replace(said, count=number), place + 2
    start = _LASTING.end(line, place)
    lasting = None if start is None else read_count(line, start)
    return None if lasting is None else (replace(said, lasting=lasting[0]), lasting[1])


def _nths(line: Line, place: int, said: Said) -> ReadSaid:
    """« tous les mois le premier lundi »."""
    if said.rule is None or said.nths is not None or said.day is not None:
        return None
    found = read_nths(line, place)
    return None if found is None else (replace(said, nths=found[0]), found[1])


_TODAY = Phrases[PartOfDay]({
    "ce matin": "morning", "cet apres-midi": "afternoon", "cet apres midi": "afternoon", "cet aprem": "afternoon",
    "cette apres-midi": "afternoon", "ce soir": "evening", "this morning": "morning", "this afternoon": "afternoon",
    "this evening": "evening", "tonight": "evening",
})  # fmt: skip
_NOON = phrases_of("ce midi")


def _today(line: Line, place: int, said: Said) -> ReadSaid:
    """« ce soir », « ce midi »: a day and a part of it."""
    if said.day is not None or said.part:
        return None
    found = _TODAY.read(line, place)
    if found is not None:
        return _with_part(replace(said, day=Ahead()), found[0], found[1])
    noon = _NOON.end(line, place)
    return None if noon is None or said.clock else (replace(said, day=Ahead(), clock=Clock(begins=720)), noon)


def _day(line: Line, place: int, said: Said) -> ReadSaid:
    found = read_day(line, place) if said.day is None and said.later is None else None
    return None if found is None else (replace(said, day=found[0]), found[1])


def _clock(line: Line, place: int, said: Said) -> ReadSaid:
    if said.clock is not None or said.later is not None:
        return None
    found = read_clock(line, place)
    if found is None:
        return None
    clock = place_in_part(found[0], said.part) if said.part else found[0]
    return None if clock is None else (replace(said, clock=clock), found[1])


def _part(line: Line, place: int, said: Said) -> ReadSaid:
    if said.part or (said.day is None and said.rule is None):
        return None
    found = read_part(line, place)
    return None if found is None else _with_part(said, found[0], found[1])


def _with_part(said: Said, part: PartOfDay, end: int) -> ReadSaid:
    clock = None if said.clock is None else place_in_part(said.clock, part)
    if said.clock is not None and clock is None:
        return None
    return replace(said, part=part, clock=clock), end


_ELEMENTS: tuple[_Element, ...] = (
    _rule, _later, _span, _until, _starts, _count, _nths, _today, _day, _clock, _part,
)  # fmt: skip
