"""`passerelle network`: what the associations of a network share, in dates, fiches and figures."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, example, load, out, tables
from passerelle.cli.opened import opened
from passerelle.core.networks import Figures, Network, build_network
from passerelle.core.settings import Settings
from passerelle.flows.fiche_make import title_of
from passerelle.flows.networks import A_YEAR, SharedDate, count_network, dates_of, list_network_fiches
from passerelle.flows.readers import association_of
from passerelle.i18n import _
from passerelle.wiring import build_context

networks = typer.Typer(
    name="network",
    help=_("Networks: associations that share dates, fiches and figures, and no message."),
    epilog=example("passerelle network show", "passerelle network show reseau-quartiers"),
    no_args_is_help=True,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Shared:
    network: Network
    dates: list[SharedDate]
    fiches: list[str]
    figures: list[Figures]


@networks.command(
    "show",
    help=_("Show what a network shares. Fewer than five are not counted."),
    epilog=example("passerelle network show", "passerelle network show reseau-quartiers"),
)
def show(
    name: Annotated[str | None, typer.Argument(metavar="NETWORK", help=_("Its short name; else all of them."))] = None,
    file: ConfigOption = DEFAULT_CONFIG,
) -> None:
    settings = load(file)
    chosen = [build_network(one) for one in settings.networks if name in (None, one.name)]
    if not chosen:
        told = _("There is no such network.") if name else _("The file names no network. How to: docs/networks.md")
        out().print(told)
        raise typer.Exit(PROBLEM)
    for one in asyncio.run(_shared(settings, chosen)):
        _print(one)


async def _shared(settings: Settings, chosen: list[Network]) -> list[_Shared]:
    found = []
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        async with store.read() as conn:
            for network in chosen:
                first = network.associations[0]
                association = association_of(ctx, first)
                assert association is not None
                words, now = ctx.renderer(association).words, ctx.now()
                figures, together = await count_network(ctx, conn, network, _("Together"))
                fiches = await list_network_fiches(conn, network)
                found.append(
                    _Shared(
                        network=network,
                        dates=await dates_of(ctx, conn, first, network, since=now, until=now + A_YEAR),
                        fiches=[title_of(one.content, one.fiche, words) for one in fiches],
                        figures=[*figures, together],
                    )
                )
    return found


def _print(shared: _Shared) -> None:
    out().print(Text(shared.network.title, style="bold"))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("Association"), _("Messages"), _("People"), _("Meetings held"), _("Decisions")):
        table.add_column(head, overflow="fold")
    for row in shared.figures:
        counts = (row.posts, row.participants, row.meetings, row.decisions)
        table.add_row(Text(row.title), *(Text("–" if count is None else str(count)) for count in counts))
    tables().print(table)
    for date in shared.dates:
        out().print(Text(f"{date.when} · {date.title}"))
    for title in shared.fiches:
        out().print(Text(title))
    out().print()
