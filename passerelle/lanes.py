"""Working on lanes: one at a time for each lane, several lanes beside each other, woken when something is stored."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from passerelle.core.backoff import Backoff
from passerelle.errors import StoreError

log = logging.getLogger(__name__)

Row = TypeVar("Row")

#: What other processes store is seen at the latest after this.
_POLL_SECONDS = 1.0
_AFTER_ERROR_SECONDS = 5.0


class LaneWorker(Generic[Row]):
    """Claims rows of free lanes and has them worked on, at most `width` lanes at a time."""

    def __init__(
        self,
        *,
        name: str,
        width: int,
        claim: Callable[[frozenset[str]], Awaitable[Sequence[Row]]],
        lane_of: Callable[[Row], str],
        work: Callable[[Sequence[Row]], Awaitable[None]],
    ) -> None:
        self._name, self._width = name, width
        self._claim, self._lane_of, self._work = claim, lane_of, work
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that something was stored."""
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled; what is under way then is cancelled too and taken up again at the next start."""
        try:
            while True:
                self._wake.clear()
                if len(self._busy) >= self._width or not await self._start_one():
                    await self._wait()
        finally:
            tasks = list(self._busy.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def idle(self) -> bool:
        return not self._busy

    async def _start_one(self) -> bool:
        try:
            rows = await self._claim(frozenset(self._busy))
        except StoreError:
            log.exception("The store refused; trying again soon", extra={"worker": self._name})
            await asyncio.sleep(_AFTER_ERROR_SECONDS)
            return True
        if not rows:
            return False
        lane = self._lane_of(rows[0])
        task = asyncio.create_task(self._guarded(rows), name=f"{self._name} {lane}")
        self._busy[lane] = task
        task.add_done_callback(lambda _: self._finished(lane))
        return True

    async def _guarded(self, rows: Sequence[Row]) -> None:
        """The loop's edge: whatever a row does, the other lanes go on; its lease runs out and it is tried again."""
        try:
            await self._work(rows)
        except Exception:
            log.exception("Work on a lane broke off", extra={"worker": self._name})
            await asyncio.sleep(_AFTER_ERROR_SECONDS)

    def _finished(self, lane: str) -> None:
        self._busy.pop(lane, None)
        self._wake.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return


def retry_at(attempts: int, now: datetime, policy: Backoff) -> datetime:
    """When to try again after `attempts` tries, jittered so that lanes do not come back all at once."""
    return now + timedelta(seconds=policy.delay_seconds(max(1, attempts), random.random()))
