"""Catching up on the web: a form, one page, and one's own that were sent; axe reads them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from passerelle.store.digests import list_digests
from passerelle.store.tables import post
from tests.flows.bridge import BRIDGE, mail
from tests.web.scene import EPEULE, Scene, play
from tests.web.test_accessible import LOOKS
from tests.web.test_digest_pages import get, judged

MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
PAGE = "/epeule/digests/catch-up"


@pytest.fixture
async def sent(scene: Scene) -> str:
    """Monique asked by mail; the page of what she was told."""
    await play(scene)
    scene.bridge.pass_time(minutes=5)
    raw = mail("", subject="SUBJECT", message_id="rattrapage@membres.lab.test", to=BRIDGE, list_id=None)
    await scene.bridge.receive(raw.replace(b"[bureau] SUBJECT", b"rattrapage depuis hier"))
    async with scene.ctx.store.read() as conn:
        (one,) = await list_digests(conn, EPEULE, limit=5)
    assert one.kind == "catch_up"
    return f"/epeule/digests/{one.permalink}"


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_the_form_leads_to_one_page_and_nothing_is_noted(scene: Scene, sent: str) -> None:
    status, listed = await get(scene, "/epeule/digests", **MONIQUE)
    assert status == 200
    assert f'action="{PAGE}"' in listed
    for _ in range(2):
        status, page = await get(scene, f"{PAGE}?since=le+d%C3%A9but", **MONIQUE)
        assert status == 200
        assert "Depuis le début." in plain(page)
        assert "<h2>Conversations" in page
        assert '<li dir="auto">' in page
    async with scene.ctx.store.read() as conn:
        assert len(await list_digests(conn, EPEULE, limit=5)) == 1


@pytest.mark.parametrize(
    ("since", "told"),
    [("mes+vacances", "Nous n’avons pas compris depuis quand"), ("demain", "n’est pas encore arrivé"),
     ("", "vous êtes à jour. Bonne journée !")],
)  # fmt: skip
async def test_what_is_not_told_is_said_in_a_sentence(scene: Scene, sent: str, since: str, told: str) -> None:
    status, page = await get(scene, f"{PAGE}?since={since}", **MONIQUE)
    assert status == 200
    assert told in plain(page)
    assert "<h2>Conversations" not in page


async def test_a_stranger_is_told_nothing_and_one_s_own_is_nobody_else_s(scene: Scene, sent: str) -> None:
    assert (await get(scene, f"{PAGE}?since=le+d%C3%A9but"))[0] == 303
    assert (await get(scene, sent, **MONIQUE))[0] == 200
    assert (await get(scene, sent, address="paul@membres.lab.test"))[0] == 404
    assert sent not in (await get(scene, "/epeule/digests", address="paul@membres.lab.test"))[1]


async def test_one_that_was_sent_shows_what_may_be_read_today(scene: Scene, sent: str) -> None:
    status, page = await get(scene, sent, **MONIQUE)
    assert status == 200
    sentences = re.findall(r'<li dir="auto">(.*?)</li>', page)
    assert sentences
    async with scene.ctx.store.write() as conn:
        await conn.execute(update(post).values(state="hidden"))
    status, page = await get(scene, sent, **MONIQUE)
    assert status == 200
    assert re.findall(r'<li dir="auto">(.*?)</li>', page) == []
    assert (await get(scene, f"{PAGE}?since=le+d%C3%A9but", **MONIQUE))[1].count('<li dir="auto">') == 0


@pytest.mark.parametrize("look", LOOKS)
async def test_no_catch_up_is_in_anybody_s_way(scene: Scene, sent: str, chromium: Any, look: str) -> None:
    context = await chromium.new_context(**LOOKS[look])
    cookies = await scene.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    wrong: list[str] = []
    for path in ("/epeule/digests", sent, f"{PAGE}?since=le+d%C3%A9but", PAGE, f"{PAGE}?since=jamais"):
        await page.goto(scene.url + path)
        wrong += await judged(page, path)
    (letter,) = [
        one for one in await scene.bridge.personal_mails() if one["In-Reply-To"] == "<rattrapage@membres.lab.test>"
    ]
    html = letter.get_body(("html",))
    assert html is not None
    page = await context.new_page()
    await page.set_content(html.get_content())
    wrong += await judged(page, "mail")
    await context.close()
    assert wrong == []


async def test_the_form_works_by_hand(scene: Scene, sent: str, chromium: Any) -> None:
    context = await chromium.new_context()
    cookies = await scene.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    await page.goto(f"{scene.url}/epeule/digests")
    await page.get_by_label("Depuis quand ?").fill("le début")
    await page.get_by_role("button", name="Rattraper").click()
    assert "Depuis le début." in plain(await page.content())
    assert await page.get_by_label("Depuis quand ?").input_value() == "le début"
    await context.close()
