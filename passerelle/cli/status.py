"""`passerelle status`: how everything is, and what to do."""

import asyncio
import json
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from passerelle import config
from passerelle import status as words
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, load, out, tables
from passerelle.cli.opened import moment_in, now, opened
from passerelle.core.links import Links
from passerelle.core.settings import Settings
from passerelle.i18n import _
from passerelle.overview import find_daemon, read_overview
from passerelle.status import Overview
from passerelle.store.incidents import resolve_until


def status(
    file: ConfigOption = DEFAULT_CONFIG,
    as_json: Annotated[
        bool, typer.Option("--json", help=_("For a monitoring program: the same as JSON, in English."))
    ] = False,
    seen: Annotated[
        bool, typer.Option("--seen", help=_("I have seen what happened: do not show it any more from now on."))
    ] = False,
) -> None:
    settings = load(file)
    overview = asyncio.run(_read(settings, seen=seen))
    if as_json:
        # Not by Rich, which would break lines.
        typer.echo(json.dumps(words.as_json(overview), indent=2))
    else:
        _print(overview, settings)
    if not words.is_well(overview) and not seen:
        raise typer.Exit(PROBLEM)


async def _read(settings: Settings, *, seen: bool) -> Overview:
    daemon = find_daemon(config.store_url(settings.store))
    async with opened(settings) as store:
        overview = await read_overview(store, Links(settings), now=now(), daemon=daemon)
        if seen and overview.incidents:
            # What happened after it was read is not seen.
            async with store.write() as conn:
                await resolve_until(conn, overview.incidents[-1].id, overview.at)
        return overview


def _print(overview: Overview, settings: Settings) -> None:
    console, moment = out(), moment_in(settings.associations[0].zone())
    console.print(Text(words.daemon_line(overview)))
    if overview.restored_at is not None:
        console.print(Text(_("The store is a backup that was put back {at}.").format(at=moment(overview.restored_at))))
    console.print()
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = [_("Link"), _("State"), _("Last mail"), _("Last line of the room"), _("Waits"), _("Failed")]
    for head in heads:
        table.add_column(head, overflow="fold")
    zones = {one.link.path: moment_in(one.link.zone) for one in overview.links}
    for one in overview.links:
        table.add_row(*(Text(cell) for cell in words.link_row(one, zones[one.link.path])))
    tables().print(table)
    _print_list(_("The secretary"), words.secretary_lines(overview, moment))
    _print_list(_("What happened"), words.incident_lines(overview.incidents, moment))
    if overview.incidents:
        console.print(Text(_("Seen all of it? Then: passerelle status --seen")))
    _print_list(_("What to do"), words.advice(overview, moment))
    if words.is_well(overview):
        console.print()
        console.print(Text(_("All is well."), style="bold"))


def _print_list(title: str, lines: list[str]) -> None:
    if not lines:
        return
    console = out()
    console.print()
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(Text(f"  • {line}"))
