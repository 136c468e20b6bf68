"""What was understood of a search, and what is wrong with one, as members read it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from passerelle.core.search_query import parse_query
from passerelle.core.search_wording import describe, problem_sentence
from passerelle.core.wording import NARROW_NBSP, NBSP
from passerelle.errors import QueryProblem
from passerelle.render import load_words

NOW = datetime(2026, 11, 19, 10, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
FRENCH = load_words("fr", PARIS)
ENGLISH = load_words("en", PARIS)


def understood(text: str, words: object = FRENCH) -> str:
    parts = describe(parse_query(text, now=NOW, zone=PARIS), words)  # type: ignore[arg-type]
    return ", ".join(parts).replace(NBSP, " ").replace(NARROW_NBSP, " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Budget", "« Budget »"),
        ('"fête des voisins" -objet:loto', "exactement « fête des voisins », sans « loto » dans l’objet"),
        ("pj:facture cité:oui non-cité:merci", "« facture » dans les pièces jointes, « oui » dans les passages cités, "
         "« merci » hors des passages cités"),
        ("de:Léa liste:Bureau salon:Jardin", "écrit par Léa, dans Bureau ou Jardin"),
        ("dans:salon pièce:oui", "écrit dans le salon, avec une pièce jointe"),
        ("dans:liste pièce:non", "envoyé par courriel, sans pièce jointe"),
        ("dans:k7qz2mabcdef tri:pertinence", "dans une seule conversation, les plus pertinents d’abord"),
        ("après:mars", "depuis le 1er mars 2026"),
        ("avant:12/11/2026", "avant le 12 novembre 2026"),
        ("en mars", "du 1er mars 2026 au 31 mars 2026"),
        ("hier", "le 18 novembre 2026"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_was_understood_is_told(text: str, expected: str) -> None:
    assert understood(text) == expected


def test_what_was_understood_is_told_in_english() -> None:
    assert understood("from:Léa subject:budget since:march", ENGLISH) == (
        "“budget” in the subject, written by Léa, since 1 March 2026"
    )


@pytest.mark.parametrize("words", [FRENCH, ENGLISH])
@pytest.mark.parametrize(
    "typed",
    ["obget:x", "de:", "avant:tantôt", "avant:2024 après:2025", '"x', "x OU y", "-de:Léa", "tri:zzz", "liste:zzz", "?",
     "x " * 400],
)  # fmt: skip
def test_each_problem_has_a_short_sentence_that_names_what_was_typed(typed: str, words: object) -> None:
    with pytest.raises(QueryProblem) as problem:
        parse_query(typed, now=NOW, zone=PARIS, places=("bureau",))
    sentence = problem_sentence(problem.value, words)  # type: ignore[arg-type]
    assert len(sentence.split()) <= 20
    assert all(value in sentence for value in problem.value.values.values())
