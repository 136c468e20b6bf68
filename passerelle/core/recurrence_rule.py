"""Recurrence rules (RFC 5545 §3.3.10) as they are received, and the wall times that they give. Pure.

A rule comes from an invitation or from `core.when_rules`. What is damaged, or would occur more often than meetings and
reminders do, is refused before `python-dateutil` expands it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Literal, get_args

from dateutil import rrule as dateutil_rrule

from passerelle.errors import MalformedRecurrence

#: A rule with every part that makes sense is shorter.
LONGEST_RULE = 500
#: Ten thousand days are 27 years.
MOST_OCCURRENCES = 10_000
MOST_A_DAY = 24
LONGEST_INTERVAL = 1000
YEARS = range(1900, 2200)

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
#: How far ahead an occurrence is looked for. « Every third 29th of February » is the rarest that anybody asks for.
_HORIZON_YEARS: Mapping[Frequency, int] = {"DAILY": 10, "WEEKLY": 10, "MONTHLY": 10, "YEARLY": 40}
#: The calendar repeats itself after 400 years, weekdays and leap years alike. For what never occurs (the 30th of
#: February) `dateutil` searches until 9999, whatever UNTIL says: rules are expanded near the end of that.
_SHIFT_YEARS = 19 * 400
_FREQUENCIES: Mapping[Frequency, Literal[0, 1, 2, 3]] = {
    "DAILY": dateutil_rrule.DAILY, "WEEKLY": dateutil_rrule.WEEKLY, "MONTHLY": dateutil_rrule.MONTHLY,
    "YEARLY": dateutil_rrule.YEARLY,
}  # fmt: skip
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
#: The numbers that each part takes; those of the second table may be counted from the end, but are never 0.
_NUMBERS = {"BYMONTH": (1, 12), "BYHOUR": (0, 23), "BYMINUTE": (0, 59), "BYSECOND": (0, 59)}
_SIGNED_NUMBERS = {"BYMONTHDAY": 31, "BYYEARDAY": 366, "BYWEEKNO": 53, "BYSETPOS": 366}
_OTHER_PARTS = ("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY")

_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)", re.ASCII)
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecurrenceRule:
    freq: Frequency
    interval: int = 1
    count: int | None = None
    #: The last moment at which it may occur: aware (UTC), or naive on the wall clock.
    until: datetime | None = None
    #: Monday is 0.
    week_start: int = 0
    #: (which one, weekday): (1, 0) is the first Monday, (-1, 4) the last Friday, (0, 1) every Tuesday.
    by_day: tuple[tuple[int, int], ...] = ()
    #: The numbers of the other parts, by their names in the RFC.
    by: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def parse_rrule(text: str) -> RecurrenceRule:
    """The rule in `text`, with or without `RRULE:` in front; order and capitals do not matter.

    Raises:
        MalformedRecurrence: it is damaged, occurs more than `MOST_A_DAY` times a day, more than `MOST_OCCURRENCES`
            times in all (COUNT), or has parts that the RFC does not let stand together.
    """
    parts = _parts(text)
    freq = parts.pop("FREQ", "")
    if freq not in get_args(Frequency):
        raise MalformedRecurrence(f"FREQ of a recurrence must be one of {', '.join(get_args(Frequency))}")
    count = _one_number("COUNT", parts.pop("COUNT", None), most=MOST_OCCURRENCES)
    until = parts.pop("UNTIL", None)
    if count is not None and until is not None:
        raise MalformedRecurrence("a recurrence has COUNT or UNTIL, never both")
    week_start = parts.pop("WKST", "MO")
    if week_start not in _WEEKDAYS:
        raise MalformedRecurrence("WKST must be a weekday")
    rule = RecurrenceRule(
        freq=freq,  # type: ignore[arg-type]  # looked at above
        interval=_one_number("INTERVAL", parts.pop("INTERVAL", None), most=LONGEST_INTERVAL) or 1,
        count=count,
        until=None if until is None else _until(until),
        week_start=_WEEKDAYS.index(week_start),
        by_day=_by_day(parts.pop("BYDAY", None)),
        by={name: _numbers(name, value) for name, value in parts.items()},
    )
    _judge(rule)
    return rule


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_RULE:
        raise MalformedRecurrence("the recurrence is too long")
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, _, value = part.strip().partition("=")
        if name not in _NUMBERS and name not in _SIGNED_NUMBERS and name not in _OTHER_PARTS:
            raise MalformedRecurrence("the recurrence has a part that is not known")
        if name in parts:
            raise MalformedRecurrence(f"{name} stands twice in the recurrence")
        parts[name] = value
    return parts


def _one_number(name: str, value: str | None, *, most: int) -> int | None:
    if value is None:
        return None
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= most:
        raise MalformedRecurrence(f"{name} must be a number from 1 to {most}")
    return int(value)


def _numbers(name: str, value: str) -> tuple[int, ...]:
    found = value.split(",")
    if not all(_NUMBER.fullmatch(one) for one in found):
        raise MalformedRecurrence(f"{name} must be numbers with commas between them")
    numbers = tuple(dict.fromkeys(int(one) for one in found))
    if name in _NUMBERS:
        least, most = _NUMBERS[name]
        right = all(least <= one <= most for one in numbers)
    else:
        right = all(1 <= abs(one) <= _SIGNED_NUMBERS[name] for one in numbers)
    if not right:
        raise MalformedRecurrence(f"{name} is out of range")
    return numbers


def _by_day(value: str | None) -> tuple[tuple[int, int], ...]:
    if value is None:
        return ()
    days = []
    for one in value.split(","):
        found = _BYDAY.fullmatch(one)
        which = int(found[1] or 0) if found else 0
        if found is None or abs(which) > 53 or (found[1] and which == 0):
            raise MalformedRecurrence("BYDAY must be weekdays, each with its place or without")
        days.append((which, _WEEKDAYS.index(found[2])))
    return tuple(dict.fromkeys(days))


def _until(value: str) -> datetime:
    found = _UNTIL.fullmatch(value)
    try:
        if found is None:
            raise ValueError
        day = date(int(found[1][:4]), int(found[1][4:6]), int(found[1][6:]))
        if found[2] is None:  # a DATE: all of that day
            return datetime.combine(day, time.max)
        clock = time(int(found[2][:2]), int(found[2][2:4]), min(int(found[2][4:]), 59))
    except ValueError:
        raise MalformedRecurrence("UNTIL must be a date, or a date with its time") from None
    return datetime.combine(day, clock, tzinfo=UTC if found[3] else None)


def _judge(rule: RecurrenceRule) -> None:
    """Refuse what must not stand together (the table and notes of RFC 5545 §3.3.10), and what occurs too often."""
    numbered = any(which for which, _ in rule.by_day)
    by = rule.by
    wrong = (
        ("BYWEEKNO" in by and rule.freq != "YEARLY")
        or ("BYYEARDAY" in by and rule.freq != "YEARLY")
        or ("BYMONTHDAY" in by and rule.freq == "WEEKLY")
        or (numbered and (rule.freq not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in by))
        or ("BYSETPOS" in by and len(by) == 1 and not rule.by_day)
    )
    if wrong:
        raise MalformedRecurrence("the recurrence has parts that do not go together")
    a_day = 1
    for name in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        a_day *= len(by.get(name, (0,)))
    if a_day > MOST_A_DAY:
        raise MalformedRecurrence(f"it would occur more than {MOST_A_DAY} times a day")


def list_walls(rule: RecurrenceRule, starts: datetime, *, near: datetime, bound: datetime) -> Iterator[datetime]:
    """The wall times of `rule` from `near` on, in order, none of them before `starts` (DTSTART); all naive.

    An UNTIL in UTC is the caller's to obey. Until `bound` nothing is left out, nor less than ten years (of a yearly
    rule: forty) after `near`. As the RFC says, a day that a month does not have is passed over, and `starts` itself
    where it does not fit the rule.
    """
    if starts.year not in YEARS:
        raise MalformedRecurrence("the first day is too far away")
    last = max(bound, _years_after(max(near, starts), _HORIZON_YEARS[rule.freq]))
    if rule.until is not None and rule.until.tzinfo is None:
        last = min(last, rule.until)
    begins = starts if rule.count is not None else _forward(rule, starts, near)
    by = _completed(rule, starts)
    expanded = dateutil_rrule.rrule(
        _FREQUENCIES[rule.freq],
        dtstart=_shifted(begins, _SHIFT_YEARS),
        interval=rule.interval,
        wkst=rule.week_start,
        until=_shifted(last, _SHIFT_YEARS),
        bymonth=by.get("BYMONTH"),
        byweekno=by.get("BYWEEKNO"),
        byyearday=by.get("BYYEARDAY"),
        bymonthday=by.get("BYMONTHDAY"),
        byweekday=_weekdays(rule, starts),
        byhour=by["BYHOUR"],
        byminute=by["BYMINUTE"],
        bysecond=by["BYSECOND"],
        bysetpos=by.get("BYSETPOS"),
    )
    walls = (_shifted(wall, -_SHIFT_YEARS) for wall in islice(expanded, rule.count))
    return (wall for wall in walls if wall >= near)


def _completed(rule: RecurrenceRule, starts: datetime) -> dict[str, tuple[int, ...]]:
    """The numbers of `rule`, with what DTSTART says where it is silent: DTSTART may be moved afterwards."""
    by = {"BYHOUR": (starts.hour,), "BYMINUTE": (starts.minute,), "BYSECOND": (starts.second,), **rule.by}
    dated = rule.by_day or {"BYWEEKNO", "BYYEARDAY", "BYMONTHDAY"} & rule.by.keys()
    if rule.freq in ("MONTHLY", "YEARLY") and not dated:
        by["BYMONTHDAY"] = (starts.day,)
        if rule.freq == "YEARLY":
            by.setdefault("BYMONTH", (starts.month,))
    return by


def _weekdays(rule: RecurrenceRule, starts: datetime) -> list[dateutil_rrule.weekday] | None:
    by_day = rule.by_day
    if not by_day and (rule.freq == "WEEKLY" or "BYWEEKNO" in rule.by):
        by_day = ((0, starts.weekday()),)
    days = dateutil_rrule.weekdays
    return [days[weekday](which) if which else days[weekday] for which, weekday in by_day] or None


def _forward(rule: RecurrenceRule, starts: datetime, near: datetime) -> datetime:
    """A DTSTART in a later period that the rule counts as well, so that what was long ago is not walked through.

    It stands a whole period before `near`, at the beginning of its month or year.
    """
    if rule.freq in ("DAILY", "WEEKLY"):
        period_days = rule.interval * (7 if rule.freq == "WEEKLY" else 1)
        periods = (near - starts).days // period_days - 1
        return starts + timedelta(days=max(periods, 0) * period_days)
    months = rule.interval * (12 if rule.freq == "YEARLY" else 1)
    periods = ((near.year - starts.year) * 12 + near.month - starts.month) // months - 1
    if periods <= 0:
        return starts
    first = starts.year * 12 + (0 if rule.freq == "YEARLY" else starts.month - 1) + periods * months
    return starts.replace(year=first // 12, month=first % 12 + 1, day=1)


def _years_after(moment: datetime, years: int) -> datetime:
    return moment.replace(year=moment.year + years, day=min(moment.day, 28))


def _shifted(moment: datetime, years: int) -> datetime:
    """The same day `years` later, which has to be a multiple of 400; in the last year that there is at the latest."""
    year = moment.year + years
    return moment.replace(year=year) if year < MAXYEAR else moment.replace(year=MAXYEAR, day=min(moment.day, 28))


def build_rrule(rule: RecurrenceRule) -> str:
    """`rule` as RFC 5545 writes it, in the order of its grammar; an UNTIL that is aware is written in UTC."""
    parts = [f"FREQ={rule.freq}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    parts += [f"{name}={','.join(map(str, numbers))}" for name, numbers in rule.by.items()]
    if rule.by_day:
        parts.append("BYDAY=" + ",".join(f"{which or ''}{_WEEKDAYS[weekday]}" for which, weekday in rule.by_day))
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        aware = rule.until.tzinfo is not None
        until = rule.until.astimezone(UTC) if aware else rule.until
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%S}{'Z' if aware else ''}")
    if rule.week_start:
        parts.append(f"WKST={_WEEKDAYS[rule.week_start]}")
    return ";".join(parts)
