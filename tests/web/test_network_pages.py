"""A network on the web: what its associations share is read through each one's own door, and nothing else is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from passerelle.core.fiche import DEFAULT_LICENCE, Content, Fiche, NewFiche, Part, Source, asked_consent
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_model import NewMeeting
from passerelle.core.register_model import NewEntry
from passerelle.flows.networks import list_shared_dates
from passerelle.flows.sessions import begin_session
from passerelle.store.consents import give_consent, withdraw_consent
from passerelle.store.fiches import insert_fiche
from passerelle.store.meetings import insert_meeting
from passerelle.store.register import insert_entry
from passerelle.web.door import COOKIE
from passerelle.web.server import build_app
from tests.web.test_accessible import LOOKS
from tests.web.test_digest_pages import judged
from tests.web.town import EPEULE, ROUBAIX, START, Town, make_town

FORMS = ("", ".html", ".md", ".json")


@dataclass
class Reseau:
    """Both associations of the town in one network, served; `epeule/jardin` is the link that they share."""

    town: Town
    client: TestClient[web.Request, web.Application]
    #: Paul writes in Épeule, Nadia in Roubaix.
    paul: int
    nadia: int

    async def get(self, path: str, person_id: int | None, association: AssociationName) -> tuple[int, str]:
        cookie = {}
        if person_id is not None:
            async with self.town.ctx.store.write() as conn:
                secret = await begin_session(self.town.ctx, conn, association, person_id, shared=True)
            cookie = {"Cookie": f"passerelle={secret}"}
        answer = await self.client.get(path, headers=cookie, allow_redirects=False)
        return answer.status, await answer.text()

    async def as_paul(self, path: str) -> tuple[int, str]:
        return await self.get(path, self.paul, EPEULE)

    async def as_nadia(self, path: str) -> tuple[int, str]:
        return await self.get(path, self.nadia, ROUBAIX)

    async def fiche(self, *, audience: str = "network", state: str = "published") -> Fiche:
        """A fiche of Épeule: Paul is quoted, Monique wrote."""
        now = self.town.clock[0]
        parts = (
            Part(heading="title", kind="written", text="Un loto réussi", author="Monique", said_at=now, person_id=None),
            Part(heading="context", kind="written", text="Salle pleine", author="Monique", said_at=now, person_id=None),
            Part(heading="advice", kind="quote", text="Prévoyez un micro zorglub", author="Paul Mercier", said_at=now,
                 person_id=self.paul, asks=(self.paul,), post_id=1, permalink="abcdefghijkl"),
        )  # fmt: skip
        new = NewFiche(
            association=EPEULE, link=LinkName("bureau"), number=1, state=state, audience=audience,  # type: ignore[arg-type]
            document=Content(source=Source(kind="thread"), parts=parts).to_json(), licence=DEFAULT_LICENCE,
            permalink="fichefichefi", made_by_person_id=None, made_at=now, published_at=now, changed_at=now,
        )  # fmt: skip
        async with self.town.ctx.store.write() as conn:
            return await insert_fiche(conn, new)


@pytest.fixture
async def reseau(tmp_path: Path) -> AsyncIterator[Reseau]:
    town = await make_town(tmp_path, shared=["epeule/jardin"])
    paul = await town.writes("paul@membres.lab.test", "Paul Mercier")
    nadia = await town.writes("nadia@membres.lab.test", "Nadia", path="roubaix/bureau")
    client = TestClient(TestServer(build_app(town.ctx)))
    await client.start_server()
    yield Reseau(town, client, paul, nadia)
    await client.close()
    await town.ctx.store.close()


async def test_a_shared_fiche_is_read_next_door_as_far_as_each_agreed_to_that(reseau: Reseau) -> None:
    fiche = await reseau.fiche()
    path = f"/roubaix/network/quartiers/fiches/{fiche.permalink}"
    status, page = await reseau.as_nadia(path)
    assert (status, "Salle pleine" in page, "zorglub" in page, "Paul" in page) == (200, True, False, False)
    async with reseau.town.ctx.store.write() as conn:
        # A yes to one's own association is none to the network.
        await give_consent(conn, EPEULE, reseau.paul, asked_consent(fiche.id, "association"), now=START)
    assert "zorglub" not in (await reseau.as_nadia(path))[1]
    assert "zorglub" in (await reseau.as_paul(f"/epeule/fiches/{fiche.permalink}"))[1]
    async with reseau.town.ctx.store.write() as conn:
        await give_consent(conn, EPEULE, reseau.paul, asked_consent(fiche.id, "network"), now=START)
    for form in FORMS:
        status, page = await reseau.as_nadia(path + form)
        assert (status, "zorglub" in page, "Paul" in page, "Mercier" in page) == (200, True, True, False), form
        assert "/epeule/" not in page, "no address leads into the other association"
    async with reseau.town.ctx.store.write() as conn:
        await withdraw_consent(conn, EPEULE, reseau.paul, asked_consent(fiche.id, "network"), now=START)
    for form in FORMS:
        assert "zorglub" not in (await reseau.as_nadia(path + form))[1]


@pytest.mark.parametrize(("audience", "state"), [("association", "published"), ("network", "asked"),
                                                 ("network", "withdrawn"), ("network", "draft")])  # fmt: skip
async def test_what_is_not_shared_is_not_there(reseau: Reseau, audience: str, state: str) -> None:
    fiche = await reseau.fiche(audience=audience, state=state)
    for form in FORMS:
        assert (await reseau.as_nadia(f"/roubaix/network/quartiers/fiches/{fiche.permalink}{form}"))[0] == 404
        assert (await reseau.as_nadia(f"/roubaix/fiches/{fiche.permalink}{form}"))[0] == 404
    assert "Un loto" not in (await reseau.as_nadia("/roubaix/network/quartiers"))[1]


async def test_strangers_and_other_networks_are_nowhere(reseau: Reseau) -> None:
    fiche = await reseau.fiche()
    for path in ("/epeule/network/quartiers", f"/epeule/network/quartiers/fiches/{fiche.permalink}"):
        assert (await reseau.get(path, None, EPEULE))[0] == 303
        # Roubaix's session is none at Épeule's door.
        assert (await reseau.get(path, reseau.nadia, ROUBAIX))[0] == 303
    assert (await reseau.as_nadia("/roubaix/network/ailleurs"))[0] == 404


async def test_dates_of_the_shared_link_are_everyones_and_no_others(reseau: Reseau) -> None:
    for link, title in (("jardin", "Fête du réseau"), ("bureau", "Bureau d’Épeule")):
        async with reseau.town.ctx.store.write() as conn:
            await insert_meeting(
                conn,
                NewMeeting(
                    association=EPEULE, link=LinkName(link), uid=link, title=title, zone="Europe/Paris",
                    starts_local=datetime(2026, 11, 26, 18, 30),  # noqa: DTZ001
                    duration_minutes=90, organizer_name="Monique", created_at=START, state="convened",
                ),
            )  # fmt: skip
    for page in ((await reseau.as_nadia("/roubaix/network/quartiers"))[1],
                 (await reseau.as_paul("/epeule/network/quartiers"))[1]):  # fmt: skip
        assert "Fête du réseau" in page
        assert "26 novembre" in page
        assert "Bureau d’Épeule" not in page
    async with reseau.town.ctx.store.read() as conn:
        ctx, week = reseau.town.ctx, timedelta(days=7)
        found = await list_shared_dates(ctx, conn, ROUBAIX, since=START, until=START + 2 * week)
        assert [(one.title, one.association, one.link) for one in found] == [("Fête du réseau", EPEULE, "jardin")]
        assert await list_shared_dates(ctx, conn, ROUBAIX, since=START, until=START + week) == []
        elsewhere = AssociationName("ailleurs")
        assert await list_shared_dates(ctx, conn, elsewhere, since=START, until=START + 2 * week) == []


async def test_figures_tell_of_nobody_and_hold_no_word(reseau: Reseau) -> None:
    for number in range(6):
        await reseau.town.post(f"zorglub {number}")
        await reseau.town.writes(f"p{number}@membres.lab.test", f"Personne {number}")
    async with reseau.town.ctx.store.write() as conn:
        new = NewEntry(association=EPEULE, link=LinkName("bureau"), kind="decision", text="zorglub", state="adopted",
                       said_at=START, author_name="Monique", created_at=START)  # fmt: skip
        await insert_entry(conn, new)
    status, page = await reseau.as_nadia("/roubaix/network/quartiers")
    row = page.partition(">Comité de quartier de l’Épeule</h3>")[2].partition("</dl>")[0]
    assert status == 200
    assert ">6<" in row
    assert ">7<" in row, "Paul and six others"
    assert "moins de 5" in row, "one decision"
    assert "non dit" in page.rpartition("Ensemble</h3>")[2]
    assert "zorglub" not in page
    assert "Personne 1" not in page


async def test_nothing_that_one_association_said_is_read_from_anothers_session(reseau: Reseau) -> None:
    """The shared link, too, is read by who takes part in it alone."""
    for path in ("epeule/bureau", "epeule/jardin"):
        await reseau.town.post("commun zorglub", path=path, author="Prénom Zorglub", message_id=f"{path}@lab.test")
    places = ["/roubaix/", "/roubaix/search?q=commun", "/roubaix/register", "/roubaix/fiches", "/roubaix/meetings",
              "/roubaix/network/quartiers", "/roubaix/a/jardin", "/roubaix/m/epeule/jardin@lab.test"]  # fmt: skip
    for path in places:
        assert "zorglub" not in (await reseau.as_nadia(path))[1].lower(), path
    for path in ("/epeule/", "/epeule/a/jardin"):
        assert (await reseau.get(path, reseau.nadia, ROUBAIX))[0] == 303


@pytest.mark.parametrize("look", LOOKS)
async def test_no_network_is_in_anybody_s_way(reseau: Reseau, chromium: Any, look: str) -> None:
    fiche = await reseau.fiche()
    async with reseau.town.ctx.store.write() as conn:
        await give_consent(conn, EPEULE, reseau.paul, asked_consent(fiche.id, "network"), now=START)
        secret = await begin_session(reseau.town.ctx, conn, ROUBAIX, reseau.nadia, shared=True)
    root = str(reseau.client.make_url("")).rstrip("/")
    context = await chromium.new_context(**LOOKS[look])
    await context.add_cookies([{"name": COOKIE, "value": secret, "url": f"{root}/roubaix"}])
    page, wrong = await context.new_page(), []
    for path in ("/roubaix/network/quartiers", f"/roubaix/network/quartiers/fiches/{fiche.permalink}"):
        await page.goto(root + path)
        wrong += await judged(page, path)
        assert "Un loto réussi" in await page.content()
    await context.close()
    assert wrong == []
