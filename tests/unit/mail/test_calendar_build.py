"""Our invitations, cancellations and feeds: read by icalendar, dateutil and our own reader, answered as programs do."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from passerelle.core.calendar_values import (
    CalendarAttendee,
    CalendarDay,
    CalendarMessage,
    CalendarPerson,
    FeedHead,
    find_reply,
)
from passerelle.core.ids import AssociationName, LinkName, MailAddress, MeetingId, MessageId
from passerelle.core.meeting_model import Meeting
from passerelle.core.recurrence import instants_between
from passerelle.errors import MalformedEmail, MalformedRecurrence
from passerelle.mail.calendar import parse_calendar, parse_calendar_data
from passerelle.mail.calendar_build import build_cancellation, build_feed, build_invitation
from passerelle.mail.calendar_timezone import build_timezone
from passerelle.mail.compose import PersonalMail, compose_personal
from passerelle.mail.compose_types import CalendarPart
from passerelle.mail.parse import parse_email

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
MEETING = Meeting(
    association=AssociationName("epeule"),
    link=LinkName("bureau"),
    uid="9b1d4c52e0f7@asso.example",
    title="Réunion du bureau ; loto, clés",
    starts_local=datetime.fromisoformat("2026-11-12T18:30"),
    zone="Europe/Paris",
    duration_minutes=120,
    place="Local de l’Épeule, 2 rue ; Roubaix",
    url="https://visio.example/loto",
    notes="Ordre du jour :\n- le loto\n- les clés",
    created_at=NOW,
    id=MeetingId(1),
    number=4,
    sequence=2,
    chair_name="",
    secretary_name="",
    opened_at=None,
    closed_at=None,
)
WEEKLY = replace(MEETING, rrule="FREQ=WEEKLY;BYDAY=TH")
LEA = CalendarAttendee(address=MailAddress("lea.morel@gmail.example"), name="Léa Morel, trésorière")
ORGANIZER = CalendarPerson(address=MailAddress("passerelle@asso.example"), name="Comité de quartier de l’Épeule")
HEAD = FeedHead(name="Comité de l’Épeule : réunions", zone="Europe/Paris")


def invite(meeting: Meeting = MEETING, attendee: CalendarAttendee = LEA, **more: object) -> CalendarPart:
    return build_invitation(meeting, attendee, organizer=ORGANIZER, dtstamp=NOW, **more)  # type: ignore[arg-type]


def cancel(meeting: Meeting = MEETING, **more: object) -> CalendarPart:
    return build_cancellation(meeting, LEA, organizer=ORGANIZER, dtstamp=NOW, **more)  # type: ignore[arg-type]


def event_of(data: bytes) -> Event:
    (event,) = Calendar.from_ical(data).events
    return event


def read(data: bytes) -> CalendarMessage:
    message = parse_calendar_data(data)
    assert message is not None
    return message


def lines_of(data: bytes) -> list[str]:
    """Unfolded; what is folded is looked at first."""
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    assert max(map(len, data.split(b"\r\n"))) <= 75
    return data.replace(b"\r\n ", b"").decode().split("\r\n")


# Invitations


def test_what_stands_in_an_invitation() -> None:
    part = invite()
    lines = lines_of(part.data)
    assert part.method == "REQUEST"
    for line in (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "UID:9b1d4c52e0f7@asso.example",
        "SEQUENCE:2",
        "DTSTAMP:20261102T090000Z",
        "DTSTART;TZID=Europe/Paris:20261112T183000",
        "DTEND;TZID=Europe/Paris:20261112T203000",
        "SUMMARY:Réunion du bureau \\; loto\\, clés",
        "LOCATION:Local de l’Épeule\\, 2 rue \\; Roubaix",
        "URL:https://visio.example/loto",
        "DESCRIPTION:Ordre du jour :\\n- le loto\\n- les clés\\n\\nhttps://visio.example/loto",
        "STATUS:CONFIRMED",
        'ORGANIZER;CN="Comité de quartier de l’Épeule":mailto:passerelle@asso.example',
        'ATTENDEE;CN="Léa Morel, trésorière";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;'
        "RSVP=TRUE:mailto:lea.morel@gmail.example",
    ):
        assert lines.count(line) == 1, line
    assert not [line for line in lines if line.startswith(("RRULE:FREQ=WEEKLY", "BEGIN:VALARM", "RECURRENCE-ID"))]
    # One person, and no list: nobody's address is shown to others.
    assert re.findall(r"mailto:(\S+)", "\n".join(lines)) == ["lea.morel@gmail.example", "passerelle@asso.example"]


def test_another_reader_finds_the_same() -> None:
    event = event_of(invite().data)
    assert event.start == datetime(2026, 11, 12, 18, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert event.duration == timedelta(hours=2)
    assert str(event["SUMMARY"]) == MEETING.title
    assert event["ATTENDEE"].params["PARTSTAT"] == "NEEDS-ACTION"


def test_our_own_reader_finds_the_same() -> None:
    message = read(invite(WEEKLY, as_series=True).data)
    assert (message.method, message.uid, message.sequence) == ("REQUEST", MEETING.uid, 2)
    assert (message.starts_local, message.zone) == (MEETING.starts_local, "Europe/Paris")
    assert message.duration == timedelta(minutes=MEETING.duration_minutes)
    assert (message.summary, message.location, message.url) == (MEETING.title, MEETING.place, MEETING.url)
    assert message.rrule == "FREQ=WEEKLY;BYDAY=TH"
    assert message.organizer == ORGANIZER
    assert message.attendees == (replace(LEA, rsvp=True),)
    assert (message.others, message.defects) == (0, ())


@settings(max_examples=60, deadline=None)
@given(
    title=st.text(min_size=1, max_size=80),
    place=st.text(max_size=80),
    notes=st.text(max_size=200),
    name=st.text(max_size=40),
    minutes=st.integers(5, 1440),
    starts=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001
)
def test_whatever_is_written_is_read_again(
    title: str, place: str, notes: str, name: str, minutes: int, starts: datetime
) -> None:
    meeting = replace(
        MEETING,
        title=title,
        place=place,
        notes=notes,
        duration_minutes=minutes,
        starts_local=starts.replace(microsecond=0),
    )
    data = invite(meeting, replace(LEA, name=name)).data
    lines_of(data)
    message = read(data)
    assert (message.method, message.uid, message.starts_local) == ("REQUEST", MEETING.uid, meeting.starts_local)
    assert [one.address for one in message.attendees] == [LEA.address]
    assert message.defects == ()


def test_it_stands_in_a_mail_and_is_found_there() -> None:
    raw = compose_personal(
        PersonalMail(
            from_name="Comité",
            bridge_address=MailAddress("passerelle@asso.example"),
            to_address=LEA.address,
            subject="Réunion",
            text="Bonjour,\n",
            html="<p>Bonjour,</p>",
            calendar=invite(),
            message_id=MessageId("c.1@asso.example"),
            date=NOW,
            marker="v1 abcd",
        )
    )
    message = parse_calendar(parse_email(raw))
    assert message is not None
    assert (message.method, message.uid) == ("REQUEST", MEETING.uid)


def test_a_link_without_a_place_is_the_place() -> None:
    lines = lines_of(invite(replace(MEETING, place="", notes="")).data)
    assert "LOCATION:https://visio.example/loto" in lines
    assert "DESCRIPTION:https://visio.example/loto" in lines
    bare = lines_of(invite(replace(MEETING, place="", notes="", url="")).data)
    assert not [line for line in bare if line.startswith(("LOCATION", "URL", "DESCRIPTION"))]


def test_the_description_may_be_given_in_words() -> None:
    assert "DESCRIPTION:Venez !\\n\\nhttps://visio.example/loto" in lines_of(invite(description="Venez !\n").data)


def test_an_answer_that_was_given_stays_with_what_changes() -> None:
    data = invite(replace(MEETING, sequence=3), replace(LEA, partstat="ACCEPTED")).data
    assert read(data).attendees[0].answer == "yes"
    assert read(data).sequence == 3


def test_an_occurrence_of_a_series_is_changed_alone() -> None:
    occurrence = datetime.fromisoformat("2026-11-26T18:30")
    moved = replace(WEEKLY, starts_local=datetime.fromisoformat("2026-11-27T19:00"), sequence=3)
    lines = lines_of(invite(moved, as_series=True, occurrence=occurrence).data)
    assert "RECURRENCE-ID;TZID=Europe/Paris:20261126T183000" in lines
    assert "DTSTART;TZID=Europe/Paris:20261127T190000" in lines
    assert not [line for line in lines if line.startswith("RRULE:FREQ=WEEKLY")]
    message = read(invite(moved, occurrence=occurrence).data)
    assert (message.recurrence_id, message.starts_local) == (occurrence, moved.starts_local)


@pytest.mark.parametrize(
    ("rrule", "written"),
    [
        ("FREQ=WEEKLY;UNTIL=20270630", "FREQ=WEEKLY;UNTIL=20270630T215959Z"),
        ("FREQ=WEEKLY;UNTIL=20270107T183000;BYDAY=TH", "FREQ=WEEKLY;UNTIL=20270107T173000Z;BYDAY=TH"),
        ("FREQ=WEEKLY;UNTIL=20270107T173000Z", "FREQ=WEEKLY;UNTIL=20270107T173000Z"),
        ("BYDAY=TH;FREQ=WEEKLY;COUNT=10", "FREQ=WEEKLY;COUNT=10;BYDAY=TH"),
    ],
)
def test_rules_are_written_as_programs_read_them(rrule: str, written: str) -> None:
    assert f"RRULE:{written}" in lines_of(invite(replace(MEETING, rrule=rrule), as_series=True).data)


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="organizer"):
        build_invitation(MEETING, LEA, organizer=CalendarPerson(name="x"), dtstamp=NOW)
    with pytest.raises(MalformedEmail):
        invite(attendee=replace(LEA, address=MailAddress("léa@x.example")))
    with pytest.raises(MalformedRecurrence):
        invite(replace(MEETING, zone="Europe/Lune"))
    with pytest.raises(MalformedRecurrence):
        invite(replace(MEETING, rrule="FREQ=SECONDLY"), as_series=True)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert invite() == invite()
    assert build_feed([MEETING], head=HEAD, dtstamp=NOW) == build_feed([MEETING], head=HEAD, dtstamp=NOW)


# Cancellations


def test_a_cancellation_is_above_the_invitation() -> None:
    part = cancel(comment="La salle est prise.")
    lines = lines_of(part.data)
    assert part.method == "CANCEL"
    for line in (
        "METHOD:CANCEL",
        "STATUS:CANCELLED",
        "SEQUENCE:3",
        f"UID:{MEETING.uid}",
        "COMMENT:La salle est prise.",
    ):
        assert lines.count(line) == 1, line
    message = read(part.data)
    assert (message.method, message.cancelled, message.sequence) == ("CANCEL", True, 3)
    assert [one.address for one in message.attendees] == [LEA.address]


def test_one_occurrence_is_cancelled_alone() -> None:
    message = read(cancel(WEEKLY, occurrence=datetime.fromisoformat("2026-11-26T18:30")).data)
    assert message.recurrence_id == datetime.fromisoformat("2026-11-26T18:30")
    assert message.rrule == ""


# Answers to it, made of it as programs make them


def _reply(partstat: str) -> str:
    text = "\r\n".join(lines_of(invite().data)).replace("METHOD:REQUEST", "METHOD:REPLY")
    return text.replace("PARTSTAT=NEEDS-ACTION", f"PARTSTAT={partstat}").replace(";RSVP=TRUE", "")


def _without(text: str, *names: str) -> str:
    return "\r\n".join(line for line in text.split("\r\n") if not line.startswith(names))


def _without_zone(text: str) -> str:
    return re.sub(r"BEGIN:VTIMEZONE.*END:VTIMEZONE\r\n", "", text, flags=re.DOTALL)


def _google(text: str) -> str:
    text = _without_zone(text).replace(";TZID=Europe/Paris:20261112T183000", ":20261112T173000Z")
    return text.replace(";TZID=Europe/Paris:20261112T203000", ":20261112T193000Z").replace(LEA.name, LEA.address)


def _outlook_com(text: str) -> str:
    text = _without(text, "ORGANIZER", "VERSION").replace("Europe/Paris", "Romance Standard Time")
    text = text.replace("mailto:lea.morel@gmail", "MAILTO:Lea.Morel@Gmail").replace(
        "UID:", "COMMENT;LANGUAGE=fr-FR:\\n\r\nUID:"
    )
    return text.replace("SUMMARY:", "SUMMARY;LANGUAGE=fr-FR:Accepté : ")


def _thunderbird(text: str) -> str:
    return text.replace("END:VEVENT", "X-MOZ-RECEIVED-SEQUENCE:2\r\nX-MOZ-SEND-INVITATIONS:TRUE\r\nEND:VEVENT")


def _apple(text: str) -> str:
    return text.replace(":mailto:lea.morel@gmail.example", ';EMAIL="lea.morel@gmail.example":/aMTAyMzQ1/principal/')


def _zimbra(text: str) -> str:
    text = text.replace(";ROLE=REQ", ';SENT-BY="mailto:secretariat@free.example";ROLE=REQ')
    return text.replace("TZID=Europe/Paris", 'TZID="Europe/Paris"')


def _nextcloud(text: str) -> str:
    return _without(text, "DESCRIPTION", "LOCATION", "URL", "STATUS", "TRANSP").replace(";CUTYPE=INDIVIDUAL", "")


@pytest.mark.parametrize("client", [_google, _outlook_com, _thunderbird, _apple, _zimbra, _nextcloud])
@pytest.mark.parametrize(("partstat", "answer"), [("ACCEPTED", "yes"), ("DECLINED", "no"), ("TENTATIVE", "maybe")])
def test_the_answer_to_our_invitation_is_matched(client: Callable[[str], str], partstat: str, answer: str) -> None:
    message = read(client(_reply(partstat)).encode())
    assert (message.method, message.uid, message.sequence) == ("REPLY", MEETING.uid, MEETING.sequence)
    who = find_reply(message)
    assert who is not None
    assert (who.address.lower(), who.answer) == (LEA.address, answer)
    assert (message.starts_local, message.zone) == (MEETING.starts_local, "Europe/Paris")


# Time zones


ZONES = (
    "Europe/Paris",
    "America/New_York",
    "America/Martinique",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Europe/Dublin",
)


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_go_as_in_the_zone(zone: str) -> None:
    """Another reader of VTIMEZONE (dateutil) shows the same clock, each half hour of both nights, for ten years."""
    text = build_timezone(zone, 2026, 2027).to_ical().decode()
    theirs, ours = tzical(StringIO(text)).get(), ZoneInfo(zone)
    first = datetime(2026, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range(3650)]
    changes = [
        day
        for day in days
        if day.astimezone(ours).utcoffset() != (day + timedelta(days=1)).astimezone(ours).utcoffset()
    ]
    assert bool(changes) == (zone != "America/Martinique")
    for instant in [*days[::30], *(day + timedelta(minutes=30 * n) for day in changes for n in range(49))]:
        wall = instant.astimezone(ours)
        if wall.fold or wall.replace(fold=1).utcoffset() != wall.utcoffset():
            continue  # the hour that comes twice: §3.3.5 means the first, dateutil the second
        assert theirs.utcoffset(wall.replace(tzinfo=None)) == wall.utcoffset(), (zone, wall)


def test_the_hour_of_each_change_is_told_on_the_clock_before_it() -> None:
    """RFC 5545 §3.6.5. icalendar's own says 03:00 in spring."""
    text = build_timezone("Europe/Paris", 2026, 2027).to_ical().decode()
    assert "DTSTART:20250330T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" in text
    assert "DTSTART:20251026T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n" in text


@pytest.mark.parametrize("starts", ["2026-10-08T18:30", "2027-03-04T18:30"])
def test_a_weekly_series_keeps_its_hour_over_the_change(starts: str) -> None:
    meeting = replace(WEEKLY, starts_local=datetime.fromisoformat(starts))
    data = invite(meeting, as_series=True).data.decode()
    zone = tzical(StringIO(data.partition("BEGIN:VEVENT")[0].replace("METHOD:REQUEST\r\n", ""))).get()
    rule = re.search(r"RRULE:(FREQ=WEEKLY.*)\r", data)
    assert rule is not None
    walls = list(
        rrulestr(rule[1], dtstart=meeting.starts_local.replace(tzinfo=zone)).xafter(NOW - timedelta(days=40), count=12)
    )
    expected = instants_between(
        meeting.starts_local,
        meeting.zone,
        meeting.rrule,
        after=NOW - timedelta(days=40),
        until=NOW.replace(year=2028),
        limit=12,
    )
    assert {wall.time() for wall in walls} == {meeting.starts_local.time()}
    assert [wall.astimezone(UTC) for wall in walls] == [instant for _, instant in expected]
    assert len({instant.hour for _, instant in expected}) == 2, "it goes over a change"


def test_over_a_change_of_hour_the_end_is_when_it_ends() -> None:
    night = replace(MEETING, starts_local=datetime.fromisoformat("2026-10-24T23:00"), duration_minutes=480)
    assert "DTEND;TZID=Europe/Paris:20261025T060000" in lines_of(invite(night).data)
    assert read(invite(night).data).duration == timedelta(hours=8)


def test_a_meeting_in_utc_needs_no_zone() -> None:
    data = invite(replace(MEETING, zone="UTC")).data
    assert b"DTSTART:20261112T183000Z" in data
    assert b"VTIMEZONE" not in data


# Feeds


def test_a_feed_is_a_calendar_to_subscribe_to() -> None:
    due = CalendarDay(uid="entry-12@asso.example", summary="À faire : relancer la mairie", day=date(2026, 11, 12))
    lent = replace(due, uid="entry-9@asso.example", day=date(2026, 12, 1), until=date(2026, 12, 3), cancelled=True)
    lent = replace(lent, summary="Prêt : vidéoprojecteur")
    cancelled = replace(MEETING, id=MeetingId(2), number=5, uid="c@asso.example", state="cancelled")
    data = build_feed([cancelled, MEETING], head=replace(HEAD, description="Dates"), dtstamp=NOW, days=[due, lent])
    lines = lines_of(data)
    for line in (
        "METHOD:PUBLISH",
        "NAME:Comité de l’Épeule : réunions",
        "X-WR-CALNAME:Comité de l’Épeule : réunions",
        "X-WR-TIMEZONE:Europe/Paris",
        "REFRESH-INTERVAL;VALUE=DURATION:PT60M",
        "X-PUBLISHED-TTL:PT60M",
        "TZID:Europe/Paris",
        "DTSTART;VALUE=DATE:20261112",
        "DTEND;VALUE=DATE:20261204",
        "SUMMARY:À faire : relancer la mairie",
    ):
        assert lines.count(line) == 1, line
    events = {str(event["UID"]): event for event in Calendar.from_ical(data).events}
    assert {uid: str(event["STATUS"]) for uid, event in events.items()} == {
        MEETING.uid: "CONFIRMED",
        "c@asso.example": "CANCELLED",
        "entry-12@asso.example": "CONFIRMED",
        "entry-9@asso.example": "CANCELLED",
    }
    assert events["c@asso.example"]["SEQUENCE"] == MEETING.sequence + 1
    assert not [line for line in lines if line.startswith(("ATTENDEE", "ORGANIZER"))]


def test_an_empty_feed_is_one() -> None:
    assert parse_calendar_data(build_feed([], head=HEAD, dtstamp=NOW)) is None


@pytest.mark.parametrize(
    ("rrule", "left"),
    [
        ("FREQ=WEEKLY;BYDAY=TH", "FREQ=WEEKLY;BYDAY=TH"),
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=10", "FREQ=WEEKLY;COUNT=8;BYDAY=TH"),
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=3", None),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20261231T225959Z", "FREQ=WEEKLY;UNTIL=20261231T225959Z;BYDAY=TH"),
    ],
)
def test_of_a_series_the_latest_meeting_goes_on(rrule: str, left: str | None) -> None:
    first = replace(MEETING, rrule=rrule)
    weeks = [
        replace(
            first,
            id=MeetingId(n + 1),
            number=4 + n,
            uid=f"s{n}@asso.example",
            series_id=MeetingId(1) if n else None,
            starts_local=first.starts_local + timedelta(days=7 * n),
        )
        for n in range(3)
    ]
    data = build_feed(weeks[::-1], head=HEAD, dtstamp=NOW)
    rules = {str(event["UID"]): event.get("RRULE") for event in Calendar.from_ical(data).events}
    assert [uid for uid, rule in rules.items() if rule is not None] == (["s2@asso.example"] if left else [])
    if left:
        assert f"RRULE:{left}" in lines_of(data)


def test_what_is_called_off_does_not_come_back_by_the_rule() -> None:
    weeks = [
        replace(WEEKLY, id=MeetingId(n + 1), uid=f"s{n}@asso.example", series_id=MeetingId(1) if n else None, number=n,
                starts_local=WEEKLY.starts_local + timedelta(days=7 * n), state="cancelled" if n == 2 else "planned")
        for n in range(3)
    ]  # fmt: skip
    events = {
        str(event["UID"]): event for event in Calendar.from_ical(build_feed(weeks, head=HEAD, dtstamp=NOW)).events
    }
    assert str(events["s2@asso.example"]["STATUS"]) == "CANCELLED"
    assert [uid for uid, event in events.items() if "RRULE" in event] == ["s1@asso.example"]
    assert events["s1@asso.example"].exdates == [weeks[2].starts_local.replace(tzinfo=ZoneInfo("Europe/Paris"))]


def test_a_counted_series_whose_beginning_is_not_there_is_not_guessed() -> None:
    later = replace(MEETING, rrule="FREQ=WEEKLY;COUNT=10", series_id=MeetingId(7))
    assert b"RRULE:FREQ=WEEKLY" not in build_feed([later], head=HEAD, dtstamp=NOW)
