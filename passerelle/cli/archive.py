"""`passerelle archive`: searching, and building anew what can be built anew."""

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
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
from passerelle.cli.opened import moment_in, now, opened
from passerelle.core.extracts import Piece
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.search_places import known_places
from passerelle.core.search_query import parse_query
from passerelle.core.search_wording import problem_sentence
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.core.shelves import Shelf
from passerelle.core.wording import Language
from passerelle.errors import QueryProblem
from passerelle.flows.fiche_search import FoundFiche, find_fiches
from passerelle.flows.found_minutes import FoundMinutes, find_minutes
from passerelle.flows.found_texts import Hit
from passerelle.flows.rebuild_archive import Phase, Rebuilt, rebuild_archive
from passerelle.flows.search_archive import Found, search_archive
from passerelle.i18n import _, administrator_language
from passerelle.render import load_words
from passerelle.wiring import build_context

#: Further commands are registered by the modules `cli/archive_*.py`, in `cli/__init__.py`.
archive = typer.Typer(
    name="archive",
    help=_("What was said on either side: search it, bring it in, take it out."),
    epilog=example("passerelle archive search 'fête de quartier' --association epeule"),
    no_args_is_help=True,
)


@archive.command(
    help=_("Search what was said, as members do, in all that is kept. What you find is private."),
    epilog=example(
        "passerelle archive search 'fête de quartier' --association epeule",
        "passerelle archive search 'de:monique après:mars pièce:budget' --link bureau --json",
    ),
)
def search(
    query: Annotated[str, typer.Argument(metavar="WORDS", help=_("What to look for; docs/search.md says how."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: Annotated[
        str | None, typer.Option("--association", help=_("Whose archive; needed where there are several."))
    ] = None,
    link: Annotated[str | None, typer.Option("--link", help=_("Only this link's."))] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help=_("At most so many, the newest."))] = 20,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    shelves = _shelves(chosen, link)
    if not shelves:
        raise typer.BadParameter(_("there is no link of this name"))
    try:
        found, minutes, fiches = asyncio.run(_search(settings, chosen, query, shelves, limit))
    except QueryProblem as problem:
        _tell_wrong(chosen, problem)
        raise typer.Exit(PROBLEM) from None
    if as_json:
        typer.echo(json.dumps(_as_json(found, minutes, fiches), indent=2, ensure_ascii=False))
    else:
        _print_minutes(minutes, chosen)
        _print_fiches(fiches)
        _print(found, chosen)


def _shelves(association: AssociationSettings, link: str | None) -> list[Shelf]:
    """All that is kept: an administrator has the store anyway."""
    name = AssociationName(association.name)
    found: list[Shelf] = []
    for one in association.links:
        if link in (None, one.name):
            found.append(Shelf(association=name, link=LinkName(one.name), origin="live"))
            found.append(Shelf(association=name, link=LinkName(one.name), origin="import", side="list"))
            found.append(Shelf(association=name, link=LinkName(one.name), origin="import", side="room"))
    return found


async def _search(
    settings: Settings, association: AssociationSettings, query: str, shelves: list[Shelf], limit: int
) -> tuple[Found, tuple[FoundMinutes, ...], tuple[FoundFiche, ...]]:
    asked = parse_query(
        query, now=now(), zone=association.zone(), places=known_places(settings.associations, shelves)
    )  # fmt: skip
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        found = await search_archive(ctx, asked, shelves=shelves, limit=limit)
        places = {AssociationName(association.name): {shelf.link for shelf in shelves}}
        minutes = await find_minutes(ctx, asked, places=places, limit=limit)
        words = ctx.renderer(association).words
        return found, minutes, await find_fiches(ctx, asked, AssociationName(association.name), words, limit=limit)


def _tell_wrong(association: AssociationSettings, problem: QueryProblem) -> None:
    language: Language = "fr" if administrator_language(os.environ) == "fr" else "en"
    words = load_words(language, association.zone())
    err().print(Text(problem_sentence(problem, words)))
    if problem.suggestion:
        err().print(Text(_("The nearest search that can be understood: {query}").format(query=problem.suggestion)))


def _print_minutes(minutes: Sequence[FoundMinutes], association: AssociationSettings) -> None:
    moment = moment_in(association.zone())
    for one in minutes:
        title = "".join(piece.text for piece in one.hit.title)
        line = _("Minutes of {moment}: {title}").format(moment=moment(one.hit.at), title=title)
        out().print(Text(line))
    if minutes:
        out().print()


def _print(found: Found, association: AssociationSettings) -> None:
    if not found.hits:
        out().print(_("Nothing was found."))
        return
    moment = moment_in(association.zone())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("Said"), _("Where"), _("By whom"), _("What")):
        table.add_column(head, overflow="fold")
    for hit in found.hits:
        where = f"{hit.post.link}, {_('list') if hit.post.side == 'list' else _('room')}"
        table.add_row(moment(hit.post.said_at), where, Text(hit.post.author_name), _what(hit))
    tables().print(table)
    out().print()
    out().print(Text(_total(found), style="bold"))


def _what(hit: Hit) -> Text:
    """Title and extract; where there are no colours, hits stand as they are."""
    text = Text()
    for pieces in (hit.title, ((Piece(text=hit.filename),) if hit.filename else ()), hit.extract):
        if pieces and text:
            text.append(" · ")
        for piece in pieces:
            text.append(piece.text, style="bold yellow" if piece.hit else "")
    return text


def _total(found: Found) -> str:
    said = {
        "exact": _("Found: {count}."),
        "at_least": _("Found: more than {count}."),
        "at_most": _("Found: {shown} shown, {count} at the most."),
    }
    sentence = said[found.total_is].format(count=found.total, shown=len(found.hits))
    return sentence if found.is_complete else f"{sentence} {_('Older posts were not looked at.')}"


def _print_fiches(fiches: Sequence[FoundFiche]) -> None:
    for one in fiches:
        title = "".join(piece.text for piece in one.hit.title)
        out().print(Text(_("Fiche: {title}").format(title=title)))
    if fiches:
        out().print()


def _as_json(found: Found, minutes: Sequence[FoundMinutes], fiches: Sequence[FoundFiche]) -> dict[str, Any]:
    def one(hit: Hit) -> dict[str, Any]:
        post = hit.post
        return {
            "id": post.id,
            "permalink": post.permalink,
            "association": post.association,
            "link": post.link,
            "side": post.side,
            "origin": post.origin,
            "said_at": post.said_at.isoformat(),
            "author": post.author_name,
            "subject": "".join(piece.text for piece in hit.title),
            "extract": "".join(piece.text for piece in hit.extract),
            "found_in": hit.of,
            "file": hit.filename or None,
        }

    return {
        "total": found.total,
        "total_is": found.total_is,
        "is_complete": found.is_complete,
        "hits": [one(hit) for hit in found.hits],
        "minutes": [
            {
                "association": paper.association,
                "permalink": paper.permalink,
                "began_at": paper.hit.at.isoformat(),
                "is_draft": paper.is_draft,
                "title": "".join(piece.text for piece in paper.hit.title),
                "extract": "".join(piece.text for piece in paper.hit.extract),
            }
            for paper in minutes
        ],
        "fiches": [
            {
                "association": paper.association,
                "permalink": paper.permalink,
                "published_at": paper.hit.at.isoformat(),
                "title": "".join(piece.text for piece in paper.hit.title),
                "extract": "".join(piece.text for piece in paper.hit.extract),
            }
            for paper in fiches
        ],
    }


@archive.command(
    help=_("Make texts, conversations and the index anew from the originals. It goes on where it was interrupted."),
    epilog=example("passerelle archive rebuild"),
)
def rebuild(file: ConfigOption = DEFAULT_CONFIG) -> None:
    settings = load(file)
    try:
        rebuilt = asyncio.run(_rebuild(settings, err()))
    except KeyboardInterrupt:
        err().print(_("Interrupted: `passerelle archive rebuild` goes on from here. Until then, less is found."))
        raise typer.Exit(PROBLEM) from None
    out().print(Text(_("Made anew: {posts}. Read otherwise now: {changed}.").format(
        posts=rebuilt.posts, changed=rebuilt.changed
    )))  # fmt: skip
    if rebuilt.unreadable:
        out().print(Text(_("Originals that cannot be read: {count}. These posts stay as they were.").format(
            count=rebuilt.unreadable
        )))  # fmt: skip


async def _rebuild(settings: Settings, console: Console) -> Rebuilt:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        with progress:
            tasks: dict[Phase, TaskID] = {}

            def show(phase: Phase, done: int, total: int | None) -> None:
                if phase not in tasks:
                    tasks[phase] = progress.add_task(_("Posts") if phase == "posts" else _("Conversations"), total=None)
                progress.update(tasks[phase], completed=done, total=total)

            return await rebuild_archive(ctx, on_progress=show)
