"""Several daemons on one PostgreSQL: each source has one reader, and what a dead daemon held is free at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from passerelle.errors import StoreError
from passerelle.store.engine import Store
from passerelle.store.lanes import list_holders, release_lanes_of

log = logging.getLogger(__name__)

#: How often daemons look for each other, and who stands by looks whether a source is free.
_LOOK_SECONDS = 5.0


class Peers:
    """This daemon among those that share its store. On SQLite there is no other (`Store.hold`)."""

    def __init__(self, store: Store, *, owner: str) -> None:
        self._store, self._owner = store, owner

    async def alone(self, source: str, follow: Callable[[], Awaitable[object]]) -> None:
        """Follow a source while no other daemon does; stand by otherwise, and take over when that one ends.

        A connection to the database that is lost frees the source too: two may follow for a while, and the one whose
        cursor is not the store's reads on from there.
        """
        while True:
            try:
                async with self._store.hold(source) as mine:
                    if mine:
                        await follow()
            except StoreError as error:
                log.warning("The source is followed again soon: %s", error, extra={"source": source})
            await asyncio.sleep(_LOOK_SECONDS)

    async def run(self) -> None:
        """Show that this daemon lives, and free the lanes of those that do not; until cancelled."""
        if self._store.dialect == "sqlite":
            await asyncio.Event().wait()
        while True:
            try:
                async with self._store.hold(_sign_of(self._owner)) as shown:
                    while shown:
                        await self._free_lanes_of_the_dead()
                        await asyncio.sleep(_LOOK_SECONDS)
            except StoreError as error:
                log.warning("Other daemons are looked for again soon: %s", error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _free_lanes_of_the_dead(self) -> None:
        """Their leases would last for minutes more; what they were sending is of unknown fate from now on."""
        async with self._store.read() as conn:
            holders = await list_holders(conn)
        for holder in holders:
            if holder == self._owner:
                continue
            async with self._store.hold(_sign_of(holder)) as is_dead:
                if is_dead:
                    log.warning("Another daemon died; its lanes are free", extra={"owner": holder})
                    async with self._store.write(durable=False) as conn:
                        await release_lanes_of(conn, holder)


def _sign_of(owner: str) -> str:
    return f"daemon:{owner}"
