"""Every kind of page in a real browser: axe-core finds nothing; small telephones, the keyboard and paper do."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe

from passerelle.core.ids import LinkName
from passerelle.core.shelves import Shelf
from passerelle.flows.hide_post import hide_post
from passerelle.store.archive_pages import find_by_short
from tests.flows.bridge import mail
from tests.web.scene import EPEULE, Scene, play
from tests.web.secretary import fill

Pages = tuple[Scene, dict[str, str]]
MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RICH = (
    "<h1>Compte rendu</h1><h3>Présents</h3><li>Léa</li><table><tr><th>Qui</th><th>Quoi</th></tr><tr><td>Paul</td>"
    "<td>les tables, et un mot très long : anticonstitutionnellementanticonstitutionnellement</td></tr></table>"
    "<a href='https://a.example/'><img src='https://a.example/x.png'></a><ul><p>pas un élément</p></ul>"
    "<p>https://a.example/" + "a" * 200 + "</p><pre>" + "x" * 300 + "</pre>"
)
LOOKS = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 800}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1100, "height": 800}},
    "telephone": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}


def rich_mail() -> bytes:
    from email.message import EmailMessage
    from email.policy import SMTP

    made = EmailMessage(policy=SMTP)
    made["From"] = "Monique Delattre <monique@membres.lab.test>"
    made["To"] = "bureau@listes.lab.test"
    made["List-Id"] = "<bureau.listes.lab.test>"
    made["Message-ID"] = "<rich@membres.lab.test>"
    made["Subject"] = "Compte rendu"
    made.set_content(RICH, subtype="html", cte="base64")
    return made.as_bytes()


@pytest.fixture
async def pages(scene: Scene) -> Pages:
    """A path for every kind of page."""
    await play(scene)
    secretary = await fill(scene)
    await scene.bridge.receive(rich_mail())
    for text in ("Un", "Deux autres mots"):
        await scene.bridge.receive(mail(text, message_id="same@membres.lab.test", subject="Deux"))
    shorts = await scene.shorts()
    loto = shorts["Bonjour à toutes et "]
    hidden = shorts["Je peux apporter deu"]
    live = Shelf(association=EPEULE, link=LinkName("bureau"), origin="live")
    async with scene.ctx.store.write() as conn:
        (placed,) = await find_by_short(conn, EPEULE, hidden, {live})
        await hide_post(scene.ctx, conn, placed.id, by="Monique")
    rich = next(short for text, short in shorts.items() if text.startswith("Compte"))
    return (
        scene,
        {
            "home": "/epeule/", "link": "/epeule/a/bureau", "month": "/epeule/a/bureau/2026-11",
            "empty month": "/epeule/a/bureau/2026-12", "thread": f"/epeule/t/{loto}", "rich": f"/epeule/t/{rich}",
            "post": f"/epeule/p/{loto}/alone", "hidden": f"/epeule/p/{hidden}/alone",
            "original": f"/epeule/p/{loto}/original", "choice": "/epeule/m/same@membres.lab.test",
            "search": "/epeule/search?q=tables", "search for nothing": "/epeule/search",
            "search without answer": "/epeule/search?q=introuvable", "wrong search": "/epeule/search?q=avant:zz",
            "mine": "/epeule/mine", "acts": "/epeule/acts", "about": "/epeule/about", "feeds": "/epeule/feeds",
            "not found": "/epeule/t/aaaaaaaaaaaa", **secretary,
            "now": "/epeule/now", "narrowed register": "/epeule/register?kind=decision&q=salle",
            "nothing noted": "/epeule/register?q=zzz",
        },
    )  # fmt: skip


async def signed_in(scene: Scene, chromium: Any, **look: Any) -> Any:
    context = await chromium.new_context(**look)
    cookies = await scene.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    return context


async def judge(page: Any, name: str) -> list[str]:
    """What is wrong with the page that is open."""
    found = (await Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})).response["violations"]
    wrong = [f"{name}: {v['id']} {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        wrong.append(f"{name}: wider than the window")
    if await page.evaluate("document.querySelectorAll('h1').length") != 1:
        wrong.append(f"{name}: not one h1")
    return wrong


@pytest.mark.parametrize("look", LOOKS)
async def test_no_page_is_in_anybody_s_way(pages: Pages, chromium: Any, look: str) -> None:
    scene, paths = pages
    wrong: list[str] = []
    context = await signed_in(scene, chromium, **LOOKS[look])
    page = await context.new_page()
    for name, path in paths.items():
        await page.goto(scene.url + path)
        wrong += await judge(page, name)
    await page.goto(f"{scene.url}/epeule/feeds")
    await page.click("form[action$='/feeds/key'] button")
    wrong += await judge(page, "feed key")
    await context.close()
    stranger = await chromium.new_context(**LOOKS[look])
    page = await stranger.new_page()
    for name, path in (
        ("sign in", "/epeule/sign-in"),
        ("about", "/epeule/about"),
        ("no link", "/epeule/sign-in/" + "x" * 40),
    ):
        await page.goto(scene.url + path)
        wrong += await judge(page, f"{name}, to a stranger")
    await page.goto(f"{scene.url}/epeule/sign-in")
    await page.fill("#who", "monique@membres.lab.test")
    await page.click("main form button")
    wrong += await judge(page, "link sent")
    await page.goto(f"{scene.url}/nowhere/")
    wrong += await judge(page, "no association")
    await stranger.close()
    assert wrong == []


async def test_everything_can_be_reached_by_keyboard_and_is_seen(pages: Pages, chromium: Any) -> None:
    scene, paths = pages
    context = await signed_in(scene, chromium)
    page = await context.new_page()
    await page.goto(scene.url + paths["thread"])
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    assert await page.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    reached = "main a[href], main button, main input:not([type=hidden])"
    number = await page.evaluate("reached => document.querySelectorAll(reached).length", reached)
    for _ in range(number):
        await page.keyboard.press("Tab")
        seen = await page.evaluate(
            "(() => { const e = document.activeElement, s = getComputedStyle(e);"
            " return e.closest('main') !== null && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; })()"
        )
        assert seen
    await context.close()


async def test_on_paper_the_words_stand_alone(pages: Pages, chromium: Any) -> None:
    scene, paths = pages
    context = await signed_in(scene, chromium)
    page = await context.new_page()
    await page.emulate_media(media="print")
    await page.goto(scene.url + paths["thread"])
    for gone in ("nav", ".search", ".ways", ".bottom", ".skip"):
        assert not await page.locator(gone).first.is_visible(), gone
    for kept in ("h1", ".name", "article .author", "article .words", "article time"):
        assert await page.locator(kept).first.is_visible(), kept
    await context.close()


async def test_on_paper_the_register_is_a_table_with_first_names_and_no_lateness(pages: Pages, chromium: Any) -> None:
    scene, paths = pages
    context = await signed_in(scene, chromium)
    page = await context.new_page()
    await page.emulate_media(media="print")
    await page.goto(scene.url + paths["register"])
    for gone in ("nav", ".kinds", ".filter", ".take", ".late", ".rest"):
        assert await page.locator(gone).count(), gone
        assert not await page.locator(gone).first.is_visible(), gone
    for kept in ("h1", ".name", ".entries caption", ".entries thead th", ".entries .what a", ".entries .state"):
        assert await page.locator(kept).first.is_visible(), kept
    assert "Benali" not in await page.inner_text("main")
    assert "Karim" in await page.inner_text("main")
    await page.goto(scene.url + paths["fee"])
    assert not await page.locator(".act").is_visible()
    assert await page.locator(".objections").is_visible()
    assert "Lambert" not in await page.inner_text("main")
    await context.close()


async def test_on_paper_a_meeting_names_nobody_who_comes_or_not(pages: Pages, chromium: Any) -> None:
    scene, paths = pages
    context = await signed_in(scene, chromium)
    page = await context.new_page()
    await page.goto(scene.url + paths["coming"])
    assert await page.get_by_role("cell", name="Paul Lambert").is_visible()
    await page.emulate_media(media="print")
    for gone in (".act", ".tally .names", ".papers", "nav"):
        assert await page.locator(gone).count(), gone
        assert not await page.locator(gone).first.is_visible(), gone
    for kept in ("h1", ".facts", ".agenda", ".tally .count"):
        assert await page.locator(kept).first.is_visible(), kept
    for name in ("Paul", "Haddad", "Benali"):
        assert name not in await page.inner_text("main")
    await context.close()


async def test_on_a_telephone_a_row_of_the_register_is_still_a_row(pages: Pages, chromium: Any) -> None:
    """Its cells stand below each other; who has it read aloud still hears a table with its heads."""
    scene, paths = pages
    context = await signed_in(scene, chromium, **LOOKS["telephone"])
    page = await context.new_page()
    await page.goto(scene.url + paths["register"])
    table = page.get_by_role("table")
    rows = await page.locator(".entries tbody tr").count()
    assert await table.get_by_role("row").count() == rows + 1
    assert await table.get_by_role("columnheader").all_inner_texts() == ["N°", "Quoi", "Qui", "Quand", "État"]
    assert await table.get_by_role("rowheader").count() == rows >= 9
    await context.close()


async def test_pages_work_without_style_and_say_their_language(played: Scene) -> None:
    async with played.browser(**MONIQUE) as browser:
        text = await (await browser.get("/epeule/")).text()
    assert text.startswith('<!doctype html>\n<html lang="fr">')
    assert "<script" not in text
