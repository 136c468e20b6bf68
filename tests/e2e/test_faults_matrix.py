"""The homeserver is cut off, answers 500 and 429, is killed amid sends, or tells only the end of what was said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from lab.association import Town
from lab.imap import Mailbox
from lab.mailman import Mailman
from lab.ports import LOOPBACK, free_port
from lab.proxy import Direction, Trap
from lab.smtp import MailServer
from lab.synapse import Synapse, SynapseOptions
from tests.e2e.troubled import Trouble, troubled

SEND = b"/send/m.room.message/"
#: More than one answer of `/sync` holds.
MORE_THAN_A_TIMELINE = 130


@dataclass(frozen=True, kw_only=True)
class OtherHomeserver:
    """The town with a homeserver of its own, which a test may kill."""

    synapse: Synapse
    town: Town

    @property
    def mailman(self) -> Mailman:
        return self.town.mailman

    @property
    def mail(self) -> MailServer:
        return self.town.mail

    def add_mailbox(self, localpart: str) -> Mailbox:
        return self.town.add_mailbox(localpart)


@pytest.fixture(scope="module")
def strict_synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synapse]:
    """A homeserver with a rate limit, as every real one has."""
    limits = {"rc_message": {"per_second": 1, "burst_count": 4}}
    with Synapse(tmp_path_factory.mktemp("strict"), SynapseOptions(overrides=limits)) as synapse:
        yield synapse


@asynccontextmanager
async def failing(target: str, *, sends: int, keeps: bool) -> AsyncIterator[int]:
    """A proxy before a homeserver that fails the first `sends` sends and as many syncs; on which port.

    `keeps`: the homeserver gets them, and only its answer is lost.
    """
    left = {"send": sends, "sync": sends}

    async def handle(request: web.Request) -> web.Response:
        kind = "send" if SEND.decode() in request.path else "sync" if request.path.endswith("/sync") else ""
        fails = left.get(kind, 0) > 0
        if fails:
            left[kind] -= 1
            if not keeps:
                return web.json_response({"errcode": "M_UNKNOWN", "error": "internal"}, status=500)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
        body = await request.read()
        url = f"{target}{request.rel_url}"
        async with session.request(request.method, url, data=body, headers=headers, allow_redirects=False) as answer:
            raw = await answer.read()
        if fails:
            return web.Response(text="<html><h1>502 Bad Gateway</h1></html>", status=502, content_type="text/html")
        return web.Response(body=raw, status=answer.status, content_type=answer.content_type)

    async with aiohttp.ClientSession(auto_decompress=True) as session:
        app = web.Application(client_max_size=100_000_000)
        app.router.add_route("*", "/{tail:.*}", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        port = free_port()
        await web.TCPSite(runner, LOOPBACK, port).start()
        try:
            yield port
        finally:
            await runner.cleanup()
    assert left == {"send": 0, "sync": 0}


async def test_homeserver_that_is_cut_off_or_answers_500(town: Town, tmp_path: Path) -> None:
    async with troubled(town, tmp_path / "coupe") as trouble:
        await cut_off(trouble)
        await answer_lost(trouble)
        for keeps in (False, True):
            await fail_for_a_while(trouble, keeps=keeps)


async def talk_on_both_sides(trouble: Trouble) -> None:
    await trouble.talk.write("monique", has_file=True)
    async with trouble.association.chat("lea") as lea:
        await trouble.talk.say(lea)
    await trouble.talk.write("paul")


async def cut_off(trouble: Trouble) -> None:
    await trouble.homeserver.refuse()
    trouble.homeserver.cut()
    await talk_on_both_sides(trouble)
    await trouble.homeserver.accept()
    await trouble.expect_all_well()


async def answer_lost(trouble: Trouble) -> None:
    """The event is in the room, and the daemon is not told so."""
    sprung = trouble.homeserver.set_trap(Trap(direction="up", pattern=SEND, deliver=True))
    await talk_on_both_sides(trouble)
    await asyncio.wait_for(sprung.wait(), 60)
    await trouble.expect_all_well()
    sprung = trouble.homeserver.set_trap(Trap(direction="down", pattern=b'{"event_id"', deliver=False))
    await talk_on_both_sides(trouble)
    await asyncio.wait_for(sprung.wait(), 60)
    await trouble.expect_all_well()


async def fail_for_a_while(trouble: Trouble, *, keeps: bool) -> None:
    homeserver = trouble.association.bot.homeserver
    real = trouble.homeserver.target_port
    async with failing(homeserver, sends=2, keeps=keeps) as port:
        trouble.homeserver.target_port = port
        trouble.homeserver.cut()
        await talk_on_both_sides(trouble)
        await trouble.expect_all_well()
        trouble.homeserver.target_port = real
        trouble.homeserver.cut()


async def test_homeserver_that_limits_rates_or_is_killed_amid_sends(
    town: Town, strict_synapse: Synapse, tmp_path: Path
) -> None:
    """More mails than the homeserver takes at once leave in order; killed amid them, it shows each once."""
    other = OtherHomeserver(synapse=strict_synapse, town=town)
    async with troubled(other, tmp_path / "limite") as trouble:
        refused = count_answers(trouble, b"HTTP/1.1 429")
        for number in range(8):
            await trouble.talk.write("monique" if number % 2 else "paul")
        await trouble.expect_all_well()
        assert refused[0] > 0
        sprung = trouble.homeserver.set_trap(Trap(direction="down", pattern=b'{"event_id"', deliver=False))
        for _ in range(3):
            await trouble.talk.write("monique")
        await asyncio.wait_for(sprung.wait(), 60)
        await asyncio.to_thread(strict_synapse.kill)
        await trouble.talk.write("paul", has_file=True)
        await asyncio.to_thread(strict_synapse.start)
        async with trouble.association.chat("lea") as lea:
            await trouble.talk.say(lea)
        await trouble.expect_all_well()


def count_answers(trouble: Trouble, pattern: bytes) -> list[int]:
    """How often the homeserver answered so, from now on; in the list's one place."""
    count = [0]

    def watch(direction: Direction, data: bytes) -> None:
        count[0] += direction == "down" and data.startswith(pattern)

    trouble.homeserver.watch = watch
    return count


async def test_more_lines_than_one_answer_holds_while_the_daemon_was_down(town: Town, tmp_path: Path) -> None:
    async with troubled(town, tmp_path / "absent") as trouble:
        await asyncio.to_thread(trouble.daemon.kill)
        async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
            for number in range(MORE_THAN_A_TIMELINE):
                await trouble.talk.say(karim if number % 3 else lea)
        await trouble.talk.write("monique", has_file=True)
        await trouble.talk.write("paul")
        await asyncio.to_thread(trouble.daemon.start)
        await trouble.expect_all_well()
