"""Whole meetings: what their minutes say as mail, as a page and in the room, held to files that were read by eye.

`PASSERELLE_WRITE_GOLDEN=1` writes them anew: read each again before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from passerelle.core.minutes import Minutes
from tests.unit.core.minutes_facts import NAMES, SAMPLES, Sample, load_sample


def held_to(path: Path, text: str) -> None:
    if os.environ.get("PASSERELLE_WRITE_GOLDEN"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


def mail(sample: Sample) -> str:
    letter = sample.renderer.letter("minutes/minutes", sheet=sample.sheet, reply_address=sample.reply_address)
    return f"{letter.subject}\n\n{letter.text}"


@pytest.mark.parametrize("name", NAMES)
def test_minutes_as_mail(name: str) -> None:
    held_to(SAMPLES / name / "minutes.txt", mail(load_sample(name)))


@pytest.mark.parametrize("name", NAMES)
def test_minutes_as_html(name: str) -> None:
    sample = load_sample(name)
    html = sample.renderer.letter_html("minutes/minutes", sheet=sample.sheet, reply_address=sample.reply_address)
    assert html is not None
    held_to(SAMPLES / name / "minutes.html", html + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_minutes_in_the_room(name: str) -> None:
    sample = load_sample(name)
    held_to(SAMPLES / name / "room.txt", sample.renderer.render("minutes/room", sheet=sample.sheet) + "\n")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_says_the_same(name: str) -> None:
    sample = load_sample(name)
    assert Minutes.from_json(sample.minutes.to_json()) == sample.minutes
