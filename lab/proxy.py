"""A TCP proxy on loopback that can fail in every way a network does, put between the daemon and a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

from lab.ports import LOOPBACK, free_port

#: Seen from the client: what it sends, or what the server sends back.
Direction = Literal["up", "down"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trap:
    """Cut a connection when certain bytes go by."""

    direction: Direction
    #: What to wait for; it may be split over several reads.
    pattern: bytes
    #: Whether those bytes still reach the other side.
    deliver: bool
    #: ``cut`` resets the connection, ``silence`` lets nothing more through, either way.
    action: Literal["cut", "silence"] = "cut"


class _Pipe:
    """One client's connection and its twin to the server."""

    def __init__(self, proxy: TcpProxy, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.silent = False
        self._proxy = proxy
        self._writers = (client, server)

    def reset(self) -> None:
        """End both halves with RST, as a crashed machine or a middlebox would."""
        for writer in self._writers:
            with contextlib.suppress(OSError):
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction) -> None:
        """Carry bytes one way until an end is reached."""
        recent = b""
        # OSError: a socket that the other direction has closed already is "not connected" (ENOTCONN).
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._proxy.before_passing(direction, data)
                trap = self._proxy.trap
                if trap is not None and trap.direction == direction:
                    # A pattern may begin in what has been passed on already.
                    recent = (recent + data)[-(len(data) + len(trap.pattern) - 1) :]
                    if trap.pattern in recent:
                        await self._spring(trap, data, recent, writer)
                        continue
                if not self.silent:
                    writer.write(data)
                    await writer.drain()
            if not self.silent and writer.can_write_eof():
                writer.write_eof()

    async def _spring(self, trap: Trap, data: bytes, recent: bytes, writer: asyncio.StreamWriter) -> None:
        self._proxy.trap = None
        self._proxy.sprung.set()
        start = len(data) - (len(recent) - recent.index(trap.pattern))
        passing = max(0, start + (len(trap.pattern) if trap.deliver else 0))
        if not self.silent:
            writer.write(data[:passing])
            await writer.drain()
        if trap.action == "silence":
            self.silent = True
        else:
            # What was just written is let out before the reset throws the buffers away.
            await asyncio.sleep(0.05 if trap.deliver else 0)
            self.reset()


class TcpProxy:
    """``async with TcpProxy(server_port) as proxy``: clients connect to ``proxy.port``. Lives in the running loop."""

    def __init__(self, target_port: int, *, port: int | None = None) -> None:
        self.target_port = target_port
        self.port = port or free_port()
        #: Seconds that each read waits before it is passed on.
        self.delay_seconds = 0.0
        #: When set, springs once on whichever connection the bytes go by.
        self.trap: Trap | None = None
        #: Set when the trap has sprung.
        self.sprung = asyncio.Event()
        #: Called with every chunk before it is passed on (to watch, or to act at a moment).
        self.watch: Callable[[Direction, bytes], None] | None = None
        #: How many connections were made so far.
        self.connections = 0
        self._pipes: set[_Pipe] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.cut()

    async def accept(self) -> None:
        """Take connections (again)."""
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, LOOPBACK, self.port)

    async def refuse(self) -> None:
        """Refuse new connections; open ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Reset every open connection."""
        for pipe in list(self._pipes):
            pipe.reset()

    def silence(self, on: bool = True) -> None:
        """Let nothing through on open connections, without closing them; ``False``: what comes from now on passes."""
        for pipe in self._pipes:
            pipe.silent = on

    def set_trap(self, trap: Trap) -> asyncio.Event:
        """Set a trap; the event returned is set when it springs."""
        self.trap, self.sprung = trap, asyncio.Event()
        return self.sprung

    async def before_passing(self, direction: Direction, data: bytes) -> None:
        """Watch and delay one chunk."""
        if self.watch is not None:
            self.watch(direction, data)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self.target_port)
        except OSError:
            writer.transport.abort()
            return
        pipe = _Pipe(self, writer, server_writer)
        self._pipes.add(pipe)
        try:
            await asyncio.gather(pipe.pump(reader, server_writer, "up"), pipe.pump(server_reader, writer, "down"))
        finally:
            self._pipes.discard(pipe)
            writer.close()
            server_writer.close()
