"""What is taken back does not leave, as long as that can be helped, and nothing is kept of it (PEOPLE 7).

A redaction may come at any time: before consent, while the link is stopped, before the very event that it redacts. A
mail that is sealed is opened again where no server can have begun to get it; otherwise it stays as it is.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BatchId, EventId, UserId
from passerelle.core.links import Link
from passerelle.core.model import Batch, InboxRow, Post, PostState, PostVersion, RoomEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.corrections import correct, rename_thread
from passerelle.flows.digest_forgetting import forget_posts_in_digests
from passerelle.flows.not_kept import STANDING
from passerelle.flows.register_forgetting import drop_noted
from passerelle.flows.register_said import take_said_back
from passerelle.flows.sign_taken_back import take_sign_back
from passerelle.matrix.events import Redaction
from passerelle.store.attachments import forget_attachments, forget_file
from passerelle.store.batches import (
    count_lines,
    empty_batch,
    find_line,
    find_line_asked_by,
    find_line_of_post,
    forget_corrections,
    list_lines,
    list_sealed_with,
    remove_line_asked_by,
    remove_lines_of_post,
    reopen_batches,
)
from passerelle.store.inbox import find_arrival, finish_inbox, forget_bytes
from passerelle.store.outbox_forgetting import (
    cancel_unbegun,
    forget_events_of_post,
    forget_part_of_post,
    forget_sent,
    forget_unique,
)
from passerelle.store.pending_lines import (
    remove_pending_corrections,
    remove_pending_line,
    remove_pending_lines_of_post,
    return_pending_lines,
)
from passerelle.store.post_versions import (
    delete_version,
    delete_versions_of_post,
    find_version,
    list_versions,
    set_versions_not_left,
)
from passerelle.store.posts import (
    find_event_in_room,
    find_events_of_post,
    find_post,
    forget_post,
    get_post,
    update_post_text,
)
from passerelle.store.seen import delete_seen, find_seen, insert_seen
from passerelle.store.threads import delete_message_id

#: Why a row was set aside that a human's word brings back: what is about it waits with it.
HELD = frozenset({"link_stopped", "thread_stopped"})
_WHY = "its words were taken back"


async def was_redacted(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, event_id: EventId) -> bool:
    """Whether an event was taken back before it was taken: while the link was stopped, or since it came late."""
    key = _redacted_key(ctx, row, event_id)
    return bool(await find_seen(conn, link.association_name, "redacted", [key]))


def _redacted_key(ctx: FlowContext, row: InboxRow, event_id: EventId) -> str:
    return ctx.hashed("redacted", str(row.room_id), event_id)


async def held_because(conn: AsyncConnection, row: InboxRow, target: EventId) -> str:
    """Why what this row is about was set aside, to be taken later; "" where it was not."""
    arrival = await find_arrival(conn, row.source, target)
    if arrival is None or arrival.room_id != row.room_id or arrival.state != "set_aside":
        return ""
    return arrival.reason if arrival.reason in HELD else ""


async def post_of(conn: AsyncConnection, row: InboxRow, event_id: EventId) -> Post | None:
    """The post that an event of the row's own room is or shows."""
    known = await find_event_in_room(conn, event_id, row.room_id) if row.room_id else None
    return await find_post(conn, known.post_id) if known else None


async def take_redaction(
    ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, redaction: Redaction
) -> str:
    """A line, an edit, a reaction or a 📧 that was taken back; a redaction never causes a mail (PEOPLE 7)."""
    target, association = redaction.target, link.association_name
    await insert_seen(conn, association, "redacted", [_redacted_key(ctx, row, target)], ctx.now())
    # Before nothing is kept of how it came.
    is_answer = await take_sign_back(ctx, conn, link, row, redaction)
    held = await drop_arrival(ctx, conn, row, target, "redacted")
    if is_answer:
        return ""
    found = await find_line(conn, target) or await find_line_asked_by(conn, target)
    if found is not None and _is_of(found[0], link) and found[1].event_id != target:
        return await _take_request_back(ctx, conn, found[0], target)
    if found is not None and _is_of(found[0], link) and found[1].kind != "line":
        await _unseal_or_forget(ctx, conn, [found[0]])
    version = await find_version(conn, target)
    if version is not None and row.room_id and await find_events_of_post(conn, version.post_id, row.room_id):
        post = await get_post(conn, version.post_id)
        known = await find_event_in_room(conn, target, row.room_id)
        if known is None:
            await _take_edit_back(ctx, conn, link, post, version)
            return ""
    if await remove_pending_line(conn, association, link.name, target):
        return ""
    known = await find_event_in_room(conn, target, row.room_id) if row.room_id else None
    if known is None:
        made = await take_said_back(ctx, conn, link, target, UserId(redaction.sender))
        return "" if held or made else "redaction_of_nothing"
    if known.part:
        await _take_file_back(conn, known)
    else:
        await take_back(ctx, conn, await get_post(conn, known.post_id), "redacted")
    return ""


def _is_of(batch: Batch, link: Link) -> bool:
    return (batch.association, batch.link) == (link.association_name, link.name)


async def drop_arrival(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, target: EventId, reason: str) -> bool:
    """Keep nothing of the event as it came; whether it was set aside, and is finished now."""
    arrival = await find_arrival(conn, row.source, target)
    if arrival is None or arrival.room_id != row.room_id or arrival.state == "waiting":
        return False
    if arrival.state == "set_aside":
        await finish_inbox(conn, arrival.id, ctx.now(), reason=reason, forget_raw=True)
        return True
    if arrival.raw_hash is not None:
        await forget_bytes(conn, arrival.raw_hash)
    return False


async def take_back(ctx: FlowContext, conn: AsyncConnection, post: Post, state: PostState) -> None:
    """A post leaves nowhere any more, and nothing is kept of its words and files."""
    await _unseal_or_forget(ctx, conn, await list_sealed_with(conn, post.id))
    # Before its entries are none: digests do not tell of these either.
    await forget_posts_in_digests(conn, post.association, [post.id], now=ctx.now())
    await drop_noted(ctx, conn, post.id)
    await remove_pending_lines_of_post(conn, post.id)
    for batch_id in await remove_lines_of_post(conn, post.id):
        await _close_if_empty(conn, batch_id)
    raw_hash = await forget_post(conn, post.id, state)
    if raw_hash is not None:
        await forget_bytes(conn, raw_hash)
    await forget_corrections(conn, post_id=post.id)
    await delete_versions_of_post(conn, post.id)
    await forget_attachments(conn, post.id)
    await forget_events_of_post(conn, post.id, _WHY)
    await forget_unique(conn, f"asked_to_send:{post.id}", _WHY)
    await rename_thread(conn, post)


async def _unseal_or_forget(ctx: FlowContext, conn: AsyncConnection, batches: Sequence[Batch]) -> None:
    """Mails with words that were taken back: open again what was not begun, keep no bytes of what was sent."""
    for batch in batches:
        if not await unseal(ctx, conn, batch) and batch.outbox_id is not None:
            await forget_sent(conn, batch.outbox_id)


async def unseal(ctx: FlowContext, conn: AsyncConnection, batch: Batch) -> bool:
    """Cancel the mail of a sealed batch and open again all that was sealed for it.

    False, and nothing is changed, where the other side may have begun to get it.
    """
    if batch.state != "sealed" or batch.outbox_id is None or not await cancel_unbegun(conn, batch.outbox_id, _WHY):
        return False
    hashes: list[str] = []
    for opened in await reopen_batches(conn, batch.outbox_id):
        hashes += [ctx.hashed("line", line.event_id) for line, _ in await list_lines(conn, opened.id)]
        await return_pending_lines(conn, opened)
        post_ids = {post.id for _, post in await list_lines(conn, opened.id)}
        await set_versions_not_left(conn, post_ids)
        for post_id in post_ids:
            await remove_pending_corrections(conn, post_id)
        await _close_if_empty(conn, opened.id)
    await delete_seen(conn, batch.association, "line", hashes)
    await delete_message_id(conn, batch.association, batch.message_id, batch.outbox_id)
    return True


async def _close_if_empty(conn: AsyncConnection, batch_id: BatchId) -> None:
    if not await count_lines(conn, batch_id):
        await empty_batch(conn, batch_id)


async def _take_request_back(ctx: FlowContext, conn: AsyncConnection, batch: Batch, asked_by: EventId) -> str:
    """An author takes the 📧 back: the line stays in the room, where it has not left."""
    if batch.state == "sealed" and not await unseal(ctx, conn, batch):
        return "already_leaving"
    for batch_id in await remove_line_asked_by(conn, asked_by):
        await _close_if_empty(conn, batch_id)
    return ""


async def _take_edit_back(
    ctx: FlowContext, conn: AsyncConnection, link: Link, post: Post, version: PostVersion
) -> None:
    """The post reads again what it read before the edit, here and in what has not left."""
    if not version.after_left:
        await _unseal_or_forget(ctx, conn, await list_sealed_with(conn, post.id))
    await delete_version(conn, version.event_id)
    versions = await list_versions(conn, post.id)
    if post.state not in STANDING or not versions:
        return
    now_reads = versions[-1]
    await update_post_text(conn, post.id, text=now_reads.text, html=now_reads.html, content_hash=now_reads.content_hash)
    if not await has_left(conn, post):
        await rename_thread(conn, post)
    elif await remove_pending_corrections(conn, post.id):
        await correct(ctx, conn, link, post, now_reads)
    await forget_corrections(conn, event_id=version.event_id)


async def has_left(conn: AsyncConnection, post: Post) -> bool:
    """Whether the mail that a line stands in is made."""
    found = await find_line_of_post(conn, post.id)
    return found is not None and found[0].state == "sealed"


async def _take_file_back(conn: AsyncConnection, known: RoomEvent) -> None:
    """One file of a mail was taken out of the room: the mail's words and its other files stay."""
    upload_hash = await forget_part_of_post(conn, known.post_id, known.part)
    if upload_hash is not None:
        await forget_file(conn, known.post_id, upload_hash)
