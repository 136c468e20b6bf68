"""The bare way of a mail: IDLE's notice, FETCH, two durable commits, one PUT, and nothing else.

``python -m benchmarks.bare_relay FILE``, where FILE is the JSON of :class:`BarePlan`; a process of its own, as the
daemon is. It says ``ready`` on its output once it idles.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import sqlite3
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp

MARKER = re.compile(rb"repere\d{7}")
_LITERAL = re.compile(rb"\{(\d+)\}\r\n$")


@dataclass(frozen=True, kw_only=True, slots=True)
class BarePlan:
    """Where to read, where to store, where to send, and what an event of the bridge looks like."""

    imap_host: str
    imap_port: int
    imap_user: str
    imap_password: str
    homeserver: str
    access_token: str
    room_id: str
    #: A content that the bridge made; its marker is replaced.
    content: Mapping[str, Any]
    database: str

    def save(self, path: Path) -> None:
        """Write it for the process."""
        path.write_text(json.dumps(asdict(self)))


class BareImap:
    """Just enough of IMAP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def command(self, words: str) -> None:
        """Run a command whose answer does not matter."""
        self._writer.write(f"a {words}\r\n".encode())
        await self._until(b"a OK")

    async def idle(self) -> int:
        """Wait for the next EXISTS; return the number that it tells."""
        self._writer.write(b"i IDLE\r\n")
        line = b""
        while not line.rstrip().endswith(b" EXISTS"):
            line = await self._reader.readline()
            if line.startswith(b"+"):
                print("ready", flush=True)
        self._writer.write(b"DONE\r\n")
        await self._until(b"i OK")
        return int(line.split()[1])

    async def fetch(self, number: int) -> bytes:
        """Return a whole mail by its sequence number."""
        self._writer.write(b"f FETCH %d (BODY.PEEK[])\r\n" % number)
        while not (literal := _LITERAL.search(await self._reader.readline())):
            pass
        raw = await self._reader.readexactly(int(literal[1]))
        await self._until(b"f OK")
        return raw

    async def _until(self, start: bytes) -> None:
        while not (line := await self._reader.readline()).startswith(start):
            if not line:
                raise ConnectionError("the IMAP server has gone")


def _commit(database: sqlite3.Connection, values: bytes) -> None:
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO kept(raw) VALUES (?)", (values,))
    database.execute("COMMIT")


def _open(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE IF NOT EXISTS kept(id INTEGER PRIMARY KEY, raw BLOB NOT NULL)")
    return database


async def relay(plan: BarePlan) -> None:
    """Relay until killed."""
    reader, writer = await asyncio.open_connection(plan.imap_host, plan.imap_port)
    await reader.readline()
    imap = BareImap(reader, writer)
    await imap.command(f'LOGIN "{plan.imap_user}" "{plan.imap_password}"')
    await imap.command("SELECT INBOX")
    where = f"{plan.homeserver}/_matrix/client/v3/rooms/{quote(plan.room_id, safe='')}/send/m.room.message/"
    template = json.dumps(plan.content).encode()
    headers = {"Authorization": f"Bearer {plan.access_token}", "Content-Type": "application/json"}
    with closing(_open(plan.database)) as database:
        async with aiohttp.ClientSession(headers=headers) as session:
            for number in itertools.count():
                raw = await imap.fetch(await imap.idle())
                marker = MARKER.search(raw)
                assert marker is not None
                content = MARKER.sub(marker[0], template)
                _commit(database, raw)
                async with session.put(f"{where}{number}", data=content) as response:
                    response.raise_for_status()
                    answer = await response.read()
                _commit(database, answer)


if __name__ == "__main__":
    asyncio.run(relay(BarePlan(**json.loads(Path(sys.argv[1]).read_text()))))
