"""`passerelle archive export`: the archive as files, for other programs, for a browser, for safety."""

import asyncio
from datetime import UTC, date, datetime, time
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out
from passerelle.cli.opened import now, opened
from passerelle.core.links import Link, Links
from passerelle.core.settings import Settings
from passerelle.exports.export import export_archive, write_edits
from passerelle.exports.exported import FORMATS, Counts, Exported, Format, Order, Period, Writer
from passerelle.exports.folder import ExportFolder
from passerelle.exports.json_lines import FORMAT, JsonLinesWriter
from passerelle.exports.mailboxes import MaildirWriter, MboxrdWriter
from passerelle.exports.offline import OfflineWriter
from passerelle.i18n import _
from passerelle.render import Renderer
from passerelle.store.export import BEGINNING, END
from passerelle.wiring import renderer_for


def export(
    what: Annotated[
        str, typer.Argument(metavar="ASSOCIATION[/LINK]", help=_("What to export, for instance epeule/bureau."))
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help=_("The new folder."))],
    file: ConfigOption = DEFAULT_CONFIG,
    formats: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="FORMAT", help=_("mboxrd, maildir, jsonl or offline; several, or all.")),
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", formats=["%Y-%m-%d"], help=_("The first day, as 2025-09-01."))
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", formats=["%Y-%m-%d"], help=_("The first day that is left out, as 2026-09-01.")),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=_("Replace the folder where it is not empty."))] = False,
) -> None:
    settings = load(file)
    links = [link for link in Links(settings) if what in (link.association.name, link.path)]
    if not links:
        err().print(_("There is no association or link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    zone = links[0].zone
    order = Order(
        links=links,
        formats=_chosen(formats),
        period=Period(since=_midnight(since, zone, BEGINNING[0]), until=_midnight(until, zone, END)),
    )
    counts = asyncio.run(_export(settings, order, to, force))
    sentence = _("{posts} posts are in {folder}: {emails} mails, {lines} lines of the room, {files} files.")
    values = {"posts": counts.posts, "emails": counts.emails, "lines": counts.lines, "files": counts.files}
    out().print(Text(sentence.format(folder=to, **values)))
    out().print(
        Text(_("It holds private mails: keep it as safe as the store. `sha256sum --check SHA256SUMS` tests it."))
    )
    if "offline" in order.formats:
        out().print(Text(_("To read it, open {file} in a browser.").format(file=to / "index.html")))


def _chosen(formats: list[str] | None) -> tuple[Format, ...]:
    chosen = tuple(f for f in FORMATS if not formats or f in formats)
    if unknown := sorted(set(formats or ()) - set(FORMATS)):
        raise typer.BadParameter(_("there is no format {name}; there is {all}").format(
            name=", ".join(unknown), all=", ".join(FORMATS)
        ))  # fmt: skip
    return chosen


def _midnight(day: date | None, zone: Any, otherwise: datetime) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC) if day else otherwise


async def _export(settings: Settings, order: Order, to: Path, force: bool) -> Counts:
    association = order.links[0].association
    renderer = renderer_for(association)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = err()
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    async with opened(settings) as store:
        with ExportFolder(to, replace=force) as folder, progress:
            task = progress.add_task(_("Exporting"), total=None)
            counts = await export_archive(
                store,
                folder,
                order,
                writers=_writers(folder, order, renderer),
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
            if "jsonl" in order.formats:
                await write_edits(store, folder, order.links)
            folder.write(renderer.words("export_readme_name"), renderer.render("offline/readme").encode())
            folder.finish(_manifest(order, counts))
    return counts


def _writers(folder: ExportFolder, order: Order, renderer: Renderer) -> list[Writer]:
    words = renderer.words

    def room_author(name: str) -> str:
        return words("room_author", name=name or words("room_member"))

    def author_of(exported: Exported) -> str:
        post = exported.post
        if post.side == "room":
            return room_author(post.author_name)
        return post.author_name or words("list_member")

    made: dict[Format, Any] = {
        "mboxrd": lambda: MboxrdWriter(folder, room_author=room_author),
        "maildir": lambda: MaildirWriter(folder, room_author=room_author),
        "jsonl": lambda: JsonLinesWriter(folder),
        "offline": lambda: OfflineWriter(
            folder,
            association=order.links[0].association,
            renderer=renderer,
            made_at=now(),
            author_of=author_of,
        ),
    }
    return [made[format]() for format in order.formats]


def _manifest(order: Order, counts: Counts) -> dict[str, Any]:
    def day(at: datetime) -> str | None:
        return None if at in (BEGINNING[0], END) else at.isoformat()

    return {
        "made_by": f"Passerelle {version('passerelle')}",
        "made_at": now().isoformat(timespec="seconds"),
        "format": FORMAT,
        "formats": list(order.formats),
        "links": [_link(link) for link in order.links],
        "since": day(order.period.since),
        "until": day(order.period.until),
        "posts": counts.posts,
        "emails": counts.emails,
        "lines": counts.lines,
        "tombstones": counts.tombstones,
        "files": counts.files,
        "line_end_added_in_mbox": counts.mended_in_mbox,
    }


def _link(link: Link) -> dict[str, str]:
    return {"path": link.path, "list": link.list_address, "room": link.settings.room}
