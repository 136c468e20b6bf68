"""The folder of an export in a real browser, opened as files: pages are read, words are found, nothing runs."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.unit.cli.conftest import Desk
from tests.unit.cli.test_archive_export import fill

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium (Debian's package chromium)")


@pytest.fixture
def folder(desk: Desk, tmp_path: Path) -> Path:
    desk.write(fill)
    assert desk.run("archive", "export", "epeule", "--to", str(tmp_path / "x"), "--format", "offline").exit_code == 0
    return tmp_path / "x"


@pytest.mark.parametrize(
    ("asked", "number"),
    [("ete", 1), ("l'Été", 1), ("réunions", 1), ("bonjour", 3), ("bonj FETE", 3), ("léa", 1), ("motsecret", 0)],
)
def test_words_are_found_without_a_server(folder: Path, asked: str, number: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(locale="fr-FR")
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        _search(page, folder, asked)
        found = page.locator("#found li")
        assert found.count() == number
        if number == 1:
            found.locator("a").click()
            assert page.locator("article:target").count() == 1
            assert page.title() != "pris"
        assert not errors
        browser.close()


def _search(page: Page, folder: Path, asked: str) -> None:
    page.goto((folder / "index.html").as_uri())
    page.get_by_role("link", name="Chercher").click()
    page.get_by_label("Les mots que vous cherchez").fill(asked)
    page.get_by_role("button", name="Chercher").click()
    # Not `wait_for_function`: where it has to look again it evaluates a string, which the page's policy forbids.
    page.locator("#told", has_text="rouvé").wait_for()
