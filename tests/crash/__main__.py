"""`make crash`: 200 random kills of the real daemon under load in both directions; then every copy is counted.

    python -m tests.crash --kills 20 --minutes 5 --seed 7

Ends with 1 if a post was lost, doubled or went astray on either side.
"""

from __future__ import annotations

import asyncio
import random as randomness
import tempfile
import time
from pathlib import Path
from random import Random
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from lab.association import Town
from lab.audit import settle
from lab.daemon import Daemon
from lab.ledger import Findings
from tests.crash.killer import Death, Killer
from tests.crash.load import Load
from tests.crash.plumbing import Plumbed, plumb

_console = Console(highlight=False)
#: On a busy machine the list server alone may have minutes of mail left to send out.
_SETTLES_WITHIN_SECONDS = 900
#: Where no bar can be drawn, a line is written now and then.
_LINE_EVERY = 10


def main(
    kills: Annotated[int, typer.Option(min=1, help="How many times the daemon is killed.")] = 200,
    minutes: Annotated[float, typer.Option(help="Killing ends after this, however many there were.")] = 60,
    seed: Annotated[int | None, typer.Option(help="The same seed chooses the same moments and words.")] = None,
    links: Annotated[int, typer.Option(min=1, max=5, help="Lists and rooms in the one daemon.")] = 3,
    state: Annotated[Path | None, typer.Option(help="Folder for stores and logs; kept.")] = None,
) -> None:
    """Kill the daemon again and again while people talk on both sides, and count every copy."""
    chosen = seed if seed is not None else randomness.randrange(1_000_000)
    folder = state or Path(tempfile.mkdtemp(prefix="passerelle-crash-"))
    _console.print(f"Seed {chosen}; stores and logs in {folder}")
    findings, enough = asyncio.run(_run(folder, kills=kills, minutes=minutes, seed=chosen, links=links))
    raise typer.Exit(1 if findings or not enough else 0)


async def _run(folder: Path, *, kills: int, minutes: float, seed: int, links: int) -> tuple[Findings, bool]:
    with _console.status("Starting the servers and founding the association …"):
        town = Town(folder / "town")
        await town.__aenter__()
    try:
        with _console.status("Confirming the links …"):
            plumbed = await plumb(town, folder / "daemon", links)
        killer = Killer(configuration=plumbed.configuration, random=Random(seed))
        await _kill_under_load(plumbed, killer, kills=kills, minutes=minutes, seed=seed)
        with _console.status("Everything settles, and is counted …"):
            async with Daemon(plumbed.configuration):
                findings = await settle(plumbed.witnessed, plumbed.store, deadline_seconds=_SETTLES_WITHIN_SECONDS)
    finally:
        await town.__aexit__(None, None, None)
    _report(plumbed, killer, findings)
    return findings, len(killer.deaths) >= kills


async def _kill_under_load(plumbed: Plumbed, killer: Killer, *, kills: int, minutes: float, seed: int) -> None:
    loads = [
        Load(talk, Random(f"{seed} {talk.ledger.name}"), pause_seconds=len(plumbed.talks)) for talk in plumbed.talks
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        bar = progress.add_task("kills", total=kills)

        def note(death: Death) -> None:
            how = "at" if death.at_step else "some time after"
            posts = sum(len(talk.ledger.mails) + len(talk.ledger.lines) for talk in plumbed.talks)
            progress.update(bar, advance=1, description=f"killed {how} {death.after}; {posts} posts so far")
            if not _console.is_terminal and len(killer.deaths) % _LINE_EVERY == 0:
                print(f"{len(killer.deaths)} kills, the last {how} {death.after}; {posts} posts", flush=True)

        async with asyncio.TaskGroup() as group:
            for load in loads:
                group.create_task(load.run())
            await killer.kill_many(kills, time.monotonic() + minutes * 60, note)
            for load in loads:
                load.stop()


def _report(plumbed: Plumbed, killer: Killer, findings: Findings) -> None:
    table = Table("the last step that the daemon had reached", "killed at it", "killed at a moment after it")
    for step, at, after in killer.histogram():
        table.add_row(step, str(at), str(after))
    _console.print(table)
    mails = sum(len(talk.ledger.mails) for talk in plumbed.talks)
    lines = sum(len(talk.ledger.lines) for talk in plumbed.talks)
    lived = sum(death.lived_seconds for death in killer.deaths)
    _console.print(
        f"{len(killer.deaths)} kills in {lived / 60:.1f} minutes of life; {mails} mails, {lines} lines, "
        f"{len(plumbed.talks)} links: lost {len(findings.lost)}, doubled {len(findings.doubled)}, "
        f"astray {len(findings.astray)}"
    )
    if findings:
        _console.print(str(findings))


if __name__ == "__main__":
    typer.run(main)
