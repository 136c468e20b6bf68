"""Digests on the web: one's own, a preview, and the end by one click (RFC 8058); axe reads the mail and the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest
from axe_playwright_python.async_playwright import Axe

from passerelle.core.digest_answers import AnswerWay
from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_words import Place, build_shown
from passerelle.flows.digest_send import send_digests
from passerelle.flows.digest_stop import stop_token
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.render import Renderer
from passerelle.store.digests import list_digests, list_subscriptions, put_subscription
from tests.unit.core.digest_cases import load_situation
from tests.web.scene import EPEULE, Scene, play
from tests.web.test_accessible import LOOKS, TAGS

MONIQUE = {"address": "monique@membres.lab.test", "name": "Monique Delattre"}
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


@pytest.fixture
async def sent(scene: Scene) -> str:
    """Monique's digest has left; its page."""
    await play(scene)
    await subscribe_coordinators(scene.ctx, configured_digests(scene.ctx, scene.ctx.settings))
    scene.bridge.clock[0] = MONDAY
    assert await send_digests(scene.ctx) == 1
    async with scene.ctx.store.read() as conn:
        (one,) = await list_digests(conn, EPEULE, limit=5)
    return f"/epeule/digests/{one.permalink}"


async def get(scene: Scene, path: str, **who: str) -> tuple[int, str]:
    cookies = await scene.session(**who) if who else {}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        answer = await session.get(scene.url + path, allow_redirects=False)
        return answer.status, await answer.text()


async def test_one_s_own_digests_are_kept_and_nobody_else_s_are_shown(scene: Scene, sent: str) -> None:
    status, listed = await get(scene, "/epeule/digests", **MONIQUE)
    assert status == 200
    assert sent in listed
    status, page = await get(scene, sent, **MONIQUE)
    assert status == 200
    assert "Conversations" in page
    assert (await get(scene, sent))[0] == 303
    other = {"address": "paul@membres.lab.test"}
    assert (await get(scene, sent, **other))[0] == 404
    assert sent not in (await get(scene, "/epeule/digests", **other))[1]


async def test_a_coordinator_sees_what_it_would_tell_now_and_nothing_is_noted(scene: Scene, sent: str) -> None:
    for _ in range(2):
        status, page = await get(scene, "/epeule/digests/preview", **MONIQUE)
        assert status == 200
        assert "aperçu" in page
    assert (await get(scene, "/epeule/digests/preview", address="paul@membres.lab.test"))[0] == 404
    async with scene.ctx.store.read() as conn:
        assert len(await list_digests(conn, EPEULE, limit=5)) == 1


async def test_what_was_taken_down_since_is_not_told_by_a_past_digest(scene: Scene, sent: str) -> None:
    from sqlalchemy import update

    from passerelle.store.tables import post

    async with scene.ctx.store.write() as conn:
        await conn.execute(update(post).values(state="hidden"))
    status, page = await get(scene, sent, **MONIQUE)
    assert status == 200
    assert "Loto" not in page


async def test_a_click_shows_a_button_and_a_bare_post_ends_it(scene: Scene, sent: str) -> None:
    (letter,) = [one for one in await scene.bridge.personal_mails() if one["List-Unsubscribe"]]
    url = str(letter["List-Unsubscribe"]).partition("<")[2].partition(">")[0]
    assert url.startswith("http")
    path = url[url.index("/epeule/") :]
    status, page = await get(scene, path)
    assert status == 200
    assert '<form method="post">' in page
    assert await rhythms(scene) == ["weekly"]
    async with aiohttp.ClientSession() as session:
        for _ in range(2):
            answer = await session.post(scene.url + path, data={"List-Unsubscribe": "One-Click"})
            assert answer.status == 200
            assert "C’est fait" in await answer.text()
            assert not answer.cookies
    assert await rhythms(scene) == ["off"]


async def rhythms(scene: Scene) -> list[str]:
    async with scene.ctx.store.read() as conn:
        return [one.rhythm for one in await list_subscriptions(conn)]


@pytest.mark.parametrize("change", ["one more", "another person", "nothing"])
async def test_an_address_that_is_not_ours_ends_nothing(scene: Scene, sent: str, change: str) -> None:
    async with scene.ctx.store.read() as conn:
        (one,) = await list_subscriptions(conn)
    token = stop_token(scene.ctx, EPEULE, one.person_id)
    wrong = {"one more": f"{token}a", "another person": f"9{token}", "nothing": "x"}[change]
    async with aiohttp.ClientSession() as session:
        for ask in (session.get, session.post):
            answer = await ask(f"{scene.url}/epeule/digests/stop/{wrong}")
            assert answer.status == 404
    assert await rhythms(scene) == ["weekly"]
    async with scene.ctx.store.write() as conn:
        await put_subscription(conn, one)


# ------------------------------------------------------------ read by everyone


def html_of(letter: EmailMessage) -> str:
    part = letter.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def busy_mail(language: Any) -> str:
    situation = load_situation("busy")
    renderer = Renderer(None, language)
    chosen: Chosen = situation.choose()
    answers = {
        item.key: AnswerWay(url=f"mailto:passerelle@example.org?subject={item.weight}", token="k7fm2")
        for item in chosen.items
    }
    links = {"bureau": "bureau", "jardin": "jardin"}
    web = "https://archives.example.org"
    place = Place(web=web, association="epeule", title="Comité de quartier", links=links, answers=answers)
    shown = build_shown(chosen, renderer.words, place, kind="coordinator", since=situation.since, until=situation.until)
    html = renderer.letter_html(
        "mail/digest", digest=shown, subject=shown.subject, name="Monique", association=place,
        page_url="https://archives.example.org/epeule/digests/abc", stop_url="https://archives.example.org/stop",
    )  # fmt: skip
    assert html is not None
    return html


@pytest.mark.parametrize("look", LOOKS)
async def test_no_digest_is_in_anybody_s_way(scene: Scene, sent: str, chromium: Any, look: str) -> None:
    context = await chromium.new_context(**LOOKS[look])
    cookies = await scene.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{scene.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    wrong: list[str] = []
    async with scene.ctx.store.read() as conn:
        (one,) = await list_subscriptions(conn)
    stop = f"/epeule/digests/stop/{stop_token(scene.ctx, EPEULE, one.person_id)}"
    for path in ("/epeule/digests", sent, "/epeule/digests/preview", stop, f"{stop}x"):
        await page.goto(scene.url + path)
        wrong += await judged(page, path)
    # A page of its own: the archive's forbids the styles that a mail carries.
    page = await context.new_page()
    (letter,) = [one for one in await scene.bridge.personal_mails() if one["List-Unsubscribe"]]
    for name, html in (("sent", html_of(letter)), ("busy", busy_mail("fr")), ("busy in English", busy_mail("en"))):
        assert "http" not in "".join(html.split("<img")[1:]), "no remote picture"
        await page.set_content(html)
        wrong += await judged(page, name)
    await context.close()
    assert wrong == []


async def judged(page: Any, name: str) -> list[str]:
    found = (await Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})).response["violations"]
    wrong = [f"{name}: {v['id']} {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        wrong.append(f"{name}: wider than the window")
    return wrong
