"""What somebody tries who wants the archive to say more than it should, or to stand still."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from lxml import etree
from lxml import html as lxml_html
from sqlalchemy import insert, select
from yarl import URL

from lab.postgres import Postgres
from passerelle.core.ids import EventId
from passerelle.core.markup import costs_too_much
from passerelle.core.model import RoomEvent
from passerelle.core.names import mask_addresses
from passerelle.flows.hide_post import hide_post
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.sessions import begin_session
from passerelle.store import archive_pages
from passerelle.store.archive_tables import cross_post
from passerelle.store.posts import insert_room_event
from passerelle.store.tables import post as post_table
from passerelle.web import views_home
from passerelle.web.bodies import beginning_of, html_of_post
from passerelle.web.door import COOKIE
from passerelle.web.feeds import ATOM
from passerelle.web.safe_files import served
from passerelle.web.server import build_app
from tests.web.scene import PAUL, Scene, opened, play
from tests.web.test_side_doors import Client
from tests.web.town import EPEULE, ROOMS, START, Town, make_town

PAUL_READS = {"address": PAUL, "name": "Paul Lambert"}
#: Nothing that anybody would type.
ODD_ADDRESSES = (
    "/epeule/m/%00", "/epeule/m/%ED%A0%80", "/epeule/m/%ff%fe", "/m/%00", "/epeule/search?q=a%00b",
    "/epeule/search?q=%ED%A0%80x", "/epeule/search?q=de:%00", "/epeule/search?q=" + "(%22%C2%AB" * 90,
    "/epeule/search?q=x&before=99999999999999999", "/epeule/search?q=apr%C3%A8s:31/12/9999",
    "/epeule/search?q=avant:0001-01-01", "/epeule/mine?before=99999999999999999.99999999999999999",
    "/epeule/acts?before=99999999999999999", "/epeule/t/{short}?page=999999", "/epeule/f/{short}/99999/x",
    "/epeule/f/{short}/0/a%0d%0aX:y", "/epeule/a/bureau/2100-12", "/epeule/a/bureau/0000-00",
    "/epeule/a/bureau/%D9%A2%D9%A0%D9%A2%D9%A6-%D9%A1%D9%A1", "/epeule/sign-in?next=/epeule/%ED%A0%80",
    "/epeule/sign-in/%00", "/epeule/%2e%2e/", "/epeule//", "/%00",
)  # fmt: skip
ODD_FORMS = (
    ("application/x-www-form-urlencoded; charset=nothing", b"who=a"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"who=a"),
    ("application/x-www-form-urlencoded", b"\xff\xfe=\xff"),
    ("application/x-www-form-urlencoded", b"who=@a%00:b.example"),
    ("application/x-www-form-urlencoded", b"who=a%00@b.example&next=%ED%A0%80"),
    ("application/x-www-form-urlencoded", b"a" * 70_000),
    ("multipart/form-data", b"x"),
)


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def test_nonsense_is_never_an_error_of_ours(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    database = request.getfixturevalue("postgres") if dialect == "postgresql" else None
    store_url = database.create_database() if isinstance(database, Postgres) else ""
    async with opened(tmp_path, store_url=store_url) as scene:
        await play(scene)
        short = next(iter((await scene.shorts()).values()))
        async with scene.browser(**PAUL_READS) as browser:
            for path in ODD_ADDRESSES:
                for method in ("GET", "HEAD"):
                    url = URL(path.replace("{short}", short), encoded=True)
                    assert (await browser.request(method, url, allow_redirects=False)).status < 500, path
        async with scene.browser() as browser:
            for content_type, data in ODD_FORMS:
                answer = await browser.post("/epeule/sign-in", data=data, headers={"Content-Type": content_type})
                assert answer.status in (200, 400, 413), content_type
        await asyncio.sleep(0.3)  # what was asked for is looked up after the answer
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []


async def test_a_request_that_is_none_leaves_no_word_in_the_log(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """aiohttp would write its first line down: a search, or a link to sign in with a letter too many."""
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.server.port)
    writer.write("GET /epeule/sign-in/tournesolé HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert b" 400 " in await reader.readline()
    writer.close()
    assert "tournesol" not in caplog.text


# ------------------------------------------------------------ a cross-post


async def enter(town: Town, person_id: int) -> Client:
    async with town.ctx.store.write() as conn:
        secret = await begin_session(town.ctx, conn, EPEULE, person_id, shared=True)
    client = TestClient(TestServer(build_app(town.ctx)), cookies={COOKIE: secret})
    await client.start_server()
    return client


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    made = await make_town(tmp_path)
    yield made
    await made.ctx.store.close()


async def test_a_cross_post_is_shown_where_its_reader_has_it_from(town: Town) -> None:
    """Who is in the garden alone is not led to the board, to its list, or to its room."""
    gardener = await town.writes("lucie@membres.lab.test", "Lucie", path="epeule/jardin")
    post_id = await town.post("Compost samedi", path="epeule/bureau", message_id="compost@lab.test")
    async with town.ctx.store.write() as conn:
        await conn.execute(insert(cross_post), {"post_id": post_id, "link": "jardin"})
        for number, room in enumerate((ROOMS["epeule/bureau"], ROOMS["epeule/jardin"])):
            await insert_room_event(
                conn,
                RoomEvent(
                    event_id=EventId(f"$shown{number}"), room_id=room, post_id=post_id, part=0,
                    thread_root_event_id=None, outbox_id=None, said_at=START,
                ),
            )  # fmt: skip
        short = (await conn.execute(select(post_table.c.permalink))).scalar_one()
    while await index_waiting(town.ctx):
        pass
    client = await enter(town, gardener)
    try:
        for path in (f"/epeule/t/{short}", f"/epeule/p/{short}/alone", "/epeule/", "/epeule/search?q=compost"):
            answer = await client.get(path)
            page = await answer.text()
            assert answer.status == 200, path
            assert "Compost samedi" in lxml_html.fromstring(page).text_content()
            assert "bureau" not in page.lower(), path
        thread = lxml_html.fromstring(await (await client.get(f"/epeule/t/{short}")).text())
        for way in thread.cssselect(".way a"):
            assert (await client.get(way.get("href"))).status == 200
        ways = [a.get("href") for a in thread.cssselect(".ways a")]
        assert ways[0].startswith("mailto:jardin-epeule@listes.lab.test?")
        assert "jardin%3Alab.test" in ways[1]
    finally:
        await client.close()


# ------------------------------------------------------------ files, words


@pytest.mark.parametrize(
    "name", ["x＂; filename*=UTF-8''evil.html", "x＼", "a／b.html", "n\r\nSet-Cookie: a=b", "\u202egpj.exe"]
)
def test_a_file_s_name_stays_within_its_quotation_marks(name: str) -> None:
    """Letters of full width become ASCII ones when a name is written for old programs."""
    disposition = served(name, "text/html", b"").disposition
    assert re.fullmatch(r"attachment; filename=\"[^\"\\/\r\n]+\"; filename\*=UTF-8''[\w.%~-]+", disposition), (
        disposition
    )
    assert disposition.isascii()


#: Few bytes that a parser of HTML makes very much of, or takes very long for.
COSTLY = {
    "deep": "<b>x</b>" + "<div>" * 10_000,
    "deep, with ends that end nothing": "<b>x</b>" + "<div></em>" * 6_000,
    "lists": "<ul><li>" * 6_000 + "<b>x</b>",
    "formatting in each paragraph": "<p>" + "".join(f"<b title={n}>" for n in range(200)) + "<p>x" * 12_000,
    "a little formatting in each paragraph": "<p>" + "".join(f"<b title={n}>" for n in range(29)) + "<p>x" * 12_000,
}


@pytest.mark.parametrize("mask", [None, "[adresse masquée]"])
@pytest.mark.parametrize("name", COSTLY)
def test_markup_that_costs_too_much_is_shown_as_its_words(name: str, mask: str | None) -> None:
    made = html_of_post(text="En clair", html=COSTLY[name], image_words="[{}]", mask=mask)
    assert made == '<p dir="auto">En clair</p>'


@pytest.mark.parametrize(
    "html",
    [
        "<table>" + "<tr><td>a<td>b" * 500 + "</table>",
        "<ul>" + "<li>pain<li>lait" * 300 + "</ul>",
        "<p><b>Réunion</b>" + "<p>Un paragraphe<br><a href='https://a.example'>un lien</a>" * 400,
        "<div><font><b>mot</b></font></div>" * 1000,
        "<table><tr><td>" * 20 + "<b>lettre</b>" + "</table>" * 20,
    ],
)
def test_what_mail_programs_write_does_not_cost_too_much(html: str) -> None:
    assert not costs_too_much(html)


def test_addresses_are_masked_without_going_back_and_forth() -> None:
    """A line without a space, a million letters long, took more than a second."""
    assert mask_addresses("écrire à (léa@lab.test), ou monique.d@lab.test.", "…") == "écrire à (…), ou …"
    assert mask_addresses("x" * 70 + "@lab.test", "…") == "x" * 6 + "…"
    assert mask_addresses("a@b@c @ d@", "…") == "…@c @ d@"
    assert mask_addresses("a＠b.example", "…") == "…"
    # Each sign is looked at once, with what stands around it.
    text = "x" * 1_000_000 + " a@b.example"
    assert mask_addresses(text, "…") == "x" * 1_000_000 + " …"


def test_a_feed_has_the_beginning_of_what_is_very_long() -> None:
    made = beginning_of(text="mot " * 1_000_000, html="", image_words="[{}]", mask=None)
    assert len(made) < 25_000
    assert made.endswith("[…]</p>")


# ------------------------------------------------------------ a conversation without end


async def test_of_a_conversation_without_end_one_page_is_read(played: Scene) -> None:
    """An answering machine that answered another for a week: nobody waits for it on the first page."""
    short = (await played.shorts())["Bonjour à toutes et "]
    async with played.ctx.store.write() as conn:
        first = dict((await conn.execute(select(post_table).where(post_table.c.permalink == short))).mappings().one())
        del first["id"]
        letters = str.maketrans("0123456789", "abcdefghij")
        for start in range(0, 3000, 500):
            rows = [
                first
                | {
                    "message_id": f"{n}@lab.test", "content_hash": f"{n}", "chrono_id": None, "text": f"Absence {n}",
                    "permalink": f"{n:012}".translate(letters),
                    "said_at": first["said_at"] + timedelta(days=9, seconds=n),
                }
                for n in range(start, start + 500)
            ]  # fmt: skip
            await conn.execute(insert(post_table), rows)
    async with played.browser(**PAUL_READS) as browser:
        answer = await browser.get(f"/epeule/p/{'2999'.rjust(12, '0').translate(letters)}")
        assert answer.url.query["page"] == "31"
        page = lxml_html.fromstring(await answer.text())
        assert len(page.cssselect("article")) == 4
        assert page.cssselect("h1")[0].text_content() == "Loto du quartier"
        assert re.search(r"3\W?004\Wmessages", page.text_content())
        home = lxml_html.fromstring(await (await browser.get("/epeule/")).text())
        assert home.cssselect(".threads .title")[0].text_content() == "Loto du quartier"
        # Not only as many as the first page looked at.
        assert re.search(r"3\W?004\Wmessages", home.cssselect(".threads .about")[0].text_content())


async def test_a_month_with_more_conversations_than_its_page_holds_has_another_page(
    played: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (archive_pages, views_home):
        monkeypatch.setattr(module, "MOST_THREADS", 1)
    async with played.browser(**PAUL_READS) as browser:
        path, titles = "/epeule/a/bureau/2026-11", []
        while path:
            page = lxml_html.fromstring(await (await browser.get(path)).text())
            titles += [title.text_content() for title in page.cssselect(".threads .title")]
            path = next(iter(page.xpath("//nav[@class='turn']/a[@rel='next']/@href")), "")
    assert titles == ["Quelqu’un a-t-il retrouvé la clé du local ?", "Loto du quartier"]


async def test_what_was_taken_down_is_not_counted(played: Scene) -> None:
    shorts = await played.shorts()
    async with played.ctx.store.write() as conn:
        hidden = select(post_table.c.id).where(post_table.c.permalink == shorts["Et moi je tiens la b"])
        await hide_post(played.ctx, conn, (await conn.execute(hidden)).scalar_one(), by="Monique")
    async with played.browser(**PAUL_READS) as browser:
        sizes = []
        for path in ("/epeule/", "/epeule/a/bureau/2026-11", f"/epeule/t/{shorts['Bonjour à toutes et ']}"):
            page = lxml_html.fromstring(await (await browser.get(path)).text())
            about = page.cssselect(".threads li:last-child .about") or page.cssselect("h1 + .about")
            sizes.append(about[0].text_content().partition("\N{NO-BREAK SPACE}")[0][:1])
    assert sizes == ["3", "3", "3"]


# ------------------------------------------------------------ below a path


async def test_below_a_path_of_another_site_every_address_has_it(tmp_path: Path) -> None:
    """The web server before us takes the path away; whatever we say has it."""
    town = await make_town(tmp_path, url="https://site.example/archives")
    monique = await town.writes("monique@membres.lab.test", "Monique")
    await town.post("Loto samedi", message_id="loto/1@lab.test")
    while await index_waiting(town.ctx):
        pass
    client = await enter(town, monique)
    try:
        seen, waiting = set[str](), ["/epeule/", "/epeule/search?q=loto"]
        while waiting:
            path = waiting.pop()
            if path in seen or path.startswith("/epeule/f/"):
                continue
            seen.add(path)
            answer = await client.get(URL(path, encoded=True), allow_redirects=False)
            assert answer.status in (200, 302, 303), path
            found = [answer.headers["Location"]] if "Location" in answer.headers else []
            if answer.content_type == "text/html" and not found:
                page = lxml_html.fromstring(await answer.text())
                found = [str(value) for value in page.xpath("//@href | //@src | //@action")]
            for target in found:
                if target.startswith(("#", "mailto:", "https://matrix.to/", "?", "data:image/svg+xml;")):
                    continue
                target = target.removeprefix("https://site.example").partition("#")[0]
                assert target.startswith("/archives/"), f"{target} on {path}"
                posted = ("/hide", "/split", "/attach", "/sign-out", "/feeds/key", "/feeds/end", "/fiches/make")
                if not target.endswith(posted):
                    waiting.append(target.removeprefix("/archives"))
        for kind in ("/original", "/feed/t/", "/p/", "/a/", "/mine"):
            assert any(kind in path for path in seen), kind
        feed = etree.fromstring(await (await client.get("/epeule/feed/all.atom")).read())
        links = [link.get("href") for link in feed.iter(f"{{{ATOM}}}link")]
        assert links[0] == "https://site.example/archives/epeule/feed/all.atom"
        assert all(link.startswith("https://site.example/archives/epeule/") for link in links)
        said = await (await client.get("/epeule/feed/all.json")).json(content_type=None)
        assert said["feed_url"] == "https://site.example/archives/epeule/feed/all.json"
        answer = await client.get("/epeule/m/loto%2F1@lab.test", allow_redirects=False)
        assert answer.headers["Location"].startswith("/archives/epeule/t/")
    finally:
        await client.close()
        await town.ctx.store.close()


async def test_the_name_of_an_association_alone_leads_to_its_archive(scene: Scene) -> None:
    """People type what they remember, without the slash at the end."""
    async with scene.browser() as browser:
        answer = await browser.get("/epeule", allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (302, "/epeule/")
        assert (await browser.get("/nowhere", allow_redirects=False)).status == 404
