"""APScheduler as an alarm clock. It keeps no state: what is due when is asked of the database, at start and after each
change; a night missed is caught up once, and an alarm that rings twice does nothing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from passerelle.errors import PasserelleError, StoreError

log = logging.getLogger(__name__)

#: Changes that follow each other closely are looked at together.
_SETTLE_SECONDS = 0.2
#: What is due but cannot be done yet is tried again after this.
_AGAIN = timedelta(seconds=0.5)
#: APScheduler drops an alarm that rings while so many of its name are being answered. `Schedule.ring` drops none.
_MOST_RINGING = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """Something to be done at a time that the database knows."""

    name: str
    run: Callable[[], Awaitable[object]]
    #: When it is due next, aware; None where nothing is.
    next_at: Callable[[], Awaitable[datetime | None]]


class Schedule:
    """Rings for each duty when it is due."""

    def __init__(self, duties: Sequence[Duty], *, now: Callable[[], datetime]) -> None:
        self._duties = {duty.name: duty for duty in duties}
        self._now = now
        self._wake = asyncio.Event()
        self._running = {name: asyncio.Lock() for name in self._duties}
        #: Duties that were called for while they were being done: what called may have come too late for them.
        self._rung_meanwhile: set[str] = set()
        #: A duty that was just done is not done again at once, whatever its own writing changed.
        self._not_before: dict[str, datetime] = {}
        self._scheduler = AsyncIOScheduler(timezone=UTC)

    def changed(self) -> None:
        """Say that the database changed: what is due when is asked anew."""
        self._wake.set()

    async def run(self) -> None:
        """Ring until cancelled."""
        self._scheduler.start()
        try:
            while True:
                self._wake.clear()
                for duty in self._duties.values():
                    await self._set_alarm(duty)
                await self._wake.wait()
                await asyncio.sleep(_SETTLE_SECONDS)
        finally:
            self._scheduler.shutdown(wait=False)

    def hurry(self, name: str) -> None:
        """Something happened outside the database that a duty waited for: have it done now."""
        if self._scheduler.running:
            self._alarm(name, self._now())

    async def ring(self, name: str) -> None:
        """Do a duty now; where it is being done, once more after that."""
        duty, lock = self._duties[name], self._running[name]
        if lock.locked():
            self._rung_meanwhile.add(name)
            return
        async with lock:
            self._rung_meanwhile.discard(name)
            try:
                await duty.run()
            except PasserelleError:
                log.exception("A duty could not be done; it is tried again soon", extra={"duty": name})
            finally:
                self._not_before[name] = self._now() + _AGAIN
        await self._set_alarm(duty)

    async def _set_alarm(self, duty: Duty) -> None:
        if self._running[duty.name].locked():
            return  # it sets its own alarm when it is done
        at = await self._next_at(duty)
        if at is None:
            return
        at = max(at, self._not_before.get(duty.name, at), self._now())
        job = self._scheduler.get_job(duty.name)
        if job is not None and job.next_run_time is not None and job.next_run_time <= at:
            return
        self._alarm(duty.name, at)

    async def _next_at(self, duty: Duty) -> datetime | None:
        if duty.name in self._rung_meanwhile:
            return self._now()
        try:
            return await duty.next_at()
        except StoreError:
            return self._now() + _AGAIN

    def _alarm(self, name: str, at: datetime) -> None:
        self._scheduler.add_job(
            self.ring,
            DateTrigger(at),
            args=[name],
            id=name,
            replace_existing=True,
            misfire_grace_time=None,
            coalesce=True,
            max_instances=_MOST_RINGING,
        )
