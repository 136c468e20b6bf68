"""``python -m lab.demo [--once] [--state FOLDER] [--picture FILE]``; ``make demo`` and ``make picture`` call it."""

from __future__ import annotations

import argparse
import asyncio
import io
import locale
import os
import signal
import sys
from pathlib import Path

from rich.console import Console

from lab.demo.performance import Wishes, perform
from lab.demo.servers import StateFolder
from lab.demo.typography import PLAINLY, FrenchOutput
from lab.process import REPOSITORY, LabError

STOPPED = 130


def main() -> int:
    """Run it; return 0, 1 where a check failed, 2 where it could not be played, 130 where it was stopped amid it."""
    parser = argparse.ArgumentParser(prog="python -m lab.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="check every post on both sides, then end")
    parser.add_argument(
        "--state", type=Path, default=REPOSITORY / ".state" / "demo", help="the one folder it writes to"
    )
    parser.add_argument("--picture", type=Path, help="also draw what was seen, as SVG")
    given = parser.parse_args()
    _write_files_in_utf8()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=PLAINLY)
    console = Console(file=FrenchOutput(sys.stdout).as_file())
    try:
        with StateFolder(given.state) as state:
            wishes = Wishes(once=given.once, state=state, picture=given.picture)
            return asyncio.run(_until_stopped(console, wishes))
    except LabError as error:
        console.print(f"[bold red]La démonstration n’a pas pu aller au bout.[/]\n{error}", highlight=False)
        return 2


def _write_files_in_utf8() -> None:
    """Begin anew in Python's UTF-8 mode where the locale is another: servers read what we write, terminals do not."""
    if not sys.flags.utf8_mode and locale.getpreferredencoding(False).lower() not in ("utf-8", "utf8"):
        os.environ |= {"PYTHONUTF8": "1", "PYTHONIOENCODING": sys.stdout.encoding}
        os.execv(sys.executable, [sys.executable, "-m", "lab.demo", *sys.argv[1:]])
    os.environ.pop("PYTHONIOENCODING", None)


async def _until_stopped(console: Console, wishes: Wishes) -> int:
    """Perform, and stop in good order at the first Ctrl-C, SIGTERM or closed terminal."""
    performance = asyncio.create_task(perform(console, wishes))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Only the first counts: the stopping itself is not to be interrupted.
        loop.add_signal_handler(number, _cancel_once, performance, console)
    try:
        code = await performance
    except asyncio.CancelledError:
        code = STOPPED
    console.print(f"Tout est arrêté. Les journaux restent dans {wishes.state}.", style="dim", highlight=False)
    return code


def _cancel_once(performance: asyncio.Task[int], console: Console) -> None:
    if not performance.cancelling():
        console.print("\nUn instant : tout s’arrête…", style="bold", highlight=False)
        performance.cancel()


if __name__ == "__main__":
    sys.exit(main())
