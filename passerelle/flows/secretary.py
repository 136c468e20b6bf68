"""What the secretary does with a mail of the list or a line of the room that became a post: it notes what they note.

The one place that the flows of relaying ask; everything behind it knows nothing of mails and events but `Said`.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import EventId, UserId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.flows.actors import actor_of_email, actor_of_line
from passerelle.flows.context import FlowContext
from passerelle.flows.find_about import about_email, about_events
from passerelle.flows.outcome import tell_outcome
from passerelle.flows.register_notes import Noted, note_post, renote_post
from passerelle.flows.said import Said
from passerelle.matrix.events import RoomLine


async def note_line(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, post: Post) -> None:
    """A line of the room is a post now: what it notes is kept, and a sign says so."""
    if post.state != "accepted" or not post.text:
        return
    said = await said_in_room(ctx, conn, link, line, post=post)
    await _tell(ctx, conn, said, await note_post(ctx, conn, said, post))


async def note_edit(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, post: Post) -> None:
    """A line reads otherwise: what it noted follows.

    Args:
        line: the edit's new content; `post`: as it reads now.
    """
    said = await said_in_room(ctx, conn, link, line, post=post)
    await _tell(ctx, conn, said, await renote_post(ctx, conn, said, post))


async def note_email(
    ctx: FlowContext, conn: AsyncConnection, link: Link, post: Post, email: Email, author: Mailbox | None
) -> None:
    """A mail of the list is a post now: what it notes is kept; its author hears only of what needs a word."""
    if post.state != "accepted" or not post.text or author is None:
        return
    actor = await actor_of_email(ctx, conn, link, email, author, through_list=True)
    said = Said(
        link=link,
        actor=actor,
        text=post.text,
        said_at=post.said_at,
        key=f"post:{post.id}",
        about=await about_email(conn, link, email),
        post=post,
        email=email,
        author=author,
    )
    await _tell(ctx, conn, said, await note_post(ctx, conn, said, post))


async def said_in_room(
    ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, *, post: Post | None = None
) -> Said:
    """A line of the link's room as something said."""
    room_id = ctx.links.room_of(link)
    events: list[EventId | None] = [line.replies_to, line.thread_root]
    about = await about_events(conn, link.association_name, room_id, events) if room_id is not None else None
    return Said(
        link=link,
        actor=await actor_of_line(ctx, conn, link, UserId(line.sender)),
        text=post.text if post is not None else line.body,
        said_at=line.said_at,
        key=line.event_id,
        about=about,
        post=post,
        line=line,
    )


async def _tell(ctx: FlowContext, conn: AsyncConnection, said: Said, noted: Noted) -> None:
    for outcome in noted.outcomes:
        await tell_outcome(ctx, conn, said, outcome)
