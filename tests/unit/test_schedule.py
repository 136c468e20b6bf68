"""The alarm clock, on APScheduler itself: no call is lost, and nothing spins."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.errors import StoreError
from passerelle.schedule import Duty, Schedule

DEADLINE_SECONDS = 20


def now() -> datetime:
    return datetime.now(UTC)


async def always() -> datetime:
    return now()


@asynccontextmanager
async def running(
    run: Callable[[], Awaitable[object]], next_at: Callable[[], Awaitable[datetime | None]]
) -> AsyncIterator[Schedule]:
    schedule = Schedule([Duty(name="duty", run=run, next_at=next_at)], now=now)
    task = asyncio.create_task(schedule.run())
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            yield schedule
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_duty_is_done_again_though_it_failed_and_does_not_spin() -> None:
    done: list[datetime] = []
    twice = asyncio.Event()

    async def refuse() -> None:
        done.append(now())
        schedule.changed()
        if len(done) == 1:
            raise StoreError("the disk is full")
        twice.set()

    async with running(refuse, always) as schedule:
        await twice.wait()
    assert done[1] - done[0] >= timedelta(seconds=0.4)


async def test_a_call_for_a_duty_that_is_being_done_is_answered_after_it(caplog: pytest.LogCaptureFixture) -> None:
    """What it was called for may have happened after it had looked."""
    begun, ends = asyncio.Queue[datetime](), asyncio.Event()

    async def work() -> None:
        begun.put_nowait(now())
        await ends.wait()

    async def once() -> datetime | None:
        return None if ends.is_set() else now()

    with caplog.at_level(logging.WARNING):
        async with running(work, once) as schedule:
            await begun.get()
            for _ in range(3):
                schedule.hurry("duty")
                await asyncio.sleep(0.05)
            ends.set()
            await begun.get()
    assert not caplog.records


async def test_an_alarm_that_rings_while_the_last_one_ends_is_answered() -> None:
    """A duty that was done asks the database when it is due next: until it knows, its alarm may ring already."""
    begun, asked_again, answered = asyncio.Queue[datetime](), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.put_nowait(now())

    async def slow_to_say() -> datetime | None:
        if begun.empty():
            return now()
        asked_again.set()
        await answered.wait()
        return None

    async with running(work, slow_to_say) as schedule:
        await asked_again.wait()
        schedule.hurry("duty")
        for _ in range(2):
            await begun.get()
        answered.set()
