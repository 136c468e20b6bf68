"""Delivery to the homeserver: uploads, relations, sends; the same transaction id for every try."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from passerelle.core.backoff import Backoff
from passerelle.core.ids import EventId, RoomId, UserId
from passerelle.core.model import OutboxRow, RoomEvent
from passerelle.core.ports import GhostProfile, MatrixTransport, Media
from passerelle.errors import AccessRefused, PermanentFailure, TemporaryFailure
from passerelle.flows.context import FlowContext
from passerelle.lanes import retry_at
from passerelle.matrix.event_types import DELIVERY_KEY
from passerelle.matrix.render import inline_positions, relate, with_inline, with_media
from passerelle.steps import reached
from passerelle.store.attachments import list_attachments
from passerelle.store.blobs import get_blob
from passerelle.store.direct_rooms import note_direct_room
from passerelle.store.outbox import get_outbox, mark_failed, mark_sent, mark_uploaded, mark_waiting
from passerelle.store.posts import find_events_of_post, insert_room_event
from passerelle.store.rooms import find_room

log = logging.getLogger(__name__)

_RETRY = Backoff(first_seconds=4, longest_seconds=600)

#: Homeservers forget transaction ids (Synapse after a day): after this the room is looked at before a resend.
TRANSACTION_IDS_HOLD = timedelta(hours=12)


class EventDelivery:
    """Sends the events of one lane in order."""

    def __init__(self, ctx: FlowContext, matrix: MatrixTransport) -> None:
        self._ctx, self._matrix = ctx, matrix

    async def deliver(self, rows: Sequence[OutboxRow]) -> int:
        """Send until one must wait: what comes after it in the lane waits with it. How many were tried."""
        for tried, row in enumerate(rows, 1):
            if not await self._one(row):
                return tried
        return len(rows)

    async def _one(self, row: OutboxRow) -> bool:
        reached("event_claimed")
        async with self._ctx.store.read() as conn:
            if (await get_outbox(conn, row.id)).state != "waiting":
                return True  # taken back, or proven by its own echo, since it was claimed
        try:
            event_id = await self._send(row)
        except AccessRefused as refusal:
            # Nothing is wrong with the event: an administrator mends the login.
            return await self._postpone(row, TemporaryFailure(str(refusal)))
        except TemporaryFailure as failure:
            return await self._postpone(row, failure)
        except PermanentFailure as failure:
            async with self._ctx.store.write() as conn:
                await mark_failed(conn, row.id, self._ctx.now(), str(failure))
            log.warning("Event refused", extra={"outbox_id": row.id, "link": row.link, "error": str(failure)})
            return True
        return event_id is not None

    async def _postpone(self, row: OutboxRow, failure: TemporaryFailure) -> bool:
        """Try again later; give up, and let the lane go on, after the link's `give_up_hours`."""
        now = self._ctx.now()
        due = retry_at(row.attempts, now, _RETRY)
        if failure.retry_after_seconds is not None:
            due = now + timedelta(seconds=failure.retry_after_seconds)
        async with self._ctx.store.write() as conn:
            # Counted from the first try: what waited while we were down was never tried.
            untried = (row.first_tried_at or now) - row.created_at
            if due >= row.give_up_at + untried:
                await mark_failed(conn, row.id, now, str(failure))
                return True
            await mark_waiting(conn, row.id, due, str(failure))
        log.info("Event waits", extra={"outbox_id": row.id, "link": row.link, "error": str(failure)})
        return False

    async def _send(self, row: OutboxRow) -> EventId | None:
        room_id = await self._room_of(row)
        if self._needs_a_look(row):
            found = await self._matrix.find_own_event(
                room_id,
                key=DELIVERY_KEY,
                value=row.delivery_key,
                not_before=self._look_back_to(row),
                ghost=_ghost(row),
            )
            if found is not None:
                await self._store_sent(row, room_id, found, None)
                return found
        content, root = await self._content(row, room_id)
        event_id = await self._put(row, room_id, content)
        reached("event_put")
        await self._store_sent(row, room_id, event_id, root)
        return event_id

    async def _put(self, row: OutboxRow, room_id: RoomId, content: Mapping[str, Any]) -> EventId:
        if row.kind == "redaction" and row.target_event_id is not None:
            return await self._matrix.redact(room_id, row.target_event_id, transaction_id=row.delivery_key)
        return await self._matrix.send_event(
            room_id,
            content,
            transaction_id=row.delivery_key,
            event_type="m.reaction" if row.kind == "reaction" else "m.room.message",
            ghost=_ghost(row),
        )

    async def _room_of(self, row: OutboxRow) -> RoomId:
        if row.kind == "direct":
            return await self._matrix.open_direct_room(UserId(str(row.recipient)))
        if row.room_id is None:
            raise PermanentFailure("the event names no room")
        return row.room_id

    def _look_back_to(self, row: OutboxRow) -> datetime:
        """The earliest instant at which an own event with the row's key can have been sent, with a margin."""
        restored = self._ctx.restored
        earliest = row.first_tried_at or row.created_at
        if restored is not None and restored.is_careful(self._ctx.now()):
            earliest = min(earliest, restored.knows_until)
        return earliest - timedelta(minutes=10)

    def _needs_a_look(self, row: OutboxRow) -> bool:
        """Whether the transaction id protects no longer: a new device, too long ago, or a restored backup."""
        restored = self._ctx.restored
        if restored is not None and restored.is_careful(self._ctx.now()):
            return True
        if row.first_tried_at is None or row.attempts <= 1:
            return False
        if row.first_device_id and row.first_device_id != self._matrix.device_id:
            return True
        return self._ctx.now() - row.first_tried_at > TRANSACTION_IDS_HOLD

    async def _content(self, row: OutboxRow, room_id: RoomId) -> tuple[Mapping[str, Any], EventId | None]:
        """The event's content with its file and its relation, and the root of the thread that it stands in."""
        content: Mapping[str, Any] = {**(row.content or {}), DELIVERY_KEY: row.delivery_key}
        if row.upload_hash is not None:
            media = await self._uploaded(row, room_id)
            content = with_media(content, url=media.url, file=media.file)
        if inline_positions(content):
            content = with_inline(content, await self._inline(row))
        if row.parent_post_id is None:
            return content, None
        async with self._ctx.store.read() as conn:
            events = await find_events_of_post(conn, row.parent_post_id, room_id)
        if not events:
            return content, None
        parent = events[0]
        root = parent.thread_root_event_id or parent.event_id
        link = self._ctx.links.find(f"{row.association}/{row.link}")
        style = link.settings.threads if link else "thread"
        return relate(content, root=root, parent=parent.event_id, style=style), root if style == "thread" else None

    async def _uploaded(self, row: OutboxRow, room_id: RoomId) -> Media:
        """Where the row's file is on the homeserver; a file is uploaded once, also over a restart."""
        if row.uploaded is not None:
            return Media(url=row.uploaded["url"], file=row.uploaded.get("file"))
        assert row.upload_hash is not None
        async with self._ctx.store.read() as conn:
            data = await get_blob(conn, row.upload_hash)
            facts = await find_room(conn, room_id)
        content = row.content or {}
        info = content.get("info") or {}
        media = await self._matrix.upload(
            data,
            media_type=str(info.get("mimetype") or "application/octet-stream"),
            filename=str(content.get("filename") or content.get("body") or "file"),
            encrypted=bool(facts and facts.encrypted),
        )
        reached("file_uploaded")
        async with self._ctx.store.write() as conn:
            await mark_uploaded(conn, row.id, {"url": media.url, "file": dict(media.file) if media.file else None})
        return media

    async def _inline(self, row: OutboxRow) -> dict[int, str | None]:
        """Where the images are that the text shows in place; each is uploaded once. None: it is refused."""
        wanted = inline_positions(row.content or {})
        urls = {int(position): url for position, url in ((row.uploaded or {}).get("inline") or {}).items()}
        async with self._ctx.store.read() as conn:
            files = await list_attachments(conn, row.post_id) if row.post_id is not None else []
        for file in files:
            if file.position not in wanted - urls.keys() or file.blob_hash is None:
                continue
            async with self._ctx.store.read() as conn:
                data = await get_blob(conn, file.blob_hash)
            try:
                media = await self._matrix.upload(
                    data, media_type=file.media_type, filename=file.filename, encrypted=False
                )
            except AccessRefused:
                raise
            except PermanentFailure:
                urls[file.position] = None
                continue
            urls[file.position] = media.url
            async with self._ctx.store.write() as conn:
                await mark_uploaded(conn, row.id, {"inline": {str(p): url for p, url in urls.items()}})
        return {position: urls.get(position) for position in wanted}

    async def _store_sent(self, row: OutboxRow, room_id: RoomId, event_id: EventId, root: EventId | None) -> None:
        """One transaction marks the row sent and ties its post to the event."""
        now = self._ctx.now()
        async with self._ctx.store.write() as conn:
            await mark_sent(conn, row.id, now, event_id=event_id)
            if row.kind == "direct":
                await note_direct_room(conn, room_id, UserId(str(row.recipient)), now)
                self._ctx.links.add_direct_room(room_id, UserId(str(row.recipient)))
            if row.post_id is not None and row.kind == "event":
                await insert_room_event(
                    conn,
                    RoomEvent(
                        event_id=event_id,
                        room_id=room_id,
                        post_id=row.post_id,
                        part=row.part,
                        thread_root_event_id=root,
                        outbox_id=row.id,
                        said_at=now,
                    ),
                )
        reached("event_sent")
        log.info("Event sent", extra={"outbox_id": row.id, "link": row.link})


def _ghost(row: OutboxRow) -> GhostProfile | None:
    if row.ghost is None:
        return None
    return GhostProfile(localpart=row.ghost["localpart"], display_name=row.ghost["display_name"])
