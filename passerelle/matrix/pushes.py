"""What the homeserver pushes to an application service, handed on as it comes, and whether that is all.

The homeserver keeps a queue and sends a transaction until we answer 200. When we were away it comes back only after a
while, so it is pinged: Synapse then sends at once what it kept. No API tells how much that is. But the queue keeps its
order: we put an event of ours, a mark, into a room where nobody else is, and when it comes back, everything from before
it has come. Where several daemons share one address it comes back to any of them: so it is stored with its transaction.
Synapse can leave a transaction behind, our mark too: another mark is put after a while, and where that overtakes the
first, its transaction is refused once, so that the homeserver begins again with its oldest (`mark_order`). A line that
was left behind is found by reading over again what was said of late (`look_back`).
"""

import asyncio
import itertools
import logging
import math
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import EventJson, Marks, OnState, OnSync, RoomUpdate, SyncArrivals
from passerelle.core.settings import AppserviceSettings
from passerelle.errors import DeliveryFailure, PasserelleError, TemporaryFailure
from passerelle.matrix.answers import MatrixRefusal
from passerelle.matrix.connection import Connection
from passerelle.matrix.look_back import LookBack
from passerelle.matrix.mark_order import MarkOrder, mark_content
from passerelle.matrix.room_api import RoomApi
from passerelle.matrix.sync import Rooms
from passerelle.matrix.transactions import TransactionServer

_LOG = logging.getLogger(__name__)
#: A transaction whose newest event is older than this comes from a queue that is being worked off.
BACKLOG_SECONDS = 60
#: How long the mark may take to come back. A long queue takes its time.
MARK_SECONDS = 300
#: Between pings, at the least.
LEAST_PAUSE_SECONDS = 1.0
MARK = "org.passerelle.mark"
#: How often it is asked whether another daemon got our mark.
MARK_LOOK_SECONDS = 0.5
#: After how long another mark is put. A homeserver that sends does so within a second; a long queue is not disturbed.
MARK_AGAIN_SECONDS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class PushSettings:
    user_id: UserId
    appservice: AppserviceSettings
    ping_seconds: float
    hs_token: str = field(repr=False)


class OneDaemon:
    """`Marks` of a daemon that is alone: what comes back, comes back to it."""

    async def wanted(self) -> bool:
        return False

    async def take(self, marks: Collection[str]) -> bool:
        return False


class PushLoop:
    """Listens for one homeserver."""

    def __init__(
        self,
        api: RoomApi,
        settings: PushSettings,
        *,
        on_state: OnState | None,
        on_events: Callable[[RoomId, tuple[EventJson, ...]], None],
        marks: Marks | None = None,
    ) -> None:
        """
        Args:
            api: of the bot user.
            on_events: told of each room's events, state too, once they are stored.
            marks: where other daemons may get what is sent; None: there are none.
        """
        self._api = api
        self._settings = settings
        self._connection = Connection(f"matrix:{settings.user_id}", on_state)
        self._on_events = on_events
        self._marks = marks or OneDaemon()
        self._server = TransactionServer(settings.hs_token, self._take)
        self._look_back = LookBack(api, settings.user_id)
        self._waiting_invitations: set[RoomId] = set()
        self._rooms: Rooms = frozenset
        self._on_sync: OnSync | None = None
        self._taking = asyncio.Lock()
        self._live = False
        self._id, self._numbers = uuid.uuid4().hex, itertools.count(1)
        #: Those put in this wait: any of them that comes back ends it.
        self._awaited: set[str] = set()
        self._mark_order = MarkOrder()
        self._marked = asyncio.Event()

    @property
    def port(self) -> int:
        """Where it listens, once `follow` runs."""
        return self._server.port

    async def follow(self, rooms: Rooms, on_sync: OnSync) -> None:
        """Hand on what happens in `rooms`, until cancelled.

        At first each room's state is handed on, then transactions as they come. `live` is true from the one on that
        brings our mark back: then the homeserver holds nothing back any more.

        Raises ConfigError where the configured port cannot be taken.
        """
        self._rooms, self._on_sync, self._live = rooms, on_sync, False
        await self._server.start(self._settings.appservice.host, self._settings.appservice.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                tasks.create_task(self._look_back.run(rooms, self._hand_recent_on))
        finally:
            await self._server.stop()

    async def _watch(self) -> None:
        introduced = False
        while True:
            try:
                if not introduced:
                    await self._introduce()
                    introduced = True
                await self._ping()
                await self._join_waiting()
                was_live = self._live
                # Another daemon may have died with a transaction that the homeserver keeps, and we do not know.
                if not was_live or await self._marks.wanted():
                    await self._await_mark()
                if not was_live:
                    self._look_back.wake()
                # It reaches us, and pushes at once: nothing newer than this waits on its side.
                await self._hand_on(live=self._live)
            except PasserelleError as error:
                self._live = False
                await self._connection.pause(error)
            else:
                self._connection.works()
                await asyncio.sleep(max(self._settings.ping_seconds, LEAST_PAUSE_SECONDS))

    async def _introduce(self) -> None:
        """Join the configured rooms and hand on their state: transactions tell changes only."""
        rooms, joined = self._rooms(), await self._api.joined_rooms()
        self._waiting_invitations |= rooms - joined
        await self._join_waiting()
        for room_id in sorted(rooms & await self._api.joined_rooms()):
            state = tuple({**event, "room_id": room_id} for event in await self._api.state(room_id))
            self._on_events(room_id, state)
            await self._hand_on(RoomUpdate(room_id=room_id, state=state))

    async def _hand_recent_on(self, room_id: RoomId, recent: tuple[EventJson, ...]) -> None:
        await self._hand_on(RoomUpdate(room_id=room_id, timeline=recent))

    async def _hand_on(
        self, *rooms: RoomUpdate, live: bool = False, transaction_id: str | None = None, marks: tuple[str, ...] = ()
    ) -> None:
        if self._on_sync is None:
            raise TemporaryFailure("nobody listens yet")
        await self._on_sync(
            SyncArrivals(
                source=self._connection.source,
                before=None,
                after=None,
                rooms=rooms,
                live=live,
                transaction_id=transaction_id,
                marks=marks,
            )
        )

    async def _join_waiting(self) -> None:
        for room_id in sorted(self._waiting_invitations):
            try:
                await self._api.join(room_id)
            except MatrixRefusal as refusal:
                _LOG.error("room %s: %s", room_id, refusal)
            self._waiting_invitations.discard(room_id)

    async def _ping(self) -> None:
        """Keep the homeserver sending: a ping also makes it retry what it queued. Old ones do not know it."""
        try:
            await self._api.ping(self._settings.appservice.id)
        except MatrixRefusal as refusal:
            if refusal.errcode != "M_UNRECOGNIZED":
                raise

    async def _await_mark(self) -> None:
        """Wait until everything that the homeserver had kept for us has come."""
        self._awaited, self._marked, put = set(), asyncio.Event(), None
        try:
            async with asyncio.timeout(MARK_SECONDS):
                while True:
                    put = await self._put_mark(after=put)
                    if await self._a_mark_is_back(within_seconds=MARK_AGAIN_SECONDS):
                        return
        except TimeoutError:
            raise TemporaryFailure(
                "the homeserver does not send what happens; is the registration installed?"
            ) from None

    async def _put_mark(self, *, after: str | None) -> str:
        mark = f"{self._id}/{next(self._numbers)}"
        self._awaited.add(mark)
        await self._api.put_state(await self._mark_room(), MARK, mark_content(mark, after))
        return mark

    async def _a_mark_is_back(self, *, within_seconds: float) -> bool:
        """Wait a while; whether a mark of this wait came back meanwhile, to us or to another daemon."""
        for _ in range(math.ceil(within_seconds / MARK_LOOK_SECONDS)):
            with suppress(TimeoutError):
                async with asyncio.timeout(MARK_LOOK_SECONDS):
                    await self._marked.wait()
            stored = await self._marks.take(self._awaited)
            self._live = self._live or stored
            if stored or self._marked.is_set():
                return True
        return False

    async def _mark_room(self) -> RoomId:
        own_id = self._settings.user_id
        kept = (await self._api.account_data(own_id, MARK)).get("room_id")
        if isinstance(kept, str) and kept in await self._api.joined_rooms():
            return RoomId(kept)
        room_id = await self._api.create_room({"preset": "private_chat", "name": "Passerelle"})
        await self._api.put_account_data(own_id, MARK, {"room_id": room_id})
        return room_id

    def _marks_in(self, events: Sequence[EventJson]) -> list[Mapping[str, Any]]:
        ours = [e for e in events if e.get("type") == MARK and e.get("sender") == self._settings.user_id]
        contents = [event.get("content") for event in ours]
        return [content for content in contents if isinstance(content, dict)]

    async def _take(self, transaction_id: str, body: Mapping[str, Any]) -> None:
        """Hand one transaction on; returning means that it is stored (`OnTransaction`)."""
        events = [event for event in body.get("events") or () if isinstance(event, dict)]
        by_room: defaultdict[RoomId, list[EventJson]] = defaultdict(list)
        for event in events:
            by_room[RoomId(str(event.get("room_id")))].append(event)
        async with self._taking:
            await self._store(transaction_id, events, by_room)
        for room_id, timeline in by_room.items():
            self._on_events(room_id, tuple(timeline))
        await self._accept_invitations(events)

    async def _store(
        self, transaction_id: str, events: Sequence[EventJson], by_room: Mapping[RoomId, Sequence[EventJson]]
    ) -> None:
        contents = self._marks_in(events)
        marks = tuple(str(content.get("mark")) for content in contents)
        back = not self._awaited.isdisjoint(marks)
        live = back or (self._live and not _is_backlog(events))
        # Where this is not stored, the homeserver begins to queue.
        self._live = False
        if self._mark_order.overtakes(contents):
            raise TemporaryFailure("an older transaction never came; the homeserver begins again with its oldest")
        updates = [
            RoomUpdate(room_id=room_id, timeline=tuple(timeline))
            for room_id, timeline in by_room.items()
            if room_id in self._rooms()
        ]
        await self._hand_on(*updates, live=live, transaction_id=transaction_id, marks=marks)
        self._mark_order.note(marks)
        self._live = live
        if back:
            self._marked.set()

    async def _accept_invitations(self, events: list[dict[str, Any]]) -> None:
        invited = {RoomId(str(event.get("room_id"))) for event in events if self._invites_us(event)}
        self._waiting_invitations |= invited & self._rooms()
        try:
            await self._join_waiting()
        except DeliveryFailure as failure:
            # Stored is stored: `_watch` tries again.
            _LOG.warning("an invitation waits: %s", failure)

    def _invites_us(self, event: Mapping[str, Any]) -> bool:
        content = event.get("content")
        membership = content.get("membership") if isinstance(content, dict) else None
        return (
            event.get("type") == "m.room.member"
            and event.get("state_key") == self._settings.user_id
            and membership == "invite"
        )


def _is_backlog(events: Sequence[EventJson]) -> bool:
    sent = [e["origin_server_ts"] for e in events if isinstance(e.get("origin_server_ts"), int)]
    return bool(sent) and max(sent) < (time.time() - BACKLOG_SECONDS) * 1000
