"""iCalendar bytes to components (RFC 5545 §3.1, §3.6), within limits. Pure.

Content lines are read by `icalendar`; what they stand in is put together here. Its own `Calendar.from_ical` keeps every
VTIMEZONE in a table of the process, by name, the first one for ever: one mail with a wrong « Romance Standard Time »
would move every later invitation, of every association. It also ends at one broken line of a VTIMEZONE.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from icalendar.parser import Contentline
from icalendar.prop import vDDDTypes

from passerelle.errors import MalformedCalendar
from passerelle.mail.charset import decode_text, printable


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarLimits:
    """What a calendar may cost. A large invitation has some kilobytes and one event, or a few changed occurrences."""

    #: With files inside (ATTACH), which are passed over.
    max_bytes: int = 8 * 1024 * 1024
    #: Characters of the lines that are looked at.
    max_characters: int = 1_000_000
    max_lines: int = 200_000
    max_events: int = 500
    max_components: int = 3000
    max_depth: int = 8
    #: The rest of a longer line is dropped.
    max_line: int = 20_000


DEFAULT_CALENDAR_LIMITS = CalendarLimits()

_OBSERVANCE = frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"})
#: The properties that are looked at, by component. Of other components only the name is kept.
_WANTED: Mapping[str, frozenset[str]] = {
    "VCALENDAR": frozenset({"METHOD", "X-WR-TIMEZONE"}),
    "VTIMEZONE": frozenset({"TZID", "X-LIC-LOCATION"}),
    "STANDARD": _OBSERVANCE,
    "DAYLIGHT": _OBSERVANCE,
    "VEVENT": frozenset({
        "UID", "SEQUENCE", "RECURRENCE-ID", "SUMMARY", "DTSTART", "DTEND", "DURATION", "LOCATION", "URL", "CONFERENCE",
        "DESCRIPTION", "RRULE", "EXDATE", "ORGANIZER", "ATTENDEE", "COMMENT", "DTSTAMP", "STATUS",
        "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "X-MICROSOFT-CDO-ALLDAYEVENT",
    }),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarProperty:
    #: Upper case.
    name: str
    #: Names in upper case; several values of one are joined by commas.
    params: Mapping[str, str]
    #: With the escapes of TEXT undone (§3.3.11).
    value: str = field(repr=False)


@dataclass(kw_only=True, slots=True, eq=False)
class CalendarComponent:
    #: Upper case.
    name: str
    properties: list[CalendarProperty] = field(default_factory=list)
    children: list["CalendarComponent"] = field(default_factory=list)
    #: Its END was there.
    closed: bool = False

    def all(self, name: str) -> list[CalendarProperty]:
        return [one for one in self.properties if one.name == name]

    def first(self, name: str) -> CalendarProperty | None:
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """The first value of that name, "" where there is none."""
        found = self.first(name)
        return found.value if found is not None else ""


def parse_components(
    data: bytes, defects: list[str], limits: CalendarLimits = DEFAULT_CALENDAR_LIMITS
) -> list[CalendarComponent]:
    """The VCALENDARs of `data`, with their events and time zones. What stands around them is passed over.

    Raises MalformedCalendar where there is none, or where a limit is reached.
    """
    if len(data) > limits.max_bytes:
        raise MalformedCalendar("too_large")
    lines = _lines(data)
    if len(lines) > limits.max_lines:
        raise MalformedCalendar("too_large")
    reading = _Reading(limits=limits, defects=defects)
    for line in lines:
        reading.take(line)
    calendars = [one for one in reading.top if one.name == "VCALENDAR"]
    if not calendars:
        raise MalformedCalendar("unreadable")
    return calendars


def parse_value(text: str) -> object:
    """A date, a date and time (naive or UTC), a duration …, by its form (§3.3). Raises ValueError where it is none."""
    value: object = vDDDTypes.from_ical(text.strip())  # type: ignore[no-untyped-call]
    return value


def note(defects: list[str], defect: str) -> None:
    if defect not in defects:
        defects.append(defect)


def _lines(data: bytes) -> list[str]:
    """Unfolded content lines. Unfolding comes before decoding: old programs fold amid a character (§3.1)."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = decode_text(data, None).text.encode("utf-8")
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = data.replace(b"\n ", b"").replace(b"\n\t", b"")
    return printable(decode_text(data, None).text).split("\n")


@dataclass(kw_only=True, slots=True)
class _Reading:
    limits: CalendarLimits
    defects: list[str]
    top: list[CalendarComponent] = field(default_factory=list)
    stack: list[CalendarComponent] = field(default_factory=list)
    characters: int = 0
    components: int = 0
    events: int = 0

    def take(self, line: str) -> None:
        name, _, rest = line[:200].partition(":")
        name = name.partition(";")[0].strip(" \t").upper()
        if name == "BEGIN":
            self._begin(rest.strip().upper())
        elif name == "END":
            self._end(rest.strip().upper())
        elif self.stack and name in _WANTED.get(self.stack[-1].name, ()):
            self._property(line)

    def _begin(self, name: str) -> None:
        self.components += 1
        self.events += name == "VEVENT"
        if self.events > self.limits.max_events or self.components > self.limits.max_components:
            raise MalformedCalendar("too_many")
        if len(self.stack) >= self.limits.max_depth:
            raise MalformedCalendar("unreadable")
        component = CalendarComponent(name=name)
        (self.stack[-1].children if self.stack else self.top).append(component)
        self.stack.append(component)

    def _end(self, name: str) -> None:
        if not any(one.name == name for one in self.stack):
            note(self.defects, "an END without its BEGIN")
            return
        while (component := self.stack.pop()).name != name:
            note(self.defects, "a BEGIN without its END")
        component.closed = True

    def _property(self, line: str) -> None:
        self.characters += len(line)
        if self.characters > self.limits.max_characters:
            raise MalformedCalendar("too_large")
        try:
            name, params, value = Contentline(line[: self.limits.max_line]).parts()  # type: ignore[no-untyped-call]
        except ValueError:
            note(self.defects, "a line that is no property")
            return
        self.stack[-1].properties.append(
            CalendarProperty(
                name=name.upper(), params={key.upper(): _joined(one) for key, one in params.items()}, value=value
            )
        )


def _joined(value: object) -> str:
    """A parameter's value; `CN=Dupont, Jean` without quotes comes as two."""
    values = value if isinstance(value, list | tuple) else [value]
    return ", ".join(str(one).strip() for one in values)
