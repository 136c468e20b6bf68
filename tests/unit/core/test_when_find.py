"""Dates inside sentences: what a reader would point at, and nothing where a reader sees none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.when import FoundWhen, find_when
from tests.unit.core.test_when import GOLDEN, NOW, PARIS, WORDS, golden_id, is_to_come, read, shown, shown_shortly

SENTENCES = json.loads((Path(__file__).parents[2] / "samples" / "when" / "sentences.json").read_text())


def find(text: str, now: datetime = NOW) -> FoundWhen | None:
    return find_when(text, now=now, zone=PARIS)


@pytest.mark.parametrize("case", SENTENCES["cases"], ids=golden_id)
def test_sentences(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case.get("now", SENTENCES["now"])).replace(tzinfo=ZoneInfo(SENTENCES["zone"]))
    found = find_when(case["text"], now=now, zone=PARIS)
    if case["found"] is None:
        assert found is None
        return
    assert found is not None
    assert case["text"][found.start : found.end] == case["found"]
    wanted = {name: value for name, value in case.items() if name not in ("text", "found", "now")}
    if found.when is None:
        assert {"problem": found.problem, "candidates": [shown_shortly(one) for one in found.candidates]} == wanted
    else:
        assert shown(found.when) == wanted
        assert found.when.text == case["found"]
        assert found.candidates == ()
        assert found.problem is None


def test_there_are_many_sentences_and_many_without_a_date() -> None:
    without = [case for case in SENTENCES["cases"] if case["found"] is None]
    assert len(SENTENCES["cases"]) >= 60
    assert len(without) >= 30


WHOLE = [
    case for case in GOLDEN["cases"]
    if not {"problem", "now", "alone"} & case.keys() and len(case["text"].split()) > 2
]  # fmt: skip


@pytest.mark.parametrize("case", WHOLE, ids=golden_id)
def test_what_is_read_alone_is_found_in_a_sentence(case: dict[str, Any]) -> None:
    """Of an hour or a feast alone, a sentence has to say that it is meant."""
    found = find(f"Prévenir Annie {case['text']}, et Paul aussi")
    found = found or find(f"Prévenir Annie pour {case['text']}, et Paul aussi")
    assert found is not None
    assert found.when is not None
    assert shown(found.when) == shown(read(case["text"]))


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "pour", "avant", "d'ici", "Léa", "€", "@", "(", ")"]), max_size=14).map(" ".join)
    | st.text(max_size=120),
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2029, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_in_any_text(text: str, now: datetime) -> None:
    found = find(text, now)
    if found is None:
        return
    assert 0 <= found.start < found.end <= len(text)
    assert text[found.start : found.end].strip() == text[found.start : found.end]
    assert (found.when is None) == (found.problem is not None)
    for when in (found.when, *found.candidates):
        assert when is None or is_to_come(when, now)


def test_places_are_those_of_what_was_written() -> None:
    """Letters that fold to several, or to none, move nothing."""
    text = "Œuvre ﬁnie ½ e\u0301té \u200b: jeudi 9h, ﬁn"
    found = find(text)
    assert found is not None
    assert text[found.start : found.end] == "jeudi 9h"


def test_an_accent_behind_its_letter_is_cut_out_with_it() -> None:
    text = "fini jeudi soire\u0301e, ou presque"
    found = find(text)
    assert found is not None
    assert text[found.start : found.end] == "jeudi soire\u0301e"


@pytest.mark.parametrize("digit", ["٣", "፩", "²", "①", "३"])
def test_digits_of_other_scripts_are_no_accident(digit: str) -> None:
    for text in (f"le {digit} mars", f"{digit}h", f"dans {digit} jours", f"{digit}/11/2026"):
        found = find(text)
        assert found is None or found.when is None or digit in "²①"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("rappel hier soir apporter les clés", "hier soir"),
        ("aujourd'hui 9h apporter les clés", "aujourd'hui 9h"),
        ("réunion le 12/11/2025 à 18h", "le 12/11/2025 à 18h"),
        ("réunion samedi dernier", "samedi dernier"),
    ],
)
def test_who_needs_a_date_hears_that_it_is_over(text: str, written: str) -> None:
    assert find(text) is None
    found = find_when(text, now=NOW, zone=PARIS, with_past=True)
    assert found is not None
    assert (text[found.start : found.end], found.when, found.problem) == (written, None, "past")


def test_what_is_to_come_goes_before_what_is_over() -> None:
    text = "comme hier, ouvrir la salle jeudi 9h"
    found = find_when(text, now=NOW, zone=PARIS, with_past=True)
    assert found == find(text)
    assert found is not None


def test_cutting_it_out_leaves_the_rest() -> None:
    text = "relancer la mairie pour le 12/11"
    found = find(text)
    assert found is not None
    assert (text[: found.start] + text[found.end :]).strip() == "relancer la mairie"


def test_what_stands_far_behind_is_not_searched() -> None:
    assert find("x " * 1500 + "jeudi 9h") is None


@pytest.mark.parametrize(
    "text",
    [
        "pour le " * 4000,
        "jeudi et " * 4000,
        "du 3 au " * 4000,
        "tous les 1er et " * 3000,
        "1.1.1." * 4000,
        "à 1" * 9000,
    ],
)
def test_hostile_sentences_are_read_like_others(text: str) -> None:
    found = find(text)
    assert found is None or found.end <= 2000
