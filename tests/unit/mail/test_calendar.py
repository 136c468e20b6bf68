"""Invitations, answers, cancellations as the large programs write them: samples of ours in tests/samples/calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from passerelle.core.calendar_values import CalendarAttendee, CalendarMessage, ChangedOccurrence, find_reply
from passerelle.core.email import Attachment, Email
from passerelle.core.ids import MailAddress
from passerelle.errors import MalformedCalendar
from passerelle.mail.calendar import parse_calendar, parse_calendar_data
from passerelle.mail.parse import parse_email
from passerelle.render import load_words

SAMPLES = Path(__file__).parents[2] / "samples" / "calendar"
OUR_UID = "9b1d4c52e0f7@asso.example"


def sample(name: str) -> tuple[Email, CalendarMessage]:
    mail = parse_email((SAMPLES / f"{name}.eml").read_bytes())
    message = parse_calendar(mail)
    assert message is not None
    return mail, message


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)


def event(*lines: str, method: str = "", around: tuple[str, ...] = ()) -> bytes:
    """One event in a calendar; given times and names come before the usual ones."""
    given = {line.partition(":")[0].partition(";")[0] for line in lines}
    usual = ("UID:u@x.example", "DTSTART;TZID=Europe/Paris:20261112T183000", "DTSTAMP:20261102T090000Z")
    body = [*lines, *(one for one in usual if one.partition(":")[0].partition(";")[0] not in given)]
    head = [f"METHOD:{method}"] if method else []
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", *head, *around, "BEGIN:VEVENT", *body, "END:VEVENT", "END:VCALENDAR", ""]
    return "\r\n".join(whole).encode()


def read(*lines: str, method: str = "", around: tuple[str, ...] = ()) -> CalendarMessage:
    message = parse_calendar_data(event(*lines, method=method, around=around))
    assert message is not None
    return message


# Answers


@pytest.mark.parametrize(
    ("name", "address", "answer"),
    [
        ("reply_google_accepted", "lea.morel@gmail.example", "yes"),
        ("reply_outlook_com_tentative", "Karim.Benali@outlook.example", "maybe"),
        ("reply_exchange_declined", "annie.roux@mairie.example", "no"),
        ("reply_thunderbird_accepted", "paul.roux@laposte.example", "yes"),
        ("reply_apple_declined", "zoe.lemaire@icloud.example", "no"),
        ("reply_zimbra_accepted", "odile.fournier@free.example", "yes"),
        ("reply_nextcloud_accepted", "monique@ecole.example", "yes"),
    ],
)
def test_the_answer_of_each_program(name: str, address: str, answer: str) -> None:
    _, message = sample(name)
    assert (message.method, message.uid, message.sequence) == ("REPLY", OUR_UID, 1)
    who = find_reply(message)
    assert who is not None
    assert (who.address, who.answer) == (address, answer)
    # The clock of the meeting, whatever the program makes of the time.
    assert (message.starts_local, message.zone) == (wall("2026-11-12T18:30"), "Europe/Paris")
    assert message.duration == timedelta(hours=2)


def test_an_answer_without_organizer_is_an_answer() -> None:
    """nextcloud/server#53949: Outlook.com writes it so."""
    _, message = sample("reply_outlook_com_tentative")
    assert message.organizer is None
    assert sample("reply_exchange_declined")[1].organizer is not None


def test_of_an_answer_the_reason_is_not_kept() -> None:
    """PEOPLE 9. It stood in DESCRIPTION and in COMMENT."""
    _, message = sample("reply_exchange_declined")
    assert "opérée" not in repr(message)
    assert (message.comment, message.description) == ("", "")
    declined = read(
        "ATTENDEE;PARTSTAT=DECLINED;X-RESPONSE-COMMENT=opérée:mailto:a@x.example", "COMMENT:opérée", method="REPLY"
    )
    assert (declined.comment, declined.attendees[0].name) == ("", "")


def test_a_counter_keeps_the_proposed_time_and_the_remark() -> None:
    mail, message = sample("counter_outlook")
    assert mail.media_type == "text/calendar"
    assert (message.method, message.uid) == ("COUNTER", OUR_UID)
    assert message.starts_local == wall("2026-11-12T19:30")
    assert message.comment == "Plutôt une heure plus tard ?"
    who = find_reply(message)
    assert who is not None
    assert who.address == "karim.benali@outlook.example"


@pytest.mark.parametrize(
    ("line", "address", "sent_by"),
    [
        ("ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:A@X.Example", "A@x.example", None),
        ('ATTENDEE;PARTSTAT=accepted;SENT-BY="MAILTO:b@x.example":mailto:a@x.example', "a@x.example", "b@x.example"),
        ("ATTENDEE;PARTSTAT=ACCEPTED:a@x.example", "a@x.example", None),
        ("ATTENDEE;PARTSTAT=ACCEPTED:mailto: a@x.example", "a@x.example", None),
        ('ATTENDEE;PARTSTAT=ACCEPTED:"mailto:a@x.example"', "a@x.example", None),
        ("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example?subject=x", "a@x.example", None),
        ("ATTENDEE;PARTSTAT=ACCEPTED;EMAIL=a@x.example:urn:uuid:00000000-0000", "a@x.example", None),
        ("ATTENDEE;PARTSTAT=ACCEPTED;CN=Dupont, Jean:mailto:a@x.example", "a@x.example", None),
    ],
)
def test_how_an_attendee_may_be_written(line: str, address: str, sent_by: str | None) -> None:
    (who,) = read(line, method="REPLY").attendees
    assert (who.address, who.answer, who.sent_by) == (address, "yes", sent_by)


def test_names_are_shown_names() -> None:
    message = read(
        "ORGANIZER;CN=Dupont, Jean:mailto:o@x.example",
        "ATTENDEE;CN=a@x.example;RSVP=TRUE:mailto:a@x.example",
        'ATTENDEE;CN="Zoé <b> ^\'x":mailto:b@x.example',
        "ATTENDEE;CUTYPE=ROOM;CN=Salle 2:mailto:salle@x.example",
        "ATTENDEE:mailto:nobody",
    )
    assert message.organizer is not None
    assert (message.organizer.name, message.organizer.address) == ("Dupont, Jean", "o@x.example")
    first, second = message.attendees
    assert (first.name, first.rsvp, first.answer) == ("", True, None)
    assert second.name.startswith("Zoé ‹b›")


def test_whose_answer_it_is_where_all_are_named() -> None:
    everyone = tuple(CalendarAttendee(address=MailAddress(f"{one}@x.example"), partstat="ACCEPTED") for one in "abc")
    message = CalendarMessage(method="REPLY", uid="u", attendees=everyone)
    assert find_reply(message) is None
    assert find_reply(message, [MailAddress("B@X.example")]) == everyone[1]
    assert find_reply(message, [MailAddress("z@x.example")]) is None
    delegated = replace(message, attendees=(replace(everyone[0], sent_by=MailAddress("z@x.example")), *everyone[1:]))
    assert find_reply(delegated, [MailAddress("z@x.example")]) == delegated.attendees[0]
    assert find_reply(replace(message, method="REQUEST", attendees=everyone[:1])) is None


def test_an_answer_needs_no_time_and_survives_a_broken_one() -> None:
    for line in ("DTSTART:demain", "RRULE:FREQ=SECONDLY"):
        message = read(line, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example", method="REPLY")
        assert message.attendees[0].answer == "yes"
        assert message.defects
    data = event("ATTENDEE;PARTSTAT=ACCEPTED:mailto:a@x.example", method="REPLY")
    bare = parse_calendar_data(data.replace(b"DTSTART;TZID=Europe/Paris:20261112T183000\r\n", b""))
    assert bare is not None
    assert (bare.starts_local, bare.zone, bare.zone_is_sure) == (None, "", True)


# Invitations


def test_an_invitation_of_google() -> None:
    _, message = sample("request_google")
    assert (message.method, message.uid, message.summary) == (
        "REQUEST",
        "5q8m1t0c2v@google.example",
        "Préparer le loto",
    )
    # Written in UTC: members read their own clock.
    assert (message.starts_local, message.zone) == (wall("2026-11-19T18:00"), "Europe/Paris")
    assert message.duration == timedelta(minutes=90)
    assert message.location == "Maison des associations, 2 rue de l’Épeule"
    assert message.url == "https://meet.google.example/abc-defg-hij"
    assert message.description == "On parle du loto.\nApportez vos idées."
    assert message.organizer is not None
    assert (message.organizer.address, message.organizer.name) == ("lea.morel@gmail.example", "Léa Morel")
    assert [(one.address, one.partstat) for one in message.attendees] == [
        ("lea.morel@gmail.example", "ACCEPTED"),
        ("bureau@listes.example", "NEEDS-ACTION"),
    ]
    assert message.dtstamp == datetime(2026, 11, 3, 21, tzinfo=UTC)
    assert (message.others, message.defects) == (0, ())


def test_a_series_of_exchange() -> None:
    _, message = sample("request_exchange_series")
    assert (message.starts_local, message.zone) == (wall("2026-11-07T18:00"), "Europe/Paris")
    assert message.rrule == "FREQ=MONTHLY;UNTIL=20270605T160000Z;INTERVAL=1;BYDAY=1SA;WKST=MO"
    assert message.exdates == (wall("2027-01-02T18:00"),)
    assert message.url == "https://teams.microsoft.example/l/meetup-join/19%3ameeting"
    assert message.description == "Point mensuel avec la mairie."
    assert message.organizer is not None
    assert message.organizer.name == "ROUX, Annie"


def test_an_invitation_of_zimbra() -> None:
    _, message = sample("request_zimbra")
    assert (message.starts_local, message.zone) == (wall("2026-11-28T14:00"), "Europe/Brussels")
    assert (message.summary, message.location) == ("Répétition générale", "Salle des fêtes")


def test_days_and_a_link_in_the_place_of_a_place() -> None:
    _, message = sample("request_nextcloud_days")
    assert (message.starts_local, message.zone, message.all_day) == (wall("2026-12-05T00:00"), "", True)
    assert message.duration == timedelta(days=2)
    assert (message.location, message.url) == ("", "https://visio.ecole.example/marche")
    assert message.sequence == 2


def test_an_occurrence_is_cancelled_in_latin1() -> None:
    _, message = sample("cancel_thunderbird_latin1")
    assert (message.method, message.cancelled, message.sequence) == ("CANCEL", True, 3)
    assert (message.summary, message.comment) == ("Atelier vélo", "La salle est prise.")
    assert message.recurrence_id == wall("2026-11-18T14:00")


def test_every_sample_is_used() -> None:
    text = Path(__file__).read_text()
    assert [path.stem for path in sorted(SAMPLES.glob("*.eml")) if f'"{path.stem}"' not in text] == []


# Where it stands in the mail


def attachment(data: bytes, media_type: str = "text/calendar", name: str = "a.ics") -> Attachment:
    return Attachment(filename=name, media_type=media_type, data=data)


def mail_with(*attachments: Attachment, **parameters: str) -> Email:
    return Email(message_id=None, attachments=attachments, media_parameters=parameters)


def test_a_mail_without_a_calendar_has_none() -> None:
    assert parse_calendar(mail_with()) is None
    assert parse_calendar(mail_with(attachment(b"%PDF", "application/pdf", "a.pdf"))) is None


@pytest.mark.parametrize("name", ["VTODO", "VFREEBUSY", "VJOURNAL", "VTIMEZONE"])
def test_tasks_and_free_times_are_no_meeting(name: str) -> None:
    assert parse_calendar_data(event().replace(b"VEVENT", name.encode())) is None
    assert parse_calendar_data(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n") is None


def test_a_file_is_known_by_its_name() -> None:
    for kind, name in (
        ("application/octet-stream", "Invitation.ICS"),
        ("application/ics", "x"),
        ("text/calendar", "x.bin"),
    ):
        assert parse_calendar(mail_with(attachment(event(), kind, name))) is not None


def test_a_damaged_calendar_does_not_hide_its_neighbour() -> None:
    good, bad = attachment(event("SUMMARY:bon")), attachment(b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")
    for parts in ((bad, good), (good, bad)):
        message = parse_calendar(mail_with(*parts))
        assert message is not None
        assert message.summary == "bon"
    with pytest.raises(MalformedCalendar):
        parse_calendar(mail_with(bad))


def test_what_asks_comes_before_what_only_tells() -> None:
    told, asked = attachment(event("UID:told")), attachment(event("UID:asked", method="REQUEST"))
    for parts in ((told, asked), (asked, told)):
        message = parse_calendar(mail_with(*parts))
        assert message is not None
        assert message.uid == "asked"


def test_a_method_that_stands_in_the_mail_alone_counts() -> None:
    message = parse_calendar(mail_with(attachment(event()), method="request"))
    assert message is not None
    assert message.method == "REQUEST"
    assert read(method="PUBLISH").method == read(method="X-SOMETHING").method == "PUBLISH"


# Damage


KINDS = ("too_large", "too_many", "unreadable", "cut", "no_start", "bad_start", "bad_rule", "no_uid")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "unreadable"),
        (b"<html>\r\n", "unreadable"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "unreadable"),
        (b"\r\n".join(b"BEGIN:V%d" % n for n in range(20)), "unreadable"),
        (event().partition(b"END:VEVENT")[0], "cut"),
        (event().replace(b"DTSTART", b"X-START"), "no_start"),
        (event("DTSTART:demain"), "bad_start"),
        (event("DTSTART:20261399T990000"), "bad_start"),
        (event("DTSTART:00010101T000000"), "bad_start"),
        (event("DTSTART:20261112T183000/PT1H"), "bad_start"),
        (event("RRULE:FREQ=SECONDLY"), "bad_rule"),
        (event("RRULE:tous les jeudis"), "bad_rule"),
        (event(method="REPLY").replace(b"UID:", b"X-UID:"), "no_uid"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 10_000, "too_many"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VALARM\r\nEND:VALARM\r\n" * 10_000, "too_many"),
        (event("DESCRIPTION:" + "x" * 1_100_000), "too_large"),
        (b"BEGIN:VCALENDAR\r\n" + b" " * 9_000_000, "too_large"),
    ],
)
def test_what_cannot_be_understood_is_refused_for_a_reason(data: bytes, kind: str) -> None:
    with pytest.raises(MalformedCalendar) as refused:
        parse_calendar_data(data)
    assert refused.value.kind == kind
    assert kind in KINDS


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_reason_has_its_sentence(language: str) -> None:
    words = load_words(language)  # type: ignore[arg-type]
    sentences = {words(MalformedCalendar(kind).sentence) for kind in KINDS}
    assert len(sentences) == len(KINDS)
    assert all(sentence.endswith(".") for sentence in sentences)


def test_a_broken_line_breaks_no_other() -> None:
    message = read(
        "SUMMARY", "LOCATION;X=:", 'ATTENDEE;CN="x:mailto:a@x.example', "SEQUENCE:beaucoup", "DTEND:jamais", "URL:x"
    )
    assert (message.sequence, message.duration, message.url) == (0, None, "")
    assert "a line that is no property" in message.defects


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"\r\n", b"\n"),
        (b"\r\n", b"\r"),
        (b"\r\n", b"\r\r\n"),
        (b"BEGIN:VCALENDAR", b"\xef\xbb\xbfBEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDAR", b"\r\n\r\nBonjour,\r\nBEGIN:VCALENDAR"),
        (b"END:VCALENDAR\r\n", b"END:VCALENDAR\r\n-- \r\nListe bureau"),
        (b"END:VCALENDAR\r\n", b""),
        (b"VEVENT", b"vevent"),
    ],
)
def test_line_ends_and_what_stands_around(before: bytes, after: bytes) -> None:
    message = parse_calendar_data(event("SUMMARY:Réunion du b\r\n ureau").replace(before, after))
    assert message is not None
    assert (message.summary, message.starts_local) == ("Réunion du bureau", wall("2026-11-12T18:30"))


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_charsets(encoding: str) -> None:
    message = parse_calendar_data(event("SUMMARY:Réunion d’été à l’Épeule").decode().encode(encoding))
    assert message is not None
    assert message.summary == "Réunion d’été à l’Épeule"


def test_a_character_cut_by_folding_is_whole() -> None:
    line = "SUMMARY:" + "é" * 60
    raw = line.encode()
    folded = raw[:75] + b"\r\n " + raw[75:]
    assert folded.decode("utf-8", "replace").count("\ufffd")
    message = parse_calendar_data(event("SUMMARY:x").replace(b"SUMMARY:x", folded))
    assert message is not None
    assert message.summary == "é" * 60


def test_texts_are_one_line_or_few_and_without_tricks() -> None:
    message = read(
        "SUMMARY:Réunion\\nX-Evil: oui\u202e\x00",
        "LOCATION:2 rue de l’Épeule\\n59100 Roubaix\\, France",
        "DESCRIPTION:" + "\\n".join(f"ligne {n}" for n in range(50)),
    )
    assert message.summary == "Réunion X-Evil: oui"
    assert message.location == "2 rue de l’Épeule, 59100 Roubaix, France"
    assert message.description.splitlines()[-1] == "ligne 19"
    assert len(read("SUMMARY:" + "a" * 5000).summary) == 300


# When


@pytest.mark.parametrize(
    ("start", "starts", "zone"),
    [
        (":20261112T183000", "2026-11-12T18:30", ""),
        (":20261112T173000Z", "2026-11-12T18:30", "Europe/Paris"),
        (":20260712T163000Z", "2026-07-12T18:30", "Europe/Paris"),
        (";VALUE=DATE:20261112", "2026-11-12T00:00", ""),
        (";VALUE=DATE:20261112T000000", "2026-11-12T00:00", ""),
        (';TZID="tzone://Microsoft/Utc":20261112T173000', "2026-11-12T18:30", "Europe/Paris"),
    ],
)
def test_when_it_begins(start: str, starts: str, zone: str) -> None:
    message = read(f"DTSTART{start}")
    assert (message.starts_local, message.zone, message.zone_is_sure) == (wall(starts), zone, True)


@pytest.mark.parametrize(
    ("tzid", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Paris", "Europe/Paris"),
        ("/citadel.org/20260101_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Romance Standard Time", "Europe/Paris"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ('"(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris"', "Europe/Paris"),
        ("(UTC+01:00) Bruxelles, Copenhague, Madrid, Paris", "Europe/Paris"),
        ('"(UTC+01:00) Amsterdam, Berlin, Berne, Rome, Stockholm, Vienne"', "Europe/Berlin"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("GMT+0100", "Europe/Paris"),
        ("UTC-3", "Etc/GMT+3"),
    ],
)
def test_names_of_zones(tzid: str, zone: str) -> None:
    message = read(f"DTSTART;TZID={tzid}:20261112T183000")
    assert (message.starts_local, message.zone, message.zone_is_sure) == (wall("2026-11-12T18:30"), zone, True)


def timezone(tzid: str, *observances: tuple[str, str, str, str, str]) -> tuple[str, ...]:
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    for kind, start, before, after, rule in observances:
        lines += [f"BEGIN:{kind}", f"DTSTART:{start}", f"TZOFFSETFROM:{before}", f"TZOFFSETTO:{after}"]
        lines += [f"RRULE:{rule}"] if rule else []
        lines += [f"END:{kind}"]
    return (*lines, "END:VTIMEZONE")


EUROPE = (
    ("STANDARD", "16010101T030000", "+0200", "+0100", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10"),
    ("DAYLIGHT", "16010101T020000", "+0100", "+0200", "FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3"),
)
NEW_YORK = (
    ("STANDARD", "00010101T020000", "-0400", "-0500", "FREQ=YEARLY;BYDAY=1SU;BYMONTH=11"),
    ("DAYLIGHT", "00010101T020000", "-0500", "-0400", "FREQ=YEARLY;BYDAY=2SU;BYMONTH=3"),
)


@pytest.mark.parametrize(
    ("observances", "home", "zone"),
    [
        (EUROPE, "Europe/Paris", "Europe/Paris"),
        (EUROPE, "Europe/Brussels", "Europe/Brussels"),
        (EUROPE, "America/Martinique", "Europe/Paris"),
        (NEW_YORK, "Europe/Paris", "America/New_York"),
        ((("STANDARD", "19700101T000000", "-0400", "-0400", ""),), "America/Martinique", "America/Martinique"),
    ],
)
def test_a_makers_own_zone_is_known_by_its_clock(
    observances: tuple[tuple[str, str, str, str, str], ...], home: str, zone: str
) -> None:
    data = event("DTSTART;TZID=Fuseau 1:20261112T183000", around=timezone("Fuseau 1", *observances))
    message = parse_calendar_data(data, home_zone=home)
    assert message is not None
    assert (message.starts_local, message.zone, message.zone_is_sure) == (wall("2026-11-12T18:30"), zone, True)


def test_a_clock_like_no_other_is_told_on_ours_and_said_so() -> None:
    strange = timezone("Lune", ("STANDARD", "19700101T000000", "+0123", "+0123", ""))
    message = read("DTSTART;TZID=Lune:20261112T183000", around=strange)
    assert (message.starts_local, message.zone, message.zone_is_sure) == (
        wall("2026-11-12T18:07"),
        "Europe/Paris",
        False,
    )
    unknown = read("DTSTART;TZID=Lune:20261112T183000")
    assert (unknown.starts_local, unknown.zone, unknown.zone_is_sure) == (
        wall("2026-11-12T18:30"),
        "Europe/Paris",
        False,
    )


def test_one_mail_does_not_move_the_invitations_of_another() -> None:
    """icalendar remembers a VTIMEZONE by its name for the whole process."""
    wrong = timezone("Romance Standard Time", ("STANDARD", "19700101T000000", "+1200", "+1200", ""))
    line = "DTSTART;TZID=Romance Standard Time:20261112T183000"
    assert read(line, around=wrong).zone == read(line).zone == "Europe/Paris"
    read("DTSTART;TZID=Mon fuseau:20261112T183000", around=timezone("Mon fuseau", *NEW_YORK))
    later = read("DTSTART;TZID=Mon fuseau:20261112T183000", around=timezone("Mon fuseau", *EUROPE))
    assert later.zone == "Europe/Paris"


@pytest.mark.parametrize(
    ("lines", "duration"),
    [
        ((), None),
        (("DTEND;TZID=Europe/Paris:20261112T203000",), timedelta(hours=2)),
        (("DTEND:20261112T193000Z",), timedelta(hours=2)),
        (("DURATION:PT1H30M",), timedelta(minutes=90)),
        (("DURATION:-PT1H",), None),
        (("DTEND;TZID=Europe/Paris:20261112T183000",), None),
        (("DTSTART;VALUE=DATE:20261112",), timedelta(days=1)),
        (("DTSTART;VALUE=DATE:20261112", "DTEND;VALUE=DATE:20261115"), timedelta(days=3)),
        # Over the change of hour: what passes, not what the clock shows.
        (("DTSTART;TZID=Europe/Paris:20261024T230000", "DTEND;TZID=Europe/Paris:20261025T060000"), timedelta(hours=8)),
    ],
)
def test_how_long(lines: tuple[str, ...], duration: timedelta | None) -> None:
    assert read(*lines).duration == duration


def test_what_recurs_in_utc_stays_there() -> None:
    message = read("DTSTART:20261112T173000Z", "RRULE:FREQ=WEEKLY")
    assert (message.starts_local, message.zone) == (wall("2026-11-12T17:30"), "UTC")


def test_dates_left_out_and_occurrences_moved() -> None:
    moved = "\r\n".join([
        "BEGIN:VEVENT", "UID:u@x.example", "RECURRENCE-ID:20261126T173000Z", "DTSTAMP:20261102T090000Z",
        "DTSTART;TZID=Europe/Paris:20261127T190000", "DTEND;TZID=Europe/Paris:20261127T200000", "END:VEVENT",
        "BEGIN:VEVENT", "UID:u@x.example", "RECURRENCE-ID;TZID=Europe/Paris:20261203T183000",
        "DTSTART;TZID=Europe/Paris:20261203T183000", "STATUS:CANCELLED", "END:VEVENT",
        "BEGIN:VEVENT", "UID:other@x.example", "DTSTART:20261203T183000Z", "END:VEVENT", "END:VCALENDAR",
    ])  # fmt: skip
    series = event(
        "RRULE:FREQ=WEEKLY;COUNT=8;BYDAY=TH",
        "EXDATE;TZID=Europe/Paris:20261119T183000,20261210T183000",
        "EXDATE:20261217T173000Z",
    )
    for data in (series.replace(b"END:VCALENDAR", moved.encode()),):
        message = parse_calendar_data(data)
        assert message is not None
        assert message.rrule == "FREQ=WEEKLY;COUNT=8;BYDAY=TH"
        assert message.exdates == (wall("2026-11-19T18:30"), wall("2026-12-10T18:30"), wall("2026-12-17T18:30"))
        first, second = message.changed
        assert first == ChangedOccurrence(
            was_local=wall("2026-11-26T18:30"), starts_local=wall("2026-11-27T19:00"), duration=timedelta(hours=1)
        )
        assert (second.was_local, second.cancelled) == (wall("2026-12-03T18:30"), True)
        assert message.others == 1


def test_the_latest_version_counts() -> None:
    versions = [event(f"SEQUENCE:{n}", f"SUMMARY:version {n}") for n in (0, 2, 1)]
    bodies = [one.partition(b"BEGIN:VEVENT")[2].partition(b"END:VEVENT")[0] for one in versions]
    inside = b"".join(b"BEGIN:VEVENT" + body + b"END:VEVENT\r\n" for body in bodies)
    message = parse_calendar_data(b"BEGIN:VCALENDAR\r\n" + inside + b"END:VCALENDAR\r\n")
    assert message is not None
    assert (message.summary, message.others, message.changed) == ("version 2", 0, ())


@pytest.mark.parametrize(
    ("lines", "url", "location"),
    [
        (("URL:https://a.example/x",), "https://a.example/x", ""),
        (("LOCATION:https://meet.jit.si/loto", "URL:https://a.example/x"), "https://meet.jit.si/loto", ""),
        (
            ("CONFERENCE;VALUE=URI;FEATURE=VIDEO:https://bbb.example/b/x", "LOCATION:Salle 2"),
            "https://bbb.example/b/x",
            "Salle 2",
        ),
        (("URL:javascript:alert(1)", "LOCATION:file:///etc"), "", "file:///etc"),
        (("CONFERENCE;VALUE=URI:tel:+33123456789",), "", ""),
    ],
)
def test_where_to_take_part(lines: tuple[str, ...], url: str, location: str) -> None:
    message = read(*lines)
    assert (message.url, message.location) == (url, location)
