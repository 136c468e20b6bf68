"""Minutes as an OpenDocument text: read again by the library, part by part."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from lxml import etree
from odfdo import Document, Element

from passerelle.core.minutes import build_minutes
from passerelle.core.wording import Language
from passerelle.documents.odt import build_odt
from passerelle.render import load_words
from tests.unit.core.minutes_facts import NAMES, facts_of, load_sample

WORDS = load_words("fr")


def opened(data: bytes) -> Document:
    return Document(io.BytesIO(data))


def odt_of(language: Language = "fr", **told: Any) -> Document:
    words = load_words(language)
    return opened(build_odt(build_minutes(facts_of(told), words=words), words))


def texts(document: Document, tag: str) -> list[str]:
    return ["".join(part.text_recursive for part in [one]) for one in document.body.get_elements(f"//{tag}")]


@pytest.mark.parametrize("name", NAMES)
def test_every_meeting_of_the_samples_is_written(name: str) -> None:
    sample = load_sample(name)
    data = build_odt(sample.minutes, sample.renderer.words, site=sample.site)
    document = opened(data)
    said = " ".join(texts(document, "text:p"))
    for line in (*sample.sheet.decisions, *sample.sheet.actions):
        if line.text.isprintable():
            assert " ".join(line.text.split()) in " ".join(said.split())


def test_every_style_that_is_used_is_there() -> None:
    with zipfile.ZipFile(io.BytesIO(build_odt(load_sample("assembly").minutes, WORDS))) as file:
        parts = [etree.fromstring(file.read(name)) for name in ("content.xml", "styles.xml")]
    names = {value for part in parts for value in part.xpath("//@*[local-name()='style-name']")}
    there = {value for part in parts for value in part.xpath("//@*[name()='style:name']")}
    assert names <= there
    assert "Heading_20_2" in names


def test_headings_have_no_numbers() -> None:
    """The library's template has; LibreOffice shows « 1.Compte rendu »."""
    with zipfile.ZipFile(io.BytesIO(build_odt(load_sample("ordinary").minutes, WORDS))) as file:
        assert b"outline-level-style" not in file.read("styles.xml")


@pytest.mark.parametrize("name", NAMES)
def test_each_item_stands_in_a_list_and_holds_paragraphs(name: str) -> None:
    """OpenDocument 1.4 part 3, §5.3.3: of an item in an item LibreOffice shows nothing, not even its words."""
    with zipfile.ZipFile(io.BytesIO(build_odt(load_sample(name).minutes, WORDS))) as file:
        content = etree.fromstring(file.read("content.xml"))
    for item in content.xpath("//*[local-name()='list-item']"):
        assert etree.QName(item.getparent()).localname == "list"
        assert {etree.QName(child).localname for child in item} == {"p"}


def test_its_files_are_those_that_it_lists() -> None:
    with zipfile.ZipFile(io.BytesIO(build_odt(load_sample("ordinary").minutes, WORDS))) as file:
        manifest = etree.fromstring(file.read("META-INF/manifest.xml"))
        listed = {value for value in manifest.xpath("//@*[local-name()='full-path']") if not value.endswith("/")}
        inside = {name for name in file.namelist() if not name.endswith("/")}
        assert file.infolist()[0].filename == "mimetype"
        assert file.infolist()[0].compress_type == zipfile.ZIP_STORED
    assert listed == inside - {"mimetype", "META-INF/manifest.xml"}


def test_headings_lists_and_tables_are_real_ones() -> None:
    document = opened(build_odt(load_sample("ordinary").minutes, WORDS))
    headings = [(one.get_attribute("text:outline-level"), one.text_recursive) for one in document.body.headers]
    assert headings[0] == ("1", "Compte rendu\u00a0: réunion du bureau")
    assert ("2", "Décisions") in headings
    assert ("3", "Budget") in headings
    assert [table.name for table in document.body.tables] == ["Actions", "Presence"]
    assert len(document.body.get_elements("//table:table-header-rows")) == 2
    assert next(one.style for one in document.body.lists) == "Minutes_20_numbers"


def test_who_was_absent_is_not_written() -> None:
    document = opened(build_odt(load_sample("by_mail_afterwards").minutes, WORDS))
    assert "Karim" not in " ".join(texts(document, "text:p"))


@pytest.mark.parametrize(("language", "code"), [("fr", "fr-FR"), ("en", "en-GB")])
def test_language_and_title_are_set(language: Language, code: str) -> None:
    document = odt_of(language)
    assert document.language == code
    assert document.meta.language == code
    assert "réunion du bureau" in str(document.meta.title)
    assert document.meta.creator == "Comité de quartier de l’Épeule"


def test_the_association_stands_above_and_page_numbers_below() -> None:
    master = odt_of().get_style("master-page", "Standard")
    assert isinstance(master, Element)
    assert "Comité de quartier de l’Épeule" in master.get_elements("style:header")[0].text_recursive
    foot = master.get_elements("style:footer")[0]
    assert foot.get_elements("descendant::text:page-number")
    assert foot.get_elements("descendant::text:page-count")


def test_who_presided_and_who_wrote_sign_an_assembly() -> None:
    document = opened(build_odt(load_sample("assembly").minutes, WORDS))
    table = document.body.tables[-1]
    assert table.name == "Signatures"
    said = table.text_recursive
    assert "Présidence de séance" in said
    assert "Monique Delattre" in said
    assert "Signatures" not in [one.name for one in odt_of().body.tables]


@pytest.mark.parametrize(
    "said",
    [
        "<text:p>odf</text:p>",
        "]]> &amp; <b>gras</b>",
        "<",
        "&#0;",
        "a  b   c",
        "{{ 7*7 }}",
        "text:p",
        "<!-- -->",
        "é\u0301",
    ],
)
def test_what_would_be_markup_is_written_as_it_is(said: str) -> None:
    document = odt_of(entries=[{"kind": "decision", "text": said}], attendances=[{"name": "Léa"}], association=said)
    entry = next(text for text in texts(document, "text:p") if text.startswith("Décision"))
    assert entry.partition(":")[2].strip() == " ".join(said.split())


@pytest.mark.parametrize("said", ["a\u0000b", "a\ufffeb", "a\ud800b", "a\u0008b"])
def test_what_xml_cannot_hold_is_left_out(said: str) -> None:
    document = odt_of(
        entries=[{"kind": "info", "text": said}], meeting={"title": said, "place": said}, association=said
    )
    assert any("ab" in text for text in texts(document, "text:p"))


def test_links_are_of_the_one_kind_that_there_is() -> None:
    sample = load_sample("ordinary")
    document = opened(build_odt(sample.minutes, sample.renderer.words, site=sample.site))
    links = document.body.get_elements("//text:a")
    assert links
    assert {one.get_attribute("xlink:type") for one in links} == {"simple"}
