"""`passerelle run --dry-run` as its own process, on real servers: it says what would leave, and nothing does."""

import asyncio
import itertools
import os
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lab.association import Association
from lab.daemon import REPOSITORY, write_configuration
from lab.imap import text_of
from lab.matrix_client import ChatMember
from lab.process import ServerProcess
from passerelle.core.settings import Settings
from passerelle.dry_run import DryMatrix, describe_event, rehearse_matrix
from passerelle.errors import TemporaryFailure
from passerelle.store.engine import Store
from passerelle.wiring import build_context

#: Whole sentences of the dry run are looked for: it speaks English here.
ENGLISH = {"LANGUAGE": "en"}
DEADLINE_SECONDS = 90


@asynccontextmanager
async def dry_run(configuration: Path) -> AsyncIterator[Callable[[], str]]:
    """The process; gives what it has printed so far."""
    log = configuration.parent / "dry-run.log"
    process = ServerProcess(
        [sys.executable, "-m", "passerelle", "run", "--dry-run", "--config", configuration],
        log=log,
        folder=REPOSITORY,
        environment=ENGLISH,
    )
    await asyncio.to_thread(process.start)
    try:
        yield lambda: log.read_text(errors="replace") if log.exists() else ""
        assert process.running, log.read_text()
    finally:
        await asyncio.to_thread(process.stop)
    assert process.exit_code == 0, log.read_text()


def contents(path: Path) -> list[str]:
    """All that stands in a SQLite database."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


async def until(said: Callable[[], str], wanted: str, again: Callable[[], Awaitable[object]] | None = None) -> str:
    """Wait for a piece of the output, doing something again and again meanwhile; the line it stands in."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        for round in itertools.count():
            for line in said().splitlines():
                if wanted in line:
                    return line
            # What was said before it follows is the past: it is said again, not too often.
            if again is not None and round % 20 == 0:
                await again()
            await asyncio.sleep(0.2)


async def test_both_directions_are_told_and_nothing_leaves(association: Association, tmp_path: Path) -> None:
    configuration = write_configuration(tmp_path, association)
    async with ChatMember(association.bot) as bot:
        await bot.join(association.room_id)
        devices = len((await bot.call("GET", "devices"))["devices"])
        async with association.chat("lea") as lea, dry_run(configuration) as said:
            await until(said, "epeule/bureau is not confirmed yet; the dry run goes on as if it were.")
            assert "on an empty store" in said()

            async def say() -> None:
                await lea.say(association.room_id, "Je peux apporter les chaises.")

            mail = await until(said, "Would go to b…@", say)
            assert "Léa" in mail
            assert "chaises" not in mail.partition("“")[0]

            async def write() -> None:
                await association.post("monique", "Loto du quartier", "Qui apporte les lots ?")

            await until(said, f"Would go to the room {association.room_id}: a post, ", write)
            assert "Qui apporte" not in said()
            # The log does not say that something was sent.
            assert "Event sent" not in said()
            assert "Email sent" not in said()
        assert await lea_sees_nothing(association, bot)
        assert len((await bot.call("GET", "devices"))["devices"]) == devices
    received = await asyncio.to_thread(association.mail_members["paul"].mailbox.fetch)
    assert not [email for email in received if "chaises" in text_of(email)]
    assert sorted(os.listdir(tmp_path)) == ["dry-run.log", "imap.secret", "matrix.secret", "passerelle.toml"]


async def lea_sees_nothing(association: Association, bot: ChatMember) -> bool:
    async with association.chat("lea") as lea:
        return await lea.lines(association.room_id, sender=bot.account.user_id) == []


async def test_a_room_is_not_joined(association: Association, tmp_path: Path) -> None:
    configuration = write_configuration(tmp_path, association)
    async with dry_run(configuration) as said:
        await until(said, f"Would join the room {association.room_id}.")
        await until(said, "the dry run goes on as if it were.")
        # A mail is taken in all the same.
        await until(
            said,
            f"Would go to the room {association.room_id}",
            lambda: association.post("monique", "Loto", "Qui vient ?"),
        )
    async with ChatMember(association.bot) as bot:
        assert await bot.joined_rooms() == []
        assert await bot.invitations() == [association.room_id]


async def test_the_store_stays_as_it_was(association: Association, tmp_path: Path) -> None:
    configuration = write_configuration(tmp_path, association)
    url = f"sqlite:///{tmp_path / 'passerelle.db'}"
    # As if a daemon held it: the dry run works beside one.
    store = await Store.open(url, exclusive=True)
    before = contents(tmp_path / "passerelle.db")
    async with dry_run(configuration) as said:
        await until(said, "Dry run, on a copy of the store.")
        await until(
            said,
            f"Would go to the room {association.room_id}",
            lambda: association.post("monique", "Loto", "Qui vient ?"),
        )
    assert contents(tmp_path / "passerelle.db") == before
    await store.close()


# ---------------------------------------------------------------- what can be taken in only once


def settings(**matrix: object) -> Settings:
    return Settings.model_validate(
        {
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:lab.test", **matrix},
            "mailboxes": [{"address": "p@x.test", "lmtp": {"port": 0}, "smtp": {"host": "127.0.0.1", "port": 1}}],
            "associations": [
                {
                    "name": "epeule",
                    "title": "Comité",
                    "coordinators": [{"name": "Monique"}],
                    "links": [{"name": "bureau", "room": "#bureau:x.test", "list": {"address": "bureau@x.test"}}],
                }
            ],
        }
    )


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ({"appservice": {"port": 0}}, "only once, to the daemon"),
        ({"access_token_file": "token", "crypto_folder": "keys"}, "access token's device only once"),
    ],
)
async def test_what_comes_only_once_is_left_to_the_daemon(
    matrix: dict[str, object], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    said: list[str] = []
    store = await Store.open(f"sqlite:///{tmp_path / 'passerelle.db'}", exclusive=True)
    given = settings(**matrix)
    dry = rehearse_matrix(build_context(given, store, upload_limit_bytes=lambda: 0), said.append)
    assert "LMTP is not taken in" in said[0]
    room = await dry.join("#bureau:x.test")

    async def never(_arrivals: object) -> None:
        raise AssertionError("nothing is to be taken in")

    following = asyncio.create_task(dry.follow(None, lambda: frozenset({room}), never))
    await until(lambda: "\n".join(said), why)
    assert not following.done()
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    if "appservice" in matrix:
        with pytest.raises(TemporaryFailure):
            await dry.upload_limit_bytes()
    await dry.close()
    await store.close()


def test_an_event_is_described_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    assert describe_event({"msgtype": "m.text", "body": "secret"}, "m.room.message") == "a post, 6 characters"
    assert describe_event({"msgtype": "m.notice", "body": "x"}, "m.room.message").startswith("a notice")
    file = {"msgtype": "m.image", "body": "légende secrète", "filename": "a.png", "info": {"size": 3}}
    assert describe_event(file, "m.room.message") == "the file a.png, 3 bytes"
    assert describe_event({"m.relates_to": {"key": "👍"}}, "m.reaction") == "the reaction 👍"


async def test_a_private_message_names_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    said: list[str] = []
    dry = DryMatrix(settings(), said.append)
    from passerelle.core.ids import UserId

    room = await dry.open_direct_room(UserId("@lea:x.test"))
    await dry.send_event(room, {"msgtype": "m.notice", "body": "Bonjour"}, transaction_id="1")
    assert said == ["Would go to @lea:x.test alone: a notice of the bridge, 7 characters."]
    await dry.close()
