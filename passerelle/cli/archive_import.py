"""`passerelle archive import`: the past of a list, or of a room, comes in; it goes on where it was interrupted."""

import asyncio
import csv
import getpass
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from passerelle.cli.archive_import_words import (
    say_beginning,
    say_counts,
    say_dry_run,
    say_interrupted,
    say_refusals,
)
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load
from passerelle.cli.opened import opened
from passerelle.cli.room_past import open_room_past
from passerelle.core.links import Link
from passerelle.core.model import Side
from passerelle.core.settings import Settings
from passerelle.errors import MalformedEvent, PasserelleError
from passerelle.flows.context import FlowContext
from passerelle.flows.import_room_past import import_room_past
from passerelle.i18n import _
from passerelle.imports.detect import FORMATS, Format, open_sources
from passerelle.imports.source import ENCRYPTED, Refused, Source
from passerelle.matrix.events import RoomLine, Undecryptable, parse_event
from passerelle.matrix.past import RoomPast
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.imports import (
    ImportRun,
    NewImportRun,
    RefusalGroup,
    end_import_run,
    find_interrupted_run,
    get_import_run,
    group_import_refusals,
    insert_import_run,
    page_import_refusals,
)
from passerelle.wiring import build_context, resolve_known_rooms

_EXAMPLES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Order:
    """What was asked for."""

    link: str
    paths: list[Path]
    format: Format | None
    side: Side
    is_dry: bool
    restart: bool
    report: Path | None


def import_(  # noqa: PLR0913 - a command has its options
    link: Annotated[str, typer.Argument(metavar="LINK", help=_("The link, for instance epeule/bureau."))],
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH…", help=_("Archives: files or folders. For a room: none."))
    ] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    format: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help=_("What they are, where that is not found out."))
    ] = None,
    side: Annotated[
        str, typer.Option("--side", metavar="SIDE", help=_("Whose past: list, or room (from the homeserver)."))
    ] = "list",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only read and count. Nothing is stored."))] = False,
    restart: Annotated[
        bool, typer.Option("--restart", help=_("Read from the beginning again. What is known is not taken twice."))
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help=_("Write all that was refused to a CSV file."))
    ] = None,
) -> None:
    if format is not None and format not in FORMATS:
        raise typer.BadParameter(_("there is no format {name}; there is {all}").format(
            name=format, all=", ".join(FORMATS)
        ))  # fmt: skip
    if side not in ("list", "room"):
        raise typer.BadParameter(_("a side is list or room"))
    if (side == "list") != bool(paths):
        raise typer.BadParameter(_("name what to import; a room’s past comes from the homeserver, without a name"))
    order = _Order(
        link=link,
        paths=paths or [],
        format=format,
        side=cast(Side, side),
        is_dry=dry_run,
        restart=restart,
        report=report,
    )
    try:
        asyncio.run(_import(load(file), order))
    except KeyboardInterrupt:
        say_interrupted()
        raise typer.Exit(PROBLEM) from None


async def _import(settings: Settings, order: _Order) -> None:
    if order.is_dry and order.side == "list":
        source, formats = open_sources(order.paths, order.format)
        _dry_run(source, formats, order.report)
        return
    async with _told_link(settings, order.link) as (ctx, link):
        if order.side == "room":
            await _import_room(ctx, link, order)
        else:
            source, formats = open_sources(order.paths, order.format)
            await _import_mails(ctx, link, order, source, formats)


@asynccontextmanager
async def _told_link(settings: Settings, path: str) -> AsyncIterator[tuple[FlowContext, Link]]:
    """The link, beside whatever runs on its store. Raises PasserelleError where there is none."""
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        link = ctx.links.find(path)
        if link is None:
            raise PasserelleError(_("There is no link of this name. `passerelle status` lists them."))
        yield ctx, link


async def _import_mails(ctx: FlowContext, link: Link, order: _Order, source: Source, formats: str) -> None:
    # Its processes and dictionaries are nothing for the other commands to load.
    from passerelle.flows.import_mails import import_mails

    new = _new_run(ctx, link, order, source=source.name, format=formats)
    run = await _run_of(ctx, new, restart=order.restart)
    say_beginning(link, order.side, what=formats, run=run)

    async def work() -> None:
        with _bar(source.total_bytes) as update:
            await import_mails(ctx, link, run.id, source, on_progress=lambda _outcome: update(source.bytes_done))

    await _to_its_end(ctx, run, order, work)


async def _import_room(ctx: FlowContext, link: Link, order: _Order) -> None:
    async with open_room_past(ctx, link) as (room_id, past):
        if order.is_dry:
            lines, encrypted = await _count_lines(past)
            groups = [RefusalGroup(reason=ENCRYPTED, count=encrypted, examples=())] if encrypted else []
            say_dry_run(lines, room_id, groups)
            return
        run = await _run_of(ctx, _new_run(ctx, link, order, source=room_id, format="room"), restart=order.restart)
        say_beginning(link, order.side, what=room_id, run=run)
        clock = _InTime(ctx.now().timestamp())

        async def work() -> None:
            with _bar(clock.whole) as update:

                def progressed(_run: ImportRun, said_at: datetime | None) -> None:
                    update(clock.done(said_at))

                await import_room_past(ctx, link, run.id, past, on_progress=progressed)

        await _to_its_end(ctx, run, order, work)


class _InTime:
    """How far we are in a room's past: nobody says how long it is, but its events say when they were said."""

    whole = 1000

    def __init__(self, end: float) -> None:
        self._begin, self._end, self._done = end, end, 0

    def done(self, said_at: datetime | None) -> int:
        if said_at is not None:
            at = said_at.timestamp()
            self._begin = min(self._begin, at)
            past = (at - self._begin) / max(self._end - self._begin, 1.0)
            self._done = max(self._done, int(self.whole * past))
        return self._done


async def _count_lines(past: RoomPast) -> tuple[int, int]:
    """How many lines a room's past has, and how many events of it are encrypted and cannot be read."""
    lines = encrypted = 0
    async for page in past.pages(None):
        for event in page.events:
            try:
                parsed = parse_event(event)
            except MalformedEvent:
                continue
            lines += isinstance(parsed, RoomLine) and not parsed.is_notice
            encrypted += isinstance(parsed, Undecryptable)
    return lines, encrypted


def _new_run(ctx: FlowContext, link: Link, order: _Order, *, source: str, format: str) -> NewImportRun:
    return NewImportRun(
        association=link.association_name,
        link=link.name,
        side=order.side,
        source=source,
        format=format,
        started_at=ctx.now(),
    )


async def _run_of(ctx: FlowContext, new: NewImportRun, *, restart: bool) -> ImportRun:
    """The run that was interrupted, to go on with; a new one otherwise, or where it shall begin again."""
    async with ctx.store.write() as conn:
        interrupted = await find_interrupted_run(conn, new)
        if interrupted is not None and restart:
            await end_import_run(conn, interrupted.id, ctx.now())
        if interrupted is not None and not restart:
            return interrupted
        return await get_import_run(conn, await insert_import_run(conn, new))


async def _to_its_end(ctx: FlowContext, run: ImportRun, order: _Order, work: Callable[[], Awaitable[None]]) -> None:
    """Do the work, and say what came of it, also where it is not at its end."""
    try:
        await work()
        async with ctx.store.write() as conn:
            await end_import_run(conn, run.id, ctx.now())
            await insert_act(conn, _act_of(ctx, await get_import_run(conn, run.id)))
    finally:
        async with ctx.store.read() as conn:
            say_counts(await get_import_run(conn, run.id))
            groups = await group_import_refusals(conn, run.id, examples=_EXAMPLES)
            say_refusals(groups)
            if order.report is not None:
                with _csv(order.report) as row:
                    after, page = 0, None
                    while page is None or page:
                        page, after = await page_import_refusals(conn, run.id, after=after)
                        for one in page:
                            row(one.place, one.reason)


def _act_of(ctx: FlowContext, run: ImportRun) -> NewAct:
    """All participants can read that a past was brought in, and by whom (PEOPLE 15)."""
    return NewAct(
        association=run.association,
        link=run.link,
        by=getpass.getuser(),
        what="import",
        about={"run": run.id, "side": run.side, "imported": run.imported, "refused": run.refused},
        at=ctx.now(),
    )


def _dry_run(source: Source, formats: str, report: Path | None) -> None:
    """Read all of it and count."""
    mails, reasons, examples = 0, Counter[str](), dict[str, list[str]]()
    with _bar(source.total_bytes) as update, _csv(report) as row:
        for one in source.read(None):
            if isinstance(one, Refused):
                reasons[one.reason] += 1
                if reasons[one.reason] <= _EXAMPLES:
                    examples.setdefault(one.reason, []).append(one.place)
                row(one.place, one.reason)
            else:
                mails += 1
            if (mails + reasons.total()) % 500 == 0:
                update(source.bytes_done)
    groups = [
        RefusalGroup(reason=reason, count=count, examples=tuple(examples[reason]))
        for reason, count in reasons.most_common()
    ]
    say_dry_run(mails, formats, groups)


@contextmanager
def _csv(path: Path | None) -> Iterator[Callable[[str, str], None]]:
    """Writes places and reasons to a file; nothing where there is none."""
    if path is None:
        yield lambda _place, _reason: None
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([_("Where"), _("Why")])
        yield lambda place, reason: writer.writerow([place, _(reason)])


@contextmanager
def _bar(total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar with an estimate at a terminal, nothing in a log."""
    console = err()
    columns = (
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(_("Importing"), total=total)
        yield lambda done: progress.update(task, completed=done)
