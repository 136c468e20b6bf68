"""The calendar in an email: an invitation, an answer, a cancellation (RFC 5545, 5546, 6047). Pure.

What calendars do against the standards, and what is done about it: docs/VIOLATIONS.md. What the large programs write:
docs/calendar.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

from passerelle.core.calendar_values import (
    CalendarAttendee,
    CalendarMessage,
    CalendarMethod,
    CalendarPerson,
    ChangedOccurrence,
    Partstat,
)
from passerelle.core.email import Attachment, Email
from passerelle.core.ids import MailAddress
from passerelle.core.names import one_line, safe_name, without_controls
from passerelle.errors import MalformedCalendar
from passerelle.mail.addresses import parse_address
from passerelle.mail.calendar_lines import (
    DEFAULT_CALENDAR_LIMITS,
    CalendarComponent,
    CalendarLimits,
    CalendarProperty,
    note,
    parse_components,
    parse_value,
)
from passerelle.mail.calendar_times import EventTimes, Moment, read_moment, read_times
from passerelle.mail.calendar_zones import CalendarZones

_MEDIA_TYPES = {"text/calendar", "application/ics", "application/calendar", "text/x-vcalendar", "text/ical"}
_ENDINGS = (".ics", ".ical", ".icalendar", ".ifb")
#: Calendars of one mail that are looked at.
_MAX_PARTS = 10
_MAX_ATTENDEES = 500
_MAX_UID = 1000
_MAX_TEXT = 300
_MAX_DESCRIPTION = 1500
_MAX_LINES = 20
#: What only asks, answers or cancels may leave the time out (the tables of RFC 5546 §3.2).
_TIMELESS = {"REPLY", "CANCEL", "REFRESH", "DECLINECOUNTER"}
_ABOUT_ANOTHER = {"REPLY", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"}
_LINK = re.compile(r"https?://[^\s<>\"]{1,1900}", re.IGNORECASE)
#: Where to take part, the surest first.
_LINKS = ("X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "CONFERENCE", "LOCATION", "URL")
#: Below it stands how to join a video conference, in ten languages (Google, Teams).
_RULE_LINE = re.compile(r"[^\w\s]{12,}.*|_{12,}")
#: Parameters CUTYPE of what is nobody (RFC 5545 §3.2.3).
_THINGS = {"ROOM", "RESOURCE"}


def parse_calendar(email: Email, *, home_zone: str = "Europe/Paris") -> CalendarMessage | None:
    """What the calendar in `email` says: its text/calendar part or the .ics file; None where there is none, or where it
    holds no event (free and busy times, tasks).

    Of several the first that asks or answers something counts. `home_zone` is the association's: a single time in UTC
    is told on its clock, and it counts where the calendar's own zone cannot be made out.

    Raises MalformedCalendar where there are calendars and none of them can be understood.
    """
    best: CalendarMessage | None = None
    problem: MalformedCalendar | None = None
    method = email.media_parameters.get("method", "")
    for data in _calendars(email.attachments):
        try:
            message = parse_calendar_data(data, home_zone=home_zone, method=method)
        except MalformedCalendar as error:
            problem = problem or error
            continue
        if message is not None and (best is None or (best.method == "PUBLISH" and message.method != "PUBLISH")):
            best = message
    if best is None and problem is not None:
        raise problem
    return best


def parse_calendar_data(
    data: bytes,
    *,
    home_zone: str = "Europe/Paris",
    method: str = "",
    limits: CalendarLimits = DEFAULT_CALENDAR_LIMITS,
) -> CalendarMessage | None:
    """As `parse_calendar`, of the bytes of one calendar. `method` counts where the calendar itself has none."""
    defects: list[str] = []
    problem: MalformedCalendar | None = None
    for calendar in parse_components(data, defects, limits):
        said = (calendar.text("METHOD") or method).strip().upper()
        reader = _Reader(
            method=said if said in get_args(CalendarMethod) else "PUBLISH",  # type: ignore[arg-type]
            zones=CalendarZones.of(calendar, home=home_zone),
            shared_zone=calendar.text("X-WR-TIMEZONE"),
        )
        try:
            message = reader.read(calendar, list(defects))
        except MalformedCalendar as error:
            problem = problem or error
            continue
        if message is not None:
            return message
    if problem is not None:
        raise problem
    return None


def _calendars(attachments: Iterable[Attachment]) -> list[bytes]:
    found = [
        one.data for one in attachments if one.media_type in _MEDIA_TYPES or one.filename.lower().endswith(_ENDINGS)
    ]
    return list(dict.fromkeys(found[:_MAX_PARTS]))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Event:
    """One VEVENT, understood."""

    component: CalendarComponent
    uid: str
    sequence: int
    dtstamp: datetime | None
    times: EventTimes | None
    #: Which occurrence of its series it is.
    occurrence: Moment | None

    @property
    def age(self) -> tuple[int, datetime]:
        return self.sequence, self.dtstamp or datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reader:
    """Reads the events of one VCALENDAR."""

    method: CalendarMethod
    zones: CalendarZones
    shared_zone: str

    def read(self, calendar: CalendarComponent, defects: list[str]) -> CalendarMessage | None:
        components = [one for one in calendar.children if one.name == "VEVENT"]
        same: list[_Event] = []
        problem: MalformedCalendar | None = None
        for component in components:
            if same and (not same[0].uid or _uid(component) != same[0].uid):
                continue
            try:
                same.append(self._event(component, defects))
            except MalformedCalendar as error:
                note(defects, f"an event that cannot be understood: {error.kind}")
                problem = problem or error
        if not same:
            if problem is not None:
                raise problem
            return None
        # A series itself comes before its occurrences, what was written later before what was written earlier.
        main = max(same, key=lambda event: (event.occurrence is None, event.age))
        others = {_uid(one) or id(one) for one in components} - {main.uid or id(main.component)}
        return self._message(main, [event for event in same if event is not main], len(others), defects)

    def _event(self, component: CalendarComponent, defects: list[str]) -> _Event:
        if not component.closed:
            raise MalformedCalendar("cut")
        uid = _uid(component)
        if not uid and self.method in _ABOUT_ANOTHER:
            raise MalformedCalendar("no_uid")
        times: EventTimes | None = None
        try:
            times = read_times(component, self.zones, defects)
        except MalformedCalendar as error:
            if self.method not in _TIMELESS:
                raise
            if error.kind != "no_start":
                note(defects, f"a time that cannot be understood: {error.kind}")
        return _Event(
            component=component,
            uid=uid,
            sequence=_number(component.text("SEQUENCE")),
            dtstamp=_instant(component.text("DTSTAMP")),
            times=times,
            occurrence=self._occurrence(component, defects),
        )

    def _occurrence(self, component: CalendarComponent, defects: list[str]) -> Moment | None:
        prop = component.first("RECURRENCE-ID")
        if prop is None:
            return None
        try:
            return read_moment(prop, self.zones)
        except ValueError:
            note(defects, "a RECURRENCE-ID that cannot be read")
            return None

    def _message(self, event: _Event, rest: list[_Event], others: int, defects: list[str]) -> CalendarMessage:
        component, times = event.component, event.times
        zone, sure = self._zone(event)
        location = one_line(component.text("LOCATION").replace("\n", ", "))[:_MAX_TEXT].strip(" ,")
        url = _url(component)
        is_answer = self.method == "REPLY"
        return CalendarMessage(
            method=self.method,
            uid=event.uid,
            sequence=event.sequence,
            recurrence_id=event.occurrence.on_clock(zone) if event.occurrence is not None else None,
            summary=one_line(component.text("SUMMARY"))[:_MAX_TEXT],
            starts_local=times.start.local if times else None,
            zone=zone,
            zone_is_sure=sure,
            all_day=times.start.is_day if times else False,
            duration=times.duration if times else None,
            location="" if location == url else location,
            url=url,
            description="" if is_answer else _first_lines(component.text("DESCRIPTION")),
            rrule=times.rrule if times else "",
            exdates=times.exdates if times else (),
            changed=_changed(rest, zone),
            organizer=_organizer(component),
            attendees=_attendees(component),
            comment="" if is_answer else _first_lines(component.text("COMMENT")),
            dtstamp=event.dtstamp,
            cancelled=self.method == "CANCEL" or _is_cancelled(component),
            others=others,
            defects=tuple(defects),
        )

    def _zone(self, event: _Event) -> tuple[str, bool]:
        """The zone that the message's wall times are told in, and whether that is sure."""
        if event.times is None:
            occurrence = event.occurrence
            return (occurrence.zone, occurrence.zone_is_sure) if occurrence is not None else ("", True)
        start = event.times.start
        if start.zone or start.is_day or not self.shared_zone:
            return start.zone, start.zone_is_sure
        found = self.zones.find(self.shared_zone, start.local)
        return (found.name, True) if found.sure else ("", True)


def _changed(events: Iterable[_Event], zone: str) -> tuple[ChangedOccurrence, ...]:
    """In the order of the series; what was written last counts."""
    found: dict[datetime, ChangedOccurrence] = {}
    for event in sorted(events, key=lambda one: one.age):
        if event.occurrence is None:
            continue
        was = event.occurrence.on_clock(zone)
        found[was] = ChangedOccurrence(
            was_local=was,
            starts_local=event.times.start.on_clock(zone) if event.times else None,
            duration=event.times.duration if event.times else None,
            cancelled=_is_cancelled(event.component),
        )
    return tuple(found[was] for was in sorted(found))


def _is_cancelled(component: CalendarComponent) -> bool:
    return component.text("STATUS").strip().upper() == "CANCELLED"


def _uid(component: CalendarComponent) -> str:
    return component.text("UID").strip()[:_MAX_UID]


def _number(text: str) -> int:
    digits = text.strip()
    return min(int(digits), 2**31 - 1) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0


def _instant(text: str) -> datetime | None:
    try:
        found = parse_value(text)
    except ValueError:
        return None
    if not isinstance(found, datetime):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _first_lines(text: str) -> str:
    lines: list[str] = []
    for line in without_controls(text[: 4 * _MAX_DESCRIPTION]).strip().split("\n")[:_MAX_LINES]:
        if _RULE_LINE.fullmatch(line.strip()):
            break
        lines.append(line.rstrip())
    return "\n".join(lines).strip()[:_MAX_DESCRIPTION]


def _url(component: CalendarComponent) -> str:
    for name in _LINKS:
        for prop in component.all(name)[:10]:
            link = _LINK.fullmatch(prop.value.strip())
            if link:
                return link[0]
    return ""


# People


def _address(prop: CalendarProperty) -> MailAddress | None:
    """`mailto:` in any case, forgotten, or in quotes; Apple's EMAIL where the value is no address."""
    for value in (prop.value, prop.params.get("EMAIL", "")):
        bare = value.strip().strip("\"'")[:500]
        if bare[:7].lower() == "mailto:":
            bare = bare[7:]
        if address := parse_address(bare.partition("?")[0]):
            return address
    return None


def _sent_by(prop: CalendarProperty) -> MailAddress | None:
    said = prop.params.get("SENT-BY", "")
    return _address(CalendarProperty(name=prop.name, params={}, value=said)) if said else None


def _organizer(component: CalendarComponent) -> CalendarPerson | None:
    prop = component.first("ORGANIZER")
    if prop is None:
        return None
    name = safe_name(prop.params.get("CN", "").strip("\"'"))
    found = CalendarPerson(address=_address(prop), name=name, sent_by=_sent_by(prop))
    return found if found.address or found.name else None


def _attendees(component: CalendarComponent) -> tuple[CalendarAttendee, ...]:
    found: dict[str, CalendarAttendee] = {}
    for prop in component.all("ATTENDEE")[:_MAX_ATTENDEES]:
        address = _address(prop)
        if address is None or prop.params.get("CUTYPE", "").upper() in _THINGS:
            continue
        partstat = prop.params.get("PARTSTAT", "").strip().upper()
        found[address.lower()] = CalendarAttendee(
            address=address,
            name=safe_name(prop.params.get("CN", "").strip("\"'")),
            partstat=partstat if partstat in get_args(Partstat) else "NEEDS-ACTION",  # type: ignore[arg-type]
            rsvp=prop.params.get("RSVP", "").strip().upper() == "TRUE",
            sent_by=_sent_by(prop),
        )
    return tuple(found.values())
