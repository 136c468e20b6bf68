"""An import of many mails beside the running bridge: it relays both ways meanwhile, and a kill loses nothing.

The whole size is that of the README's promise; `PASSERELLE_IMPORT_MAILS=100000` runs it, and 8,000 mails otherwise.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.archive_mails import made_mbox
from passerelle.store.engine import Store
from tests.flows.bridge import Bridge, mail
from tests.flows.conftest import bridge, make_bridge  # noqa: F401

MAILS = int(os.environ.get("PASSERELLE_IMPORT_MAILS", "8000"))
ROOT = Path(__file__).parents[2]
#: A transaction of the import lasts half a second at most; what waits for it looks each tenth of a second. Twice that.
LONGEST_WAIT_SECONDS = 2.0


@pytest.fixture(scope="module")
def mbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_mbox(tmp_path_factory.mktemp("past"), count=MAILS, seed=4)


@asynccontextmanager
async def importing(folder: Path, mbox: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The import, a process of its own; ended whatever happens."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.importing", str(folder), str(mbox), cwd=ROOT,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: asyncio.subprocess.Process) -> str:
    _, errors = await asyncio.wait_for(process.communicate(), 1200)
    assert process.returncode == 0, errors.decode()
    return errors.decode()


async def scalar(store: Store, statement: str) -> Any:
    async with store.read() as conn:
        return (await conn.execute(text(statement))).scalar_one()


async def test_the_bridge_relays_both_ways_during_an_import(bridge: Bridge, tmp_path: Path, mbox: Path) -> None:  # noqa: F811
    store = bridge.ctx.store
    said = sent = 0
    waits: list[float] = []
    relayed_during_import = 0
    async with importing(tmp_path, mbox) as process:
        end = asyncio.create_task(ended(process))
        while not end.done():
            read_before = await scalar(store, "SELECT coalesce(max(read), 0) FROM import_run")
            began = time.monotonic()
            async with store.write() as conn:
                await conn.execute(text("UPDATE link_state SET echoes = echoes"))
            waits.append(time.monotonic() - began)
            sent += 1
            await bridge.receive(
                mail(f"Message du pont {sent}", subject=f"Pont {sent}", message_id=f"pont{sent}@x.test")
            )
            said += 1
            await bridge.say(f"Ligne du salon {said}")
            relayed_during_import += 0 < read_before < MAILS
            await asyncio.sleep(0.05)
        await end
    assert relayed_during_import >= 3, "the import was over before the bridge did anything"
    assert max(waits) < LONGEST_WAIT_SECONDS
    # A write that fails by the lock would have raised, and left its mail or line waiting in the inbox.
    assert await scalar(store, "SELECT count(*) FROM inbox WHERE state <> 'done'") == 0
    assert await scalar(store, "SELECT count(*) FROM post WHERE origin = 'live' AND side = 'list'") == sent
    assert await scalar(store, "SELECT count(*) FROM post WHERE origin = 'live' AND side = 'room'") == said
    assert len(await bridge.outbox("event")) >= sent
    assert await scalar(store, "SELECT read FROM import_run") == MAILS
    print(f"{MAILS} mails; {sent} mails and {said} lines relayed; longest wait {max(waits):.2f} s")


async def test_a_killed_import_goes_on_and_doubles_nothing(bridge: Bridge, tmp_path: Path, mbox: Path) -> None:  # noqa: F811
    store = bridge.ctx.store
    kills = 0
    for after in (1, 3):
        async with importing(tmp_path, mbox) as process:
            assert process.stdout is not None
            for _ in range(after):
                await asyncio.wait_for(process.stdout.readline(), 60)
            workers = children(process.pid)
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            await process.wait()
        assert workers
        await vanished(workers)
        read, imported = (
            await scalar(store, "SELECT read FROM import_run"),
            await scalar(store, "SELECT imported FROM import_run"),
        )
        assert 0 < read < MAILS
        assert await scalar(store, "SELECT count(*) FROM post WHERE origin = 'import'") == imported
    assert kills == 2
    async with importing(tmp_path, mbox) as process:
        await ended(process)
    assert await scalar(store, "SELECT count(*) FROM import_run") == 1
    assert await scalar(store, "SELECT read FROM import_run") == MAILS
    assert await scalar(store, "SELECT imported + known + refused FROM import_run") == MAILS
    posts = await scalar(store, "SELECT count(*) FROM post WHERE origin = 'import'")
    assert posts == await scalar(store, "SELECT imported FROM import_run")
    assert posts == await scalar(store, "SELECT count(*) FROM (SELECT DISTINCT message_id, content_hash FROM post)")
    assert posts > 0.95 * MAILS
    # Each has its words and its place, and nobody waits in a lobby.
    assert await scalar(store, "SELECT count(*) FROM post WHERE chrono_id IS NULL AND index_state = 'indexed'") == 0
    assert await scalar(store, "SELECT count(*) FROM post_words") == await scalar(
        store, "SELECT count(*) FROM post WHERE index_state = 'indexed'"
    )
    empty = "SELECT count(*) FROM thread WHERE NOT EXISTS (SELECT 1 FROM post WHERE thread_id = thread.id)"
    assert await scalar(store, empty) == 0


def children(pid: int) -> set[int]:
    """Processes that a process has started, by /proc (proc_pid_task(5))."""
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be collected has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def vanished(pids: set[int]) -> None:
    for _ in range(200):
        if not any(map(is_alive, pids)):
            return
        await asyncio.sleep(0.05)
    pytest.fail("a process of a killed import waits for ever")
