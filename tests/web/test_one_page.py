"""The one page of an association: what it tells members, what a text browser reads, and what may hang on a wall."""

from __future__ import annotations

import io
import re
import shutil
from datetime import timedelta

import aiohttp
import pytest
from pypdf import PdfReader

from passerelle.core.consents import FIRST_NAME
from passerelle.core.digest_model import NewOffer
from passerelle.core.ids import MailAddress
from passerelle.core.register_model import NamedPerson
from passerelle.store.consents import give_consent, withdraw_consent
from passerelle.store.offers import insert_offer
from passerelle.store.people import find_or_insert_person
from tests.web.scene import EPEULE, Scene, play
from tests.web.secretary import KARIM, LEA, MONIQUE, fill, note, plan
from tests.web.test_text_browser import NO_W3M, shown

NARROW = "\u202f"


@pytest.fixture
async def season(scene: Scene) -> Scene:
    """A week of talk, a season of notes, an offer of Karim."""
    await play(scene)
    await fill(scene)
    karim = await scene.person(**KARIM)
    async with scene.ctx.store.write() as conn:
        offer = NewOffer(association=EPEULE, person_id=karim, text="réparer les vélos", said_at=scene.ctx.now())
        await insert_offer(conn, offer)
    return scene


async def get(scene: Scene, path: str, **who: str) -> tuple[int, bytes]:
    cookies = await scene.session(**who) if who else {}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        answer = await session.get(scene.url + path, allow_redirects=False)
        return answer.status, await answer.read()


async def sheet(scene: Scene, **who: str) -> str:
    """What stands on the sheet; it is one page."""
    status, data = await get(scene, "/epeule/now.pdf", **(who or MONIQUE))
    assert status == 200
    pages = PdfReader(io.BytesIO(data)).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split())


async def agree(scene: Scene, yes: bool = True, **who: str) -> None:
    person = await scene.person(**who)
    async with scene.ctx.store.write() as conn:
        if yes:
            await give_consent(conn, EPEULE, person, FIRST_NAME, now=scene.ctx.now())
        else:
            await withdraw_consent(conn, EPEULE, person, FIRST_NAME, now=scene.ctx.now())


@pytest.mark.skipif(shutil.which("w3m") is None, reason=NO_W3M)
async def test_a_text_browser_reads_it_in_its_order(season: Scene) -> None:
    _, html = await get(season, "/epeule/now", **LEA)
    text = re.sub(r"\[\d+\]", "", (await shown(html)).partition("References:")[0])
    at = 0
    for words in (
        "En ce moment", "Cette page se fait toute seule.", "À jour le", "Prochaines dates", "Visite du marché",
        "annulée", "Réunion de bureau : le loto et la cotisation", "Local de l’Épeule", "Assemblée générale",
        "Décisions en cours", "Acheter un percolateur", "proposée", "Porter la cotisation annuelle à 12 €",
        "une objection est à discuter", "Qui fait quoi", "Relancer la mairie", "Léa", "Prêts en cours",
        "Vidéoprojecteur", "Karim Benali", "pour le", "Qui peut aider", "Réparer les vélos", "Karim",
        "Où trouver les choses", "La clé du local est chez Mme Haddad", "Participer", "Par courriel",
        "bureau@listes.lab.test", "Dans le salon", "action @Prénom :", "je peux aider pour :", "Tout retrouver",
        "Registre", "Une feuille à afficher (PDF)", "mon prénom : oui",
    ):  # fmt: skip
        found = text.find(words, at)
        assert found >= 0, f"{words!r} is not behind {text[max(0, at - 80) : at]!r}"
        at = found + len(words)


async def test_it_says_of_nobody_that_they_are_late_silent_or_how_to_reach_them(season: Scene) -> None:
    await note(season, "Appeler Paul au 06 12 34 56 78 ou paul.lambert@exemple.test", "action")
    _, html = await get(season, "/epeule/now", **LEA)
    page = html.decode()
    overdue = page[page.index("Relancer la mairie") : page.index("Prêts en cours")]
    assert 'class="about"' not in overdue
    assert "retard" not in page
    assert "06 12" not in page
    assert "exemple.test" not in page
    assert "peut-être" not in page
    assert "viennent" not in page


async def test_it_is_linked_from_the_first_page_and_the_menu(season: Scene) -> None:
    _, home = await get(season, "/epeule/", **LEA)
    assert home.decode().count('href="/epeule/now"') == 2
    _, page = await get(season, "/epeule/now", **LEA)
    assert '<a href="/epeule/now" aria-current="page">' in page.decode()


async def test_who_is_not_signed_in_is_asked_to(season: Scene) -> None:
    for path in ("/epeule/now", "/epeule/now.pdf"):
        status, data = await get(season, path)
        assert status == 303
        assert b"percolateur" not in data


async def test_the_sheet_names_nobody_who_did_not_agree(season: Scene) -> None:
    text = await sheet(season)
    for name in ("Léa", "Karim", "Benali", "Paul", "Lambert", "Monique", "Delattre", "Haddad", "Annie"):
        assert name not in text, name
    assert "Relancer la mairie pour les barrières et l’électricité, une personne" in text
    assert "Réparer les vélos" in text
    assert "bureau@listes.lab.test" in text
    assert "retard" not in text


async def test_nor_does_it_name_who_left(season: Scene) -> None:
    await note(season, "La sono est chez Camille, à rapporter", "info")
    async with season.ctx.store.write() as conn:
        await find_or_insert_person(
            conn, EPEULE, name="Camille Roux", address=MailAddress("camille@ailleurs.test"), now=season.ctx.now(),
            source="mail",
        )  # fmt: skip
    assert "Camille" not in await sheet(season)


async def test_a_first_name_stands_on_it_from_consent_until_it_is_taken_back(season: Scene) -> None:
    await agree(season, **LEA)
    await agree(season, **KARIM)
    text = await sheet(season)
    assert "l’électricité, Léa" in text
    assert "Vidéoprojecteur, Karim" in text
    assert "Réparer les vélos, Karim" in text
    assert "Benali" not in text
    await agree(season, yes=False, **KARIM)
    text = await sheet(season)
    assert "Karim" not in text
    assert "l’électricité, Léa" in text


async def test_an_association_may_have_no_first_names_at_all(season: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    await agree(season, **LEA)
    monkeypatch.setitem(season.bridge.link.association.digests.__dict__, "first_names", "never")
    text = await sheet(season)
    assert "Léa" not in text
    assert "une personne" in text


async def test_a_line_that_names_somebody_is_counted_and_a_place_at_somebody_s_is_not_told(season: Scene) -> None:
    await plan(season, "Apéro chez Karim", days=2, place="Chez Karim Benali, 3 rue des Lilas")
    text = await sheet(season)
    assert "Où trouver les choses à lire sur la page des membres" in text
    assert "Apéro" not in text
    assert "Réunion dimanche" in text.replace("–", "")
    assert "lieu à demander" in text
    assert "rue des Lilas" not in text


async def test_it_stays_one_sheet_however_much_there_is(season: Scene) -> None:
    lea = NamedPerson(name="Léa", person_id=await season.person(**LEA))
    for number in range(30):
        long = f"Tâche {number} : " + "préparer beaucoup de choses utiles à tout le quartier, " * 4
        await note(season, long, "action", people=(lea,))
        await note(season, long, "loan", people=(lea,))
        await note(season, long)
        await note(season, long, "info")
        await plan(season, f"Rencontre {number}", days=3 + number, place="Local de l’Épeule, 12 rue de l’Épeule")
    text = await sheet(season)
    assert re.search(r"et \d+ autres", text)
    assert "Participer" in text
    counted = sum(int(number) for number in re.findall(r"et (\d+) autres", text))
    assert counted > 100


async def test_on_paper_the_page_shows_what_the_sheet_shows(season: Scene, chromium: object) -> None:
    await agree(season, **LEA)
    cookies = await season.session(**MONIQUE)
    context = await chromium.new_context()  # type: ignore[attr-defined]
    await context.add_cookies([{"name": n, "value": v, "url": f"{season.url}/epeule"} for n, v in cookies.items()])
    page = await context.new_page()
    await page.goto(f"{season.url}/epeule/now")
    assert "Karim Benali" in await page.inner_text("main")
    await page.emulate_media(media="print")
    printed = await page.inner_text("main")
    assert "Léa" in printed
    for name in ("Karim", "Benali", "Haddad"):
        assert name not in printed
    assert "et 1 autre" in printed
    assert len(PdfReader(io.BytesIO(await page.pdf(format="A4"))).pages) <= 2
    await context.close()


async def test_what_is_over_or_far_away_is_no_next_date(season: Scene) -> None:
    await plan(season, "Bien trop loin", days=300)
    await plan(season, "Hier déjà", days=-1)
    await note(
        season, "Bal du quartier", "info", due_on=(season.ctx.now() + timedelta(days=9)).date(), author_name="Léa"
    )  # fmt: skip
    _, html = await get(season, "/epeule/now", **LEA)
    page = html.decode()
    assert "Bien trop loin" not in page
    assert "Hier déjà" not in page
    assert page.index("Bal du quartier") < page.index("Décisions en cours")


async def test_what_is_pinned_in_the_room_is_where_things_are(season: Scene) -> None:
    bridge = season.bridge
    said = await bridge.say("Le règlement du local : https://epeule.example/reglement")
    other = await bridge.say("Une autre ligne")
    await bridge.settle()
    pins = {"type": "m.room.pinned_events", "state_key": "", "event_id": "$pins", "sender": "@lea:lab.test"}
    await bridge.happen({**pins, "content": {"pinned": [other, said, "$unknown", 7]}})
    _, html = await get(season, "/epeule/now", **LEA)
    places = html.decode().partition('id="places"')[2]
    assert places.index("Le règlement du local") < places.index("Une autre ligne")
    assert "épinglé dans le salon" in places
    await bridge.happen({**pins, "event_id": "$again", "content": {"pinned": [said]}})
    await bridge.happen(bridge.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=said))
    _, html = await get(season, "/epeule/now", **LEA)
    assert "Le règlement du local" not in html.decode()
    assert "Une autre ligne" not in html.decode().partition('id="places"')[2]
