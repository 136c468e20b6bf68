"""The door: who comes in, how a session begins and ends, what strangers are told. A real server on a real store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, checked_form, door, nothing_here, safe_target, signed_in
from passerelle.web.routes import ROUTES
from passerelle.web.sign_in import HANDLERS, set_up
from tests.web.town import EPEULE, Town, make_town

ANNIE = "annie@membres.lab.test"
Client = TestClient[web.Request, web.Application]
Serve = Callable[..., Awaitable[tuple[Town, Client]]]
#: What a browser of today says with a form of the page it stands on.
SAME = {"Sec-Fetch-Site": "same-origin"}


async def show(request: web.Request) -> web.Response:
    """A page that only who takes part may read."""
    if not request[READER].shelves:
        raise nothing_here(request)
    return web.Response(text=f"secret of {request[READER].name}")


async def change(request: web.Request) -> web.Response:
    await checked_form(request)
    return web.Response(text=f"changed by {signed_in(request).reader.name}")


def application(town: Town) -> web.Application:
    """The door and its own pages, with two more that stand for all others."""
    app = web.Application(middlewares=[door])
    app[CONTEXT] = town.ctx
    set_up(app)
    for route in ROUTES:
        if route.name in HANDLERS:
            app.router.add_route(route.method, route.path, HANDLERS[route.name])
            if route.method == "GET":
                app.router.add_route("HEAD", route.path, HANDLERS[route.name])
    app.router.add_get("/{association:[a-z]+}/page", show)
    app.router.add_get("/{association:[a-z]+}/key/{key}/feed", show)
    app.router.add_post("/{association:[a-z]+}/change", change)
    return app


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    opened: list[Any] = []

    async def start(links: dict[str, dict[str, Any]] | None = None, **of_web: Any) -> tuple[Town, Client]:
        # The test's client speaks plain HTTP: a Secure cookie would never come back.
        town = await make_town(tmp_path, links=links, **{"url": "http://archives.lab.test", **of_web})
        client = TestClient(TestServer(application(town)))
        await client.start_server()
        opened.extend([client, town.ctx.store])
        return town, client

    yield start
    for one in opened:
        await one.close()


async def secret_sent(town: Town, client: Client, typed: str, target: str = "") -> str:
    """Ask for a link on the page; the link's secret, once it was written."""
    before = len(await town.secrets_sent())
    answer = await client.post("/epeule/sign-in", data={"who": typed, "next": target}, headers=SAME)
    assert answer.status == 200
    for _ in range(200):
        sent = await town.secrets_sent()
        if len(sent) > before:
            return sent[-1]
        await asyncio.sleep(0.02)
    raise AssertionError("no link was written")


async def enter(town: Town, client: Client, *, shared: bool = True, target: str = "", **more: str) -> ClientResponse:
    secret = await secret_sent(town, client, ANNIE, target)
    form = more | ({"shared": "1"} if shared else {})
    return await client.post(f"/epeule/sign-in/{secret}", data=form, headers=SAME, allow_redirects=False)


async def form_token_on(client: Client) -> str:
    """The token of this session's forms, as a page shows it."""
    answer = await client.post("/epeule/sign-in", data={"who": "x"}, headers=SAME)
    found = re.search(r'name="form_token" value="([^"]+)"', await answer.text())
    assert found is not None
    return found[1]


# ------------------------------------------------------------ strangers


async def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_very_page(serve: Serve) -> None:
    _, client = await serve()
    answer = await client.get(URL("/epeule/page?month=2026-11&x=a%2Fb", encoded=True), allow_redirects=False)
    assert answer.status == 303
    to = URL(answer.headers["Location"], encoded=True)
    assert to.path == "/epeule/sign-in"
    assert dict(to.query) == {"next": "/epeule/page?month=2026-11&x=a%2Fb"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]


async def test_an_unknown_association_is_not_found(serve: Serve) -> None:
    _, client = await serve()
    assert (await client.get("/nowhere/page", allow_redirects=False)).status == 404


async def test_the_answer_is_the_same_whether_someone_is_known_or_not(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    answers = []
    for typed in (ANNIE, "nobody@membres.lab.test", "@nobody:lab.test", "x", "'\"><script>"):
        answer = await client.post("/epeule/sign-in", data={"who": typed}, headers=SAME)
        headers = {name: value for name, value in answer.headers.items() if name != "Date"}
        answers.append((answer.status, headers, await answer.text()))
    assert all(answer == answers[0] for answer in answers)


async def test_what_was_asked_is_looked_up_after_the_answer(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    answered = asyncio.Event()
    seen: list[bool] = []

    async def late(*_args: object) -> bool:
        seen.append(answered.is_set())
        return False

    monkeypatch.setattr("passerelle.web.sign_in.send_link", late)
    monkeypatch.setattr("passerelle.web.sign_in._AFTER_SECONDS", 0.5)
    await client.post("/epeule/sign-in", data={"who": ANNIE}, headers=SAME)
    answered.set()
    for _ in range(100):
        if seen:
            break
        await asyncio.sleep(0.02)
    assert seen == [True]


async def test_too_many_tries_from_one_place_are_told_so(serve: Serve) -> None:
    _, client = await serve()

    async def ask(forwarded: str) -> int:
        headers = SAME | {"X-Forwarded-For": forwarded}
        return (await client.post("/epeule/sign-in", data={"who": "x"}, headers=headers)).status

    # Only the last entry is our own web server's; what stands before it, the client made up.
    statuses = [await ask(f"198.51.100.{n}, 2001:db8::{n}") for n in range(31)]
    assert statuses == [200] * 30 + [429]
    assert await ask("198.51.100.1, 2001:db8:0:1::1") == 200


async def test_without_a_proxy_what_the_client_says_of_itself_counts_for_nothing(serve: Serve) -> None:
    _, client = await serve(behind_proxy=False)
    statuses = []
    for n in range(31):
        headers = SAME | {"X-Forwarded-For": f"198.51.100.{n}"}
        statuses.append((await client.post("/epeule/sign-in", data={"who": "x"}, headers=headers)).status)
    assert statuses == [200] * 30 + [429]


# ------------------------------------------------------------ coming in


async def test_from_the_page_that_was_clicked_back_to_it(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    answer = await enter(town, client, target="/epeule/page?m=a%2Fb")
    assert answer.status == 303
    assert answer.headers["Location"] == "/epeule/page?m=a%2Fb"
    assert await (await client.get("/epeule/page")).text() == "secret of Annie"


async def test_looking_at_a_link_spends_nothing(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    secret = await secret_sent(town, client, ANNIE)
    for method in ("HEAD", "GET", "GET", "HEAD"):
        answer = await client.request(method, f"/epeule/sign-in/{secret}")
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
    answer = await client.post(f"/epeule/sign-in/{secret}", data={"shared": "1"}, headers=SAME, allow_redirects=False)
    assert answer.status == 303
    for _ in range(2):
        answer = await client.post(f"/epeule/sign-in/{secret}", headers=SAME, allow_redirects=False)
        assert answer.status == 410
        assert "Ce lien a déjà servi" in await answer.text()


async def test_a_link_that_was_cut_on_its_way_is_told_so(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    secret = await secret_sent(town, client, ANNIE)
    answer = await client.get(f"/epeule/sign-in/{secret[:-3]}")
    assert answer.status == 410
    assert "Recevoir un nouveau lien" in await answer.text()


async def test_the_cookie_of_a_shared_computer(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    cookie = (await enter(town, client)).cookies["passerelle"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/epeule"
    assert cookie["domain"] == ""
    assert cookie["max-age"] == ""
    assert cookie["expires"] == ""


async def test_the_cookie_of_one_s_own_computer(serve: Serve) -> None:
    town, client = await serve(own_session_days=7)
    await town.writes(ANNIE, "Annie")
    cookie = (await enter(town, client, shared=False)).cookies["passerelle"]
    assert cookie["max-age"] == str(7 * 86400)


async def test_the_cookie_is_secure_with_https_and_stays_below_the_archive_s_path(serve: Serve) -> None:
    town, client = await serve(url="https://www.lab.test/archives/")
    await town.writes(ANNIE, "Annie")
    answer = await enter(town, client, target="/epeule/page")
    assert answer.cookies["passerelle"]["secure"]
    assert answer.cookies["passerelle"]["path"] == "/archives/epeule"
    assert answer.headers["Location"] == "/archives/epeule/page"


async def test_shared_is_the_default_on_the_page(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    page = await (await client.get(f"/epeule/sign-in/{await secret_sent(town, client, ANNIE)}")).text()
    assert re.search(r'<input type="checkbox" name="shared" value="1" checked', page)


async def test_who_shares_an_address_says_who_they_are(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Paul")
    annie = await town.writes(ANNIE, "Annie")
    secret = await secret_sent(town, client, ANNIE)
    page = await (await client.get(f"/epeule/sign-in/{secret}")).text()
    assert "Paul" in page
    assert "Annie" in page
    answer = await client.post(f"/epeule/sign-in/{secret}", data={"shared": "1"}, headers=SAME)
    assert "Choisissez votre nom" in await answer.text()
    form = {"shared": "1", "person": str(annie)}
    await client.post(f"/epeule/sign-in/{secret}", data=form, headers=SAME, allow_redirects=False)
    assert await (await client.get("/epeule/page")).text() == "secret of Annie"


@pytest.mark.parametrize("person", ["x", "-1", "²", "9" * 30, "1e3", "\0"])
async def test_nonsense_in_the_form_is_no_error(serve: Serve, person: str) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Paul")
    await town.writes(ANNIE, "Annie")
    assert (await enter(town, client, person=person)).status == 200


# ------------------------------------------------------------ being in


async def test_a_session_is_of_one_association(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    secret = (await enter(town, client)).cookies["passerelle"].value
    await town.writes(ANNIE, "Annie", path="roubaix/bureau")
    answer = await client.get("/roubaix/page", headers={"Cookie": f"passerelle={secret}"}, allow_redirects=False)
    assert answer.status == 303


async def test_a_shared_computer_is_signed_out_after_half_an_hour(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    town.pass_time(minutes=29)
    assert (await client.get("/epeule/page")).status == 200
    town.pass_time(minutes=31)
    assert (await client.get("/epeule/page", allow_redirects=False)).status == 303


async def test_who_is_signed_in_gets_a_404_where_a_stranger_is_asked_to_sign_in(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    answer = await client.get("/epeule/page")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
    assert (await client.get("/epeule/key/nonsense/feed")).status == 404


async def test_signing_out(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    secret = (await enter(town, client)).cookies["passerelle"].value
    form = {"form_token": await form_token_on(client)}
    assert (await client.get("/epeule/sign-out")).status == 405
    answer = await client.post("/epeule/sign-out", data=form, headers=SAME)
    assert answer.status == 200
    assert "À bientôt" in await answer.text()
    assert (await client.get("/epeule/page", allow_redirects=False)).status == 303
    # The cookie itself is worth nothing any more.
    answer = await client.get("/epeule/page", headers={"Cookie": f"passerelle={secret}"}, allow_redirects=False)
    assert answer.status == 303


# ------------------------------------------------------------ forms


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://archives.lab.test"}, 200),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://archives.lab.test.evil.test"}, 403),
        ({"Origin": "https://archives.lab.test"}, 403),
        ({"Origin": "null"}, 200),
        ({"Referer": "http://evil.test/page"}, 403),
        ({"Referer": "http://[evil"}, 403),
        ({"Referer": "http://archives.lab.test/epeule/page"}, 200),
        ({}, 200),
    ],
)
async def test_a_form_comes_from_our_own_pages(serve: Serve, headers: dict[str, str], status: int) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    form = {"form_token": await form_token_on(client)}
    assert (await client.post("/epeule/change", data=form, headers=headers)).status == status


@pytest.mark.parametrize("token", [None, "", "x", "é"])
async def test_a_form_without_the_session_s_token_changes_nothing(serve: Serve, token: str | None) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    form = {} if token is None else {"form_token": token}
    assert (await client.post("/epeule/change", data=form, headers=SAME)).status == 403


async def test_a_token_of_another_session_is_worth_nothing(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    first = await form_token_on(client)
    client.session.cookie_jar.clear()
    await enter(town, client)
    assert (await client.post("/epeule/change", data={"form_token": first}, headers=SAME)).status == 403


@pytest.mark.parametrize("path", ["/epeule/sign-in", "/epeule/sign-in/whatever"])
async def test_no_other_site_sends_our_forms(serve: Serve, path: str) -> None:
    _, client = await serve()
    answer = await client.post(path, data={"who": ANNIE}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403


# ------------------------------------------------------------ feed keys


async def test_a_feed_key_is_shown_once_opens_feeds_and_ends(serve: Serve) -> None:
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    await enter(town, client)
    form = {"form_token": await form_token_on(client)}
    page = await (await client.post("/epeule/feeds/key", data=form, headers=SAME)).text()
    found = re.search(r"http://archives\.lab\.test/epeule/key/([\w-]+)/all\.atom", page)
    assert found is not None
    client.session.cookie_jar.clear()
    assert await (await client.get(f"/epeule/key/{found[1]}/feed")).text() == "secret of Annie"
    assert (await client.get(f"/roubaix/key/{found[1]}/feed")).status == 404
    # It opens nothing else.
    assert (await client.get("/epeule/page", allow_redirects=False)).status == 303
    await enter(town, client)
    form = {"form_token": await form_token_on(client)}
    await client.post("/epeule/feeds/end", data=form, headers=SAME, allow_redirects=False)
    assert (await client.get(f"/epeule/key/{found[1]}/feed")).status == 404


# ------------------------------------------------------------ where one goes on to


@pytest.mark.parametrize(
    "path",
    [
        "//evil.test", "//evil.test/epeule/", "https://evil.test/epeule/", "/epeule//evil.test", "/\\evil.test",
        "/epeule/\\evil.test", "/epeule/../roubaix/", "/epeule/%2e%2e/roubaix", "/epeule/.%2E/roubaix", "/roubaix/page",
        "/epeule", "epeule/", "javascript:alert(1)", "/epeule/\t/evil", "/epeule/\r\nSet-Cookie: x=1", "/epeule/ x",
        "/epeule/é", "/epeule/#x", "/epeule/<script>", '/epeule/"x', "/epeule/sign-in", "/epeule/sign-in/abc",
        "/epeule/" + "a" * 1000, "",
    ],
)  # fmt: skip
async def test_no_open_redirect(serve: Serve, path: str) -> None:
    assert safe_target(EPEULE, path) == ""
    town, client = await serve()
    await town.writes(ANNIE, "Annie")
    answer = await enter(town, client, target=path)
    assert answer.headers["Location"] == "/epeule/"


@pytest.mark.parametrize(
    "path",
    ["/epeule/", "/epeule/m/a%2Fb@c.org", "/epeule/search?q=l%27harmonie&before=x//y", "/epeule/p/abcdefghijkl"],
)
def test_our_own_pages_are_gone_on_to(path: str) -> None:
    assert safe_target(EPEULE, path) == path
