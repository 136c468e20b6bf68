"""Pages of an imported archive, asked of the real server: its processor time, and time to the first byte.

`python -m benchmarks.archive_pages FOLDER` is the server: prints its port and the cookie of a reader.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from rich.table import Table
from sqlalchemy import text

from benchmarks.archive_import import open_archive
from benchmarks.figures import quantile
from lab.process import REPOSITORY
from passerelle.flows.sessions import begin_session
from passerelle.store.people import note_participant
from passerelle.web.door import COOKIE
from passerelle.web.server import ArchiveServer

REQUESTS = 200
DIFFERENT = 40
#: Pages by the number of posts of their conversation.
THREADS = {"thread of 1": (1, 1), "thread of 2 to 5": (2, 5), "thread of 6 to 20": (6, 20), "longer": (21, 10_000)}
_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    what: str
    #: Of the server's process, a request.
    cpu_ms: float
    first_byte_p50_ms: float
    first_byte_p95_ms: float
    bytes: float


async def serve(folder: Path) -> None:
    """Serve the archive to one reader until the standard input ends."""
    store, ctx = await open_archive(folder, exclusive=True)
    assert ctx.settings.web is not None
    link, now = next(iter(ctx.links)), datetime.now(UTC)
    async with store.write() as conn:
        person = (await conn.execute(text("SELECT min(id) FROM person"))).scalar_one()
        await note_participant(conn, link.association_name, link.name, person, "list", now)
        secret = await begin_session(ctx, conn, link.association_name, person, shared=False)
    server = ArchiveServer(ctx, ctx.settings.web)
    await server.start()
    print(server.port, secret, flush=True)
    try:
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await server.stop()
        await store.close()


async def measure_pages(folder: Path) -> list[Page]:
    """Ask for each kind of page some hundred times, one after the other."""
    wanted = await _paths(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.archive_pages", str(folder), cwd=REPOSITORY,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port, secret = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().split()
        jar = aiohttp.CookieJar(unsafe=True)
        url = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(url, cookie_jar=jar, cookies={COOKIE: secret}) as session:
            return [await _measure(session, process.pid, what, paths) for what, paths in wanted.items() if paths]
    finally:
        with suppress(ProcessLookupError):
            process.stdin.close()
            process.terminate()
        await process.wait()


async def _measure(session: aiohttp.ClientSession, pid: int, what: str, paths: list[str]) -> Page:
    times: list[float] = []
    size = 0
    await _ask(session, paths[0])
    before = _cpu_seconds(pid)
    for number in range(REQUESTS):
        began = time.perf_counter()
        size += await _ask(session, paths[number % len(paths)], times, began)
    cpu = _cpu_seconds(pid) - before
    return Page(
        what=what,
        cpu_ms=cpu / REQUESTS * 1000,
        first_byte_p50_ms=quantile(times, 0.5),
        first_byte_p95_ms=quantile(times, 0.95),
        bytes=size / REQUESTS,
    )


async def _ask(session: aiohttp.ClientSession, path: str, times: list[float] | None = None, began: float = 0) -> int:
    async with session.get(path, allow_redirects=False) as answer:
        if times is not None:
            times.append((time.perf_counter() - began) * 1000)
        body = await answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path.split('/')[1:3]} answers {answer.status}")
        return len(body)


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process so far (proc_pid_stat(5), utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_SECONDS


async def _paths(folder: Path) -> dict[str, list[str]]:
    """Addresses of pages of each kind."""
    store, ctx = await open_archive(folder, exclusive=False)
    root = f"/{next(iter(ctx.links)).association_name}"
    try:
        async with store.read() as conn:
            of_size = (
                "SELECT min(permalink) FROM post GROUP BY thread_id HAVING count(*) BETWEEN :low AND :high LIMIT :most"
            )
            wanted = {"home": [f"{root}/"]}
            for what, (low, high) in THREADS.items():
                values = {"low": low, "high": high, "most": DIFFERENT}
                shorts = (await conn.execute(text(of_size), values)).scalars()
                wanted[what] = [f"{root}/t/{short}" for short in shorts]
            shorts = (await conn.execute(text("SELECT permalink FROM post LIMIT :most"), {"most": DIFFERENT})).scalars()
            wanted["one post"] = [f"{root}/p/{short}/alone" for short in shorts]
        return wanted
    finally:
        await store.close()


def table_of_pages(pages: list[Page], mails: int) -> Table:
    """The figures for a terminal."""
    table = Table(title=f"Pages of an archive of {mails:,} mails")
    for name in ("", "server CPU (ms)", "first byte p50 (ms)", "p95 (ms)", "bytes"):
        table.add_column(name, justify="right" if name else "left")
    for one in pages:
        figures = f"{one.cpu_ms:.1f}", f"{one.first_byte_p50_ms:.1f}", f"{one.first_byte_p95_ms:.1f}"
        table.add_row(one.what, *figures, f"{one.bytes:,.0f}")
    return table


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
