"""The daemon that users run, as a process of its own, configured for an association of the lab."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.association import Association
from lab.process import LabError, Server, ServerProcess

REPOSITORY = Path(__file__).resolve().parent.parent
LINK = "epeule/bureau"
#: A bound for a command of a second or two.
_COMMAND_SECONDS = 180


def write_configuration(  # noqa: PLR0913 - a configuration has many parts
    folder: Path,
    association: Association,
    *,
    link: Mapping[str, object] | None = None,
    imap: tuple[str, int] | None = None,
    smtp: tuple[str, int] | None = None,
    homeserver: str | None = None,
    timeouts: Mapping[str, float] | None = None,
    sections: Mapping[str, Mapping[str, object]] | None = None,
    authserv_id: str = "",
    extra: str = "",
) -> Path:
    """Write the configuration of one link; return the file.

    :param link: keys of the link over the lab's own, such as ``{"policy": "each"}``.
    :param imap: another host and port than the mailbox's, for a proxy between; so ``smtp`` and ``homeserver``.
    :param sections: the association's own sections, such as ``{"meetings": {"call_days": 3}}``. Coordinators get a
        digest only where they say so: it leaves by the clock, and a test runs at any hour of any day.
    :param authserv_id: the name of the mail server whose word on who sent a mail is believed; "": none is.
    :param timeouts: seconds of silence after which ``imap``, ``smtp`` or ``matrix`` is given up, where not 60; IDLE is
        left as often.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bridge = association.bridge_mailbox
    imap_host, imap_port = imap or (bridge.host, bridge.port)
    smtp_host, smtp_port = smtp or (association.town.mail.host, association.town.mail.port)
    for name, secret in (("imap.secret", bridge.password), ("matrix.secret", association.bot.password)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    keys = {
        "quiet_minutes": 0.05,
        "longest_wait_minutes": 1,
        "mails_per_day": 1000,
        "mails_per_minute": 1000,
        "quiet_from": "00:00:00",
        "quiet_until": "00:00:00",
        "echo_wait_minutes": 0.3,
        **(link or {}),
    }
    silence = {"imap": 60.0, "smtp": 60.0, "matrix": 60.0, **(timeouts or {})}
    times = {"quiet_from", "quiet_until", "evening_at"}
    lines = [f"{key} = {value if key in times else _toml(value)}" for key, value in keys.items()]
    believed = f'authserv_id = "{authserv_id}"\n' if authserv_id else ""
    of_association = "".join(
        f"[associations.{name}]\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in section.items())
        for name, section in {"digests": {"coordinators": "off"}, **(sections or {})}.items()
    )
    text = f"""\
[store]
url = "sqlite:///{folder / "passerelle.db"}"

[matrix]
homeserver = "{homeserver or association.bot.homeserver}"
user_id = "{association.bot.user_id}"
password_file = "matrix.secret"
sync_seconds = 2
timeout_seconds = {silence["matrix"]}

[[mailboxes]]
name = "main"
address = "{bridge.address}"
{believed}[mailboxes.imap]
host = "{imap_host}"
port = {imap_port}
tls = "none"
username = "{bridge.user}"
password_file = "imap.secret"
idle_minutes = {silence["imap"] / 60}
timeout_seconds = {silence["imap"]}
[mailboxes.smtp]
host = "{smtp_host}"
port = {smtp_port}
tls = "none"
timeout_seconds = {silence["smtp"]}

[[associations]]
name = "epeule"
title = "{association.name}"
[[associations.coordinators]]
name = "Monique"
address = "{association.mail_members["monique"].address}"

[[associations.links]]
name = "bureau"
room = "{association.room_id}"
list = {{ address = "{association.mlist.address}", subject_prefix = "[bureau]" }}
{chr(10).join(lines)}
{of_association}{extra}"""
    path = folder / "passerelle.toml"
    path.write_text(text)
    return path


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


class Daemon(Server):
    """`passerelle run`, started and stopped like any other server of the lab."""

    def __init__(self, configuration: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.configuration = configuration
        self.log = configuration.parent / "daemon.log"
        self._environment = dict(environment or {})
        self.process: ServerProcess | None = None

    def start(self) -> None:
        """Start it; it is ready when its log says so."""
        seen = self.log.stat().st_size if self.log.exists() else 0
        self.process = ServerProcess(
            [sys.executable, "-m", "passerelle", "run", "--config", str(self.configuration)],
            log=self.log,
            folder=REPOSITORY,
            environment=self._environment,
        )
        self.process.start()
        self.process.wait_ready(lambda: "Passerelle runs" in self.log.read_text(errors="replace")[seen:] or None)

    def stop(self) -> None:
        """Stop it as systemd does."""
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()

    def command(self, *arguments: str) -> str:
        """Run another command of the program with the same configuration, such as ``digest send``; return what it
        prints."""
        name, *rest = arguments
        done = subprocess.run(
            [sys.executable, "-m", "passerelle", *name.split(), "--config", str(self.configuration), *rest],
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            cwd=REPOSITORY,
            check=False,
            # The kernel shares processors out by sessions (sched(7), autogroup): in that of the tests, beside servers
            # that have one each, a command of two seconds can take a minute.
            start_new_session=True,
        )
        if done.returncode != 0:
            raise LabError(f"passerelle {name} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def confirm(self, link: str = LINK, *, deadline_seconds: float = 90) -> None:
        """Have a coordinator confirm a link, as soon as both sides were told."""
        deadline = time.monotonic() + deadline_seconds
        while True:
            try:
                self.command("confirm", link, "--by", "Monique")
                return
            except LabError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosting:
    """What one of several daemons listens on, and what they share."""

    #: SQLAlchemy's URL of a PostgreSQL database.
    store_url: str
    as_token: str
    hs_token: str
    #: Where this daemon listens for the homeserver, and for the mail server.
    appservice_port: int
    lmtp_port: int


def write_hosted_configuration(
    folder: Path, association: Association, hosting: Hosting, *, link: Mapping[str, object] | None = None
) -> Path:
    """Write the configuration of one daemon that is hosted: LMTP, application service, PostgreSQL; return the file.

    Every daemon of an association gets the same, but for the ports that it listens on.
    """
    configuration = write_configuration(folder, association, link=link)
    for name, secret in (("as.secret", hosting.as_token), ("hs.secret", hosting.hs_token)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    text = configuration.read_text()
    store = f"""url = "{hosting.store_url.replace("+asyncpg", "")}"\n"""
    appservice = f"""\
[matrix.appservice]
port = {hosting.appservice_port}
as_token_file = "as.secret"
hs_token_file = "hs.secret"
"""
    lmtp = f"[mailboxes.lmtp]\nport = {hosting.lmtp_port}\n"
    text = _replaced(text, "url = ", "\n", store)
    text = text.replace('password_file = "matrix.secret"\n', "")
    text = _replaced(text, "[mailboxes.imap]\n", "[mailboxes.smtp]", f"{lmtp}[mailboxes.smtp]")
    configuration.write_text(text.replace("[[mailboxes]]\n", f"{appservice}\n[[mailboxes]]\n"))
    return configuration


def _replaced(text: str, start: str, end: str, by: str) -> str:
    """`text` with what stands from `start` to `end`, these included, replaced."""
    head, _, rest = text.partition(start)
    return head + by + rest.partition(end)[2]
