"""What happens to lines after they were said: edits and reactions. What is taken back: `taking_back`."""

import json
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.identity import content_hash
from passerelle.core.ids import EventId, UserId
from passerelle.core.links import Link
from passerelle.core.model import InboxRow, PendingLine, Post, PostVersion, RoomEvent
from passerelle.core.not_archived import html_without_mark, without_mark
from passerelle.flows.context import FlowContext
from passerelle.flows.corrections import correct, rename_thread
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.names_shown import display_name, signed_name
from passerelle.flows.not_kept import STANDING, keep_no_longer
from passerelle.flows.obey import OBEYED
from passerelle.flows.register_marks import MARKS
from passerelle.flows.room_line import Said, put_in_batch
from passerelle.flows.secretary import mark_by_reaction, note_edit, take_reaction_to_notice
from passerelle.flows.taking_back import drop_arrival, has_left, held_because, post_of, take_back
from passerelle.flows.welcome import welcome_room_member
from passerelle.matrix.events import Edit, Reaction, RoomLine, readable_text
from passerelle.store.batches import (
    count_lines,
    empty_batch,
    find_line,
    find_line_of_post,
    find_open_batch,
    remove_lines_of_post,
)
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import find_arrival
from passerelle.store.pending_lines import add_pending_line
from passerelle.store.post_versions import insert_version, list_versions
from passerelle.store.posts import find_event_in_room, find_post, find_room_event, get_post, update_post_text

#: By this reaction an author sends their own line to the list (PEOPLE 5).
SEND_KEYS = frozenset({"📧", "✉️", "✉", "📨"})


async def take_edit(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, edit: Edit) -> str:
    """Inside an open batch the new words replace the old; afterwards a substantial edit becomes a short correction."""
    post = await post_of(conn, row, edit.target)
    if post is None:
        return await held_because(conn, row, edit.target) or "edit_of_nothing"
    if post.author_user_id != edit.sender:
        return "edit_of_nothing"
    if post.state not in STANDING:
        return "edit_of_redacted"
    unmarked, left = without_mark(edit.line.body), await has_left(conn, post)
    if left and (post.state == "passing" or unmarked is not None):
        # A mail that corrects would have to be kept to be corrected: what left stays as it is, and nothing is kept.
        await keep_no_longer(ctx, conn, post)
        return "not_archived"
    new = PostVersion(
        event_id=edit.event_id,
        post_id=post.id,
        text=readable_text(edit.line, ctx.renderer(link.association).words) if unmarked is None else unmarked,
        html=edit.line.formatted_body if unmarked is None else html_without_mark(edit.line.formatted_body),
        content_hash=content_hash(author=edit.sender, words=edit.line.body, said_at=post.said_at),
        after_left=left,
    )
    await _keep_wording(conn, edit, post, new)
    await note_edit(ctx, conn, link, edit.line, await get_post(conn, post.id))
    if unmarked is not None and post.state == "accepted":
        await keep_no_longer(ctx, conn, post)
        await _leave_alone(ctx, conn, link, await get_post(conn, post.id), edit.target)
    if not new.after_left:
        await rename_thread(conn, post)
        return ""
    return "" if await correct(ctx, conn, link, post, new) else "small_edit"


async def _leave_alone(ctx: FlowContext, conn: AsyncConnection, link: Link, post: Post, event_id: EventId) -> None:
    """A line whose author asked by an edit that it not be archived leaves its batch for one of its own."""
    stands, known = await find_line_of_post(conn, post.id), await find_room_event(conn, event_id)
    if stands is None or known is None:
        return  # nobody has sent it yet
    for batch_id in await remove_lines_of_post(conn, post.id):
        if not await count_lines(conn, batch_id):
            await empty_batch(conn, batch_id)
    said = Said(line=_line_again(post, known), post=post, asked_by=stands[1].asked_by)
    await put_in_batch(ctx, conn, link, said, None)


def _line_again(post: Post, known: RoomEvent) -> RoomLine:
    """The line that a post of the room is, as it is put into a batch."""
    return RoomLine(
        event_id=known.event_id,
        sender=UserId(post.author_user_id or ""),
        said_at=post.said_at,
        msgtype=post.msgtype,
        body=post.text,
        formatted_body=post.html,
        thread_root=known.thread_root_event_id,
    )


async def _keep_wording(conn: AsyncConnection, edit: Edit, post: Post, new: PostVersion) -> None:
    """The post reads otherwise from now on; what it read is kept in case the edit is taken back."""
    said = PostVersion(
        event_id=edit.target, post_id=post.id, text=post.text, html=post.html, content_hash=post.content_hash
    )
    if not await list_versions(conn, post.id):
        await insert_version(conn, said)
    await insert_version(conn, new)
    await update_post_text(conn, post.id, text=new.text, html=new.html, content_hash=new.content_hash)


async def keep_edited(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, edit: Edit) -> None:
    """An author who puts `//` before a line keeps it in the room, where it has not left; its new words go nowhere."""
    post = await post_of(conn, row, edit.target)
    if post is None:
        await _drop_held(ctx, conn, row, edit)
    elif post.author_user_id == edit.sender and post.side == "room" and post.state in STANDING:
        await take_back(ctx, conn, post, "kept_back")


async def _drop_held(ctx: FlowContext, conn: AsyncConnection, row: InboxRow, edit: Edit) -> None:
    """The line waits, unread, until its link goes on: it will not leave."""
    target = await find_arrival(conn, row.source, edit.target)
    if target is None or target.raw_hash is None or not await held_because(conn, row, edit.target):
        return
    event = json.loads(await get_blob(conn, target.raw_hash))
    if event.get("sender") == edit.sender:
        await drop_arrival(ctx, conn, row, edit.target, "kept_in_room")


async def take_reaction(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, reaction: Reaction) -> str:
    """A reaction to a mail stands as one line in the next batch; an author's 📧 sends their own line."""
    known = await find_event_in_room(conn, reaction.target, row.room_id) if row.room_id else None
    post = await find_post(conn, known.post_id) if known else None
    if await take_reaction_to_notice(ctx, conn, link, reaction):
        return OBEYED
    if known is None or post is None:
        return await held_because(conn, row, reaction.target) or "reaction_to_nothing"
    if reaction.key in SEND_KEYS:
        return await _send_on_request(ctx, conn, link, Asked(reaction=reaction, known=known, post=post))
    if post.state != "accepted":
        return "reaction_to_nothing"
    if reaction.key in MARKS:
        await mark_by_reaction(ctx, conn, link, reaction, post)
        return "marked"
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
    # Their name will stand in a mail to the list: they are told before it leaves.
    await welcome_room_member(ctx, conn, link, reaction.sender)
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A 📧, and the line that it is about."""

    reaction: Reaction
    known: RoomEvent
    post: Post


async def _send_on_request(ctx: FlowContext, conn: AsyncConnection, link: Link, asked: Asked) -> str:
    """Only the author's own 📧 sends a line to the list (PEOPLE 5); another's asks the author."""
    reaction, known, post = asked.reaction, asked.known, asked.post
    if post.side != "room" or post.state not in STANDING or post.origin != "live":
        return "reaction_in_room"
    if await find_line(conn, known.event_id) is not None:
        return "already_leaving"
    if reaction.sender != post.author_user_id:
        await _ask_author(ctx, conn, link, reaction, post)
        return "author_asked"
    line = _line_again(post, known)
    batch = await find_open_batch(conn, link.association_name, link.name, thread_id=post.thread_id)
    await put_in_batch(ctx, conn, link, Said(line=line, post=post, asked_by=reaction.event_id), batch)
    return ""


async def _ask_author(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction, post: Post) -> None:
    room_id = ctx.links.room_of(link)
    if post.author_user_id is None or room_id is None:
        return
    await insert_direct_message(
        ctx,
        conn,
        link,
        DirectMessage(
            to=UserId(post.author_user_id),
            template="asked_to_send",
            unique_key=f"asked_to_send:{post.id}",
            variables={"asker": await display_name(conn, room_id, reaction.sender), "text": post.text},
        ),
    )
