"""Take emails from the mail server by LMTP (RFC 2033): answered 250 only once they are stored.

aiosmtpd does the protocol, with these traps mended (aiosmtpd 1.4.6; each has a test):

- After DATA it gives one answer; LMTP wants one for each recipient, refusals included (RFC 2033 §4.2).
- A client that hangs up cancels the handler, amid its transaction. Here storing goes on; the retry is a double.
- After an error amid DATA it reads the rest of the content as commands. Here the connection ends.
- It logs commands, with their addresses, at INFO and contents at DEBUG.
- The null reverse-path comes as `<>`.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import AnyStr

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from passerelle.core.ids import MailAddress
from passerelle.core.ports import OnLmtp, RawEmail
from passerelle.core.settings import LmtpSettings

log = logging.getLogger(__name__)

#: Real emails have lines beyond the 998 octets of RFC 5321 §4.5.3.1.6; a line without end must not fill our memory.
LINE_LIMIT_BYTES = 1_000_000
#: How long `stop` waits for emails that are on their way in.
STOP_SECONDS = 30.0

Accepts = Callable[[MailAddress], bool]


class LmtpServer:
    """Listens where the settings say.

    `accepts` says whether a recipient is ours (its domain in lower case) and must not raise. `on_emails` gets one
    RawEmail for each distinct recipient of a transaction; when it raises, whatever it raises, the mail server is told
    to try again. `now` gives an aware datetime.
    """

    def __init__(
        self,
        settings: LmtpSettings,
        on_emails: OnLmtp,
        *,
        accepts: Accepts,
        email_limit_bytes: int,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._on_emails = on_emails
        self._accepts = accepts
        self._email_limit_bytes = email_limit_bytes
        self._now = now
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._storing: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens: the settings' port, or the one that the system chose for 0."""
        if self._server is None:
            raise RuntimeError("the LMTP server is not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Begin to listen. Raises OSError where the port is taken."""
        quiet_library()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, self._settings.host, self._settings.port)

    async def stop(self) -> None:
        """Listen no longer; let emails that are on their way in be stored and answered, then close."""
        if self._server is None:
            return
        self._server.close()
        for connection in tuple(self._connections):
            if not connection.in_data:
                connection.hang_up()
        closing = [asyncio.ensure_future(connection.gone.wait()) for connection in self._connections]
        if closing or self._storing:
            await asyncio.wait({*closing, *self._storing}, timeout=STOP_SECONDS)
        for waiter in closing:
            waiter.cancel()
        for connection in tuple(self._connections):
            connection.hang_up()
        await self._server.wait_closed()
        self._server = None

    def _connect(self) -> "_Connection":
        return _Connection(self, self._connections, self._email_limit_bytes)

    # ------------------------------------------------------------ aiosmtpd's hooks

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # RFC 2033 §5 demands it, and aiosmtpd does it without saying so.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        recipient = _normalise(address)
        if recipient is None or not self._accepts(recipient):
            return "550 5.1.1 no such recipient here"
        envelope.rcpt_tos.append(recipient)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        emails = tuple(self._build(content, envelope, r) for r in dict.fromkeys(map(MailAddress, envelope.rcpt_tos)))
        storing = asyncio.ensure_future(self._store(emails))
        self._storing.add(storing)
        storing.add_done_callback(self._storing.discard)
        try:
            await asyncio.shield(storing)
        except Exception as error:  # noqa: BLE001 - an edge: whatever is wrong here, the mail server keeps the email
            # Without its text, which may quote the email: a database's errors name the parameters.
            log.error("emails not stored: %s", type(error).__name__, extra={"emails": len(emails)})
            return "451 4.3.0 not stored, try again later"
        log.info("emails taken in by LMTP", extra={"emails": len(emails), "size_bytes": len(content)})
        return "250 2.0.0 stored"

    async def handle_exception(self, error: Exception) -> str:
        log.error("LMTP command failed: %s", type(error).__name__)
        return "451 4.3.0 try again later"

    async def _store(self, emails: tuple[RawEmail, ...]) -> None:
        await self._on_emails(emails)

    def _build(self, content: bytes, envelope: Envelope, recipient: MailAddress) -> RawEmail:
        # A mail server that lost our 250 sends the same bytes again, and must hit the same key.
        key = sha256(content + b"\0" + recipient.encode("utf-8", "surrogateescape")).hexdigest()
        sender = envelope.mail_from or ""
        return RawEmail(
            key=key,
            raw=content,
            size_bytes=len(content),
            received_at=self._now(),
            recipient=recipient,
            envelope_from="" if sender == "<>" else sender,
        )


class _Connection(LMTP):
    """One connection of the mail server."""

    line_length_limit = LINE_LIMIT_BYTES

    def __init__(self, server: LmtpServer, connections: "set[_Connection]", size_limit_bytes: int) -> None:
        super().__init__(
            server,
            data_size_limit=size_limit_bytes,
            enable_SMTPUTF8=True,
            hostname=socket.gethostname(),
            ident="Passerelle LMTP",
            loop=asyncio.get_running_loop(),
        )
        self._connections = connections
        self.in_data = False
        self.gone = asyncio.Event()
        #: How many answers the content gets; 0 while none is awaited.
        self._answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)
        self.gone.set()
        super().connection_lost(error)

    def hang_up(self) -> None:
        """Close once what was answered is sent."""
        if self.transport is not None:
            self.transport.close()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        self.in_data = True
        recipients = self._recipients()
        try:
            await super().smtp_DATA(arg)
        except Exception as error:  # noqa: BLE001 - an edge: see the module's docstring
            log.error("LMTP content failed: %s", type(error).__name__)
            self._answers = recipients
            await self.push("451 4.3.0 try again later")
            self.hang_up()
        finally:
            self.in_data = False
            self._answers = 0
            if not self._listening():
                self.hang_up()

    async def push(self, status: AnyStr) -> None:
        reply = _with_code(status if isinstance(status, str) else status.decode("utf-8", "surrogateescape"))
        if self._answers:
            reply = "\r\n".join([reply] * self._answers)
        elif self.in_data and reply.startswith("354"):
            self._answers = self._recipients()
        await super().push(reply)

    def _recipients(self) -> int:
        return len(self.envelope.rcpt_tos) if self.envelope else 0

    def _listening(self) -> bool:
        server = self.event_handler._server
        return server is not None and server.is_serving()


def quiet_library() -> None:
    """Keep aiosmtpd from logging below WARNING: it logs addresses at INFO and contents at DEBUG."""
    logger = logging.getLogger("mail.log")
    if logger.level < logging.WARNING:
        logger.setLevel(logging.WARNING)


def _with_code(status: str) -> str:
    """aiosmtpd's own refusals for size, with the enhanced code (RFC 3463) that mail servers act upon."""
    return status.replace("552 Error:", "552 5.3.4 Error:", 1) if status.startswith("552 Error:") else status


def _normalise(address: str) -> MailAddress | None:
    """A recipient with its domain in lower case; None where it is no address, or not UTF-8."""
    local, at, domain = address.rpartition("@")
    try:
        address.encode("utf-8")
    except UnicodeEncodeError:
        return None
    return MailAddress(f"{local}@{domain.lower()}") if local and at and domain else None
