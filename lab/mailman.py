"""A real list server: GNU Mailman core on SQLite, in an environment of its own, filled over its REST API."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import http
from lab.ports import LOOPBACK, free_port
from lab.process import REPOSITORY, LabError, Server, ServerProcess, wait_until

BINARIES = REPOSITORY / ".venv-mailman" / "bin"
_REST_USER, _REST_PASSWORD = "restadmin", "restpass"
_CONFIGURATION = """\
[mailman]
layout: lab
site_owner: postmaster@{domain}
[paths.lab]
var_dir: {state}/var
bin_dir: {binaries}
[mta]
incoming: mailman.mta.null.NullMTA
outgoing: mailman.mta.deliver.deliver
lmtp_host: 127.0.0.1
lmtp_port: {lmtp_port}
smtp_host: 127.0.0.1
smtp_port: {smtp_port}
[webservice]
hostname: 127.0.0.1
port: {rest_port}
admin_user: {user}
admin_pass: {password}
use_https: no
workers: 1
[dmarc]
org_domain_data_url: file://{state}/psl.dat
resolver_timeout: 1s
resolver_lifetime: 1s
"""
#: How often each runner looks into its queue; Mailman's own second would only make every test wait.
_QUICK_RUNNERS = ("archive", "bounces", "command", "in", "out", "pipeline", "virgin")
_UNUSED_RUNNERS = ("digest", "nntp", "task")
#: What makes a list one of friends: members and others may post, nobody is welcomed by mail.
OPEN_LIST: Mapping[str, object] = {
    "default_member_action": "accept",
    "default_nonmember_action": "accept",
    "send_welcome_message": False,
    "admin_immed_notify": False,
    # The archive runner has no archive to fill here.
    "archive_policy": "never",
    "preferred_language": "fr",
}
#: From is rewritten to the list for every mail, whatever its author's domain publishes.
DMARC_MUNGING: Mapping[str, object] = {
    "dmarc_mitigate_action": "munge_from",
    "dmarc_mitigate_unconditionally": True,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldMail:
    """A mail that waits for a moderator."""

    request_id: int
    message_id: str
    sender: str
    subject: str
    reason: str


class MailingList:
    """One list, through Mailman's REST API. Every call blocks."""

    def __init__(self, mailman: Mailman, address: str) -> None:
        self._mailman = mailman
        self.address = address
        self.list_id = address.replace("@", ".")

    def configure(self, settings: Mapping[str, object]) -> None:
        """Change settings, by Mailman's own names (``subject_prefix``, ``reply_goes_to_list`` …)."""
        self._mailman.call("PATCH", f"lists/{self.list_id}/config", settings)

    def settings(self) -> dict[str, Any]:
        """Return all settings."""
        return dict(self._mailman.call("GET", f"lists/{self.list_id}/config"))

    def subscribe(self, address: str, name: str = "") -> None:
        """Subscribe an address at once, without a confirmation."""
        self._mailman.call(
            "POST",
            "members",
            {
                "list_id": self.list_id,
                "subscriber": address,
                "display_name": name,
                "pre_verified": True,
                "pre_confirmed": True,
                "pre_approved": True,
                "send_welcome_message": False,
            },
        )

    def members(self) -> list[str]:
        """Return the addresses of the members."""
        entries = self._mailman.call("GET", f"lists/{self.list_id}/roster/member").get("entries", [])
        return [entry["email"] for entry in entries]

    def set_footer(self, text: str) -> None:
        """Put this text under every mail; ``$display_name`` and the like are Mailman's placeholders."""
        for language in ("en", "fr"):
            folder = self._mailman.state / "var" / "templates" / "lists" / self.list_id / language
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "list:member:regular:footer.txt").write_text(text)

    def held(self) -> list[HeldMail]:
        """Return the mails that wait for a moderator."""
        entries = self._mailman.call("GET", f"lists/{self.list_id}/held").get("entries", [])
        return [
            HeldMail(
                request_id=entry["request_id"],
                message_id=entry["message_id"],
                sender=entry["sender"],
                subject=entry["subject"],
                reason=str(entry.get("reason", "")),
            )
            for entry in entries
        ]

    def moderate(self, mail: HeldMail, action: str) -> None:
        """Do ``accept``, ``reject``, ``discard`` or ``defer`` with a held mail."""
        self._mailman.call("POST", f"lists/{self.list_id}/held/{mail.request_id}", {"action": action})

    def post(self, envelope_from: str, raw: bytes) -> None:
        """Hand a mail in by LMTP, past any mail server.

        :raises smtplib.SMTPException: when Mailman refuses it.
        """
        with smtplib.LMTP(LOOPBACK, self._mailman.lmtp_port, local_hostname="client.lab.test", timeout=60) as lmtp:
            lmtp.sendmail(envelope_from, [self.address], raw, mail_options=["BODY=8BITMIME"])


class Mailman(Server):
    """Mailman core with its runners; started again on the same folder it has the same lists and queues."""

    def __init__(self, state: Path, *, smtp_port: int, domain: str = "listes.lab.test") -> None:
        self.state = state
        self.domain = domain
        self.smtp_port = smtp_port
        self.rest_port, self.lmtp_port = free_port(), free_port()
        self.process = ServerProcess(
            [BINARIES / "python", BINARIES / "master", "-C", state / "mailman.cfg", "--force"],
            log=state / "mailman.log",
            environment={
                "PYTHONWARNINGS": "ignore",
                "PYTHONPATH": str(REPOSITORY / "lab" / "mailman_on_313"),
                "MAILMAN_CONFIG_FILE": str(state / "mailman.cfg"),
            },
            grace_seconds=15,
        )

    def start(self) -> None:
        """Write the configuration, start, and wait until REST answers and LMTP greets."""
        if not BINARIES.exists():
            raise LabError("Mailman is not installed: run make setup")
        self._write_configuration()
        self.process.start()
        self.process.wait_ready(self._answers, deadline_seconds=120)
        domains = [entry["mail_host"] for entry in self.call("GET", "domains").get("entries", [])]
        if self.domain not in domains:
            self.call("POST", "domains", {"mail_host": self.domain})

    def stop(self) -> None:
        """Stop the master and all runners."""
        self.process.stop()

    def kill(self) -> None:
        """Kill it as a crash would."""
        self.process.kill()

    def call(self, method: str, path: str, form: Mapping[str, object] | None = None) -> Any:
        """Call the REST API (version 3.1) and return its answer.

        :raises lab.http.HttpError: when Mailman says no.
        """
        url = f"http://{LOOPBACK}:{self.rest_port}/3.1/{path}"
        return http.call(method, url, form=form, headers=http.basic_auth(_REST_USER, _REST_PASSWORD))

    def create_list(self, name: str, settings: Mapping[str, object] | None = None) -> MailingList:
        """Make a list of :data:`OPEN_LIST`, with ``settings`` over it."""
        made = MailingList(self, f"{name}@{self.domain}")
        self.call("POST", "lists", {"fqdn_listname": made.address})
        made.configure({**OPEN_LIST, **(settings or {})})
        return made

    def wait_idle(self, *, deadline_seconds: float = 30) -> None:
        """Wait until no mail waits in any queue but those that failed."""
        queues = [self.state / "var" / "queue" / name for name in ("in", "pipeline", "out", "virgin", "command")]

        def idle() -> bool:
            return not any(file for queue in queues if queue.exists() for file in queue.iterdir())

        wait_until(idle, what="Mailman's queues are empty", deadline_seconds=deadline_seconds, pause_seconds=0.1)

    def _write_configuration(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        # With a suffix list of its own Mailman fetches nothing.
        (self.state / "psl.dat").write_text("// suffixes of the lab\ntest\norg\ncom\nfr\n")
        configuration = _CONFIGURATION.format(
            domain=self.domain,
            state=self.state,
            binaries=BINARIES,
            lmtp_port=self.lmtp_port,
            smtp_port=self.smtp_port,
            rest_port=self.rest_port,
            user=_REST_USER,
            password=_REST_PASSWORD,
        )
        configuration += "".join(f"[runner.{name}]\nsleep_time: 0.1s\n" for name in _QUICK_RUNNERS)
        configuration += "[runner.retry]\nsleep_time: 2s\n"
        configuration += "".join(f"[runner.{name}]\nstart: no\n" for name in _UNUSED_RUNNERS)
        (self.state / "mailman.cfg").write_text(configuration)

    def _answers(self) -> bool:
        self.call("GET", "system/versions")
        with smtplib.LMTP(LOOPBACK, self.lmtp_port, local_hostname="ready.lab.test", timeout=5):
            return True
