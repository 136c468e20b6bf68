"""Minutes on paper: a tagged PDF that says what the mail says, and of which no member's word is ever source."""

from __future__ import annotations

import io
import json
import logging
import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typst
from pypdf import PdfReader

from passerelle.core.minutes import build_minutes
from passerelle.documents import typesetting
from passerelle.documents.pdf import build_pdf
from passerelle.documents.printable import printable
from passerelle.documents.typesetting import Typescript, print_pdf, problem_of
from passerelle.errors import DocumentFailure
from passerelle.render import TEMPLATES, load_words
from tests.unit.core.minutes_facts import NAMES, facts_of, load_sample

WORDS = load_words("fr")
MADE = datetime(2026, 11, 13, 9, tzinfo=UTC)


def pdf_of(**told: Any) -> PdfReader:
    return opened(build_pdf(build_minutes(facts_of(told), words=WORDS), WORDS))


def opened(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data))


def text_of(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def flat(text: str) -> str:
    """As a reader of PDF gives it back: no soft difference of spaces."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_meeting_of_the_samples_is_printed(name: str) -> None:
    sample = load_sample(name)
    minutes, words = sample.minutes, sample.renderer.words
    reader = opened(build_pdf(minutes, words, site=sample.site))
    assert 1 <= len(reader.pages) <= 4
    text = flat(text_of(reader))
    sheet = sample.sheet
    for line in (*sheet.decisions, *sheet.actions):
        if line.text.isascii():
            assert flat(line.text) in text
    for fact in sheet.facts:
        if fact.text.isascii():
            assert flat(fact.text) in text


def test_it_is_tagged_and_says_its_language_and_title() -> None:
    sample = load_sample("assembly")
    reader = opened(build_pdf(sample.minutes, sample.renderer.words))
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "fr"
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata is not None
    assert reader.metadata.title == sample.sheet.subject
    assert reader.metadata.author == "Les Amis de la bibliothèque"


def test_it_says_that_it_keeps_the_standards() -> None:
    metadata = opened(build_pdf(load_sample("assembly").minutes, WORDS)).trailer["/Root"]["/Metadata"].get_data()
    assert re.search(rb"<pdfaid:part>2</pdfaid:part>\s*<pdfaid:conformance>A<", metadata)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in metadata


def test_english_minutes_say_so() -> None:
    sample = load_sample("english")
    reader = opened(build_pdf(sample.minutes, sample.renderer.words))
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "Decisions" in text_of(reader)


@pytest.mark.parametrize(
    ("kind", "asked", "signed"), [("assembly", False, True), ("meeting", False, False), ("meeting", True, True)]
)
def test_there_is_a_block_to_sign(kind: str, asked: bool, signed: bool) -> None:
    facts = facts_of({"meeting": {"kind": kind, "chair_name": "Monique"}})
    text = text_of(opened(build_pdf(build_minutes(facts, words=WORDS), WORDS, is_signed=asked)))
    assert ("Présidence de séance" in text) is signed


def test_who_was_absent_is_not_printed() -> None:
    sample = load_sample("by_mail_afterwards")
    text = text_of(opened(build_pdf(sample.minutes, WORDS)))
    assert "1 personne excusée" in text
    assert "absente" not in text
    assert "Karim" not in text


def test_the_same_minutes_are_the_same_file() -> None:
    minutes = load_sample("ordinary").minutes
    assert build_pdf(minutes, WORDS, made_at=MADE) == build_pdf(minutes, WORDS, made_at=MADE)


def test_links_lead_to_the_archive() -> None:
    sample = load_sample("ordinary")
    reader = opened(build_pdf(sample.minutes, sample.renderer.words, site=sample.site))
    targets = {annotation.get_object()["/A"]["/URI"] for page in reader.pages for annotation in page.get("/Annots", ())}
    assert "https://archives.example/epeule/p/dec12abcdefg" in targets


# ---------------------------------------------------------------- members' words are never source


@pytest.mark.parametrize(
    "said",
    [
        '#eval("1+1")', "#panic()", '#read("/etc/passwd")', "$x^2$", "*gras* _italique_", "= Titre", "<etiquette>",
        "@ref", "// commentaire", "`code`", "\\u{41}", "[x](javascript:alert(1))", '" + panic() + "', "}}{{ 7*7 }}",
    ],
)  # fmt: skip
def test_what_would_be_markup_is_printed_as_it_is(said: str) -> None:
    text = flat(text_of(pdf_of(entries=[{"kind": "decision", "text": said}], meeting={"title": said})))
    assert text.count(flat(said)) >= 2


@pytest.mark.parametrize("said", ["\u0000a\u0007", "a\u202eb", "a\ufffeb", "a\ue000b", "a\u2028b", "a\ud800b"])
def test_what_cannot_be_printed_is_left_out(said: str) -> None:
    assert text_of(pdf_of(entries=[{"kind": "decision", "text": f"avant {said} après"}]))


def test_a_character_that_no_font_has_is_a_box_and_the_rest_stays(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever fonts this machine has.
    monkeypatch.setattr(typesetting.typst, "Compiler", partial(typst.Compiler, ignore_system_fonts=True))
    caplog.set_level(logging.INFO)
    reader = pdf_of(entries=[{"kind": "decision", "text": "accueillir 𒀀 et 漢字 🎉 é\u0489 à l’école"}])
    text = text_of(reader)
    assert "accueillir □ et □□ □" in text
    assert "à l’école" in text
    assert b"pdfaid:part" in reader.trailer["/Root"]["/Metadata"].get_data()
    assert "𒀀" not in caplog.text


def test_other_scripts_stay() -> None:
    text = text_of(opened(build_pdf(load_sample("names").minutes, WORDS)))
    assert "Ольга" in text
    assert "Nguyễn Thị Hạnh" in text


# ---------------------------------------------------------------- an association's own


def own(folder: Path, source: str) -> Path:
    (folder / "minutes").mkdir()
    (folder / "minutes" / "minutes.typ").write_text(source, "utf-8")
    return folder


def test_an_own_template_comes_first(tmp_path: Path) -> None:
    (tmp_path / "logo.txt").write_text("outside")
    folder = own(
        tmp_path,
        "#let sheet = json(bytes(sys.inputs.sheet))\n#set document(title: sheet.title)\n"
        '#set text(lang: "fr")\n= Notre en-tête\n#sheet.title #read("pied.txt")',
    )
    (folder / "minutes" / "pied.txt").write_text("pied de page")
    text = text_of(opened(build_pdf(load_sample("ordinary").minutes, WORDS, folder=folder)))
    assert "Notre en-tête" in text
    assert "pied de page" in text


@pytest.mark.parametrize(
    "source",
    [
        "#let", "#panic()", '#read("../logo.txt")', '#read("/etc/passwd")', '#image("../../x.png")',
        '#import "@preview/tablex:0.0.8": *', '#include "autre.typ"', '#eval("1")', '#plugin("x.wasm")', "= Sans titre",
    ],
)  # fmt: skip
def test_an_own_template_that_fails_is_passed_over(
    tmp_path: Path, source: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = own(tmp_path, source)
    minutes = load_sample("ordinary").minutes
    assert build_pdf(minutes, WORDS, folder=folder) == build_pdf(minutes, WORDS)
    assert "own template fails" in caplog.text


def test_problems_of_an_own_template_are_named(tmp_path: Path) -> None:
    folder = own(tmp_path, '#import "@preview/tablex:0.0.8": *')
    assert problem_of(folder / "minutes" / "minutes.typ") == "'import' is not allowed in it"
    assert [problem_of(path) for path in sorted((TEMPLATES / "minutes").glob("*.typ"))] == [None, None, None]


def test_no_folder_of_its_own_and_none_in_it_are_the_same(tmp_path: Path) -> None:
    minutes = load_sample("ordinary").minutes
    assert build_pdf(minutes, WORDS, folder=tmp_path) == build_pdf(minutes, WORDS)


def test_our_own_template_that_fails_is_an_error() -> None:
    with pytest.raises(DocumentFailure, match=r"minutes/minutes\.typ"):
        print_pdf(Typescript(name="minutes", values={"sheet": {}, "labels": {}}, made_at=MADE), None)


# ---------------------------------------------------------------- what text can be held


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("abc", "abc"), ("a\u0000b", "ab"), ("é\ufffe\uffffè", "éè"), ("a\ue000b", "ab"), ("a\ud800b", "ab"),
        ("أحمد 李", "أحمد 李"), ("a\tb\nc", "a\tb\nc"), ("🎉", "🎉"), ("👨\u200d👩", "👨\u200d👩"),
    ],
)  # fmt: skip
def test_what_can_be_printed(text: str, kept: str) -> None:
    assert printable(text) == kept


def test_values_keep_their_shape() -> None:
    value = {"a": ["x\u0000", ("y\ue000", 3, None, True)], "b": {"c": "z"}}
    assert json.loads(json.dumps(typesetting.printable_values(value))) == {
        "a": ["x", ["y", 3, None, True]],
        "b": {"c": "z"},
    }
