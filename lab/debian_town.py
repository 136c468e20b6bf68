"""The same town with Debian's Postfix and Dovecot in the place of the servers from PyPI. As root only."""

from __future__ import annotations

from pathlib import Path

from lab import dovecot, postfix
from lab.association import MEMBERS_DOMAIN
from lab.dovecot import Dovecot
from lab.imap import Mailbox
from lab.mailman import Mailman
from lab.ports import free_port
from lab.postfix import Postfix
from lab.process import Server
from lab.synapse import Synapse


def unavailable() -> str:
    """Return why it cannot be started here, empty when it can."""
    return dovecot.unavailable() or postfix.unavailable()


class DebianTown(Server):
    """Postfix, Dovecot and a Mailman of their own, wired to each other; the homeserver is somebody else's, and runs."""

    def __init__(self, state: Path, synapse: Synapse) -> None:
        self.synapse = synapse
        self.imap = Dovecot(state / "dovecot.out")
        smtp_port = free_port()
        self.mailman = Mailman(state / "mailman", smtp_port=smtp_port)
        self.mail = Postfix(
            state / "postfix.out",
            mailbox_domain=MEMBERS_DOMAIN,
            mailbox_lmtp_port=self.imap.lmtp_port,
            routes={self.mailman.domain: self.mailman.lmtp_port},
            port=smtp_port,
        )

    def start(self) -> None:
        """Start them one after the other."""
        for server in (self.imap, self.mail, self.mailman):
            server.start()

    def stop(self) -> None:
        """Stop them in the other order."""
        for server in (self.mailman, self.mail, self.imap):
            server.stop()

    def add_mailbox(self, localpart: str) -> Mailbox:
        """Make an address of the members' domain, with a mailbox; Postfix asks Dovecot whom it knows."""
        return self.imap.add_mailbox(f"{localpart}@{MEMBERS_DOMAIN}")
