"""Weeks, week-ends, months and several days: what is not yet one day. Pure; as in `core.when_days`."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Literal

from passerelle.core.when_days import Asked, DaySpec, Stretch, left, single
from passerelle.errors import WhenProblem


@dataclass(frozen=True, kw_only=True, slots=True)
class Week:
    """« cette semaine », « la semaine prochaine »: any of its days that are to come."""

    ahead: int

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        return _days_of_week(asked.today + timedelta(days=7 * self.ahead), asked)


def _days_of_week(day: date, asked: Asked) -> tuple[Stretch, ...]:
    monday = day - timedelta(days=day.weekday())
    return left((monday + timedelta(days=ahead) for ahead in range(7)), asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekOf:
    """« la semaine du 16 novembre »"""

    day: DaySpec

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        days = self.day.stretches(asked)
        if len(days) > 1:
            raise WhenProblem("ambiguous")
        return _days_of_week(days[0][0], asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class IsoWeek:
    """« semaine 47 » (ISO 8601)"""

    number: int

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        for year in (asked.base.year, asked.base.year + 1):
            monday = date.fromisocalendar(year, self.number, 1)
            if monday + timedelta(days=6) >= asked.base:
                return _days_of_week(monday, asked)
        raise WhenProblem("unknown")


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """« le mois prochain », « en mars », « cet été »: it is asked which day."""

    month: int | None = None
    year: int | None = None
    #: A month or season by its name, which may be said of what happens then (« le centre ferme en août »).
    doubtful: bool = False

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        raise WhenProblem("ambiguous")


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekEnd:
    """Saturday and Sunday; where an hour is said, one of both."""

    which: Literal["coming", "next", "next week"] = "coming"

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        saturday = asked.today + timedelta(days=5 - asked.today.weekday())
        found = [saturday]
        if self.which == "next week" or (self.which == "next" and saturday <= asked.today):
            found = [saturday + timedelta(days=7)]
        elif self.which == "next":
            found = [saturday, saturday + timedelta(days=7)]
        return _week_ends(found, asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class WeekEndOf:
    """« le week-end du 14 novembre »"""

    day: DaySpec

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        saturdays = [day - timedelta(days=max(day.weekday() - 5, 0)) for day, _ in self.day.stretches(asked)]
        if any(day.weekday() != 5 for day in saturdays):
            raise WhenProblem("unknown")
        return _week_ends(saturdays, asked)


def _week_ends(saturdays: list[date], asked: Asked) -> tuple[Stretch, ...]:
    if asked.minutes is not None or asked.part:
        return left((day for one in saturdays for day in (one, one + timedelta(days=1))), asked)
    found: list[Stretch] = []
    for saturday in saturdays:
        sunday = saturday + timedelta(days=1)
        if sunday >= asked.base:
            found.append((sunday, None) if saturday < asked.base else (saturday, sunday))
    if not found:
        raise WhenProblem("past")
    return tuple(found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Several:
    """« samedi 3 et dimanche 4 mars »: a stretch where they follow each other, else one of them; so with an hour."""

    days: tuple[DaySpec, ...]
    #: Said with « ou ».
    either: bool = False

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        found: list[date] = []
        for spec in self.days:
            base = max([asked.base, *found[-1:]])
            days = [day for day, _ in spec.stretches(replace(asked, base=base))]
            if len(days) > 1 and not self.either:
                raise WhenProblem("ambiguous")
            found += days
        follows = all(second - first == timedelta(days=1) for first, second in pairwise(found))
        is_stretch = follows and not self.either and asked.minutes is None
        return ((found[0], found[-1]),) if is_stretch else single(*found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """« hier », « il y a trois jours »"""

    def stretches(self, asked: Asked) -> tuple[Stretch, ...]:
        raise WhenProblem("past")
