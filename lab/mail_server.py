"""The program that :class:`lab.smtp.MailServer` starts: an SMTP or LMTP server that keeps, routes and delivers.

``python -m lab.mail_server PORT CONTROL_PORT FOLDER [--lmtp]``. Every accepted mail is a file in FOLDER/kept.
Recipients of a routed domain are handed on by LMTP before the answer, those with a mailbox are delivered by IMAP
APPEND before the answer, all others are only kept. What goes wrong on purpose: :mod:`lab.faults`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import smtplib
import sys
from collections import Counter
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, syntax

from lab.control import serve_control, until_stopped
from lab.faults import Fault, FaultList
from lab.imap import Mailbox
from lab.ports import LOOPBACK

HOSTNAME = "mail.lab.test"
SIZE_LIMIT_BYTES = 50 * 1024 * 1024


class Post:
    """Where mails go: the files of what was accepted, the routes, and the mailboxes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "kept"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.mailboxes: dict[str, Mailbox] = {}
        self.routes: dict[str, int] = {}
        self.passwords: dict[str, str] = {}
        #: The name by which it vouches for senders; "" where it does not.
        self.authserv_id = ""
        self._numbers = itertools.count(1 + len(list(self.folder.glob("*.json"))))

    async def accept(self, envelope_from: str, recipients: list[str], raw: bytes) -> str:
        """Hand a mail to all its recipients and keep it; return the reply for the client."""
        try:
            # First what may be refused: a client that hears "later" sends to all of them again.
            for recipient in sorted(recipients, key=lambda one: self._route(one) is None):
                await asyncio.to_thread(self._deliver, envelope_from, recipient, raw)
        except smtplib.SMTPResponseException as error:
            return reply_line(error.smtp_code, error.smtp_error)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            return reply_line(code, text)
        except Exception as error:  # noqa: BLE001 - whatever is wrong behind us, the client hears "later"
            return f"451 4.3.0 {type(error).__name__}: {error}".replace("\n", " ")[:500]
        self._keep(envelope_from, recipients, raw)
        return "250 2.0.0 accepted"

    def _route(self, recipient: str) -> int | None:
        return self.routes.get(recipient.lower().rpartition("@")[2])

    def _hand_on(self, port: int, envelope_from: str, recipient: str, raw: bytes) -> None:
        with smtplib.LMTP(LOOPBACK, port, local_hostname=HOSTNAME, timeout=60) as lmtp:
            lmtp.sendmail(envelope_from, [recipient], raw, mail_options=["BODY=8BITMIME"])

    def _deliver(self, envelope_from: str, recipient: str, raw: bytes) -> None:
        port = self._route(recipient)
        if port is not None:
            try:
                self._hand_on(port, envelope_from, recipient, raw)
            except (smtplib.SMTPServerDisconnected, ConnectionError):
                # As an MTA at once tries the next of several hosts (RFC 5321 §5.1): several may listen behind the port.
                self._hand_on(port, envelope_from, recipient, raw)
            return
        local, _, domain = recipient.lower().rpartition("@")
        mailbox = self.mailboxes.get(f"{local}@{domain}") or self.mailboxes.get(f"{local.partition('+')[0]}@{domain}")
        if mailbox is not None:
            now = format_datetime(datetime.now(UTC))
            # At the top, as RFC 8601 §4.1 has it. Whoever can reach this server is one of the lab: SPF always passes.
            judged = "spf=pass smtp.mailfrom=" + envelope_from if envelope_from else "none"
            results = f"Authentication-Results: {self.authserv_id}; {judged}\r\n" if self.authserv_id else ""
            trace = (
                f"{results}Return-Path: <{envelope_from}>\r\nDelivered-To: {recipient}\r\n"
                f"Received: from localhost by {HOSTNAME}; {now}\r\n"
            )
            mailbox.append(trace.encode() + raw)

    def _keep(self, envelope_from: str, recipients: list[str], raw: bytes) -> None:
        name = f"{next(self._numbers):06d}"
        (self.folder / f"{name}.eml").write_bytes(raw)
        description = {"from": envelope_from, "to": recipients, "at": datetime.now(UTC).isoformat()}
        # The description comes last, by rename: who sees it sees a whole mail.
        waiting = self.folder / f".{name}"
        waiting.write_text(json.dumps(description))
        waiting.rename(self.folder / f"{name}.json")


class Conduct:
    """aiosmtpd's hooks: each stage first asks whether something is to go wrong."""

    def __init__(self, post: Post, *, lmtp: bool) -> None:
        self.post = post
        self.faults = FaultList()
        self.counts: Counter[str] = Counter()
        self._lmtp = lmtp

    async def strike(self, server: SMTP, stage: str, subject: str = "") -> str | None:
        """Do what goes wrong at this stage; return a reply to give instead, or None to go on."""
        self.counts[stage] += 1
        fault = self.faults.take(stage, subject)
        return None if fault is None else await self.inflict(server, fault)

    async def inflict(self, server: SMTP, fault: Fault) -> str | None:
        """Do one fault; never returns when the connection is to be dropped or silent."""
        self.counts[f"fault:{fault.stage}"] += 1
        if fault.action == "reply":
            return fault.text
        if fault.action == "delay":
            await asyncio.sleep(fault.seconds)
            return None
        if fault.action == "drop" and isinstance(server.transport, asyncio.WriteTransport):
            server.transport.abort()
        # aiosmtpd cancels us when the connection is gone.
        await asyncio.Event().wait()
        return None

    async def handle_EHLO(
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Answer EHLO or LHLO."""
        session.host_name = hostname
        refusal = await self.strike(server, "ehlo", hostname)
        return responses if refusal is None else [refusal]

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer MAIL FROM."""
        if refusal := await self.strike(server, "mail", address or ""):
            return refusal
        envelope.mail_from = address or ""
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer RCPT TO."""
        if refusal := await self.strike(server, "rcpt", address):
            return refusal
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Answer the final dot."""
        self.counts["end"] += 1
        raw = envelope.original_content or b""
        fault = self.faults.take("end", addresses(envelope))
        if fault is not None:
            if fault.keep:
                await self.post.accept(envelope.mail_from or "", envelope.rcpt_tos, raw)
            if refusal := await self.inflict(server, fault):
                return refusal
            if fault.keep:
                return "250 2.0.0 accepted"
        reply = await self.post.accept(envelope.mail_from or "", envelope.rcpt_tos, raw)
        # LMTP answers once for each recipient (RFC 2033, section 4.2).
        return "\r\n".join([reply] * len(envelope.rcpt_tos)) if self._lmtp else reply

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _name: str, data: Any) -> AuthResult:
        """Check a password against those of the mailboxes."""
        self.counts["auth"] += 1
        if fault := self.faults.take("auth"):
            return AuthResult(success=False, handled=False, message=fault.text)
        known = (
            isinstance(data, LoginPassword) and self.post.passwords.get(data.login.decode()) == data.password.decode()
        )
        return AuthResult(success=known, handled=False, message=None if known else "535 5.7.8 wrong user or password")


def reply_line(code: int, text: bytes | str) -> str:
    """Return one reply that says what the server behind us said."""
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"[:500]


def addresses(envelope: Envelope) -> str:
    """Return sender and recipients as one text to search in."""
    return " ".join([envelope.mail_from or "", *envelope.rcpt_tos])


class FaultySMTP(SMTP):
    """SMTP that can also go wrong before and amid a mail's content."""

    # Real mails have longer lines than RFC 5321 allows.
    line_length_limit = 10_000_000

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Take the content, unless something goes wrong first."""
        conduct: Conduct = self.event_handler
        subject = addresses(self.envelope) if self.envelope else ""
        if refusal := await conduct.strike(self, "data", subject):
            await self.push(refusal)
            return
        if fault := conduct.faults.take("content", subject):
            await self.push("354 go on")
            await self._reader.read(200)
            await conduct.inflict(self, fault)
        await super().smtp_DATA(arg)


class FaultyLMTP(FaultySMTP, LMTP):
    """The same for LMTP."""


class BadGreeting(asyncio.Protocol):
    """A connection that goes wrong before the first word."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say the wrong thing, nothing, or hang up."""
        assert isinstance(transport, asyncio.Transport)
        if self._fault.action == "reply":
            transport.write(self._fault.text.encode() + b"\r\n")
            transport.close()
        elif self._fault.action == "drop":
            transport.abort()


class Program:
    """The server and its control operations."""

    def __init__(self, port: int, folder: Path, *, lmtp: bool) -> None:
        self._port = port
        self._post = Post(folder)
        self._conduct = Conduct(self._post, lmtp=lmtp)
        self._class = FaultyLMTP if lmtp else FaultySMTP
        self._server: asyncio.Server | None = None

    def _connected(self) -> asyncio.Protocol:
        self._conduct.counts["connect"] += 1
        if fault := self._conduct.faults.take("connect"):
            self._conduct.counts["fault:connect"] += 1
            return BadGreeting(fault)
        protocol: asyncio.Protocol = self._class(
            self._conduct,
            data_size_limit=SIZE_LIMIT_BYTES,
            enable_SMTPUTF8=True,
            hostname=HOSTNAME,
            authenticator=self._conduct.authenticate,
            auth_require_tls=False,
            loop=asyncio.get_running_loop(),
        )
        return protocol

    async def listen(self, on: bool = True) -> None:
        """Listen, or refuse connections."""
        if on and self._server is None:
            self._server = await asyncio.get_running_loop().create_server(self._connected, LOOPBACK, self._port)
        elif not on and self._server is not None:
            self._server.close()
            self._server = None

    async def set_faults(self, faults: list[dict[str, Any]]) -> None:
        """Put these faults in force instead of all others."""
        self._conduct.faults.replace([Fault.from_json(values) for values in faults])

    async def add_route(self, domain: str, port: int) -> None:
        """Hand mail of this domain on by LMTP."""
        self._post.routes[domain.lower()] = port

    async def add_mailbox(self, **mailbox: Any) -> None:
        """Deliver mail of this address by IMAP APPEND; its user may also log in here."""
        made = Mailbox(**mailbox)
        self._post.mailboxes[made.address.lower()] = made
        self._post.passwords[made.user] = made.password

    async def vouch(self, authserv_id: str) -> None:
        """Write into what is delivered by whom it was sent, under this name."""
        self._post.authserv_id = authserv_id

    async def counts(self) -> dict[str, int]:
        """Say how often each stage was reached, and each fault done."""
        return dict(self._conduct.counts)

    async def serve(self, control_port: int) -> None:
        """Serve until told to stop."""
        await self.listen()
        operations = (self.listen, self.set_faults, self.add_route, self.add_mailbox, self.vouch, self.counts)
        control = await serve_control(control_port, {operation.__name__: operation for operation in operations})
        await until_stopped()
        control.close()
        await self.listen(False)


if __name__ == "__main__":
    program = Program(int(sys.argv[1]), Path(sys.argv[3]), lmtp="--lmtp" in sys.argv)
    asyncio.run(program.serve(int(sys.argv[2])))
