"""What was said of late in the rooms of an application service, read over again; what came already its store knows.

It has no cursor as `/sync` has: what the homeserver fails to push is missed by nobody (`mark_order` tells how that
happens). This runs beside the listening, so that a room that cannot be read keeps nobody waiting.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson
from passerelle.errors import PasserelleError
from passerelle.matrix.pages_back import pages_back, was_sent_since
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.sync import Rooms
from passerelle.matrix.timeline import since_own_join

_LOG = logging.getLogger(__name__)
#: How often, where nothing calls for it sooner; a first look goes as far back.
EVERY = timedelta(hours=1)
#: How far before the last look: clocks differ, and an event is dated before it is pushed.
OVERLAP = timedelta(minutes=5)

#: Gets what was said in a room, oldest first; returns when it is stored.
HandOn = Callable[[RoomId, tuple[EventJson, ...]], Awaitable[None]]


class LookBack:
    """Reads the newest pages of each room: when woken, and every hour."""

    def __init__(self, api: RoomApi, user_id: UserId) -> None:
        self._api, self._user_id = api, user_id
        self._wanted = asyncio.Event()
        #: Until when each room has been read.
        self._read_until: dict[RoomId, datetime] = {}

    def wake(self) -> None:
        """Look back now: something may have been left behind."""
        self._wanted.set()

    async def run(self, rooms: Rooms, hand_on: HandOn) -> None:
        """Look back until cancelled. What fails is told in the log, and looked at from where it was the next time."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY.total_seconds()):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                wanted = rooms() & await self._api.joined_rooms()
            except PasserelleError as error:
                _LOG.warning("what was said of late cannot be read: %s", error)
                continue
            for room_id in sorted(wanted):
                await self._look(room_id, hand_on)

    async def _look(self, room_id: RoomId, hand_on: HandOn) -> None:
        now = datetime.now(UTC)
        not_before = self._read_until.setdefault(room_id, now - EVERY) - OVERLAP
        try:
            recent = await self._read(room_id, not_before)
            if recent:
                await hand_on(room_id, recent)
        except PasserelleError as error:
            _LOG.warning("room %s: what was said of late cannot be read: %s", room_id, error)
        else:
            self._read_until[room_id] = now

    async def _read(self, room_id: RoomId, not_before: datetime) -> tuple[EventJson, ...]:
        """Events that are no state, sent since `not_before` and since we came in, oldest first."""
        newest_first: list[EventJson] = []
        async for page in pages_back(self._api, room_id, not_before=not_before):
            newest_first.extend(page)
        since_join = since_own_join(newest_first[::-1], self._user_id)
        return tuple(e for e in since_join if "state_key" not in e and was_sent_since(e, not_before))
