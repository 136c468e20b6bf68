"""How SQLite is driven: one file, WAL, one writer, and statements that do not cross a thread for nothing.

aiosqlite runs each call in a thread of the connection, and SQLAlchemy makes several calls for one statement: 0.3 ms of
processor time for a statement that takes SQLite 10 µs. Here a statement is one call, made in the event loop's own
thread, since inside a transaction it touches memory only; what waits (BEGIN IMMEDIATE while another process writes, a
COMMIT that syncs the disk, large values) is made in the connection's thread.
"""

import asyncio
import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite
from sqlalchemy import URL, event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from passerelle.errors import StoreError, StoreLocked
from passerelle.store.failures import store_error

#: How long a writer waits for the lock of another process (the CLI beside the daemon).
BUSY_TIMEOUT_SECONDS = 10.0
#: A value from which on a statement goes to the connection's thread.
LARGE_BYTES = 256 * 1024
#: Of the file: mails of 2.5 KB, compressed, leave 0.5 KB of their pages empty on average.
PAGE_BYTES = 8192
#: How long the write-ahead log gets before a durable commit carries it over: 4 MB.
CHECKPOINT_PAGES = 500

#: Of the connection that writes: Message-IDs and hashes stand anywhere in their indices, and with SQLite's 2 MB each
#: transaction of an import would read their pages anew, and write some of them twice.
CACHE_KIBIBYTES = 32 * 1024

_BEGIN_WRITING = "BEGIN IMMEDIATE"

T = TypeVar("T")


class SqliteCursor:
    """What SQLAlchemy asks of an aiosqlite cursor; the rows are fetched by the same call that executes."""

    arraysize = 1

    def __init__(self, connection: "SqliteConnection") -> None:
        self._connection = connection
        self._rows: Sequence[Any] = ()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "SqliteCursor":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> "SqliteCursor":
        call = partial(self._execute, "execute", sql, parameters)
        if sql == _BEGIN_WRITING:
            await self._connection.begin_writing(call)
        else:
            await self._connection.run(call, may_wait=_is_large(parameters))
        return self

    async def executemany(self, sql: str, parameters: Sequence[Sequence[Any]]) -> "SqliteCursor":
        may_wait = any(_is_large(one) for one in parameters)
        await self._connection.run(partial(self._execute, "executemany", sql, parameters), may_wait=may_wait)
        return self

    async def fetchall(self) -> Sequence[Any]:
        return self._rows

    async def close(self) -> None:
        self._rows = ()

    def _execute(self, method: str, sql: str, parameters: Sequence[Any]) -> None:
        cursor = getattr(self._connection.driver, method)(sql, parameters)
        self._rows = cursor.fetchall() if cursor.description else ()
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()


def _is_large(parameters: Iterable[Any]) -> bool:
    return any(isinstance(value, bytes | str) and len(value) > LARGE_BYTES for value in parameters)


class SqliteConnection(aiosqlite.Connection):
    """An aiosqlite connection whose calls are made in the event loop's thread unless they may wait."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, 64)
        self._thread.daemon = True

    @property
    def driver(self) -> sqlite3.Connection:
        return self._conn

    def cursor(self) -> SqliteCursor:  # type: ignore[override]
        return SqliteCursor(self)

    async def run(self, call: Callable[[], T], *, may_wait: bool) -> T:
        """Make a call on the SQLite connection, here or in its thread; it is never left half waited for."""
        if not may_wait:
            return call()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, call))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            # A COMMIT cannot be called back: its outcome is known before the cancellation goes on.
            while not future.done():
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([future])
            future.exception()
            raise

    async def begin_writing(self, call: Callable[[], T]) -> T:
        """Begin a transaction that writes; where another process writes, wait for it in the connection's thread."""
        try:
            return call()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise

        def wait() -> T:
            self._set_busy_timeout(BUSY_TIMEOUT_SECONDS)
            try:
                return call()
            finally:
                self._set_busy_timeout(0)

        return await self.run(wait, may_wait=True)

    def _set_busy_timeout(self, seconds: float) -> None:
        self.driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    async def commit(self) -> None:
        await self.run(self.driver.commit, may_wait=self.syncs)

    async def rollback(self) -> None:
        await self.run(self.driver.rollback, may_wait=self.syncs)

    #: Whether the end of a transaction waits for the disk.
    syncs = False

    def set_durable(self, durable: bool) -> None:
        """Whether commits are to outlive a power cut; outside a transaction, since SQLite ignores it within.

        WAL: FULL syncs the log at each commit; NORMAL only when the log is carried over into the database, which is
        left to the next durable commit.
        """
        self.driver.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.driver.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES if durable else 0}")
        self.syncs = durable


def _connect(*arguments: Any, **options: Any) -> SqliteConnection:
    return SqliteConnection(partial(sqlite3.connect, *arguments, **options))


def make_engine(path: Path, *, writer: bool) -> AsyncEngine:
    """An engine for the one writing connection, or for the pool of reading ones.

    Transactions are begun by us (https://docs.sqlalchemy.org/en/21/dialects/sqlite.html, "enabling non-legacy
    transactional modes"): a writer takes the write lock at once, so that no read of it is outdated when it writes; a
    reader sees one snapshot.
    """
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        connect_args={
            "async_creator_fn": _connect,
            "isolation_level": None,
            "timeout": 0 if writer else BUSY_TIMEOUT_SECONDS,
        },
        pool_size=1 if writer else 4,
        max_overflow=0 if writer else 4,
        query_cache_size=1000,
        hide_parameters=True,  # raw mails among them: an error must not print them
    )
    begin = _BEGIN_WRITING if writer else "BEGIN"

    @event.listens_for(engine.sync_engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys = ON")
        if writer:
            # Of a file that is made now. Half as much is left over behind each mail as in pages of 4 KB.
            cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.execute(f"PRAGMA cache_size = -{CACHE_KIBIBYTES}")
            connection.driver_connection.set_durable(True)
            cursor.execute("PRAGMA secure_delete = ON")  # what may not be kept is overwritten, not only unlinked
        else:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def path_of(url: URL) -> Path:
    """The file of a SQLite URL. Raises StoreError where it names none."""
    if not url.database or url.database == ":memory:":
        raise StoreError("The store must be a file: sqlite:///passerelle.db, for example.")
    return Path(url.database).absolute()


class FileLock:
    """The lock that a daemon holds on `<file>.lock` while it runs; the kernel drops it however the process ends."""

    def __init__(self, store: Path) -> None:
        self._path = store.with_name(store.name + ".lock")
        self._descriptor = -1

    def acquire(self) -> None:
        """Take the lock. Raises StoreLocked where another process holds it, StoreError where it cannot be made."""
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            who = f"process {holder}" if holder.isdigit() else "another process"
            raise StoreLocked(f"Another Passerelle ({who}) already runs on this store, {self._path.stem}.") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def holder(self) -> str | None:
        """The process ID of who holds it, "" where that is not known; None where nobody does. Nothing is changed."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(f"{self._path} cannot be read: {error.strerror}.") from error
        try:
            # For an instant; a daemon that starts in it would be refused, and systemd starts it again.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            pid = os.read(descriptor, 32).decode(errors="replace").strip()
            return pid if pid.isdigit() else ""
        finally:
            os.close(descriptor)
        return None

    def release(self) -> None:
        """Give the lock back; harmless where it is not held."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def make_private_file(path: Path) -> None:
    """Make the store's file, readable by its owner only, where there is none; SQLite's side files inherit that."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error


async def set_durable(conn: AsyncConnection, durable: bool) -> None:
    """Whether the next transactions of a connection of ours are to outlive a power cut."""
    raw = await conn.get_raw_connection()
    cast(SqliteConnection, raw.driver_connection).set_durable(durable)


async def run_outside(conn: AsyncConnection, statement: str) -> None:
    """Run a statement outside any transaction, in the connection's thread; SQLAlchemy would begin one."""
    raw = await conn.get_raw_connection()
    driver = cast(SqliteConnection, raw.driver_connection)
    await driver.run(lambda: driver.driver.execute(statement).fetchall(), may_wait=True)


async def insert_many(conn: AsyncConnection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Execute an INSERT with each of many rows, in the connection's thread: thousands of them take their time.

    Raises StoreError for what the database refuses.
    """
    raw = await conn.get_raw_connection()
    connection = cast(SqliteConnection, raw.driver_connection)
    try:
        await connection.run(partial(connection.driver.executemany, statement, rows), may_wait=True)
    except sqlite3.Error as error:
        raise store_error(error) from error
