"""`passerelle stop`: stops links by hand, until `passerelle confirm` lets them go on."""

import asyncio
import getpass
from typing import Annotated

import typer
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out
from passerelle.cli.opened import opened
from passerelle.core.settings import Settings
from passerelle.flows.consent import stop_link
from passerelle.i18n import _
from passerelle.wiring import build_context


def stop(
    link: Annotated[str | None, typer.Argument(metavar="LINK", help=_("The link, for instance epeule/bureau."))] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    every: Annotated[bool, typer.Option("--all", help=_("Stop every link."))] = False,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=_("Why; `status` shows it."))] = "",
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who stops it; for the log."))] = "",
) -> None:
    if (link is None) != every:
        raise typer.BadParameter(_("give either a link or --all"))
    outcomes = asyncio.run(_stop(load(file), link, reason, by or getpass.getuser()))
    if not outcomes:
        err().print(_("There is no link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    for path, stopped in outcomes.items():
        if stopped:
            sentence = _("{link} is stopped. What arrives is kept. To let it go on: passerelle confirm {link}")
        else:
            sentence = _("{link} was stopped before; nothing changes. `passerelle status` says why.")
        out().print(Text(sentence.format(link=path)))


async def _stop(settings: Settings, path: str | None, reason: str, by: str) -> dict[str, bool]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        chosen = [link for link in ctx.links if path in (None, link.path)]
        return {link.path: await stop_link(ctx, link, by=by, reason=reason) for link in chosen}
