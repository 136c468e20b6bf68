"""`passerelle now`: the one page of an association on a sheet for its notice board."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, chosen_association, err, load, out
from passerelle.cli.opened import opened
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.one_page import gather_page
from passerelle.flows.paper import page_on_paper
from passerelle.i18n import _
from passerelle.wiring import build_context, resolve_known_rooms


def now(
    pdf: Annotated[Path, typer.Option("--pdf", metavar="FILE", help=_("Where the sheet is written, one page of A4."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: Annotated[
        str | None, typer.Option("--association", help=_("Whose association; needed where there are several."))
    ] = None,
    links: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="NAME", help=_("Of this link only; may be repeated. All of them otherwise.")),
    ] = None,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    known = [link.name for link in chosen.links]
    unknown = next((name for name in links or () if name not in known), None)
    if unknown is not None:
        err().print(_("There is no link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    data = asyncio.run(_sheet(settings, chosen, frozenset(LinkName(name) for name in links or known)))
    try:
        pdf.write_bytes(data)
    except OSError as error:
        err().print(Text(_("{path} cannot be written: {why}").format(path=pdf, why=error.strerror)))
        raise typer.Exit(PROBLEM) from error
    out().print(Text(_("The sheet is in {file}. It names only who agreed to it.").format(file=pdf)))


async def _sheet(settings: Settings, association: AssociationSettings, links: frozenset[LinkName]) -> bytes:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        async with store.read() as conn:
            page = await gather_page(ctx, conn, AssociationName(association.name), links)
        link = next(one for one in ctx.links if one.association_name == association.name)
        return await page_on_paper(ctx, link, page)
