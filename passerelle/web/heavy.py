"""Making what is long beside the event loop: the bridge goes on relaying while somebody reads a book."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

#: Characters from which on making a page of them takes longer than others should wait.
_MANY = 150_000


async def made(characters: int, make: Callable[[], T]) -> T:
    """What `make` returns: in a thread where it has many characters to go through. It must not touch the store."""
    return await asyncio.to_thread(make) if characters > _MANY else make()
