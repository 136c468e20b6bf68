"""The archive's import, measured beside notmuch and public-inbox where they are installed: the same made-up mails.

`python -m benchmarks.archive_import FOLDER MBOX` is the process that is measured: it imports into a new store.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from benchmarks.archive_mails import LIST_ADDRESS, LIST_PREFIX, ArchiveMaker
from lab.process import REPOSITORY
from passerelle.core.settings import Settings
from passerelle.flows.context import FlowContext
from passerelle.flows.import_mails import import_mails
from passerelle.imports.mbox import MboxFile
from passerelle.store.engine import Store
from passerelle.store.imports import NewImportRun, end_import_run, insert_import_run
from passerelle.wiring import build_context

#: What issue 3 wants, and what a machine like ours can do at the most (shared/MEASURED.md).
AIM_PER_CPU_SECOND = 2_500
LIMIT_PER_CPU_SECOND = 5_600

_PUBLIC_INBOX = """
use strict; use PublicInbox::InboxWritable;
my ($dir, $mbox, $address) = @ARGV;
my $inbox = { inboxdir => $dir, name => 'past', version => 2, address => [$address], -primary_address => $address,
  indexlevel => 'full' };
$inbox = PublicInbox::InboxWritable->new($inbox, { nproc => 2 });
$inbox->init_inbox(2);
open my $in, '<', $mbox or die $!;
$inbox->import_mbox($in, 'mboxrd');
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """What one program made of the mails."""

    name: str
    mails: int
    #: Of the whole process tree.
    cpu_seconds: float
    seconds: float
    bytes_on_disk: int
    #: Of its largest process.
    most_memory_mib: int

    @property
    def per_cpu_second(self) -> float:
        return self.mails / self.cpu_seconds

    @property
    def bytes_a_mail(self) -> float:
        return self.bytes_on_disk / self.mails


def settings_in(folder: Path) -> Settings:
    """The configuration of one association whose store is in `folder`."""
    server = {"host": "127.0.0.1", "port": 1, "tls": "none"}
    link = {
        "name": "quartier",
        "list": {"address": LIST_ADDRESS, "subject_prefix": LIST_PREFIX},
        "room": "!quartier:bench.test",
    }
    return Settings.model_validate(
        {
            "store": {"url": f"sqlite:///{folder}/archive.db"},
            "matrix": {"homeserver": "http://127.0.0.1:1", "user_id": "@passerelle:bench.test"},
            "mailboxes": [{"address": "passerelle@bench.test", "imap": server, "smtp": server}],
            "web": {"url": "http://127.0.0.1:1", "port": 0},
            "associations": [
                {
                    "name": "epeule",
                    "title": "Comité de quartier",
                    "coordinators": [{"name": "Monique", "address": "monique@bench.test"}],
                    "links": [link],
                }
            ],
        }
    )


async def open_archive(folder: Path, *, exclusive: bool) -> tuple[Store, FlowContext]:
    """The store of a measured import, and what flows are given."""
    settings = settings_in(folder)
    store = await Store.open(settings.store.url, exclusive=exclusive)
    return store, build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)


async def _import(folder: Path, mbox: Path) -> None:
    # The daemon makes a store, and does not run just now: as on the day on which an association takes in its past.
    await (await open_archive(folder, exclusive=True))[0].close()
    store, ctx = await open_archive(folder, exclusive=False)
    try:
        link = next(iter(ctx.links))
        new = NewImportRun(
            association=link.association_name,
            link=link.name,
            side="list",
            source=str(mbox),
            format="mbox",
            started_at=datetime.now(UTC),
        )
        async with store.write() as conn:
            id = await insert_import_run(conn, new)
        await import_mails(ctx, link, id, MboxFile(mbox, "mboxrd"), on_progress=lambda _: None)
        async with store.write() as conn:
            await end_import_run(conn, id, datetime.now(UTC))
    finally:
        await store.close()


def measure_passerelle(folder: Path, mbox: Path, mails: int) -> Import:
    """Import into a new store below `folder`, where it stays."""
    command = [sys.executable, "-m", "benchmarks.archive_import", str(folder), str(mbox)]
    cpu, seconds, memory = _measured(command)
    size = sum(path.stat().st_size for path in folder.glob("archive.db*"))
    return Import(
        name="Passerelle", mails=mails, cpu_seconds=cpu, seconds=seconds, bytes_on_disk=size, most_memory_mib=memory
    )


def measure_peers(folder: Path, mbox: Path, mails: int, *, seed: int) -> list[Import]:
    """The same with the peers that this machine has, and with the least that a program could do."""
    found = [_floor(folder, mbox, mails)]
    if shutil.which("notmuch"):
        found.append(_notmuch(folder / "notmuch", mails, seed=seed))
    if shutil.which("public-inbox-init"):
        found.append(_public_inbox(folder / "public-inbox", mbox, mails))
    return found


def _floor(folder: Path, mbox: Path, mails: int) -> Import:
    store = folder / "floor.db"
    cpu, seconds, memory = _measured([sys.executable, "-m", "benchmarks.archive_floor", str(mbox), str(store)])
    size = store.stat().st_size
    return Import(
        name="bare floor", mails=mails, cpu_seconds=cpu, seconds=seconds, bytes_on_disk=size, most_memory_mib=memory
    )


def _notmuch(folder: Path, mails: int, *, seed: int) -> Import:
    """`notmuch new` over a folder of files; the files are not counted as its own."""
    for sub in ("cur", "new", "tmp"):
        (folder / "mails" / sub).mkdir(parents=True)
    for number, raw in enumerate(ArchiveMaker(seed=seed, count=mails).mails()):
        (folder / "mails" / "cur" / f"{number:07d}:2,S").write_bytes(raw)
    config = folder / "config"
    config.write_text(
        f"[database]\npath={folder}/mails\n[user]\nname=Bench\nprimary_email=bench@bench.test\n[new]\ntags=\n"
    )
    cpu, seconds, memory = _measured(["notmuch", f"--config={config}", "new", "--quiet"])
    size = _size(folder / "mails" / ".notmuch")
    return Import(
        name="notmuch (index alone)",
        mails=mails,
        cpu_seconds=cpu,
        seconds=seconds,
        bytes_on_disk=size,
        most_memory_mib=memory,
    )


def _public_inbox(folder: Path, mbox: Path, mails: int) -> Import:
    folder.mkdir(parents=True)
    cpu, seconds, memory = _measured(["perl", "-e", _PUBLIC_INBOX, str(folder / "v2"), str(mbox), LIST_ADDRESS])
    size = _size(folder / "v2")
    return Import(
        name="public-inbox (v2)",
        mails=mails,
        cpu_seconds=cpu,
        seconds=seconds,
        bytes_on_disk=size,
        most_memory_mib=memory,
    )


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _measured(command: Sequence[str]) -> tuple[float, float, int]:
    """Processor seconds of a command and all that it started, seconds, MiB of its largest process."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - began, usage.ru_maxrss // 1024


def table_of_imports(imports: Sequence[Import], mean_bytes: float) -> Table:
    """The figures for a terminal."""
    title = f"Import and index of {imports[0].mails:,} mails of {mean_bytes:,.0f} bytes"
    table = Table(title=title)
    for name in ("", "mails/CPU-s", "CPU-s", "seconds", "bytes on disk a mail", "memory (MiB)"):
        table.add_column(name, justify="right" if name else "left")
    for one in imports:
        table.add_row(
            one.name,
            f"{one.per_cpu_second:,.0f}",
            f"{one.cpu_seconds:.1f}",
            f"{one.seconds:.1f}",
            f"{one.bytes_a_mail:,.0f}",
            str(one.most_memory_mib),
        )
    return table


if __name__ == "__main__":
    asyncio.run(_import(Path(sys.argv[1]), Path(sys.argv[2])))
