"""A VTIMEZONE (RFC 5545 §3.6.5) of an IANA zone. Pure.

`icalendar.Timezone.from_tzinfo` tells each change by the clock after it: in spring its DTSTART is an hour late (03:00
for 02:00), and who believes it is wrong by an hour in that night. It also lists all changes until some day, and a
series without an end goes on after it. Here a yearly rule is written wherever the zone has one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard
from icalendar.prop import vRecur

#: A rule is written where it holds for so many years from the one before the first event.
_YEARS = 12
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Change:
    #: On the clock before the change (naive), as §3.6.5 wants it.
    onset: datetime
    before: timedelta
    after: timedelta
    name: str


@lru_cache(maxsize=64)
def build_timezone(zone: str, first_year: int, last_year: int) -> Timezone:
    """The VTIMEZONE of `zone`, right for every event from the first to the last year, and beyond where it has a rule.

    The component is shared: callers do not change it.
    """
    component = Timezone()
    component.add("TZID", zone)
    clock = ZoneInfo(zone)
    begins = datetime.combine(date(first_year - 1, 1, 1), time.min, UTC)
    ends = datetime.combine(date(max(last_year, first_year + _YEARS - 2) + 1, 1, 1), time.min, UTC)
    changes = list(_changes(clock, begins, ends))
    kinds: dict[tuple[timedelta, timedelta, str], list[_Change]] = {}
    for change in changes:
        kinds.setdefault((change.before, change.after, change.name), []).append(change)
    rules = [_rule(same) for same in kinds.values()]
    has_rules = all(rules) and bool(rules)
    if not has_rules:
        offset = clock.utcoffset(begins.astimezone(clock)) or timedelta()
        name = begins.astimezone(clock).tzname() or zone
        component.add_component(_observance([_Change(onset=_long_ago(), before=offset, after=offset, name=name)], None))
    for same, rule in zip(kinds.values(), rules, strict=True):
        component.add_component(_observance(same, rule if has_rules else None))
    return component


def _long_ago() -> datetime:
    return datetime.combine(date(1970, 1, 1), time.min)


def _changes(clock: ZoneInfo, begins: datetime, ends: datetime) -> Iterator[_Change]:
    """Every change of the clock, looked for day by day and then by halves: no zone changes twice within a day."""
    days = [begins + n * _DAY for n in range((ends - begins).days + 1)]
    for low, high in pairwise(days):
        before, after = _offset(clock, low), _offset(clock, high)
        if before == after:
            continue
        while high - low > _SECOND:
            middle = low + (high - low) / 2
            low, high = (middle, high) if _offset(clock, middle) == before else (low, middle)
        instant = high.replace(microsecond=0)
        yield _Change(
            onset=(instant + before).replace(tzinfo=None),
            before=before,
            after=after,
            name=instant.astimezone(clock).tzname() or "",
        )


def _offset(clock: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(clock).utcoffset() or timedelta()


def _rule(changes: Sequence[_Change]) -> str | None:
    """The yearly rule that gives all of these, one a year; None where there is none."""
    years = [change.onset.year for change in changes]
    onsets = [change.onset for change in changes]
    same_clock = len({(onset.month, onset.weekday(), onset.time()) for onset in onsets}) == 1
    if not same_clock or len(years) < _YEARS or years != list(range(years[0], years[0] + len(years))):
        return None
    # Of the last week of the month as well as of the fourth: the last one goes on being right.
    if all((onset + 7 * _DAY).month != onset.month for onset in onsets):
        which = -1
    elif len({(onset.day - 1) // 7 for onset in onsets}) == 1:
        which = (onsets[0].day - 1) // 7 + 1
    else:
        return None
    return f"FREQ=YEARLY;BYMONTH={onsets[0].month};BYDAY={which}{_DAYS[onsets[0].weekday()]}"


def _observance(changes: Sequence[_Change], rule: str | None) -> TimezoneStandard | TimezoneDaylight:
    first = changes[0]
    # Ireland's winter and Morocco's Ramadan are told as programs expect: the later clock is the summer's.
    component = TimezoneDaylight() if first.after > first.before else TimezoneStandard()
    component.add("DTSTART", first.onset)
    component.add("TZOFFSETFROM", first.before)
    component.add("TZOFFSETTO", first.after)
    component.add("TZNAME", first.name)
    if rule is not None:
        component.add("RRULE", vRecur.from_ical(rule))
    elif len(changes) > 1:
        component.add("RDATE", [change.onset for change in changes[1:]])
    return component
