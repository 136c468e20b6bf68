"""An invitation that reached the list is a meeting; its organizer changes it later, and nobody else."""

from __future__ import annotations

from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from passerelle.flows.meeting_steps import next_meeting_step_at
from tests.flows.bridge import LIST, Bridge, MakeBridge
from tests.flows.meetings import (
    COORDINATORS,
    answered,
    in_room,
    letter,
    meetings,
    next_step,
    notices,
    react,
    to_list,
    to_persons,
)
from tests.flows.test_actors import believing

SAMPLES = Path(__file__).parents[1] / "samples" / "calendar"
PAUL = "Paul Roux <paul@membres.lab.test>"
TRUSTED = "Authentication-Results: mx.lab.test; dkim=pass header.d=listes.lab.test\r\n"


def invitation(*lines: str, method: str = "REQUEST", author: str = PAUL, sequence: int = 0, name: str = "inv") -> bytes:
    """What a calendar program sends to the list."""
    calendar = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Test//FR",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        "UID:atelier-velo@calendrier.test",
        "DTSTAMP:20261117T090000Z",
        f"SEQUENCE:{sequence}",
        "SUMMARY:Atelier vélo",
        "ORGANIZER;CN=Paul Roux:mailto:paul@membres.lab.test",
        f"ATTENDEE;RSVP=TRUE:mailto:{LIST}",
        *lines,
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = author
    made["To"] = LIST
    made["Subject"] = "[bureau] Invitation : Atelier vélo"
    made["Message-ID"] = f"<{name}{sequence}@calendrier.test>"
    made["Date"] = "Tue, 17 Nov 2026 10:00:00 +0000"
    made["List-Id"] = "<bureau.listes.lab.test>"
    made.set_content("Paul vous invite : Atelier vélo.")
    made.add_attachment("\r\n".join(calendar), subtype="calendar", params={"method": method})
    return made.as_bytes()


def at(local: str, *, name: str = "DTSTART") -> str:
    return f"{name};TZID=Europe/Paris:{local}"


SATURDAY = (at("20261205T140000"), at("20261205T170000", name="DTEND"), "LOCATION:Atelier\\, rue Jules Guesde")


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Paul's calendar invites the list; the room is told."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.say("bonjour")
    return bridge


async def test_an_invitation_becomes_a_meeting_and_the_room_reads_one_line(group: Bridge) -> None:
    await group.receive(invitation(*SATURDAY))
    (meeting,) = await meetings(group)
    assert (meeting.title, meeting.place, meeting.source) == ("Atelier vélo", "Atelier, rue Jules Guesde", "invitation")
    assert (meeting.starts_local, meeting.zone, meeting.duration_minutes) == (
        datetime(2026, 12, 5, 14),  # noqa: DTZ001
        "Europe/Paris",
        180,
    )
    assert meeting.post_id is not None
    assert meeting.organizer_name == "Paul Roux"
    (line,) = await in_room(group, "convocation")
    assert "Atelier vélo, samedi 5 décembre à 14 h" in line.replace("\u00a0", " ")
    assert "\n" not in line.strip()


async def test_nobody_is_invited_a_second_time_and_answers_count(group: Bridge) -> None:
    await group.receive(invitation(*SATURDAY))
    await next_step(group)
    await next_step(group)
    assert len(await to_list(group, "convocation")) == 1
    assert await to_persons(group, "convocation") == []
    await react(group, (await event_of_first(group)), "✅")
    assert await answered(group, 1) == {"Léa": "yes"}


async def event_of_first(bridge: Bridge) -> str:
    rows = [row for row in await notices(bridge, "convocation") if row.kind == "event"]
    return f"$sent{rows[0].id}"


async def test_a_near_one_is_convened_by_its_own_mail(group: Bridge) -> None:
    await group.receive(invitation(at("20261120T140000"), at("20261120T170000", name="DTEND")))
    (meeting,) = await meetings(group)
    assert meeting.state == "convened"
    assert await to_list(group, "convocation") == []


@pytest.mark.parametrize(
    ("sample", "title", "zone", "rrule"),
    [
        ("request_google", "Préparer le loto", "Europe/Paris", ""),
        ("request_zimbra", "Répétition générale", "Europe/Brussels", ""),
        ("request_exchange_series", "Point mairie", "Europe/Paris", "FREQ=MONTHLY"),
    ],
)
async def test_invitations_of_the_large_programs(group: Bridge, sample: str, title: str, zone: str, rrule: str) -> None:
    raw = (SAMPLES / f"{sample}.eml").read_bytes().replace(b"listes.example", b"listes.lab.test")
    await group.receive(raw if b"List-Id" in raw else b"List-Id: <bureau.listes.lab.test>\n" + raw)
    meeting = (await meetings(group))[0]
    assert (meeting.title, meeting.zone) == (title, zone)
    assert meeting.rrule.startswith(rrule)


async def test_a_later_version_moves_it_where_the_list_vouches(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    await bridge.receive(TRUSTED.encode() + invitation(*SATURDAY))
    await bridge.receive(TRUSTED.encode() + invitation(at("20261206T100000"), sequence=2))
    (meeting,) = await meetings(bridge)
    assert (meeting.starts_local.day, meeting.starts_local.hour, meeting.sequence) == (6, 10, 2)
    assert len(await in_room(bridge, "move")) == 1
    # The list read it in that very mail.
    assert await to_list(bridge, "move") == []
    # What is older changes nothing.
    await bridge.receive(TRUSTED.encode() + invitation(at("20261207T100000"), sequence=1))
    (meeting,) = await meetings(bridge)
    assert meeting.starts_local.day == 6


async def test_what_nothing_proves_moves_nothing_until_its_organizer_says_so(group: Bridge) -> None:
    await group.receive(invitation(*SATURDAY))
    await group.receive(invitation(at("20261206T100000"), sequence=2))
    assert (await meetings(group))[0].starts_local.day == 5
    (question,) = [row for row in await group.outbox("email") if row.unique_key.startswith("ask:confirm:")]
    assert question.recipient == "paul@membres.lab.test"
    await group.receive(letter("Re: ?", "oui", author=PAUL, message_id="oui@x", answering=(question.message_id,)))
    assert (await meetings(group))[0].starts_local.day == 6


async def test_nobody_else_moves_it_nor_calls_it_off(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    await bridge.receive(TRUSTED.encode() + invitation(*SATURDAY))
    other = "Un autre <autre@membres.lab.test>"
    await bridge.receive(TRUSTED.encode() + invitation(at("20261206T100000"), sequence=2, author=other))
    await bridge.receive(TRUSTED.encode() + invitation(*SATURDAY, method="CANCEL", sequence=3, author=other))
    (meeting,) = await meetings(bridge)
    assert (meeting.starts_local.day, meeting.state) == (5, "planned")


async def test_its_organizer_calls_it_off(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    await bridge.receive(TRUSTED.encode() + invitation(*SATURDAY))
    await bridge.receive(TRUSTED.encode() + invitation(*SATURDAY, method="CANCEL", sequence=1))
    (meeting,) = await meetings(bridge)
    assert meeting.state == "cancelled"
    assert len(await in_room(bridge, "cancel")) == 1
    assert await next_meeting_step_at(bridge.ctx) is None


async def test_a_series_goes_on_without_what_was_left_out(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    weekly = (at("20261202T180000"), "RRULE:FREQ=WEEKLY;COUNT=4", at("20261209T180000", name="EXDATE"))
    await bridge.receive(TRUSTED.encode() + invitation(*weekly))
    # One occurrence is moved before it is made.
    moved = (at("20261217T190000"), at("20261216T180000", name="RECURRENCE-ID"))
    await bridge.receive(TRUSTED.encode() + invitation(*moved, sequence=1))
    while await next_meeting_step_at(bridge.ctx) is not None:
        await next_step(bridge)
    held = [one.starts_local for one in await meetings(bridge) if one.state != "cancelled"]
    assert [(one.day, one.hour) for one in held] == [(2, 18), (17, 19), (23, 18)]


async def test_one_occurrence_is_called_off_and_the_series_goes_on(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    await bridge.receive(TRUSTED.encode() + invitation(at("20261202T180000"), "RRULE:FREQ=WEEKLY;COUNT=3"))
    gone = (at("20261202T180000"), at("20261202T180000", name="RECURRENCE-ID"))
    await bridge.receive(TRUSTED.encode() + invitation(*gone, method="CANCEL", sequence=1))
    states = {one.starts_local.day: one.state for one in await meetings(bridge)}
    assert states == {2: "cancelled", 9: "planned"}


async def test_a_whole_calendar_is_no_invitation_nor_is_a_day_without_hour(group: Bridge) -> None:
    more = ("END:VEVENT", "BEGIN:VEVENT", "UID:autre@x", "DTSTAMP:20261117T090000Z", at("20261208T140000"))
    await group.receive(invitation(*SATURDAY, *more, method="PUBLISH"))
    await group.receive(invitation("DTSTART;VALUE=DATE:20261205", name="jour"))
    assert await meetings(group) == []


async def test_our_own_meeting_is_not_changed_by_what_looks_like_it(make_bridge: MakeBridge) -> None:
    bridge = await trusting(make_bridge)
    await bridge.say("!réunion jeudi 3 décembre 18h30 au local : budget")
    (meeting,) = await meetings(bridge)
    forged = invitation(at("20261209T140000"), sequence=9).replace(
        b"atelier-velo@calendrier.test", meeting.uid.encode()
    )
    await bridge.receive(TRUSTED.encode() + forged)
    assert (await meetings(bridge))[0] == meeting


async def trusting(make_bridge: MakeBridge) -> Bridge:
    """A bridge that believes what its mail server says of the list."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    return believing(bridge, "mx.lab.test")
