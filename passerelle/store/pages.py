"""What a database keeps of what was deleted: free space, old segments of the index, the write-ahead log. Made anew.

SQLite overwrites what is deleted (`secure_delete`), but a page that was filled anew keeps stale bytes between its
cells, and FTS5 keeps words in its segments until they are merged: VACUUM writes every page anew. PostgreSQL's VACUUM
leaves stale bytes in pages too; VACUUM FULL writes a table anew, and locks it meanwhile. Its own log (WAL), archived
logs and backups lie outside: they are recycled, or expire, as the server's administrator has set.
"""

import asyncio
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.engine import Store
from passerelle.store.failures import store_error
from passerelle.store.meta import delete_meta, find_meta, set_meta
from passerelle.store.tables import metadata
from passerelle.store.types import Document, Words

#: A SQLite file, or a PostgreSQL table, up to this size is written anew at once: about five seconds, in which others
#: wait; another process gives up after ten. What is larger is done at night, by the daemon, whose own writes wait.
AT_ONCE_BYTES = 256 * 1024 * 1024
#: How long reading all of a file may take; writing it back takes three times as long, and cannot be broken off.
_READ_SECONDS = 60.0
#: What VACUUM needs beside the file: its copy, and the log of all pages.
_ROOM = 2.2
#: The fact that something stale is left.
_TO_RENEW = "pages_to_renew"
#: Instructions of SQLite's between two looks at the clock.
_LOOK_EVERY = 10_000
#: What PostgreSQL's statements may take, waiting for a lock and in all: whoever comes later waits behind them.
_LIMITS = {True: ("10s", "300s"), False: ("5s", "60s")}
#: Cancelled by its time limit; no lock; no room on the disk.
_GIVEN_UP = ("57014", "55P03", "53100")
#: Pages of the index that one step merges (https://www.sqlite.org/fts5.html#the_merge_command).
_MERGE_PAGES = 500
_MERGE = text("INSERT INTO post_words (post_words, rank) VALUES ('merge', :pages)")
_IS_OWNER = text("SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")
_TRANSACTION = text("SELECT CAST(pg_current_xact_id() AS text)")
_OLDER_SNAPSHOTS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_xmin IS NOT NULL AND age(backend_xmin) > age(CAST(CAST(CAST(:now AS text) AS xid8) AS xid))"
)
#: How long older snapshots are waited for.
_SNAPSHOT_SECONDS = 0.1
_SNAPSHOT_TRIES = 300
_BUSY_SECONDS = 60.0
_TRIES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Pages:
    """`whole`: nothing stale is left in the data files. Else what could not be written anew at once."""

    whole: bool
    left: tuple[str, ...] = ()


async def renew_pages(store: Store, *, at_night: bool = False, at_most_bytes: int | None = AT_ONCE_BYTES) -> Pages:
    """Leave no stale bytes in the data files, or note that some are left (`are_pages_left`). Raises StoreError.

    Args:
        at_night: whatever the size, as long as it takes no more than some minutes.
        at_most_bytes: by day, of what is not larger.
    """
    limit = None if at_night else at_most_bytes
    async with store.write(quiet=True) as conn:
        await set_meta(conn, _TO_RENEW, "1")
    if store.dialect == "sqlite":
        await _merge_index(store)
        pages = await _renew_sqlite(store, limit)
    else:
        pages = await _vacuum_postgresql(store, limit)
    if pages.whole:
        async with store.write(quiet=True) as conn:
            await delete_meta(conn, _TO_RENEW)
    return pages


async def are_pages_left(store: Store) -> bool:
    """Whether the data files hold stale bytes that were to go."""
    async with store.read() as conn:
        return await find_meta(conn, _TO_RENEW) is not None


async def _renew_sqlite(store: Store, limit: int | None) -> Pages:
    async with store.read() as conn:
        path = Path(str(conn.engine.url.database))
    stop = threading.Event()
    async with store.alone():
        try:
            whole = await asyncio.to_thread(_renew_file, path, limit, stop)
        finally:
            stop.set()
    return Pages(whole=whole, left=() if whole else (path.name,))


def _renew_file(path: Path, limit: int | None, stop: threading.Event) -> bool:
    """Whether nothing stale is left: not of a file larger than the limit, nor where the disk has no room for a copy."""
    size = path.stat().st_size
    is_done = False
    if (limit is None or size <= limit) and shutil.disk_usage(path.parent).free > _ROOM * size:
        is_done = _vacuum_sqlite(path, stop)
    return _empty_log(path) and is_done


async def _merge_index(store: Store) -> None:
    """Make one segment of the index, in short transactions; deleted words are in none then."""
    pages = -_MERGE_PAGES  # negative: merge everything, however few segments there are
    while True:
        async with store.write(durable=False, quiet=True) as conn:
            before = (await conn.execute(text("SELECT total_changes()"))).scalar_one()
            await conn.execute(_MERGE, {"pages": pages})
            after = (await conn.execute(text("SELECT total_changes()"))).scalar_one()
        if after - before < 2:
            return
        pages = _MERGE_PAGES


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(error) from error


def _vacuum_sqlite(path: Path, stop: threading.Event) -> bool:
    """Write the file anew; False, and it is as it was, where that takes too long, or the disk is full."""
    until = time.monotonic() + _BUSY_SECONDS + _READ_SECONDS
    with _translated(), closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)) as conn:
        conn.execute("PRAGMA secure_delete = ON")
        conn.set_progress_handler(lambda: stop.is_set() or time.monotonic() > until, _LOOK_EVERY)
        try:
            conn.execute("VACUUM")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_FULL):
                raise
            return False
    return True


def _empty_log(path: Path) -> bool:
    """Carry the write-ahead log over and empty it; who reads just now is waited for. Whether it is empty."""
    with _translated(), closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as conn:
        for _ in range(_TRIES):
            busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return True
    return False


async def _vacuum_postgresql(store: Store, at_most_bytes: int | None) -> Pages:
    left: list[str] = []
    async with store.read() as reading:
        engine = reading.engine
        names = sorted([*(table.name for table in metadata.sorted_tables), "post_words"])
        sizes = {name: await _size(reading, name) for name in names}
    async with engine.connect() as conn:
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        everyone_saw = await _until_everyone_sees(conn)
        for name in names:
            is_large = at_most_bytes is not None and sizes[name] > at_most_bytes
            if is_large or not await _written_anew(conn, name, at_night=at_most_bytes is None):
                await conn.execute(text(f"VACUUM (ANALYZE) {name}"))
                left.append(name)
            await _forget_statistics_of_nothing(conn, name)
        # Statistics hold the most common values of each column. The database's owner may do this, nobody else.
        everyone_saw = await _until_everyone_sees(conn) and everyone_saw
        await conn.execute(text("VACUUM (FULL) pg_statistic"))
        if not (await conn.execute(_IS_OWNER)).scalar_one():
            left.append("pg_statistic")
    return Pages(whole=everyone_saw and not left, left=tuple(left))


async def _written_anew(conn: AsyncConnection, name: str, *, at_night: bool) -> bool:
    """Whether a table was written anew: not where it is in use for long, takes long, or the disk is full."""
    limits = zip(("lock_timeout", "statement_timeout"), _LIMITS[at_night], strict=True)
    for setting, limit in limits:
        await conn.execute(text(f"SET {setting} = '{limit}'"))
    try:
        await conn.execute(text(f"VACUUM (FULL, ANALYZE) {name}"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _GIVEN_UP:
            raise
        return False
    finally:
        for setting in ("lock_timeout", "statement_timeout"):
            await conn.execute(text(f"RESET {setting}"))
    return True


async def _forget_statistics_of_nothing(conn: AsyncConnection, name: str) -> None:
    """ANALYZE leaves the statistics of a table that became empty as they were; a column's type takes its along."""
    table = metadata.tables.get(name)
    if table is None or (await conn.execute(select(literal(1)).select_from(table).limit(1))).first() is not None:
        return
    for column in table.columns:
        if isinstance(column.type, Words | Document):
            await conn.execute(text(f'ALTER TABLE {name} ALTER COLUMN "{column.name}" TYPE text'))


async def _until_everyone_sees(conn: AsyncConnection) -> bool:
    """Wait for older snapshots to end: what they may still see, VACUUM keeps. False where one does not end."""
    now = (await conn.execute(_TRANSACTION)).scalar_one()
    for _ in range(_SNAPSHOT_TRIES):
        if not (await conn.execute(_OLDER_SNAPSHOTS, {"now": now})).scalar_one():
            return True
        await asyncio.sleep(_SNAPSHOT_SECONDS)
    return False


async def _size(conn: AsyncConnection, name: str) -> int:
    asked = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    return int((await conn.execute(asked, {"name": name})).scalar_one())
