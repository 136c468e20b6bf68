"""What somebody answered to their digest, sent by their word to everyone: one post in its conversation, on both sides.

It is a post of the list's side: the room is shown it at once, the list gets it as a mail from the bridge that bears its
author's name. The list's copy comes back as our own. The Message-ID is made of the question that was answered « oui »:
however often that is said, it is sent once.
"""

from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_answers import SENT_KEY
from passerelle.core.email import Mailbox
from passerelle.core.identity import content_hash
from passerelle.core.ids import MailAddress, MessageId, PostId
from passerelle.core.links import Link
from passerelle.core.model import NewOutboxRow, NewPost, Post
from passerelle.core.names import one_line
from passerelle.core.permalinks import short_name
from passerelle.core.permissions import Actor
from passerelle.core.placing import kept_references
from passerelle.core.subject import canonical_subject
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.flows.names_shown import signed_name
from passerelle.flows.relay_email import insert_deliveries
from passerelle.flows.rethread import rethread_chunk
from passerelle.mail.compose import compose_list_notice
from passerelle.mail.compose_types import ListNotice
from passerelle.mail.parse import parse_email
from passerelle.mail.reading import Reading
from passerelle.store.batches import find_line_of_post
from passerelle.store.links import find_link_state, lock_link
from passerelle.store.outbox import insert_outbox
from passerelle.store.posts import insert_post
from passerelle.store.thread_places import lock_threads
from passerelle.store.threads import get_thread, insert_message_id, last_mail_of_thread


@dataclass(frozen=True, kw_only=True, slots=True)
class ForEveryone:
    """Words that their author wants everyone to read."""

    #: Tells it from all others, for ever.
    key: str
    #: With the address at which they were asked.
    actor: Actor
    text: str = field(repr=False)
    #: What they answer.
    answers: Post


async def send_to_everyone(ctx: FlowContext, conn: AsyncConnection, link: Link, said: ForEveryone) -> bool:
    """Store the post and what leaves of it; False where the link or the conversation is stopped."""
    association, now = link.association_name, ctx.now()
    await lock_link(conn, association, link.name)
    await lock_threads(conn, association)
    state, thread = await find_link_state(conn, association, link.name), await get_thread(conn, said.answers.thread_id)
    is_open = state.confirmed_at is not None and state.stopped_at is None and thread.stopped_at is None
    if not is_open or ctx.links.room_of(link) is None:
        return False
    raw, reading = await _composed(ctx, conn, link, said, thread.subject)
    email = reading.email
    assert email.message_id is not None
    post_id = await _insert_post(ctx, conn, link, said, reading, subject=thread.subject)
    outbox_id = await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=f"{SENT_KEY}{said.key}",
            lane=link.list_lane,
            kind="email",
            association=association,
            link=link.name,
            recipient=link.list_address,
            mailbox=link.mailbox.name,
            post_id=post_id,
            message_id=email.message_id,
            delivery_key=ctx.hashed("delivery", SENT_KEY, said.key),
            created_at=now,
            due_at=now,
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )
    await insert_message_id(
        conn, association, email.message_id, thread_id=thread.id, post_id=post_id, outbox_id=outbox_id
    )
    await rethread_chunk(conn, association, {post_id: thread.subject}, now)
    await insert_deliveries(ctx, conn, link, reading, post_id, parent=said.answers.id, received_at=now)
    return True


async def _composed(
    ctx: FlowContext, conn: AsyncConnection, link: Link, said: ForEveryone, subject: str
) -> tuple[bytes, Reading]:
    """The mail to the list, and the same read as if its author had written it there."""
    association, now = link.association_name, ctx.now()
    known = await last_mail_of_thread(conn, association, said.answers.thread_id)
    answered = await _message_id(conn, said.answers)
    references = [*(one for one in known if one != answered), answered] if answered is not None else known
    message_id = MessageId(f"{ctx.hashed('sent_answer', said.key)}@{link.mailbox.address.rpartition('@')[2]}")
    name = one_line(await signed_name(ctx, conn, link, said.actor.name))
    raw = compose_list_notice(
        ListNotice(
            from_name=ctx.renderer(link.association).words("digest_sent_by", name=name),
            bridge_address=MailAddress(link.mailbox.address),
            list_address=link.list_address,
            reply_to=link.list_address if link.settings.mailing_list.reply_to == "list" else None,
            subject=f"Re: {subject}" if subject else "Re:",
            text=f"{said.text}\n",
            message_id=message_id,
            in_reply_to=references[-1] if references else None,
            references=tuple(references),
            date=now.astimezone(link.zone),
            marker=mark_of(ctx, link, message_id),
        )
    )
    author = Mailbox(name=said.actor.name, address=said.actor.address or MailAddress(""))
    reading = Reading(
        email=replace(parse_email(raw), date=now),
        author=author,
        text=said.text,
        html="",
        elided="",
        original=said.text,
        content_hash=content_hash(author=author.address, words=said.text, said_at=now),
    )
    return raw, reading


async def _message_id(conn: AsyncConnection, post: Post) -> MessageId | None:
    """By what the list knows a post: its own Message-ID, or that of the mail in which its line left."""
    if post.message_id:
        return post.message_id
    left = await find_line_of_post(conn, post.id)
    return (left[0].message_id or None) if left else None


async def _insert_post(
    ctx: FlowContext, conn: AsyncConnection, link: Link, said: ForEveryone, reading: Reading, *, subject: str
) -> PostId:
    email, now = reading.email, ctx.now()
    assert email.message_id is not None
    return await insert_post(
        conn,
        NewPost(
            association=link.association_name,
            link=link.name,
            side="list",
            message_id=email.message_id,
            content_hash=reading.content_hash,
            thread_id=said.answers.thread_id,
            parent_post_id=said.answers.id,
            author_name=said.actor.name,
            author_address=said.actor.address,
            person_id=said.actor.person_id,
            subject=canonical_subject(subject, prefix=link.settings.mailing_list.subject_prefix),
            text=said.text,
            said_at=now,
            accepted_at=now,
            refs=" ".join(kept_references(email.in_reply_to, email.references)),
            permalink=short_name(link.association_name, email.message_id),
        ),
    )
