"""The cheap test spares no line that an attribution, a header block, a separator or a footer begins with."""

from __future__ import annotations

import pytest
from trim_archive import made_archive

from benchmarks.archive_mails import ArchiveMaker
from passerelle.mail import trim_languages as words
from passerelle.mail import trim_marks, trim_plain
from passerelle.mail.parse import parse_email
from passerelle.mail.trim import trim
from passerelle.mail.trim_lines import read_lines
from passerelle.mail.trim_marks import Mark, Marks

MAILS = list(made_archive())


def spared_in_vain(text: str) -> list[str]:
    """Lines that are spared although the whole tests say that something begins there."""
    lines = read_lines(text)
    plain = trim_marks._plain_lines(lines)
    marks = Marks(lines=lines)
    wrong = []
    for i, mark in enumerate(marks.of):
        if mark is not Mark.TEXT or lines[i].fenced or not plain.begins_nothing(i):
            continue
        bodies = marks.bodies(i)
        if (
            trim_marks._armour_length(bodies)
            or trim_marks._introduction(bodies)
            or trim_marks._footer_length(marks, i, bodies, None)
        ):
            wrong.append(bodies[0])
    return wrong


def test_nothing_of_any_program_is_spared_in_vain() -> None:
    for mail in MAILS:
        assert spared_in_vain(mail.text) == []


def test_nothing_of_made_mails_is_spared_in_vain() -> None:
    checked = spared = 0
    for raw in ArchiveMaker(seed=7, count=400).mails():
        text = parse_email(raw).text or ""
        assert spared_in_vain(text) == []
        lines = read_lines(text)
        plain = trim_marks._plain_lines(lines)
        own = [i for i, line in enumerate(lines) if line.body and not line.depth]
        checked += len(own)
        spared += sum(map(plain.begins_nothing, own))
    assert spared > checked // 2, "a test that spares nothing is no use"


@pytest.mark.parametrize("verb", [*words.WROTE, *words.WROTE_UNSPACED])
def test_an_attribution_of_any_language_is_looked_at(verb: str) -> None:
    text = f"Bonjour\n\nLe 3 mars 2025 à 14:05, Jean Dupont <jean@exemple.fr> {verb} :\n> oui\n"
    assert spared_in_vain(text) == []
    assert spared_in_vain(f"Bonjour\n\nOn 2025-03-03 14:05 Jean Dupont <jean@exemple.fr>\n{verb}:\nyes\n") == []


def test_a_wrapped_attribution_is_looked_at_from_its_first_line() -> None:
    text = "Oui.\n\nLe lundi 3 mars 2025 à 14:05, Jean Dupont\n\n<jean@exemple.fr>\na écrit :\n\nVenez donc.\n"
    assert spared_in_vain(text) == []
    assert trim(text).visible == "Oui."


def test_what_servers_write_holds_what_it_is_looked_for_by() -> None:
    assert [part for shared, parts in trim_plain._OF_SERVERS for part in parts if shared not in part] == []
