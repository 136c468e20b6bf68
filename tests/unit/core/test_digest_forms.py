"""What digests look like: each situation of `tests/samples/digest` as a mail's text and HTML, and in the room.

Golden files stand beside `facts.toml`. `PASSERELLE_WRITE_SAMPLES=1` writes them anew: then read what changed.
"""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pytest

from passerelle.core.digest_items import SECTIONS
from passerelle.core.digest_words import Place, ShownDigest, build_shown
from passerelle.core.wording import Language
from passerelle.render import Renderer
from tests.unit.core.digest_cases import NAMES, SAMPLES, Situation, load_situation

WEB = "https://archives.example.org"
ASSOCIATION = SimpleNamespace(title="Comité de quartier de l’Épeule")
FORMS = ("mail.txt", "mail.html", "room.txt")
WRITE = "PASSERELLE_WRITE_SAMPLES" in os.environ


def shown(situation: Situation, language: Language = "fr") -> ShownDigest:
    links = {link: link for link in sorted(situation.facts.links)}
    place = Place(web=WEB, association="epeule", title=ASSOCIATION.title, links=links)
    return build_shown(
        situation.choose(), Renderer(None, language).words, place,
        kind="coordinator" if situation.reader.is_coordinator else "member",
        since=situation.since, until=situation.until,
    )  # fmt: skip


def rendered(situation: Situation, form: str, language: Language = "fr") -> str:
    renderer = Renderer(None, language)
    values: dict[str, Any] = {
        "association": ASSOCIATION, "digest": shown(situation, language), "name": situation.reader.name,
        "page_url": f"{WEB}/epeule/digests/abcdefgh2345", "stop_url": f"{WEB}/epeule/digests/stop/1-abc",
    }  # fmt: skip
    letter = renderer.letter("mail/digest", **values)
    if form == "room.txt":
        return renderer.render("room/digest", **values).strip() + "\n"
    if form == "mail.txt":
        return f"{letter.subject}\n\n{letter.text}"
    return str(renderer.letter_html("mail/digest", subject=letter.subject, **values)) + "\n"


def test_there_are_enough_situations() -> None:
    assert len(NAMES) >= 15


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_situation_looks_as_it_always_did(name: str, form: str) -> None:
    """Where there is nothing to say there is no form of it."""
    situation, golden = load_situation(name), SAMPLES / name / form
    if situation.choose().is_empty:
        assert not golden.exists()
        return
    made = rendered(situation, form)
    if WRITE:
        golden.write_text(made, "utf-8")
    assert golden.read_text("utf-8") == made


class _Words(HTMLParser):
    """What a reader of the HTML without its looks is told, in its order."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.pictures = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in ("style", "title")
        self.pictures += tag in ("img", "link", "script")

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words += data.split()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", [name for name in NAMES if not load_situation(name).choose().is_empty])
def test_text_html_and_room_say_the_same(name: str, language: Language) -> None:
    situation = load_situation(name)
    text, html, room = (rendered(situation, form, language) for form in FORMS)
    reading = _Words()
    reading.feed(html)
    read = " ".join(reading.words)
    assert reading.pictures == 0
    digest = shown(situation, language)
    for part in digest.parts:
        for item in part.items:
            for told in (item.title, item.reason):
                words = " ".join(told.split())
                assert words in read
                assert words in " ".join(text.split())
                assert words in " ".join(room.split())
            if item.extract:
                assert item.extract in text
    # The bars only show what sentences say.
    for figure in digest.figures:
        assert figure in text
        assert " ".join(figure.split()) in read
    for bar in digest.bars:
        assert set(re.findall(r"\d+", bar.words)) <= set(re.findall(r"\d+", " ".join(digest.figures)))
        assert 0 <= bar.percent <= 100


@pytest.mark.parametrize("name", NAMES)
def test_all_that_was_chosen_is_told_and_the_rest_is_counted(name: str) -> None:
    situation = load_situation(name)
    chosen, digest = situation.choose(), shown(situation)
    assert [item.key for part in digest.parts for item in part.items] == [item.key for item in chosen.items]
    assert [part.name for part in digest.parts] == [
        section for section in SECTIONS if section in chosen.sections or section in chosen.counted
    ]
    counted = sum(int(found[0]) for part in digest.parts if (found := re.findall(r"\d+", part.more)))
    assert counted == chosen.more


def test_of_several_links_each_thing_says_where_it_is() -> None:
    assert {item.where for part in shown(load_situation("two_lists")).parts for item in part.items if item.where}
    assert not {item.where for part in shown(load_situation("busy")).parts for item in part.items if item.where}
