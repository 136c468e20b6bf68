"""« Hors archive »: what an author asks not to be archived is relayed, and forgotten once its deliveries are over.

Mails say so by a header field (`mail.no_archive`), lines of the room by their first words (`core.not_archived`). While
it is under way a post is `passing`: it leaves like any other, and no page, feed or search shows it. Of a mail nothing
stands in its post even then. What stays is a tombstone, so that answers have their place. A crash changes nothing: a
duty looks for what is over.
"""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.model import Post
from passerelle.flows.context import FlowContext
from passerelle.flows.corrections import rename_thread
from passerelle.flows.digest_forgetting import forget_posts_in_digests
from passerelle.flows.erase_entries import forget_entries_of
from passerelle.store.attachments import forget_attachments
from passerelle.store.batches import forget_corrections, list_sealed_with
from passerelle.store.inbox import forget_bytes
from passerelle.store.not_kept import (
    find_oldest_undecided,
    find_oldest_unsent,
    list_passed,
    set_not_archived,
    set_passing,
)
from passerelle.store.outbox import list_outbox_of_post
from passerelle.store.outbox_forgetting import forget_unique
from passerelle.store.pending_lines import remove_pending_lines_of_post
from passerelle.store.post_versions import delete_versions_of_post
from passerelle.store.posts import get_post
from passerelle.store.scrub import erase_post_row, forget_file_texts
from passerelle.store.scrub_traffic import forget_content, forget_mail_bytes

#: States of posts that leave, and that their authors can still change.
STANDING = frozenset({"accepted", "passing"})
#: A line that its author has not sent by then, where lines leave on request only, is forgotten too.
_SEND_WITHIN = timedelta(days=1)
#: A human has so long to decide on a delivery of which nobody knows whether it arrived.
_DECIDE_WITHIN = timedelta(days=7)
_WHY = "it was not to be kept"
_AT_ONCE = 50


async def keep_no_longer(ctx: FlowContext, conn: AsyncConnection, post: Post) -> None:
    """Its author asks that a post not be archived that stands already: it is forgotten once it has left."""
    await set_passing(conn, post.id)
    await forget_posts_in_digests(conn, post.association, [post.id], now=ctx.now())
    if post.raw_hash is not None:
        await forget_bytes(conn, post.raw_hash)


async def forget_passed(ctx: FlowContext) -> int:
    """Forget what is over; how many posts that were."""
    forgotten = 0
    while True:
        async with ctx.store.write() as conn:
            some = await _passed(ctx, conn, _AT_ONCE)
            for id in some:
                await _forget(conn, id)
        forgotten += len(some)
        if len(some) < _AT_ONCE:
            return forgotten


async def next_passed_at(ctx: FlowContext) -> datetime | None:
    """When something is to be forgotten; None while nothing that will be is over."""
    async with ctx.store.read() as conn:
        if await _passed(ctx, conn, 1):
            return ctx.now()
        unsent, undecided = await find_oldest_unsent(conn), await find_oldest_undecided(conn)
    # Of those that are in no mail some are on their way to the room: their end is a commit, and asks again.
    due = [at + wait for at, wait in ((unsent, _SEND_WITHIN), (undecided, _DECIDE_WITHIN)) if at is not None]
    return max(min(due), ctx.now() + timedelta(minutes=1)) if due else None


async def _passed(ctx: FlowContext, conn: AsyncConnection, limit: int) -> list[PostId]:
    now = ctx.now()
    return await list_passed(conn, unsent_since=now - _SEND_WITHIN, told_since=now - _DECIDE_WITHIN, limit=limit)


async def _forget(conn: AsyncConnection, id: PostId) -> None:
    """Keep of a post that it was there, and nothing else."""
    post = await get_post(conn, id)
    for batch in await list_sealed_with(conn, id):
        if batch.outbox_id is not None:
            await forget_mail_bytes(conn, batch.outbox_id)
    await remove_pending_lines_of_post(conn, id)
    await forget_corrections(conn, post_id=id)
    await delete_versions_of_post(conn, id)
    await forget_file_texts(conn, id)
    await forget_attachments(conn, id)
    for row in await list_outbox_of_post(conn, id):
        await forget_content(conn, row.id, row.upload_hash)
    await forget_unique(conn, f"asked_to_send:{id}", _WHY)
    await forget_entries_of(conn, post.association, id)
    await erase_post_row(conn, id)
    await set_not_archived(conn, id, post.content_hash)
    await rename_thread(conn, post)
