"""A convocation in words: day, hours, place, agenda, and an answer that needs no explanation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from passerelle.core.convocation import Convocation, ConvocationFacts, build_convocation
from passerelle.core.wording import Language
from passerelle.errors import MalformedRecurrence
from passerelle.render import Renderer
from tests.unit.core.minutes_facts import meeting_of

NBSP = "\u00a0"


def convocation(language: Language = "fr", meeting: dict[str, Any] | None = None, **told: Any) -> Convocation:
    facts = ConvocationFacts(meeting=meeting_of(meeting or {}), association="Comité", **told)
    return build_convocation(facts, words=Renderer(None, language).words, site="https://a.example")


def mail(made: Convocation, *, has_sheet: bool = False) -> str:
    letter = Renderer(None, "fr").letter("minutes/convocation", convocation=made, has_sheet=has_sheet)
    return f"{letter.subject}\n{letter.text}"


def test_when_and_where() -> None:
    made = convocation(meeting={"place": "local", "duration_minutes": 90})
    assert made.subject == f"Réunion du bureau, jeudi 12 novembre à 18{NBSP}h{NBSP}30"
    assert (made.day, made.hours) == ("jeudi 12 novembre 2026", f"de 18{NBSP}h{NBSP}30 à 20{NBSP}h")


def test_hours_are_those_of_the_meetings_place_over_a_change_of_hour() -> None:
    starts = datetime(2026, 10, 25, 1, 30)  # noqa: DTZ001 - of the wall clock
    made = convocation(meeting={"starts_local": starts, "duration_minutes": 180})
    assert made.hours == f"de 1{NBSP}h{NBSP}30 à 3{NBSP}h{NBSP}30"


def test_an_answer_is_one_touch_away() -> None:
    made = convocation(reply_address="pont+r4@epeule.example")
    link = urlsplit(made.mailto_yes)
    assert (link.scheme, link.path) == ("mailto", "pont+r4@epeule.example")
    assert parse_qs(link.query) == {"subject": [made.subject], "body": ["je viens"]}
    assert " " not in made.mailto_no


def test_the_mail_says_how_to_answer_and_that_no_reason_is_asked() -> None:
    text = mail(convocation(reply_address="pont@epeule.example", agenda=("Budget",)))
    assert f"Répondez «{NBSP}je viens{NBSP}» ou «{NBSP}je ne peux pas{NBSP}»\u202f; inutile d’expliquer." in text
    assert "mailto:pont@epeule.example" in text
    assert "1. Budget" in text
    assert "pouvoir" not in text


def test_an_assembly_says_how_to_give_a_proxy() -> None:
    made = convocation(meeting={"kind": "assembly"}, quorum=12)
    assert made.quorum == "Il faut 12 personnes présentes ou représentées."
    assert f"«{NBSP}pouvoir{NBSP}: votre nom à son nom{NBSP}»" in mail(made)


def test_an_open_agenda_asks_for_items() -> None:
    assert f"«{NBSP}ordre du jour{NBSP}: votre idée{NBSP}»" in mail(convocation())


def test_who_is_told_by_word_of_mouth_stands_on_paper_only() -> None:
    made = convocation(by_voice=("Mme Haddad", "jeanne@orange.example", "  "))
    assert made.by_voice == ("Mme Haddad",)
    assert "Haddad" not in mail(made, has_sheet=True)
    assert "feuille jointe" in mail(made, has_sheet=True)


def test_html_says_the_same_and_escapes() -> None:
    made = convocation(
        meeting={"title": "<b>réunion</b>", "url": "javascript:alert(1)"},
        agenda=("<script>",),
        reply_address="pont@epeule.example",
        path="/e/p/x",
    )
    html = Renderer(None, "fr").letter_html("minutes/convocation", convocation=made, has_sheet=True)
    assert html is not None
    assert "<script>" not in html
    assert "javascript:" not in html
    assert "&lt;b&gt;réunion&lt;/b&gt;" in html
    assert 'href="mailto:pont@epeule.example?subject=' in html
    assert 'href="https://a.example/e/p/x"' in html


def test_english() -> None:
    made = convocation("en", meeting={"kind": "assembly"}, quorum=2)
    assert made.hours == "from 18:30 to 20:30"
    assert made.kind == "Convocation to the general assembly"


def test_a_zone_that_is_none_is_an_error() -> None:
    with pytest.raises(MalformedRecurrence):
        convocation(meeting={"zone": "Europe/Nowhere"})
