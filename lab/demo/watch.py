"""Looks at both sides again and again: the members' mailboxes over IMAP, the room through a member's client."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import lru_cache

from lab.association import Association
from lab.demo.sides import Email, RoomItem, Sides, read_email, read_room
from lab.matrix_client import ChatMember
from lab.process import NotReadyError

PAUSE_SECONDS = 0.3
_read_once = lru_cache(maxsize=512)(read_email)


class Watch:
    """Both sides as they were last seen; :meth:`running` keeps it current."""

    def __init__(self, association: Association, reader: ChatMember, *, mailbox_of: str) -> None:
        """Watch the mailbox of one mail member, and the room as ``reader`` sees it."""
        self._association = association
        self._reader = reader
        self._owner = mailbox_of
        self._files: dict[str, bytes] = {}
        self._looking: asyncio.Task[None] | None = None
        self.emails: tuple[Email, ...] = ()
        self.room: tuple[RoomItem, ...] = ()
        #: Rooms of the reader and the bridge, and what stands there.
        self._direct_rooms: list[str] = []
        self.direct: tuple[RoomItem, ...] = ()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look in the background until the end of the block."""
        self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def until(self, wanted: Callable[[Watch], bool], *, what: str, deadline_seconds: float = 90) -> None:
        """Wait until both sides are as ``wanted``.

        :raises NotReadyError: after the deadline; its message says ``what`` did not come.
        """
        deadline = time.monotonic() + deadline_seconds
        while not wanted(self):
            if self._looking is not None and self._looking.done():
                self._looking.result()
            if time.monotonic() > deadline:
                raise NotReadyError(f"{what} : rien au bout de {deadline_seconds:g} s")
            await asyncio.sleep(0.05)

    async def read_all(self) -> Sides:
        """Read every member's mailbox and the room, now."""
        mailboxes = {member: await self._read_mailbox(member) for member in self._association.mail_members}
        return Sides(mailboxes=mailboxes, room=await self._read_room(), direct=await self._read_direct())

    def add_direct(self, room_id: str) -> None:
        """Watch a room of the reader and the bridge too."""
        if room_id not in self._direct_rooms:
            self._direct_rooms.append(room_id)

    async def _look_on(self) -> None:
        while True:
            self.emails = await self._read_mailbox(self._owner)
            self.room = await self._read_room()
            self.direct = await self._read_direct()
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read_mailbox(self, member: str) -> tuple[Email, ...]:
        mailbox = self._association.mail_members[member].mailbox
        return tuple(_read_once(raw) for raw in await asyncio.to_thread(mailbox.fetch_raw))

    async def _read_room(self) -> tuple[RoomItem, ...]:
        events = await self._reader.timeline(self._association.room_id)
        for event in events:
            url = event["content"].get("url", "") if event["type"] == "m.room.message" else ""
            if url and url not in self._files:
                self._files[url] = await self._reader.download(url)
        return read_room(events, self._files)

    async def _read_direct(self) -> tuple[RoomItem, ...]:
        items: list[RoomItem] = []
        for room_id in self._direct_rooms:
            items += read_room(await self._reader.timeline(room_id), {})
        return tuple(items)
