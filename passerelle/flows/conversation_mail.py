"""A sealed conversation as the bytes of its mail: everything is gathered here, and composed by `mail.compose`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BatchId, MailAddress, MessageId
from passerelle.core.links import Link
from passerelle.core.model import AttachmentRow, Batch, BatchLine, Post
from passerelle.core.permalinks import message_path, short_path
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.mail.compose import BatchCorrection, BatchFile, BatchMail, BatchReaction, BatchSpoken, compose_batch
from passerelle.matrix.event_types import VOICE
from passerelle.store.attachments import list_attachments
from passerelle.store.batches import find_line_of_post
from passerelle.store.blobs import get_blob
from passerelle.store.posts import find_events_of_post, find_post, find_room_event
from passerelle.store.threads import get_thread, last_mail_of_thread

MP3 = "audio/mpeg"
#: RFC 5322 sets no limit to References; agents cut them, and the oldest and the newest say most.
_MAX_REFERENCES = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Conversation:
    """A batch and what stands in it, as it leaves."""

    batch: Batch
    lines: tuple[tuple[BatchLine, Post], ...]


async def compose_conversations(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    conversations: Sequence[Conversation],
    message_id: MessageId,
) -> bytes:
    """The bytes of one mail: one conversation, or several in one evening mail, which then starts a thread of its own.

    Raises MalformedEmail, ConfigError.
    """
    first = conversations[0]
    entries = [entry for conversation in conversations for entry in conversation.lines]
    topics = await _topics(conn, conversations)
    references = await _references(conn, link, first) if len(conversations) == 1 else []
    thread = await get_thread(conn, first.batch.thread_id)
    words = ctx.renderer(link.association).words
    mail = BatchMail(
        bridge_address=MailAddress(link.mailbox.address),
        list_address=link.list_address,
        reply_to=link.list_address if link.settings.mailing_list.reply_to == "list" else None,
        subject=thread.subject if len(conversations) == 1 else words("subject_evening"),
        is_reply=bool(references),
        lines=tuple([await _spoken(conn, line, post, topics) for line, post in entries if line.kind == "line"]),
        corrections=tuple(_correction(line, post) for line, post in entries if line.kind == "correction"),
        reactions=_reactions(entries),
        message_id=message_id,
        in_reply_to=references[-1] if references else None,
        references=tuple(references),
        date=ctx.now().astimezone(link.zone),
        marker=mark_of(ctx, link, message_id),
        line_marks=" ".join(ctx.hashed("line", line.event_id) for line, _ in entries if line.kind == "line"),
        attachments_limit_bytes=link.settings.attachments_limit_bytes,
        no_archive=any(conversation.batch.no_archive for conversation in conversations),
        archived_at=_archived_at(ctx, link, message_id, first),
    )
    return compose_batch(mail, render=ctx.renderer(link.association))


def _archived_at(ctx: FlowContext, link: Link, message_id: MessageId, first: Conversation) -> tuple[str, ...]:
    """Where the mail will be read: by its Message-ID, and by the short name of its first line."""
    web = ctx.settings.web
    if web is None or first.batch.no_archive:
        return ()
    root, short = web.url.rstrip("/"), first.lines[0][1].permalink
    paths = [message_path(link.association_name, message_id)]
    paths += [short_path(link.association_name, short)] if short else []
    return tuple(root + path for path in paths)


async def _references(conn: AsyncConnection, link: Link, conversation: Conversation) -> list[MessageId]:
    """Message-IDs of the thread so far, oldest first; the last is what the mail answers.

    A line that answers a certain mail answers that mail; otherwise the conversation goes on after its last mail.
    """
    known = await last_mail_of_thread(conn, link.association_name, conversation.batch.thread_id, limit=_MAX_REFERENCES)
    answered = await _answered_mail(conn, conversation)
    if answered is None:
        return list(known)
    until = known.index(answered) if answered in known else len(known)
    return [*known[:until], answered]


async def _answered_mail(conn: AsyncConnection, conversation: Conversation) -> MessageId | None:
    """The mail that the first line answers by a real reply; None where it goes on with its thread."""
    line, post = next(((line, post) for line, post in conversation.lines if line.kind == "line"), (None, None))
    if line is None or post is None or post.parent_post_id is None:
        return None
    event, parent = await find_room_event(conn, line.event_id), await find_post(conn, post.parent_post_id)
    if event is None or parent is None:
        return None
    shown = await find_events_of_post(conn, parent.id, event.room_id)
    if event.thread_root_event_id in [one.event_id for one in shown]:
        return None
    if parent.message_id:
        return parent.message_id
    left = await find_line_of_post(conn, parent.id)
    return left[0].message_id or None if left else None


async def _topics(conn: AsyncConnection, conversations: Sequence[Conversation]) -> dict[BatchId, str]:
    """What each conversation of an evening mail is about; nothing where there is only one."""
    if len(conversations) == 1:
        return {}
    return {c.batch.id: (await get_thread(conn, c.batch.thread_id)).subject for c in conversations}


async def _spoken(conn: AsyncConnection, line: BatchLine, post: Post, topics: Mapping[BatchId, str]) -> BatchSpoken:
    files = [await _file(conn, row, post) for row in await list_attachments(conn, post.id)]
    return BatchSpoken(
        author=line.author_name or post.author_name,
        said_at=post.said_at,
        text=post.text,
        html=post.html,
        files=tuple(files),
        is_emote=post.msgtype == "m.emote",
        topic=topics.get(line.batch_id, ""),
    )


async def _file(conn: AsyncConnection, row: AttachmentRow, post: Post) -> BatchFile:
    data = await get_blob(conn, row.blob_hash) if row.blob_hash else None
    return BatchFile(
        filename=row.filename,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        data=data,
        voice_duration_ms=row.duration_ms if post.msgtype == VOICE and row.media_type == MP3 else None,
    )


def _correction(line: BatchLine, post: Post) -> BatchCorrection:
    return BatchCorrection(author=line.author_name, said_at=post.said_at, text=line.text)


def _reactions(entries: Sequence[tuple[BatchLine, Post]]) -> tuple[BatchReaction, ...]:
    """One line for each emoji and mail, with everyone who gave it."""
    grouped: dict[tuple[int, str], tuple[list[str], str]] = {}
    for line, post in entries:
        if line.kind == "reaction":
            names, _ = grouped.setdefault((post.id, line.text), ([], post.text or post.subject))
            names.append(line.author_name)
    return tuple(
        BatchReaction(names=tuple(dict.fromkeys(names)), key=key, excerpt=excerpt)
        for (_, key), (names, excerpt) in grouped.items()
    )
