"""The words of others that a mail quotes, read again from the mail as it came: nothing else keeps them."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail, StoreError
from passerelle.mail.quick_reading import ListFacts, read_for_archive
from passerelle.store.blobs import get_blob

#: It was read before, under a longer limit.
_SECONDS = 5.0
#: From here on reading would hold up the event loop.
_LARGE_BYTES = 256 * 1024
#: Who wrote it is known already.
_NO_FACTS = ListFacts(addresses=frozenset(), prefix=None, mark_field="")


async def quoted_of(conn: AsyncConnection, raw_hash: BlobHash | None) -> str:
    """What a mail quotes; "" where it is not kept any more, or cannot be read."""
    if raw_hash is None:
        return ""
    try:
        raw = await get_blob(conn, raw_hash)
        if len(raw) > _LARGE_BYTES:
            return (await asyncio.to_thread(read_for_archive, raw, _NO_FACTS)).quoted
        with deadline(_SECONDS):
            return read_for_archive(raw, _NO_FACTS).quoted
    except (StoreError, MalformedEmail, DeadlinePassed):
        return ""
