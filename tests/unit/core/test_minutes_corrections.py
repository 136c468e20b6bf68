"""`s/ancien/nouveau/`: what a draft takes by itself, and what it never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.minutes import Minutes, apply_correction, approve_minutes, build_minutes
from passerelle.render import load_words
from tests.unit.core.minutes_facts import facts_of

START = datetime(2026, 11, 12, 18, 30, tzinfo=UTC)
TOLD: dict[str, Any] = {
    "meeting": {"title": "réunion des voisns", "place": "rue de la Paix", "chair_name": "Lea"},
    "attendances": [
        {"name": "Lea"}, {"name": "Paul Lefèvre"}, {"name": "Léa Bonnet"},
        {"name": "Annie", "presence": "represented", "represented_by": "Paul Lefèvre"},
    ],
    "entries": [
        {"kind": "decision", "number": 12, "text": "louer la salle pour 150 €", "objections": [
            {"name": "Paul", "reason": "150 €, c’est trop"}]},
        {"kind": "action", "number": 13, "text": "Lea écrit à l’école, puis à l’école voisine", "people": ["Lea"]},
    ],
    "votes": [{"text": "150 €", "in_favour": 12, "against": 3}],
    "spans": [{"started_at": START}],
    "posts": [{"author": "Lea", "said_at": START, "text": "Je trouve 150 € trop cher."}],
}  # fmt: skip
DRAFT = build_minutes(facts_of(TOLD), words=load_words("fr"))


def corrected(old: str, new: str) -> Minutes:
    made = apply_correction(DRAFT, old, new)
    assert made is not None
    return made


def test_a_word_is_replaced_in_every_place_and_the_version_goes_up() -> None:
    made = corrected("école", "mairie")
    assert made.actions[0].text == "Lea écrit à l’mairie, puis à l’mairie voisine"
    assert made.version == DRAFT.version + 1


def test_a_name_is_corrected_wherever_somebody_is_called_by_it() -> None:
    made = corrected("Lea", "Lia")
    assert [one.name for one in made.presence.present] == ["Lia", "Paul Lefèvre", "Léa Bonnet"]
    assert (made.chair, made.actions[0].names, made.topics[0].excerpts[0].author) == ("Lia", ("Lia",), "Lia")


def test_whole_words_come_first() -> None:
    told = {**TOLD, "entries": [{"kind": "info", "text": "la salle et les salles"}]}
    made = apply_correction(build_minutes(facts_of(told), words=load_words("fr")), "salle", "cour")
    assert made is not None
    assert made.infos[0].text == "la cour et les salles"


def test_a_piece_of_a_word_is_taken_from_four_letters_on() -> None:
    assert corrected("voisn", "voisin").title == "réunion des voisins"
    assert apply_correction(DRAFT, "vsn", "x") is None
    assert apply_correction(DRAFT, "ns", "x") is None


@pytest.mark.parametrize("typed", ["150 €", "150\u00a0€", "150\u202f€"])
def test_one_space_is_as_good_as_another(typed: str) -> None:
    assert corrected(typed, "160 €").decisions[0].text == "louer la salle pour 160 €"


def test_one_apostrophe_is_as_good_as_another() -> None:
    assert corrected("l'école voisine", "la mairie").actions[0].text == "Lea écrit à l’école, puis à la mairie"


def test_what_was_said_counted_or_objected_is_not_touched() -> None:
    made = corrected("150 €", "160 €")
    assert made.topics[0].excerpts[0].text == "Je trouve 150 € trop cher."
    assert made.decisions[0].objections[0].reason == "150 €, c’est trop"
    assert made.votes == DRAFT.votes


@pytest.mark.parametrize("number", ["12", "13", "3", "2026", "4"])
def test_numbers_counts_votes_and_times_are_not_touched(number: str) -> None:
    assert apply_correction(DRAFT, number, "99") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "x"), ("é", "x"), (" ", "x"), ("zèbre", "x"), ("Lea", "Lea"),
        # Nothing would be left of it, or it would be an address.
        ("rue de la Paix", ""), ("Lea", ""), ("Annie", "annie@orange.example"),
        # Two persons would be one: the count would be wrong.
        ("Lea", "Paul Lefèvre"), ("Annie", "Lea"),
    ],
)  # fmt: skip
def test_what_would_leave_the_minutes_wrong_goes_to_the_chair(old: str, new: str) -> None:
    assert apply_correction(DRAFT, old, new) is None


def test_approved_minutes_are_not_corrected() -> None:
    assert apply_correction(approve_minutes(DRAFT, date(2026, 11, 20)), "salle", "cour") is None


def test_signs_of_patterns_are_only_signs() -> None:
    assert apply_correction(DRAFT, ".*", "x") is None
    assert corrected("salle", r"\1 $& \g<0>").decisions[0].text == r"louer la \1 $& \g<0> pour 150 €"


def test_a_correction_of_many_lines_stays_on_one() -> None:
    assert corrected("salle", "cour\n\nde l’école").decisions[0].text == "louer la cour de l’école pour 150 €"


@given(old=st.text(max_size=20), new=st.text(max_size=20))
def test_counts_and_votes_never_change(old: str, new: str) -> None:
    made = apply_correction(DRAFT, old, new)
    if made is None:
        return
    assert made.votes == DRAFT.votes
    assert [entry.number for entry in made.decisions] == [12]
    before, after = DRAFT.presence, made.presence
    assert replace(after, present=(), represented=(), spoke=()) == replace(before, present=(), represented=(), spoke=())
    assert len({one.name for one in after.present}) == len({one.name for one in before.present})
