"""What the secretary does with a mail of the list or a line of the room: obeys it, or notes what it notes.

The one place that the flows of relaying ask; what stands behind it knows nothing of mails and events but `Said`. What
reaches the bridge alone: `secretary_private`.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import EventId, UserId
from passerelle.core.links import Link
from passerelle.core.model import InboxRow, Post
from passerelle.core.subject import display_subject
from passerelle.flows.actors import actor_of_email, actor_of_line
from passerelle.flows.context import FlowContext
from passerelle.flows.find_about import about_email, about_events, answered_by_email, answered_in_room
from passerelle.flows.meeting_invitations import said_as, take_invitation
from passerelle.flows.meeting_minutes_commands import take_words_about_minutes
from passerelle.flows.meeting_notes import is_of_meeting, note_post_of_meeting, renote_in_meeting
from passerelle.flows.obey import act_on_post, finish, may_be_obeyed, obey
from passerelle.flows.outcome import tell_outcome
from passerelle.flows.register_marks import MARKS, mark_post
from passerelle.flows.register_notes import Noted, notes_of, renote_post
from passerelle.flows.said import Heard, Said
from passerelle.flows.take_answer import take_sign
from passerelle.mail.reading import Reading
from passerelle.matrix.events import Reaction, RoomLine


async def obey_line(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine) -> bool:
    """Whether a line of the room was a command, or nothing but an answer: then it is done, and becomes no post."""
    if line.is_notice or line.files or not line.body:
        return False
    heard = await heard_in_room(ctx, conn, link, line)
    if not may_be_obeyed(ctx, heard):
        return False
    return await obey(ctx, conn, heard.said_by(await actor_of_line(ctx, conn, link, line.sender)))


async def obey_email(ctx: FlowContext, conn: AsyncConnection, link: Link, row: InboxRow, reading: Reading) -> bool:
    """The same of a mail that reached the list (PEOPLE 12): one with a file, or with more words, is relayed."""
    text, email = reading.text, reading.email
    if not text and not (email.in_reply_to or email.references):
        # « Objet : rattrapage depuis mardi », and nothing else.
        text = display_subject(email.subject, prefix=link.settings.mailing_list.subject_prefix)
    if reading.author is None or email.attachments or not text:
        return False
    heard = await _heard_by_email(conn, link, email, reading.author, text=text, at=row.received_at)
    heard = replace(heard, key=f"inbox:{row.id}")
    if not may_be_obeyed(ctx, heard):
        return False
    actor = await actor_of_email(ctx, conn, link, email, reading.author, through_list=True)
    return await obey(ctx, conn, heard.said_by(actor))


async def note_line(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, post: Post) -> None:
    """A line of the room is a post now: what it notes is kept, and a sign says so."""
    if post.state != "accepted" or not post.text:
        return
    heard = await heard_in_room(ctx, conn, link, line, post=post)
    if await _may_be_noted(ctx, conn, heard):
        said = heard.said_by(await actor_of_line(ctx, conn, link, line.sender))
        await _note(ctx, conn, said, post)
        await act_on_post(ctx, conn, said)


async def note_edit(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, post: Post) -> None:
    """A line reads otherwise: what it noted follows.

    Args:
        line: the edit's new content; `post`: as it reads now.
    """
    heard = await heard_in_room(ctx, conn, link, line, post=post)
    said = heard.said_by(await actor_of_line(ctx, conn, link, line.sender))
    await _tell(ctx, conn, said, await renote_post(ctx, conn, said, post))
    await renote_in_meeting(ctx, conn, said, post)


async def note_email(
    ctx: FlowContext, conn: AsyncConnection, link: Link, post: Post, email: Email, author: Mailbox | None
) -> None:
    """A mail of the list is a post now: what it notes is kept; its author hears only of what needs a word."""
    if post.state != "accepted" or author is None:
        return
    heard = await _heard_by_email(conn, link, email, author, text=post.text, at=post.said_at)
    heard = replace(heard, key=f"post:{post.id}", post=post)
    if not await _may_be_noted(ctx, conn, heard):
        return
    said = heard.said_by(await actor_of_email(ctx, conn, link, email, author, through_list=True))
    if post.text:
        await _note(ctx, conn, said, post)
        await act_on_post(ctx, conn, said)
    for outcome in await take_invitation(ctx, conn, said, post, email):
        await finish(ctx, conn, said_as(said, outcome), outcome)


async def _may_be_noted(ctx: FlowContext, conn: AsyncConnection, heard: Heard) -> bool:
    """Whether a post may hold something for the secretary: most hold nothing, and nobody needs to be looked up."""
    if heard.about is not None or heard.answered is not None or notes_of(heard):
        return True
    if heard.email is not None and heard.email.attachments:
        return True
    return await is_of_meeting(ctx, conn, heard)


async def _heard_by_email(
    conn: AsyncConnection, link: Link, email: Email, author: Mailbox, *, text: str, at: datetime
) -> Heard:
    return Heard(
        link=link,
        text=text,
        said_at=at,
        key="",
        about=await about_email(conn, link, email),
        answered=await answered_by_email(conn, link, email),
        email=email,
        author=author,
    )


async def mark_by_reaction(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction, post: Post) -> None:
    """📌 or ☑️ on a post makes an entry of it; the sign on the message is said by who put it there."""
    said = await said_by_reaction(ctx, conn, link, reaction, answered=post)
    outcome = await mark_post(ctx, conn, said, post, MARKS[reaction.key])
    if outcome.is_private:
        await tell_outcome(ctx, conn, said, outcome)


async def take_reaction_to_notice(ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction) -> bool:
    """Whether a reaction answers a notice of the bridge: ✅ beneath an action that was told, say."""
    said = await said_by_reaction(ctx, conn, link, reaction)
    if said.about is None:
        return False
    outcome = await take_sign(ctx, conn, said, reaction.key)
    if outcome is not None and outcome.is_private:
        await tell_outcome(ctx, conn, said, outcome)
    return outcome is not None


async def said_by_reaction(
    ctx: FlowContext, conn: AsyncConnection, link: Link, reaction: Reaction, *, answered: Post | None = None
) -> Said:
    """A sign as something said: it has no words."""
    room_id = ctx.links.room_of(link)
    about = await about_events(conn, link.association_name, room_id, [reaction.target]) if room_id else None
    return Said(
        link=link,
        actor=await actor_of_line(ctx, conn, link, UserId(reaction.sender)),
        text="",
        said_at=reaction.said_at,
        key=reaction.event_id,
        sign=reaction.event_id,
        about=about,
        answered=answered,
    )


async def heard_in_room(
    ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, *, post: Post | None = None
) -> Heard:
    """A line of the link's room as something said."""
    room_id = ctx.links.room_of(link)
    events: list[EventId | None] = [line.replies_to, line.thread_root]
    about = await about_events(conn, link.association_name, room_id, events) if room_id is not None else None
    return Heard(
        link=link,
        text=post.text if post is not None else line.body,
        said_at=line.said_at,
        key=line.event_id,
        about=about,
        answered=await answered_in_room(conn, room_id, line.replies_to) if room_id is not None else None,
        post=post,
        line=line,
    )


async def _note(ctx: FlowContext, conn: AsyncConnection, said: Said, post: Post) -> None:
    """Keep what a post notes, in the register and in a meeting; and what it says of minutes that it answers."""
    for outcome in await note_post_of_meeting(ctx, conn, said, post):
        await tell_outcome(ctx, conn, said, outcome)
    remark = await take_words_about_minutes(ctx, conn, said)
    if remark is not None:
        await finish(ctx, conn, said, remark)


async def _tell(ctx: FlowContext, conn: AsyncConnection, said: Said, noted: Noted) -> None:
    for outcome in noted.outcomes:
        await tell_outcome(ctx, conn, said, outcome)
