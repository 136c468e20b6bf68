"""What a database keeps of what was deleted: free space, old segments of the index, the write-ahead log. Made anew.

SQLite overwrites what is deleted (`secure_delete`), but a page that was filled anew keeps stale bytes between its
cells, and FTS5 keeps words in its segments until they are merged: VACUUM writes every page anew. PostgreSQL's VACUUM
leaves stale bytes in pages too; VACUUM FULL writes a table anew, and locks it meanwhile. Its own log (WAL), archived
logs and backups lie outside: they are recycled, or expire, as the server's administrator has set.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.engine import Store
from passerelle.store.failures import store_error
from passerelle.store.tables import metadata
from passerelle.store.types import Document, Words

#: A SQLite file, or a PostgreSQL table, up to this size is written anew at once: some seconds, in which others wait.
AT_ONCE_BYTES = 512 * 1024 * 1024
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


async def renew_pages(store: Store, *, at_most_bytes: int | None = AT_ONCE_BYTES) -> Pages:
    """Leave no stale bytes in the data files; with `at_most_bytes`, of what is not larger. Raises StoreError."""
    if store.dialect == "sqlite":
        await _merge_index(store)
        async with store.read() as conn:
            path = Path(str(conn.engine.url.database))
        if at_most_bytes is not None and await asyncio.to_thread(_size_of, path) > at_most_bytes:
            await asyncio.to_thread(_empty_log, path)
            return Pages(whole=False, left=(path.name,))
        await asyncio.to_thread(_vacuum_sqlite, path)
        return Pages(whole=True)
    return await _vacuum_postgresql(store, at_most_bytes)


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


def _size_of(path: Path) -> int:
    return path.stat().st_size


def _vacuum_sqlite(path: Path) -> None:
    with _translated(), closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_SECONDS)) as conn:
        conn.execute("PRAGMA secure_delete = ON")
        conn.execute("VACUUM")
    _empty_log(path)


def _empty_log(path: Path) -> None:
    """Carry the write-ahead log over and empty it; who reads just now is waited for."""
    with _translated(), closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as conn:
        for _ in range(_TRIES):
            busy, _, _ = conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:
                return


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
            await conn.execute(text(f"VACUUM ({'' if is_large else 'FULL, '}ANALYZE) {name}"))
            left += [name] if is_large else []
            await _forget_statistics_of_nothing(conn, name)
        # Statistics hold the most common values of each column. The database's owner may do this, nobody else.
        everyone_saw = await _until_everyone_sees(conn) and everyone_saw
        await conn.execute(text("VACUUM (FULL) pg_statistic"))
        if not (await conn.execute(_IS_OWNER)).scalar_one():
            left.append("pg_statistic")
    return Pages(whole=everyone_saw and not left, left=tuple(left))


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
