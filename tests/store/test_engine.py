"""Opening, locking, transactions, and what becomes of them when the process or the disk fails."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.errors import StoreError, StoreLocked
from passerelle.store import lanes
from passerelle.store.engine import Store
from passerelle.store.failures import store_error
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.migrations import HEAD
from passerelle.store.sqlite import SqliteConnection
from tests.store.made import NOW, at


async def test_a_store_keeps_its_name_and_its_key(store: Store, store_url: str) -> None:
    name, key = store.store_id, store.hash_key
    assert len(name) == 16
    assert len(key) == 32
    await store.close()
    again = await Store.open(store_url, exclusive=True)
    assert (again.store_id, again.hash_key) == (name, key)
    await again.close()


async def test_what_is_written_is_read(store: Store) -> None:
    async with store.write() as conn:
        await set_meta(conn, "a", "1")
    async with store.write(durable=False) as conn:
        await set_meta(conn, "a", "2")
    async with store.read() as conn:
        assert await find_meta(conn, "a") == "2"


async def test_what_raises_is_taken_back(store: Store) -> None:
    async def work() -> None:
        async with store.write() as conn:
            await set_meta(conn, "a", "1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    async with store.read() as conn:
        assert await find_meta(conn, "a") is None


async def test_a_cancelled_transaction_is_taken_back(store: Store) -> None:
    inside, never = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        async with store.write() as conn:
            await set_meta(conn, "a", "1")
            inside.set()
            await never.wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.write() as conn:
        assert await find_meta(conn, "a") is None


async def test_a_transaction_cancelled_at_any_step_is_whole_or_not_at_all(store: Store) -> None:
    """Cancelled after each number of turns of the event loop: the store goes on, and never has half of it."""

    async def work(number: str) -> None:
        async with store.write() as conn:
            await set_meta(conn, "first", number)
            await set_meta(conn, "second", number)

    for turns in range(40):
        task = asyncio.create_task(work(str(turns)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        async with store.read() as conn:
            assert await find_meta(conn, "first") == await find_meta(conn, "second")
    await work("end")
    async with store.read() as conn:
        assert await find_meta(conn, "first") == "end"


async def test_writers_take_turns(store: Store) -> None:
    """Each reads and adds one: no addition is lost where one row is locked, or one writer works at a time."""
    async with store.write() as conn:
        await set_meta(conn, "n", "0")

    async def add() -> None:
        async with store.write(durable=False) as conn:
            if store.dialect == "postgresql":
                await conn.execute(text("SELECT value FROM meta WHERE key = 'n' FOR UPDATE"))
            await set_meta(conn, "n", str(int(await find_meta(conn, "n") or "") + 1))

    await asyncio.gather(*(add() for _ in range(50)))
    async with store.read() as conn:
        assert await find_meta(conn, "n") == "50"


async def test_a_read_sees_one_snapshot(store: Store) -> None:
    async with store.write() as conn:
        await set_meta(conn, "a", "1")
    async with store.read() as reading:
        assert await find_meta(reading, "a") == "1"
        async with store.write() as conn:
            await set_meta(conn, "a", "2")
        assert await find_meta(reading, "a") == "1"


async def test_a_read_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError):
        async with store.read() as conn:
            await set_meta(conn, "a", "1")
    async with store.write() as conn:
        await set_meta(conn, "a", "2")


async def test_who_asked_is_told_of_each_commit(store: Store) -> None:
    told: list[int] = []
    store.on_commit(lambda: told.append(1))
    async with store.write() as conn:
        await set_meta(conn, "a", "1")
        assert told == []
    assert told == [1]
    async with store.write(quiet=True) as conn:
        await set_meta(conn, "a", "2")
    with pytest.raises(ZeroDivisionError):
        async with store.write() as conn:
            raise ZeroDivisionError
    assert told == [1]


async def test_a_second_daemon_is_refused(sqlite_path: Path) -> None:
    url = f"sqlite:///{sqlite_path}"
    first = await Store.open(url, exclusive=True)
    with pytest.raises(StoreLocked, match=f"process {os.getpid()}"):
        await Store.open(url, exclusive=True)
    beside = await Store.open(url, exclusive=False)  # the CLI
    async with beside.write() as conn:
        await set_meta(conn, "a", "from the CLI")
    async with first.read() as conn:
        assert await find_meta(conn, "a") == "from the CLI"
    await beside.close()
    await first.close()
    await (await Store.open(url, exclusive=True)).close()


async def test_a_writer_waits_for_another_process(sqlite_path: Path) -> None:
    """The daemon goes on while the CLI writes, and its own transaction follows."""
    url = f"sqlite:///{sqlite_path}"
    daemon = await Store.open(url, exclusive=True)
    cli = await Store.open(url, exclusive=False)
    async with cli.write() as conn:
        await set_meta(conn, "a", "1")

        async def write_later() -> None:
            async with daemon.write() as later:
                await set_meta(later, "a", (await find_meta(later, "a") or "") + "2")

        task = asyncio.create_task(write_later())
        async with daemon.read() as reading:  # the event loop is not held up
            assert await find_meta(reading, "a") is None
        assert not task.done()
    await task
    async with daemon.read() as reading:
        assert await find_meta(reading, "a") == "12"
    await cli.close()
    await daemon.close()


async def test_who_gives_up_waiting_leaves_the_store_usable(sqlite_path: Path) -> None:
    """Cancelled while another process writes: the daemon's next transaction begins as if nothing had been."""
    url = f"sqlite:///{sqlite_path}"
    daemon = await Store.open(url, exclusive=True)
    cli = await Store.open(url, exclusive=False)

    async def write() -> None:
        async with daemon.write() as conn:
            await set_meta(conn, "a", "daemon")

    async with cli.write() as conn:
        await set_meta(conn, "a", "cli")
        task = asyncio.create_task(write())
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await task
    async with daemon.read() as reading:
        assert await find_meta(reading, "a") == "cli"
    await write()
    async with cli.write() as conn:
        assert await find_meta(conn, "a") == "daemon"
    await cli.close()
    await daemon.close()


async def test_a_call_that_waits_for_the_disk_is_waited_for(sqlite_path: Path) -> None:
    """A COMMIT cannot be called back: whoever is cancelled meanwhile, even twice, goes on when it has ended."""
    connection = await SqliteConnection(partial(sqlite3.connect, sqlite_path, check_same_thread=False))
    disk = threading.Event()
    task = asyncio.create_task(connection.run(disk.wait, may_wait=True))
    for _ in range(2):
        await asyncio.sleep(0)
        task.cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    disk.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    await connection.close()


async def test_the_cli_makes_no_store(sqlite_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        await Store.open(f"sqlite:///{sqlite_path}", exclusive=False)
    assert sqlite_path.name not in os.listdir(sqlite_path.parent)


@pytest.mark.parametrize("revision", ["0000", "9999"])
async def test_another_version_is_refused_in_a_plain_sentence(store: Store, store_url: str, revision: str) -> None:
    async with store.write() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": revision})
    await store.close()
    try:
        with pytest.raises(StoreError, match="another version"):
            await Store.open(store_url, exclusive=False)
        with pytest.raises(StoreError, match="newer Passerelle"):
            await Store.open(store_url, exclusive=True)
    finally:
        await _set_version(store_url)


async def _set_version(store_url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(store_url.replace("sqlite:", "sqlite+aiosqlite:"))
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})
    await engine.dispose()


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "address is not right"),
        ("sqlite://", "must be a file"),
        ("sqlite:////nowhere/at/all/store.db", "cannot be written"),
        ("mysql://localhost/x", "either SQLite"),
        ("postgresql://u@127.0.0.1:1/x", "does not answer"),
    ],
)
async def test_a_wrong_address_is_a_plain_sentence(url: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        await Store.open(url, exclusive=True)


@pytest.mark.postgres
async def test_a_missing_database_is_a_plain_sentence(postgres_url: str) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        await Store.open(postgres_url.rsplit("/", 1)[0] + "/nowhere", exclusive=True)


async def test_the_file_is_for_its_owner_only(sqlite_path: Path) -> None:
    store = await Store.open(f"sqlite:///{sqlite_path}", exclusive=True)
    async with store.write() as conn:
        await set_meta(conn, "a", "1")
    for path in sqlite_path.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path.name
    await store.close()


async def test_a_full_disk_takes_nothing_and_ends_nothing(sqlite_path: Path) -> None:
    store = await Store.open(f"sqlite:///{sqlite_path}", exclusive=True)
    async with store.write() as conn:
        await set_meta(conn, "a", "1")
        pages = (await conn.execute(text("PRAGMA page_count"))).scalar_one()
        await conn.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
    with pytest.raises(StoreError, match="disk is full"):
        async with store.write() as conn:
            await set_meta(conn, "b", "x" * 100_000)
    async with store.write() as conn:
        assert await find_meta(conn, "a") == "1"
        assert await find_meta(conn, "b") is None
        await conn.execute(text("PRAGMA max_page_count = 100000"))
    async with store.write() as conn:
        await set_meta(conn, "b", "x" * 100_000)
    await store.close()


async def test_a_nested_write_is_a_fault_not_a_deadlock(sqlite_path: Path) -> None:
    store = await Store.open(f"sqlite:///{sqlite_path}", exclusive=True)
    with pytest.raises(RuntimeError, match="wait for itself"):
        async with store.write(), store.write():
            pass
    await store.close()


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)])  # FULL, NORMAL
async def test_durable_commits_are_synced(sqlite_path: Path, durable: bool, level: int) -> None:
    store = await Store.open(f"sqlite:///{sqlite_path}", exclusive=True)
    for _ in range(2):
        async with store.write(durable=not durable) as conn:
            await set_meta(conn, "a", "1")
        async with store.write(durable=durable) as conn:
            assert (await conn.execute(text("PRAGMA synchronous"))).scalar_one() == level
            assert (await conn.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
            assert (await conn.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
    await store.close()


async def test_leases_of_a_crashed_daemon_are_cleared(sqlite_path: Path) -> None:
    url = f"sqlite:///{sqlite_path}"
    store = await Store.open(url, exclusive=True)
    async with store.write() as conn:
        assert await lanes.take_lane(conn, "in:a/b", "gone", NOW, at(3600))
    await store.close()
    store = await Store.open(url, exclusive=True)
    async with store.write() as conn:
        assert await lanes.take_lane(conn, "in:a/b", "next", NOW, at(3600))
    await store.close()


@pytest.mark.postgres
async def test_one_of_several_daemons_holds_a_mailbox(postgres_url: str) -> None:
    first, second = [await Store.open(postgres_url, exclusive=True) for _ in range(2)]
    async with first.hold("imap:main") as mine, second.hold("imap:main") as theirs, second.hold("imap:x") as other:
        assert (mine, theirs, other) == (True, False, True)
    async with second.hold("imap:main") as theirs:
        assert theirs
    await first.close()
    await second.close()


@pytest.mark.postgres
async def test_daemons_that_start_together_migrate_once(postgres: Any) -> None:
    url = postgres.create_database()
    stores = await asyncio.gather(*(Store.open(url, exclusive=True) for _ in range(4)))
    assert len({(store.store_id, store.hash_key) for store in stores}) == 1
    for store in stores:
        await store.close()


_CRASHING = """
import asyncio, os, sys
from passerelle.store.engine import Store
from passerelle.store.meta import set_meta

async def main():
    store = await Store.open(sys.argv[1], exclusive=True)
    for durable in (True, False):
        async with store.write(durable=durable) as conn:
            await set_meta(conn, f"kept {durable}", "yes")
    async with store.write() as conn:
        for number in range(2000):
            await set_meta(conn, f"lost {number}", "x" * 5000)
        print("inside", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def _crash(url: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", _CRASHING, url], stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"inside\n"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


async def test_a_killed_process_leaves_whole_transactions_only(store_url: str) -> None:
    await asyncio.to_thread(_crash, store_url)
    store = await Store.open(store_url, exclusive=True)
    async with store.read() as conn:
        keys = set((await conn.execute(text("SELECT key FROM meta"))).scalars())
    assert keys == {"store_id", "hash_key", "kept True", "kept False"}
    await store.close()


async def test_an_error_never_shows_what_was_stored(store: Store) -> None:
    secret = "lea@exemple.org"
    with pytest.raises(StoreError) as caught:
        async with store.write() as conn:
            await conn.execute(text("INSERT INTO meta (key, value) VALUES ('store_id', :v)"), {"v": secret})
    assert secret not in str(caught.value)
    assert str(caught.value).startswith("The database refused")


def test_an_error_without_a_code_is_still_a_sentence() -> None:
    assert str(store_error(OSError(111, "Connection refused"))).endswith("Connection refused.")


async def test_another_store_opens_beside(store: Store, open_store: Callable[..., Any]) -> None:
    beside = await open_store()
    assert beside.store_id == store.store_id


async def test_who_writes_beside_no_daemon_knows_it(sqlite_path: Path) -> None:
    url = f"sqlite:///{sqlite_path}"
    daemon = await Store.open(url, exclusive=True)
    beside = await Store.open(url, exclusive=False)
    assert not daemon.is_beside_nobody()
    assert not beside.is_beside_nobody()
    await daemon.close()
    assert beside.is_beside_nobody()
    await beside.close()
