"""Meetings are called, moved and called off; each step of the cycle leaves once, for both sides."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import (
    COORDINATORS,
    calendar_of,
    directly,
    in_room,
    meetings,
    next_step,
    to_list,
    to_persons,
)
from tests.flows.test_register_notes import signs

CALL = "!réunion jeudi 3 décembre 18h30 au local : budget de la fête"


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """Monique writes mails and coordinates; Karim and Léa chat."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.say("bonjour")
    return bridge


async def test_a_command_makes_a_meeting_and_the_room_reads_of_it(group: Bridge) -> None:
    said = await group.say(CALL)
    (meeting,) = await meetings(group)
    assert (meeting.number, meeting.title, meeting.place) == (1, "Budget de la fête", "au local")
    assert meeting.starts_local == datetime(2026, 12, 3, 18, 30)  # noqa: DTZ001
    assert (meeting.zone, meeting.organizer_name, meeting.state) == ("Europe/Paris", "Léa", "planned")
    assert (said, "✅") in await signs(group)
    (told,) = await in_room(group, "made")
    assert "Réunion 1 : Budget de la fête, jeudi 3 décembre à 18 h 30, au local." in told.replace("\u00a0", " ")


async def test_the_whole_cycle_before_a_meeting(group: Bridge) -> None:
    await group.say(CALL)
    await next_step(group)
    assert len(await to_list(group, "call")) == len(await in_room(group, "call")) == 1
    await group.say("ordre du jour : remplacer le frigo")
    await next_step(group)
    (convocation,) = await to_list(group, "convocation")
    assert "remplacer le frigo" in body_of(convocation)
    assert convocation["Reply-To"] == "passerelle@membres.lab.test"
    (line,) = await in_room(group, "convocation")
    assert "remplacer le frigo" in line
    assert "Répondez ici" in line
    (invitation,) = await to_persons(group, "convocation")
    assert "monique@membres.lab.test" in invitation["To"]
    assert calendar_of(invitation)["METHOD"] == "REQUEST"
    await next_step(group)
    assert set(await directly(group, "reminder")) == {"@lea:lab.test"}
    (reminder,) = await to_persons(group, "reminder")
    assert "monique@membres.lab.test" in reminder["To"]
    assert (await meetings(group))[0].state == "convened"
