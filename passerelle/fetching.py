"""Files of the room's lines, fetched from the homeserver before the lines leave as a mail."""

import asyncio
import logging

from passerelle.core.backoff import Backoff
from passerelle.core.model import AttachmentRow
from passerelle.core.ports import MatrixTransport, Media
from passerelle.errors import PermanentFailure, TemporaryFailure
from passerelle.flows.context import FlowContext
from passerelle.lanes import retry_at
from passerelle.store.attachments import (
    claim_wanted,
    mark_attachment_failed,
    mark_here,
    postpone_attachment,
)
from passerelle.store.blobs import insert_blob

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
            rows = await claim_wanted(self._ctx.store, self._ctx.now(), limit=10)
            for row in rows:
                await self._one(row)
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
        except TemporaryFailure as failure:
            await self._again(row, str(failure))
        except PermanentFailure as failure:
            await self._fail(row, str(failure))
        else:
            async with self._ctx.store.write() as conn:
                await mark_here(conn, row.id, await insert_blob(conn, data), len(data))

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
