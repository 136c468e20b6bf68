"""What tests of meetings ask of the bridge: steps that run, mails and lines that left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from icalendar import Calendar

from passerelle.core.ids import MeetingId
from passerelle.core.links import Links
from passerelle.core.meeting_model import Meeting, Rsvp
from passerelle.core.model import OutboxRow
from passerelle.flows.meeting_steps import do_meeting_steps, next_meeting_step_at
from passerelle.store.meeting_people import list_rsvps
from passerelle.store.meetings import list_meetings
from tests.flows.bridge import BRIDGE, Bridge, mail

MONIQUE = "Monique Delattre <monique@membres.lab.test>"
COORDINATORS = [{"name": "Monique", "address": "monique@membres.lab.test", "matrix": "@karim:lab.test"}]


async def meetings(bridge: Bridge) -> list[Meeting]:
    async with bridge.ctx.store.read() as conn:
        return await list_meetings(conn, bridge.link.association_name)


async def rsvps(bridge: Bridge, id: int) -> list[Rsvp]:
    async with bridge.ctx.store.read() as conn:
        return await list_rsvps(conn, MeetingId(id))


async def answered(bridge: Bridge, id: int) -> dict[str, str]:
    """Who said what."""
    return {one.name: one.answer for one in await rsvps(bridge, id)}


async def next_step(bridge: Bridge) -> datetime:
    """Time passes until the next step of a meeting is due, and it is done; what it made leaves."""
    at = await next_meeting_step_at(bridge.ctx)
    assert at is not None
    bridge.clock[0] = max(bridge.now(), at)
    await do_meeting_steps(bridge.ctx)
    await bridge.notices_leave()
    return at


async def notices(bridge: Bridge, step: str) -> list[OutboxRow]:
    """What left about meetings for one step, in its order."""
    rows = [row for row in await bridge.outbox() if row.unique_key.startswith("about/meeting/")]
    return [row for row in rows if row.unique_key.split("/")[3] == step]


async def to_list(bridge: Bridge, step: str) -> list[EmailMessage]:
    rows = [row for row in await notices(bridge, step) if row.lane == bridge.link.list_lane]
    return [await read(bridge, row) for row in rows]


async def to_persons(bridge: Bridge, step: str) -> list[EmailMessage]:
    rows = [row for row in await notices(bridge, step) if row.kind == "email" and row.lane.startswith("out:person:")]
    return [await read(bridge, row) for row in rows]


async def in_room(bridge: Bridge, step: str) -> list[str]:
    return [str((row.content or {})["body"]) for row in await notices(bridge, step) if row.kind == "event"]


async def directly(bridge: Bridge, step: str) -> dict[str, str]:
    """Direct messages, by whom they are for."""
    rows = [row for row in await notices(bridge, step) if row.kind == "direct"]
    return {str(row.recipient): str((row.content or {})["body"]) for row in rows}


async def event_of(bridge: Bridge, step: str) -> str:
    """The event ID of what the room was told."""
    (row,) = [row for row in await notices(bridge, step) if row.kind == "event"]
    return f"$sent{row.id}"


async def read(bridge: Bridge, row: OutboxRow) -> EmailMessage:
    return message_from_bytes(await bridge.raw_of(row), policy=policy.default)  # type: ignore[return-value]


def calendar_of(letter: EmailMessage) -> Calendar:
    """The one calendar part of a mail."""
    (part,) = [one for one in letter.walk() if one.get_content_type() == "text/calendar"]
    return Calendar.from_ical(part.get_payload(decode=True))


def letter(subject: str, body: str = "", *, author: str = MONIQUE, message_id: str = "lettre@x", answering: tuple[str, ...] = ()) -> bytes:  # fmt: skip  # noqa: E501
    """A mail to the bridge's own address."""
    raw = mail(body, author=author, message_id=message_id, to=BRIDGE, list_id=None, answering=answering)
    return raw.replace(b"Subject: [bureau] Loto du quartier", f"Subject: {subject}".encode())


async def react(bridge: Bridge, target: str, key: str, *, sender: str = "@lea:lab.test") -> str:
    relation = {"rel_type": "m.annotation", "event_id": target, "key": key}
    event = bridge.event(sender, {"m.relates_to": relation}, kind="m.reaction")
    await bridge.happen(event)
    return str(event["event_id"])


def reply_to(event_id: str) -> dict[str, object]:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": event_id}}}


def configured(bridge: Bridge, **sections: dict[str, object]) -> Bridge:
    """The same bridge, whose association is configured otherwise: `meetings={"call_days": 0}`."""
    (association,) = bridge.ctx.settings.associations
    update = {name: getattr(association, name).model_copy(update=values) for name, values in sections.items()}
    settings = bridge.ctx.settings.model_copy(update={"associations": (association.model_copy(update=update),)})
    token = bridge.token
    bridge.ctx = replace(bridge.ctx, settings=settings, links=Links(settings))
    bridge.__post_init__()
    bridge.token = token
    return bridge
