"""Calendars of other projects: each is understood, or refused for a reason; none breaks the reading of another."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from passerelle.core.calendar_values import CalendarMessage
from passerelle.core.recurrence import instants_between
from passerelle.core.recurrence_rule import parse_rrule
from passerelle.errors import MalformedCalendar
from passerelle.mail.calendar import parse_calendar_data

#: Each VEVENT alone, without a calendar around it.
BARE = "events"


def outcome(data: bytes) -> CalendarMessage | str | None:
    try:
        return parse_calendar_data(data)
    except MalformedCalendar as error:
        return error.kind


def calendars(corpora: Path, source: str) -> dict[str, bytes]:
    paths = sorted((corpora / source).rglob("*.ics"))
    found = {}
    for path in paths:
        data = path.read_bytes()
        if path.parent.name == BARE:
            data = b"BEGIN:VCALENDAR\r\n" + data.strip() + b"\r\nEND:VCALENDAR\r\n"
        found[str(path.relative_to(corpora / source).with_suffix(""))] = data
    return found


def read(corpora: Path, source: str, name: str) -> CalendarMessage:
    message = outcome(calendars(corpora, source)[name])
    assert isinstance(message, CalendarMessage), message
    return message


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        (
            "collective-icalendar",
            {"bad_rule": 2, "bad_start": 3, "no_start": 32, "none": 18, "understood": 89, "unreadable": 19},
        ),
        ("node-ical", {"no_start": 2, "none": 2, "understood": 47}),
    ],
)
def test_every_calendar_is_understood_or_refused(corpora: Path, source: str, counts: dict[str, int]) -> None:
    found = Counter[str]()
    for name, data in calendars(corpora, source).items():
        result = outcome(data)
        if isinstance(result, CalendarMessage):
            assert_sound(name, result)
        found[result if isinstance(result, str) else "none" if result is None else "understood"] += 1
    assert dict(found) == counts


def assert_sound(name: str, message: CalendarMessage) -> None:
    """What a meeting can be made of."""
    assert message.starts_local is not None, name
    assert message.starts_local.tzinfo is None
    assert message.zone == "" or message.zone in available_timezones(), name
    assert message.duration is None or timedelta() < message.duration <= timedelta(days=366), name
    assert not {"\n", "\r", "\0"} & set(message.summary + message.location + message.url), name
    if message.rrule:
        parse_rrule(message.rrule)
        zone = message.zone or "Europe/Paris"
        after = datetime.fromisoformat("1990-01-01T00:00:00Z")
        until = after.replace(year=2090)
        occurring = instants_between(message.starts_local, zone, message.rrule, after=after, until=until, limit=3)
        assert occurring or "UNTIL=2021" in message.rrule, "one sample ends before it begins"
    for exdate in message.exdates:
        assert exdate.tzinfo is None


@pytest.mark.parametrize(
    ("name", "summary", "starts", "zone"),
    [
        # Exchange, Office 365, custom zones
        ("Office-2012-owa", "TEST Syd", "2020-10-28T13:30", "Australia/Sydney"),
        ("bad_ms_tz", "[private]", "2020-08-25T10:35", "America/New_York"),
        ("ms_timezones", "test", "2020-09-10T09:00", "Europe/Berlin"),
        ("exchange-custom-tz", "Test event", "2019-04-30T09:00", "Asia/Bangkok"),
        ("multi-era-vtimezone", "Event in 2025", "2025-06-10T14:00", "America/New_York"),
        ("vtimezone-year-0001-dtstart", "Test event", "2024-06-01T10:00", "Europe/Berlin"),
        ("test_with_tz_list", "xxx xxxx", "2024-04-15T19:00", "Europe/Paris"),
        ("america_new_york", "an event with", "2014-08-29T08:00", "America/New_York"),
        ("pacific_fiji", "an event with", "2014-08-29T08:00", "Pacific/Fiji"),
        # Google
        ("google-calendar-kiev-tz", "repeated", "2016-08-25T14:00", "Europe/Kiev"),
        ("google-recurrence-order", "TEST RECURR 3", "2026-02-10T10:00", "America/Denver"),
        # BlackBerry, Apple, French ones
        ("property_params", "Test meeting from BB", "2012-08-14T00:00", ""),
        ("issue_165_missing_event", "Sprint 25", "2015-07-03T10:00", "Europe/Paris"),
        ("issue_348_exception_parsing_value", "Sixt", "2019-06-24T08:30", "Europe/Paris"),
        ("test_with_int_tzid", "test export import", "2023-12-15T15:00", "Europe/Paris"),
        ("yearly-recurring-unicode", "Fête Nationale - Férié", "2012-07-14T00:00", ""),
    ],
)  # fmt: skip
def test_chosen_values(corpora: Path, name: str, summary: str, starts: str, zone: str) -> None:
    places = (("node-ical", f"fixtures/{name}"), ("collective-icalendar", f"calendars/{name}"))
    (message,) = (read(corpora, source, path) for source, path in places if path in calendars(corpora, source))
    assert message.summary.startswith(summary)
    assert (message.starts_local, message.zone, message.zone_is_sure) == (datetime.fromisoformat(starts), zone, True)


def test_people_of_a_blackberry_invitation(corpora: Path) -> None:
    message = read(corpora, "collective-icalendar", "calendars/property_params")
    assert (message.method, message.sequence, message.all_day) == ("REQUEST", 2, True)
    assert message.organizer is not None
    assert message.organizer.address == "rembrand@daxlab.com"
    assert [one.name for one in message.attendees] == ["RembrandXS", "RembrandDX", "RembrandSB"]
    assert {one.answer for one in message.attendees} == {None}


def test_series_with_exceptions(corpora: Path) -> None:
    daily = read(corpora, "node-ical", "fixtures/daily-count-exdate-recurrence-id")
    assert (daily.rrule, len(daily.exdates), len(daily.changed)) == ("FREQ=DAILY;COUNT=10", 2, 1)
    moved = read(corpora, "node-ical", "fixtures/exchange_whole_day_moved_recurrence")
    assert (moved.all_day, len(moved.changed)) == (True, 1)
    newest = read(corpora, "node-ical", "fixtures/duplicate-uid-sequence")
    assert (newest.summary, newest.others) == ("Team Meeting (SEQUENCE 2)", 1)


def test_what_is_no_meeting(corpora: Path) -> None:
    for source, name in (
        ("node-ical", "fixtures/vfreebusy-zimbra"),
        ("node-ical", "fixtures/utf8-french-calendar"),
        ("collective-icalendar", "calendars/issue_27_multiple_periods_in_freebusy_one_freebusy"),
        ("collective-icalendar", "calendars/issue_1050_timezone_only_calendar"),
    ):
        assert outcome(calendars(corpora, source)[name]) is None, name


def test_a_whole_calendar_says_how_much_more_it_holds(corpora: Path) -> None:
    message = read(corpora, "node-ical", "fixtures/large-file-with-late-error")
    assert (message.summary, message.others) == ("Event 001", 400)
