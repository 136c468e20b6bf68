"""Who comes: one tally, whichever way somebody answers."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage

import pytest

from passerelle.store.inbox import list_inbox
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, body_of, mail
from tests.flows.meetings import (
    COORDINATORS,
    answered,
    directly,
    event_of,
    letter,
    meetings,
    next_step,
    react,
    reply_to,
    rsvps,
    to_list,
    to_persons,
)
from tests.flows.test_register_commands import answers, told_in_room
from tests.flows.test_register_notes import signs

CALL = "!réunion jeudi 3 décembre 18h30 au local : budget de la fête"


@pytest.fixture
async def convened(make_bridge: MakeBridge) -> Bridge:
    """A meeting whose convocation has left."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS, quiet_from="00:00", quiet_until="00:00")
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    await bridge.receive(
        mail("Bonjour.", message_id="paul@x", author="Paul Roux <roux@membres.lab.test>", subject="Bonjour")
    )
    await bridge.say("bonjour")
    await bridge.say(CALL)
    await next_step(bridge)
    await next_step(bridge)
    return bridge


async def convocation_id(bridge: Bridge) -> str:
    return str((await to_list(bridge, "convocation"))[0]["Message-ID"]).strip("<>")


async def test_a_reply_by_mail_a_line_and_a_sign_make_one_tally(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.receive(
        letter("Re: Réunion", "Je viens.\n\nMonique", answering=(await convocation_id(convened),), message_id="r1@x")
    )
    said = await convened.say("je ne peux pas", **reply_to(about))
    await react(convened, about, "✅", sender="@karim:lab.test")
    assert await answered(convened, 1) == {"Monique Delattre": "yes", "Léa": "no", "Karim": "yes"}
    assert {one.name: one.medium for one in await rsvps(convened, 1)} == {
        "Monique Delattre": "mail",
        "Léa": "room",
        "Karim": "room",
    }
    assert (said, "✅") in await signs(convened)
    # Nobody's mailbox is filled with « c'est noté ».
    assert await answers(convened) == []
    await convened.say("!présents")
    (told,) = await told_in_room(convened)
    assert "2 personnes viennent" in told
    assert "Karim" in told
    assert "Monique Delattre" in told


async def test_the_reminder_goes_to_who_comes_and_who_has_not_answered(convened: Bridge) -> None:
    about = await event_of(convened, "convocation")
    await convened.say("je ne peux pas", **reply_to(about))
    await react(convened, about, "✅", sender="@karim:lab.test")
    await convened.receive(
        letter("Re: Réunion", "plus de rappels", answering=(await convocation_id(convened),), message_id="r1@x")
    )
    await next_step(convened)
    assert set(await directly(convened, "reminder")) == {"@karim:lab.test"}
    (reminder,) = await to_persons(convened, "reminder")
    assert "roux@membres.lab.test" in reminder["To"]
    assert "1 personne vient" in body_of(reminder)
    assert "Karim" not in body_of(reminder)


async def test_a_calendar_button_counts_in_the_same_tally(convened: Bridge) -> None:
    await convened.receive(await reply_of(convened, "monique@membres.lab.test", "ACCEPTED"))
    assert await answered(convened, 1) == {"Monique Delattre": "yes"}
    assert (await rsvps(convened, 1))[0].medium == "calendar"
    # Nothing is kept of the mail: it may say why.
    async with convened.ctx.store.read() as conn:
        last = (await list_inbox(conn, limit=10_000))[-1]
    assert last.reason == "obeyed"
    assert last.raw_hash is None


async def test_a_button_of_somebody_who_was_not_invited_counts_for_nobody(convened: Bridge) -> None:
    await convened.receive(await reply_of(convened, "mechant@ailleurs.test", "ACCEPTED"))
    assert await answered(convened, 1) == {}
    assert await answers(convened) == []


async def reply_of(bridge: Bridge, address: str, partstat: str, **more: str) -> bytes:
    """What a mail program sends when its button is pressed."""
    (meeting,) = await meetings(bridge)
    method = more.get("method", "REPLY")
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Test//FR",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{more.get('uid', meeting.uid)}",
        "DTSTAMP:20261124T100000Z",
        f"DTSTART:{more.get('start', '20261203T173000Z')}",
        f"SEQUENCE:{more.get('sequence', '0')}",
        *([f"COMMENT:{more['comment']}"] if "comment" in more else []),
        f"ATTENDEE;PARTSTAT={partstat}:mailto:{address}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = more.get("sender", address)
    made["To"] = BRIDGE
    made["Subject"] = "Accepté : Budget de la fête"
    made["Message-ID"] = f"<{partstat}@agenda.test>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("Je suis opérée ce jour-là.")
    made.add_attachment("\r\n".join(lines), subtype="calendar", params={"method": method})
    return made.as_bytes()
