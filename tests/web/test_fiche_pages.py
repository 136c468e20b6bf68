"""Fiches on the web: made by a button, completed and published there, seen only with what was agreed to; axe reads."""

from __future__ import annotations

import pytest

from passerelle.core.consents import fiche_consent
from passerelle.core.fiche import Fiche
from passerelle.store.asks import list_open_asks
from passerelle.store.consents import give_consent, withdraw_consent
from passerelle.store.fiches import list_fiches
from tests.flows.bridge import mail
from tests.web.scene import EPEULE, PAUL, Scene, play
from tests.web.test_digest_pages import get

MONIQUE = {"address": "monique@membres.lab.test"}
LEA = {"user_id": "@lea:lab.test"}
LAMBERT = {"address": PAUL}
ADVICE = "La prochaine fois, prévenons les voisins un mois plus tôt."


@pytest.fixture
async def played(scene: Scene) -> Scene:
    await play(scene)
    answer = mail(ADVICE, subject="Re: Loto du quartier", author=f"Paul Lambert <{PAUL}>", message_id="conseil@x",
                  answering=("loto@membres.lab.test",))  # fmt: skip
    await scene.bridge.receive(answer)
    return scene


async def press(scene: Scene, path: str, form: dict[str, str], page: str, **who: str) -> tuple[int, str, str]:
    """A button of a page, as a browser presses it: status, where it leads, what it says."""
    async with scene.browser(**who) as browser:
        shown = await (await browser.get(page)).text()
        token = shown.partition('name="form_token" value="')[2].partition('"')[0]
        answer = await browser.post(path, data=form | {"form_token": token}, allow_redirects=False)
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def made(scene: Scene) -> str:
    """The path of the draft that Monique makes of the loto's conversation."""
    short = next(short for text, short in (await scene.shorts()).items() if text.startswith("Bonjour à toutes"))
    page = f"/epeule/t/{short}"
    assert "En faire une fiche" in (await get(scene, page, **MONIQUE))[1]
    status, path, _ = await press(scene, "/epeule/fiches/make", {"thread": short}, page, **MONIQUE)
    assert status == 303
    return path


async def the_fiche(scene: Scene) -> Fiche:
    async with scene.ctx.store.read() as conn:
        return (await list_fiches(conn, EPEULE))[0]


async def published(scene: Scene) -> str:
    """Paul agrees; Monique by publishing."""
    path = await made(scene)
    async with scene.ctx.store.write() as conn:
        await give_consent(conn, EPEULE, await scene.person(**LAMBERT), fiche_consent((await the_fiche(scene)).id),
                           now=scene.ctx.now())  # fmt: skip
    status, _, told = await press(scene, f"{path}/change", {"what": "publish"}, path, **MONIQUE)
    assert (status, "publiée" in told) == (200, True)
    return path


async def test_a_draft_is_its_authors_and_published_it_is_everyones(played: Scene) -> None:
    path = await made(played)
    status, page = await get(played, path, **MONIQUE)
    assert (status, "brouillon" in page, ADVICE in page) == (200, True, True)
    assert "Qu’est-ce que cela a donné" in page
    assert (await get(played, path))[0] == 303
    assert (await get(played, path, **LEA))[0] == 404
    assert path not in (await get(played, "/epeule/fiches", **LEA))[1]
    # Who is quoted is one of its authors.
    assert (await get(played, path, **LAMBERT))[0] == 200


async def test_nothing_of_it_is_seen_without_a_yes(played: Scene) -> None:
    path = await made(played)
    for _ in range(2):
        await press(played, f"{path}/change", {"what": "publish"}, path, **MONIQUE)
    assert (await the_fiche(played)).state == "published"
    status, page = await get(played, path, **LEA)
    assert status == 200
    assert ADVICE not in page
    assert "Avec Monique." in page
    async with played.ctx.store.write() as conn:
        who = await played.person(**LAMBERT)
        assert [one.kind for one in await list_open_asks(conn, who)] == ["fiche"]
        await give_consent(conn, EPEULE, who, fiche_consent((await the_fiche(played)).id), now=played.ctx.now())
    page = (await get(played, path, **LEA))[1]
    assert ADVICE in page
    assert "Avec Monique et Paul." in page
    async with played.ctx.store.write() as conn:
        await withdraw_consent(conn, EPEULE, who, fiche_consent((await the_fiche(played)).id), now=played.ctx.now())
    for form in ("", ".md", ".json", ".html"):
        assert ADVICE not in (await get(played, path + form, **LEA))[1]
