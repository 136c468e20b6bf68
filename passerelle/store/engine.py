"""Opening the store, and its transactions. Nothing else in Passerelle begins or ends one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from passerelle.errors import StoreError
from passerelle.store import lanes, postgresql, schema, sqlite
from passerelle.store.failures import store_error, translated
from passerelle.store.meta import find_meta, insert_meta
from passerelle.store.migrations import HEAD
from passerelle.store.reading_threads import ReadingThreads

Dialect = Literal["sqlite", "postgresql"]
#: Tables of work to be done, each with its workers.
Queue = Literal["inbox", "outbox", "attachment", "words"]
_QUEUES = "passerelle_queues"


def note_work(conn: AsyncConnection, queue: Queue) -> None:
    """Say that this transaction makes work in a queue: once it is committed, the queue's workers are woken."""
    conn.info.setdefault(_QUEUES, set()).add(queue)


class Store:
    """An open store. Made by `open`; to be closed."""

    #: Names this store for ever, in Message-IDs and delivery keys: hexadecimal.
    store_id: str
    #: 32 random bytes for keyed hashes (HMAC); they never leave the store.
    hash_key: bytes

    #: SQLite only: for reads that would hold the event loop up.
    threads: ReadingThreads | None = None
    _daemons_lock: sqlite.FileLock | None = None

    def __init__(self, engines: tuple[AsyncEngine, AsyncEngine], lock: sqlite.FileLock | None = None) -> None:
        self._writing_engine, self._reading_engine = engines
        self._lock = lock
        self._callbacks: list[tuple[Callable[[], None], Queue | None]] = []
        self._one_writer = asyncio.Lock()
        self._writing_task: asyncio.Task[object] | None = None
        self._writer: AsyncConnection | None = None
        self._writer_is_durable = True

    @classmethod
    async def open(cls, url: str, *, exclusive: bool) -> "Store":
        """Open the store at `url` (`sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://…`).

        `exclusive` is for the daemon: on SQLite it locks the file, and it brings the schema to the newest revision.
        Otherwise (the CLI beside a running daemon) the store must exist and have that revision already.

        Raises StoreLocked where another daemon runs on the file, StoreError for all else, in a plain sentence.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise StoreError("The store's address is not right: sqlite:///passerelle.db, for example.") from error
        store = cls._on_sqlite(parsed, exclusive) if parsed.drivername.startswith("sqlite") else cls._on_server(parsed)
        try:
            await store._prepare(exclusive)
        except BaseException:
            await store.close()
            raise
        return store

    @classmethod
    def _on_sqlite(cls, url: URL, exclusive: bool) -> "Store":
        path = sqlite.path_of(url)
        if not exclusive and not path.exists():
            raise StoreError(f"There is no store at {path} yet: `passerelle run` makes it.")
        lock = sqlite.FileLock(path)
        if exclusive:
            lock.acquire()
            sqlite.make_private_file(path)
        engines = sqlite.make_engine(path, writer=True), sqlite.make_engine(path, writer=False)
        store = cls(engines, lock if exclusive else None)
        store.threads = ReadingThreads(path)
        store._daemons_lock = lock
        return store

    @classmethod
    def _on_server(cls, url: URL) -> "Store":
        engine = postgresql.make_engine(url)
        return cls((engine, engine))

    async def _prepare(self, exclusive: bool) -> None:
        if exclusive:
            async with self.write() as conn:
                await schema.migrate(conn)
                await insert_meta(conn, "store_id", secrets.token_hex(8))
                await insert_meta(conn, "hash_key", secrets.token_hex(32))
                if self.dialect == "sqlite":
                    await lanes.clear_lanes(conn)  # of a daemon that crashed: no other can run now
        async with self.read() as conn:
            if not exclusive and await schema.find_revision(conn) != HEAD:
                raise StoreError("The store is of another version: start the daemon once (`passerelle run`).")
            self.store_id = await find_meta(conn, "store_id") or ""
            self.hash_key = bytes.fromhex(await find_meta(conn, "hash_key") or "")

    async def close(self) -> None:
        """Close every connection and give the lock back."""
        if self.threads is not None:
            self.threads.close()
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        await self._writing_engine.dispose()
        await self._reading_engine.dispose()
        if self._lock is not None:
            self._lock.release()

    @property
    def dialect(self) -> Dialect:
        return "sqlite" if self._writing_engine.dialect.name == "sqlite" else "postgresql"

    def is_beside_nobody(self) -> bool:
        """Whether no daemon runs on this SQLite file just now, and this is none: nobody waits while it writes."""
        return self._lock is None and self._daemons_lock is not None and self._daemons_lock.holder() is None

    def on_commit(self, callback: Callable[[], None], *, queue: Queue | None = None) -> None:
        """Have `callback` called after each transaction that this process committed by `write`.

        With `queue` only after those that made work in it: a worker that asks after every commit asks mostly in vain.
        """
        self._callbacks.append((callback, queue))

    @asynccontextmanager
    async def write(self, *, durable: bool = True, quiet: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends, rolled back when it raises.

        With `durable` a power cut takes nothing of it back once the block has ended; without, it may (a crash of the
        process never does). A `quiet` one makes no new work and calls nobody back. Not to be nested.

        Raises StoreError for what the database refuses.
        """
        transaction = self._write_sqlite(durable) if self.dialect == "sqlite" else self._write_postgresql(durable)
        made: set[Queue] = set()
        async with transaction as conn:
            conn.info[_QUEUES] = made
            yield conn
        if not quiet:
            for callback, queue in self._callbacks:
                if queue is None or queue in made:
                    callback()

    @asynccontextmanager
    async def _write_sqlite(self, durable: bool) -> AsyncIterator[AsyncConnection]:
        if self._writing_task is asyncio.current_task():
            raise RuntimeError("a write inside a write would wait for itself")
        async with self._one_writer:
            self._writing_task = asyncio.current_task()
            try:
                with translated():
                    conn = await self._sqlite_writer(durable)
                    async with conn.begin():
                        yield conn
            finally:
                self._writing_task = None

    async def _sqlite_writer(self, durable: bool) -> AsyncConnection:
        if self._writer is None:
            self._writer = await self._writing_engine.connect()
        if durable != self._writer_is_durable:
            await sqlite.set_durable(self._writer, durable)
            self._writer_is_durable = durable
        return self._writer

    @asynccontextmanager
    async def _write_postgresql(self, durable: bool) -> AsyncIterator[AsyncConnection]:
        async with self._connected(self._writing_engine) as conn:
            with translated():
                async with conn.begin():
                    if not durable:
                        await conn.execute(_SYNCHRONOUS_COMMIT_OFF)
                    yield conn

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one snapshot and may not write. Raises StoreError for what the database refuses."""
        async with self._connected(self._reading_engine) as conn:
            with translated():
                if self.dialect == "postgresql":
                    await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
                yield conn

    async def maintain(self, statement: str) -> None:
        """Run a statement that no transaction may hold: VACUUM, a checkpoint. Writes of ours wait while it runs.

        Raises StoreError for what the database refuses.
        """
        if self.dialect == "postgresql":
            async with self._connected(self._writing_engine) as conn:
                with translated():
                    await conn.execution_options(isolation_level="AUTOCOMMIT")
                    await conn.execute(text(statement))
            return
        async with self._one_writer:
            with translated():
                await sqlite.run_outside(await self._sqlite_writer(durable=True), statement)

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """On SQLite no other task of this process writes while the block lasts: they wait, however long it takes."""
        if self.dialect == "postgresql":
            yield
            return
        async with self._one_writer:
            yield

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        conn = engine.connect()
        try:
            await conn.start()
        except (DBAPIError, PoolTimeoutError, OSError, *postgresql.CONNECTING_ERRORS) as error:
            raise store_error(error) from error
        try:
            yield conn
        finally:
            await conn.close()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[bool]:
        """Whether this process alone may do what `name` says, while the block lasts: one daemon for each mailbox.

        PostgreSQL: an advisory lock of a connection of its own; a daemon that dies, or loses its connection, loses it.
        SQLite: always true, since there is one daemon.
        """
        if self.dialect == "sqlite":
            yield True
            return
        async with self._connected(self._writing_engine) as conn:
            with translated():
                await conn.execution_options(isolation_level="AUTOCOMMIT")
                held = bool((await conn.execute(_TRY_LOCK, {"name": name})).scalar_one())
                try:
                    yield held
                except BaseException:
                    # The pool would keep the connection, and the lock with it.
                    await conn.invalidate()
                    raise
                if held:
                    await conn.execute(_UNLOCK, {"name": name})


_SYNCHRONOUS_COMMIT_OFF = text("SET LOCAL synchronous_commit TO off")
_TRY_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended(:name, 0))")
