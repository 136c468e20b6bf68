"""The year's account on the web: for coordinators; a figure is as many as what it leads to; axe and w3m read it."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from lxml import html as lxml_html

from passerelle.documents.account_html import build_account_html
from passerelle.render import Renderer
from tests.unit.core.account_sample import PARIS, shown
from tests.web.scene import Scene, play
from tests.web.secretary import fill
from tests.web.test_accessible import LOOKS, TAGS

MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
PAUL = {"address": "paul@membres.lab.test"}
YEAR = "/epeule/account?year=2026"


@pytest.fixture
async def lived(scene: Scene) -> Scene:
    """An association that has talked, met and decided."""
    await play(scene)
    await fill(scene)
    return scene


async def get(scene: Scene, path: str, **who: str) -> tuple[int, bytes, Any]:
    async with scene.browser(**who) as session:
        answer = await session.get(scene.url + path, allow_redirects=False)
        return answer.status, await answer.read(), answer.headers


def figures(page: bytes) -> dict[tuple[str, str], tuple[str, str]]:
    """By table and row, the first number and where it leads."""
    found = {}
    for section in lxml_html.fromstring(page.decode()).xpath("//section[@class='account']"):
        for row in section.xpath(".//tbody/tr"):
            cell = row.xpath("./td")[0]
            link = cell.xpath("./a/@href")
            label = row.xpath("string((./th//text())[1])")
            found[section.xpath("./h2")[0].text_content(), label] = (
                cell.text_content(), link[0] if link else "",
            )  # fmt: skip
    return found


async def test_coordinators_read_it_and_nobody_else_does(lived: Scene) -> None:
    for path in (YEAR, "/epeule/account.csv?year=2026", "/epeule/account.html", "/epeule/account.odt"):
        assert (await get(lived, path, **MONIQUE))[0] == 200
        assert (await get(lived, path, **PAUL))[0] == 404
        assert (await get(lived, path))[0] == 303
    assert b"/epeule/account" in (await get(lived, "/epeule/", **MONIQUE))[1]
    assert b"/epeule/account" not in (await get(lived, "/epeule/", **PAUL))[1]


async def test_each_figure_of_the_register_is_as_many_as_the_entries_that_it_leads_to(lived: Scene) -> None:
    status, page, _ = await get(lived, YEAR, **MONIQUE)
    assert status == 200
    followed = 0
    for (table, row), (number, url) in figures(page).items():
        where = urlsplit(url)
        if not where.path.endswith("/register") or "échéance" in row:
            continue
        path = where.path[where.path.index("/epeule/") :].replace("/register", "/register.csv") + f"?{where.query}"
        status, data, _ = await get(lived, path, **MONIQUE)
        assert status == 200
        entries = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))[1:]
        assert len(entries) == int(number), (table, row)
        followed += int(number) > 0
    assert followed >= 6


async def test_every_figure_leads_to_a_page(lived: Scene) -> None:
    _, page, _ = await get(lived, YEAR, **MONIQUE)
    paths = {urlsplit(url) for _, url in figures(page).values() if url}
    assert {where.path.rpartition("/")[2] for where in paths} == {"register", "meetings", "search"}
    for where in paths:
        status, shown_page, _ = await get(
            lived, f"{where.path[where.path.index('/epeule/') :]}?{where.query}", **MONIQUE
        )  # fmt: skip
        assert status == 200
        assert "ne se comprend pas" not in shown_page.decode()


async def test_the_register_says_which_days_it_is_asked_for(lived: Scene) -> None:
    path = "/epeule/register?kind=decision&became=adopted&from=2026-01-01&to=2026-12-31"
    page = (await get(lived, path, **MONIQUE))[1].decode()
    assert "Devenues «\u00a0adoptée\u00a0» du 1er janvier 2026 au 31 décembre 2026." in page
    assert '<input type="hidden" name="became" value="adopted">' in page
    assert "from=2026-01-01" in page
    for nonsense in ("from=2026-02-30&to=x", "became=adopted", "due_from=0001-01-01", "from=" + "9" * 400):
        assert (await get(lived, f"/epeule/register?kind=decision&{nonsense}", **MONIQUE))[0] == 200


async def test_files_are_what_they_say(lived: Scene) -> None:
    for form, kind, begins in (
        ("csv", "text/csv", b"\xef\xbb\xbfTableau;"),
        ("odt", "application/vnd.oasis.opendocument.text", b"PK"),
        ("html", "text/html", b"<!DOCTYPE html>"),
    ):
        _, data, headers = await get(lived, f"/epeule/account.{form}?from=2026-03-01&to=2026-11-30", **MONIQUE)
        assert data.startswith(begins)
        assert headers["Content-Type"].startswith(kind)
        assert headers["Content-Disposition"].startswith("attachment")
        assert f"bilan-epeule-2026-03-01-2026-11-30.{form}" in headers["Content-Disposition"]
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "asked",
    [
        "year=abc", "year=9999", "from=2026-01-01", "from=x&to=y", "from=1990-01-01&to=2026-01-01", "link=nowhere",
        "tag=" + "x" * 500, "from=0001-01-01&to=0001-02-01", "from=9999-12-31&to=9999-12-31",
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_the_year(lived: Scene, asked: str) -> None:
    status, page, _ = await get(lived, f"/epeule/account?{asked}", **MONIQUE)
    assert status == 200
    assert ("Cette période ne se comprend pas" in page.decode()) == ("from" in asked)


async def test_no_name_stands_in_it(lived: Scene) -> None:
    data = (await get(lived, "/epeule/account.csv?year=2026", **MONIQUE))[1].decode()
    for name in ("Monique", "Léa", "Karim", "Lambert", "Haddad", "membres.lab.test"):
        assert name not in data


# ---------------------------------------------------------------- read by machines that read to people


async def judge(page: Any) -> list[str]:
    found = (await Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})).response["violations"]
    return [f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found]


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing(lived: Scene, chromium: Any, tmp_path: Path, look: str) -> None:
    context = await chromium.new_context(**LOOKS[look])
    cookies = await lived.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{lived.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    await page.goto(lived.url + YEAR)
    assert await judge(page) == []
    file = tmp_path / "bilan.html"
    file.write_bytes(build_account_html(shown(), Renderer(None, "fr", PARIS)))
    await page.goto(file.as_uri())
    assert await judge(page) == []
    # Nothing is wider than a small telephone.
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await context.close()


def test_a_text_browser_tells_every_figure_in_order(tmp_path: Path) -> None:
    account, file = shown(), tmp_path / "bilan.html"
    file.write_bytes(build_account_html(account, Renderer(None, "fr", PARIS)))
    done = subprocess.run(
        ["w3m", "-dump", "-cols", "200", "-T", "text/html", str(file)], capture_output=True, text=True, check=True
    )
    told = re.sub(r"\s+", " ", done.stdout)
    at = 0
    for table in account.tables:
        at = told.index(re.sub(r"\s+", " ", table.title), at)
        for row in table.rows:
            if not row.is_own:
                line = " ".join((row.label, *((row.cells[0].text,) if row.means == "" else ())))
                at = told.index(re.sub(r"\s+", " ", line), at)
