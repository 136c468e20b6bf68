"""What catch-ups look like: each situation of `tests/samples/catch_up` as a mail's text and HTML, and in the room.

Golden files stand beside `facts.toml`. `PASSERELLE_WRITE_SAMPLES=1` writes them anew: then read what changed.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from passerelle.core.catch_up import MOST, choose_catch_up
from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_words import Place, ShownDigest, build_shown
from passerelle.core.wording import Language
from passerelle.render import Renderer
from tests.unit.core.digest_cases import REPOSITORY, Situation, situation_of
from tests.unit.core.test_digest_forms import ASSOCIATION, FORMS, WEB, WRITE, _Words

SAMPLES = REPOSITORY / "tests" / "samples" / "catch_up"
NAMES = sorted(path.parent.name for path in SAMPLES.glob("*/facts.toml"))
EMPTY = {"nothing_new"}


def load(name: str) -> Situation:
    told = tomllib.loads((SAMPLES / name / "facts.toml").read_text("utf-8"))
    is_cut = told.pop("is_cut", False)
    situation = situation_of(told)
    return replace(situation, facts=replace(situation.facts, is_cut=is_cut))


def chosen(situation: Situation) -> Chosen:
    return choose_catch_up(
        situation.facts,
        reader=situation.reader,
        since=situation.since,
        until=situation.until,
        unanswered_days=situation.settings.unanswered_days,
    )


def shown(situation: Situation, language: Language = "fr") -> ShownDigest:
    links = {link: link for link in sorted(situation.facts.links)}
    place = Place(web=WEB, association="epeule", title=ASSOCIATION.title, links=links)
    words = Renderer(None, language).words
    return build_shown(
        chosen(situation), words, place, kind="catch_up", since=situation.since, until=situation.until
    )  # fmt: skip


def rendered(situation: Situation, form: str, language: Language = "fr") -> str:
    renderer = Renderer(None, language)
    values: dict[str, Any] = {
        "association": ASSOCIATION, "digest": shown(situation, language), "name": situation.reader.name,
        "page_url": f"{WEB}/epeule/digests/abcdefgh2345",
    }  # fmt: skip
    if form == "room.txt":
        return renderer.render("room/catch_up", **values).strip() + "\n"
    letter = renderer.letter("mail/catch_up", **values)
    if form == "mail.txt":
        return f"{letter.subject}\n\n{letter.text}"
    return str(renderer.letter_html("mail/catch_up", subject=letter.subject, **values)) + "\n"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_situation_looks_as_it_always_did(name: str, form: str) -> None:
    """Where there is nothing to tell there is no form of it, but a sentence."""
    situation, golden = load(name), SAMPLES / name / form
    assert chosen(situation).is_empty == (name in EMPTY)
    if name in EMPTY:
        assert not golden.exists()
        return
    made = rendered(situation, form)
    if WRITE:
        golden.write_text(made, "utf-8")
    assert golden.read_text("utf-8") == made


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in EMPTY])
def test_text_html_and_room_say_the_same(name: str, language: Language) -> None:
    situation = load(name)
    text, html, room = (rendered(situation, form, language) for form in FORMS)
    reading = _Words()
    reading.feed(html)
    assert reading.pictures == 0
    read, text, room = (" ".join(words.split()) for words in (" ".join(reading.words), text, room))
    for part in shown(situation, language).parts:
        for item in part.items:
            for told in (item.title, item.reason, *item.sentences):
                assert all(" ".join(told.split()) in form for form in (read, text, room))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_one_page_in_its_order_and_the_rest_is_counted(name: str) -> None:
    situation = load(name)
    made = chosen(situation)
    sections = [part.name for part in shown(situation).parts]
    assert sections == [name for name in MOST if name in sections]
    for section, most in MOST.items():
        count = len(made.section(section))
        assert count <= most
        assert count == most or section not in made.counted


def test_a_year_away_is_told_on_a_page_and_says_that_there_was_more() -> None:
    made = chosen(load("busy_year"))
    assert (made.counted, made.is_cut) == ({"decisions": 2, "threads": 4}, True)
    people = [item.reason.count for item in made.section("threads")]
    assert people == sorted(people, reverse=True)
    assert len(rendered(load("busy_year"), "mail.txt").splitlines()) < 130
