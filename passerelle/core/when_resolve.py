"""The days and hours that what was said means, for somebody who says it now. Pure."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from passerelle.core.recurrence_rule import RecurrenceRule, build_rrule, list_walls
from passerelle.core.when_clock import DAY_MINUTES
from passerelle.core.when_days import Asked, Calendar, DaySpec, Edge, Holiday, Nth, Stretch, Weekday, clock_of
from passerelle.core.when_model import When
from passerelle.core.when_rules import Recurring
from passerelle.core.when_said import Said
from passerelle.errors import WhenProblem

#: An end that stands before its beginning is the next day's only from the evening into the night.
_EVENING = 17 * 60
_NIGHT_ENDS = 9 * 60
_MOST_CANDIDATES = 14


@dataclass(frozen=True, kw_only=True, slots=True)
class _Point:
    """A stretch of days with its hours."""

    first: date
    last: date | None
    #: Minutes from the beginning of the first and of the last day.
    begins: int | None
    ends: int | None


def resolve(said: Said, *, now: datetime, zone: ZoneInfo, text: str) -> tuple[When, ...]:
    """What `said` may mean: one where it is clear, several where each of them may be meant, in their order.

    Raises:
        WhenProblem: there is no such day (`unknown`), it is over (`past`), or it has to be asked which day of a long
            period is meant (`ambiguous`, without candidates).
    """
    found: list[When] = []
    try:
        for one in _alternatives(said):
            found += _whens(one, now=now, zone=zone)
    except (ValueError, OverflowError):  # beyond the end of the calendar
        raise WhenProblem("unknown") from None
    return tuple(dict.fromkeys(replace(when, text=text) for when in found))[:_MOST_CANDIDATES]


def _alternatives(said: Said) -> tuple[Said, ...]:
    """« 18h ou 19h »: as if each had been said."""
    if said.clock is None or said.clock.other is None:
        return (said,)
    first = replace(said.clock, other=None)
    return replace(said, clock=first), replace(said, clock=replace(first, begins=said.clock.other))


def _whens(said: Said, *, now: datetime, zone: ZoneInfo) -> list[When]:
    asked = Asked(
        now=now.astimezone(UTC),
        zone=zone,
        base=now.astimezone(zone).date(),
        minutes=said.clock.begins if said.clock else None,
        part=said.part,
    )
    if said.later is not None:
        return [_later(said.later, asked)]
    if said.rule is not None:
        return [_recurring(said, said.rule, asked)]
    found = [_when(point, said) for point in _points(said, asked)]
    right = [when for when in found if _ends_behind_beginning(when)]
    if not right:
        raise WhenProblem("unknown")
    return right


def _ends_behind_beginning(when: When) -> bool:
    if when.until_day is None or when.until_day > when.day:
        return True
    return when.until_day == when.day and (not when.until_time or not when.time or when.until_time > when.time)


def _later(ahead: timedelta, asked: Asked) -> When:
    """To the minute, and not sooner than was said."""
    instant = asked.now + ahead
    if instant.second or instant.microsecond:
        instant = instant.replace(second=0, microsecond=0) + timedelta(minutes=1)
    local = instant.astimezone(asked.zone)
    return When(day=local.date(), time=local.time().replace(fold=local.fold))


def _points(said: Said, asked: Asked) -> list[_Point]:
    if said.day is None:
        begins = asked.minutes or 0
        over = asked.moment(asked.today, begins) <= asked.now
        days: tuple[Stretch, ...] = ((asked.today + timedelta(days=1 if over else 0), None),)
    else:
        days = said.day.stretches(asked)
    points = [point for first, last in days for point in _ended(first, last, said, asked)]
    if not points:
        raise WhenProblem("unknown")
    return points


def _ended(first: date, last: date | None, said: Said, asked: Asked) -> list[_Point]:
    """That stretch with the end that was said, once for each day that it may mean."""
    begins = asked.minutes
    if said.until_day is not None:
        if said.day is not None and _is_running(said.day, said.until_day, first, asked):
            raise WhenProblem("past")
        ends = said.until_clock if said.until_clock is not None else said.clock.ends if said.clock else None
        lasts = _ends(said.until_day, first, asked)
        days = [last or day for day, last in lasts]
        return [_Point(first=first, last=day, begins=begins, ends=ends) for day in days if day >= first]
    if said.clock is None or said.clock.ends is None:
        return [_Point(first=first, last=last, begins=begins, ends=None)]
    ends = said.clock.ends
    if begins is not None and ends <= begins:
        if begins < _EVENING or ends > _NIGHT_ENDS:
            return []
        ends += DAY_MINUTES
    return [_Point(first=first, last=last or first, begins=begins, ends=ends)]


def _ends(until: DaySpec, first: date, asked: Asked) -> tuple[Stretch, ...]:
    """The days that `until` may mean for what begins on `first`."""
    try:
        return until.stretches(replace(asked, base=first, minutes=None, part=""))
    except WhenProblem as problem:
        # An end before the beginning is no end, rather than one that is over.
        raise WhenProblem("unknown" if problem.kind == "past" else problem.kind) from None


def _is_running(starts: DaySpec, ends: DaySpec, first: date, asked: Asked) -> bool:
    """« du 1er au 15 novembre », said on the 10th, is not next year's, though its first day to come is."""
    if not _is_of_any_year(starts) or not _is_of_any_year(ends):
        return False
    return ends.stretches(replace(asked, minutes=None, part=""))[0][0] < first


def _is_of_any_year(day: DaySpec) -> bool:
    return isinstance(day, Calendar | Edge) and day.month is not None and day.year is None


def _when(point: _Point, said: Said) -> When:
    day, begins = (point.first, None) if point.begins is None else clock_of(point.first, point.begins)
    until_day, until = (point.last, None)
    if point.last is not None and point.ends is not None:
        until_day, until = clock_of(point.last, point.ends)
    return When(
        day=day,
        time=begins,
        until_day=until_day,
        until_time=until,
        part=said.part if begins is None else "",
    )


def _recurring(said: Said, rule: Recurring, asked: Asked) -> When:
    """The first day of a recurrence, and its rule."""
    starts = said.starts
    rule = _completed(rule, said.nths) if said.nths else rule
    if said.day is not None:
        completed = _with_day(rule, said.day)
        if completed is not None:
            rule = completed
        elif starts is None and _may_start(rule, said.day):  # « à partir du 5 mars, tous les jeudis »
            starts = said.day
        else:
            raise WhenProblem("unknown")
    begin = asked.today
    if starts is not None:
        begin = _only(starts, replace(asked, minutes=None, part=""))
        if said.until_day is not None and _is_running(starts, said.until_day, begin, asked):
            begin = asked.today
    first = _first_day(rule, begin, asked)
    recurrence = replace(_rule_of(rule), count=said.count, until=_last_moment(said, first, asked))
    when = _when(_occurrence(first, said, asked), said)
    # What is said to begin at midnight begins on the day after the one that the rule names.
    if when.day != first and rule.freq != "DAILY":
        raise WhenProblem("unknown")
    return replace(when, rrule=build_rrule(recurrence))


def _occurrence(first: date, said: Said, asked: Asked) -> _Point:
    points = _ended(first, None, replace(said, until_day=None), asked)
    if not points:
        raise WhenProblem("unknown")
    return points[0]


def _only(spec: DaySpec, asked: Asked) -> date:
    days = spec.stretches(asked)
    if len(days) != 1:
        raise WhenProblem("ambiguous")
    return days[0][0]


def _completed(rule: Recurring, nths: Recurring) -> Recurring:
    """« tous les mois le premier lundi »."""
    if rule.freq != "MONTHLY" or rule.by_day or rule.month_days:
        raise WhenProblem("unknown")
    return replace(rule, by_day=nths.by_day, month_days=nths.month_days)


def _with_day(rule: Recurring, day: DaySpec) -> Recurring | None:
    """`rule` on that day of its week, month or year; None where the day says nothing of the kind."""
    if rule.by_day or rule.month_days:
        return None
    match rule.freq, day:
        case "WEEKLY", Weekday(which="coming", weeks=0, weekday=weekday):
            return replace(rule, by_day=((0, weekday),))
        case "MONTHLY", Calendar(month=None, weekday=None, day=number):
            return replace(rule, month_days=(number,))
        case "MONTHLY", Nth(month=None, which=which, weekday=weekday):
            return _nth_of(rule, which, weekday)
        case "MONTHLY", Edge(of="month", month=None, edge=("start" | "end") as edge):
            return replace(rule, month_days=(1 if edge == "start" else -1,))
        case "YEARLY", Calendar(month=int() as month, weekday=None, year=None, day=number):
            return replace(rule, month=month, month_days=(number,))
        case "YEARLY", Nth(month=int() as month, year=None, which=which, weekday=weekday):
            return replace(_nth_of(rule, which, weekday), month=month)
        case "YEARLY", Edge(of="month", month=int() as month, year=None, edge=("start" | "end") as edge):
            return replace(rule, month=month, month_days=(1 if edge == "start" else -1,))
        case "YEARLY", Holiday(day_of=day_of, year=None):
            days = {day_of(year).replace(year=2000) for year in (2025, 2026, 2027)}
            fixed = days.pop()
            return None if days else replace(rule, month=fixed.month, month_days=(fixed.day,))
    return None


def _nth_of(rule: Recurring, which: int, weekday: int | None) -> Recurring:
    if weekday is None:
        return replace(rule, month_days=(which,))
    return replace(rule, by_day=((which, weekday),))


def _may_start(rule: Recurring, day: DaySpec) -> bool:
    """« tous les jours à partir de demain »; « tous les mois le mardi » says nothing clear."""
    return rule.freq == "DAILY" or (isinstance(day, Calendar) and day.month is not None and rule.freq != "YEARLY")


def _rule_of(rule: Recurring) -> RecurrenceRule:
    by: dict[str, tuple[int, ...]] = {} if rule.month is None else {"BYMONTH": (rule.month,)}
    if rule.month_days:
        by["BYMONTHDAY"] = rule.month_days
    return RecurrenceRule(freq=rule.freq, interval=rule.interval, by_day=rule.by_day, by=by)


def _first_day(rule: Recurring, begin: date, asked: Asked) -> date:
    """The first day on or after `begin` that fits and is not over; every other week counts from there."""
    starts = datetime.combine(begin, time.min)
    walls = list_walls(replace(_rule_of(rule), interval=1), starts, near=starts, bound=starts)
    for wall in walls:
        if not asked.is_over(wall.date()):
            return wall.date()
    raise WhenProblem("unknown")


def _last_moment(said: Said, first: date, asked: Asked) -> datetime | None:
    """UNTIL: the end of the last day, an instant, as RFC 5545 §3.3.10 asks of what has a zone."""
    if said.until_day is not None:
        lasts = _ends(said.until_day, first, asked)
        if len(lasts) != 1:
            raise WhenProblem("ambiguous")
        last = lasts[0][0]
    elif said.lasting is not None:
        last = _only(said.lasting, replace(asked, now=asked.moment(first, 720), minutes=None, part=""))
        last -= timedelta(days=1)
    else:
        return None
    return asked.moment(last, DAY_MINUTES) - timedelta(seconds=1)
