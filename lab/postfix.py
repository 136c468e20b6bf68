"""Debian's Postfix on loopback, without DNS: it queues, retries and writes real bounces. As root only."""

from __future__ import annotations

import shutil
import smtplib
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.ports import LOOPBACK, free_port
from lab.process import Server, ServerProcess
from lab.system import is_root, missing_programs, reachable_folder, require

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.lab.test
mydomain = lab.test
myorigin = lab.test
mydestination =
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
alias_database =
virtual_mailbox_domains = {domain}
virtual_mailbox_maps = static:any
virtual_transport = lmtp:[127.0.0.1]:{lmtp_port}
transport_maps = texthash:{folder}/conf/transport
relay_domains = {relay_domains}
relay_recipient_maps =
default_transport = error:outside mail is not delivered in the lab
smtp_host_lookup = native
lmtp_host_lookup = native
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
message_size_limit = {size_limit_bytes}
mailbox_size_limit = 0
recipient_delimiter = +
minimal_backoff_time = 5s
maximal_backoff_time = 20s
queue_run_delay = 5s
maillog_file = {folder}/log/postfix.log
maillog_file_prefixes = {folder}/log
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


def unavailable() -> str:
    """Return why Postfix cannot be started here, empty when it can."""
    if not is_root():
        return "Postfix is started as root only"
    reason = missing_programs("postfix")
    return f"{reason} (Debian: apt-get install postfix)" if reason else ""


class Postfix(Server):
    """One Postfix with a configuration and a queue of its own.

    Mail of ``mailbox_domain`` goes to an LMTP server (Dovecot's), mail of the domains of ``routes`` to theirs
    (Mailman's); whom they do not know gets a real bounce.
    """

    def __init__(
        self,
        log: Path,
        *,
        mailbox_domain: str,
        mailbox_lmtp_port: int,
        routes: Mapping[str, int] | None = None,
        port: int | None = None,
        size_limit_bytes: int = 50 * 1024 * 1024,
    ) -> None:
        self.host = LOOPBACK
        self.port = port or free_port()
        self._log = log
        self._routes = dict(routes or {})
        self._values: dict[str, object] = {
            "domain": mailbox_domain,
            "lmtp_port": mailbox_lmtp_port,
            "relay_domains": " ".join(self._routes),
            "port": self.port,
            "size_limit_bytes": size_limit_bytes,
        }
        self._folder: Path | None = None
        self.process: ServerProcess | None = None

    def start(self) -> None:
        """Start, and wait for the greeting."""
        require(unavailable())
        if self._folder is None:
            self._folder = self._write_configuration()
        self.process = ServerProcess(["postfix", "-c", self._folder / "conf", "start-fg"], log=self._log)
        self.process.start()
        self.process.wait_ready(self._greets)

    def stop(self) -> None:
        """Stop and remove everything."""
        if self.process is not None and self.process.running and self._folder is not None:
            # Its master does not end on a mere SIGTERM to the process that started it.
            command = ["postfix", "-c", str(self._folder / "conf"), "abort"]
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        if self.process is not None:
            self.process.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def send(self, envelope_from: str, recipients: Sequence[str], raw: bytes) -> None:
        """Hand a mail in by SMTP. Blocks.

        :raises smtplib.SMTPException: when it is refused.
        """
        with smtplib.SMTP(self.host, self.port, local_hostname="client.lab.test", timeout=60) as client:
            client.sendmail(envelope_from, list(recipients), raw, mail_options=["BODY=8BITMIME"])

    def log_text(self) -> str:
        """Return Postfix's own log."""
        assert self._folder is not None
        path = self._folder / "log" / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _write_configuration(self) -> Path:
        folder = reachable_folder("postfix")
        for name in ("conf", "queue", "data", "log"):
            (folder / name).mkdir()
        shutil.chown(folder / "data", "postfix")
        conf = folder / "conf"
        (conf / "main.cf").write_text(_MAIN.format(folder=folder, **self._values))
        (conf / "master.cf").write_text(_MASTER.format(**self._values))
        lines = [f"{domain} lmtp:[{LOOPBACK}]:{port}\n" for domain, port in self._routes.items()]
        (conf / "transport").write_text("".join(lines))
        return folder

    def _greets(self) -> bool:
        with smtplib.SMTP(self.host, self.port, local_hostname="ready.lab.test", timeout=5):
            return True
