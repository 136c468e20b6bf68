"""Reads of SQLite that may take their time: in threads of their own, each with a connection that cannot write."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from passerelle.errors import StoreError

#: Two searches at once; more wait. The bridge's own reads and writes are none of these.
THREADS = 2
#: A read that takes longer is ended.
LONGEST_SECONDS = 20.0
_CACHE_KIBIBYTES = 32 * 1024
#: Of SQLite's virtual machine, between two looks at the clock.
_STEPS_BETWEEN_LOOKS = 100_000

T = TypeVar("T")


class ReadingThreads:
    """Runs functions on connections of their own, beside the event loop. To be closed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="store-reading")
        self._own = threading.local()
        self._opened: list[sqlite3.Connection] = []

    async def run(self, call: Callable[[sqlite3.Connection], T], *, longest_seconds: float = LONGEST_SECONDS) -> T:
        """What `call` gives of a connection that sees one snapshot. Raises StoreError for what SQLite refuses."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._run, call, longest_seconds)

    def _run(self, call: Callable[[sqlite3.Connection], T], longest_seconds: float) -> T:
        try:
            conn = self._connection()
            until = time.monotonic() + longest_seconds
            conn.set_progress_handler(lambda: time.monotonic() > until, _STEPS_BETWEEN_LOOKS)
            try:
                conn.execute("BEGIN")
                return call(conn)
            finally:
                conn.rollback()
        except sqlite3.Error as error:
            raise StoreError(f"SQLite refused: {error}.") from error

    def _connection(self) -> sqlite3.Connection:
        conn: sqlite3.Connection | None = getattr(self._own, "conn", None)
        if conn is None:
            # Closed by another thread than the one that used it.
            conn = sqlite3.connect(self._path, isolation_level=None, timeout=10.0, check_same_thread=False)
            conn.execute("PRAGMA query_only = ON")
            conn.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
            self._own.conn = conn
            self._opened.append(conn)
        return conn

    def close(self) -> None:
        """End what runs, and close every connection."""
        for conn in self._opened:
            conn.interrupt()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for conn in self._opened:
            with closing(conn):
                pass
        self._opened.clear()
