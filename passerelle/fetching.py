"""Files of the room's lines, fetched from the homeserver before the lines leave as a mail."""

import asyncio
import logging

from passerelle.core.backoff import Backoff
from passerelle.core.model import AttachmentRow
from passerelle.core.ports import MatrixTransport, Media
from passerelle.errors import AccessRefused, PermanentFailure, StoreError, TemporaryFailure
from passerelle.flows.context import FlowContext
from passerelle.flows.conversation_mail import MP3
from passerelle.lanes import retry_at
from passerelle.mail.voice import Mp3, UnplayableAudio, voice_filename, voice_to_mp3
from passerelle.matrix.event_types import VOICE
from passerelle.store.attachments import (
    claim_wanted,
    mark_attachment_failed,
    mark_here,
    postpone_attachment,
    set_converted,
)
from passerelle.store.blobs import insert_blob
from passerelle.store.posts import get_post

log = logging.getLogger(__name__)

_RETRY = Backoff(first_seconds=5, longest_seconds=600)
#: After this many tries the mail leaves without the file, and says so.
_MOST_ATTEMPTS = 8
_POLL_SECONDS = 2.0


class Fetching:
    """Fetches wanted files, one after the other."""

    def __init__(self, ctx: FlowContext, matrix: MatrixTransport) -> None:
        self._ctx, self._matrix = ctx, matrix
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Fetch until cancelled."""
        while True:
            self._wake.clear()
            try:
                rows = await claim_wanted(self._ctx.store, self._ctx.now(), limit=10)
                for row in rows:
                    await self._one(row)
            except StoreError:
                log.exception("The store refused; trying again soon")
                rows = []
            if not rows:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _one(self, row: AttachmentRow) -> None:
        media = row.media or {}
        try:
            data = await self._matrix.download(Media(url=str(media.get("url", "")), file=media.get("file")))
        except (TemporaryFailure, AccessRefused) as failure:
            # A refused login is nothing wrong with the file: an administrator mends it.
            await self._again(row, str(failure))
        except PermanentFailure as failure:
            await self._fail(row, str(failure))
        else:
            await self._store(row, data)

    async def _store(self, row: AttachmentRow, data: bytes) -> None:
        """Keep the file; a voice message as MP3, which every mail program plays."""
        async with self._ctx.store.read() as conn:
            post = await get_post(conn, row.post_id)
        mp3 = await self._as_mp3(data) if post.msgtype == VOICE and row.media_type != MP3 else None
        async with self._ctx.store.write() as conn:
            kept = mp3.data if mp3 else data
            wanted = await mark_here(conn, row.id, await insert_blob(conn, kept), len(kept))
            if mp3 is not None and wanted:
                association = next(a for a in self._ctx.settings.associations if a.name == post.association)
                name = voice_filename(post.author_name, mp3.duration_ms, self._ctx.renderer(association).words)
                await set_converted(conn, row.id, filename=name, media_type=MP3, duration_ms=mp3.duration_ms)

    async def _as_mp3(self, data: bytes) -> Mp3 | None:
        try:
            return await asyncio.to_thread(voice_to_mp3, data)
        except UnplayableAudio as error:
            log.warning("A voice message leaves as it is: %s", error)
            return None

    async def _again(self, row: AttachmentRow, reason: str) -> None:
        if row.attempts >= _MOST_ATTEMPTS:
            await self._fail(row, reason)
            return
        async with self._ctx.store.write() as conn:
            await postpone_attachment(conn, row.id, retry_at(row.attempts, self._ctx.now(), _RETRY), reason)

    async def _fail(self, row: AttachmentRow, reason: str) -> None:
        log.warning("A file cannot be fetched", extra={"attachment_id": row.id, "error": reason})
        async with self._ctx.store.write() as conn:
            await mark_attachment_failed(conn, row.id, reason)
