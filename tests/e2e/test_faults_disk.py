"""The disk under the store is full: the daemon says so, loses nothing, and goes on when there is space again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from pathlib import Path

from lab.association import Town
from lab.fill_disk import SmallDisk, forbid_growth, mount_unavailable
from tests.e2e.troubled import Trouble, troubled

REFUSED = "The disk is full"


@asynccontextmanager
async def on_a_disk_that_fills(
    town: Town, folder: Path
) -> AsyncIterator[tuple[Trouble, Callable[[], None], Callable[[], None]]]:
    """A troubled association, and how to fill the disk under its store and to make space.

    As root on a small file system of its own, otherwise by a limit on the process. The log is elsewhere.
    """
    log = folder / "daemon.log"
    await asyncio.to_thread(folder.mkdir)
    if not mount_unavailable():
        with SmallDisk(megabytes=12) as disk:
            async with troubled(town, disk.path / folder.name, log=log) as trouble:
                yield trouble, disk.fill, disk.free
        return
    async with troubled(town, folder / "store", log=log) as trouble:
        with ExitStack() as stack:
            held: list[AbstractContextManager[None]] = []

            def fill() -> None:
                assert trouble.daemon.process is not None
                # What SQLite has written already it may write again; nothing may grow.
                held.append(forbid_growth(trouble.daemon.process.pid, limit_bytes=4096))
                stack.enter_context(held[0])

            yield trouble, fill, stack.close


async def test_full_disk_loses_nothing(town: Town, tmp_path: Path) -> None:
    async with on_a_disk_that_fills(town, tmp_path / "plein") as (trouble, fill, free):
        await asyncio.to_thread(fill)
        async with trouble.association.chat("lea") as lea, trouble.association.chat("karim") as karim:
            for number in range(3):
                await trouble.talk.write("monique", has_file=True)
                await trouble.talk.say(lea if number % 2 else karim)
            await trouble.log_says(REFUSED)
            await trouble.talk.write("paul")
            await trouble.talk.say(karim)
        assert trouble.daemon.process is not None
        assert trouble.daemon.process.running
        await asyncio.to_thread(free)
        await trouble.expect_all_well()
