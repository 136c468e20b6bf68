"""A room's past by `/messages`, from its beginning, or from where the homeserver lets us see it, to now.

The room is walked backwards once, so that a homeserver that joined late fetches from others what it lacks
(client-server API v1.18, "GET /rooms/{roomId}/messages"); nothing of that is kept. Then it is read forwards, so that
what answers comes after what it answers. What `m.room.history_visibility` hides from us the homeserver does not give.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from passerelle.core.backoff import RECONNECT
from passerelle.core.ids import RoomId
from passerelle.core.ports import EventJson
from passerelle.errors import TemporaryFailure
from passerelle.matrix.past_page import PastPage, read_page
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.timeline import page_filter

#: Tries of one page; a homeserver that asks to wait is waited for.
_MOST_TRIES = 12

Decrypt = Callable[[EventJson], EventJson | None]


class RoomPast:
    """Reads one room. Methods raise TemporaryFailure (after many tries), AccessRefused, MatrixRefusal."""

    def __init__(
        self,
        api: RoomApi,
        room_id: RoomId,
        *,
        decrypt: Decrypt | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api, self._room_id = api, room_id
        self._decrypt, self._sleep = decrypt, sleep

    async def pages(self, after: str | None) -> AsyncIterator[PastPage]:
        """The pages after a token; None: all of them."""
        newest = await self._page(forward=False, start=None, stop=None)
        if after is None:
            await self._walk_back(newest)
        stop = newest.get("start")
        token, seen = after, set[str]()
        while True:
            answer = await self._page(forward=True, start=token, stop=stop if isinstance(stop, str) else None)
            page = read_page(answer, self._room_id)
            ends = page.token is None or page.token in seen or page.token in (token, stop)
            # Nothing on a page does not mean that nothing follows: it may be hidden from us.
            yield PastPage(
                events=[self._revealed(event) for event in page.events],
                names=page.names,
                token=None if ends else page.token,
            )
            if ends or page.token is None:
                return
            seen.add(page.token)
            token = page.token

    async def _walk_back(self, page: Mapping[str, Any]) -> None:
        seen = set[str]()
        while isinstance(token := page.get("end"), str) and token not in seen:
            seen.add(token)
            page = await self._page(forward=False, start=token, stop=None)

    async def _page(self, *, forward: bool, start: str | None, stop: str | None) -> Mapping[str, Any]:
        failures = 0
        while True:
            try:
                return await self._api.messages(
                    self._room_id, forward=forward, start=start, stop=stop, event_filter=page_filter()
                )
            except TemporaryFailure as failure:
                failures += 1
                if failures >= _MOST_TRIES:
                    raise
                asked = failure.retry_after_seconds
                await self._sleep(RECONNECT.delay_seconds(failures, random.random(), at_least_seconds=asked))

    def _revealed(self, event: EventJson) -> EventJson:
        if self._decrypt is None or event.get("type") != "m.room.encrypted":
            return event
        return self._decrypt(event) or event
