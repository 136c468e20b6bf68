"""Calendars that somebody bent on purpose: understood or refused, nothing else, in a time that does not grow wild."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from passerelle.core.calendar_values import CalendarMessage
from passerelle.deadline import deadline
from passerelle.errors import MalformedCalendar, MalformedEmail
from passerelle.mail.calendar import parse_calendar, parse_calendar_data
from passerelle.mail.parse import parse_email

SAMPLES = sorted((Path(__file__).parents[2] / "samples" / "calendar").glob("*.eml"))
CALENDARS = [
    next(one.data for one in parse_email(path.read_bytes()).attachments if b"BEGIN:VCALENDAR" in one.data)
    for path in SAMPLES
]
WORDS = [
    b"BEGIN:VEVENT", b"END:VEVENT", b"BEGIN:VTIMEZONE", b"END:VTIMEZONE", b"BEGIN:STANDARD", b"END:STANDARD",
    b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"TZID:Fuseau", b"TZOFFSETFROM:+9999", b"TZOFFSETTO:-2359",
    b"DTSTART;TZID=Fuseau:20261112T183000", b"DTSTART:99991231T235959Z", b"DTSTART:19000101T000000",
    b"DTSTART:21991231T235959", b"DTEND:00010101T000000Z", b"DURATION:P99999999999W", b"DURATION:-P1D",
    b"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", b"RRULE:FREQ=DAILY;COUNT=99999", b"RRULE:FREQ=YEARLY;INTERVAL=0",
    b"RDATE:20261112T183000,X,20261113", b"EXDATE;TZID=Europe/Paris:20261112T183000,,,X",
    b"EXDATE;VALUE=DATE:99999999", b"RECURRENCE-ID:20261112", b"RECURRENCE-ID;RANGE=THISANDFUTURE:x",
    b"ATTENDEE;CN=\"a;PARTSTAT=ACCEPTED:mailto:a@b.c", b"ATTENDEE;=;;:", b"ORGANIZER;SENT-BY=:",
    b"SEQUENCE:99999999999999999999999", b"DTSTAMP:20261332T256199Z", b"METHOD:REPLY", b"METHOD", b"UID:",
    b"STATUS:CANCELLED", b"X-WR-TIMEZONE://///", b"TZID:../../etc/passwd", b"TZID:Europe", b"\xff\xfe", b"\0",
]  # fmt: skip
HOW = ["cut", "put", "swap", "byte"]


def understood(data: bytes) -> CalendarMessage | None:
    """Anything but MalformedCalendar fails the test."""
    try:
        return parse_calendar_data(data)
    except MalformedCalendar:
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    original=st.sampled_from(CALENDARS),
    edits=st.lists(
        st.tuples(st.integers(0, 10_000), st.sampled_from(HOW), st.sampled_from(WORDS), st.binary(max_size=6)),
        min_size=1, max_size=12,
    ),
)  # fmt: skip
def test_bent_calendars_are_understood_or_refused(original: bytes, edits: list[tuple[int, str, bytes, bytes]]) -> None:
    lines = original.split(b"\r\n")
    for place, how, word, odd in edits:
        at = place % len(lines)
        if how == "cut":
            lines = [*lines[:at], *lines[at + 1 :]] or [b""]
        elif how == "put":
            lines = [*lines[:at], word, *lines[at:]]
        elif how == "swap":
            lines[at] = lines[at].partition(b":")[0] + b":" + word.partition(b":")[2]
        else:
            middle = place % (len(lines[at]) + 1)
            lines[at] = lines[at][:middle] + odd + lines[at][middle:]
    message = understood(b"\r\n".join(lines))
    if message is not None:
        assert message.starts_local is None or message.starts_local.tzinfo is None
        assert "\n" not in message.summary + message.location


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=40))
def test_lines_in_any_order(lines: list[bytes]) -> None:
    understood(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + b"\r\n".join(lines) + b"\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["DTSTART", "RRULE", "TZID", "ATTENDEE", "DTEND", "EXDATE", "URL", "SEQUENCE"]),
    st.text(max_size=60),
)
def test_any_value(name: str, value: str) -> None:
    flat = re.sub(r"[\r\n]", " ", value).encode("utf-8", "replace")
    for line in (name.encode() + b":" + flat, name.encode() + b";TZID=" + flat + b":20261112T183000"):
        understood(
            b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261112T183000\n" + line + b"\nEND:VEVENT\nEND:VCALENDAR\n"
        )


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(SAMPLES), st.integers(0, 6000), st.binary(max_size=8))
def test_bent_mails(path: Path, place: int, odd: bytes) -> None:
    raw = path.read_bytes()
    at = place % len(raw)
    with contextlib.suppress(MalformedCalendar, MalformedEmail):
        parse_calendar(parse_email(raw[:at] + odd + raw[at + len(odd) :]))


def calendar(*lines: str) -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VCALENDAR", ""]).encode()


def era(n: int) -> list[str]:
    start = f"{1600 + n % 400:04}0101T{n % 24:02}0000"
    rule = "RRULE:FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU"
    return [
        "BEGIN:STANDARD",
        f"DTSTART:{start}",
        "TZOFFSETFROM:+0100",
        f"TZOFFSETTO:+{n % 12:02}33",
        rule,
        "END:STANDARD",
    ]


START = "DTSTART:20261112T183000"
EVENT = ("BEGIN:VEVENT", "UID:u", "DTSTART;TZID=Z:20261112T183000", "RRULE:FREQ=WEEKLY", "END:VEVENT")
BOMBS = {
    "folds": b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:" + b"\r\n a" * 1_500_000,
    "carriage returns": b"BEGIN:VCALENDAR\n" + b"\r" * 4_000_000,
    "semicolons": calendar("BEGIN:VEVENT", *(["ATTENDEE" + ";A=B" * 4000 + ":x"] * 50), "END:VEVENT"),
    "quotes": calendar("BEGIN:VEVENT", *(["ATTENDEE;CN=" + '"' * 15_000 + ":x"] * 60), "END:VEVENT"),
    "backslashes": calendar("BEGIN:VEVENT", *(["SUMMARY:" + "\\" * 15_000] * 60), "END:VEVENT"),
    "spaces": calendar("BEGIN:VEVENT", *(["SUMMARY" + " " * 15_000 + ";X = y:z"] * 60), "END:VEVENT"),
    "nesting": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 100_000,
    "attendees": calendar("BEGIN:VEVENT", START, *(f"ATTENDEE:a{n}@x.example" for n in range(20_000)), "END:VEVENT"),
    "dates left out": calendar("BEGIN:VEVENT", START, *(["EXDATE:" + "20261112," * 1900] * 50), "END:VEVENT"),
    "eras": calendar(
        "BEGIN:VTIMEZONE", "TZID:Z", *(line for n in range(500) for line in era(n)), "END:VTIMEZONE",
        *(line.replace("2026", str(1950 + n)) for n in range(200) for line in EVENT),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name: str) -> None:
    """The limit is far above what is needed: what is quadratic takes minutes."""
    with deadline(30):
        understood(BOMBS[name])
