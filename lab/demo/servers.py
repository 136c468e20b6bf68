"""Starting the servers with progress on the terminal, and the one state folder that everything stands in."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from lab.association import Town
from lab.process import LabError, Server

MARK = ".demonstration"
#: The name by which the members' mail server says who sent a mail; the bridge believes no other.
AUTHSERV_ID = "mail.lab.test"


class StateFolder:
    """The folder of one running demonstration: emptied at the start, kept at the end for who wants to look."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: IO[str] | None = None

    def __enter__(self) -> Path:
        mark = self.path / MARK
        if self.path.exists() and any(self.path.iterdir()) and not mark.exists():
            raise LabError(f"{self.path} n’est pas vide et n’est pas à nous : choisissez un autre dossier.")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = mark.open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise LabError(f"Une démonstration tourne déjà dans {self.path}.") from None
        for entry in self.path.iterdir():
            if entry.name != MARK:
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        return self.path

    def __exit__(self, *_: object) -> None:
        if self._lock is not None:
            self._lock.close()


class StartingTown(Town):
    """The town, which says of each server that it starts and how long that took."""

    def __init__(self, state: Path, console: Console) -> None:
        super().__init__(state)
        self._console = console

    async def __aenter__(self) -> Self:
        """Start; when cancelled meanwhile, what has begun to start is stopped at once."""
        started = asyncio.create_task(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(started)
        except asyncio.CancelledError:
            # A start that waits gives up when its server ends; one that had not begun is undone by the second stop.
            await asyncio.to_thread(self.stop)
            with contextlib.suppress(LabError):
                await started
            await asyncio.to_thread(self.stop)
            raise

    def start(self) -> None:
        """Start all four, side by side, each on a line of its own."""
        servers: dict[str, Server] = {
            "Synapse, le serveur Matrix": self.synapse,
            "Mailman, le serveur de listes": self.mailman,
            "pymap, les boîtes à lettres (IMAP)": self.imap,
            "aiosmtpd, le courrier (SMTP)": self.mail,
        }
        with starting(self._console) as progress, ThreadPoolExecutor(len(servers)) as pool:
            for started in [pool.submit(start_shown, progress, name, server) for name, server in servers.items()]:
                started.result()
        self.wire()

    def wire(self) -> None:
        """Tell the mail server where the lists are; it vouches for senders, as those of providers do."""
        super().wire()
        self.mail.vouch(AUTHSERV_ID)


def starting(console: Console) -> Progress:
    """Return an empty display of servers that start."""
    return Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def start_shown(progress: Progress, name: str, server: Server) -> None:
    """Start one server; its line turns, then a line stays that says how long it took."""
    task, began = progress.add_task(name, total=1), time.monotonic()
    server.start()
    progress.remove_task(task)
    seconds = f"{time.monotonic() - began:.1f}".replace(".", ",")
    progress.console.print(f"  [green]✓[/] {name} [dim]({seconds}\u00a0s)[/]", highlight=False)
