"""What a real homeserver does not do on command: a small server of ours does it, and the follow loop lives with it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from passerelle.core.backoff import Backoff
from passerelle.core.ids import UserId
from passerelle.core.ports import ConnectionState
from passerelle.core.settings import MatrixSettings
from passerelle.matrix import connection, sync
from passerelle.matrix.bot import Credentials, MatrixBot
from passerelle.matrix.login import Session
from tests.integration.matrix.following import Following

ROOM = "!salon:fake.test"
BOT = UserId("@passerelle:fake.test")
Answer = web.StreamResponse | dict[str, Any]


class FakeHomeserver:
    """Answers what a test scripts, and refuses everything else."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        #: The next answers of /sync, in order; the last one that is given is followed by silence.
        self.syncs: list[Callable[[], Awaitable[Answer]]] = []
        self.pages: dict[str, Callable[[], Answer]] = {}
        self.asked = asyncio.Condition()
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/_matrix/client/v3/sync", self._sync)
        app.router.add_get("/_matrix/client/v3/joined_rooms", self._joined_rooms)
        app.router.add_get("/_matrix/client/v3/rooms/{room}/messages", self._messages)
        app.router.add_post("/_matrix/client/v3/keys/query", self._no_keys)
        app.router.add_post("/_matrix/client/v3/keys/upload", self._no_keys)
        return app

    def queries(self, kind: str) -> list[dict[str, str]]:
        return [query for asked, query in self.requests if asked == kind]

    async def wait_asked(self, kind: str, times: int) -> None:
        async with asyncio.timeout(30), self.asked:
            await self.asked.wait_for(lambda: len(self.queries(kind)) >= times)

    async def _note(self, kind: str, request: web.Request) -> None:
        async with self.asked:
            self.requests.append((kind, dict(request.query)))
            self.asked.notify_all()

    async def _no_keys(self, request: web.Request) -> web.StreamResponse:
        counts = {"signed_curve25519": 50}
        return web.json_response({"device_keys": {}, "failures": {}, "one_time_key_counts": counts})

    async def _joined_rooms(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"joined_rooms": [ROOM]})

    async def _sync(self, request: web.Request) -> web.StreamResponse:
        await self._note("sync", request)
        if not self.syncs:
            await asyncio.Event().wait()
        return _response(await self.syncs.pop(0)())

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        kind = "members" if "types" in json.loads(request.query["filter"]) else "messages"
        await self._note(kind, request)
        if kind == "members":
            return web.json_response({"chunk": []})
        return _response(self.pages[request.query["from"]]())


def _response(answer: Answer) -> web.StreamResponse:
    return web.json_response(answer) if isinstance(answer, dict) else answer


def html(status: int) -> Callable[[], Awaitable[Answer]]:
    async def answer() -> Answer:
        return web.Response(status=status, text="<html>Bad gateway</html>", content_type="text/html")

    return answer


def synced(next_batch: str, timeline: dict[str, Any] | None = None, **more: Any) -> Callable[[], Awaitable[Answer]]:
    async def answer() -> Answer:
        rooms = {} if timeline is None else {"join": {ROOM: {"timeline": timeline}}}
        return {"next_batch": next_batch, "rooms": rooms, **more}

    return answer


def said(body: str) -> dict[str, Any]:
    content = {"msgtype": "m.text", "body": body}
    return {"type": "m.room.message", "event_id": f"${body}", "sender": "@lea:fake.test", "content": content}


@pytest.fixture
async def fake(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeHomeserver]:
    monkeypatch.setattr(connection, "RECONNECT", Backoff(first_seconds=0.2, longest_seconds=0.4))
    server = FakeHomeserver()
    runner = web.AppRunner(server.app(), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


class States(list[ConnectionState]):
    """What the transport said of its connection."""

    def __init__(self) -> None:
        super().__init__()
        self._told = asyncio.Event()

    def note(self, state: ConnectionState) -> None:
        self.append(state)
        self._told.set()

    async def wait_first(self) -> None:
        async with asyncio.timeout(30):
            await self._told.wait()


@pytest.fixture
async def states() -> States:
    return States()


@pytest.fixture
async def bot(fake: FakeHomeserver, states: States) -> AsyncIterator[MatrixBot]:
    settings = MatrixSettings(homeserver=fake.url, user_id=BOT, timeout_seconds=5, sync_seconds=1)
    session = Session(user_id=BOT, device_id="D", access_token="t")
    bot = MatrixBot(settings, Credentials(session=session), on_state=states.note)
    yield bot
    await bot.close()


async def test_a_first_error_does_not_drop_the_token(fake: FakeHomeserver, bot: MatrixBot) -> None:
    fake.syncs = [html(502), html(500), synced("s2", {"events": [said("après")]})]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_body("après")
    asked = fake.queries("sync")[:3]
    assert [query["since"] for query in asked] == ["SAVED"] * 3
    assert [query["full_state"] for query in asked] == ["true"] * 3


async def test_errors_are_waited_out_not_hammered(fake: FakeHomeserver, bot: MatrixBot, states: States) -> None:
    fake.syncs = [html(500) for _ in range(5)] + [synced("s2")]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    pauses = [state.retry_in_seconds or 0 for state in states if not state.up]
    assert len(pauses) == 5
    assert all(pause >= 0.1 for pause in pauses)
    assert pauses[0] < 0.21
    assert pauses[-1] >= 0.2


@pytest.mark.parametrize(
    "broken",
    [
        html(200),
        synced("", None),
        html(404),
        html(302),
    ],
    ids=["a page", "nothing of a sync", "a proxy's 404", "a redirection"],
)
async def test_answers_that_no_homeserver_gives_are_asked_again(
    fake: FakeHomeserver, bot: MatrixBot, broken: Callable[[], Awaitable[Answer]]
) -> None:
    async def without_token() -> Answer:
        return {"rooms": {}}

    fake.syncs = [without_token if broken.__qualname__.startswith("synced") else broken, synced("s2")]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert [query["since"] for query in fake.queries("sync")[:2]] == ["SAVED"] * 2
    assert seen.cursor == "s2"


async def test_a_first_sync_that_never_ends_is_given_up(
    fake: FakeHomeserver, bot: MatrixBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "FIRST_ANSWER_SECONDS", 0.2)

    async def hang() -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    fake.syncs = [hang, synced("s2")]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert [query["since"] for query in fake.queries("sync")[:2]] == ["SAVED"] * 2


async def test_a_limit_is_obeyed(fake: FakeHomeserver, bot: MatrixBot, states: States) -> None:
    async def limited() -> Answer:
        return web.json_response({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 700}, status=429)

    fake.syncs = [limited, synced("s2")]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert [s.retry_in_seconds >= 0.7 for s in states if s.retry_in_seconds is not None] == [True]


async def test_a_refused_token_is_the_administrators(fake: FakeHomeserver, bot: MatrixBot, states: States) -> None:
    async def unknown() -> Answer:
        return web.json_response({"errcode": "M_UNKNOWN_TOKEN", "error": "?"}, status=401)

    fake.syncs = [unknown]
    async with Following(bot, {ROOM}, since="SAVED"):
        await states.wait_first()
    assert states[0].refused
    assert "access token" in states[0].reason
    assert (states[0].retry_in_seconds or 0) >= 100


LIMITED = {"events": [said("fenêtre")], "limited": True, "prev_batch": "p9"}


def _page(*bodies: str, end: str | None) -> Callable[[], Answer]:
    page: dict[str, Any] = {"chunk": [said(body) for body in bodies]}
    return lambda: page if end is None else {**page, "end": end}


async def test_a_last_page_without_an_end_is_kept(fake: FakeHomeserver, bot: MatrixBot) -> None:
    fake.syncs = [synced("s2", LIMITED), synced("s3")]
    fake.pages = {"SAVED": _page("un", "deux", end="p1"), "p1": _page("trois", "fenêtre", end=None)}
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert seen.bodies() == ["un", "deux", "trois", "fenêtre"]
    assert [(a.before, a.after) for a in seen.arrivals] == [("SAVED", "SAVED")] * 2 + [("SAVED", "s2"), ("s2", "s3")]
    assert [query["to"] for query in fake.queries("messages")] == ["p9"] * 2
    assert [query["dir"] for query in fake.queries("messages")] == ["f"] * 2


async def test_pages_that_go_round_in_circles_end(fake: FakeHomeserver, bot: MatrixBot) -> None:
    fake.syncs = [synced("s2", LIMITED), synced("s3")]
    fake.pages = {"SAVED": _page("un", end="p1"), "p1": _page("deux", end="SAVED")}
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert seen.bodies() == ["un", "deux", "fenêtre"]


@pytest.mark.parametrize("errcode", ["M_FORBIDDEN", "M_NOT_FOUND"])
async def test_a_past_that_is_refused_is_told(fake: FakeHomeserver, bot: MatrixBot, errcode: str) -> None:
    fake.syncs = [synced("s2", LIMITED), synced("s3")]
    fake.pages = {
        "SAVED": _page("un", end="p1"),
        "p1": lambda: web.json_response({"errcode": errcode, "error": "no"}, status=403),
    }
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert seen.bodies() == ["un", "fenêtre"]
    assert [update.lost_past for update in seen.updates()] == [False, True]


async def test_a_past_that_cannot_be_had_now_is_asked_for_again(fake: FakeHomeserver, bot: MatrixBot) -> None:
    failing = [web.Response(status=503, text="busy")]
    fake.syncs = [synced("s2", LIMITED), synced("s2", LIMITED), synced("s3")]
    fake.pages = {
        "SAVED": _page("un", end="p1"),
        "p1": lambda: failing.pop() if failing else _page("deux", end=None)(),
    }
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert list(dict.fromkeys(seen.bodies())) == ["un", "deux", "fenêtre"]
    assert not any(update.lost_past for update in seen.updates())
    assert [query["since"] for query in fake.queries("sync")[:2]] == ["SAVED"] * 2


POISON: list[Any] = [
    {"type": "m.room.message", "content": "text", "event_id": "$p1"},
    {"type": 7, "event_id": "$p2", "sender": None},
    {"event_id": "$p3"},
    {"type": "m.room.member", "state_key": "@x:fake.test", "content": {"membership": ["join"]}, "event_id": "$p4"},
    {"type": "m.room.redaction", "content": {"redacts": "$un"}, "event_id": "$p5", "sender": "@lea:fake.test"},
    {"type": "m.room.encryption", "state_key": "", "content": None, "event_id": "$p6"},
]


@pytest.mark.parametrize("crypto", [False, True])
async def test_one_bad_event_loses_no_neighbour(
    fake: FakeHomeserver, bot: MatrixBot, tmp_path: Path, crypto: bool
) -> None:
    events = [said("avant"), *POISON, "pas un objet", 12, None, said("après")]
    fake.syncs = [synced("s2", {"events": events}, to_device={"events": [{"type": 5}, "x"]}, device_lists=7)]
    if crypto:
        bot = _encrypting(fake, tmp_path)
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_body("après")
    await bot.close()
    assert [e.get("event_id") for e in seen.events()] == ["$avant", "$p1", "$p2", "$p3", "$p4", "$p5", "$p6", "$après"]
    assert seen.cursor == "s2"


def _encrypting(fake: FakeHomeserver, folder: Path) -> MatrixBot:
    settings = MatrixSettings(homeserver=fake.url, user_id=BOT, timeout_seconds=5, crypto_folder=str(folder / "k"))
    session = Session(user_id=BOT, device_id="D", access_token="t")
    return MatrixBot(settings, Credentials(session=session))


async def test_one_bad_message_to_our_device_loses_no_keys(fake: FakeHomeserver, tmp_path: Path) -> None:
    poison = [{"type": 5}, "x", {"type": "m.room.encrypted", "sender": None, "content": []}]
    counts = {"signed_curve25519": 99}
    fake.syncs = [synced("s2", to_device={"events": poison}, device_one_time_keys_count=counts, device_lists=7)]
    bot = _encrypting(fake, tmp_path)
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert bot._encryption is not None
    # nio would have refused the whole answer, the count of our one-time keys too.
    assert bot._encryption._client.olm.uploaded_key_count == 99
    await bot.close()


async def test_rooms_that_are_not_ours_are_neither_asked_for_nor_handed_on(
    fake: FakeHomeserver, bot: MatrixBot
) -> None:
    async def answer() -> Answer:
        timeline = {"timeline": {"events": [said("ailleurs")]}}
        return {"next_batch": "s2", "rooms": {"join": {"!autre:fake.test": timeline}}}

    fake.syncs = [answer]
    async with Following(bot, {ROOM}, since="SAVED") as seen:
        await seen.wait_live()
    assert seen.updates() == []
    asked = json.loads(fake.queries("sync")[0]["filter"])
    assert asked["room"]["rooms"] == [ROOM]
    assert asked["room"]["timeline"]["limit"] >= 100
    assert asked["presence"] == {"not_types": ["*"]}
    assert asked["room"]["ephemeral"] == {"not_types": ["*"]}
