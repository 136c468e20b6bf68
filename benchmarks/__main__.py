"""``python -m benchmarks [--quick]``: the bridge's four ratios, the archive's figures and digests', on this machine."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.archive import PARTS, measure_archive
from benchmarks.backlog import measure_backlog
from benchmarks.departures import measure_departures
from benchmarks.digests import ASSOCIATIONS, PART, QUICK_ASSOCIATIONS, measure_digests, table_of_digests
from benchmarks.figures import Figure, table_of
from benchmarks.latency import measure_latency
from benchmarks.mails import MailMaker
from benchmarks.memory import memory_figure
from benchmarks.town import found_bench
from lab.process import REPOSITORY

#: Of the archive's figures.
MAILS, QUICK_MAILS = 100_000, 10_000
#: Until a daemon that was just started is idle.
SETTLE_SECONDS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """How much is measured."""

    lists: int
    latency_samples: int
    backlog_mails: int
    departing_events: int
    slices: int


WHOLE = Scale(lists=20, latency_samples=80, backlog_mails=2000, departing_events=2000, slices=5)
QUICK = Scale(lists=20, latency_samples=8, backlog_mails=200, departing_events=200, slices=2)


async def measure(scale: Scale, letters: str, folder: Path, say: Console) -> list[Figure]:
    """Start everything under `folder`, measure the figures of these letters one after the other, stop everything."""
    figures: list[Figure] = []

    def measured(*new: Figure) -> None:
        figures.extend(new)
        for figure in new:
            say.print(f"({figure.letter}) {figure.ratio:.2f}: {' '.join(figure.notes)}")

    say.print("Starting Synapse, IMAP, SMTP and the daemon…")
    async with found_bench(folder, scale.lists) as bench:
        mails = MailMaker(seed=1)
        await asyncio.sleep(SETTLE_SECONDS)
        idle_kib = bench.resident_kib()
        if "a" in letters:
            say.print("(a) latency…")
            measured(await measure_latency(bench, mails, samples=scale.latency_samples, scratch=folder))
        if "b" in letters or "d" in letters:
            say.print("(b) backlog, (d) memory…")
            backlog = await measure_backlog(bench, mails, total=scale.backlog_mails, slices=scale.slices)
            measured(backlog, memory_figure(idle_kib, bench.resident_kib()))
        if "c" in letters:
            say.print("(c) departures…")
            measured(await measure_departures(bench, total=scale.departing_events, slices=scale.slices))
    return sorted(figures, key=lambda figure: figure.letter)


def main(
    quick: Annotated[bool, typer.Option("--quick", help="A tenth of everything: does it work?")] = False,
    only: Annotated[
        str, typer.Option("--only", metavar="WHICH", help="Only these figures: bd, or import,search,pages,digests.")
    ] = "abcd,import,search,pages,digests",
    mails: Annotated[int, typer.Option("--mails", help="Mails of the archive's figures; 0: as usual.")] = 0,
    times: Annotated[int, typer.Option("--times", help="Searches and pages of an archive so many times as large.")] = 1,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the servers' folders and logs.")] = False,
) -> None:
    """Measure Passerelle against the bare work that no bridge avoids, on real servers on loopback.

    Example: python -m benchmarks --quick
    """
    say = Console(stderr=True)
    (REPOSITORY / ".state").mkdir(exist_ok=True)
    # Not under /tmp, which may be memory: a durable commit shall cost what it costs.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=REPOSITORY / ".state"))
    out = Console()
    # Into a file or a log, a table of 80 columns would be a column of words.
    out = out if out.is_terminal else Console(width=150)
    words = only.split(",")
    parts = [word for word in words if word in PARTS]
    letters = "".join(word for word in words if word not in (*PARTS, PART))
    try:
        if letters:
            out.print(table_of(asyncio.run(measure(QUICK if quick else WHOLE, letters, folder, say))))
        if parts:
            count = mails or (QUICK_MAILS if quick else MAILS)
            measure_archive(parts, mails=count, folder=folder, say=say, out=out, times=times)
        if PART in words:
            out.print(table_of_digests(measure_digests(folder, QUICK_ASSOCIATIONS if quick else ASSOCIATIONS, say)))
    finally:
        if keep:
            say.print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
