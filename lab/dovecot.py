"""Debian's Dovecot on loopback: the IMAP server by which IMAP behaviour is judged. As root only."""

from __future__ import annotations

import imaplib
import shutil
from pathlib import Path

from lab.imap import Mailbox
from lab.ports import LOOPBACK, free_port, is_listening
from lab.process import Server, ServerProcess, wait_until
from lab.system import is_root, missing_programs, reachable_folder, require

# A user that every Debian has, so that none must be made.
_MAIL_USER = "mail"
_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
instance_name = passerelle-lab-{imap_port}
listen = 127.0.0.1
protocols = imap lmtp
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%d/%n/Maildir
mail_uid = {user}
mail_gid = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 1000
recipient_delimiter = +
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={user} home={folder}/mail/%d/%n
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
  # Failed logins cost nothing: a test's next try must not wait.
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp_port}
  }}
}}
"""


def unavailable() -> str:
    """Return why Dovecot cannot be started here, empty when it can."""
    if not is_root():
        return "Dovecot is started as root only"
    if reason := missing_programs("dovecot"):
        return f"{reason} (Debian: apt-get install dovecot-imapd dovecot-lmtpd)"
    absent = [name for name in ("imap", "lmtp") if not Path("/usr/lib/dovecot", name).exists()]
    return f"Dovecot lacks {', '.join(absent)} (Debian: dovecot-imapd dovecot-lmtpd)" if absent else ""


class Dovecot(Server):
    """One Dovecot with a configuration and a folder of its own; its mails outlive :meth:`kill`, not :meth:`stop`."""

    def __init__(self, log: Path) -> None:
        self.host = LOOPBACK
        self.port, self.lmtp_port = free_port(), free_port()
        self._log = log
        self._folder: Path | None = None
        self.process: ServerProcess | None = None

    def start(self) -> None:
        """Start, and wait for both greetings."""
        require(unavailable())
        if self._folder is None:
            self._folder = reachable_folder("dovecot")
            (self._folder / "mail").mkdir()
            shutil.chown(self._folder / "mail", _MAIL_USER, _MAIL_USER)
            (self._folder / "users").touch(0o644)
        configuration = self._folder / "dovecot.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self._folder, imap_port=self.port, lmtp_port=self.lmtp_port, user=_MAIL_USER)
        )
        self.process = ServerProcess(["dovecot", "-F", "-c", configuration], log=self._log)
        self.process.start()
        self.process.wait_ready(self._greets)

    def stop(self) -> None:
        """Stop and remove everything."""
        if self.process is not None:
            self.process.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self) -> None:
        """Kill it as a crash would; :meth:`start` brings it back with its mails."""
        if self.process is not None:
            self.process.kill()

    def add_mailbox(self, address: str, password: str = "lab-password") -> Mailbox:
        """Make a user named like the address, whose INBOX is that address's mailbox."""
        assert self._folder is not None
        with (self._folder / "users").open("a") as users:
            users.write(f"{address}:{{PLAIN}}{password}\n")
        mailbox = Mailbox(address=address, host=self.host, port=self.port, user=address, password=password)
        # Dovecot looks whether the file has changed at most once a second.
        wait_until(lambda: self._knows(mailbox), what=f"Dovecot knows {address}", pause_seconds=0.1)
        return mailbox

    def log_text(self) -> str:
        """Return Dovecot's own log."""
        assert self._folder is not None
        path = self._folder / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _knows(self, mailbox: Mailbox) -> bool:
        with imaplib.IMAP4(self.host, self.port, timeout=10) as imap:
            try:
                imap.login(mailbox.user, mailbox.password)
            except imaplib.IMAP4.error:
                return False
            return True

    def _greets(self) -> bool:
        with imaplib.IMAP4(self.host, self.port, timeout=5):
            return is_listening(self.lmtp_port)
