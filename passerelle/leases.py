"""A lane's lease is renewed while its rows are worked on, however long that takes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from passerelle.errors import StoreError
from passerelle.store.engine import Store
from passerelle.store.lanes import release_lane, renew_lane

log = logging.getLogger(__name__)

#: How long a lane stays with a daemon that says nothing any more: one that died, or hangs.
LEASE = timedelta(minutes=2)
_RENEWALS_IN_A_LEASE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Leases:
    """The leases of one daemon in one queue."""

    store: Store
    #: Who holds them.
    owner: str
    #: Aware, UTC.
    now: Callable[[], datetime]

    @asynccontextmanager
    async def renewing(self, lane: str) -> AsyncIterator[None]:
        """Keep a lane that this daemon holds, until the block ends."""
        task = asyncio.create_task(self._renew_again_and_again(lane), name=f"lease {lane}")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def renew(self, lane: str) -> bool:
        """Lengthen a lease; False where somebody else has taken the lane since. Raises StoreError."""
        async with self.store.write(durable=False, quiet=True) as conn:
            return await renew_lane(conn, lane, self.owner, self.now() + LEASE)

    async def release(self, lane: str) -> bool:
        """Give a lane back; False where it was not ours any more. Raises StoreError."""
        async with self.store.write(durable=False) as conn:
            return await release_lane(conn, lane, self.owner)

    async def _renew_again_and_again(self, lane: str) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / _RENEWALS_IN_A_LEASE)
            try:
                if not await self.renew(lane):
                    log.warning("Another daemon has taken the lane", extra={"lane": lane})
                    return
            except StoreError:
                log.warning("A lease could not be renewed; trying again soon", extra={"lane": lane})
