"""Signing in as people do it, in a real browser: the link, the button, « Ordinateur partagé », « Me déconnecter »."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from axe_playwright_python.async_playwright import Axe

from passerelle.web.server import build_app
from tests.web.town import Town, make_town

FAMILY = "famille@membres.lab.test"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Town, str]]:
    """The town at an address that its own links lead to."""
    town = await make_town(tmp_path, url="http://127.0.0.1:1")
    server = TestServer(build_app(town.ctx))
    await server.start_server()
    base = f"http://127.0.0.1:{server.port}"
    assert town.ctx.settings.web is not None
    town.ctx.settings.web.__dict__["url"] = base
    yield town, base
    await server.close()
    await town.ctx.store.close()


async def link_sent(town: Town) -> str:
    for _ in range(200):
        found = await town.secrets_sent()
        if found:
            return found[-1]
        await asyncio.sleep(0.02)
    raise AssertionError("no link was written")


async def is_accessible(page: Any) -> None:
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        found = await Axe().run(page)
        assert found.violations_count == 0, (page.url, scheme, [v["id"] for v in found.response["violations"]])


async def test_from_a_page_of_the_archive_in_and_out_again(served: tuple[Town, str], chromium: Any) -> None:
    town, base = served
    for name in ("Paul Lambert", "Annie Lambert"):
        await town.writes(FAMILY, name)
    await town.post("Le loto aura lieu en décembre", message_id="loto@lab.test")
    context = await chromium.new_context()
    page = await context.new_page()
    clicked = f"{base}/epeule/m/loto@lab.test"
    await page.goto(clicked)
    assert page.url.startswith(f"{base}/epeule/sign-in?next=")
    await is_accessible(page)
    await page.get_by_label("Votre adresse de courriel").fill(FAMILY)
    await page.get_by_role("button", name="Recevoir mon lien").click()
    await is_accessible(page)
    secret = await link_sent(town)
    await page.goto(f"{base}/epeule/sign-in/{secret}")
    await is_accessible(page)
    assert await page.get_by_label("Ordinateur partagé").is_checked()
    await page.get_by_label("Annie Lambert").check()
    await page.get_by_role("button", name="Entrer").click()
    assert "/epeule/t/" in page.url, "the very post that was clicked"
    assert "Le loto aura lieu en décembre" in await page.content()
    (cookie,) = await context.cookies()
    assert (cookie["expires"], cookie["httpOnly"], cookie["sameSite"]) == (-1, True, "Lax")
    # With the headers of today's browsers the forms of every page are taken.
    await page.goto(f"{base}/epeule/feeds")
    await page.locator("main").get_by_role("button").first.click()
    assert "/epeule/key/" in await page.content()
    await is_accessible(page)
    await page.goto(f"{base}/epeule/")
    await page.get_by_role("button", name="Me déconnecter").click()
    await is_accessible(page)
    assert await context.cookies() == []
    await page.go_back()
    assert "Annie Lambert" not in await page.content(), "nothing was kept for who comes next"
    await page.goto(clicked)
    assert "/epeule/sign-in" in page.url
    await page.goto(f"{base}/epeule/sign-in/{secret}")
    assert "Ce lien a déjà servi" in await page.content()
    await is_accessible(page)
    await context.close()


async def test_another_site_s_form_does_not_sign_anyone_in(served: tuple[Town, str], chromium: Any) -> None:
    town, base = served
    await town.writes("mallory@membres.lab.test", "Mallory")
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(f"{base}/epeule/sign-in")
    await page.get_by_label("Votre adresse de courriel").fill("mallory@membres.lab.test")
    await page.get_by_role("button", name="Recevoir mon lien").click()
    secret = await link_sent(town)
    elsewhere = base.replace("127.0.0.1", "localhost")
    form = f'<form method="post" action="{base}/epeule/sign-in/{secret}"><button>Gagnez !</button></form>'

    async def evil(route: Any) -> None:
        await route.fulfill(body=form, content_type="text/html")

    await page.route(f"{elsewhere}/evil", evil)
    await page.goto(f"{elsewhere}/evil")
    async with page.expect_navigation() as navigation:
        await page.get_by_role("button").click()
    assert (await (await navigation.value).finished()) is None
    assert (await navigation.value).status == 403
    assert await context.cookies() == []
    await context.close()
