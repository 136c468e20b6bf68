"""`passerelle privacy`: show what is held of a person, erase it, hide a post, say how long things are kept."""

import asyncio
import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

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
from passerelle.cli.known import Unclear, known_person
from passerelle.cli.opened import moment_in, now, opened
from passerelle.connections_erasing import erase_in_mailbox
from passerelle.core.ids import AssociationName, LinkName, PostId
from passerelle.core.retention import digests_before, limits_of
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.context import FlowContext
from passerelle.flows.erase import ask_erasure, erase
from passerelle.flows.hide_post import hide_post, show_post
from passerelle.flows.privacy_export import Exported, export_person
from passerelle.flows.receipts import receipt_text
from passerelle.i18n import _
from passerelle.store.posts import get_post
from passerelle.store.privacy import find_request, list_requests
from passerelle.store.retention import Amount, amount_of_arrivals, amount_of_files, amount_of_posts
from passerelle.store.retention_secretary import amount_of_minutes
from passerelle.store.scrub import find_posts_called
from passerelle.store.scrub_digests import amount_of_digests
from passerelle.wiring import build_context, resolve_known_rooms

privacy = typer.Typer(
    name="privacy",
    help=_("What is held of a person: show it, erase it. Hide a post. How long things are kept."),
    epilog=example("passerelle privacy report", "passerelle privacy export monique@example.org --to monique"),
    no_args_is_help=True,
)

AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose archive; needed where there are several."))
]
ByOption = Annotated[
    str, typer.Option("--by", metavar="NAME", help=_("Who does it; for the log that members can read."))
]
PersonArgument = Annotated[
    str, typer.Argument(metavar="PERSON", help=_("An address, a Matrix account, a whole name, or a number."))
]
PostArgument = Annotated[
    str, typer.Argument(metavar="POST", help=_("Its number, its short address, or its Message-ID."))
]


@privacy.command(
    "export",
    help=_("Write all that is held of one person into a new folder: a page, data, originals, files."),
    epilog=example("passerelle privacy export monique@example.org --to /media/usb/monique"),
)
def export(
    person: PersonArgument,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help=_("A folder that is made, or is empty."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
) -> None:
    settings = load(file)
    exported = asyncio.run(_export(settings, chosen_association(settings, association), person, to))
    sentence = _("{posts} posts, {originals} originals and {files} files are in {folder}: open index.html.")
    out().print(
        Text(sentence.format(posts=exported.posts, originals=exported.originals, files=exported.files, folder=to))
    )


async def _export(settings: Settings, association: AssociationSettings, who: str, to: Path) -> Exported:
    to.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240  # nothing else runs
    if any(to.iterdir()):  # noqa: ASYNC240
        raise Unclear(_("{folder} is not empty.").format(folder=to))

    def write(name: str, data: bytes) -> None:
        target = to / name
        target.parent.mkdir(mode=0o700, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o600)

    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        return await export_person(ctx, await known_person(ctx, association, who), write)


@privacy.command(
    "erase",
    help=_("Erase a person, a post or a conversation everywhere that Passerelle reaches; print the receipt."),
    epilog=example(
        "passerelle privacy erase monique@example.org",
        "passerelle privacy erase --post 1234",
        "passerelle privacy erase --thread 1234",
        "passerelle privacy erase monique@example.org --keep-minutes 'She signed for the prefecture'",
    ),
)
def erase_(  # noqa: PLR0913 - a command has its options
    person: Annotated[
        str | None,
        typer.Argument(metavar="[PERSON]", help=_("An address, a Matrix account, a whole name, or a number.")),
    ] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    post: Annotated[str, typer.Option("--post", metavar="POST", help=_("One post."))] = "",
    thread: Annotated[str, typer.Option("--thread", metavar="POST", help=_("The whole conversation of a post."))] = "",
    keep_minutes: Annotated[
        str,
        typer.Option(
            "--keep-minutes",
            metavar="REASON",
            help=_("Of a person: keep approved minutes and decisions as they are; the receipt tells them why."),
        ),
    ] = "",
    association: AssociationOption = None,
    by: ByOption = "",
    yes: Annotated[bool, typer.Option("--yes", help=_("Do not ask. There is no way back."))] = False,
) -> None:
    if sum(map(bool, (person, post, thread))) != 1:
        raise typer.BadParameter(_("say one thing: a person, --post or --thread"))
    if keep_minutes and not person:
        raise typer.BadParameter(_("--keep-minutes is for the erasure of a person"))
    settings = load(file)
    chosen = chosen_association(settings, association)
    if not yes and not typer.confirm(_("What is erased cannot be brought back. Erase it?")):
        raise typer.Exit(PROBLEM)
    what = _What(person=person or "", post=post, thread=thread, keep=" ".join(keep_minutes.split()))
    _print_receipt(asyncio.run(_erase(settings, chosen, what, by or getpass.getuser())))


@privacy.command(
    "go-on",
    help=_("Go on with an erasure that was interrupted; the daemon does so by itself after ten minutes."),
    epilog=example("passerelle privacy go-on 7"),
)
def go_on(
    number: Annotated[int, typer.Argument(metavar="NO", help=_("The number that `report` shows."))],
    file: ConfigOption = DEFAULT_CONFIG,
) -> None:
    settings = load(file)

    async def run() -> str | None:
        async with opened(settings) as store:
            ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
            await resolve_known_rooms(ctx)
            return await _finished(ctx, number)

    _print_receipt(asyncio.run(run()))


def _print_receipt(receipt: str | None) -> None:
    if receipt is None:
        err().print(_("Something is still on its way, or the mailbox cannot be reached. The daemon goes on by itself."))
        raise typer.Exit(PROBLEM)
    out().print(Text(receipt))


@dataclass(frozen=True, kw_only=True, slots=True)
class _What:
    """What is to be erased, one of three; and why something is kept."""

    person: str
    post: str
    thread: str
    keep: str


async def _erase(settings: Settings, association: AssociationSettings, what: _What, by: str) -> str | None:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        name = AssociationName(association.name)
        if what.person:
            subject = {"person": (await known_person(ctx, association, what.person)).id}
        else:
            found = await _post(ctx, association, what.post or what.thread)
            async with store.read() as conn:
                known = await get_post(conn, found)
            subject = {"post": known.id} if what.post else {"thread": known.thread_id}
        number = await ask_erasure(ctx, name, subject, by="administrator", who=by, keep=what.keep)
        return await _finished(ctx, number)


async def _finished(ctx: FlowContext, request_id: int) -> str | None:
    """The receipt of an erasure that is done by now; None where something has to be waited for."""
    receipt = await erase(ctx, request_id, emails=erase_in_mailbox, say=_say)
    async with ctx.store.read() as conn:
        request = await find_request(conn, request_id)
    if receipt is None or request is None:
        return None
    association = next(one for one in ctx.settings.associations if one.name == request.association)
    return receipt_text(ctx, association, receipt, number=request_id, done_at=request.done_at or now())


def _say(phase: str, done: int) -> None:
    """How far it is, in a line that is written over."""
    words = {
        "hide": _("Hidden everywhere"),
        "quotes": _("Quotes in others’ mails"),
        "posts": _("Posts"),
        "register": _("The register"),
        "person": _("Addresses and accounts"),
        "mailbox": _("The bridge’s mailbox"),
        "leaving": _("Mails on their way"),
        "index": _("The index of the search"),
        "pages": _("The database’s files"),
    }
    console = err()
    if console.is_terminal:
        console.print(Text(f"\r{words[phase]}: {done} "), end="")


@privacy.command(
    "hide",
    help=_("Hide a post from room, archive, search and queue; `show` brings it back to the archive."),
    epilog=example("passerelle privacy hide 1234 --by Monique"),
)
def hide(
    post: PostArgument, file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None, by: ByOption = ""
) -> None:
    _change(file, association, post, by, hidden=True)


@privacy.command(
    "show",
    help=_("Show a hidden post in the archive again; in the room it stays taken back."),
    epilog=example("passerelle privacy show 1234 --by Monique"),
)
def show(
    post: PostArgument, file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None, by: ByOption = ""
) -> None:
    _change(file, association, post, by, hidden=False)


def _change(file: Path, association: str | None, which: str, by: str, *, hidden: bool) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)

    async def change() -> str:
        async with opened(settings) as store:
            ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
            await resolve_known_rooms(ctx)
            post_id = await _post(ctx, chosen, which)
            async with store.write() as conn:
                do = hide_post if hidden else show_post
                return await do(ctx, conn, post_id, by=by or getpass.getuser())

    said = {
        "hidden": _("The post is hidden everywhere. Mails that were delivered cannot be called back."),
        "shown": _("The post is shown in the archive again. In the room it stays taken back."),
        "not_shown": _("The post does not stand: nothing changes."),
        "not_hidden": _("The post is not hidden: nothing changes."),
    }
    outcome = asyncio.run(change())
    out().print(said[outcome])
    if outcome.startswith("not_"):
        raise typer.Exit(PROBLEM)


@privacy.command(
    "report",
    help=_("Show for each link what is kept how long, how much there is, and what goes next night."),
    epilog=example("passerelle privacy report"),
)
def report(file: ConfigOption = DEFAULT_CONFIG) -> None:
    settings = load(file)
    rows, requests = asyncio.run(_report(settings))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("Link"), _("What"), _("Kept for"), _("There is"), _("Goes next night")):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    tables().print(table)
    for line in requests:
        out().print(Text(line))


async def _report(settings: Settings) -> tuple[list[list[str]], list[str]]:
    words = {
        "posts": _("posts"),
        "attachments": _("files"),
        "minutes": _("minutes and decisions"),
        "logs": _("what arrived and left"),
    }
    rows: list[list[str]] = []
    lines: list[str] = []
    async with opened(settings) as store, store.read() as conn:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        for link in ctx.links:
            place = (link.association_name, link.name)
            for kept in limits_of(link.settings.archive.retention, now()):
                amount = Amount(count=0, over=0)
                if kept.what == "posts":
                    amount = await amount_of_posts(conn, *place, kept.before)
                elif kept.what == "attachments":
                    amount = await amount_of_files(conn, *place, kept.before)
                elif kept.what == "minutes":
                    today = now().astimezone(link.zone).date()
                    amount = await amount_of_minutes(conn, *place, kept.before, today=today)
                elif kept.what == "logs":
                    amount = await amount_of_arrivals(conn, link.inbox_lane, kept.before)
                days = _("{days} days").format(days=kept.days) if kept.days else _("as long as wanted")
                rows.append([link.path, words[kept.what], days, str(amount.count), str(amount.over)])
        rows += await _digests_kept(conn, settings)
        for association in settings.associations:
            moment = moment_in(association.zone())
            for request in await list_requests(conn, AssociationName(association.name)):
                state = (
                    _("done") if request.done_at else _("under way") if request.confirmed_at else _("to be confirmed")
                )
                sentence = _("Request no. {number} of {at}: {kind}, {state}.")
                kind = _("erasure") if request.kind == "erase" else _("access")
                lines.append(sentence.format(number=request.id, at=moment(request.asked_at), kind=kind, state=state))
    return rows, lines


async def _digests_kept(conn: AsyncConnection, settings: Settings) -> list[list[str]]:
    """Of each association its readers' digests, and of each link whose room is summed up these summaries."""
    rows: list[list[str]] = []
    for association in settings.associations:
        name = AssociationName(association.name)
        kept = [link.archive.retention for link in association.links]
        places = [(name, None, kept), *((f"{name}/{k.name}", k.name, [k.archive.retention]) for k in association.links)]
        for path, link, limits in places:
            before = digests_before(limits, now())
            amount = await amount_of_digests(conn, name, LinkName(link) if link else None, before)
            if link is None or amount.count:
                shortest = min((one.logs_days for one in limits if one.logs_days), default=0)
                days = _("{days} days").format(days=shortest) if shortest else _("as long as wanted")
                rows.append([path, _("digests"), days, str(amount.count), str(amount.over)])
    return rows


async def _post(ctx: FlowContext, association: AssociationSettings, which: str) -> PostId:
    async with ctx.store.read() as conn:
        found = await find_posts_called(conn, AssociationName(association.name), which.strip().strip("<>"))
    if not found:
        raise Unclear(_("There is no such post."))
    if len(found) > 1:
        raise Unclear(
            _("Several posts are meant; say which by number: {numbers}.").format(numbers=", ".join(map(str, found)))
        )
    return found[0]
