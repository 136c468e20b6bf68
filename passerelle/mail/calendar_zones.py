"""Which IANA zone a calendar means by its TZID (RFC 5545 §3.2.19, §3.8.3.1). Pure.

A TZID is a name within one file only, and its VTIMEZONE says what it means. In fact it is an IANA name, with or without
a maker's prefix, or a name of Windows; else the VTIMEZONE's offsets are compared with the zones that people live in.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from icalendar.prop import vUTCOffset
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from passerelle.core.recurrence_rule import YEARS, list_walls, parse_rrule
from passerelle.errors import MalformedRecurrence
from passerelle.mail.calendar_lines import CalendarComponent, parse_value

#: A VTIMEZONE with more eras is somebody's joke.
_MAX_OBSERVANCES = 120
#: So many times are the clocks of one calendar compared; an invitation needs it once.
_MAX_COMPARISONS = 8
_DAY = timedelta(days=1)
_NOON = time(12)
#: Names that say UTC and are none of the database's.
_UTC = {"z", "utc", "gmt", "tzone://microsoft/utc", "coordinated universal time", "(utc) coordinated universal time"}
#: « (UTC+01:00) Bruxelles, Copenhague, Madrid, Paris », « (GMT+01.00) … », « UTC+11 ».
_OFFSET = re.compile(r"(?:UTC|GMT)\s*([+-])\s*(\d{1,2})(?:[:.](\d{2}))?", re.IGNORECASE)
#: « Eastern Time (US & Canada) »: Windows shows it for « Eastern Standard Time ».
_AMERICAN = re.compile(r"(Eastern|Central|Mountain|Pacific|Atlantic|Alaskan?) (?:Standard )?Time", re.IGNORECASE)


#: When clocks change (on the wall clock before), what they showed before, and show then.
_Change = tuple[datetime, timedelta, timedelta]


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundZone:
    """`name` is an IANA name. Not sure: taken for want of anything better."""

    name: str
    sure: bool = True
    #: Of a zone like no other: what is taken off the wall time to have UTC.
    offset: timedelta | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarZones:
    """The zones of one VCALENDAR, by TZID."""

    home: str
    timezones: Mapping[str, CalendarComponent] = field(default_factory=dict)
    #: What was found for a name and a year.
    known: dict[tuple[str, int], tuple[Sequence[_Change], str | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, calendar: CalendarComponent, *, home: str) -> "CalendarZones":
        """`home`: the IANA zone that counts where another one is as good, or none can be made out."""
        components = (one for one in calendar.children if one.name == "VTIMEZONE")
        return cls(home=home, timezones={_clean(one.text("TZID")): one for one in components})

    def find(self, tzid: str, near: datetime) -> FoundZone:
        """What `tzid` means for a wall time `near` (naive)."""
        wanted = _clean(tzid)
        component = self.timezones.get(wanted)
        named = _by_name(wanted) or (_by_name(_clean(component.text("X-LIC-LOCATION"))) if component else None)
        if named:
            return FoundZone(name=named)
        changes, same = self._compared(wanted, component, near.year) if component is not None else ([], None)
        if same:
            return FoundZone(name=same)
        if changes:
            return FoundZone(name=self.home, sure=False, offset=_offset_at(changes, near))
        shown = _by_shown_name(wanted, self.home)
        return FoundZone(name=shown) if shown else FoundZone(name=self.home, sure=False)

    def _compared(self, tzid: str, component: CalendarComponent, year: int) -> tuple[Sequence[_Change], str | None]:
        """How the clocks of `component` go, and the zone whose clocks go so."""
        key = (tzid, year)
        if key not in self.known:
            if len(self.known) == _MAX_COMPARISONS:
                return [], None
            changes = _changes(component, year)
            self.known[key] = (changes, _same_clock(changes, year, self.home) if changes else None)
        return self.known[key]


def _clean(tzid: str) -> str:
    return tzid[:200].strip(" \t\"'")


@cache
def _iana() -> dict[str, str]:
    """Names in lower case to names. `localtime` and the like are this machine's."""
    odd = ("posix/", "right/")
    return {
        name.lower(): name
        for name in available_timezones()
        if not name.startswith(odd) and name not in ("localtime", "Factory", "posixrules")
    }


@cache
def _windows() -> dict[str, str]:
    return {name.lower(): zone for name, zone in WINDOWS_TO_OLSON.items()}


def _by_name(tzid: str) -> str | None:
    """Of an IANA name, a path that ends in one (`/freeassociation.sourceforge.net/Europe/Paris`), a name of Windows."""
    folded = tzid.lower()
    if folded in _UTC:
        return "UTC"
    if folded in _windows():
        return _windows()[folded]
    parts = folded.strip("/").replace(" ", "_").split("/")[-6:]
    found = (_iana().get("/".join(parts[start:])) for start in range(len(parts)))
    return next((name for name in found if name), None)


def _by_shown_name(tzid: str, home: str) -> str | None:
    """Of a name that Outlook shows to people: a city, one of the American zones, or an offset."""
    american = _AMERICAN.search(tzid)
    if american:
        return _windows().get(f"{american[1]} standard time".lower())
    offset = _OFFSET.search(tzid)
    hours = (1 if offset[1] == "+" else -1) * (int(offset[2]) + int(offset[3] or 0) / 60) if offset else None
    words = [word.strip() for word in re.split(r"[,()&;]", tzid.lower())]
    cities = {name.rpartition("/")[2].replace("_", " ").lower(): name for name in _candidates(home)[::-1]}
    for name in sorted({cities[word] for word in words if word in cities}, key=_candidates(home).index):
        if hours is None or _winter_hours(name) == hours:
            return name
    if hours is None:
        return None
    if _winter_hours(home) == hours:
        return home
    # The sign of these names is the other way round (the database's etcetera file).
    return f"Etc/GMT{-int(hours):+d}" if hours == int(hours) and -14 <= -hours <= 12 else None


def _winter_hours(name: str) -> float:
    halves = (datetime.combine(date(2024, month, 15), _NOON) for month in (1, 7))
    return min(_offset_of(name, wall) for wall in halves).total_seconds() / 3600


@cache
def _candidates(home: str) -> tuple[str, ...]:
    """Zones that people live in, the association's own first, then Europe's."""
    rest = sorted(set(WINDOWS_TO_OLSON.values()), key=lambda name: (not name.startswith("Europe/"), name))
    common = ("Europe/Paris", "Europe/London", "Europe/Berlin", "America/New_York")
    every_city = sorted(name for name in _iana().values() if name.startswith("Europe/"))
    return tuple(dict.fromkeys((home, *common, *rest, *every_city)))


def _offset_of(name: str, wall: datetime) -> timedelta:
    return ZoneInfo(name).utcoffset(wall) or timedelta()


# By what a VTIMEZONE says


def _same_clock(changes: Sequence[_Change], year: int, home: str) -> str | None:
    """The first candidate whose clocks go as `changes` say: for two years, else for one (rules are changed by law)."""
    for weeks in (104, 52):
        walls = [datetime.combine(date(year, 1, 3), _NOON) + 7 * week * _DAY for week in range(weeks)]
        wanted = [(wall, _offset_at(changes, wall)) for wall in walls]
        for name in _candidates(home):
            if all(_offset_of(name, wall) == offset for wall, offset in wanted):
                return name
    return None


def _changes(component: CalendarComponent, year: int) -> list[_Change]:
    """The changes of two years and some before, in order; [] where they cannot be read."""
    if year - 2 not in YEARS or year + 2 not in YEARS:
        return []
    found: list[_Change] = []
    observances = component.children[:_MAX_OBSERVANCES]
    try:
        ends = _ends(observances)
        for observance in observances:
            before, after = _utc_offset(observance, "TZOFFSETFROM"), _utc_offset(observance, "TZOFFSETTO")
            found += [
                (onset, before, after)
                for onset in _onsets(observance, year)
                if onset < ends.get(id(observance), onset.max)
            ]
    except (MalformedRecurrence, ValueError):
        return []
    return sorted(found)


def _ends(observances: Sequence[CalendarComponent]) -> dict[int, datetime]:
    """When the rule of one era ends because the next one of its kind begins: some forget UNTIL."""
    ends: dict[int, datetime] = {}
    for kind in ("STANDARD", "DAYLIGHT"):
        eras = [one for one in observances if one.name == kind and one.text("RRULE")]
        eras.sort(key=lambda one: _wall(one.text("DTSTART")))
        ends |= {id(era): _wall(later.text("DTSTART")) for era, later in pairwise(eras)}
    return ends


def _onsets(observance: CalendarComponent, year: int) -> Sequence[datetime]:
    first = _wall(observance.text("DTSTART"))
    near, bound = (datetime.combine(date(one, 1, 1), time.min) for one in (year - 1, year + 2))
    dates = [first, *(_wall(one) for rdate in observance.all("RDATE") for one in rdate.value.split(",")[:500])]
    rule = observance.text("RRULE")
    if rule:
        parsed = parse_rrule("".join(rule.split()))
        if parsed.freq != "YEARLY":
            raise MalformedRecurrence("clocks change by the year")
        if parsed.count is None and parsed.interval == 1 and first.year < near.year:
            # Windows begins in 1601, others in the year 1.
            first = first.replace(year=near.year - 1, day=min(first.day, 28))
        last = min(bound, parsed.until.replace(tzinfo=None) + _DAY) if parsed.until is not None else bound
        dates += takewhile(lambda wall: wall < last, list_walls(parsed, first, near=near, bound=bound))
    past = [one for one in dates if one < near]
    return [*([max(past)] if past else []), *(one for one in dates if near <= one < bound)]


def _wall(text: str) -> datetime:
    parsed = parse_value(text.strip().removesuffix("Z"))
    if isinstance(parsed, datetime):
        return parsed
    if not isinstance(parsed, date):
        raise ValueError("no date")
    return datetime.combine(parsed, time.min)


def _utc_offset(observance: CalendarComponent, name: str) -> timedelta:
    """Raises ValueError where it is none."""
    offset: timedelta = vUTCOffset.from_ical(observance.text(name).strip())  # type: ignore[no-untyped-call]
    return offset


def _offset_at(changes: Sequence[_Change], wall: datetime) -> timedelta:
    past = [change for change in changes if change[0] <= wall]
    return past[-1][2] if past else changes[0][1]
