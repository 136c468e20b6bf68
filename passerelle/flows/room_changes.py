"""What happens to lines after they were said: edits, redactions, reactions."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.identity import content_hash
from passerelle.core.ids import BatchId, UserId
from passerelle.core.links import Link
from passerelle.core.model import PendingLine, Post
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_direct_message
from passerelle.flows.names_shown import display_name, signed_name
from passerelle.flows.room_line import put_in_batch
from passerelle.matrix.events import Edit, Reaction, Redaction, RoomLine, is_kept_in_room, readable_text
from passerelle.store.batches import (
    empty_batch,
    find_line,
    find_open_batch,
    list_lines,
    remove_lines_of_post,
)
from passerelle.store.pending_lines import add_pending_line, remove_pending_line, remove_pending_lines_of_post
from passerelle.store.posts import find_post, find_room_event, set_post_state, update_post_text

#: By this reaction an author sends their own line to the list (PEOPLE 5).
SEND_KEYS = frozenset({"📧", "✉️", "✉", "📨"})


async def take_edit(ctx: FlowContext, conn: AsyncConnection, link: Link, edit: Edit) -> str:
    """Inside an open batch the new words replace the old; afterwards a substantial edit becomes a short correction."""
    known = await find_room_event(conn, edit.target)
    post = await find_post(conn, known.post_id) if known else None
    if post is None or post.author_user_id != edit.sender:
        return "edit_of_nothing"
    if post.state in ("withdrawn", "redacted"):
        return "edit_of_redacted"
    found = await find_line(conn, edit.target)
    said_before, text = post.text, readable_text(edit.line, ctx.renderer(link.association).words)
    new_hash = content_hash(author=edit.sender, words=edit.line.body, said_at=post.said_at)
    await update_post_text(conn, post.id, text=text, html=edit.line.formatted_body, content_hash=new_hash)
    if is_kept_in_room(edit.line):
        return await _keep_back(conn, post)
    if found is None or found[0].state == "open":
        return ""
    if not is_substantial(said_before, text):
        return "small_edit"
    pending = PendingLine(
        association=link.association_name,
        link=link.name,
        kind="correction",
        post_id=post.id,
        event_id=edit.event_id,
        author_name=post.author_name,
        author_user_id=edit.sender,
        text=text,
        said_at=edit.said_at,
    )
    await add_pending_line(conn, pending)
    return ""


async def _keep_back(conn: AsyncConnection, post: Post) -> str:
    """An author who puts `//` before a line that has not left keeps it in the room."""
    await remove_lines_of_post(conn, post.id)
    await set_post_state(conn, post.id, "kept_back")
    return "kept_in_room"


def is_substantial(before: str, after: str) -> bool:
    """Whether an edit changes what was said: other words or figures, not letters, accents or punctuation."""
    return content_hash(author="", words=before, said_at=None) != content_hash(author="", words=after, said_at=None)


async def take_redaction(ctx: FlowContext, conn: AsyncConnection, link: Link, redaction: Redaction) -> str:
    """A line that has not left leaves the batch; a post is hidden; a redaction never causes a mail (PEOPLE 7)."""
    if await remove_pending_line(conn, redaction.target):
        return ""
    known = await find_room_event(conn, redaction.target)
    if known is None:
        return "redaction_of_nothing"
    found = await find_line(conn, redaction.target)
    await set_post_state(conn, known.post_id, "redacted")
    await remove_pending_lines_of_post(conn, known.post_id)
    if found is None or found[0].state != "open":
        return ""
    await remove_lines_of_post(conn, known.post_id)
    await _close_if_empty(conn, found[0].id)
    return ""


async def _close_if_empty(conn: AsyncConnection, batch_id: BatchId) -> None:
    if not await list_lines(conn, batch_id):
        await empty_batch(conn, batch_id)


async def take_reaction(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction) -> str:
    """A reaction to a mail stands as one line in the next batch; an author's 📧 sends their own line."""
    known = await find_room_event(conn, reaction.target)
    post = await find_post(conn, known.post_id) if known else None
    if known is None or post is None:
        return "reaction_to_nothing"
    if reaction.key in SEND_KEYS:
        return await _send_on_request(ctx, conn, link, reaction, post)
    if post.side == "room":
        return "reaction_in_room"
    pending = PendingLine(
        association=link.association_name,
        link=link.name,
        kind="reaction",
        post_id=post.id,
        event_id=reaction.event_id,
        author_name=await signed_name(ctx, conn, link, await display_name(conn, known.room_id, reaction.sender)),
        author_user_id=reaction.sender,
        text=reaction.key,
        said_at=reaction.said_at,
    )
    await add_pending_line(conn, pending)
    return ""


async def _send_on_request(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction, post: Post) -> str:
    """Only the author's own 📧 sends a line to the list (PEOPLE 5); another's asks the author."""
    if post.side != "room" or post.state != "accepted":
        return "reaction_in_room"
    known = await find_room_event(conn, reaction.target)
    if known is None or await find_line(conn, known.event_id) is not None:
        return "already_leaving"
    if reaction.sender != post.author_user_id:
        await _ask_author(ctx, conn, link, reaction, post)
        return "author_asked"
    line = RoomLine(
        event_id=known.event_id,
        sender=reaction.sender,
        said_at=post.said_at,
        msgtype=post.msgtype,
        body=post.text,
        formatted_body=post.html,
        thread_root=known.thread_root_event_id,
    )
    batch = await find_open_batch(conn, link.association_name, link.name, thread_id=post.thread_id)
    await put_in_batch(conn, link, line, post, batch)
    return ""


async def _ask_author(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction, post: Post) -> None:
    room_id = ctx.links.room_of(link)
    if post.author_user_id is None or room_id is None:
        return
    await insert_direct_message(
        ctx,
        conn,
        link,
        to=UserId(post.author_user_id),
        template="asked_to_send",
        unique_key=f"asked_to_send:{post.id}",
        variables={"asker": await display_name(conn, room_id, reaction.sender), "text": post.text},
    )
