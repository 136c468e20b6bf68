"""What a visitor needs to look around: accounts, ports, files, commands."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lab.association import Association, Town
from lab.daemon import Daemon
from lab.demo import script
from lab.process import REPOSITORY
from passerelle.cli import app
from passerelle.core.wording import NBSP

#: Commands worth trying, in this order, as far as this version of the program has them.
_COMMANDS = {
    "status": "ce qui va, ce qui attend, ce qui a échoué",
    "check": "tout vérifier, et comment réparer",
    "inbox": "ce qui est arrivé",
    "outbox": "ce qui part",
    "register": "décisions, actions, prêts",
    "backup": "une sauvegarde",
}


def show_where_to_look(
    console: Console, association: Association, town: Town, daemon: Daemon, *, way_in: str, pages: str
) -> None:
    """Print it all. The passwords are those of throw-away accounts on loopback.

    :param way_in: a link into the archive, as Monique got it by mail.
    :param pages: where the archive's pages begin.
    """
    console.print()
    console.rule(Text("Où regarder", style="bold"), align="left", style="dim")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("Les archives", f"{way_in}\n(le lien que Monique a reçu par courriel, pour un navigateur)")
    for name, path in (
        ("En ce moment", "now"),
        ("Le registre", "register"),
        ("Les réunions", "meetings"),
        ("L’agenda", "calendar"),
        ("Les résumés", "digests"),
    ):
        table.add_row(name, f"{pages}{path}")
    for name, value in _places(association, town, daemon):
        table.add_row(name, value)
    console.print(table, highlight=False)
    console.print()
    for comment, command in _commands(association, town, daemon):
        console.print(Text(f"# {comment}", style="dim"))
        # One command stays one line, to be copied.
        console.print(Text(command), soft_wrap=True)


def _places(association: Association, town: Town, daemon: Daemon) -> Iterator[tuple[str, str]]:
    lea = association.chat_accounts[script.LEA]
    monique = association.mail_members[script.MONIQUE].mailbox
    bridge = association.bridge_mailbox
    yield "Le salon", f"#epeule:{town.synapse.server_name}\n{association.room_id}"
    yield "Serveur Matrix", lea.homeserver
    names = ", ".join(account.localpart for account in association.chat_accounts.values())
    yield "Qui chatte", f"{names}\nmot de passe : {lea.password}".replace(" :", f"{NBSP}:")
    yield "La liste", association.mlist.address
    addresses = "\n".join(member.address for member in association.mail_members.values())
    yield "Qui écrit", f"{addresses}\nmot de passe : {monique.password}".replace(" :", f"{NBSP}:")
    yield "IMAP, SMTP", f"{monique.host}, ports {monique.port} et {town.mail.port} (sans TLS)"
    yield "La passerelle", f"{bridge.address}, {association.bot.user_id}"
    yield "Mailman (REST)", f"http://127.0.0.1:{town.mailman.rest_port}/3.1/ (restadmin, restpass)"
    yield "Configuration", _short(daemon.configuration)
    yield "Base de données", _short(daemon.configuration.parent / "passerelle.db")
    logs = (daemon.log, town.synapse.state / "synapse.log", town.mailman.state / "mailman.log", town.mail.state)
    yield "Journaux", "\n".join(map(_short, logs))


def _commands(association: Association, town: Town, daemon: Daemon) -> Iterator[tuple[str, str]]:
    configuration = _short(daemon.configuration)
    known = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    known |= {str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance}
    for name, purpose in _COMMANDS.items():
        if name in known:
            more = " list" if name in ("inbox", "outbox", "register") else ""
            yield purpose, f".venv/bin/passerelle {name}{more} --config {configuration}"
    monique = association.mail_members[script.MONIQUE].mailbox
    letter = daemon.configuration.parent.parent / "courriel.eml"
    letter.write_text(
        f"From: Monique Delattre <{monique.address}>\r\nTo: {association.mlist.address}\r\n"
        "Subject: Un essai\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBonjour le salon !\r\n",
        newline="",
    )
    yield (
        "écrire à la liste, comme Monique (changez le fichier à votre goût)",
        f"curl smtp://{monique.host}:{town.mail.port} --mail-from {monique.address} "
        f"--mail-rcpt {association.mlist.address} --upload-file {_short(letter)}",
    )
    yield (
        "lire sa boîte",
        f"curl -u {monique.user}:{monique.password} 'imap://{monique.host}:{monique.port}/INBOX;MAILINDEX=1'",
    )
    lea = association.chat_accounts[script.LEA]
    room = quote(association.room_id, safe="")
    yield (
        "écrire dans le salon, comme Léa",
        f"curl -X PUT -H 'Authorization: Bearer {lea.access_token}' "
        """-d '{"msgtype": "m.text", "body": "Bonjour la liste !"}' """
        f'"{lea.homeserver}/_matrix/client/v3/rooms/{room}/send/m.room.message/$(date +%s)"',
    )


def _short(path: Path) -> str:
    """From where `make` runs, where it stands below."""
    here = Path(os.getcwd())
    return str(path.relative_to(here)) if here == REPOSITORY and path.is_relative_to(here) else str(path)
