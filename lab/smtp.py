"""A real SMTP (or LMTP) server from PyPI (aiosmtpd): the association's mail server, whose faults one can order."""

from __future__ import annotations

import json
import smtplib
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from lab.control import Control
from lab.faults import Fault
from lab.imap import Mailbox
from lab.ports import LOOPBACK, free_port
from lab.process import REPOSITORY, Server, ServerProcess


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A mail that the server accepted."""

    envelope_from: str
    recipients: tuple[str, ...]
    raw: bytes
    #: When it was accepted, UTC.
    at: datetime

    @property
    def mail(self) -> Message:
        """The mail, parsed."""
        return message_from_bytes(self.raw)


class MailServer(Server):
    """One mail server; what it accepted, and nothing else, outlives a restart on the same folder."""

    def __init__(self, state: Path, *, lmtp: bool = False, port: int | None = None) -> None:
        self.state = state
        self.host = LOOPBACK
        self.port = port or free_port()
        self._control = Control(free_port())
        self._operations: list[tuple[str, dict[str, Any]]] = []
        self._client = smtplib.LMTP if lmtp else smtplib.SMTP
        words = [str(self.port), str(self._control.port), str(state), *(["--lmtp"] if lmtp else [])]
        self.process = ServerProcess(
            [sys.executable, "-m", "lab.mail_server", *words], log=state / "mail.log", folder=REPOSITORY
        )

    def start(self) -> None:
        """Start and wait for the greeting; mailboxes and routes made before are made again."""
        self.process.start()
        self.process.wait_ready(self._greets)
        for operation, arguments in self._operations:
            self._control.call(operation, **arguments)

    def stop(self) -> None:
        """Stop."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it as a crash would."""
        self.process.kill()

    def add_mailbox(self, mailbox: Mailbox) -> None:
        """Deliver mail of the mailbox's address (and its subaddresses) there; its user may log in here too."""
        self._remember("add_mailbox", **asdict(mailbox))

    def add_route(self, domain: str, lmtp_port: int) -> None:
        """Hand mail of this domain on by LMTP, before the client has its answer."""
        self._remember("add_route", domain=domain, port=lmtp_port)

    def vouch(self, authserv_id: str) -> None:
        """Say in each mail that is delivered by whom it was sent: Authentication-Results (RFC 8601), by SPF."""
        self._remember("vouch", authserv_id=authserv_id)

    def set_faults(self, *faults: Fault) -> None:
        """Put these faults in force instead of all others; none: behave."""
        self._control.call("set_faults", faults=[fault.to_json() for fault in faults])

    def refuse_connections(self) -> None:
        """Stop listening, until :meth:`accept_connections`; open connections go on."""
        self._control.call("listen", on=False)

    def accept_connections(self) -> None:
        """Listen again."""
        self._control.call("listen", on=True)

    def counts(self) -> dict[str, int]:
        """Return how often each stage of :data:`lab.faults.Stage` was reached, and ``fault:STAGE`` done."""
        return dict(self._control.call("counts"))

    def received(self, recipient: str | None = None) -> list[Received]:
        """Return the mails accepted so far, in order; only those for ``recipient`` if given."""
        found = []
        for description in sorted((self.state / "kept").glob("*.json")):
            values = json.loads(description.read_text())
            if recipient is None or recipient in values["to"]:
                found.append(
                    Received(
                        envelope_from=values["from"],
                        recipients=tuple(values["to"]),
                        raw=description.with_suffix(".eml").read_bytes(),
                        at=datetime.fromisoformat(values["at"]),
                    )
                )
        return found

    def send(self, envelope_from: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand a mail in over the protocol itself, as a member's program does; lines end in CRLF. Blocks.

        :raises smtplib.SMTPException: when it is refused.
        """
        # The own name is given, because smtplib would ask the DNS for it.
        with self._client(self.host, self.port, local_hostname="client.lab.test", timeout=60) as client:
            refused = client.sendmail(envelope_from, list(recipients), raw, mail_options=["BODY=8BITMIME"])
            if isinstance(client, smtplib.LMTP):
                # LMTP answers once for each recipient (RFC 2033, section 4.2); smtplib reads the first only.
                for _ in range(len(recipients) - len(refused) - 1):
                    client.getreply()

    def _remember(self, operation: str, **arguments: Any) -> None:
        self._control.call(operation, **arguments)
        self._operations.append((operation, arguments))

    def _greets(self) -> bool:
        with self._client(self.host, self.port, local_hostname="ready.lab.test", timeout=5):
            return self._control.ping()
