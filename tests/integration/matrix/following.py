"""A transport that is followed as the daemon does it: what arrives is kept with its cursor, and can be waited for."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, Self

from passerelle.core.ids import RoomId
from passerelle.core.ports import EventJson, OnSync, RoomUpdate, SyncArrivals

DEADLINE_SECONDS = 60


class Follows(Protocol):
    async def follow(self, since: str | None, rooms: Callable[[], frozenset[RoomId]], on_sync: OnSync) -> None: ...


class Following:
    """``async with Following(bot, {room}) as seen:`` follows until the block is left; ``cursor`` outlives it."""

    def __init__(self, transport: Follows, rooms: set[str], since: str | None = None) -> None:
        self.rooms = rooms
        self.cursor = since
        self.arrivals: list[SyncArrivals] = []
        #: Raised by the next call, once.
        self.failure: Exception | None = None
        self._transport = transport
        self._changed = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        rooms = lambda: frozenset(RoomId(room) for room in self.rooms)  # noqa: E731
        self._task = asyncio.create_task(self._transport.follow(self.cursor, rooms, self.store))
        self._end = asyncio.create_task(self._tell_end(self._task))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, self._end, return_exceptions=True)

    async def _tell_end(self, task: asyncio.Task[None]) -> None:
        """Whoever waits hears at once that nothing more comes, and why."""
        await asyncio.wait({task})
        async with self._changed:
            self._changed.notify_all()

    async def store(self, arrivals: SyncArrivals) -> None:
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        assert arrivals.before == self.cursor, "a cursor that is not the one we stored"
        async with self._changed:
            self.arrivals.append(arrivals)
            self.cursor = arrivals.after
            self._changed.notify_all()

    async def wait(self, met: Callable[[], bool], what: str = "it") -> None:
        assert self._task is not None
        async with asyncio.timeout(DEADLINE_SECONDS), self._changed:
            while not met():
                assert not self._task.done(), self._task
                await self._changed.wait()

    async def wait_live(self) -> None:
        await self.wait(lambda: bool(self.arrivals) and self.arrivals[-1].live)

    async def wait_body(self, text: str) -> EventJson:
        await self.wait(lambda: text in self.bodies())
        return next(e for e in self.events() if _content(e).get("body") == text)

    async def wait_event(self, event_id: str) -> EventJson:
        await self.wait(lambda: any(e.get("event_id") == event_id for e in self.events()))
        return next(e for e in self.events() if e.get("event_id") == event_id)

    def updates(self, room_id: str | None = None) -> list[RoomUpdate]:
        return [u for a in self.arrivals for u in a.rooms if room_id in (None, u.room_id)]

    def events(self) -> list[EventJson]:
        """Each event once, as the inbox keeps it: what is handed on twice is known by its ID."""
        found: dict[str, EventJson] = {}
        for update in self.updates():
            for event in update.timeline:
                found.setdefault(str(event.get("event_id")), event)
        return list(found.values())

    def pushed(self) -> set[str]:
        """What came by transactions of an application service."""
        by_transaction = [a for a in self.arrivals if a.transaction_id is not None]
        return {str(event.get("event_id")) for a in by_transaction for room in a.rooms for event in room.timeline}

    def state(self) -> list[EventJson]:
        return [event for update in self.updates() for event in update.state]

    def bodies(self) -> list[str]:
        return [str(_content(e)["body"]) for e in self.events() if "body" in _content(e)]

    def late(self) -> list[str]:
        """The IDs of events that came after the first arrival that was live, and not before."""
        live_from = next((number for number, arrival in enumerate(self.arrivals) if arrival.live), len(self.arrivals))
        in_time = {e["event_id"] for a in self.arrivals[: live_from + 1] for u in a.rooms for e in u.timeline}
        return [str(event["event_id"]) for event in self.events() if event["event_id"] not in in_time]


def _content(event: EventJson) -> Mapping[str, Any]:
    content = event.get("content")
    return content if isinstance(content, Mapping) else {}


def text(body: str) -> dict[str, str]:
    return {"msgtype": "m.text", "body": body}
