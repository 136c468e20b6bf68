"""`passerelle archive attach`, `split`, `undo`, `edits`: a human's word on conversations, which a rebuild keeps."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, chosen_association, err, load, out, tables
from passerelle.cli.opened import moment_in, opened
from passerelle.core.ids import AssociationName, PostId
from passerelle.core.settings import AssociationSettings
from passerelle.errors import PasserelleError
from passerelle.flows.context import FlowContext
from passerelle.flows.edit_threads import attach_post, split_post, undo_edit
from passerelle.i18n import N_, _
from passerelle.store.scrub import find_posts_called
from passerelle.store.thread_edits import ThreadEdit, find_thread_edit, list_thread_edits
from passerelle.wiring import build_context

AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose archive; needed where there are several."))
]
ByOption = Annotated[
    str, typer.Option("--by", metavar="NAME", help=_("Who does it; for the log that members can read."))
]
PostArgument = Annotated[
    str, typer.Argument(metavar="POST", help=_("Its number, its short address, or its Message-ID."))
]

_SAID = {
    "attached": N_("The post stands under the other now, and what answers it with it."),
    "split": N_("The post begins a conversation of its own now, and what answers it comes with it."),
    "undone": N_("Undone: the post stands where it stood."),
}
_REFUSED = {
    "not_here": N_("There is no such post."),
    "same_post": N_("A post cannot answer itself."),
    "circle": N_("The other post answers this one already: it cannot be the other way round."),
    "stands_alone": N_("The post begins a conversation already: nothing changes."),
    "not_in_force": N_("This edit is not in force: nothing changes. `passerelle archive edits` lists them."),
}


class UnclearPost(PasserelleError):
    """No post is meant, or several are."""


def attach(
    post: PostArgument,
    parent: Annotated[str, typer.Argument(metavar="PARENT", help=_("The post that it answers; named likewise."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    by: ByOption = "",
) -> None:
    async def do(ctx: FlowContext, conn: AsyncConnection, chosen: AssociationSettings) -> str:
        post_id, parent_id = await _post(conn, chosen, post), await _post(conn, chosen, parent)
        return await attach_post(ctx, conn, post_id, parent_id, by=by or getpass.getuser())

    _change(file, association, do)


def split(
    post: PostArgument, file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None, by: ByOption = ""
) -> None:
    async def do(ctx: FlowContext, conn: AsyncConnection, chosen: AssociationSettings) -> str:
        return await split_post(ctx, conn, await _post(conn, chosen, post), by=by or getpass.getuser())

    _change(file, association, do)


def undo(
    edit: Annotated[int, typer.Argument(metavar="EDIT", help=_("Its number, as `passerelle archive edits` shows it."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    by: ByOption = "",
) -> None:
    async def do(ctx: FlowContext, conn: AsyncConnection, chosen: AssociationSettings) -> str:
        found = await find_thread_edit(conn, edit)
        if found is None or found.association != chosen.name:
            return "not_in_force"
        return await undo_edit(ctx, conn, edit, by=by or getpass.getuser())

    _change(file, association, do)


def edits(file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)

    async def read() -> list[ThreadEdit]:
        async with opened(settings) as store, store.read() as conn:
            return await list_thread_edits(conn, AssociationName(chosen.name))

    found = asyncio.run(read())
    if not found:
        out().print(_("Nobody has changed a conversation."))
        return
    moment = moment_in(ZoneInfo(chosen.timezone))
    table = Table(box=None, pad_edge=False)
    for title in (_("Edit"), _("When"), _("By"), _("Post"), _("What")):
        table.add_column(title)
    for one in found:
        what = _("split") if one.parent_post_id is None else _("attached to {post}").format(post=one.parent_post_id)
        if one.undone_at is not None:
            what = _("{what}; undone {when}").format(what=what, when=moment(one.undone_at))
        table.add_row(str(one.id), moment(one.at), one.by, str(one.post_id), what)
    tables().print(table)


def _change(
    file: Path,
    association: str | None,
    do: Callable[[FlowContext, AsyncConnection, AssociationSettings], Awaitable[str]],
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)

    async def change() -> str:
        async with opened(settings) as store:
            ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
            async with store.write() as conn:
                return await do(ctx, conn, chosen)

    try:
        outcome = asyncio.run(change())
    except UnclearPost as error:
        _refuse(str(error))
    if outcome in _REFUSED:
        _refuse(_(_REFUSED[outcome]))
    out().print(_(_SAID[outcome]))


def _refuse(sentence: str) -> NoReturn:
    err().print(sentence)
    raise typer.Exit(PROBLEM)


async def _post(conn: AsyncConnection, association: AssociationSettings, which: str) -> PostId:
    """Raises UnclearPost."""
    found = await find_posts_called(conn, AssociationName(association.name), which.strip().strip("<>"))
    if not found:
        raise UnclearPost(_("There is no such post."))
    if len(found) > 1:
        numbers = ", ".join(map(str, found))
        raise UnclearPost(_("Several posts are meant; say which by number: {numbers}.").format(numbers=numbers))
    return found[0]
