"""Following a homeserver by `/sync`: nothing skipped, nothing twice as fast as it should, no token dropped.

The loop does not decide what an event means: it hands on raw JSON and the token that says so, in one call, and asks
for more only when that call has returned (DESIGN.md, promise 1).
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson, OnState, OnSync, RoomUpdate, SyncArrivals
from passerelle.errors import AccessRefused, DeliveryFailure, PasserelleError, TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.connection import Connection
from passerelle.matrix.homeserver import Request, path
from passerelle.matrix.room_api import Call, RoomApi
from passerelle.matrix.timeline import (
    OwnChange,
    Window,
    first_own_change,
    invitations,
    joined_windows,
    members_filter,
    page_events,
    page_filter,
    since_own_join,
    sync_filter,
)

_LOG = logging.getLogger(__name__)
#: A first answer holds the whole state of every room: it may take the homeserver long.
FIRST_ANSWER_SECONDS = 300
#: The pauses after answers that only give us back what we sent; the last one again until something else comes. During a
#: backlog each event that we send would otherwise end a request that waits, for nothing new (docs/performance.md).
ECHO_PAUSES_SECONDS = (0.1, 0.5, 2.0)
Rooms = Callable[[], frozenset[RoomId]]


class Decryption(Protocol):
    """What the loop asks of encryption, where there is any."""

    async def absorb(self, answer: Mapping[str, Any]) -> None: ...

    async def reveal(self, events: tuple[EventJson, ...]) -> tuple[EventJson, ...]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncSettings:
    source: str
    user_id: UserId
    #: How long the homeserver may hold an answer back when there is nothing new.
    sync_seconds: float
    timeout_seconds: float


class SyncLoop:
    """One bot account's `/sync`."""

    def __init__(
        self, call: Call, decryption: Decryption, settings: SyncSettings, *, on_state: OnState | None = None
    ) -> None:
        self._call = call
        self._api = RoomApi(call)
        self._decryption = decryption
        self._settings = settings
        self._connection = Connection(settings.source, on_state)
        self._waiting_invitations: set[RoomId] = set()
        self._first = True
        self._eager = True
        #: Answers in a row that held nothing but echoes.
        self._echoes = 0

    async def follow(self, since: str | None, rooms: Rooms, on_sync: OnSync) -> None:
        """Follow for ever from `since`; None begins at the present. Ends by cancellation only.

        Errors of ours, those of `on_sync` too, make it wait and ask again from the same token.
        """
        while True:
            try:
                since = await self._once(since, rooms(), on_sync)
            except PasserelleError as error:
                self._eager = True
                await self._connection.pause(error)
            else:
                self._connection.works()
                if self._echoes:
                    await asyncio.sleep(ECHO_PAUSES_SECONDS[min(self._echoes, len(ECHO_PAUSES_SECONDS)) - 1])

    async def _once(self, since: str | None, rooms: frozenset[RoomId], on_sync: OnSync) -> str:
        if self._first:
            await self._join_configured(rooms)
        answer = await self._ask(since, rooms)
        after = answer.get("next_batch")
        if not isinstance(after, str):
            raise TemporaryFailure("following: the homeserver's answer has no token")
        await self._decryption.absorb(answer)
        await self._accept_invitations(answer, rooms)
        updates, whole = [], True
        for window in joined_windows(answer):
            if window.room_id in rooms:
                update, filled = await self._update(window, since, on_sync)
                updates.append(update)
                whole = whole and not filled
        await on_sync(
            SyncArrivals(source=self._settings.source, before=since, after=after, rooms=tuple(updates), live=whole)
        )
        self._first, self._eager = False, not whole
        senders = {event.get("sender") for update in updates for event in update.timeline}
        self._echoes = self._echoes + 1 if senders == {self._settings.user_id} else 0
        return after

    async def _ask(self, since: str | None, rooms: frozenset[RoomId]) -> Mapping[str, Any]:
        # A first start begins at the present: no timeline at all (PEOPLE.md 3).
        limits = {} if since is not None else {"timeline_limit": 0}
        query = {"filter": json.dumps(sync_filter(rooms, **limits)), "set_presence": "offline"}
        wait_seconds = 0.0 if since is None or self._eager else self._settings.sync_seconds
        query["timeout"] = str(int(wait_seconds * 1000))
        if since is not None:
            query["since"] = since
            if self._first:
                # A resumed sync says nothing of rooms where nothing happened: no names, no members (TRAPS.md).
                query["full_state"] = "true"
        patience = FIRST_ANSWER_SECONDS if self._first else self._settings.timeout_seconds
        request = Request(
            method="GET",
            path=path("sync"),
            doing="following",
            query=query,
            timeout_seconds=wait_seconds + patience,
        )
        return await self._call(request)

    async def _update(self, window: Window, since: str | None, on_sync: OnSync) -> tuple[RoomUpdate, bool]:
        """One room's share of an answer, its gap handed on before it; and whether there was a gap."""
        gap, lost = False, False
        timeline = since_own_join(window.timeline, self._settings.user_id)
        if since is not None and window.limited:
            try:
                change = await self._first_own_change_in_gap(window, since)
                # We came in within the window: what the gap holds was said before us.
                gap = change is not None or len(timeline) == len(window.timeline)
                if gap:
                    from_own_join = change is not None and change.came_in
                    timeline = window.timeline
                    await self._fill_gap(window, since, from_own_join, on_sync)
            except MatrixRefusal as refusal:
                gap, lost = True, True
                _LOG.error("room %s: a part of its past cannot be had: %s", window.room_id, refusal)
        revealed = await self._decryption.reveal(timeline)
        update = RoomUpdate(room_id=window.room_id, timeline=revealed, state=window.state, lost_past=lost)
        return update, gap

    async def _first_own_change_in_gap(self, window: Window, since: str) -> OwnChange | None:
        async for page in self._pages(window, since, members_filter()):
            events = page_events(page, "chunk", window.room_id)
            if (change := first_own_change(events, self._settings.user_id)) is not None:
                return change
        return None

    async def _pages(
        self, window: Window, since: str, event_filter: Mapping[str, Any]
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The pages between `since` and a window, oldest first."""
        token: str | None = since
        seen = set[str]()
        while token is not None and token not in seen:
            seen.add(token)
            page = await self._api.messages(
                window.room_id, forward=True, start=token, stop=window.prev_batch, event_filter=event_filter
            )
            yield page
            # A page without `end` is the last one, and what is on it counts all the same.
            end = page.get("end")
            token = end if isinstance(end, str) and end != window.prev_batch else None

    async def _fill_gap(self, window: Window, since: str, from_own_join: bool, on_sync: OnSync) -> None:
        """Hand on what lies between `since` and a window. Raises MatrixRefusal where it will never be had."""
        present = {event.get("event_id") for event in window.timeline}
        skipping = from_own_join
        async for page in self._pages(window, since, page_filter()):
            events = page_events(page, "chunk", window.room_id)
            if skipping:
                change = first_own_change(events, self._settings.user_id)
                if change is None:
                    continue
                events, skipping = events[change.index :], False
            events = tuple(event for event in events if event.get("event_id") not in present)
            await self._hand_page_on(window.room_id, events, page_events(page, "state", window.room_id), since, on_sync)

    async def _hand_page_on(
        self,
        room_id: RoomId,
        events: tuple[EventJson, ...],
        state: tuple[EventJson, ...],
        since: str,
        on_sync: OnSync,
    ) -> None:
        if not events:
            return
        update = RoomUpdate(room_id=room_id, timeline=await self._decryption.reveal(events), state=state)
        source = self._settings.source
        await on_sync(SyncArrivals(source=source, before=since, after=since, rooms=(update,), live=False))

    async def _accept_invitations(self, answer: Mapping[str, Any], rooms: frozenset[RoomId]) -> None:
        """Join configured rooms that we are invited to. An invitation is told once only, so it is remembered."""
        self._waiting_invitations.update(room for room in invitations(answer) if room in rooms)
        for room_id in sorted(self._waiting_invitations):
            await self._try_to_join(room_id)

    async def _join_configured(self, rooms: frozenset[RoomId]) -> None:
        """At a start: an invitation that was told before a crash is not told again."""
        for room_id in sorted(rooms - await self._api.joined_rooms()):
            await self._try_to_join(room_id)

    async def _try_to_join(self, room_id: RoomId) -> None:
        try:
            await self._api.join(room_id)
        except TemporaryFailure as failure:
            self._waiting_invitations.add(room_id)
            _LOG.warning("room %s: %s", room_id, failure)
        except AccessRefused:
            raise
        except DeliveryFailure as failure:
            self._waiting_invitations.discard(room_id)
            _LOG.error("room %s: %s", room_id, failure)
        else:
            self._waiting_invitations.discard(room_id)
            _LOG.info("room %s: joined", room_id)
