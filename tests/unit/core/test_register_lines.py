"""Lines that note something: what counts as one, and what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.grammar_help import line_rows
from passerelle.core.register_line_notes import EntryNote, Note
from passerelle.core.register_line_words import LINES, LineRow
from passerelle.core.register_lines import MOST_NOTES, parse_notes
from passerelle.core.secretary_settings import KindSettings
from passerelle.core.spoken_words import plain
from passerelle.render import load_words
from tests.unit.core.grammar_cases import KINDS, NOW, ZONE, cases, shown

CASES = cases("lines.json")


def notes_of(text: str, known: tuple[str, ...] = ()) -> tuple[Note, ...]:
    return parse_notes(text, kinds=KINDS, now=NOW, zone=ZONE, names_known=known)


def written(notes: tuple[Note, ...]) -> list[Any]:
    return [{"note": type(note).__name__.removesuffix("Note"), **shown(note)} for note in notes]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:60])
def test_what_is_noted(case: dict[str, Any]) -> None:
    assert written(notes_of(case["said"], tuple(case.get("known", ())))) == case["notes"]


def test_there_are_cases_enough_of_both_sorts() -> None:
    assert len(CASES) >= 150
    assert len([case for case in CASES if not case["notes"]]) >= 40


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.kind)
def test_every_example_of_the_table_is_understood(row: LineRow) -> None:
    for example in (row.example_french, row.example_english):
        notes = notes_of(example)
        assert len(notes) == 1, example
        expected = {"returned": "Return", "proxy": "Presence", "vote": "Vote", "quorum": "Quorum"}
        kind = type(notes[0]).__name__.removesuffix("Note")
        assert kind == expected.get(row.kind, kind)
        assert not isinstance(notes[0], EntryNote) or notes[0].kind == row.kind


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_kind_is_explained_by_one_short_sentence(language: Any) -> None:
    rows = list(line_rows(load_words(language)))
    assert [row.name for row in rows] == [row.kind for row in LINES]
    assert not [row.what for row in rows if len(row.what.split()) > 12 or not row.what.endswith(".")]


def test_no_word_means_two_kinds() -> None:
    seen: dict[str, str] = {}
    for row in LINES:
        for word in {plain(word) for word in (*row.french, *row.english)}:
            assert seen.setdefault(word, row.kind) == row.kind, word


#: Ways to write the same line.
SPELLINGS = ("{}", "- {}", "• {}", "* {}", "1. {}", "a) {}", "  {}", "**{}**")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("colon", [":", " :", "\u00a0:", "\u202f:", "： ", " ： "])
@pytest.mark.parametrize("word", ["décision", "Décision", "DÉCISION", "decision", "Décision·s", "décision(s)"])
def test_spelling_does_not_matter(word: str, colon: str, spelling: str) -> None:
    notes = notes_of(spelling.format(f"{word}{colon} louer la salle"))
    assert written(notes) == [{"note": "Entry", "kind": "decision", "text": "louer la salle"}]


@pytest.mark.parametrize("apostrophe", ["'", "’", "ʼ"])
def test_both_apostrophes(apostrophe: str) -> None:
    (note,) = notes_of(f"point à l{apostrophe}ordre du jour : les clés")
    assert isinstance(note, EntryNote)
    assert note.kind == "agenda"


def test_a_word_of_the_association_goes_before_ours() -> None:
    kinds = (KindSettings(name="achat", words=("action", "achats")),)
    (note,) = parse_notes("action : acheter des tables", kinds=kinds, now=NOW, zone=ZONE)
    assert written((note,)) == [{"note": "Entry", "kind": "achat", "text": "acheter des tables"}]


def test_long_words_are_cut_and_a_flood_ends() -> None:
    (note,) = notes_of("décision : " + "a" * 5000)
    assert isinstance(note, EntryNote)
    assert len(note.text) == 600
    assert len(notes_of("info : x\n" * 5000)) == MOST_NOTES


LINES_OF_TEXT = st.sampled_from(
    [
        "décision : louer", "- action : @Léa relancer", "Décisions :", "- acheter", "  - détail", "", "Bonjour,", "```",
        "> info : x", "présents : Léa, Karim", "vote : 3 pour, 1 contre", "# Actions", "**Idées** :", "1. un",
    ]
)  # fmt: skip


@given(st.text(max_size=400))
def test_nothing_raises(text: str) -> None:
    words = (
        "action",
        "prêt",
        "présents",
        "vote",
        "fréquentation",
        "pouvoir",
        "réserver",
        "rendu",
        "quorum",
        "président",
    )
    for said in (text, f"décisions :\n- {text}", *(f"{word} : {text}" for word in words)):
        assert isinstance(notes_of(said, ("Léa", "Paul Martin")), tuple)


@given(st.lists(LINES_OF_TEXT, max_size=25))
def test_notes_stand_in_the_order_of_their_lines(lines: list[str]) -> None:
    places = [note.line for note in notes_of("\n".join(lines))]
    assert places == sorted(places)
    assert all(0 <= place < len(lines) for place in places)


@given(
    st.sampled_from(CASES),
    st.sampled_from(["Bonne journée,\nLéa", "-- \nLéa Martin\n06 12 34 56 78", "Je ne sais pas."]),
)
def test_what_follows_in_prose_changes_nothing(case: dict[str, Any], prose: str) -> None:
    known = tuple(case.get("known", ()))
    if case["said"].count("```") % 2 == 0:
        assert notes_of(f"{case['said']}\n\n{prose}", known) == notes_of(case["said"], known)


@pytest.mark.parametrize(
    "piece", ["a ", "à ", "@a ", "#a ", "12 ", "Annie à Paul ", "( ", "; ", "[a](", "- a\n", "le 12 "]
)
@pytest.mark.parametrize("word", ["action", "prêt", "présents", "pouvoir", "vote", "réserver", "fréquentation"])
def test_a_flood_of_anything_is_read_to_its_end(word: str, piece: str) -> None:
    assert len(notes_of(f"{word} : {piece * 5000}", ("Annie", "Léa Martin"))) <= MOST_NOTES
