"""aioimaplib's protocol with its traps mended where only a subclass can (aioimaplib 2.0.3; each has a test).

- Its parser recurses once a line: about 1,000 lines in one read end in RecursionError. Here it is a loop.
- `connection_lost` wakes nobody. Here it resolves `lost`, against which every command is raced.
- `EXISTS` that comes inside another command's answer is thrown away. Here it is counted, so that no email waits for
  the next poll.
- What is no IMAP raises out of `data_received`, and a refused greeting inside a task that nobody awaits. Here both end
  the connection with a reason.
- `data_received` formats every byte for a debug log. Here it does not; see also `quiet_library`.
"""

import asyncio
import logging
import re
from collections.abc import Callable

import aioimaplib.aioimaplib as library

from passerelle.mail.server_reply import quote_reply

_EXISTS = re.compile(rb"\* (\d+) EXISTS$", re.IGNORECASE)
_EXPUNGE = re.compile(rb"\* \d+ EXPUNGE$", re.IGNORECASE)

LineHandler = Callable[[bytes, library.Command | None], library.Command | None]


def quiet_library() -> None:
    """Keep aioimaplib from logging below WARNING: at DEBUG it logs whole emails, at INFO lines of answers."""
    log = logging.getLogger("aioimaplib")
    if log.level < logging.WARNING:
        log.setLevel(logging.WARNING)


class ImapProtocol(library.IMAP4ClientProtocol):  # type: ignore[misc]
    """One connection, as aioimaplib drives it. `exists` follows the server's count of the selected folder."""

    incomplete_line: bytes
    current_command: library.Command | None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.lost: asyncio.Future[None] = loop.create_future()
        #: Why the connection ended, where we know.
        self.lost_reason = ""
        #: Loop time of the last byte.
        self.heard_at = loop.time()
        self.exists = 0
        #: By how many emails the folder grew since `take_growth`.
        self.growth = 0
        self.grown = asyncio.Event()
        self._closed: asyncio.Future[None] = loop.create_future()

    def take_growth(self) -> int:
        """How many emails were announced since the last call."""
        growth, self.growth = self.growth, 0
        self.grown.clear()
        return growth

    def end(self, reason: str) -> None:
        """Cut the connection at once."""
        self.lost_reason = self.lost_reason or reason
        if self.transport is not None:
            self.transport.abort()
        self._resolve_lost()

    async def wait_closed(self) -> None:
        """After `end`: until the transport has let go of its socket."""
        if self.transport is not None:
            # After a failed TLS handshake asyncio does not tell the protocol.
            await asyncio.wait({self._closed}, timeout=1)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self._closed.done():
            self._closed.set_result(None)
        self._resolve_lost()

    def _resolve_lost(self) -> None:
        if not self.lost.done():
            self.lost.set_result(None)

    async def welcome(self, command: bytes) -> None:
        try:
            await super().welcome(command)
        except (library.AioImapException, ValueError, LookupError):
            self.end(f"the server's greeting is not a welcome: {quote_reply(command)}")

    def data_received(self, d: bytes) -> None:
        self.heard_at = self.loop.time()
        try:
            self._handle_responses(self.incomplete_line + d, self._handle_line, self.current_command)
            self.incomplete_line = b""
            self.current_command = None
        except library.IncompleteRead as rest:
            self.incomplete_line = rest.data
            self.current_command = rest.cmd
        except (library.AioImapException, ValueError, LookupError, AttributeError) as error:
            # The text of the error may quote the email.
            self.end(f"the server sent what is no IMAP ({type(error).__name__})")

    def _handle_responses(
        self, data: bytes, line_handler: LineHandler, current_cmd: library.Command | None = None
    ) -> None:
        while data:
            if current_cmd is not None and current_cmd.wait_literal_data():
                data = current_cmd.append_literal_data(data)
                if current_cmd.wait_literal_data():
                    raise library.IncompleteRead(current_cmd)
            line, separator, tail = data.partition(library.CRLF)
            if not separator:
                raise library.IncompleteRead(current_cmd, data)
            command = line_handler(line, current_cmd)
            literal = library.literal_data_re.match(line) if line.endswith(b"}") else None
            if literal:
                command = command or library.Command("NIL", "unused")
                command.begin_literal_data(int(literal.group("size")))
                current_cmd = command
            else:
                current_cmd = command if command is not None and command.wait_data() else None
            data = tail
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()
        if current_cmd is not None and current_cmd.wait_data():
            raise library.IncompleteRead(current_cmd)

    def _handle_line(self, line: bytes, current_cmd: library.Command | None) -> library.Command | None:
        if exists := _EXISTS.match(line):
            count = int(exists[1])
            self.growth += max(0, count - self.exists)
            self.exists = count
            if self.growth:
                self.grown.set()
        elif _EXPUNGE.match(line):
            self.exists = max(0, self.exists - 1)
        return super()._handle_line(line, current_cmd)
