"""A real IMAP server from PyPI (pymap), and a plain way to read and fill its mailboxes.

In memory is the default: it announces a new mail after 0.5 ms, keeps every byte and the keywords, and knows UIDPLUS.
With Maildirs it polls (1.9 s), folds CRLF and drops keywords, but its mails outlive a restart. What an IMAP server
should do is judged on Dovecot (:mod:`lab.dovecot`).
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path

from lab.control import Control
from lab.ports import LOOPBACK, free_port
from lab.process import REPOSITORY, LabError, Server, ServerProcess, wait_until

imaplib._MAXLINE = 100_000_000  # type: ignore[attr-defined]  # a mail with long lines is no attack here


@dataclass(frozen=True, kw_only=True, slots=True)
class Mailbox:
    """One user's INBOX on any IMAP server without TLS, read and filled over IMAP itself. Every call blocks."""

    address: str
    host: str
    port: int
    user: str
    password: str

    def append(self, raw: bytes, *, flags: str = "") -> None:
        """Put one mail into the INBOX (APPEND), as if delivered now."""
        self.append_all([raw], flags=flags)

    def append_all(self, mails: Sequence[bytes], *, flags: str = "") -> None:
        """Put several mails into the INBOX over one connection, in that order, byte for byte (lines end in CRLF)."""
        words = [f"({flags})"] if flags else []
        with self._connection() as imap:
            for raw in mails:
                # imaplib's own append() would rewrite lone CR and LF.
                imap.literal = raw  # type: ignore[assignment]
                date = imaplib.Time2Internaldate(datetime.now(UTC))
                _expect(imap._simple_command("APPEND", "INBOX", *words, date))

    def fetch_raw(self) -> list[bytes]:
        """Return all mails of the INBOX, oldest first, untouched (BODY.PEEK)."""
        with self._connection() as imap:
            _, (count, *_) = imap.select("INBOX", readonly=True)
            if not int(count or b"0"):
                return []
            answer = _expect(imap.uid("FETCH", "1:*", "(UID BODY.PEEK[])"))
        return [part[1] for part in answer if isinstance(part, tuple)]

    def fetch(self) -> list[Message]:
        """Return all mails of the INBOX, parsed."""
        return [message_from_bytes(raw) for raw in self.fetch_raw()]

    def flags(self) -> list[str]:
        """Return the flags of each mail, oldest first, as the server words them."""
        with self._connection() as imap:
            _, (count, *_) = imap.select("INBOX", readonly=True)
            if not int(count or b"0"):
                return []
            answer = _expect(imap.uid("FETCH", "1:*", "(FLAGS)"))
        found = (re.search(rb"FLAGS \(([^)]*)\)", part) for part in answer if isinstance(part, bytes))
        return [match[1].decode() for match in found if match]

    def wait_for(self, wanted: Callable[[Message], bool], *, deadline_seconds: float = 60) -> Message:
        """Wait until a mail that is ``wanted`` is there, and return the first of them."""

        def look() -> Message | None:
            return next((mail for mail in self.fetch() if wanted(mail)), None)

        return wait_until(look, what=f"a mail for {self.address}", deadline_seconds=deadline_seconds, pause_seconds=0.1)

    def clear(self) -> None:
        """Delete every mail."""
        with self._connection() as imap:
            imap.select("INBOX")
            imap.uid("STORE", "1:*", "+FLAGS", r"(\Deleted)")
            imap.expunge()

    @contextlib.contextmanager
    def _connection(self) -> Iterator[imaplib.IMAP4]:
        imap = imaplib.IMAP4(self.host, self.port, timeout=60)
        try:
            # Without it each literal waits 40 ms for the other side's delayed acknowledgement.
            imap.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            imap.login(self.user, self.password)
            yield imap
        finally:
            with contextlib.suppress(imaplib.IMAP4.error, OSError):
                imap.logout()


def _expect(answer: tuple[str, list[object]]) -> list[object]:
    status, data = answer
    if status != "OK":
        raise LabError(f"IMAP: {status} {data!r}")
    return data


def subject_of(mail: Message) -> str:
    """Return the subject, decoded (RFC 2047)."""
    return str(make_header(decode_header(mail["Subject"] or "")))


def text_of(mail: Message) -> str:
    """Return the first text/plain part, decoded, with LF line ends; empty when there is none."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            text = payload.decode(part.get_content_charset("utf-8"), "replace") if isinstance(payload, bytes) else ""
            return text.replace("\r\n", "\n")
    return ""


class ImapServer(Server):
    """One pymap; mails in memory are lost when it is stopped or killed."""

    def __init__(self, state: Path, *, maildir: bool = False, port: int | None = None) -> None:
        self.state = state
        self.host = LOOPBACK
        self.port = port or free_port()
        self.maildir = state / "maildirs" if maildir else None
        self._users: dict[str, str] = {}
        self._control = Control(free_port())
        words = [str(self.port), str(self._control.port)] + ([str(self.maildir)] if self.maildir else [])
        self.process = ServerProcess(
            [sys.executable, "-m", "lab.imap_server", *words], log=state / "imap.log", folder=REPOSITORY
        )

    def start(self) -> None:
        """Start and wait for the server's greeting; users made before are made again."""
        self.process.start()
        self.process.wait_ready(self._greets)
        for name, password in self._users.items():
            self._control.call("add_user", name=name, password=password)

    def stop(self) -> None:
        """Stop."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it as a crash would."""
        self.process.kill()

    def add_mailbox(self, address: str, password: str = "lab-password") -> Mailbox:
        """Make a user named like the address, whose INBOX is that address's mailbox."""
        self._control.call("add_user", name=address, password=password)
        self._users[address] = password
        return Mailbox(address=address, host=self.host, port=self.port, user=address, password=password)

    def renumber(self, mailbox: Mailbox, *, keep: bool = True) -> int:
        """Change the UIDVALIDITY of a mailbox in memory, with or without its mails; return the new one."""
        return int(self._control.call("renumber", name=mailbox.user, keep=keep))

    def _greets(self) -> bool:
        with imaplib.IMAP4(self.host, self.port, timeout=5):
            return self._control.ping()
