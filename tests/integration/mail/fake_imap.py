"""An IMAP server that misbehaves on command, which real ones do not. What a test did not ask for it refuses."""

from __future__ import annotations

import asyncio
import imaplib
import re
from datetime import UTC, datetime
from typing import Self

from lab.ports import LOOPBACK
from passerelle.core.settings import ImapSettings

#: INTERNALDATE of every mail: just now, since what is older than two days is not read again.
DATE = imaplib.Time2Internaldate(datetime.now(UTC))


class Closed(Exception):
    """The server hangs up."""


class Client:
    """One connection of ours, seen from the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.tag = ""

    async def send(self, text: str | bytes) -> None:
        self.writer.write((text.encode() if isinstance(text, str) else text) + b"\r\n")
        await self.writer.drain()

    async def done(self, text: str = "done") -> None:
        await self.send(f"{self.tag} OK {text}")

    async def line(self) -> str:
        line = await self.reader.readline()
        if not line:
            raise Closed
        return line.decode().rstrip("\r\n")


class FakeImap:
    """Behaves; subclasses override one command. `mails` are what SEARCH and FETCH know, `commands` what was said."""

    capabilities = "IMAP4rev1 IDLE UIDPLUS"
    greeting = "* OK hello"

    def __init__(self) -> None:
        self.mails: dict[int, bytes] = {}
        self.uidvalidity = 7
        self.commands: list[str] = []
        self.connections = 0
        self.came = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, LOOPBACK, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def settings(self, **changes: object) -> ImapSettings:
        values = {"host": LOOPBACK, "port": self.port, "tls": "none", "username": "u", "timeout_seconds": 20}
        return ImapSettings.model_validate(values | changes)

    def add(self, *raws: bytes) -> None:
        for raw in raws:
            self.mails[max(self.mails, default=0) + 1] = raw
        self.came.set()

    def asked(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, command)) for command in self.commands)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        client = Client(reader, writer)
        try:
            await client.send(self.greeting)
            while True:
                await self._answer(client)
        except (Closed, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            client.writer.close()

    async def _answer(self, client: Client) -> None:
        client.tag, _, command = (await client.line()).partition(" ")
        self.commands.append(command)
        words = command.replace("UID ", "UID_", 1).split(" ", 1)
        method = getattr(self, f"do_{words[0].lower()}", None)
        if method is None:
            await client.send(f"{client.tag} BAD what is {words[0]}?")
            return
        await method(client, words[1] if len(words) > 1 else "")

    async def do_capability(self, client: Client, words: str) -> None:
        await client.send(f"* CAPABILITY {self.capabilities}")
        await client.done()

    async def do_login(self, client: Client, words: str) -> None:
        await client.done()

    async def do_select(self, client: Client, words: str) -> None:
        await client.send(f"* {len(self.mails)} EXISTS")
        await client.send(f"* OK [UIDVALIDITY {self.uidvalidity}] UIDs valid")
        await client.send(f"* OK [UIDNEXT {max(self.mails, default=0) + 1}] next")
        await client.done("[READ-WRITE] selected")

    async def do_noop(self, client: Client, words: str) -> None:
        await client.done()

    async def do_uid_search(self, client: Client, words: str) -> None:
        if "CHARSET" in words:
            await client.send(f"{client.tag} NO [BADCHARSET] no")
            return
        found = self._matching(words.removeprefix("UID ")) if words.startswith("UID ") else sorted(self.mails)
        await client.send(" ".join(["* SEARCH", *map(str, found)]))
        await client.done("SEARCH done (0.001 secs, 4 looked at)")

    def _matching(self, uid_set: str) -> list[int]:
        if uid_set.endswith(":*"):
            last = max(self.mails, default=0)
            return sorted({u for u in self.mails if u >= int(uid_set[:-2])} | ({last} if last else set()))
        named: set[int] = set()
        for part in uid_set.split(","):
            first, _, until = part.partition(":")
            named |= set(range(int(first), int(until or first) + 1))
        return sorted(named & set(self.mails))

    async def do_uid_fetch(self, client: Client, words: str) -> None:
        uid_set, _, items = words.partition(" ")
        for uid in self._matching(uid_set):
            await self.fetch_one(client, uid, items)
        await client.done("FETCH done")

    async def fetch_one(self, client: Client, uid: int, items: str) -> None:
        raw = self.mails[uid]
        head = raw[: raw.index(b"\r\n\r\n") + 4]
        if "HEADER" in items:
            facts = f"UID {uid} RFC822.SIZE {len(raw)} INTERNALDATE {DATE} BODY[HEADER]<0> {{{len(head)}}}"
            await client.send(f"* {uid} FETCH ({facts}\r\n".encode() + head + b")")
        else:
            await client.send(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")")

    async def do_idle(self, client: Client, words: str) -> None:
        await client.send("+ idling")
        done = asyncio.ensure_future(client.line())
        while not done.done():
            came = asyncio.ensure_future(self.came.wait())
            await asyncio.wait({done, came}, return_when=asyncio.FIRST_COMPLETED)
            came.cancel()
            if self.came.is_set():
                self.came.clear()
                await client.send(f"* {len(self.mails)} EXISTS")
        assert done.result() == "DONE"
        await client.done()
