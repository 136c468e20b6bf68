"""Minutes in words: French sentences, times of the meeting's own zone, links only where there is a web."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from passerelle.core.minutes import build_minutes
from passerelle.core.minutes_sheet import MinutesSheet
from passerelle.core.minutes_words import build_sheet
from passerelle.core.wording import Language
from passerelle.render import load_words
from tests.unit.core.minutes_facts import facts_of

NBSP = "\u00a0"


def sheet(language: Language = "fr", site: str = "", is_signed: bool = False, **told: Any) -> MinutesSheet:
    words = load_words(language)
    return build_sheet(build_minutes(facts_of(told), words=words), words=words, site=site, is_signed=is_signed)


def one(kind: str, **told: Any) -> Any:
    found = sheet(entries=[{"kind": kind, "number": 12, "text": "la sono", **told}])
    lines = (*found.decisions, *found.actions, *(line for section in found.sections for line in section.lines))
    return lines[0]


@pytest.mark.parametrize(
    ("told", "who", "due"),
    [
        ({"kind": "action", "people": ["Léa", "Paul"]}, "Léa et Paul", ""),
        ({"kind": "action"}, "à confier à quelqu’un", ""),
        ({"kind": "action", "due_on": datetime(2026, 12, 1, tzinfo=UTC).date()}, None, "pour le mardi 1er décembre"),
        ({"kind": "action", "due_on": datetime(2027, 1, 4, tzinfo=UTC).date()}, None, "pour le lundi 4 janvier 2027"),
        ({"kind": "loan", "people": ["Karim"]}, "chez Karim", ""),
        ({"kind": "booking", "people": ["Léa"]}, "pour Léa", ""),
        ({"kind": "info", "people": []}, "", ""),
    ],
)
def test_who_and_by_when(told: dict[str, Any], who: str | None, due: str) -> None:
    line = one(**told)
    assert who is None or line.who == who
    assert line.due == due


@pytest.mark.parametrize(
    ("kind", "state", "said"),
    [
        ("decision", "adopted", "Adoptée"), ("decision", "dropped", "Abandonnée"), ("action", "open", ""),
        ("action", "done", "Faite"), ("loan", "out", ""), ("loan", "returned", "Rendu"), ("info", "kept", ""),
    ],
)  # fmt: skip
def test_states_are_said_where_there_is_something_to_say(kind: str, state: str, said: str) -> None:
    assert one(kind, state=state).state == said


def test_a_vote_of_nobody_is_not_unanimous() -> None:
    found = sheet(votes=[{"text": "x", "in_favour": 0}])
    assert found.votes[0].notes == (f"Vote à main levée{NBSP}: 0 pour, 0 contre, 0 abstention.",)


def test_a_vote_is_never_called_secret() -> None:
    found = str(sheet(votes=[{"text": "x", "in_favour": 3, "method": method} for method in ("hands", "reply")]))
    assert "secret" not in found.lower()


@pytest.mark.parametrize(
    ("kind", "noted", "told"), [("assembly", True, 2), ("assembly", False, 1), ("meeting", True, 1)]
)
def test_more_votes_than_voters_are_said_of_an_assembly(kind: str, noted: bool, told: int) -> None:
    attendances = [{"name": "Paul"}] if noted else []
    found = sheet(meeting={"kind": kind}, attendances=attendances, votes=[{"text": "x", "in_favour": 5}])
    assert len(found.votes[0].notes) == told


def test_links_only_where_there_is_a_web() -> None:
    entry = {"kind": "decision", "number": 1, "text": "x", "path": "/epeule/p/a"}
    assert sheet(entries=[entry]).decisions[0].url == ""
    assert sheet(site="https://a.example/", entries=[entry]).decisions[0].url == "https://a.example/epeule/p/a"


@pytest.mark.parametrize(
    ("url", "led"),
    [
        ("https://visio.example/a", True),
        ("http://visio.example", True),
        ("javascript:alert(1)", False),
        ("salle 3", False),
        ("https://a b", False),
    ],
)
def test_only_web_addresses_are_links(url: str, led: bool) -> None:
    fact = next(fact for fact in sheet(meeting={"url": url}).facts if fact.text == url)
    assert fact.url == (url if led else "")


def test_an_assembly_is_signed_and_a_meeting_where_it_is_asked() -> None:
    assert [one.role for one in sheet(meeting={"kind": "assembly"}).signatures] == [
        "Présidence de séance",
        "Secrétariat de séance",
    ]
    assert sheet().signatures == ()
    assert len(sheet(is_signed=True).signatures) == 2


def test_times_are_those_of_the_meetings_place() -> None:
    words = load_words("fr", ZoneInfo("Europe/Paris"))
    facts = facts_of({"meeting": {"zone": "Indian/Reunion"}})
    assert build_sheet(build_minutes(facts, words=words), words=words).when.endswith(f"à 18{NBSP}h{NBSP}30")


def test_every_configured_kind_has_its_title() -> None:
    found = sheet(
        kinds=[{"name": "demande", "words": ["demande", "demandes"], "states": ["reçue", "acceptée"]}],
        entries=[{"kind": "demande", "number": 3, "text": "une table", "state": "acceptée"}],
    )
    assert [(section.title, section.lines[0].label, section.lines[0].state) for section in found.sections] == [
        ("Demandes", "N° 3", "Acceptée")
    ]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("state", ["standing", "withdrawn", "settled"])
def test_every_objection_can_be_said(language: Language, state: str) -> None:
    at = datetime(2026, 11, 12, tzinfo=UTC)
    told = {"withdrawn": {"withdrawn_at": at}, "settled": {"settled_at": at}}.get(state, {})
    entry = {"kind": "decision", "text": "x", "objections": [{"name": "Annie", "reason": "trop cher", **told}]}
    note = sheet(language, entries=[entry]).decisions[0].notes[0]
    assert "Annie" in note
    assert "trop cher" in note
