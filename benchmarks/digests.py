"""All weekly digests of thousands of associations on one machine, chosen, rendered and queued: what that takes.

`python -m benchmarks.digests URL COUNT` is a process that is measured: it makes what is due and prints how that went.
On SQLite there is one, as there is one daemon; on PostgreSQL there are one and then two, which share the work.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

import lab.postgres
from benchmarks.digest_towns import DUE, POSTS, fill, settings_of
from lab.postgres import Postgres
from lab.process import REPOSITORY
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_send import send_digests
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.store.digest_tables import digest
from passerelle.store.engine import Store
from passerelle.store.tables import outbox
from passerelle.wiring import build_context

#: What `--only` takes for these.
PART = "digests"
SEED = 1
ASSOCIATIONS, QUICK_ASSOCIATIONS = 3500, 350
#: The national network of FIELD.md, and what issue 5 wants for it on two cores.
AIM_SECONDS = 60
_LATE = timedelta(seconds=5)
#: How often memory is looked at.
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """What one process did."""

    digests: int
    seconds: float
    cpu_seconds: float
    #: With the configuration read and the store open; when a tenth of the time had passed; at the most (KiB).
    idle_kib: int
    early_kib: int
    most_kib: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """All digests of a store, by one process or several at once."""

    name: str
    seconds: float
    workers: tuple[Made, ...]
    #: Of the database's own processes; 0 where it is inside ours.
    database_cpu_seconds: float = 0.0

    @property
    def digests(self) -> int:
        return sum(one.digests for one in self.workers)

    @property
    def cpu_seconds(self) -> float:
        return sum(one.cpu_seconds for one in self.workers)


# ------------------------------------------------------------ the process that is measured


async def make_all(url: str, count: int) -> Made:
    """Make every digest that is due in a store that was filled."""
    store = await Store.open(url, exclusive=url.startswith("sqlite"))
    ctx = _context(store, url, count, at=DUE + _LATE)
    looks = [_memory_kib("VmRSS")]
    looking = asyncio.create_task(_look(looks))
    try:
        cpu, began = time.process_time(), time.perf_counter()
        made = await send_digests(ctx)
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        await store.close()
    return Made(
        digests=made,
        seconds=seconds,
        cpu_seconds=spent,
        idle_kib=looks[0],
        early_kib=looks[len(looks) // 10],
        # Not ru_maxrss, which begins with what the process had that started this one.
        most_kib=_memory_kib("VmHWM"),
    )


def _context(store: Store, url: str, count: int, *, at: datetime) -> FlowContext:
    built = build_context(settings_of(count, url), store, upload_limit_bytes=lambda: 50_000_000)
    return replace(built, now=lambda: at)


async def _look(looks: list[int]) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        looks.append(_memory_kib("VmRSS"))


def _memory_kib(name: str) -> int:
    """A line of proc_pid_status(5) of this process."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])


# ------------------------------------------------------------ who measures


def measure_digests(folder: Path, count: int, say: Console) -> list[Round]:
    """On SQLite below `folder`; then on PostgreSQL, where the system has one, by one process and by two at once."""
    url = f"sqlite:///{folder}/digests.db"
    say.print(f"Making {count:,} associations with {POSTS} posts of a week each, in SQLite…")
    rounds = [_measured("SQLite, one process", url, count, workers=1)]
    if reason := lab.postgres.unavailable():
        say.print(reason)
        return rounds
    with Postgres(folder / "postgres.log", durable=True) as server:
        for workers, name in ((1, "one process"), (2, "two processes")):
            say.print(f"The same in PostgreSQL, for {name}…")
            rounds.append(
                _measured(
                    f"PostgreSQL, {name}", server.create_database().replace("+asyncpg", ""), count, workers=workers
                )
            )
    return rounds


def _measured(name: str, url: str, count: int, *, workers: int) -> Round:
    asyncio.run(_prepare(url, count))
    before = asyncio.run(_database_cpu_seconds(url))
    command = [sys.executable, "-m", "benchmarks.digests", url, str(count)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    processes = [
        subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(f"{name}: a process failed")
    made = tuple(Made(**json.loads(output.splitlines()[-1])) for output in outputs)
    found = asyncio.run(_stored(url))
    if found != (count, count) or sum(one.digests for one in made) != count:
        raise RuntimeError(f"{name}: {found[0]} digests and {found[1]} mails of {count}")
    return Round(
        name=name,
        seconds=max(one.seconds for one in made),
        workers=made,
        database_cpu_seconds=asyncio.run(_database_cpu_seconds(url)) - before,
    )


async def _prepare(url: str, count: int) -> None:
    store = await Store.open(url, exclusive=True)
    try:
        await fill(store, count, seed=SEED)
        # As on the day on which the daemon read the configuration: a week before.
        ctx = _context(store, url, count, at=DUE - timedelta(days=6))
        await subscribe_coordinators(ctx, configured_digests(ctx, ctx.settings))
        await store.maintain("ANALYZE")
    finally:
        await store.close()


async def _stored(url: str) -> tuple[int, int]:
    """How many digests, and how many mails, each of another person."""
    store = await Store.open(url, exclusive=False)
    try:
        async with store.read() as conn:
            digests = (await conn.execute(select(func.count()).select_from(digest))).scalar_one()
            mails = (await conn.execute(select(func.count(outbox.c.recipient.distinct())))).scalar_one()
    finally:
        await store.close()
    return digests, mails


async def _database_cpu_seconds(url: str) -> float:
    """Of PostgreSQL's processes, also those that have ended (proc_pid_stat(5)); 0 for SQLite."""
    store = await Store.open(url, exclusive=False)
    try:
        if store.dialect == "sqlite":
            return 0.0
        async with store.read() as conn:
            pid = (await conn.execute(select(func.pg_backend_pid()))).scalar_one()
        return _family_ticks(_stat(pid)[1]) / os.sysconf("SC_CLK_TCK")
    finally:
        await store.close()


def _family_ticks(parent: int) -> int:
    """Of a process and of those of its children that it has waited for, and of those that live."""
    others = (_stat(int(path.name)) for path in Path("/proc").glob("[0-9]*"))
    return sum(_stat(parent)[11:15]) + sum(sum(stat[11:13]) for stat in others if stat[1:2] == [parent])


def _stat(pid: int) -> list[int]:
    """The fields behind a process's name, its state as 0; nothing, where it has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return [int(one) if one.lstrip("-").isdigit() else 0 for one in fields]
    return []


def table_of_digests(rounds: Sequence[Round]) -> Table:
    """The figures for a terminal."""
    table = Table(title=f"Weekly digests of {rounds[0].digests:,} associations, {POSTS} posts each")
    names = ("", "seconds", "per 1,000", "CPU-s", "of the database", "memory: idle", "early", "most (MiB)", "made")
    for name in names:
        table.add_column(name, justify="right" if name else "left")
    for one in rounds:
        colour = "green" if one.seconds <= AIM_SECONDS * one.digests / ASSOCIATIONS else "yellow"
        table.add_row(
            one.name,
            f"[{colour}]{one.seconds:.1f}[/]",
            f"{one.seconds / one.digests * 1000:.1f}",
            f"{one.cpu_seconds:.1f}",
            f"{one.database_cpu_seconds:.1f}" if one.database_cpu_seconds else "",
            *(
                " + ".join(f"{getattr(worker, name) / 1024:.0f}" for worker in one.workers)
                for name in ("idle_kib", "early_kib", "most_kib")
            ),
            " + ".join(f"{worker.digests:,}" for worker in one.workers),
        )
    return table


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(make_all(sys.argv[1], int(sys.argv[2]))))))
