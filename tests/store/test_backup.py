"""A copy is whole while the daemon goes on writing; a copy put back says so."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from passerelle.errors import StoreError, StoreLocked
from passerelle.store import lanes
from passerelle.store.backup import RESTORED_AT, backup_sqlite, mark_restored, restore_sqlite
from passerelle.store.engine import Store
from passerelle.store.meta import find_meta, set_meta
from tests.store.made import NOW, at


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


async def _fill(store: Store, megabytes: int) -> None:
    async with store.write() as conn:
        for number in range(megabytes * 10):
            await set_meta(conn, f"filler {number}", "x" * 100_000)


async def test_a_copy_is_one_instant_while_the_daemon_writes(url: str, tmp_path: Path) -> None:
    """Two facts always change together: the copy never has one without the other, and begins only once."""
    store = await Store.open(url, exclusive=True)
    await _fill(store, 60)
    stop = asyncio.Event()
    wrote = 0

    async def go_on() -> None:
        nonlocal wrote
        while not stop.is_set():
            async with store.write(durable=False) as conn:
                await set_meta(conn, "first", str(wrote))
                await set_meta(conn, "second", str(wrote))
                await set_meta(conn, f"filler {wrote % 600}", "y" * 100_000)
            wrote += 1
            await asyncio.sleep(0)

    steps: list[tuple[int, int]] = []
    writing = asyncio.create_task(go_on())
    before = wrote
    await backup_sqlite(url, tmp_path / "copy.db", lambda done, total: steps.append((done, total)))
    stop.set()
    await writing
    await store.close()
    assert wrote > before, "the daemon was held up"
    assert len(steps) > 3
    assert steps == sorted(steps), "the copy began anew"
    assert len({total for _, total in steps}) == 1
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    facts = dict(copy.execute("SELECT key, value FROM meta WHERE key IN ('first', 'second')"))
    copy.close()
    assert len(set(facts.values())) <= 1
    assert stat.S_IMODE(os.stat(tmp_path / "copy.db").st_mode) == 0o600
    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == ["copy.db"]


async def test_a_copy_is_put_back(url: str, tmp_path: Path) -> None:
    store = await Store.open(url, exclusive=True)
    name = store.store_id
    async with store.write() as conn:
        await set_meta(conn, "a", "before")
        await lanes.take_lane(conn, "out:a", "old daemon", NOW, at(3600))
    await backup_sqlite(url, tmp_path / "copy.db")
    async with store.write() as conn:
        await set_meta(conn, "a", "after")
    with pytest.raises(StoreLocked):
        await restore_sqlite(tmp_path / "copy.db", url, NOW, force=True)
    await store.close()
    with pytest.raises(StoreError, match="--force"):
        await restore_sqlite(tmp_path / "copy.db", url, NOW)
    await restore_sqlite(tmp_path / "copy.db", url, NOW, force=True)
    store = await Store.open(url, exclusive=True)
    assert store.store_id == name
    async with store.write() as conn:
        assert await find_meta(conn, "a") == "before"
        assert await find_meta(conn, RESTORED_AT) == NOW.isoformat()
        assert await lanes.take_lane(conn, "out:a", "new daemon", NOW, at(3600))
    await store.close()


async def test_what_a_crash_left_in_the_log_does_not_return(url: str, tmp_path: Path) -> None:
    """The write-ahead log of the store that is replaced belongs to that store."""
    store = await Store.open(url, exclusive=True)
    await backup_sqlite(url, tmp_path / "copy.db")
    async with store.write() as conn:
        await set_meta(conn, "a", "after")
    left = {name: (tmp_path / name).read_bytes() for name in ("store.db", "store.db-wal", "store.db-shm")}
    await store.close()
    for name, data in left.items():
        (tmp_path / name).write_bytes(data)
    await restore_sqlite(tmp_path / "copy.db", url, NOW, force=True)
    store = await Store.open(url, exclusive=True)
    async with store.read() as conn:
        assert await find_meta(conn, "a") is None
    await store.close()


async def test_a_copy_goes_to_a_new_machine(url: str, tmp_path: Path) -> None:
    await (await Store.open(url, exclusive=True)).close()
    await backup_sqlite(url, tmp_path / "copy.db")
    other = f"sqlite:///{tmp_path}/other.db"
    await restore_sqlite(tmp_path / "copy.db", other, NOW)
    await (await Store.open(other, exclusive=True)).close()


async def test_what_cannot_be_copied_is_a_plain_sentence(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="There is no store"):
        await backup_sqlite(url, tmp_path / "copy.db")
    await (await Store.open(url, exclusive=True)).close()
    (tmp_path / "copy.db").write_bytes(b"mine")
    with pytest.raises(StoreError, match="not overwritten"):
        await backup_sqlite(url, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"mine"
    with pytest.raises(StoreError, match="cannot be written"):
        await backup_sqlite(url, tmp_path / "no" / "such" / "folder.db")
    with pytest.raises(StoreError, match="no backup"):
        await restore_sqlite(tmp_path / "none.db", url, NOW, force=True)


@pytest.mark.parametrize("kind", ["no database", "another database"])
async def test_what_is_no_copy_replaces_nothing(url: str, tmp_path: Path, kind: str) -> None:
    store = await Store.open(url, exclusive=True)
    name = store.store_id
    await store.close()
    wrong = tmp_path / "wrong.db"
    if kind == "no database":
        wrong.write_bytes(b"Dear diary" * 1000)
    else:
        other = sqlite3.connect(wrong)
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.commit()
        other.close()
    with pytest.raises(StoreError, match=r"not a SQLite database|no store of Passerelle"):
        await restore_sqlite(wrong, url, NOW, force=True)
    store = await Store.open(url, exclusive=True)
    assert store.store_id == name
    await store.close()
    assert not [name for name in os.listdir(tmp_path) if name.endswith((".restored", ".partial"))]


async def test_postgresql_has_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="pg_dump"):
        await backup_sqlite("postgresql://localhost/x", tmp_path / "copy.db")
    with pytest.raises(StoreError, match="pg_restore"):
        await restore_sqlite(tmp_path / "copy.db", "postgresql://localhost/x", NOW)


async def test_a_restored_postgresql_is_marked(store: Store) -> None:
    async with store.write() as conn:
        await mark_restored(conn, NOW)
        assert await find_meta(conn, RESTORED_AT) == NOW.isoformat()
        assert (await conn.execute(text("SELECT count(*) FROM meta"))).scalar_one() == 3
