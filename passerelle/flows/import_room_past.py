"""What was said in a room before the bridge came: lines become posts of the imported past, and nothing leaves for it.

They stand under their own time and author, on the room's own shelf until they are opened (PEOPLE 8). Who wrote then is
a person, but takes part in the link only where they are there now. Files are fetched by the daemon, later.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.identity import content_hash
from passerelle.core.ids import EventId, PostId, RoomId, ThreadId, UserId
from passerelle.core.links import Link
from passerelle.core.model import NewAttachment, NewPost, Post, PostVersion, RoomEvent
from passerelle.core.names import safe_name
from passerelle.core.not_archived import without_mark
from passerelle.core.permalinks import short_name
from passerelle.core.placing import line_refs
from passerelle.core.ports import EventJson
from passerelle.errors import MalformedEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.import_work import NOT_TO_BE_ARCHIVED
from passerelle.flows.own_events import is_ours
from passerelle.flows.rethread import settle_line
from passerelle.flows.taking_back import take_back
from passerelle.imports.source import ENCRYPTED, KEPT_IN_ROOM, MALFORMED_EVENT
from passerelle.mail.compose import first_words
from passerelle.matrix.event_types import VOICE, Edit, RoomLine, Undecryptable, is_kept_in_room, readable_text
from passerelle.matrix.events import parse_event
from passerelle.matrix.past_page import PastPage
from passerelle.store.attachments import insert_attachments
from passerelle.store.blobs import insert_blob
from passerelle.store.imports import (
    ImportRefusal,
    ImportRun,
    Progress,
    advance_import_run,
    get_import_run,
    insert_import_refusals,
)
from passerelle.store.links import find_link_state, lock_link
from passerelle.store.people import find_or_insert_person
from passerelle.store.post_versions import insert_version, list_versions
from passerelle.store.posts import (
    find_event_in_room,
    find_post,
    get_post,
    insert_post,
    insert_room_event,
    update_post_text,
)
from passerelle.store.threads import insert_thread

#: Events of one transaction: none lasts over half a second.
_TOGETHER = 20


class Past(Protocol):
    """Where a room's past comes from: `matrix.past.RoomPast`."""

    def pages(self, after: str | None) -> AsyncIterator[PastPage]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """The conversation that goes on while nobody answers anything: as in the live room, pauses end it."""

    #: The event of its first line; its thread may become another when more of what it names comes in.
    first: EventId
    last_said_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Room:
    link: Link
    room_id: RoomId
    #: What was said from here on, the bridge itself has taken, or left for a reason. None: it was never confirmed.
    live_since: datetime | None
    names: Mapping[UserId, str]


async def import_room_past(
    ctx: FlowContext,
    link: Link,
    run_id: int,
    past: Past,
    *,
    on_progress: Callable[[ImportRun, datetime | None], None],
) -> ImportRun:
    """Read a room's past to its end; the run as it stands then. It goes on where the run was interrupted.

    Args:
        on_progress: told after each transaction, with when the last event was said.

    Raises StoreError, and what `past` raises.
    """
    async with ctx.store.read() as conn:
        run = await get_import_run(conn, run_id)
        state = await find_link_state(conn, link.association_name, link.name)
    room_id = ctx.links.room_of(link) or RoomId(run.source)
    room = _Room(link=link, room_id=room_id, live_since=state.confirmed_at, names={})
    token = run.position["token"] if run.position else None
    talk = _talk_at(run.position)
    async for page in past.pages(token):
        room = replace(room, names={**room.names, **page.names})
        events = list(page.events)
        for begin in range(0, max(len(events), 1), _TOGETHER):
            part = events[begin : begin + _TOGETHER]
            async with ctx.store.write() as conn:
                # Beside a daemon that takes live lines of the same people.
                await lock_link(conn, link.association_name, link.name)
                taking = _Taking(ctx=ctx, conn=conn, room=room, talk=talk)
                for event in part:
                    await taking.take(event)
                talk = taking.talk
                # A part of a page is no place to go on from.
                is_whole = begin + _TOGETHER >= len(events) and page.token is not None
                position = {"token": page.token} | _talk_position(talk) if is_whole else None
                await insert_import_refusals(conn, run_id, taking.refusals)
                await advance_import_run(conn, run_id, taking.progress(position))
            async with ctx.store.read() as conn:
                run = await get_import_run(conn, run_id)
            on_progress(run, _said_at(part))
    return run


def _talk_at(position: Mapping[str, object] | None) -> Talk | None:
    if not position or "talk" not in position:
        return None
    return Talk(
        first=EventId(str(position["talk"])),
        last_said_at=datetime.fromisoformat(str(position["last_said_at"])),
    )


def _talk_position(talk: Talk | None) -> dict[str, object]:
    return {} if talk is None else {"talk": talk.first, "last_said_at": talk.last_said_at.isoformat()}


def _said_at(events: Sequence[EventJson]) -> datetime | None:
    for event in reversed(events):
        try:
            return parse_event(event).said_at
        except MalformedEvent:
            continue
    return None


class _Taking:
    """Takes some events, one after the other, in one transaction."""

    def __init__(self, *, ctx: FlowContext, conn: AsyncConnection, room: _Room, talk: Talk | None) -> None:
        self._ctx, self._conn, self._room = ctx, conn, room
        self.talk = talk
        self.refusals: list[ImportRefusal] = []
        self._read = self._imported = self._known = 0

    def progress(self, position: object | None) -> Progress:
        return Progress(
            position=position,
            read=self._read,
            imported=self._imported,
            known=self._known,
            refused=len(self.refusals),
        )

    async def take(self, event: EventJson) -> None:
        """Take one event. What is no line is not counted: members, reactions, what bots said, what was redacted."""
        if is_ours(self._ctx.settings.matrix, str(event.get("sender"))):
            return
        try:
            parsed = parse_event(event, not_after=self._ctx.now())
        except MalformedEvent:
            self._refuse(event, MALFORMED_EVENT)
            return
        if isinstance(parsed, Edit):
            await self._edit(parsed)
        elif self._is_live(parsed.said_at):
            return
        elif isinstance(parsed, Undecryptable):
            self._refuse(event, ENCRYPTED)
        elif isinstance(parsed, RoomLine) and not parsed.is_notice:
            await self._line(event, parsed)

    def _is_live(self, said_at: datetime) -> bool:
        return self._room.live_since is not None and said_at >= self._room.live_since

    def _refuse(self, event: EventJson, reason: str) -> None:
        self._read += 1
        at = parse_time(event)
        place = " ".join(filter(None, (str(event.get("event_id", ""))[:255], at.isoformat(timespec="minutes"))))
        self.refusals.append(ImportRefusal(place=place, reason=reason))

    async def _line(self, event: EventJson, line: RoomLine) -> None:
        if is_kept_in_room(line):
            self._refuse(event, KEPT_IN_ROOM)
            return
        if without_mark(line.body) is not None:
            self._refuse(event, NOT_TO_BE_ARCHIVED)
            return
        self._read += 1
        if await find_event_in_room(self._conn, line.event_id, self._room.room_id) is not None:
            self._known += 1
            return
        parent = await self._parent_of(line)
        thread_id = await self._thread_for(line, parent)
        post_id = await self._insert(event, line, parent=parent, thread_id=thread_id)
        await self._insert_event_and_files(line, post_id)
        await settle_line(self._conn, await get_post(self._conn, post_id), self._ctx.now())
        self._imported += 1

    async def _parent_of(self, line: RoomLine) -> Post | None:
        """The post that a line answers; what the past of a room answers was said there before."""
        for event_id in (line.replies_to, line.thread_root):
            known = await find_event_in_room(self._conn, event_id, self._room.room_id) if event_id else None
            if known is not None:
                return await find_post(self._conn, known.post_id)
        return None

    async def _thread_for(self, line: RoomLine, parent: Post | None) -> ThreadId:
        if parent is not None:
            return parent.thread_id
        answers = line.thread_root is not None or line.replies_to is not None
        quiet = timedelta(minutes=self._room.link.settings.quiet_minutes)
        talk = self.talk
        if not answers and talk is not None and line.said_at <= talk.last_said_at + quiet:
            first = await find_event_in_room(self._conn, talk.first, self._room.room_id)
            if first is not None:
                self.talk = Talk(first=talk.first, last_said_at=max(line.said_at, talk.last_said_at))
                return (await get_post(self._conn, first.post_id)).thread_id
        subject = first_words(self._text(line))
        thread_id = await insert_thread(self._conn, self._room.link.association_name, subject, line.said_at)
        if not answers:
            self.talk = Talk(first=line.event_id, last_said_at=line.said_at)
        return thread_id

    async def _insert(self, event: EventJson, line: RoomLine, *, parent: Post | None, thread_id: ThreadId) -> PostId:
        link, conn, now = self._room.link, self._conn, self._ctx.now()
        name = safe_name(self._room.names.get(line.sender, "")) or line.sender[1:].partition(":")[0]
        person_id = await find_or_insert_person(conn, link.association_name, name=name, user_id=line.sender, now=now)
        new = NewPost(
            association=link.association_name,
            link=link.name,
            side="room",
            origin="import",
            raw_hash=await insert_blob(conn, json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")),
            content_hash=content_hash(author=line.sender, words=line.body, said_at=line.said_at),
            thread_id=thread_id,
            parent_post_id=parent.id if parent else None,
            author_name=name,
            author_user_id=line.sender,
            person_id=person_id,
            text=self._text(line),
            html=line.formatted_body,
            msgtype=VOICE if line.is_voice else line.msgtype,
            said_at=line.said_at,
            accepted_at=now,
            refs=line_refs(line.replies_to, line.thread_root, beside=self._beside(line)),
            permalink=short_name(link.association_name, line.event_id),
        )
        return await insert_post(conn, new)

    def _beside(self, line: RoomLine) -> str:
        """The first line of the talk that a line goes on with."""
        return self.talk.first if self.talk is not None and self.talk.first != line.event_id else ""

    async def _insert_event_and_files(self, line: RoomLine, post_id: PostId) -> None:
        event = RoomEvent(
            event_id=line.event_id,
            room_id=self._room.room_id,
            post_id=post_id,
            part=0,
            thread_root_event_id=line.thread_root,
            outbox_id=None,
            said_at=line.said_at,
        )
        await insert_room_event(self._conn, event)
        files: list[NewAttachment] = [replace(file, position=n) for n, file in enumerate(line.files, 1)]
        await insert_attachments(self._conn, post_id, files, self._ctx.now())

    async def _edit(self, edit: Edit) -> None:
        """The line reads as its author last wrote it, also where that was after the bridge came."""
        post = await self._imported_post(edit.target)
        if post is None or post.author_user_id != edit.sender or post.state != "accepted":
            return
        if is_kept_in_room(edit.line) or without_mark(edit.line.body) is not None:
            await take_back(self._ctx, self._conn, post, "kept_back")
            return
        first = PostVersion(
            event_id=edit.target, post_id=post.id, text=post.text, html=post.html, content_hash=post.content_hash
        )
        new = PostVersion(
            event_id=edit.event_id,
            post_id=post.id,
            text=self._text(edit.line),
            html=edit.line.formatted_body,
            content_hash=content_hash(author=edit.sender, words=edit.line.body, said_at=post.said_at),
        )
        versions = await list_versions(self._conn, post.id)
        if any(version.event_id == edit.event_id for version in versions):
            return
        for version in (new,) if versions else (first, new):
            await insert_version(self._conn, version)
        await update_post_text(self._conn, post.id, text=new.text, html=new.html, content_hash=new.content_hash)

    async def _imported_post(self, event_id: EventId) -> Post | None:
        known = await find_event_in_room(self._conn, event_id, self._room.room_id)
        post = await find_post(self._conn, known.post_id) if known is not None and known.part == 0 else None
        return post if post is not None and post.origin == "import" else None

    def _text(self, line: RoomLine) -> str:
        return readable_text(line, self._ctx.renderer(self._room.link.association).words)


def parse_time(event: EventJson) -> datetime:
    """When an event says that it was said, whatever else is wrong with it."""
    whole = {"type": "m", "event_id": "$", "sender": "@", "content": {}}
    return parse_event({**whole, "origin_server_ts": event.get("origin_server_ts")}).said_at
