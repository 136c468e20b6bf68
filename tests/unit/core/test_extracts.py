"""Extracts: the author's own words, with what was searched marked in them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.extracts import confirm, extract
from passerelle.core.folding import words_of
from passerelle.core.search_query import Query, parse_query

NOW = datetime(2026, 11, 19, 10, tzinfo=UTC)
FILLER = "Bonjour à toutes et à tous. " + "Voici quelques nouvelles du jardin partagé et de ses bancs. " * 12


def query(text: str) -> Query:
    return parse_query(text, now=NOW, zone=ZoneInfo("Europe/Paris"))


def marked(text: str, searched: str, **options: int) -> str:
    """The extract, hits in brackets."""
    return "".join(f"[{p.text}]" if p.hit else p.text for p in extract(text, query(searched), **options))


@pytest.mark.parametrize(
    ("text", "searched", "expected"),
    [
        ("La réunion est à 18 h.", "reunions", "La [réunion] est à 18 h."),
        ("Les Événements\nde l’été", "evenement", "Les [Événements] de l’été"),
        ("C’est l'harmonie de l’Épeule", "epeule harmonie", "C’est l'[harmonie] de l’[Épeule]"),
        ("Mon cœur (tout) bat", "coeur", "Mon [cœur] (tout) bat"),
        ("Un rendez-vous, un rendez", "rendez-vous", "Un [rendez]-[vous], un rendez"),
        ("Des réunions, une réunion", '"réunion"', "Des réunions, une [réunion]"),
        ("Le conseil d’administration", "« conseil d'administration »", "Le [conseil] d’[administration]"),
        ("Le conseil, l’administration", "conseil -administration", "Le [conseil], l’administration"),
        ("Le budget", "objet:budget", "Le budget"),
        ("Le budget", "non-cité:budget", "Le [budget]"),
        ("Le budget", "cité:budget", "Le budget"),
        ("", "budget", ""),
    ],
)
def test_what_was_searched_is_marked_in_the_authors_words(text: str, searched: str, expected: str) -> None:
    assert marked(text, searched) == expected


def test_the_part_that_shows_most_of_the_search_is_chosen() -> None:
    text = f"Le budget d’abord. {FILLER} Voici le budget de la fête des voisins, enfin voté. {FILLER}"
    shown = marked(text, "budget fête voisins", length=80)
    assert shown.startswith("… ")
    assert "[budget] de la [fête] des [voisins]" in shown
    assert shown.endswith(" …")


def test_an_extract_begins_with_a_sentence_where_one_is_near() -> None:
    assert marked(f"{FILLER} La salle est prête.", "salle", length=60).startswith("… La [salle] est prête") is False
    assert "[salle] est prête." in marked(f"{FILLER} La salle est prête.", "salle", length=60)
    assert marked(f"{FILLER} La salle est prête. {FILLER}", "salle", length=60).startswith("… La [salle] est prête.")


def test_where_nothing_is_marked_the_beginning_is_shown() -> None:
    assert marked(FILLER, "absent", length=30) == "Bonjour à toutes et à tous. …"


def test_a_phrase_is_marked_across_lines_and_quotes_of_cited_text_are_not_taken_for_own_words() -> None:
    assert marked("la fête\n\n  des voisins", '"fête des voisins"') == "la [fête] [des] [voisins]"
    pieces = extract("le budget", query("cité:budget"), column="quoted")
    assert [piece.text for piece in pieces if piece.hit] == ["budget"]


@pytest.mark.parametrize(
    ("text", "searched", "stands"),
    [
        ("Une RÉUNION !", '"réunion"', True),
        ("Des réunions", '"réunion"', False),
        ("le conseil d’administration", '"conseil d\'administration"', True),
        ("le conseil de l’administration", '"conseil d\'administration"', False),
        ("fête\ndes   voisins", '"fete des voisins"', True),
        ("la fêtedes voisins", '"fete des voisins"', False),
        ("", '"réunion"', False),
    ],
)
def test_an_exact_phrase_is_confirmed_on_the_text(text: str, searched: str, stands: bool) -> None:
    assert confirm(text, query(searched).phrases[0]) is stands


@given(
    text=st.text(alphabet=st.sampled_from("aeéŒ’ '-.\n«»ß\u0301\u00ad") | st.characters(), max_size=300),
    searched=st.lists(st.sampled_from(["a", "é", "œ", "ae", '"e a"', "aa", "e-a"]), min_size=1, max_size=4),
    length=st.integers(min_value=1, max_value=120),
)
def test_an_extract_is_part_of_the_text_and_no_longer_than_asked(text: str, searched: list[str], length: int) -> None:
    pieces = extract(text, query(" ".join(searched)), length=length)
    shown = "".join(piece.text for piece in pieces)
    assert len(shown) <= length + 4
    bare = shown.removeprefix("… ").removesuffix(" …")
    assert all(part in " ".join(text.split()) for part in bare.split(" "))
    assert all(len(words_of(piece.text)) >= 1 for piece in pieces if piece.hit)


def test_a_page_of_extracts_of_a_hostile_text_is_bounded() -> None:
    text = "a " * 400_000 + "b" * 300_000
    assert len("".join(piece.text for piece in extract(text, query('"a a a a b" a')))) <= 204
