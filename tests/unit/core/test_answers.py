"""Short answers in plain words: what counts as one, what it says, and that why somebody stays away is never kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.answer_table import ANSWERS, AnswerRow
from passerelle.core.answers import Answer, parse_answer, parse_answers
from passerelle.core.grammar_help import answer_rows
from passerelle.render import load_words
from tests.unit.core.grammar_cases import KINDS, cases, shown

CASES = cases("answers.json")


def written(text: str) -> list[Any]:
    return [{"kind": answer.kind, **shown(answer)} for answer in parse_answers(text, kinds=KINDS)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][:60])
def test_what_is_answered(case: dict[str, Any]) -> None:
    assert written(case["said"]) == case["answers"]


def test_there_are_cases_enough_of_both_sorts() -> None:
    assert len(CASES) >= 150
    assert len([case for case in CASES if not case["answers"]]) >= 40


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: row.name)
def test_every_example_of_the_table_is_understood(row: AnswerRow) -> None:
    for example in (*row.french, *row.english):
        answer = parse_answer(example, kinds=KINDS)
        assert answer is not None, example
        assert (answer.kind, answer.rsvp, answer.says_yes) == (row.kind, row.rsvp, row.says_yes), example
        assert answer.is_bare, example


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_answer_is_explained_by_one_short_sentence(language: Any) -> None:
    rows = list(answer_rows(load_words(language)))
    assert [row.name for row in rows] == [row.name for row in ANSWERS]
    assert not [row.what for row in rows if len(row.what.split()) > 14]


#: Around an answer, and no part of it.
POLITE = (
    "{}", "Bonjour,\n\n{}\n\nBonne journée\nLéa", "{}, merci !", "Bonsoir Monique, {}.\nCordialement,\nPaul Martin",
    "{}\n\n> Petit rappel : réunion jeudi\n> Répondez « objection »", "{} :-)", "Coucou !\n{}\nBises, Léa",
)  # fmt: skip


@pytest.mark.parametrize("around", POLITE)
@pytest.mark.parametrize("row", [row for row in ANSWERS if row.ways], ids=lambda row: row.name)
def test_polite_words_change_nothing(row: AnswerRow, around: str) -> None:
    for said in (example for example in row.french if "," not in example and ":" not in example):
        (answer,) = parse_answers(around.format(said), kinds=KINDS)
        assert (answer.kind, answer.rsvp, answer.is_bare) == (row.kind, row.rsvp, True), said


@pytest.mark.parametrize(
    "reason",
    [
        "je suis malade",
        "j'ai un rendez-vous à l'hôpital",
        "ma fille passe son bac",
        "je travaille",
        "car je suis en congé",
    ],
)
@pytest.mark.parametrize(
    "said", ["je ne pourrai pas, {}", "Je ne viens pas car {}", "Non, {}", "Nous ne pourrons pas. {}."]
)
def test_why_somebody_stays_away_is_never_kept(said: str, reason: str) -> None:
    answers = parse_answers(said.format(reason), kinds=KINDS)
    assert {answer.rsvp for answer in answers} == {"no"}
    assert reason not in repr(answers)
    assert not any(answer.is_bare for answer in answers)


def test_more_than_one_answer_is_not_bare_for_who_looks_at_the_first_alone() -> None:
    text = "Je viens. Annie ne pourra pas."
    assert [answer.is_bare for answer in parse_answers(text)] == [True, True]
    answer = parse_answer(text)
    assert answer is not None
    assert not answer.is_bare


def test_who_comes_and_does_not_come_has_not_answered() -> None:
    assert parse_answers("Je ne viens pas lundi. Je viens jeudi.") == ()


def test_a_letter_is_read_to_its_end_for_an_objection_only() -> None:
    letter = "Il fait beau. " * 10
    assert [answer.kind for answer in parse_answers(letter + "Je m'oppose.")] == ["objection"]
    assert parse_answers(letter + "Oui.") == ()
    assert parse_answers("Il fait beau. " * 1000 + "Je m'oppose.") == ()


@given(st.text(max_size=500))
def test_nothing_raises(text: str) -> None:
    for said in (
        text,
        f"je viens {text}",
        f"objection : {text}",
        f"c'est une action pour {text}",
        f"Annie {text}",
        f"s/{text}",
    ):
        answers = parse_answers(said, kinds=KINDS)
        assert all(isinstance(answer, Answer) for answer in answers)
        assert all(not answer.reason for answer in answers if answer.kind != "objection")


@given(st.lists(st.sampled_from([case["said"] for case in CASES]), max_size=6))
def test_any_of_them_together(said: list[str]) -> None:
    answers = parse_answers("\n".join(said), kinds=KINDS)
    own = {answer.rsvp for answer in answers if answer.kind == "rsvp" and answer.for_self}
    assert len(own) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "Je ne pourrai pas venir : dialyse ce jour-là.",
        "Désolée, je ne peux pas : dialyse",
        "Nous ne viendrons pas : la grippe.",
    ],
)
def test_who_says_why_behind_a_colon_has_answered(text: str) -> None:
    (answer,) = parse_answers(text)
    assert (answer.kind, answer.rsvp, answer.for_self, answer.is_bare, answer.reason) == ("rsvp", "no", True, False, "")


@pytest.mark.parametrize(
    ("text", "is_no"),
    [
        ("Excusez-moi, je suis hospitalisée", True),
        ("Excusez-moi, je serai en déplacement ce jour-là.", True),
        ("Excuse me, I am ill", False),
        ("Excusez-moi, je n'ai pas compris", False),
        ("Excusez-moi, je ne suis pas malade", False),
        ("Excusez-moi, je suis perdue", False),
        ("Je suis malade de la voiture", False),
    ],
)
def test_who_asks_to_be_excused_and_says_why_does_not_come(text: str, is_no: bool) -> None:
    found = parse_answers(text)
    assert [(one.kind, one.rsvp, one.is_bare) for one in found] == ([("rsvp", "no", False)] if is_no else [])
