"""Meetings and minutes on the web, as members use them. The real server answers."""

from __future__ import annotations

import io
import re
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from lxml import html as lxml_html
from pypdf import PdfReader
from sqlalchemy import insert, update

from passerelle.core.meeting_model import Meeting, Rsvp
from passerelle.core.secretary_settings import MeetingSettings
from passerelle.render import Renderer
from passerelle.store.archive_tables import opening
from passerelle.store.meeting_people import list_rsvps, put_rsvp, set_quiet
from passerelle.store.people import find_or_insert_named_person
from passerelle.store.secretary_tables import meeting as meeting_table
from tests.web.scene import EPEULE, Scene, opened, play
from tests.web.secretary import (
    KARIM,
    LEA,
    MONIQUE,
    PAUL_READS,
    answers,
    fill,
    fill_meetings,
    fill_register,
    minute,
    note,
    plan,
)

SAME = {"Sec-Fetch-Site": "same-origin"}
Page = lxml_html.HtmlElement


async def get(scene: Scene, path: str, *, status: int = 200, **who: str) -> Page:
    async with scene.browser(**who) as browser:
        answer = await browser.get(path)
        assert answer.status == status, path
        return lxml_html.fromstring(await answer.text())


def words(element: Page) -> str:
    return " ".join(element.text_content().split())


def titles(page: Page, section: str) -> list[str]:
    return [words(a) for a in page.cssselect(f'section[aria-labelledby="{section}"] .title')]


async def answer(scene: Scene, meeting: Meeting, who: dict[str, str], value: str) -> tuple[int, Page]:
    """Press a button on the meeting's page; the status, and the page that comes."""
    path = f"/epeule/meetings/{meeting.number}"
    async with scene.browser(**who) as browser:
        shown = lxml_html.fromstring(await (await browser.get(path)).text())
        token = shown.cssselect('input[name="form_token"]')[0].get("value")
        data = {"form_token": token, "answer": value}
        got = await browser.post(f"{path}/answer", data=data, headers=SAME)
        return got.status, lxml_html.fromstring(await got.text())


async def rsvps_of(scene: Scene, meeting: Meeting) -> list[Rsvp]:
    async with scene.ctx.store.read() as conn:
        return await list_rsvps(conn, meeting.id)


# ------------------------------------------------------------ the list


async def test_what_is_to_come_stands_first_the_next_at_the_top(played: Scene) -> None:
    await fill_meetings(played)
    page = await get(played, "/epeule/meetings", **LEA)
    assert titles(page, "to-come") == [
        "Visite du marché", "Réunion de bureau : le loto et la cotisation", "Assemblée générale",
    ]  # fmt: skip
    assert titles(page, "over") == ["Préparer le loto", "Réunion d’octobre"]
    entries = page.cssselect(".meetings li")
    assert "annulée" in words(entries[0])
    assert words(entries[1].cssselect("time")[0]) == "jeudi 26 novembre 2026, de 18 h 30 à 20 h 30"
    assert entries[1].cssselect("time")[0].get("datetime") == "2026-11-26T17:30:00+00:00"
    assert "3 personnes viennent · 1 peut-être" in words(entries[1])
    assert "Vous avez répondu : Je viens" in words(entries[1])
    # One may answer the next one that takes place, right here.
    assert len(page.cssselect("form.answer")) == 1
    assert entries[1].cssselect("form.answer")
    minutes = [words(a) for a in page.cssselect("a.minutes")]
    assert minutes == ["Compte rendu (brouillon)", "Compte rendu"]


async def test_a_meeting_that_is_over_or_going_on_stands_where_it_belongs(played: Scene) -> None:
    played.bridge.clock[0] = datetime.fromisoformat("2026-11-20T18:00:00+00:00")
    await plan(played, "Va", days=0, at=time(18, 30))
    await plan(played, "Fini", days=0, at=time(16, 0))
    await plan(played, "Clos avant l’heure", days=0, at=time(18, 0), state="closed")
    await plan(played, "Annulée hier", days=-1, state="cancelled")
    page = await get(played, "/epeule/meetings", **LEA)
    assert titles(page, "to-come") == ["Va"]
    assert titles(page, "over") == ["Clos avant l’heure", "Fini", "Annulée hier"]


async def test_past_meetings_are_found_by_year(played: Scene) -> None:
    await plan(played, "Ancienne", days=-700)
    await plan(played, "De cette année", days=-30)
    await plan(played, "L’an prochain", days=200)
    page = await get(played, "/epeule/meetings", **LEA)
    assert [words(a) for a in page.cssselect(".kinds a")] == ["2026", "2025", "2024"]
    assert titles(page, "over") == ["De cette année"]
    page = await get(played, "/epeule/meetings?year=2024", **LEA)
    assert titles(page, "over") == ["Ancienne"]
    assert titles(page, "to-come") == ["L’an prochain"]
    page = await get(played, "/epeule/meetings?year=2025", **LEA)
    assert "Aucune réunion passée en 2025." in words(page.cssselect("main")[0])
    for wrong in ("2027", "abc", "1", "9" * 30):
        assert titles(await get(played, f"/epeule/meetings?year={wrong}", **LEA), "over") == ["De cette année"]


async def test_without_a_meeting_the_page_says_how_one_is_called(played: Scene) -> None:
    page = await get(played, "/epeule/meetings", **LEA)
    assert "Aucune réunion n’est prévue" in words(page.cssselect(".note")[0])


# ------------------------------------------------------------ one meeting


async def test_a_meeting_says_when_where_and_what_about(played: Scene) -> None:
    paths = await fill_meetings(played)
    page = await get(played, paths["coming"], **LEA)
    facts = {words(div.cssselect("dt")[0]): words(div.cssselect("dd")[0]) for div in page.cssselect(".facts > div")}
    assert facts["Quand"] == "jeudi 26 novembre 2026, de 18 h 30 à 20 h 30"
    assert facts["Lieu"] == "Local de l’Épeule, 12 rue de l’Épeule"
    assert facts["Proposée par"] == "Karim Benali"
    (link,) = page.cssselect(".facts a")
    assert link.get("href") == "https://visio.example/epeule"
    assert link.get("rel") == "nofollow noopener noreferrer"
    assert [words(li) for li in page.cssselect(".agenda li")] == [
        "La cotisation à 12 € · Karim Benali", "Qui tient la buvette ? · Léa",
    ]  # fmt: skip
    assert "Apportez vos idées pour la buvette.\nLe chauffage est réparé." in page.text_content()
    page = await get(played, paths["past"], **LEA)
    assert "Décision" in words(page.cssselect(".came li")[0])
    assert "Louer la salle des fêtes" in words(page.cssselect(".came li")[0])
    facts = {words(div.cssselect("dt")[0]): words(div.cssselect("dd")[0]) for div in page.cssselect(".facts > div")}
    assert facts["Présidence"] == "Monique Delattre"
    # Over: nobody may answer, and who had answered what is not told.
    assert not page.cssselect("form.answer, .tally")


async def test_an_address_that_is_none_of_the_web_is_no_link(played: Scene) -> None:
    meeting = await plan(played, "Réunion", url="javascript:alert(1)")
    page = await get(played, f"/epeule/meetings/{meeting.number}", **LEA)
    assert "javascript" not in lxml_html.tostring(page).decode()


async def test_a_meeting_elsewhere_says_whose_clock_it_is_on(played: Scene) -> None:
    meeting = await plan(played, "Avec Fort-de-France", days=6, at=time(12), zone="America/Martinique")
    page = await get(played, f"/epeule/meetings/{meeting.number}", **LEA)
    assert words(page.cssselect(".facts dd")[0]) == ("jeudi 26 novembre 2026, de 12 h à 14 h (heure de Martinique)")
    async with played.ctx.store.write() as conn:
        await conn.execute(update(meeting_table).values(zone="Nulle/Part"))
    page = await get(played, f"/epeule/meetings/{meeting.number}", **LEA)
    assert words(page.cssselect(".facts dd")[0]) == "jeudi 26 novembre 2026, de 12 h à 14 h"
    await get(played, "/epeule/meetings", **LEA)


# ------------------------------------------------------------ who comes


async def test_one_answers_with_a_button_and_changes_one_s_mind(played: Scene) -> None:
    meeting = await plan(played, "Réunion")
    for value, told in (("yes", "Je viens"), ("no", "Je ne peux pas"), ("maybe", "Peut-être")):
        played.bridge.pass_time(seconds=1)
        status, page = await answer(played, meeting, PAUL_READS, value)
        assert status == 200
        assert words(page.cssselect('[role="status"]')[0]) == "C’est noté. Merci !"
        assert f"Vous avez répondu : {told}" in words(page.cssselect(".act")[0])
        assert [b.get("value") for b in page.cssselect("form.answer button:not(.quiet)")] == [value]
        (rsvp,) = await rsvps_of(played, meeting)
        assert (rsvp.answer, rsvp.medium, rsvp.name, rsvp.said_by) == (value, "web", "Paul Lambert", "")
    for wrong in ("", "oui", "Yes"):
        status, _ = await answer(played, meeting, PAUL_READS, wrong)
        assert status == 400
    played.bridge.pass_time(minutes=3)
    page = await get(played, f"/epeule/meetings/{meeting.number}", **PAUL_READS)
    assert not page.cssselect('[role="status"]')


@pytest.mark.parametrize("state", ["closed", "drafted", "approved", "cancelled"])
async def test_what_is_over_takes_no_answer(played: Scene, state: Any) -> None:
    meeting = await plan(played, "Réunion")
    path = f"/epeule/meetings/{meeting.number}"
    async with played.browser(**LEA) as browser:
        shown = lxml_html.fromstring(await (await browser.get(path)).text())
        token = shown.cssselect('input[name="form_token"]')[0].get("value")
        async with played.ctx.store.write() as conn:
            await conn.execute(update(meeting_table).values(state=state))
        data = {"form_token": token, "answer": "yes"}
        got = await browser.post(f"{path}/answer", data=data, headers=SAME)
        assert got.status == 409
        assert "on n’y répond plus" in await got.text()
        assert (await browser.get(f"{path}/convocation.pdf")).status == 404
    assert await rsvps_of(played, meeting) == []


async def test_a_meeting_that_nobody_closed_takes_no_answer_once_it_is_over(played: Scene) -> None:
    meeting = await plan(played, "Réunion", days=1)
    path = f"/epeule/meetings/{meeting.number}"
    assert (await get(played, path, **LEA)).cssselect("form.answer")
    played.bridge.pass_time(days=2)
    page = await get(played, path, **LEA)
    assert not page.cssselect("form.answer, .tally")
    assert not (await get(played, "/epeule/meetings", **LEA)).cssselect("form.answer")
    await get(played, f"{path}/convocation.pdf", status=404, **LEA)


async def test_an_answer_from_tomorrow_does_not_keep_one_from_changing_one_s_mind(played: Scene) -> None:
    """A mail says any date that it likes."""
    meeting = await plan(played, "Réunion")
    person = await played.person(**PAUL_READS)
    at = played.ctx.now() + timedelta(days=1)
    rsvp = Rsvp(meeting_id=meeting.id, person_id=person, name="Paul", answer="yes", medium="mail", at=at)
    async with played.ctx.store.write() as conn:
        await put_rsvp(conn, rsvp)
    status, _ = await answer(played, meeting, PAUL_READS, "no")
    assert status == 200
    assert [one.answer for one in await rsvps_of(played, meeting)] == ["no"]


async def test_an_answer_that_is_not_from_our_page_counts_nothing(played: Scene) -> None:
    meeting = await plan(played, "Réunion")
    path = f"/epeule/meetings/{meeting.number}/answer"
    async with played.browser(**LEA) as browser:
        assert (await browser.post(path, data={"answer": "yes"}, headers=SAME)).status == 403
        # A link in a mail that a scanner opens answers nothing (PEOPLE 10).
        assert (await browser.get(f"{path}?answer=yes")).status == 405
    async with played.browser() as browser:
        got = await browser.post(path, data={"answer": "yes"}, headers=SAME)
        assert got.url.path == "/epeule/sign-in"
    assert await rsvps_of(played, meeting) == []


async def tallied(scene: Scene) -> Meeting:
    """Léa comes, Mme Haddad as Monique says, Paul does not; Karim has not answered, and wants no reminders."""
    meeting = await plan(scene, "Réunion")
    async with scene.ctx.store.write() as conn:
        haddad = await find_or_insert_named_person(conn, EPEULE, "Mme Haddad", now=scene.ctx.now())
        await set_quiet(conn, meeting.id, await scene.person(**KARIM), scene.ctx.now())
    await answers(scene, meeting, await scene.person(**LEA), "Léa", "yes")
    await answers(scene, meeting, haddad, "Mme Haddad", "yes", by="Monique Delattre")
    await answers(scene, meeting, await scene.person(**PAUL_READS), "Paul Lambert", "no")
    return meeting


async def test_names_are_for_the_room_and_coordinators_numbers_for_all(played: Scene) -> None:
    meeting = await tallied(played)
    path = f"/epeule/meetings/{meeting.number}"
    for who in (KARIM, MONIQUE):
        rows = (await get(played, path, **who)).cssselect(".tally tbody tr")
        assert [words(row) for row in rows] == [
            "Viennent2Léa, Mme Haddad (transmis par Monique Delattre)", "Ne peuvent pas1Paul Lambert", "Peut-être0",
        ]  # fmt: skip
    page = await get(played, path, **PAUL_READS)
    assert [words(row) for row in page.cssselect(".tally tbody tr")] == ["Viennent2", "Ne peuvent pas1", "Peut-être0"]
    assert "Haddad" not in words(page)
    assert [words(head) for head in page.cssselect(".tally thead th")] == ["Réponse", "Combien"]
    played.ctx.settings.associations[0].__dict__["meetings"] = MeetingSettings(names_to="everyone")
    assert "Mme Haddad" in words(await get(played, path, **PAUL_READS))


async def test_nobody_s_silence_is_shown(played: Scene) -> None:
    meeting = await tallied(played)
    for who in (LEA, MONIQUE):
        for path in (f"/epeule/meetings/{meeting.number}", "/epeule/meetings"):
            assert "Karim" not in words((await get(played, path, **who)).cssselect("main")[0]).replace(
                "Proposée parKarim Benali", ""
            ).replace("Proposée par Karim Benali", "")


# ------------------------------------------------------------ minutes and papers


async def test_minutes_are_at_a_permanent_address_and_the_newest_counts(played: Scene) -> None:
    meeting = await plan(played, "Préparer le loto", days=-2, state="drafted")
    short = await minute(played, meeting, title="Ancien titre")
    await minute(played, meeting, version=2, title="Préparer le loto")
    page = await get(played, f"/epeule/minutes/{short}", **PAUL_READS)
    assert words(page.cssselect("h1")[0]) == "Compte rendu : Préparer le loto"
    assert words(page.cssselect(".note .pill")[0]) == "brouillon"
    assert "Les corrections sont prises jusqu’au mardi 24 novembre" in words(page.cssselect(".note")[0])
    await minute(played, meeting, version=3, state="approved", title="Préparer le loto")
    page = await get(played, f"/epeule/minutes/{short}", **PAUL_READS)
    assert not page.cssselect(".note")
    assert f"{played.url}/epeule/minutes/{short}" in words(page.cssselect(".permanent")[0])
    assert page.cssselect(f'.way a[href="/epeule/meetings/{meeting.number}"]')
    await get(played, "/epeule/minutes/aaaaaaaaaaaa", status=404, **PAUL_READS)


async def test_a_search_finds_minutes_beside_messages(played: Scene) -> None:
    paths = await fill_meetings(played)
    page = await get(played, "/epeule/search?q=loto", **LEA)
    heads = [words(one) for one in page.cssselect("main h2")]
    assert heads == ["Comptes rendus", "Messages"]
    found = [(one.get("href"), words(one)) for one in page.cssselect("main ul.threads a.title")]
    assert found == [(paths["draft"], "Préparer le loto"), (paths["approved minutes"], "Réunion d’octobre")]
    assert "à relire" in words(page.cssselect("main ul.threads li")[0])
    assert "Comptes rendus" not in words(await get(played, "/epeule/search?q=de:monique+loto", **LEA))


async def test_minutes_of_a_meeting_that_was_not_held_say_so(played: Scene) -> None:
    meeting = await plan(played, "Réunion", days=-2, state="drafted")
    short = await minute(played, meeting, was_held=False)
    page = await get(played, f"/epeule/minutes/{short}", **LEA)
    assert "brouillon" not in words(page.cssselect(".note")[0])


async def test_minutes_and_convocation_on_paper(played: Scene) -> None:
    paths = await fill_meetings(played)
    async with played.browser(**LEA) as browser:
        got = await browser.get(paths["approved minutes"] + ".pdf")
        assert got.content_type == "application/pdf"
        assert 'attachment; filename="compte-rendu-2026-10-15.pdf"' in got.headers["Content-Disposition"]
        assert got.headers["Cache-Control"] == "no-store"
        text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(await got.read())).pages)
        assert "Louer la salle des fêtes" in text
        got = await browser.get(paths["approved minutes"] + ".odt")
        assert got.content_type == "application/vnd.oasis.opendocument.text"
        content = ZipFile(io.BytesIO(await got.read())).read("content.xml").decode()
        assert "Louer la salle des fêtes" in content
        got = await browser.get(paths["coming"] + "/convocation.pdf")
        assert 'filename="convocation-4.pdf"' in got.headers["Content-Disposition"]
        pages = PdfReader(io.BytesIO(await got.read())).pages
        assert len(pages) == 1
        assert "La cotisation à 12 €" in pages[0].extract_text()
        assert "Mme Haddad" in pages[0].extract_text()


async def test_a_paper_that_cannot_be_made_is_a_page_in_plain_words(
    played: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passerelle.flows.paper._SECONDS", 0.0)
    paths = await fill_meetings(played)
    page = await get(played, paths["approved minutes"] + ".pdf", status=500, **LEA)
    assert page.cssselect("h1")


async def test_the_meeting_leads_to_its_papers(played: Scene) -> None:
    paths = await fill_meetings(played)
    hrefs = [a.get("href") for a in (await get(played, paths["past"], **LEA)).cssselect(".papers a")]
    assert hrefs == [paths["approved minutes"] + ending for ending in ("", ".pdf", ".odt")]
    hrefs = [a.get("href") for a in (await get(played, paths["coming"], **LEA)).cssselect(".papers a")]
    assert hrefs == [paths["coming"] + "/convocation.pdf"]
    assert not (await get(played, paths["off"], **LEA)).cssselect(".papers")


# ------------------------------------------------------------ who gets in


async def test_a_public_archive_opens_no_meeting(tmp_path: Path) -> None:
    async with opened(tmp_path, archive={"visibility": "public"}) as scene:
        await play(scene)
        at = scene.ctx.now() - timedelta(days=30)
        row = {"association": EPEULE, "link": "bureau", "what": "posts", "to": "public", "told_at": at, "opens_at": at}
        async with scene.ctx.store.write() as conn:
            await conn.execute(insert(opening).values(**row))
        paths = await fill_meetings(scene)
        async with scene.browser() as browser:
            assert (await browser.get("/epeule/", allow_redirects=False)).status == 200
            for path in (*paths.values(), paths["draft"] + ".pdf", paths["coming"] + "/convocation.pdf",
                         "/epeule/calendar.ics", "/epeule/meetings/999"):  # fmt: skip
                got = await browser.get(path, allow_redirects=False)
                assert got.status == 303, path
                assert got.headers["Location"] == f"/epeule/sign-in?next={path}"
            got = await browser.get("/epeule/search?q=loto")
            assert got.status == 200
            assert "Comptes rendus" not in await got.text()


async def test_an_item_of_the_register_leads_back_to_what_was_said(played: Scene) -> None:
    await fill_register(played)
    meeting = await plan(played, "Réunion")
    await note(played, "Une idée", "agenda", meeting_id=meeting.id, state="dropped")
    item = await note(played, "La buvette", "agenda", meeting_id=meeting.id)
    page = await get(played, f"/epeule/meetings/{meeting.number}", **LEA)
    assert [a.get("href") for a in page.cssselect(".agenda a")] == [f"/epeule/register/{item.number}"]


async def test_every_page_speaks_english_where_the_association_does(tmp_path: Path) -> None:
    async with opened(tmp_path) as scene:
        await play(scene)
        paths = await fill(scene)
        english = Renderer(None, "en")
        scene.ctx.__dict__["renderer"] = lambda association: english
        for name, path in paths.items():
            page = await get(scene, path, **MONIQUE)
            assert page.get("lang") == "en", name
            # What members said stays as it is; what the page says is never French.
            said = re.sub(r"\s+", " ", page.cssselect("main")[0].text_content())
            for french in ("Vous", "Venez", "Réponse", "jusqu", "novembre", "adoptée", "Histoire", "Adresse", "Quoi"):
                assert french not in said, (name, french)
        assert "Thursday 26 November 2026" in words(await get(scene, paths["coming"], **MONIQUE))
