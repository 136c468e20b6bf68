"""Calendars to subscribe to: behind the session, and at a secret address. What comes is read as a calendar reads it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar
from lxml import html as lxml_html

from passerelle.core.register_model import NamedPerson
from passerelle.flows.sessions import make_feed_key, session_reader
from passerelle.store.people import leave_participant
from passerelle.web.door import COOKIE
from tests.web.scene import EPEULE, Scene
from tests.web.secretary import BUREAU, KARIM, LEA, PAUL_READS, answers, note, plan

CALL = "Action\u00a0: appeler la mairie"
SAME = {"Sec-Fetch-Site": "same-origin"}


async def key_of(scene: Scene, who: dict[str, str]) -> str:
    entry = await session_reader(scene.ctx, EPEULE, (await scene.session(**who))[COOKIE])
    assert entry is not None
    return await make_feed_key(scene.ctx, entry)


async def events(scene: Scene, path: str, **who: str) -> dict[str, Any]:
    """The events of a calendar by what they are called."""
    async with scene.browser(**who) as browser:
        got = await browser.get(path)
        assert got.status == 200, path
        assert got.headers["Content-Type"] == "text/calendar; charset=utf-8; method=PUBLISH"
        assert got.headers["Cache-Control"] == "no-store"
        calendar = Calendar.from_ical(await got.read())
    assert calendar["METHOD"] == "PUBLISH"
    found = calendar.walk("VEVENT")
    assert len({event["UID"] for event in found}) == len(found)
    return {str(event["SUMMARY"]): event for event in found}


async def test_meetings_of_three_months_and_all_to_come(played: Scene) -> None:
    for title, days in (("Ancienne", -100), ("Récente", -80), ("Bientôt", 6), ("Plus tard", 500)):
        await plan(played, title, days=days, place="Local de l’Épeule", url="https://visio.example/x")
    await plan(played, "Annulée", days=9, state="cancelled")
    found = await events(played, "/epeule/calendar.ics", **LEA)
    assert set(found) == {"Récente", "Bientôt", "Plus tard", "Annulée"}
    assert found["Bientôt"].decoded("DTSTART") == datetime(2026, 11, 26, 18, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert found["Bientôt"].decoded("DTEND") == datetime(2026, 11, 26, 20, 30, tzinfo=ZoneInfo("Europe/Paris"))
    assert found["Bientôt"]["LOCATION"] == "Local de l’Épeule"
    assert found["Annulée"]["STATUS"] == "CANCELLED"


async def test_a_calendar_names_nobody_who_answered(played: Scene) -> None:
    meeting = await plan(played, "Réunion")
    await answers(played, meeting, await played.person(**LEA), "Léa", "yes")
    async with played.browser(**KARIM) as browser:
        text = (await (await browser.get("/epeule/calendar.ics")).read()).decode()
    for name in ("Léa", "Karim", "Benali", "ATTENDEE", "ORGANIZER"):
        assert name not in text


async def test_one_s_own_days_stand_only_at_one_s_secret_address(played: Scene) -> None:
    lea, karim = await played.person(**LEA), await played.person(**KARIM)
    await plan(played, "Réunion")
    mine = {"people": (NamedPerson(name="Léa", person_id=lea),)}
    await note(played, "appeler la mairie", "action", due_on=date(2026, 12, 1), **mine)
    await note(played, "vidéoprojecteur", "loan", due_on=date(2026, 12, 3), due_at=time(18), **mine)
    await note(played, "sans date", "action", **mine)
    await note(played, "faite", "action", due_on=date(2026, 12, 1), state="done", **mine)
    await note(played, "vieille", "action", due_on=date(2026, 5, 1), **mine)
    await note(played, "de Karim", "action", due_on=date(2026, 12, 1), people=(NamedPerson(name="K", person_id=karim),))
    path = f"/epeule/key/{await key_of(played, LEA)}/calendar.ics"
    found = await events(played, path)
    assert set(found) == {"Réunion", CALL, "Prêt\u00a0: vidéoprojecteur"}
    event = found[CALL]
    assert event.decoded("DTSTART") == date(2026, 12, 1)
    assert event["URL"] == f"{played.url}/epeule/register/1"
    # The same day keeps its name when the calendar is fetched again.
    assert (await events(played, path))[CALL]["UID"] == event["UID"]
    # Behind the session stands what is everyone's.
    assert set(await events(played, "/epeule/calendar.ics", **LEA)) == {"Réunion"}


async def test_a_secret_address_ends_with_its_key_and_with_its_person(played: Scene) -> None:
    await plan(played, "Réunion")
    first = await key_of(played, PAUL_READS)
    second = await key_of(played, PAUL_READS)
    async with played.browser() as browser:
        assert (await browser.get(f"/epeule/key/{first}/calendar.ics")).status == 404
        assert (await browser.get(f"/epeule/key/{second}/calendar.ics")).status == 200
        assert (await browser.get(f"/epeule/key/{'x' * 43}/calendar.ics")).status == 404
        async with played.ctx.store.write() as conn:
            person = await played.person(**PAUL_READS)
            await leave_participant(conn, EPEULE, BUREAU, person, "list", played.ctx.now())
        assert (await browser.get(f"/epeule/key/{second}/calendar.ics")).status == 404


async def test_strangers_are_asked_to_sign_in(played: Scene) -> None:
    for path in ("/epeule/calendar", "/epeule/calendar.ics"):
        async with played.browser() as browser:
            got = await browser.get(path, allow_redirects=False)
            assert got.status == 303
            assert got.headers["Location"] == f"/epeule/sign-in?next={path}"


async def test_the_page_leads_to_the_address_which_opens_in_a_calendar(played: Scene) -> None:
    await plan(played, "Réunion")
    async with played.browser(**LEA) as browser:
        page = lxml_html.fromstring(await (await browser.get("/epeule/calendar")).text())
        (form,) = [f for f in page.cssselect("main form") if f.get("action") == "/epeule/feeds/key"]
        token = form.cssselect('input[name="form_token"]')[0].get("value")
        got = await browser.post("/epeule/feeds/key", data={"form_token": token}, headers=SAME)
        page = lxml_html.fromstring(await got.text())
    (field,) = page.cssselect("#ics")
    address = field.get("value")
    assert re.fullmatch(rf"{re.escape(played.url)}/epeule/key/[\w-]{{43}}/calendar\.ics", address)
    assert page.cssselect('label[for="ics"]')
    (subscribe,) = page.cssselect('a[href^="webcal:"]')
    assert subscribe.get("href") == address.replace("http://", "webcal://")
    assert set(await events(played, address.removeprefix(played.url))) == {"Réunion"}


async def test_the_feeds_page_tells_of_it(played: Scene) -> None:
    async with played.browser(**LEA) as browser:
        page = lxml_html.fromstring(await (await browser.get("/epeule/feeds")).text())
    assert page.cssselect('main a[href="/epeule/calendar"]')


async def test_a_long_past_and_a_year_to_come_stay_small(played: Scene) -> None:
    for number in range(60):
        await plan(played, f"Réunion {number}", days=7 * number - 210)
    found = await events(played, "/epeule/calendar.ics", **LEA)
    begins = [event.decoded("DTSTART") for event in found.values()]
    assert min(begins) > played.ctx.now() - timedelta(days=93)
