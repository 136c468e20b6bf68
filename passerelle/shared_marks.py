"""Marks that came back from the homeserver, for all daemons of one database (`core.ports.Marks`)."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.batches import next_batch_due_at
from passerelle.store.engine import Store
from passerelle.store.meta import delete_meta, find_meta, set_meta


def _key(mark: str) -> str:
    """One row for each daemon: a mark is `daemon/number`, and a newer one stands for all before it."""
    return f"mark:{mark.partition('/')[0]}"


async def note_marks(conn: AsyncConnection, marks: Sequence[str]) -> None:
    """Note marks in the transaction that stores what came before them."""
    for mark in marks:
        await set_meta(conn, _key(mark), mark)


class SharedMarks:
    """`Marks` in the store."""

    def __init__(self, store: Store, *, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    async def wanted(self) -> bool:
        """Whether a conversation is due. Raises StoreError."""
        async with self._store.read() as conn:
            due_at = await next_batch_due_at(conn)
        return due_at is not None and due_at <= self._now()

    async def take(self, marks: Collection[str]) -> bool:
        """Whether one of these marks of one daemon is stored. Raises StoreError."""
        key = _key(next(iter(marks)))
        async with self._store.read() as conn:
            found = await find_meta(conn, key)
        if found not in marks:
            return False
        async with self._store.write(durable=False, quiet=True) as conn:
            await delete_meta(conn, key)
        return True
