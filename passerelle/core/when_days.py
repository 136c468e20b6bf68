"""Which day is meant: each way to say one, and the days it may mean for somebody who says it today. Pure.

Each value has `stretches(asked)`: one stretch of days where it is clear; several where it may mean each of them, in
their order. It raises `WhenProblem` where there is no such day (`unknown`), where it is over (`past`), or where it is a
period that has too many days to choose from (`ambiguous`, without candidates).
"""

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from passerelle.core.when_clock import DAY_MINUTES, PART_ENDS
from passerelle.core.when_model import PartOfDay
from passerelle.errors import WhenProblem

YEARS = range(1900, 2200)
#: The last leap years are eight years apart.
_LEAP_YEARS = 9

#: The first day, and the last where it is several.
Stretch = tuple[date, date | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """When somebody says it, and which hour they say with it."""

    now: datetime
    zone: ZoneInfo
    #: No day before it is meant: today, or the day on which what is to end begins.
    base: date
    #: From the beginning of the day; None where no hour is said.
    minutes: int | None = None
    part: PartOfDay = ""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def is_over(self, day: date) -> bool:
        """Whether that hour of `day` is over."""
        if day != self.today:
            return day < self.today
        if self.minutes is None and not self.part:
            return False
        minutes = PART_ENDS[self.part] if self.minutes is None and self.part else self.minutes or 0
        return self.moment(day, minutes) <= self.now.astimezone(UTC)

    def moment(self, day: date, minutes: int) -> datetime:
        day, clock = clock_of(day, minutes)
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)


def clock_of(day: date, minutes: int) -> tuple[date, time]:
    """The day and time at which so many minutes of `day` are over; the end of a day is the beginning of the next."""
    ahead, minutes = divmod(minutes, DAY_MINUTES)
    return day + timedelta(days=ahead), time(minutes // 60, minutes % 60)


class DaySpec(Protocol):
    def stretches(self, asked: Asked) -> tuple[Stretch, ...]: ...


def single(*days: date) -> tuple[Stretch, ...]:
    return tuple((day, None) for day in sorted(set(days)))


def to_come(day: date, asked: Asked) -> tuple[Stretch, ...]:
    if day < asked.base or asked.is_over(day):
        raise WhenProblem("past")
    return single(day)


def left(days: Iterable[date], asked: Asked) -> tuple[Stretch, ...]:
    """Those of `days` that are to come."""
    left = [day for day in days if day >= asked.base and not asked.is_over(day)]
    if not left:
        raise WhenProblem("past")
    return single(*left)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """« demain », « dans deux semaines », « dans un mois » (the last day of a shorter month)."""

    days: int = 0
    months: int = 0

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        return to_come(_months_after(asked.today, self.months) + timedelta(days=self.days), asked)


def _months_after(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, _last_of(year, month + 1).day))


def _last_of(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


Which = Literal["coming", "this", "next", "this week", "next week", "over"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weekday:
    #: Monday is 0.
    weekday: int
    which: Which = "coming"
    #: « en huit »: 1; « en quinze »: 2.
    weeks: int = 0
    #: Written `jeu.`, which may end a sentence on a game.
    doubtful: bool = False

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        if self.which == "over":
            raise WhenProblem("past")
        today = asked.today
        if self.which in ("this week", "next week"):
            weeks = 1 if self.which == "next week" else 0
            return to_come(today + timedelta(days=7 * weeks + self.weekday - today.weekday()), asked)
        if self.which == "next" and today.weekday() < self.weekday:
            this_week = today + timedelta(days=self.weekday - today.weekday())
            return left((this_week, this_week + timedelta(days=7)), asked)
        if self.which == "this" and today.weekday() == self.weekday and not asked.is_over(today):
            return to_come(today, asked)
        coming = asked.base + timedelta(days=(self.weekday - asked.base.weekday() - 1) % 7 + 1)
        if self.weeks and asked.base.weekday() == self.weekday:
            return single(coming + timedelta(weeks=self.weeks - 1), coming + timedelta(weeks=self.weeks))
        return single(coming + timedelta(weeks=self.weeks))


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendar:
    """« le 15 », « 12/11 », « jeudi 12 novembre 2026 »."""

    day: int
    month: int | None = None
    year: int | None = None
    weekday: int | None = None
    #: « du mois »: 0, « du mois prochain »: 1.
    months_ahead: int | None = None
    #: « le 15 prochain »: not today.
    strictly: bool = False
    #: « le 12 novembre dernier »
    over: bool = False
    #: Written in digits without a year: « 3/4 » may be three quarters.
    doubtful: bool = False

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        if self.over:
            raise WhenProblem("past")
        if self.months_ahead is not None:
            first = _months_after(asked.today.replace(day=1), self.months_ahead)
            return self._judged(_day_of(first.year, first.month, self.day), asked)
        if self.month is None:
            return self._next_of_any_month(asked)
        if self.year is not None:
            return self._judged(_day_of(self.year, self.month, self.day), asked)
        day = self._of_next_year(self.month, asked)
        return self._agreed(day, asked, before=_maybe(day.year - 1, day.month, day.day))

    def _judged(self, day: date, asked: Asked) -> tuple[Stretch, ...]:
        """A day of which the year is clear."""
        if day < asked.base or asked.is_over(day):
            raise WhenProblem("past")
        return self._agreed(day, asked, before=None)

    def _of_next_year(self, month: int, asked: Asked) -> date:
        for year in range(asked.base.year, asked.base.year + _LEAP_YEARS):
            day = _maybe(year, month, self.day)
            if day is not None and day >= asked.base:
                if asked.is_over(day):  # today, but at an hour that is over: nobody means next year
                    raise WhenProblem("past")
                return day
        raise WhenProblem("unknown")

    def _next_of_any_month(self, asked: Asked) -> tuple[Stretch, ...]:
        month = asked.base.replace(day=1)
        too_late = self.strictly and self.day == asked.base.day
        if self.day < asked.base.day or too_late or (self.day == asked.base.day and asked.is_over(asked.base)):
            month = _months_after(month, 1)
        last = _last_of(month.year, month.month)
        if self.day <= last.day:
            day = month.replace(day=self.day)
            earlier = _months_after(month, -1)
            return self._agreed(day, asked, before=_maybe(earlier.year, earlier.month, self.day))
        following = _months_after(month, 1)
        return single(last, _day_of(following.year, following.month, self.day))

    def _agreed(self, day: date, asked: Asked, *, before: date | None) -> tuple[Stretch, ...]:
        """Both days, where the weekday is that of another; `before` is the last such day that is over."""
        if self.weekday is None or day.weekday() == self.weekday:
            return single(day)
        recently = before is not None and before.weekday() == self.weekday and (asked.base - before).days <= 60
        if recently:
            raise WhenProblem("past")
        off = (self.weekday - day.weekday() + 3) % 7 - 3
        near = day + timedelta(days=off)
        return single(day, near if near >= asked.base and not asked.is_over(near) else near + timedelta(days=7))


def _maybe(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _day_of(year: int, month: int, day: int) -> date:
    found = _maybe(year, month, day)
    if found is None or year not in YEARS:
        raise WhenProblem("unknown")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class Nth:
    """« le premier lundi de décembre », « le dernier jour du mois »."""

    #: -1: the last, -2: the one before it.
    which: int
    #: None: days are counted.
    weekday: int | None
    month: int | None = None
    year: int | None = None
    months_ahead: int | None = None

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        if self.month is not None:
            return _next_of((self._of(year, self.month) for year in _years(self.year, asked)), asked)
        first = _months_after(asked.today.replace(day=1), self.months_ahead or 0)
        if self.months_ahead:
            return to_come(self._of(first.year, first.month), asked)
        following = _months_after(first, 1)
        return _next_of((self._of(first.year, first.month), self._of(following.year, following.month)), asked)

    def _of(self, year: int, month: int) -> date:
        days = [day for day in range(1, _last_of(year, month).day + 1) if self._counts(date(year, month, day))]
        try:
            return date(year, month, days[self.which - 1 if self.which > 0 else self.which])
        except IndexError:
            raise WhenProblem("unknown") from None

    def _counts(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday


def _years(year: int | None, asked: Asked) -> Iterable[int]:
    return (year,) if year is not None else (asked.base.year, asked.base.year + 1)


def _next_of(days: Iterable[date], asked: Asked) -> tuple[Stretch, ...]:
    for day in days:
        if day >= asked.base and not asked.is_over(day):
            return single(day)
    raise WhenProblem("past")


EdgeOf = Literal["start", "middle", "end"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """« fin mars », « début avril », « mi-mai », « la fin du mois », « fin d'année », « la fin de la semaine »."""

    edge: EdgeOf
    of: Literal["week", "month", "year"]
    month: int | None = None
    year: int | None = None
    #: « de la semaine prochaine », « du mois prochain »: 1.
    ahead: int | None = None

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        if self.of == "week":
            return self._of_week(asked)
        if self.month is not None:
            return _next_of((self._of_month(year, self.month) for year in _years(self.year, asked)), asked)
        if self.of == "year":
            years = (asked.base.year + (self.ahead or 0),) if self.ahead else _years(self.year, asked)
            return _next_of((self._of_year(year) for year in years), asked)
        first = _months_after(asked.base.replace(day=1), self.ahead or 0)
        months = (first,) if self.ahead else (first, _months_after(first, 1))
        return _next_of((self._of_month(month.year, month.month) for month in months), asked)

    def _of_month(self, year: int, month: int) -> date:
        if self.edge == "end":
            return _last_of(year, month)
        return date(year, month, 1 if self.edge == "start" else 15)

    def _of_year(self, year: int) -> date:
        if self.edge == "middle":
            raise WhenProblem("ambiguous")
        return date(year, 1, 1) if self.edge == "start" else date(year, 12, 31)

    def _of_week(self, asked: Asked) -> tuple[Stretch, ...]:
        """A week ends on Friday for some and on Sunday for others."""
        monday = asked.today + timedelta(days=7 * (self.ahead or 0) - asked.today.weekday())
        if self.edge == "end":
            return left((monday + timedelta(days=ahead) for ahead in (4, 6)), asked)
        return to_come(monday + timedelta(days=2 if self.edge == "middle" else 0), asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Holiday:
    day_of: Callable[[int], date]
    year: int | None = None

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        years = (self.year,) if self.year else range(asked.base.year, asked.base.year + 3)
        return _next_of((self.day_of(year) for year in years), asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shifted:
    """« la veille de Noël », « trois jours avant le 12/11 »"""

    day: DaySpec
    days: int

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        days = [day + timedelta(days=self.days) for day, _ in self.day.stretches(replace(asked, minutes=None, part=""))]
        return left(days, asked)
