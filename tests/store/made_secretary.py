"""Entries, meetings, reminders and questions as tests need them: what a test does not speak of has a plain value."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName
from passerelle.core.meeting_model import NewMeeting
from passerelle.core.register_model import Entry, NewAsk, NewEntry, NewReminder
from passerelle.core.register_moves import FIRST_STATES
from passerelle.store.people import find_or_insert_person
from passerelle.store.register import insert_entry
from tests.store.made import LINK, NOW, A

OTHER = LinkName("jardin")


def new_entry(text: str = "louer la salle des fêtes", kind: str = "decision", **other: Any) -> NewEntry:
    values: dict[str, Any] = {
        "association": A,
        "link": LINK,
        "kind": kind,
        "text": text,
        "state": FIRST_STATES.get(kind, "reçue"),
        "said_at": NOW,
        "created_at": NOW,
    }
    return NewEntry(**(values | other))


async def made_entry(
    conn: AsyncConnection, text: str = "louer une salle", kind: str = "decision", **other: Any
) -> Entry:
    people = other.pop("people", ())
    sources = other.pop("sources", ())
    return await insert_entry(conn, new_entry(text, kind, **other), people, sources)


async def made_person(conn: AsyncConnection, name: str, address: str | None = None) -> int:
    address = address or f"{name.split()[0].lower()}@membres.lab.test"
    return await find_or_insert_person(conn, A, name=name, address=address, now=NOW)  # type: ignore[arg-type]


def new_meeting(title: str = "Réunion de bureau", **other: Any) -> NewMeeting:
    values: dict[str, Any] = {
        "association": A,
        "link": LINK,
        "uid": f"{title}@lab.test",
        "title": title,
        "starts_local": datetime(2026, 3, 12, 18, 30),  # noqa: DTZ001
        "zone": "Europe/Paris",
        "duration_minutes": 120,
        "created_at": NOW,
    }
    return NewMeeting(**(values | other))


def new_reminder(text: str = "apporter les clés", **other: Any) -> NewReminder:
    values: dict[str, Any] = {
        "association": A,
        "link": LINK,
        "target": "both",
        "text": text,
        "starts_local": datetime(2026, 3, 5, 9, 0),  # noqa: DTZ001
        "zone": "Europe/Paris",
        "next_at": NOW,
        "by_name": "Karim",
        "medium": "room",
        "created_at": NOW,
    }
    return NewReminder(**(values | other))


def new_ask(**other: Any) -> NewAsk:
    values: dict[str, Any] = {
        "association": A,
        "link": LINK,
        "kind": "date",
        "person_id": None,
        "about": {"entry": 1, "candidates": ["2026-11-12", "2026-11-19"]},
        "asked_at": NOW,
        "escalate_at": NOW,
    }
    return NewAsk(**(values | other))
