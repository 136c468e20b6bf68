"""`passerelle backup` and `passerelle restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from passerelle import config
from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, err, load, out
from passerelle.cli.opened import now, opened
from passerelle.core.settings import Settings
from passerelle.i18n import _
from passerelle.store.backup import backup_sqlite, mark_restored, restore_sqlite


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help=_("The new file; nothing is overwritten."))],
    file: ConfigOption = DEFAULT_CONFIG,
) -> None:
    settings = load(file)
    with _progress() as progress:
        task = progress.add_task(_("Copying"), total=None)
        asyncio.run(
            backup_sqlite(
                config.store_url(settings.store),
                target,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        )
    out().print(
        Text(_("The backup is in {file}. It holds mails and keys: keep it as safe as the store.").format(file=target))
    )


def restore(
    source: Annotated[
        Path | None, typer.Argument(metavar="FILE", help=_("The backup. Stop the daemon before."))
    ] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help=_("Replace the store that is there."))] = False,
    mark: Annotated[
        bool,
        typer.Option("--mark", help=_("For PostgreSQL, after pg_restore: only note that the store is a backup.")),
    ] = False,
) -> None:
    if (source is None) != mark:
        raise typer.BadParameter(_("give either a backup or --mark"))
    settings = load(file)
    if source is None:
        asyncio.run(_mark(settings))
    else:
        with _progress() as progress:
            progress.add_task(_("Putting the backup back"), total=None)
            asyncio.run(restore_sqlite(source, config.store_url(settings.store), now(), force=force))
    out().print(Text(_("Done. The next start of the daemon looks at what left meanwhile, so that nothing goes twice.")))


async def _mark(settings: Settings) -> None:
    async with opened(settings) as store, store.write() as conn:
        await mark_restored(conn, now())


def _progress() -> Progress:
    """A bar at a terminal, nothing in a log."""
    console = err()
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
