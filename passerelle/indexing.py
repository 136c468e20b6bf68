"""What was said is found by the next search: the worker that indexes posts, and reads the files that came with them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from passerelle.errors import StoreError
from passerelle.files.kinds import kind_of
from passerelle.files.reading import read_file
from passerelle.files.texts import UnreadableFile
from passerelle.flows.context import FlowContext
from passerelle.flows.index_posts import index_waiting
from passerelle.store.blobs import get_blob
from passerelle.store.file_texts import UnreadFile, claim_unread, mark_unreadable, reuse_text, set_text
from passerelle.store.search_rebuild import needs_rebuild

log = logging.getLogger(__name__)

#: Other processes make work too, and wake nobody here.
_POLL_SECONDS = 5.0


class Indexing:
    """Indexes what waits, and reads one file after the other."""

    def __init__(self, ctx: FlowContext) -> None:
        self._ctx = ctx
        self._wakes = (asyncio.Event(), asyncio.Event())

    def wake(self) -> None:
        for one in self._wakes:
            one.set()

    async def run(self) -> None:
        """Work until cancelled."""
        try:
            if await needs_rebuild(self._ctx.store):
                log.warning("Searches find less than they ought to: run `passerelle archive rebuild`")
        except StoreError:
            log.exception("The store refused")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._index, self._wakes[0]))
            tasks.create_task(self._repeat(self._read, self._wakes[1]))

    async def _repeat(self, work: Callable[[], Awaitable[bool]], wake: asyncio.Event) -> None:
        while True:
            wake.clear()
            try:
                did_something = await work()
            except StoreError:
                log.exception("The store refused; trying again soon")
                did_something = False
            if did_something:
                await asyncio.sleep(0)
                continue
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await wake.wait()
            except TimeoutError:
                continue

    async def _index(self) -> bool:
        return await index_waiting(self._ctx) > 0

    async def _read(self) -> bool:
        if not await read_waiting_file(self._ctx):
            return False
        self._wakes[0].set()  # its post is to be indexed again
        return True


async def read_waiting_file(ctx: FlowContext) -> bool:
    """Read the text of one file that waits for it; whether there was one. Whatever is in it stops nothing."""
    file = await claim_unread(ctx.store)
    if file is None:
        return False
    async with ctx.store.write(durable=False, quiet=True) as conn:
        if await reuse_text(conn, file):
            return True
    try:
        text = await _read(ctx, file)
    except UnreadableFile as error:
        log.info("No text of a file: %s", error, extra={"attachment_id": file.id})
        async with ctx.store.write(durable=False, quiet=True) as conn:
            await mark_unreadable(conn, file, str(error))
    else:
        async with ctx.store.write(durable=False, quiet=True) as conn:
            await set_text(conn, file, text)
    return True


async def _read(ctx: FlowContext, file: UnreadFile) -> str:
    kind = kind_of(file.media_type, file.filename)
    if kind is None:
        raise UnreadableFile("it is of no kind that has a text")
    async with ctx.store.read() as conn:
        data = await get_blob(conn, file.blob_hash)
    return await read_file(data, kind)
