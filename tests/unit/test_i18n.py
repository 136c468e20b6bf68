"""The administrators' French: complete, with the same values to fill in, and set as French is set."""

import io
import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from passerelle import i18n
from passerelle.core.wording import NARROW_NBSP, NBSP

PACKAGE = Path(i18n.__file__).parent
CATALOGUE = PACKAGE / "locale" / "administrators.fr.po"
_FIELD = re.compile(r"\{[a-z_]*\}")


def _sentences() -> set[str]:
    found = extract_from_dir(PACKAGE, [("**.py", "python")], keywords={"_": None, "N_": None})
    # Other modules may use `_` as a name; only those that take it from here are meant.
    ours = {p for p in PACKAGE.rglob("*.py") if "passerelle.i18n import" in p.read_text(encoding="utf-8")}
    return {str(text) for file, _line, text, _comments, _context in found if PACKAGE / file in ours}


def _french() -> dict[str, str]:
    catalogue = read_po(io.BytesIO(CATALOGUE.read_bytes()), locale="fr", abort_invalid=True)
    return {str(m.id): str(m.string) for m in catalogue if m.id}


def test_every_sentence_has_its_french() -> None:
    missing = {sentence for sentence in _sentences() if not _french().get(sentence)}
    assert missing == set()


def test_no_french_is_left_over() -> None:
    assert set(_french()) - _sentences() == set()


@pytest.mark.parametrize(("english", "french"), _french().items())
def test_both_fill_in_the_same_values(english: str, french: str) -> None:
    assert set(_FIELD.findall(english)) == set(_FIELD.findall(french))


def test_french_is_set_with_its_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "fr_FR")
    assert i18n._("there is no such key; do you mean {near}?") == (
        f"cette clé n’existe pas{NARROW_NBSP}; est-ce {{near}}{NARROW_NBSP}?"
    )
    assert i18n._("Archive of {link}") == "Archives de {link}"
    held = i18n._("The list holds the test mail for a moderator: “{subject}”.")
    assert held == f"La liste retient le courriel d’essai pour modération{NBSP}: «{NBSP}{{subject}}{NBSP}»."
    badly_set = re.compile(r" [;!?»](?:\s|$)|« | :(?:\s|$)|\w'\w")
    assert [french for french in map(i18n._, _sentences()) if badly_set.search(french)] == []


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LC_MESSAGES": "en_GB"}, "en"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "en_US", "LANGUAGE": "fr:en"}, "fr"),
        ({"LANG": ""}, "en"),
        ({"LANG": "fr"}, "fr"),
    ],
)
def test_the_language_is_that_of_the_environment(environment: dict[str, str], language: str) -> None:
    assert i18n.administrator_language(environment) == language


@pytest.mark.parametrize("language", ["xx", "../../etc/passwd", "administrators"])
def test_another_language_reads_english(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LANGUAGE", language)
    assert i18n._("All is well.") == "All is well."
