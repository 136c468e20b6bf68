"""When an event of a calendar is: DTSTART and its kin (RFC 5545 §3.8.2, §3.8.5) on the clock of an IANA zone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from passerelle.core.recurrence import instant_of
from passerelle.core.recurrence_rule import YEARS, parse_rrule
from passerelle.errors import MalformedCalendar, MalformedRecurrence
from passerelle.mail.calendar_lines import CalendarComponent, CalendarProperty, note, parse_value
from passerelle.mail.calendar_zones import CalendarZones

_MAX_DATES = 1000
_LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """A day or a time, as an event has it."""

    #: Naive; midnight of a day.
    local: datetime
    #: IANA name; "" where it is floating.
    zone: str
    is_day: bool = False
    zone_is_sure: bool = True

    def on_clock(self, zone: str) -> datetime:
        """The wall time in `zone` (naive); the same where either is floating."""
        if not self.zone or not zone or self.zone == zone:
            return self.local
        return instant_of(self.local, self.zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    def __sub__(self, earlier: "Moment") -> timedelta:
        if self.zone and earlier.zone:
            return instant_of(self.local, self.zone) - instant_of(earlier.local, earlier.zone)
        return self.local - earlier.local


@dataclass(frozen=True, kw_only=True, slots=True)
class EventTimes:
    start: Moment
    duration: timedelta | None
    rrule: str = ""
    exdates: tuple[datetime, ...] = ()


def read_moment(prop: CalendarProperty, zones: CalendarZones) -> Moment:
    """Raises ValueError where it is no date of our times."""
    # Exchange writes TZIDs with a colon and without quotes: the rest of the name stands before the date.
    rest, colon, value = prop.value.strip().rpartition(":")
    parsed = parse_value(value)
    if not isinstance(parsed, date) or parsed.year not in YEARS:
        raise ValueError("no date")
    if not isinstance(parsed, datetime):
        return Moment(local=datetime.combine(parsed, time.min), zone="", is_day=True)
    local = parsed.replace(tzinfo=None)
    if prop.params.get("VALUE", "").upper() == "DATE":
        return Moment(local=datetime.combine(local, time.min), zone="", is_day=True)
    if parsed.tzinfo is not None:
        return Moment(local=local, zone="UTC")
    tzid = prop.params.get("TZID", "") + colon + rest
    if not tzid:
        return Moment(local=local, zone="")
    found = zones.find(tzid, local)
    if found.offset is not None:
        instant = (local - found.offset).replace(tzinfo=UTC)
        local = instant.astimezone(ZoneInfo(found.name)).replace(tzinfo=None)
    return Moment(local=local, zone=found.name, zone_is_sure=found.sure)


def read_times(event: CalendarComponent, zones: CalendarZones, defects: list[str]) -> EventTimes:
    """When the event is. Raises MalformedCalendar where it does not say, or not so that it can be read."""
    prop = event.first("DTSTART")
    if prop is None:
        raise MalformedCalendar("no_start")
    try:
        start = read_moment(prop, zones)
    except ValueError:
        raise MalformedCalendar("bad_start") from None
    rrule = _rrule(event)
    start = _at_home(start, zones.home, rrule)
    duration = _duration(event, start, zones, defects)
    if _is_whole_days(event, start, duration):
        start = Moment(local=start.local, zone="", is_day=True)
    return EventTimes(start=start, duration=duration, rrule=rrule, exdates=_exdates(event, start, zones, defects))


def _at_home(start: Moment, home: str, rrule: str) -> Moment:
    """Google writes what happens once in UTC: members read their own clock. What recurs in UTC stays there."""
    if start.zone != "UTC" or rrule:
        return start
    return Moment(local=start.on_clock(home), zone=home)


def _rrule(event: CalendarComponent) -> str:
    rule = "".join(event.text("RRULE").split()).upper().removeprefix("RRULE:").rstrip(";")
    if rule:
        try:
            parse_rrule(rule)
        except MalformedRecurrence:
            raise MalformedCalendar("bad_rule") from None
    return rule


def _duration(event: CalendarComponent, start: Moment, zones: CalendarZones, defects: list[str]) -> timedelta | None:
    """From DTEND or DURATION; a day lasts a day (§3.6.1). None where it does not say."""
    end, said = event.first("DTEND"), event.text("DURATION").strip()
    duration: object = None
    try:
        if end is not None:
            duration = read_moment(end, zones) - start
        elif said:
            duration = parse_value(said)
    except (ValueError, OverflowError):
        note(defects, "an end that cannot be read")
    if isinstance(duration, timedelta) and timedelta() < duration <= _LONGEST:
        return duration
    return _DAY if start.is_day else None


def _is_whole_days(event: CalendarComponent, start: Moment, duration: timedelta | None) -> bool:
    """Outlook's days that begin at a midnight of the sender's."""
    said = event.text("X-MICROSOFT-CDO-ALLDAYEVENT").strip().upper() == "TRUE"
    whole = duration is not None and not duration % _DAY and start.local.time() == time.min
    return start.is_day or (said and whole)


def _exdates(event: CalendarComponent, start: Moment, zones: CalendarZones, defects: list[str]) -> tuple[datetime, ...]:
    found: list[datetime] = []
    for prop in _each(event.all("EXDATE")):
        try:
            moment = read_moment(prop, zones)
        except ValueError:
            note(defects, "a date left out that cannot be read")
            continue
        # A day leaves out that day's occurrence (node-ical's Exchange samples).
        clock = start.local.time() if moment.is_day else None
        local = moment.on_clock(start.zone)
        found.append(datetime.combine(local, clock) if clock is not None else local)
        if len(found) == _MAX_DATES:
            break
    return tuple(sorted(set(found)))


def _each(props: list[CalendarProperty]) -> Iterator[CalendarProperty]:
    for prop in props:
        for value in prop.value.split(",", _MAX_DATES)[:_MAX_DATES]:
            if value.strip():
                yield CalendarProperty(name=prop.name, params=prop.params, value=value)
