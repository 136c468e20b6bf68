"""The posts of an erasure and, of a person, all by which they are known: what stays is that something was said."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.model import Post
from passerelle.flows.erase_digests import erase_posts_in_digests, erase_sent_digests
from passerelle.flows.erase_entries import erase_entries_of
from passerelle.flows.erase_traces import Erasing, targets
from passerelle.flows.hide_post import leave_nowhere
from passerelle.store.attachments import forget_attachments, list_attachments
from passerelle.store.batches import forget_corrections, list_sealed_with
from passerelle.store.outbox_forgetting import forget_events_of_post, forget_unique
from passerelle.store.pending_lines import remove_pending_lines_of_post
from passerelle.store.post_versions import delete_versions_of_post
from passerelle.store.posts import get_post
from passerelle.store.privacy import set_progress
from passerelle.store.scrub import (
    delete_person,
    erase_post_row,
    forget_file_texts,
    forget_reactions_of,
    is_member,
    replace_bytes,
    set_state_and_reindex,
)
from passerelle.store.scrub_traffic import forget_content, forget_mail_bytes, forget_recipient, list_departures
from passerelle.store.seen import insert_seen

STEP = 20
_WHY = "its words were erased"


async def hide_targets(erasing: Erasing) -> bool:
    """A step through the posts: they leave room, archive, search and queue at once; whether there is more."""
    async with erasing.ctx.store.read() as conn:
        ids = [id for id in await targets(erasing, conn) if id > int(erasing.far.get("hidden", 0))][:STEP]
    if not ids:
        return False
    async with erasing.ctx.store.write() as conn:
        for post_id in ids:
            await _hide(erasing, conn, post_id)
        await erase_posts_in_digests(erasing, conn, ids)
        erasing.far["hidden"] = ids[-1]
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def _hide(erasing: Erasing, conn: AsyncConnection, post_id: PostId) -> None:
    post = await get_post(conn, post_id)
    if post.state == "accepted":
        await set_state_and_reindex(conn, [post.id], "hidden")
    erasing.count("events", await leave_nowhere(erasing.ctx, conn, post))


async def erase_targets(erasing: Erasing) -> bool:
    """A step through the posts: nothing of them is kept; whether there is more."""
    async with erasing.ctx.store.read() as conn:
        ids = [id for id in await targets(erasing, conn) if id > int(erasing.far.get("erased", 0))][:STEP]
    if not ids:
        return False
    async with erasing.ctx.store.write() as conn:
        # Again: a digest may have been chosen before they were hidden, and stored after that.
        await erase_posts_in_digests(erasing, conn, ids)
        await erase_entries_of(erasing, conn, ids)
        for post_id in ids:
            await erase_post(erasing, conn, await get_post(conn, post_id))
        erasing.far["erased"] = ids[-1]
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def erase_post(erasing: Erasing, conn: AsyncConnection, post: Post) -> None:
    """One post becomes a tombstone."""
    ctx = erasing.ctx
    if post.state == "erased":
        return
    await insert_seen(conn, post.association, "post", _known_as(erasing, post), ctx.now())
    for batch in await list_sealed_with(conn, post.id):
        if batch.outbox_id is None:
            continue
        erasing.note_email(batch.message_id)
        if not await forget_mail_bytes(conn, batch.outbox_id):
            erasing.far.setdefault("leaving", []).append(batch.outbox_id)
    erasing.note_email(post.message_id)
    erasing.count("posts")
    erasing.count("files", sum(1 for file in await list_attachments(conn, post.id) if file.blob_hash is not None))
    await remove_pending_lines_of_post(conn, post.id)
    await forget_corrections(conn, post_id=post.id)
    await delete_versions_of_post(conn, post.id)
    await forget_file_texts(conn, post.id)
    await forget_attachments(conn, post.id)
    await forget_events_of_post(conn, post.id, _WHY)
    await forget_unique(conn, f"asked_to_send:{post.id}", _WHY)
    raw_hash = await erase_post_row(conn, post.id)
    if raw_hash is not None:
        erasing.count("originals")
        await replace_bytes(conn, raw_hash, None)


def _known_as(erasing: Erasing, post: Post) -> list[str]:
    """Keyed hashes by which the post is known on each link, so that nothing brings it back."""
    if post.side != "list":
        return []
    return [erasing.ctx.hashed("post", k.path, post.message_id, post.content_hash) for k in erasing.links]


async def erase_person(erasing: Erasing) -> bool:
    """A step through what left for the person; at its end nobody is known by their name. Whether there is more."""
    person, ctx = erasing.person, erasing.ctx
    if person is None:
        return False
    named = {word.lower() for word in (*erasing.addresses, *erasing.user_ids)}
    async with ctx.store.write() as conn:
        after = int(erasing.far.get("recipients", 0))
        rows = await list_departures(conn, erasing.association, after, 10 * STEP)
        for row in rows:
            if (row.recipient or "").lower() not in named and not any(word in row.unique_key.lower() for word in named):
                continue
            if row.state == "sending":
                erasing.far.setdefault("leaving", []).append(row.id)
                continue
            await forget_mail_bytes(conn, row.id)
            await forget_content(conn, row.id, row.upload_hash)
            await forget_recipient(conn, row.id)
            erasing.count("deliveries")
        late = await targets(erasing, conn)
        if rows:
            erasing.far["recipients"] = rows[-1].id
        elif late:
            # It was said while all the rest went: once the person is not known any more, nobody would find it.
            await erase_posts_in_digests(erasing, conn, late[:STEP])
            await erase_entries_of(erasing, conn, late[:STEP])
            for post_id in late[:STEP]:
                await _hide(erasing, conn, post_id)
                await erase_post(erasing, conn, await get_post(conn, post_id))
        else:
            told = [ctx.hashed("told", word) for word in (*named, *erasing.user_ids)]
            await erase_sent_digests(erasing, conn)
            await forget_reactions_of(conn, erasing.user_ids)
            if erasing.request.by == "author" and person.addresses:
                # The only thing that is kept until the receipt has left.
                erasing.far["answer_to"] = {"name": person.name, "address": person.addresses[0]}
            erasing.far["member"] = await is_member(conn, erasing.user_ids)
            await delete_person(conn, person.id, told_as=told, user_ids=erasing.user_ids)
            erasing.count("addresses", len(person.addresses) + len(person.user_ids))
            # From here on the person cannot be read again.
            erasing.far["phase"] = "mailbox"
        await set_progress(conn, erasing.request.id, erasing.far)
    return bool(rows or late)
