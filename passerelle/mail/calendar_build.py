"""Our meetings as calendars: an invitation for one person, its cancellation, a feed (RFC 5545, 5546, 7986). Pure.

One REQUEST per person, never to a list: whoever answers on a list answers everyone, and nobody's address is shown to
others. How it stands in a mail: `mail.compose`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.prop import vCalAddress, vRecur, vText, vUri

from passerelle.core.calendar_values import CalendarAttendee, CalendarDay, CalendarPerson, FeedHead
from passerelle.core.ids import MailAddress, MeetingId
from passerelle.core.meeting_model import Meeting
from passerelle.core.names import one_line, safe_name, without_controls
from passerelle.core.recurrence import instant_of, instants_between, parse_rrule
from passerelle.mail.calendar_timezone import build_timezone
from passerelle.mail.compose_mime import addr_spec
from passerelle.mail.compose_types import CalendarPart

_PRODID = "-//Passerelle//Passerelle//FR"
_MAX_TEXT = 300
_MAX_DESCRIPTION = 4000
#: How far behind its beginning a series is followed, to count what is left of it.
_LONGEST_SERIES = timedelta(days=366 * 40)


def build_invitation(
    meeting: Meeting,
    attendee: CalendarAttendee,
    *,
    organizer: CalendarPerson,
    dtstamp: datetime,
    description: str = "",
    as_series: bool = False,
    occurrence: datetime | None = None,
) -> CalendarPart:
    """An invitation for one person (METHOD:REQUEST); sent again with a higher `meeting.sequence`, it changes the first.

    Args:
        attendee: whom it invites, and what they have answered so far.
        organizer: the address that takes the answers: the bridge's own, the same as the mail's From, which Outlook and
            Gmail compare. Its name is the association's title.
        dtstamp: now; aware.
        description: what to read in the calendar; "" for the meeting's notes.
        as_series: one invitation for all occurrences (`meeting.rrule`), and one answer.
        occurrence: of a series that was invited to as one: which occurrence this changes, by the time that it first
            had, on the wall clock of the meeting's zone.

    Raises MalformedEmail where an address cannot be written, MalformedRecurrence where rule or zone cannot be
    understood, ValueError where the organizer has no address.
    """
    event = _event(meeting, dtstamp, description=description, as_series=as_series, occurrence=occurrence)
    _add_people(event, attendee, organizer)
    return _part("REQUEST", event, meeting)


def build_cancellation(
    meeting: Meeting,
    attendee: CalendarAttendee,
    *,
    organizer: CalendarPerson,
    dtstamp: datetime,
    comment: str = "",
    occurrence: datetime | None = None,
) -> CalendarPart:
    """What takes the meeting out of one person's calendar (METHOD:CANCEL), with a SEQUENCE above the invitation's.

    `occurrence` as in `build_invitation`: only that one is cancelled. `comment` says why, in words. Raises as
    `build_invitation`.
    """
    event = _event(meeting, dtstamp, sequence=meeting.sequence + 1, occurrence=occurrence)
    event["STATUS"] = vText("CANCELLED")
    if comment:
        event.add("COMMENT", without_controls(comment)[:_MAX_DESCRIPTION])
    _add_people(event, attendee, organizer)
    return _part("CANCEL", event, meeting)


def build_feed(
    meetings: Sequence[Meeting], *, head: FeedHead, dtstamp: datetime, days: Iterable[CalendarDay] = ()
) -> bytes:
    """A calendar to subscribe to (METHOD:PUBLISH): meetings with their times, other dates as whole days.

    Each meeting is an event of its own; of a series the latest one carries the rule for what comes after it. Nobody is
    named. `dtstamp` (aware): when it was made; the same input gives the same bytes.
    """
    calendar = _calendar("PUBLISH")
    calendar.add("NAME", head.name)
    calendar.add("X-WR-CALNAME", head.name)
    calendar.add("X-WR-TIMEZONE", head.zone)
    if head.description:
        calendar.add("DESCRIPTION", head.description)
        calendar.add("X-WR-CALDESC", head.description)
    refresh = vText(f"PT{head.refresh_minutes}M")
    # RFC 7986 §5.7, and what Outlook and Apple read.
    calendar.add("REFRESH-INTERVAL", refresh, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", vText(refresh))
    _add_timezones(calendar, meetings)
    ordered = sorted(meetings, key=lambda one: (one.starts_local, one.number))
    series: dict[MeetingId, list[Meeting]] = {}
    for meeting in ordered:
        series.setdefault(meeting.series_id or meeting.id, []).append(meeting)
    for meeting in ordered:
        event = _event(meeting, dtstamp, sequence=meeting.sequence + (meeting.state == "cancelled"))
        if meeting.state == "cancelled":
            event["STATUS"] = vText("CANCELLED")
        _go_on(event, meeting, series[meeting.series_id or meeting.id])
        calendar.add_component(event)
    for day in days:
        calendar.add_component(_day_event(day, dtstamp))
    return _bytes(calendar)


# Calendars


def _calendar(method: Literal["REQUEST", "CANCEL", "PUBLISH"]) -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", _PRODID)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    return calendar


def _part(method: Literal["REQUEST", "CANCEL"], event: Event, meeting: Meeting) -> CalendarPart:
    calendar = _calendar(method)
    _add_timezones(calendar, [meeting])
    calendar.add_component(event)
    return CalendarPart(method=method, data=_bytes(calendar))


def _bytes(calendar: Calendar) -> bytes:
    written: bytes = calendar.to_ical()
    return written


def _add_timezones(calendar: Calendar, meetings: Iterable[Meeting]) -> None:
    years: dict[str, list[int]] = {}
    for meeting in meetings:
        if meeting.zone != "UTC":
            years.setdefault(meeting.zone, []).append(meeting.starts_local.year)
    for zone, found in sorted(years.items()):
        calendar.add_component(build_timezone(zone, min(found), max(found) + 1))


# Events


def _event(
    meeting: Meeting,
    dtstamp: datetime,
    *,
    sequence: int | None = None,
    description: str = "",
    as_series: bool = False,
    occurrence: datetime | None = None,
) -> Event:
    event = Event()
    event.add("UID", meeting.uid)
    event.add("DTSTAMP", dtstamp)
    event.add("SEQUENCE", meeting.sequence if sequence is None else sequence)
    _add_time(event, "DTSTART", meeting.starts_local, meeting.zone)
    _add_time(event, "DTEND", _end(meeting), meeting.zone)
    if occurrence is not None:
        _add_time(event, "RECURRENCE-ID", occurrence, meeting.zone)
    elif as_series and meeting.rrule:
        event.add("RRULE", vRecur.from_ical(_rule(meeting, meeting.rrule)))
    event.add("SUMMARY", one_line(meeting.title)[:_MAX_TEXT])
    _add_place(event, meeting, description or meeting.notes)
    event.add("STATUS", "CONFIRMED")
    event.add("TRANSP", "OPAQUE")
    return event


def _add_time(event: Event, name: str, local: datetime, zone: str) -> None:
    if zone == "UTC":
        event.add(name, local.replace(tzinfo=UTC))
    else:
        event.add(name, local, parameters={"TZID": zone})


def _end(meeting: Meeting) -> datetime:
    """On the wall clock: what passes counts, also over a change of hour."""
    ends = instant_of(meeting.starts_local, meeting.zone) + timedelta(minutes=meeting.duration_minutes)
    return ends.astimezone(ZoneInfo(meeting.zone)).replace(tzinfo=None, fold=0)


def _add_place(event: Event, meeting: Meeting, description: str) -> None:
    """Place and link. Many programs show no URL: it stands in LOCATION where there is no place, and in the text."""
    place, link = one_line(meeting.place)[:_MAX_TEXT], meeting.url
    if place or link:
        event.add("LOCATION", place or link)
    if link:
        event.add("URL", vUri(link))
    text = without_controls(description).strip("\n")[:_MAX_DESCRIPTION]
    if link and link not in text:
        text = f"{text}\n\n{link}".strip("\n")
    if text:
        event.add("DESCRIPTION", text)


def _rule(meeting: Meeting, rrule: str) -> str:
    """The rule with its UNTIL in UTC, as an event with a zone must have it (RFC 5545 §3.3.10)."""
    until = parse_rrule(rrule).until
    if until is None:
        return rrule
    instant = until if until.tzinfo is not None else instant_of(until.replace(microsecond=0), meeting.zone)
    parts = [part for part in rrule.strip().removeprefix("RRULE:").split(";") if not part.upper().startswith("UNTIL=")]
    return ";".join([*parts, f"UNTIL={instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"])


def _go_on(event: Event, meeting: Meeting, series: Sequence[Meeting]) -> None:
    """Give the series' rule to the latest meeting that takes place; what was called off after it is left out."""
    later = [one for one in series if one.starts_local > meeting.starts_local]
    if meeting.state == "cancelled" or any(one.state != "cancelled" for one in later):
        return
    rrule = _rule_from(meeting, series[0])
    if not rrule:
        return
    event.add("RRULE", vRecur.from_ical(_rule(meeting, rrule)))
    for one in later:
        _add_time(event, "EXDATE", one.starts_local, meeting.zone)


def _rule_from(meeting: Meeting, first: Meeting) -> str:
    """The rule of the series as it stands from `meeting` on; "" where nothing is left, or it cannot be counted."""
    rule = parse_rrule(meeting.rrule) if meeting.rrule else None
    if rule is None or rule.count is None:
        return meeting.rrule
    if first.series_id is not None:
        return ""
    begins = instant_of(first.starts_local, first.zone) - timedelta(seconds=1)
    until = min(instant_of(meeting.starts_local, meeting.zone), begins + _LONGEST_SERIES)
    past = instants_between(first.starts_local, first.zone, meeting.rrule, after=begins, until=until, limit=rule.count)
    left = rule.count - len(past) + 1
    parts = [part for part in meeting.rrule.split(";") if not part.upper().startswith("COUNT=")]
    return ";".join([*parts, f"COUNT={left}"]) if left > 1 else ""


def _day_event(day: CalendarDay, dtstamp: datetime) -> Event:
    event = Event()
    event.add("UID", day.uid)
    event.add("DTSTAMP", dtstamp)
    event.add("DTSTART", day.day)
    # The day after the last one (RFC 5545 §3.6.1).
    event.add("DTEND", (day.until or day.day) + timedelta(days=1))
    event.add("SUMMARY", one_line(day.summary)[:_MAX_TEXT])
    if day.url:
        event.add("URL", vUri(day.url))
    if day.description:
        event.add("DESCRIPTION", without_controls(day.description)[:_MAX_DESCRIPTION])
    event.add("STATUS", "CANCELLED" if day.cancelled else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT")
    return event


# People


def _add_people(event: Event, attendee: CalendarAttendee, organizer: CalendarPerson) -> None:
    if organizer.address is None:
        raise ValueError("an invitation has an organizer")
    who = _cal_address(organizer.address, organizer.name)
    event.add("ORGANIZER", who)
    invited = _cal_address(attendee.address, attendee.name)
    invited.params["CUTYPE"] = "INDIVIDUAL"
    invited.params["ROLE"] = "REQ-PARTICIPANT"
    invited.params["PARTSTAT"] = attendee.partstat
    invited.params["RSVP"] = "TRUE"
    event.add("ATTENDEE", invited)


def _cal_address(address: MailAddress, name: str) -> vCalAddress:
    found = vCalAddress(f"mailto:{addr_spec(address)}")
    shown = safe_name(name)
    if shown:
        found.params["CN"] = shown
    return found
