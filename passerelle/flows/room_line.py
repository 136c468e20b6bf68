"""A line of the room becomes a post, in the thread and the open batch that it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import settled_at
from passerelle.core.identity import content_hash
from passerelle.core.ids import BatchId, EventId, PostId, RoomId, ThreadId
from passerelle.core.links import Link
from passerelle.core.model import Batch, InboxRow, NewAttachment, NewPost, Post, RoomEvent
from passerelle.core.not_archived import NOT_ARCHIVED, html_without_mark, without_mark
from passerelle.core.permalinks import short_name
from passerelle.core.placing import BESIDE, line_refs
from passerelle.flows.context import FlowContext
from passerelle.flows.names_shown import display_name, signed_name
from passerelle.flows.rethread import settle_line
from passerelle.flows.secretary import note_line
from passerelle.flows.taking_back import held_because, post_of
from passerelle.flows.welcome import welcome_room_member
from passerelle.mail.compose import first_words
from passerelle.matrix.event_types import VOICE
from passerelle.matrix.events import RoomLine, readable_text
from passerelle.store.attachments import insert_attachments
from passerelle.store.batches import add_line, find_open_batch, insert_batch, list_lines, move_due, set_no_archive
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.posts import find_event_in_room, get_post, insert_post, insert_room_event
from passerelle.store.threads import get_thread, insert_thread

#: A line that says it is older settles from its arrival on.
_OLDEST = timedelta(days=1)


async def take_line(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, line: RoomLine) -> str:
    """Accept one line; return why it does not leave, or "" where it will."""
    room_id = row.room_id or ctx.links.room_of(link) or RoomId("")
    if await find_event_in_room(conn, line.event_id, room_id) is not None:
        return "duplicate"
    parent = await _parent_of(conn, row, line)
    if parent is None and (reason := await _held_with(conn, row, line)):
        return reason
    batch = await _open_batch_for(conn, link, line, parent)
    thread_id = await _thread_for(ctx, conn, link, line, parent=parent, batch=batch)
    if (await get_thread(conn, thread_id)).stopped_at is not None:
        return "thread_stopped"
    name = await display_name(conn, room_id, line.sender)
    person_id = await find_or_insert_person(conn, link.association_name, name=name, user_id=line.sender, now=ctx.now())
    await note_participant(conn, link.association_name, link.name, person_id, "room", ctx.now())
    unmarked = without_mark(line.body)
    new = NewPost(
        association=link.association_name,
        link=link.name,
        side="room",
        inbox_id=row.id,
        raw_hash=row.raw_hash if unmarked is None else None,
        content_hash=content_hash(author=line.sender, words=line.body, said_at=line.said_at),
        thread_id=thread_id,
        parent_post_id=parent.id if parent and parent.origin == "live" else None,
        author_name=await signed_name(ctx, conn, link, name),
        author_user_id=line.sender,
        person_id=person_id,
        text=readable_text(line, ctx.renderer(link.association).words) if unmarked is None else unmarked,
        html=line.formatted_body if unmarked is None else html_without_mark(line.formatted_body),
        state="accepted" if unmarked is None else "passing",
        flagged="" if unmarked is None else NOT_ARCHIVED,
        msgtype=VOICE if line.is_voice else line.msgtype,
        said_at=min(line.said_at, row.received_at),
        accepted_at=ctx.now(),
        refs=line_refs(line.replies_to, line.thread_root, beside=await _talk_of(conn, batch) if batch else ""),
        permalink=short_name(link.association_name, line.event_id),
    )
    post = Post.stored(new, await insert_post(conn, new))
    await _insert_event_and_files(ctx, conn, line, room_id=room_id, post_id=post.id)
    if await settle_line(conn, post, ctx.now()):
        post = await get_post(conn, post.id)
    await welcome_room_member(ctx, conn, link, line.sender)
    await note_line(ctx, conn, link, line, post)
    if link.settings.policy == "on_request":
        return "on_request"
    await put_in_batch(ctx, conn, link, Said(line=line, post=post), batch)
    return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A line and the post that it is."""

    line: RoomLine
    post: Post
    #: The author's 📧 that sends it; None where it leaves by itself.
    asked_by: EventId | None = None


async def put_in_batch(ctx: FlowContext, conn: AsyncConnection, link: Link, said: Said, batch: Batch | None) -> None:
    """Join the conversation's open batch, or open one; the batch is due again from this line on.

    A line that is not to be archived leaves in a mail of its own.
    """
    settings, line, post = link.settings, said.line, said.post
    if settings.policy != "conversation" or post.state == "passing":
        batch = None
    said_at = _believed(line.said_at, batch, ctx.now())
    first = batch.first_said_at if batch else said_at
    last = max(batch.last_said_at, said_at) if batch else said_at
    due = settled_at(first, last, settings)
    if batch is None:
        batch_id: BatchId = await insert_batch(
            conn,
            link.association_name,
            link.name,
            thread_id=post.thread_id,
            is_burst=answers_nothing(line),
            said_at=said_at,
            due_at=due,
        )
        if post.state == "passing":
            await set_no_archive(conn, batch_id)
    else:
        batch_id = batch.id
        await move_due(conn, batch_id, last, due)
    await add_line(
        conn,
        batch_id,
        kind="line",
        post_id=post.id,
        event_id=line.event_id,
        author_name=post.author_name,
        author_user_id=line.sender,
        text="",
        said_at=line.said_at,
        asked_by=said.asked_by,
    )


def _believed(said_at: datetime, batch: Batch | None, arrived_at: datetime) -> datetime:
    """When a line was said, as far as its batch's due time goes by it: the word of its server, within reason.

    What joins a batch was not said before it began: the homeserver's order tells. A line older than a day was hardly
    said then, and even if so, what it opens may settle from its arrival on.
    """
    if batch is not None:
        return max(said_at, batch.first_said_at)
    return said_at if said_at > arrived_at - _OLDEST else arrived_at


def answers_nothing(line: RoomLine) -> bool:
    return line.thread_root is None and line.replies_to is None


async def _parent_of(conn: AsyncConnection, row: InboxRow, line: RoomLine) -> Post | None:
    """The post that a line answers: the one it replies to, else the one its Matrix thread began with."""
    for event_id in (line.replies_to, line.thread_root):
        post = await post_of(conn, row, event_id) if event_id else None
        if post is not None:
            return post
    return None


async def _held_with(conn: AsyncConnection, row: InboxRow, line: RoomLine) -> str:
    """Why the line that this one answers was set aside: this one waits with it; "" where that is not so."""
    for event_id in (line.replies_to, line.thread_root):
        if event_id and (reason := await held_because(conn, row, event_id)):
            return reason
    return ""


async def _open_batch_for(conn: AsyncConnection, link: Link, line: RoomLine, parent: Post | None) -> Batch | None:
    """The open batch that a line joins: its thread's, or the burst that it stands in."""
    association = link.association_name
    if parent is not None:
        return await find_open_batch(conn, association, link.name, thread_id=parent.thread_id)
    if not answers_nothing(line):
        return None
    burst = await find_open_batch(conn, association, link.name, burst=True)
    quiet = timedelta(minutes=link.settings.quiet_minutes)
    return burst if burst is not None and line.said_at <= burst.last_said_at + quiet else None


async def _thread_for(
    ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, *, parent: Post | None, batch: Batch | None
) -> ThreadId:
    if parent is not None and parent.origin == "live":
        return parent.thread_id
    if batch is not None:
        return batch.thread_id
    is_kept = without_mark(line.body) is None
    subject = first_words(readable_text(line, ctx.renderer(link.association).words)) if is_kept else ""
    # What was said before the bridge came stays its side's (PEOPLE 8): its words are no subject of a mail to the list.
    split_from = parent.thread_id if parent is not None else None
    return await insert_thread(conn, link.association_name, subject, ctx.now(), split_from)


async def _talk_of(conn: AsyncConnection, batch: Batch) -> str:
    """The event of the line that a talk began with, which may have been taken out of its batch since."""
    for line, post in await list_lines(conn, batch.id):
        if line.kind == "line":
            return post.refs.removeprefix(BESIDE) if post.refs.startswith(BESIDE) else line.event_id
    return ""


async def _insert_event_and_files(
    ctx: FlowContext, conn: AsyncConnection, line: RoomLine, *, room_id: RoomId, post_id: PostId
) -> None:
    await insert_room_event(
        conn,
        RoomEvent(
            event_id=line.event_id,
            room_id=room_id,
            post_id=post_id,
            part=0,
            thread_root_event_id=line.thread_root,
            outbox_id=None,
            said_at=line.said_at,
        ),
    )
    files = [
        NewAttachment(
            position=position,
            filename=file.filename,
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            duration_ms=file.duration_ms,
            media=file.media,
        )
        for position, file in enumerate(line.files, 1)
    ]
    await insert_attachments(conn, post_id, files, ctx.now())
