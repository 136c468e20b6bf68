"""`passerelle fiche`: the fiches of an association, one of them, and those that are published as files."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import (
    DEFAULT_CONFIG,
    PROBLEM,
    ConfigOption,
    chosen_association,
    err,
    example,
    load,
    out,
    tables,
)
from passerelle.cli.opened import opened
from passerelle.core.fiche import LICENCE_URLS, Audience, FicheState
from passerelle.core.fiche_export import ExportedFiche, to_bazar, to_markdown
from passerelle.core.ids import AssociationName
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_export import exported
from passerelle.flows.fiche_make import title_of
from passerelle.flows.fiche_read import list_seen_by_readers
from passerelle.i18n import N_, _
from passerelle.store.fiches import list_fiches
from passerelle.wiring import build_context

fiches = typer.Typer(
    name="fiche",
    help=_("Fiches: experience worth keeping, in the words of those who agreed."),
    epilog=example("passerelle fiche list", "passerelle fiche export --form json"),
    no_args_is_help=True,
)
_STATES: dict[FicheState, str] = {
    "draft": N_("draft"), "asked": N_("people are being asked"), "published": N_("published"),
    "withdrawn": N_("withdrawn"),
}  # fmt: skip
_AUDIENCES: dict[Audience, str] = {"association": N_("the association"), "network": N_("the network")}

AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose association; needed where there are several."))
]
NetworkOption = Annotated[
    bool, typer.Option("--network", help=_("As the other associations of the network read it, and only what they may."))
]


class Form(StrEnum):
    """What `--form` takes."""

    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"


@fiches.command(
    "list",
    help=_("List the fiches, with who may read them. Of a draft neither words nor title are shown."),
    epilog=example("passerelle fiche list"),
)
def list_(file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None) -> None:
    settings = load(file)
    rows = asyncio.run(_rows(settings, chosen_association(settings, association)))
    if not rows:
        out().print(_("There is no fiche."))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("Number"), _("State"), _("Read by"), _("Title")):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    tables().print(table)


async def _rows(settings: Settings, association: AssociationSettings) -> Sequence[tuple[str, ...]]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        words, rows = ctx.renderer(association).words, []
        async with store.read() as conn:
            every = await list_fiches(conn, AssociationName(association.name))
            seen = {one.fiche.id: one for one in await list_seen_by_readers(conn, every, "association")}
            for one in every:
                title = title_of(seen[one.id].content, one, words) if one.id in seen else ""
                audience = _(_AUDIENCES[one.audience]) if one.state == "published" else ""
                rows.append((str(one.number), _(_STATES[one.state]), audience, title))
    return rows


@fiches.command(
    "show",
    help=_("Show a published fiche as its readers see it at this moment."),
    epilog=example("passerelle fiche show 3"),
)
def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help=_("What members call it."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    network: NetworkOption = False,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    _ctx, found = asyncio.run(_published(settings, chosen, "network" if network else "association"))
    one = next((one for one in found if one.number == number), None)
    if one is None:
        out().print(_("No fiche of this number is published for them."))
        raise typer.Exit(PROBLEM)
    typer.echo(to_markdown(one), nl=False)


@fiches.command(
    "export",
    help=_("Write all published fiches: Markdown, HTML, or JSON for YesWiki's Bazar, to standard output."),
    epilog=example("passerelle fiche export", "passerelle fiche export --form json --bazar-form 4"),
)
def export(
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    network: NetworkOption = False,
    form: Annotated[Form, typer.Option("--form", help=_("In which form."))] = Form.MARKDOWN,
    bazar_form: Annotated[
        int, typer.Option("--bazar-form", min=1, help=_("Number of the form in the wiki (id_typeannonce)."))
    ] = 1,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    ctx, found = asyncio.run(_published(settings, chosen, "network" if network else "association"))
    if not found:
        err().print(_("No fiche is published yet: there is nothing to write."))
    if form is Form.JSON:
        typer.echo(to_bazar(found, form=bazar_form), nl=False)
    elif form is Form.HTML:
        renderer = ctx.renderer(chosen)
        typer.echo("".join(renderer.render("web/fiche_file.html", fiche=one, url_of=LICENCE_URLS) for one in found))
    else:
        typer.echo("\n".join(to_markdown(one) for one in found), nl=False)


async def _published(
    settings: Settings, association: AssociationSettings, audience: Audience
) -> tuple[FlowContext, list[ExportedFiche]]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        words = ctx.renderer(association).words
        async with store.read() as conn:
            fiches = await list_fiches(conn, AssociationName(association.name))
            found = await list_seen_by_readers(conn, fiches, audience)
    return ctx, [exported(ctx, one, words, audience=audience) for one in found]
