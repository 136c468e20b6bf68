"""Copying a SQLite store while the daemon runs, and putting a copy back. PostgreSQL has its own tools for both."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.errors import StoreError
from passerelle.store.failures import store_error
from passerelle.store.meta import set_meta
from passerelle.store.sqlite import FileLock, path_of

#: Called with the pages copied and the pages in all.
OnProgress = Callable[[int, int], None]

#: Pages (4 KB) between two calls of the progress callback.
_STEP_PAGES = 2048
#: The fact that tells the daemon to look at what became of everything before it sends anything.
RESTORED_AT = "restored_at"


def _sqlite_path(url: str, tool: str) -> Path:
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite"):
        raise StoreError(f"This store is on PostgreSQL: use {tool}, which PostgreSQL brings.")
    return path_of(parsed)


async def backup_sqlite(url: str, target: Path, on_progress: OnProgress = lambda done, total: None) -> None:
    """Copy the store at `url` into the new file `target`, as it is at one instant; the daemon may go on meanwhile.

    Raises StoreError where the store is not there or not SQLite, where `target` exists, or where the disk is full.
    """
    await asyncio.to_thread(_backup, _sqlite_path(url, "pg_dump"), target, on_progress)


async def restore_sqlite(source: Path, url: str, now: datetime, *, force: bool = False) -> None:
    """Put the copy `source` in the place of the store at `url`.

    The daemon that starts on it finds the fact `restored_at`, and looks at what was sent meanwhile before it sends.
    Raises StoreLocked while a daemon runs; StoreError where the copy is damaged or no store of ours, and, without
    `force`, where there is a store already.
    """
    path = _sqlite_path(url, "pg_restore, then `passerelle restore --mark`")
    lock = FileLock(path)
    lock.acquire()
    try:
        await asyncio.to_thread(_restore, source, path, now, force)
    finally:
        lock.release()


async def mark_restored(conn: AsyncConnection, now: datetime) -> None:
    """Note that the store is a copy of an earlier time: for a PostgreSQL that was restored by its own tools."""
    await set_meta(conn, RESTORED_AT, now.isoformat())


def _backup(source: Path, target: Path, on_progress: OnProgress) -> None:
    if not source.exists():
        raise StoreError(f"There is no store at {source}.")
    if target.exists():
        raise StoreError(f"{target} exists already: it is not overwritten.")
    _copy(source, target, on_progress)


def _copy(source: Path, target: Path, on_progress: OnProgress) -> None:
    """Copy a database by SQLite's backup interface into a file that has its name only once it is whole."""
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with _opened(source) as reading, _opened(partial) as writing:
            # An open snapshot: what the daemon writes meanwhile does not make the copy begin anew.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reading.backup(writing, pages=_STEP_PAGES, progress=lambda _s, left, all: on_progress(all - left, all))
            _check(writing)
            writing.execute("PRAGMA journal_mode = DELETE")
        _sync(partial)
        os.replace(partial, target)
        _sync(target.parent)
    except sqlite3.Error as error:
        raise store_error(error) from error
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _restore(source: Path, path: Path, now: datetime, force: bool) -> None:
    if not source.is_file():
        raise StoreError(f"There is no backup at {source}.")
    if path.exists() and not force:
        raise StoreError(f"{path} exists already: only with --force is it replaced.")
    fresh = path.with_name(path.name + ".restored")
    fresh.unlink(missing_ok=True)
    _copy(source, fresh, lambda done, total: None)
    try:
        with _opened(fresh) as conn:
            conn.execute("UPDATE lane SET lease_owner = ''")
            conn.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (RESTORED_AT, now.isoformat()))
            conn.commit()
        _sync(fresh)
        for side in ("-wal", "-shm"):  # of the store that goes: they would be replayed into the one that comes
            path.with_name(path.name + side).unlink(missing_ok=True)
        os.replace(fresh, path)
        _sync(path.parent)
    except sqlite3.Error as error:
        raise store_error(error) from error
    finally:
        fresh.unlink(missing_ok=True)


def _check(conn: sqlite3.Connection) -> None:
    if conn.execute("PRAGMA quick_check").fetchone()[0] != "ok":
        raise StoreError("The copy is damaged: its source is, too, or the disk is.")
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not {"alembic_version", "meta", "inbox", "outbox"} <= tables:
        raise StoreError("This file is no store of Passerelle.")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=10)
    try:
        yield connection
    finally:
        connection.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
