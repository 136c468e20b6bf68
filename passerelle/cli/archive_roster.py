"""`passerelle archive roster`: who is on a list, from a file or from Mailman; it decides who may read."""

import asyncio
import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit

import typer
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out
from passerelle.cli.opened import opened
from passerelle.core.links import Link
from passerelle.core.settings import Settings
from passerelle.errors import ConfigError
from passerelle.flows.import_roster import RosterOutcome, forget_roster, import_roster
from passerelle.i18n import _
from passerelle.rosters.detect import read_roster
from passerelle.rosters.mailman import MailmanAccess, fetch_roster
from passerelle.rosters.roster import Roster
from passerelle.wiring import build_context, resolve_known_rooms

PASSWORD_VARIABLE = "PASSERELLE_MAILMAN_PASSWORD"
#: No list of members is larger.
_LARGEST_BYTES = 50_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _How:
    by: str
    dry_run: bool
    force: bool


def roster(
    link: Annotated[str, typer.Argument(metavar="LINK", help=_("The link, for instance epeule/bureau."))],
    members: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help=_("A table (CSV), Sympa's member.dump, or its answer to REVIEW.")),
    ] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    mailman: Annotated[
        str,
        typer.Option("--mailman", metavar="URL", help=_("Mailman's REST API, as http://restadmin@localhost:8001/3.1.")),
    ] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            metavar="FILE",
            help=_("File that holds its password; otherwise PASSERELLE_MAILMAN_PASSWORD."),
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Say what would change, and change nothing."))] = False,
    force: Annotated[bool, typer.Option("--force", help=_("Also where most of the members would go."))] = False,
) -> None:
    if (members is None) == (not mailman):
        raise typer.BadParameter(_("give either a file, or --mailman"))
    settings, how = load(file), _How(by=getpass.getuser(), dry_run=dry_run, force=force)
    read = _from_file(members) if members is not None else None
    access = _access(mailman, password_file) if mailman else None
    given, outcome = asyncio.run(_import(settings, link, read, access, how))
    if outcome is None:
        err().print(_("There is no link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    _tell(given, outcome, how)


def forget_roster_of(
    link: Annotated[str, typer.Argument(metavar="LINK", help=_("The link, for instance epeule/bureau."))],
    file: ConfigOption = DEFAULT_CONFIG,
) -> None:
    done = asyncio.run(_forget(load(file), link))
    if done is None:
        err().print(_("There is no link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    out().print(_("The roster is forgotten. Who writes to the list takes part.") if done else _("There was no roster."))


def _access(url: str, password_file: Path | None) -> MailmanAccess:
    try:
        parts = urlsplit(url)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    except ValueError as error:
        raise ConfigError(_("{url} is no address of a web service.").format(url=url)) from error
    return MailmanAccess(url=bare, user=parts.username or "restadmin", password=_password(password_file))


def _from_file(path: Path) -> Roster:
    try:
        with path.open("rb") as opened_file:
            data = opened_file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(_("{path} cannot be read: {why}").format(path=path, why=error.strerror)) from error
    if len(data) > _LARGEST_BYTES:
        raise ConfigError(_("{path} is too large to be a list of members.").format(path=path))
    return read_roster(data)


def _password(path: Path | None) -> str:
    if path is None:
        return os.environ.get(PASSWORD_VARIABLE, "")
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(_("{path} cannot be read.").format(path=path)) from error


async def _import(
    settings: Settings, path: str, read: Roster | None, access: MailmanAccess | None, how: _How
) -> tuple[Roster, RosterOutcome | None]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        link: Link | None = ctx.links.find(path)
        empty = Roster(source="csv", members=())
        if link is None:
            return empty, None
        given = read or (await fetch_roster(access, link.list_id) if access else empty)
        outcome = await import_roster(ctx, link, given, by=how.by, dry_run=how.dry_run, force=how.force)
        return given, outcome


async def _forget(settings: Settings, path: str) -> bool | None:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        link = ctx.links.find(path)
        return None if link is None else await forget_roster(ctx, link, by=getpass.getuser())


def _tell(given: Roster, outcome: RosterOutcome, how: _How) -> None:
    if outcome.suspicious and not (how.force and given.members):
        told = _("This takes {removed} of {all} members off. Is it the right list? If it is meant, add --force.")
        err().print(Text(told.format(removed=outcome.removed, all=outcome.removed + outcome.kept)))
        raise typer.Exit(PROBLEM)
    counts = _("On the list: {all}. New: {added}. Taken off: {removed}.")
    out().print(Text(counts.format(all=outcome.kept + outcome.added, added=outcome.added, removed=outcome.removed)))
    if given.unread_lines:
        first = ", ".join(str(n) for n in given.unread_lines[:10])
        told = _("Lines without an address: {count} ({first} …).")
        out().print(Text(told.format(count=len(given.unread_lines), first=first)))
    if how.dry_run:
        out().print(_("Nothing was changed."))
    elif outcome.first:
        out().print(_("From now on this roster says who is on the list: import it again whenever it changes."))
