"""The original of a post, to be read: as it came for its author and for coordinators, its words alone for others."""

import asyncio
from dataclasses import dataclass, field

from passerelle.core.model import Post
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail, StoreError
from passerelle.flows.context import FlowContext
from passerelle.mail.reading import read_email
from passerelle.store.blobs import get_blob

#: It was read before, when it came, under a longer limit.
_SECONDS = 5
#: From here on reading would hold up the event loop.
_LARGE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Original:
    """A mail as it came."""

    #: Its bytes, headers and all.
    raw: bytes = field(repr=False)
    #: Its whole text, with what it quotes; without header.
    text: str = field(repr=False)


async def read_original(ctx: FlowContext, post: Post) -> Original | None:
    """The mail that a post of the list came as; None where it is not kept any more, or cannot be read.

    Raises StoreError where the database refuses.
    """
    if post.side != "list" or post.raw_hash is None:
        return None
    async with ctx.store.read() as conn:
        try:
            raw = await get_blob(conn, post.raw_hash)
        except StoreError:
            return None
    link = ctx.links.find(f"{post.association}/{post.link}")
    addresses = link.list_addresses if link is not None else frozenset()
    try:
        if len(raw) > _LARGE_BYTES:
            reading = await asyncio.to_thread(read_email, raw, list_addresses=addresses)
        else:
            with deadline(_SECONDS):
                reading = read_email(raw, list_addresses=addresses)
    except (MalformedEmail, DeadlinePassed):
        return None
    return Original(raw=raw, text=reading.original)
