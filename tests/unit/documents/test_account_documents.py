"""An account as HTML, OpenDocument text, spreadsheet and charts: the same figures in each, opened again."""

from __future__ import annotations

import base64
import csv
import io
import re
import subprocess
import sys
from zipfile import ZipFile

import pytest
from lxml import etree
from lxml import html as lxml_html
from odfdo import Document
from PIL import Image

from passerelle.core.account_words import ShownAccount
from passerelle.core.wording import Language
from passerelle.documents.account_charts import build_chart
from passerelle.documents.account_csv import build_account_csv
from passerelle.documents.account_html import build_account_html
from passerelle.documents.account_odt import build_account_odt
from passerelle.render import Renderer, load_words
from tests.unit.core.account_sample import MADE_AT, PARIS, shown

LANGUAGES: tuple[Language, ...] = ("fr", "en")


def texts(account: ShownAccount) -> list[list[str]]:
    """Every line of every table."""
    return [[row.label, *(cell.text for cell in row.cells)] for table in account.tables for row in table.rows]


def plain(text: str) -> str:
    return " ".join("".join(char for char in text if char.isprintable() or char.isspace()).split())


# ---------------------------------------------------------------- HTML


def page(account: ShownAccount, language: Language = "fr") -> str:
    return build_account_html(account, Renderer(None, language, PARIS)).decode("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_has_every_figure_and_what_it_counts(language: Language) -> None:
    account = shown(language)
    tree = lxml_html.fromstring(page(account, language))
    assert tree.get("lang") == language
    rows = [[plain(cell.text_content()) for cell in row] for row in tree.xpath("//tbody/tr")]
    expected = [
        [plain(row.label + row.means), *(plain(cell.text) for cell in row.cells)]
        for table in account.tables
        for row in table.rows
    ]
    assert rows == expected
    said = plain(tree.text_content())
    assert all(plain(one) in said for one in (*account.intro, *account.uncounted, *account.hidden))


def test_html_needs_nothing_else_and_runs_nothing() -> None:
    source = page(shown())
    tree = lxml_html.fromstring(source)
    assert not tree.xpath("//script | //link | //iframe | //*[@onclick]")
    assert all(src.startswith("data:image/svg+xml;base64,") for src in tree.xpath("//@src"))
    assert "url(" not in source
    assert "@import" not in source
    assert {href.partition("/epeule/")[0] for href in tree.xpath("//@href") if not href.startswith("#")} == {
        "https://archives.lab.test"
    }


def test_each_chart_stands_below_its_table_and_says_so() -> None:
    account = shown()
    tree = lxml_html.fromstring(page(account))
    drawn = [table for table in account.tables if table.chart]
    pictures = tree.xpath("//figure/img")
    assert len(pictures) == len(drawn) == 2
    for table, picture in zip(drawn, pictures, strict=True):
        assert plain(picture.get("alt")) == plain(table.chart_alt)
        assert table.title in table.chart_alt
        assert picture.xpath("ancestor::section//table")
        svg = etree.fromstring(base64.b64decode(picture.get("src").partition(",")[2]))
        assert not svg.xpath("//*[local-name()='script' or local-name()='image']")
        assert not re.search(rb"<dc:date>|matplotlib v", etree.tostring(svg))


def test_without_a_web_nothing_leads_anywhere() -> None:
    assert {href[0] for href in lxml_html.fromstring(page(shown(web=""))).xpath("//@href")} == {"#"}


# ---------------------------------------------------------------- OpenDocument


def opened(account: ShownAccount) -> Document:
    return Document(io.BytesIO(build_account_odt(account, load_words("fr", PARIS), made_at=MADE_AT)))


def content(account: ShownAccount) -> etree._Element:
    data = build_account_odt(account, load_words("fr", PARIS), made_at=MADE_AT)
    with ZipFile(io.BytesIO(data)) as file:
        assert file.testzip() is None
        return etree.fromstring(file.read("content.xml"))


def test_odt_has_every_figure() -> None:
    account, document = shown(), opened(shown())
    tables = document.body.get_tables()
    assert len(tables) == len(account.tables)
    found = [
        [plain("".join(cell[0].itertext())) for cell in row]
        for row in content(account).xpath("//*[local-name()='table']/*[local-name()='table-row']")
    ]
    assert found == [[plain(one) for one in line] for line in texts(account)]
    headings = [plain("".join(one.itertext())) for one in content(account).xpath("//*[local-name()='h']")]
    assert headings[:3] == [plain(account.title), "Réunions", "Réunions par mois"]
    assert plain(document.meta.title or "") == plain(account.title)


def test_odt_has_its_charts_with_words_for_who_does_not_see_them() -> None:
    account, document = shown(), opened(shown())
    drawn = [table for table in account.tables if table.chart]
    frames = document.body.get_frames()
    assert [plain(frame.svg_description or "") for frame in frames] == [plain(table.chart_alt) for table in drawn]
    for frame in frames:
        data = document.get_part(frame.get_images()[0].url)
        assert isinstance(data, bytes)
        assert Image.open(io.BytesIO(data)).format == "PNG"


# ---------------------------------------------------------------- spreadsheet


@pytest.mark.parametrize(("language", "delimiter"), [("fr", ";"), ("en", ",")])
def test_csv_read_back(language: Language, delimiter: str) -> None:
    account = shown(language)
    data = build_account_csv(account, load_words(language, PARIS))
    assert data.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
    assert len(head) == 7
    assert {len(row) for row in rows} == {7}
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert any(cell.startswith("'=cmd") for cell in cells)
    values = {(row[0], row[1]): row[3] for row in rows}
    threads, waits = (account.tables[place].title for place in (3, 5))
    assert values[threads, account.tables[3].rows[0].label] == "135"
    assert values[threads, account.tables[3].rows[6].label] == "1244"
    assert values[waits, account.tables[5].rows[4].label] == "96"
    assert values[waits, account.tables[5].rows[3].label] == "5"


# ---------------------------------------------------------------- charts


@pytest.mark.parametrize("form", ["svg", "png"])
def test_a_chart_is_the_same_each_time(form: str) -> None:
    for table in shown().tables:
        if table.chart:
            assert build_chart(table, form) == build_chart(table, form)  # type: ignore[arg-type]


def test_a_chart_is_the_same_in_another_process() -> None:
    program = (
        "import hashlib; from tests.unit.core.account_sample import shown;"
        "from passerelle.documents.account_charts import build_chart;"
        "print(hashlib.sha256(b''.join(build_chart(t, 'svg') for t in shown().tables if t.chart)).hexdigest())"
    )
    made = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }
    assert len(made) == 1


def test_the_daemon_does_not_carry_the_plotting_library() -> None:
    program = (
        "import sys, passerelle.daemon, passerelle.cli; print('matplotlib' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_nothing_is_drawn_of_what_is_hidden_for_the_better_part() -> None:
    from passerelle.core.account_facts import PostFacts, Sides

    tables = shown(posts=PostFacts(authors=Sides(mail_only=1, chat_only=1, both=9))).tables
    assert [table.chart for table in tables if table.id.endswith("people")] == [""]
