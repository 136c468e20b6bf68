"""A real chat member: the few calls of Matrix's client-server API that people make, over aiohttp."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self
from urllib.parse import quote

import aiohttp

from lab.process import LabError, NotReadyError
from lab.synapse import Account

Event = dict[str, Any]


class MatrixError(LabError):
    """The homeserver refused; ``errcode`` is Matrix's own."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {answer.get('errcode')}: {answer.get('error')}")
        self.status = status
        self.errcode = answer.get("errcode")


class ChatMember:
    """One logged-in person. ``async with ChatMember(account) as lea:``."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.user_id = account.user_id
        self._session: aiohttp.ClientSession | None = None
        # Transaction ids are kept for each device (Client-Server API, "Transaction identifiers").
        self._transactions = (f"lab-{time.time_ns()}-{number}" for number in itertools.count())

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self.account.access_token}"}
        self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=90))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def call(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Call ``/_matrix/client/v3/PATH`` and return the answer.

        :raises MatrixError: when it is an error.
        """
        url = f"{self.account.homeserver}/_matrix/client/v3/{path}"
        async with self._open_session().request(method, url, json=body, params=query) as response:
            answer: dict[str, Any] = await response.json()
        if response.status >= 400:
            raise MatrixError(response.status, answer)
        return answer

    async def set_display_name(self, name: str) -> None:
        """Take a name."""
        await self.call("PUT", f"profile/{quote(self.user_id)}/displayname", {"displayname": name})

    async def create_room(
        self, name: str, invite: Sequence[str] = (), *, options: Mapping[str, Any] | None = None
    ) -> str:
        """Make a private room and return its id; ``options`` are further keys of createRoom."""
        body = {"name": name, "preset": "private_chat", "invite": list(invite), **(options or {})}
        return str((await self.call("POST", "createRoom", body))["room_id"])

    async def invite(self, room_id: str, user_id: str) -> None:
        """Invite somebody."""
        await self.call("POST", f"rooms/{quote(room_id)}/invite", {"user_id": user_id})

    async def join(self, room_id: str) -> None:
        """Join a room."""
        await self.call("POST", f"join/{quote(room_id)}", {})

    async def leave(self, room_id: str) -> None:
        """Leave a room, or decline an invitation."""
        await self.call("POST", f"rooms/{quote(room_id)}/leave", {})

    async def send_event(self, room_id: str, event_type: str, content: Mapping[str, Any]) -> str:
        """Send one event and return its id."""
        path = f"rooms/{quote(room_id)}/send/{quote(event_type)}/{next(self._transactions)}"
        return str((await self.call("PUT", path, content))["event_id"])

    async def set_state(self, room_id: str, event_type: str, content: Mapping[str, Any], key: str = "") -> str:
        """Set one state event and return its id."""
        path = f"rooms/{quote(room_id)}/state/{quote(event_type)}/{quote(key)}"
        return str((await self.call("PUT", path, content))["event_id"])

    async def state(self, room_id: str, event_type: str, key: str = "") -> dict[str, Any]:
        """Return the content of one state event."""
        return await self.call("GET", f"rooms/{quote(room_id)}/state/{quote(event_type)}/{quote(key)}")

    async def say(
        self, room_id: str, text: str, *, html: str | None = None, relates_to: Mapping[str, Any] | None = None
    ) -> str:
        """Write one line (m.text) and return its event id."""
        content: dict[str, Any] = {"msgtype": "m.text", "body": text}
        if html is not None:
            content |= {"format": "org.matrix.custom.html", "formatted_body": html}
        if relates_to is not None:
            content["m.relates_to"] = dict(relates_to)
        return await self.send_event(room_id, "m.room.message", content)

    async def reply(self, room_id: str, event_id: str, text: str) -> str:
        """Answer one event (a rich reply)."""
        return await self.say(room_id, text, relates_to={"m.in_reply_to": {"event_id": event_id}})

    async def say_in_thread(self, room_id: str, root_id: str, text: str, *, answering: str | None = None) -> str:
        """Write in the thread of ``root_id``; ``answering`` makes it a real reply to one of its lines."""
        relation = {
            "rel_type": "m.thread",
            "event_id": root_id,
            "is_falling_back": answering is None,
            "m.in_reply_to": {"event_id": answering or root_id},
        }
        return await self.say(room_id, text, relates_to=relation)

    async def edit(self, room_id: str, event_id: str, text: str) -> str:
        """Replace the text of one's own line."""
        content = {
            "msgtype": "m.text",
            "body": f"* {text}",
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
        }
        return await self.send_event(room_id, "m.room.message", content)

    async def redact(self, room_id: str, event_id: str) -> str:
        """Take an event back."""
        path = f"rooms/{quote(room_id)}/redact/{quote(event_id)}/{next(self._transactions)}"
        return str((await self.call("PUT", path, {}))["event_id"])

    async def react(self, room_id: str, event_id: str, key: str) -> str:
        """React to an event with an emoji."""
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": key}
        return await self.send_event(room_id, "m.reaction", {"m.relates_to": relation})

    async def upload(self, data: bytes, name: str, media_type: str) -> str:
        """Upload a file and return its mxc address."""
        url = f"{self.account.homeserver}/_matrix/media/v3/upload"
        headers = {"Content-Type": media_type}
        async with self._open_session().post(url, data=data, params={"filename": name}, headers=headers) as response:
            answer = await response.json()
        if response.status >= 400:
            raise MatrixError(response.status, answer)
        return str(answer["content_uri"])

    async def send_file(
        self, room_id: str, data: bytes, name: str, media_type: str = "application/octet-stream"
    ) -> str:
        """Upload a file and show it in the room, as an image, a sound, a film or a file by its media type."""
        kind = media_type.partition("/")[0]
        content = {
            "msgtype": f"m.{kind}" if kind in ("image", "audio", "video") else "m.file",
            "body": name,
            "filename": name,
            "url": await self.upload(data, name, media_type),
            "info": {"mimetype": media_type, "size": len(data)},
        }
        return await self.send_event(room_id, "m.room.message", content)

    async def download(self, mxc: str) -> bytes:
        """Return a file by its mxc address (authenticated media, Matrix 1.11)."""
        server, _, media_id = mxc.removeprefix("mxc://").partition("/")
        url = f"{self.account.homeserver}/_matrix/client/v1/media/download/{quote(server)}/{quote(media_id)}"
        async with self._open_session().get(url) as response:
            if response.status >= 400:
                raise MatrixError(response.status, await response.json())
            return await response.read()

    async def joined_members(self, room_id: str) -> list[str]:
        """Return the user ids of who is in the room."""
        return list((await self.call("GET", f"rooms/{quote(room_id)}/joined_members"))["joined"])

    async def joined_rooms(self) -> list[str]:
        """Return the rooms one is in."""
        return list((await self.call("GET", "joined_rooms"))["joined_rooms"])

    async def invitations(self) -> list[str]:
        """Return the rooms one is invited to."""
        answer = await self.call("GET", "sync", query={"timeout": "0"})
        return list(answer.get("rooms", {}).get("invite", {}))

    async def event(self, room_id: str, event_id: str) -> Event:
        """Return one event."""
        return await self.call("GET", f"rooms/{quote(room_id)}/event/{quote(event_id)}")

    async def timeline(self, room_id: str) -> list[Event]:
        """Return all events of the room, oldest first, by paging /messages until nothing is left."""
        found: list[Event] = []
        query = {"dir": "b", "limit": "1000"}
        while True:
            page = await self.call("GET", f"rooms/{quote(room_id)}/messages", query=query)
            found += page["chunk"]
            if "end" not in page:
                return found[::-1]
            query["from"] = page["end"]

    async def lines(self, room_id: str, *, sender: str | None = None) -> list[Event]:
        """Return the room's m.room.message events that are not taken back, oldest first."""
        return [
            event
            for event in await self.timeline(room_id)
            if event["type"] == "m.room.message" and event["content"] and sender in (None, event["sender"])
        ]

    async def wait_for(self, room_id: str, wanted: Callable[[Event], bool], *, deadline_seconds: float = 60) -> Event:
        """Wait until an event that is ``wanted`` is in the room, and return the first of them."""
        deadline = time.monotonic() + deadline_seconds
        while True:
            for event in await self.timeline(room_id):
                if wanted(event):
                    return event
            if time.monotonic() >= deadline:
                raise NotReadyError(f"no such event in the room within {deadline_seconds:g} s")
            await asyncio.sleep(0.05)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise LabError("not entered: use async with")
        return self._session
