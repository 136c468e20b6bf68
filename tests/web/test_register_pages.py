"""The register on the web, as members use it: its list, one entry, what they do with it. The real server answers."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html as lxml_html
from sqlalchemy import insert

from passerelle.core.ids import LinkName
from passerelle.core.register_model import NamedPerson
from passerelle.core.register_moves import MOVES
from passerelle.core.secretary_settings import KindSettings, PermissionSettings, RegisterSettings
from passerelle.flows.hide_post import hide_post
from passerelle.store.archive_tables import opening
from passerelle.store.register_history import list_entry_changes, list_objections
from passerelle.web.entry_present import person_view
from passerelle.web.entry_ways import WAYS
from passerelle.web.register_filter import STATES, Asked, parse_asked
from tests.web.scene import EPEULE, Scene, opened, play
from tests.web.secretary import (
    KARIM,
    LEA,
    MONIQUE,
    PAUL_READS,
    came,
    entry_numbered,
    fill_register,
    note,
    objects,
    post_that_begins,
    told,
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


def numbers(page: Page) -> list[int]:
    return [int(words(cell)) for cell in page.cssselect(".entries td.number")]


async def send(scene: Scene, number: int, who: dict[str, str], **form: str) -> tuple[int, Page]:
    """Press a button of an entry's page; the status, and the page that comes."""
    async with scene.browser(**who) as browser:
        shown = lxml_html.fromstring(await (await browser.get(f"/epeule/register/{number}")).text())
        token = shown.cssselect('input[name="form_token"]')[0].get("value")
        path = f"/epeule/register/{number}/change"
        answer = await browser.post(path, data={"form_token": token, **form}, headers=SAME)
        return answer.status, lxml_html.fromstring(await answer.text())


def buttons(page: Page) -> set[str]:
    return {field.get("value") for field in page.cssselect('.act input[name="move"]')}


# ------------------------------------------------------------ the list


async def test_the_newest_stand_first_with_what_who_when_and_state(played: Scene) -> None:
    await fill_register(played)
    page = await get(played, "/epeule/register", **LEA)
    assert numbers(page) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert words(page.cssselect("caption")[0]) == "9 points, les plus récents d’abord"
    heads = [words(head) for head in page.cssselect(".entries thead th")]
    assert heads == ["N°", "Quoi", "Qui", "Quand", "État"]
    row = {int(words(tr.cssselect(".number")[0])): tr for tr in page.cssselect(".entries tbody tr")}
    assert words(row[2].cssselect(".what .kind")[0]) == "Action · loto"
    assert words(row[2].cssselect(".who")[0]) == "Léa"
    assert words(row[2].cssselect(".due")[0]) == "pour le mardi 17 novembre 2026"
    assert words(row[2].cssselect(".state")[0]) == "à faire en retard"
    assert words(row[5].cssselect(".due")[0]) == "samedi 5 juin 2027, de 8 h 30 à 19 h"
    assert words(row[4].cssselect(".state")[0]) == "objection"
    assert words(row[4].cssselect(".due")[0]) == "objections jusqu’au dimanche 22 novembre 2026"
    assert words(row[1].cssselect(".due")[0]) == ""
    assert words(row[1].cssselect(".said")[0]) == "le dimanche 11 octobre 2026"
    # Passed on: who has the word stands there, not who wrote it down.
    assert words(row[9].cssselect(".who")[0]) == "Mme Haddad"
    assert row[1].cssselect(".what a")[0].get("href") == "/epeule/register/1"
    tabs = [words(a) for a in page.cssselect(".kinds a")]
    assert tabs[:4] == ["Tout 9", "Décisions 3", "Actions 1", "Prêts 1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("kind=decision", [9, 4, 1]),
        ("kind=decision&state=adopted", [1]),
        ("kind=decision&state=expected", [9, 4]),
        ("state=expected", [9, 8, 4, 3, 2]),
        ("who=me", [2]),
        ("label=LOTO", [2, 1]),
        ("label=loto&kind=action", [2]),
        ("q=Cle", [7]),
        ("q=c%C3%A2ble+video", [3]),
        ("year=2026", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("year=2025", []),
        ("q=introuvable", []),
        # What is not understood asks for nothing.
        ("kind=nothing&state=adopted&year=abc&link=ailleurs&page=1&x=y", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        ("kind=action&state=adopted", [2]),
        ("year=%D9%A2%D9%A0%D9%A2%D9%A6", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ],
)
async def test_the_form_above_narrows_the_list(played: Scene, query: str, expected: list[int]) -> None:
    await fill_register(played)
    page = await get(played, f"/epeule/register?{query}", **LEA)
    assert numbers(page) == expected
    if not expected:
        assert "Rien ne correspond." in words(page.cssselect("main")[0])
    # The same list to take along.
    async with played.browser(**LEA) as browser:
        document = json.loads(await (await browser.get(f"/epeule/register.json?{query}")).read())
    assert [entry["number"] for entry in document["entries"]] == sorted(expected)


async def test_the_form_keeps_what_was_asked_and_works_without_a_script(played: Scene) -> None:
    await fill_register(played)
    page = await get(played, "/epeule/register?q=salle&kind=decision&state=adopted&label=loto&who=me&year=2026", **LEA)
    (form,) = page.cssselect(".filter form")
    assert form.get("method") == "get"
    kept = {name: value for name, value in form.form_values()}
    assert kept == {
        "q": "salle", "kind": "decision", "state": "adopted", "label": "loto", "who": "me", "year": "2026",
    }  # fmt: skip
    assert page.cssselect(".filter")[0].get("open") is not None
    for field in form.cssselect("input:not([type=hidden]), select"):
        assert page.cssselect(f'label[for="{field.get("id")}"]') or field.getparent().tag == "label"
    assert form.cssselect("#f-labels option")[0].get("value") == "loto"
    # Another kind keeps the rest, but no state that it does not have.
    tabs = {words(a).split()[0]: a.get("href") for a in page.cssselect(".kinds a")}
    assert tabs["Tout"] == "/epeule/register?q=salle&who=me&label=loto&year=2026"
    page = await get(played, "/epeule/register?kind=decision&label=loto", **LEA)
    csv_path = page.cssselect('.take a[href*=".csv"]')[0].get("href")
    assert "kind=decision" in csv_path
    assert "label=loto" in csv_path


async def test_a_long_register_has_pages(scene: Scene) -> None:
    await play(scene)
    for number in range(1, 103):
        await note(scene, f"Idée {number}", "idea")
    page = await get(scene, "/epeule/register?kind=idea", **LEA)
    assert numbers(page) == list(range(102, 52, -1))
    assert words(page.cssselect(".turn span")[0]) == "Page 1 sur 3"
    page = await get(scene, page.cssselect('.turn [rel="next"]')[0].get("href"), **LEA)
    page = await get(scene, page.cssselect('.turn [rel="next"]')[0].get("href"), **LEA)
    assert numbers(page) == [2, 1]
    assert not page.cssselect('.turn [rel="next"]')
    page = await get(scene, page.cssselect('.turn [rel="prev"]')[0].get("href"), **LEA)
    assert page.cssselect('.turn [rel="prev"]')[0].get("href") == "/epeule/register?kind=idea"
    await get(scene, "/epeule/register?page=4", status=404, **LEA)


async def test_an_empty_register_says_how_it_is_filled(played: Scene) -> None:
    page = await get(played, "/epeule/register", **LEA)
    assert "décision : louer la salle" in words(page.cssselect(".note")[0])
    assert not page.cssselect("table")


async def test_what_was_taken_back_is_not_shown(played: Scene) -> None:
    await fill_register(played)
    source = await post_that_begins(played, "Et moi je tiens")
    async with played.ctx.store.write() as conn:
        await hide_post(played.ctx, conn, source, by="Monique")
    page = await get(played, "/epeule/register", **LEA)
    assert numbers(page) == [9, 8, 7, 6, 5, 3, 1]
    await get(played, "/epeule/register/4", status=404, **LEA)
    await get(played, "/epeule/register/4", status=404, **MONIQUE)
    async with played.browser(**LEA) as browser:
        assert "cotisation" not in await (await browser.get("/epeule/register.csv")).text()


async def test_what_its_author_has_not_called_a_decision_is_theirs(played: Scene) -> None:
    lea = await played.person(**LEA)
    asked = await note(played, "Repeindre le local", state="asked", author_name="Léa", author_person_id=lea)
    for who in (KARIM, PAUL_READS):
        await get(played, f"/epeule/register/{asked.number}", status=404, **who)
    for who in (LEA, KARIM):
        assert numbers(await get(played, "/epeule/register", **who)) == []
        async with played.browser(**who) as browser:
            assert "Repeindre" not in await (await browser.get("/epeule/register.csv")).text()
    page = await get(played, f"/epeule/register/{asked.number}", **LEA)
    assert buttons(page) == {"confirm", "decline"}
    status, page = await send(played, asked.number, LEA, move="confirm")
    assert status == 200
    assert words(page.cssselect(".pill")[0]) == "proposée"


# ------------------------------------------------------------ to take along


async def test_the_table_for_a_spreadsheet(played: Scene) -> None:
    await fill_register(played)
    await note(played, "=HYPERLINK(1)", "idea", author_name="+33 6")
    async with played.browser(**LEA) as browser:
        answer = await browser.get("/epeule/register.csv")
        assert answer.content_type == "text/csv"
        assert 'filename="registre-epeule.csv"' in answer.headers["Content-Disposition"]
        assert answer.headers["Cache-Control"] == "no-store"
        data = await answer.read()
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert [row["Numéro"] for row in rows] == [str(number) for number in range(1, 11)]
    assert rows[3]["Objections"].startswith("Paul Lambert : Une hausse")
    assert rows[9]["Quoi"] == "'=HYPERLINK(1)"
    assert rows[9]["Noté par"] == "'+33 6"
    assert rows[0]["Page"] == f"{played.url}/epeule/register/1"


async def test_more_than_is_read_at_a_time_is_exported_once(played: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("passerelle.flows.register_export._AT_A_TIME", 4)
    await fill_register(played)
    async with played.browser(**LEA) as browser:
        document = json.loads(await (await browser.get("/epeule/register.json")).read())
    assert [entry["number"] for entry in document["entries"]] == list(range(1, 10))


# ------------------------------------------------------------ one entry


async def test_an_entry_shows_what_who_when_and_where_it_was_said(played: Scene) -> None:
    found = await fill_register(played)
    page = await get(played, f"/epeule/register/{found['fee']}", **LEA)
    assert words(page.cssselect("h1")[0]).startswith("Porter la cotisation annuelle")
    assert words(page.cssselect(".stands")[0]) == "Décision n° 4 en attente : il y a une objection"
    facts = {words(div.cssselect("dt")[0]): words(div.cssselect("dd")[0]) for div in page.cssselect(".facts > div")}
    assert facts["Proposée par"] == "Karim Benali"
    assert facts["Dit le"] == "samedi 14 novembre 2026"
    assert facts["Objections jusqu’au"].startswith("dimanche 22 novembre 2026 à ")
    assert words(page.cssselect(".objections li")[0]).startswith("Paul Lambert, vendredi 20 novembre 2026 « Une hausse")
    history = [[words(cell) for cell in row.cssselect("td")] for row in page.cssselect(".history tbody tr")]
    assert [line[1:] for line in history] == [
        ["Noté · voir le message", "Karim Benali"],
        ["Annoncé des deux côtés", "la passerelle"],
        ["Objection", "Paul Lambert"],
    ]
    shorts = await played.shorts()
    (source,) = page.cssselect(".sources a")
    assert source.get("href") == f"/epeule/p/{shorts['Et moi je tiens la b']}"
    assert words(source) == "Karim, dans le salon, mardi 17 novembre 2026 à 11 h 27"
    page = await get(played, f"/epeule/register/{found['proposed']}", **LEA)
    facts = {words(div.cssselect("dt")[0]): words(div.cssselect("dd")[0]) for div in page.cssselect(".facts > div")}
    assert facts["Proposée par"] == "Annie Lambert"
    assert facts["Au nom de"] == "Mme Haddad"


async def test_a_long_entry_is_whole_below_its_title(played: Scene) -> None:
    text = "Acheter " + "des chaises " * 40 + "pour la fin"
    entry = await note(played, text)
    page = await get(played, f"/epeule/register/{entry.number}", **LEA)
    assert words(page.cssselect("h1")[0]).endswith("…")
    assert "pour la fin" in words(page.cssselect("main")[0])


async def test_who_may_not_read_its_source_is_not_led_there(tmp_path: Path) -> None:
    """A decision that was found in the list's past: its word is the register's, its source stays the list's."""
    async with opened(tmp_path) as scene:
        await play(scene)
        source = await post_that_begins(scene, "Bonjour")
        entry = await note(scene, "Louer la salle", source=source)
        async with scene.ctx.store.write() as conn:
            from sqlalchemy import update

            from passerelle.store.tables import post

            await conn.execute(update(post).where(post.c.id == source).values(origin="import"))
        page = await get(scene, f"/epeule/register/{entry.number}", **LEA)
        assert not page.cssselect(".sources")
        assert "voir le message" not in words(page)
        page = await get(scene, f"/epeule/register/{entry.number}", **PAUL_READS)
        assert len(page.cssselect(".sources a")) == 1


def test_a_name_has_a_first_part_that_may_be_printed() -> None:
    for name, first in (
        ("Karim Benali", "Karim"),
        ("Léa", "Léa"),
        ("Mme Haddad", "Mme Haddad"),
        ("M. Roux", "M. Roux"),
        ("Mademoiselle Roux", "Mademoiselle Roux"),
        ("Un membre de la liste", "Un membre de la liste"),
    ):
        view = person_view(name)
        assert view.first == first
        assert view.first + view.rest == name


# ------------------------------------------------------------ what one may do


@pytest.mark.parametrize(
    ("kind", "state", "who", "offered"),
    [
        ("decision", "proposed", "Karim", {"object"}),
        ("decision", "proposed", "author", {"object", "drop"}),
        ("decision", "proposed", "Monique", {"object", "adopt", "drop"}),
        ("decision", "adopted", "Karim", set()),
        ("decision", "adopted", "author", set()),
        ("decision", "adopted", "Monique", {"replace", "review", "drop"}),
        ("action", "open", "Karim", {"finish"}),
        ("action", "open", "author", {"finish", "drop"}),
        ("action", "done", "Karim", {"reopen"}),
        ("loan", "out", "Karim", {"give_back"}),
        ("question", "open", "Karim", {"finish"}),
        ("info", "kept", "Karim", set()),
        ("info", "kept", "Monique", {"drop"}),
    ],
)
async def test_each_is_offered_what_they_may_do_and_nothing_else_works(
    played: Scene, kind: str, state: str, who: str, offered: set[str]
) -> None:
    lea = await played.person(**LEA)
    person = {"Karim": KARIM, "author": LEA, "Monique": MONIQUE}[who]
    values: dict[str, Any] = {"state": state, "author_person_id": lea, "author_name": "Léa"}
    if state == "proposed":
        values["announce_state"] = "telling"
    entry = await note(played, "louer la salle", kind, **values)
    await note(played, "une autre décision")
    if state == "proposed":
        await told(played, entry, days_ago=8)
    page = await get(played, f"/epeule/register/{entry.number}", **person)
    assert buttons(page) == offered
    forms = {"replace": {"by": "2"}, "review": {"day": "2027-01-15"}, "object": {"reason": "trop cher"}}
    refused = {way for way in WAYS if way not in offered} - {"set"}
    async with played.browser(**person) as browser:
        shown = lxml_html.fromstring(await (await browser.get("/epeule/register")).text())
        token = shown.cssselect('input[name="form_token"]')[0].get("value")
        for way in sorted(refused):
            data = {"form_token": token, "move": way, **forms.get(way, {})}
            answer = await browser.post(f"/epeule/register/{entry.number}/change", data=data, headers=SAME)
            assert answer.status in (403, 409), way
            after = await entry_numbered(played, entry.number)
            assert (after.state, await list_of_objections(played, entry.number)) == (state, 0), way
        for way in sorted(offered):
            fresh = await note(played, f"pour {way}", kind, **values)
            if state == "proposed":
                await told(played, fresh, days_ago=8)
            data = {"form_token": token, "move": way, **forms.get(way, {})}
            answer = await browser.post(f"/epeule/register/{fresh.number}/change", data=data, headers=SAME)
            assert answer.status == 200, way
            shown = lxml_html.fromstring(await answer.text())
            assert words(shown.cssselect('[role="status"]')[0]) == "C’est noté. Merci !", way
            last = (await history_of(played, fresh.number))[-1]
            assert (last.move, last.medium) == (way, "web")
            assert last.by_person_id == await played.person(**person)


async def list_of_objections(scene: Scene, number: int) -> int:
    entry = await entry_numbered(scene, number)
    async with scene.ctx.store.read() as conn:
        return len([o for o in await list_objections(conn, entry.id) if o.withdrawn_at is None])


async def history_of(scene: Scene, number: int) -> Any:
    entry = await entry_numbered(scene, number)
    async with scene.ctx.store.read() as conn:
        return await list_entry_changes(conn, entry.id)


async def test_an_objection_counts_at_once_until_it_is_withdrawn(played: Scene) -> None:
    entry = await note(played, "Louer la salle", announce_state="telling")
    await told(played, entry, days_ago=8)
    status, page = await send(played, entry.number, LEA, move="object", reason="c’est\r\ntrop cher")
    assert status == 200
    assert words(page.cssselect(".pill")[0]) == "en attente : il y a une objection"
    assert "« c’est trop cher »" in words(page.cssselect(".objections li")[0])
    assert buttons(page) == {"withdraw"}
    # The coordinator is told why it waits, and cannot do it all the same.
    page = await get(played, f"/epeule/register/{entry.number}", **MONIQUE)
    assert "adopt" not in buttons(page)
    assert "objection de Léa" in words(page.cssselect(".act")[0])
    status, page = await send(played, entry.number, MONIQUE, move="adopt")
    assert status == 409
    assert "objection de Léa" in words(page.cssselect("main")[0])
    # Only who objected takes it back.
    assert (await send(played, entry.number, KARIM, move="withdraw"))[0] == 409
    status, page = await send(played, entry.number, LEA, move="withdraw")
    assert status == 200
    assert words(page.cssselect('[role="status"]')[0]) == "C’est noté. Merci !"
    assert words(page.cssselect(".objections li")[0]).endswith("Retirée le vendredi 20 novembre 2026.")
    status, page = await send(played, entry.number, MONIQUE, move="adopt")
    assert status == 200
    assert words(page.cssselect(".pill")[0]) == "adoptée"


async def test_of_an_objection_that_was_taken_back_as_a_post_the_words_go(played: Scene) -> None:
    """It counts all the same, until whoever made it withdraws it."""
    entry = await note(played, "Louer la salle", state="objected")
    post = await post_that_begins(played, "Merci Léa")
    await objects(played, entry, "Paul Lambert", "beaucoup trop cher", post_id=post)
    await came(played, entry, "object", by="Paul Lambert", post_id=post, detail="mot repris")
    page = await get(played, f"/epeule/register/{entry.number}", **LEA)
    assert "beaucoup trop cher" in words(page)
    async with played.ctx.store.write() as conn:
        await hide_post(played.ctx, conn, post, by="Monique")
    page = await get(played, f"/epeule/register/{entry.number}", **LEA)
    assert "trop cher" not in words(page)
    assert "mot repris" not in words(page)
    assert words(page.cssselect(".objections li")[0]).startswith("Paul Lambert")
    async with played.browser(**LEA) as browser:
        for form in ("csv", "json"):
            text = await (await browser.get(f"/epeule/register.{form}")).text()
            assert "Paul Lambert" in text
            assert "trop cher" not in text


async def test_another_s_objection_leaves_one_s_own_to_be_withdrawn(played: Scene) -> None:
    entry = await note(played, "Louer la salle", state="objected")
    await objects(played, entry, "Paul Lambert", person_id=await played.person(**PAUL_READS))
    await objects(played, entry, "Léa", person_id=await played.person(**LEA))
    status, page = await send(played, entry.number, LEA, move="withdraw")
    assert status == 200
    assert page.cssselect('[role="status"]')
    assert (await entry_numbered(played, entry.number)).state == "objected"


async def test_what_is_noted_is_said_for_a_moment_only(played: Scene) -> None:
    entry = await note(played, "appeler", "action")
    _, page = await send(played, entry.number, LEA, move="finish")
    assert page.cssselect('[role="status"]')
    # To nobody else, and not for ever.
    assert not (await get(played, f"/epeule/register/{entry.number}", **KARIM)).cssselect('[role="status"]')
    played.bridge.pass_time(minutes=3)
    assert not (await get(played, f"/epeule/register/{entry.number}", **LEA)).cssselect('[role="status"]')


async def test_nothing_is_adopted_before_both_sides_had_their_time(played: Scene) -> None:
    entry = await note(played, "Louer la salle", announce_state="telling")
    status, page = await send(played, entry.number, MONIQUE, move="adopt")
    assert status == 409
    assert "n’a pas encore été annoncée" in words(page.cssselect("main")[0])
    assert page.cssselect(f'main a[href="/epeule/register/{entry.number}"]')
    await told(played, entry, days_ago=3)
    status, page = await send(played, entry.number, MONIQUE, move="adopt")
    assert status == 409
    assert "mardi 24 novembre" in words(page.cssselect("main")[0])
    assert (await entry_numbered(played, entry.number)).state == "proposed"


async def test_what_a_coordinator_does_stands_among_the_acts(played: Scene) -> None:
    entry = await note(played, "Louer la salle", announce_state="telling")
    await told(played, entry, days_ago=8)
    await send(played, entry.number, MONIQUE, move="adopt")
    page = await get(played, "/epeule/acts", **LEA)
    (act,) = [li for li in page.cssselect(".acts li") if "a adopté une décision" in words(li)]
    assert act.cssselect("a")[0].get("href") == f"/epeule/register/{entry.number}"


async def test_a_decision_is_replaced_by_another_and_leads_to_it(played: Scene) -> None:
    first = await note(played, "Louer la salle", state="adopted")
    second = await note(played, "Louer le gymnase", state="adopted")
    for wrong in ("", "99", "abc", "٣", "1" * 30):
        status, page = await send(played, first.number, MONIQUE, move="replace", by=wrong)
        assert status == 409, wrong
        assert "pas de décision de ce numéro" in words(page.cssselect("main")[0])
    status, page = await send(played, first.number, MONIQUE, move="replace", by=str(second.number))
    assert status == 200
    assert page.cssselect(f'.stands a[href="/epeule/register/{second.number}"]')
    assert "Remplacée par la décision 2" in words(page.cssselect(".history")[0])


async def test_a_decision_is_looked_at_again_on_a_day(played: Scene) -> None:
    entry = await note(played, "Louer la salle", state="adopted")
    for wrong in ("", "demain", "2027-02-30"):
        status, _ = await send(played, entry.number, MONIQUE, move="review", day=wrong)
        assert status == 409
    status, page = await send(played, entry.number, MONIQUE, move="review", day="2027-01-15")
    assert status == 200
    assert (await entry_numbered(played, entry.number)).review_on == date(2027, 1, 15)
    assert "À revoir le vendredi 15 janvier 2027" in words(page.cssselect(".history")[0])


async def test_an_entry_of_a_configured_kind_goes_from_state_to_state(played: Scene) -> None:
    kind = KindSettings(name="demande", words=("demande", "demandes"), states=("reçue", "étudiée", "acceptée"))
    played.ctx.settings.associations[0].__dict__["entry_register"] = RegisterSettings(kinds=(kind,))
    entry = await note(played, "Une aide pour la sortie", "demande")
    page = await get(played, "/epeule/register?kind=demande&state=re%C3%A7ue", **LEA)
    assert numbers(page) == [entry.number]
    assert "Demande 1" in [words(a) for a in page.cssselect(".kinds a")]
    assert numbers(await get(played, "/epeule/register?state=expected", **LEA)) == [entry.number]
    page = await get(played, f"/epeule/register/{entry.number}", **LEA)
    assert [option.get("value") for option in page.cssselect("#state option")] == ["étudiée", "acceptée"]
    status, page = await send(played, entry.number, LEA, move="set", state="acceptée")
    assert status == 200
    assert words(page.cssselect(".pill")[0]) == "acceptée"
    assert "Maintenant : acceptée" in words(page.cssselect(".history")[0])
    for wrong in ("acceptée", "volée", ""):
        status, _ = await send(played, entry.number, LEA, move="set", state=wrong)
        assert status == 409
    assert numbers(await get(played, "/epeule/register?state=expected", **LEA)) == []
    # What is configured no more is still there.
    played.ctx.settings.associations[0].__dict__["entry_register"] = RegisterSettings()
    assert "Demande" in words((await get(played, f"/epeule/register/{entry.number}", **LEA)).cssselect(".stands")[0])
    async with played.browser(**LEA) as browser:
        assert (await browser.get("/epeule/register.csv")).status == 200


async def test_the_configuration_says_who_may_adopt(played: Scene) -> None:
    played.ctx.settings.associations[0].__dict__["permissions"] = PermissionSettings(
        adopt="participant", finish="coordinator"
    )
    entry = await note(played, "appeler", "action")
    assert "finish" not in buttons(await get(played, f"/epeule/register/{entry.number}", **LEA))
    status, page = await send(played, entry.number, LEA, move="finish")
    assert status == 403
    assert "la coordination peut le faire" in words(page.cssselect("main")[0])


# ------------------------------------------------------------ who gets in


async def test_a_form_that_is_not_ours_changes_nothing(played: Scene) -> None:
    entry = await note(played, "appeler", "action")
    path = f"/epeule/register/{entry.number}/change"
    async with played.browser(**LEA) as browser:
        shown = lxml_html.fromstring(await (await browser.get(f"/epeule/register/{entry.number}")).text())
        token = shown.cssselect('input[name="form_token"]')[0].get("value")
        assert (await browser.post(path, data={"move": "finish"}, headers=SAME)).status == 403
        assert (await browser.post(path, data={"move": "finish", "form_token": "x" * 40}, headers=SAME)).status == 403
        other = {"Sec-Fetch-Site": "cross-site"}
        assert (await browser.post(path, data={"move": "finish", "form_token": token}, headers=other)).status == 403
        for wrong in ("", "told", "settle", "Finish"):
            data = {"move": wrong, "form_token": token}
            assert (await browser.post(path, data=data, headers=SAME)).status == 400, wrong
        assert (await browser.get(path)).status == 405
    async with played.browser() as browser:
        answer = await browser.post(path, data={"move": "finish", "form_token": token}, headers=SAME)
        assert answer.url.path == "/epeule/sign-in"
    assert (await entry_numbered(played, entry.number)).state == "open"


async def test_a_public_archive_opens_no_register(tmp_path: Path) -> None:
    async with opened(tmp_path, archive={"visibility": "public"}) as scene:
        await play(scene)
        at = scene.ctx.now() - timedelta(days=30)
        row = {"association": EPEULE, "link": "bureau", "what": "posts", "to": "public", "told_at": at, "opens_at": at}
        async with scene.ctx.store.write() as conn:
            await conn.execute(insert(opening).values(**row))
        await fill_register(scene)
        async with scene.browser() as browser:
            assert "Loto du quartier" in await (await browser.get("/epeule/")).text()
            for path in ("register", "register.csv", "register.json", "register/1", "register/999"):
                answer = await browser.get(f"/epeule/{path}", allow_redirects=False)
                assert answer.status == 303, path
                assert re.fullmatch(rf"/epeule/sign-in\?next=/epeule/{path}", answer.headers["Location"])
            assert "/epeule/register" not in await (await browser.get("/epeule/")).text()
        assert numbers(await get(scene, "/epeule/register", **LEA))


def test_the_states_that_may_be_asked_for_are_those_of_the_moves() -> None:
    known: dict[str, set[str]] = {}
    for move in MOVES:
        known.setdefault(move.kind, set()).update((*move.before, move.after))
    known["decision"].discard("asked")
    assert {kind: set(states) for kind, states in STATES.items() if kind != "booking"} == {
        kind: states for kind, states in known.items() if kind != "booking"
    }
    assert set(STATES["booking"]) == known["booking"]


def test_what_is_asked_comes_back_as_an_address() -> None:
    asked = Asked(words="a b", kind="action", state="done", mine=True, label="loto", link="bureau", year=2026)
    links = [LinkName("bureau")]
    assert parse_asked(asked.query(), links=links, kinds=()) == asked
    assert asked.is_narrowed
    assert not replace(Asked(), kind="action").is_narrowed
    assert asked.query(kind="") == {k: v for k, v in asked.query().items() if k != "kind"}


async def test_someone_without_a_name_is_somebody(played: Scene) -> None:
    await note(
        played, "appeler", "action", people=(NamedPerson(name="karim@membres.lab.test"),), author_name="",
    )  # fmt: skip
    page = await get(played, "/epeule/register", **LEA)
    assert words(page.cssselect(".who")[0]) == "Quelqu’un"
    assert "karim@" not in words(page)
