"""Whether anyone can read the list's archive: a real web server, asked as a stranger would."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from passerelle.check import Finding, Mark, take
from passerelle.check_archive import LOOKED_AT_BYTES, archive_step, fetch_as_stranger


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")


async def page(_request: web.Request) -> web.Response:
    return web.Response(text="<h1>bureau</h1><p>novembre 2026</p>", content_type="text/html")


async def login(_request: web.Request) -> web.Response:
    return web.Response(text="<form><input name=p type = 'password'></form>", content_type="text/html")


async def forbidden(_request: web.Request) -> web.Response:
    return web.Response(status=403, text="members only")


async def moved(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/login")


async def empty(_request: web.Request) -> web.Response:
    return web.Response(text="")


async def endless(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        while True:
            await response.write(b"x" * 65_536)
    except ConnectionError:
        return response


@asynccontextmanager
async def serving() -> AsyncIterator[str]:
    app = web.Application()
    for handler in (page, login, forbidden, moved, empty, endless):
        app.router.add_get(f"/{handler.__name__}", handler)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def look(url: str) -> Finding:
    (finding,) = await take(archive_step("Archive", url))
    return finding


@pytest.mark.parametrize(
    ("path", "mark", "words"),
    [
        ("/page", Mark.WARNING, "Anyone can read"),
        ("/login", Mark.OK, "log in"),
        ("/moved", Mark.OK, "log in"),
        ("/forbidden", Mark.OK, "log in"),
        ("/empty", Mark.WARNING, "nothing can be said"),
        ("/nowhere", Mark.WARNING, "answers 404"),
    ],
)
async def test_what_a_stranger_sees(path: str, mark: Mark, words: str) -> None:
    async with serving() as base:
        finding = await look(base + path)
    assert finding.mark is mark
    assert words in finding.sentence


async def test_an_endless_page_is_read_to_a_limit_only() -> None:
    async with serving() as base:
        status, body = await fetch_as_stranger(base + "/endless")
    assert status == 200
    assert LOOKED_AT_BYTES <= len(body) < 2 * LOOKED_AT_BYTES


async def test_an_archive_that_cannot_be_reached_is_a_warning() -> None:
    async with serving() as base:
        pass
    finding = await look(base + "/page")
    assert finding.mark is Mark.WARNING
    assert "cannot be reached" in finding.sentence
