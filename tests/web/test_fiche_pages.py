"""Fiches on the web: made by a button, completed and published there, seen only with what was agreed to; axe reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from passerelle.core.consents import fiche_consent
from passerelle.core.fiche import Fiche
from passerelle.store.asks import list_open_asks
from passerelle.store.consents import give_consent, withdraw_consent
from passerelle.store.fiches import list_fiches
from tests.flows.bridge import mail
from tests.web.scene import EPEULE, PAUL, Scene, play
from tests.web.test_accessible import LOOKS
from tests.web.test_digest_pages import get, judged

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


async def test_it_is_found_by_who_may_read_it_and_only_as_far(played: Scene) -> None:
    path = await published(played)
    for place in ("/epeule/search?q=voisins", "/epeule/fiches?q=voisin"):
        assert path in (await get(played, place, **LEA))[1], place
    assert path not in (await get(played, "/epeule/fiches?q=trampoline", **LEA))[1]
    async with played.ctx.store.write() as conn:
        who = await played.person(**LAMBERT)
        await withdraw_consent(conn, EPEULE, who, fiche_consent((await the_fiche(played)).id), now=played.ctx.now())
    for place in ("/epeule/search?q=voisins", "/epeule/fiches?q=voisin"):
        assert path not in (await get(played, place, **LEA))[1], place


async def test_its_authors_complete_publish_and_withdraw_it_and_nobody_else(played: Scene) -> None:
    path = await made(played)
    form = {"what": "write", "heading": "results", "text": "<b>300 €</b> pour le jardin"}
    assert (await press(played, f"{path}/change", form, "/epeule/fiches", **LEA))[0] == 404
    assert (await press(played, f"{path}/change", form, path, **LAMBERT))[:2] == (303, path)
    page = (await get(played, path, **MONIQUE))[1]
    assert "&lt;b&gt;300 €&lt;/b&gt; pour le jardin" in page
    # Who is quoted publishes with their own agreement, and does not take back what another made.
    refused = await press(played, f"{path}/change", {"what": "withdraw"}, path, **LAMBERT)
    assert (refused[0], "Seules les personnes" in refused[2]) == (200, True)
    assert (await press(played, f"{path}/change", {"what": "nonsense"}, path, **MONIQUE))[0] == 400
    assert (await press(played, f"{path}/change", {"what": "withdraw"}, path, **MONIQUE))[:2] == (303, "/epeule/fiches")
    for who in (MONIQUE, LEA, LAMBERT):
        assert (await get(played, path, **who))[0] == 404


async def test_files_say_the_same_as_the_page(played: Scene) -> None:
    path = await published(played)
    markdown = (await get(played, f"{path}.md", **LEA))[1]
    assert f"> {ADVICE}\n>\n> — Paul\n" in markdown
    assert "[CC BY-SA 4.0](https://creativecommons.org/licenses/by-sa/4.0/)" in markdown
    (entry,) = json.loads((await get(played, f"{path}.json", **LEA))[1]).values()
    assert entry["bf_a_refaire"] == f"« {ADVICE} » (Paul)"
    assert entry["bf_participants"] == "Monique, Paul"
    assert set(entry) >= {"id_fiche", "id_typeannonce", "bf_titre", "date_creation_fiche", "statut_fiche"}
    html = (await get(played, f"{path}.html", **LEA))[1]
    assert ADVICE in html
    assert "Lambert" not in markdown + html + json.dumps(entry)


@pytest.mark.parametrize("look", LOOKS)
async def test_no_fiche_is_in_anybody_s_way(played: Scene, chromium: Any, look: str) -> None:
    draft = await made(played)
    short = next(short for text, short in (await played.shorts()).items() if text.startswith("Bonjour à toutes"))
    context = await chromium.new_context(**LOOKS[look])
    cookies = await played.session(**MONIQUE)
    await context.add_cookies([{"name": n, "value": v, "url": f"{played.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    wrong: list[str] = []
    for path in ("/epeule/fiches", draft, f"/epeule/t/{short}", "/epeule/search?q=loto"):
        await page.goto(played.url + path)
        wrong += await judged(page, path)
    written = (await get(played, f"{draft}.html", **MONIQUE))[1]
    page = await context.new_page()
    await page.set_content(written)
    wrong += await judged(page, "file")
    await context.close()
    assert wrong == []


async def test_its_licence_is_chosen_before_anybody_is_asked(played: Scene) -> None:
    path = await made(played)
    form = {"what": "licence", "licence": "CC BY 4.0"}
    assert (await press(played, f"{path}/change", form, path, **MONIQUE))[:2] == (303, path)
    assert (await the_fiche(played)).licence == "CC BY 4.0"
    page = (await get(played, path, **MONIQUE))[1]
    assert "https://creativecommons.org/licenses/by/4.0/" in page
    assert "<option selected>CC BY 4.0</option>" in page
    unknown = await press(played, f"{path}/change", form | {"licence": "la mienne"}, path, **MONIQUE)
    assert (unknown[0], "CC BY-SA 4.0" in unknown[2]) == (200, True)
    await press(played, f"{path}/change", {"what": "publish"}, path, **MONIQUE)
    assert "Choisir la licence" not in (await get(played, path, **MONIQUE))[1]
    late = await press(played, f"{path}/change", form | {"licence": "CC0 1.0"}, path, **MONIQUE)
    assert (late[0], (await the_fiche(played)).licence) == (200, "CC BY 4.0")
