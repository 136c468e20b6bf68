"""Conversations over both media, and the Message-IDs by which mail knows them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BatchId, MessageId, OutboxId, PostId, ThreadId
from passerelle.core.model import KnownMessageId, Thread
from passerelle.errors import StoreError
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape
from passerelle.store.tables import batch, mail_id, post, thread

_SHAPE = Shape(Thread, thread)
_KNOWN_SHAPE = Shape(KnownMessageId, mail_id)
#: How many Message-IDs are looked up at once.
_MOST_IDS = 1000

_INSERT = insert(thread).returning(thread.c.id)
_GET = select(*_SHAPE.columns).where(thread.c.id == bindparam("which"))
_STOP = (
    update(thread)
    .where(thread.c.id == bindparam("which"), thread.c.stopped_at.is_(None))
    .values(stopped_at=bindparam("now"), stopped_reason=bindparam("why"))
)
_RESUME = update(thread).where(thread.c.id == bindparam("which")).values(stopped_at=None, stopped_reason="")
_SET_SUBJECT = update(thread).where(thread.c.id == bindparam("which")).values(subject=bindparam("words"))
_DELETE_ID = delete(mail_id).where(
    mail_id.c.association == bindparam("in_association"),
    mail_id.c.message_id == bindparam("which"),
    mail_id.c.outbox_id == bindparam("of"),
)
_FIND_IDS = select(*_KNOWN_SHAPE.columns).where(
    mail_id.c.association == bindparam("association"), mail_id.c.message_id.in_(bindparam("ids", expanding=True))
)
_INSERT_ID = upsert(
    mail_id,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "message_id"],
        set_={
            "thread_id": i.excluded.thread_id,
            "post_id": i.excluded.post_id,
            "batch_id": i.excluded.batch_id,
            "outbox_id": func.coalesce(i.excluded.outbox_id, mail_id.c.outbox_id),
        },
        # A placeholder is filled by what it stands for; nothing else is ever overwritten.
        where=mail_id.c.post_id.is_(None)
        & mail_id.c.batch_id.is_(None)
        & or_(
            i.excluded.post_id.is_not(None),
            i.excluded.batch_id.is_not(None),
            mail_id.c.outbox_id.is_(None) & i.excluded.outbox_id.is_not(None),
        ),
    ).returning(mail_id.c.message_id),
)
_LAST_MAIL = (
    select(mail_id.c.message_id)
    .join(post, post.c.id == mail_id.c.post_id, isouter=True)
    .join(batch, batch.c.id == mail_id.c.batch_id, isouter=True)
    .where(
        mail_id.c.association == bindparam("association"),
        mail_id.c.thread_id == bindparam("thread_id"),
        or_(post.c.side == "list", batch.c.state == "sealed"),
    )
    # By our own clock: an author's Date may lie in the future.
    .order_by(func.coalesce(post.c.accepted_at, batch.c.sealed_at).desc(), mail_id.c.message_id.desc())
    .limit(bindparam("limit"))
)


async def insert_thread(
    conn: AsyncConnection,
    association: AssociationName,
    subject: str,
    now: datetime,
    split_from: ThreadId | None = None,
) -> ThreadId:
    """Begin a conversation; `split_from`: the one that its first mail answered under another subject."""
    values = {"association": association, "subject": subject, "created_at": now, "split_from_thread_id": split_from}
    return ThreadId((await conn.execute(_INSERT, values)).scalar_one())


async def get_thread(conn: AsyncConnection, id: ThreadId) -> Thread:
    """The conversation of that id. Raises StoreError where there is none."""
    row = (await conn.execute(_GET, {"which": id})).first()
    if row is None:
        raise StoreError(f"There is no thread {id}.")
    return _SHAPE.value(row)


async def stop_thread(conn: AsyncConnection, id: ThreadId, now: datetime, reason: str) -> bool:
    """Nothing of it is relayed any more; False where it was stopped before."""
    return (await conn.execute(_STOP, {"which": id, "now": now, "why": reason})).rowcount == 1


async def resume_thread(conn: AsyncConnection, id: ThreadId) -> None:
    """It is relayed again."""
    await conn.execute(_RESUME, {"which": id})


async def set_thread_subject(conn: AsyncConnection, id: ThreadId, subject: str) -> None:
    """Its first words were changed or taken back before they left; "" where nothing is left to call it by."""
    await conn.execute(_SET_SUBJECT, {"which": id, "words": subject})


async def delete_message_id(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId, outbox_id: OutboxId
) -> None:
    """A mail of ours does not leave after all: its Message-ID stands for nothing."""
    await conn.execute(_DELETE_ID, {"in_association": association, "which": message_id, "of": outbox_id})


async def find_message_ids(
    conn: AsyncConnection, association: AssociationName, ids: Sequence[MessageId]
) -> dict[MessageId, KnownMessageId]:
    """What is known of each of these Message-IDs; unknown ones are left out."""
    if not ids:
        return {}
    # References may name thousands; the databases take so many parameters, and the last ones tell.
    rows = (await conn.execute(_FIND_IDS, {"association": association, "ids": list(ids)[-_MOST_IDS:]})).all()
    return {known.message_id: known for known in _KNOWN_SHAPE.values(rows)}


async def insert_message_id(
    conn: AsyncConnection,
    association: AssociationName,
    message_id: MessageId,
    *,
    thread_id: ThreadId,
    post_id: PostId | None = None,
    batch_id: BatchId | None = None,
    outbox_id: OutboxId | None = None,
) -> bool:
    """Note what a Message-ID stands for; without post and batch it is the placeholder of a parent that has not come.

    A placeholder that stands there is filled; a known post or batch stays, and the answer is False.
    """
    values = {"association": association, "message_id": message_id, "thread_id": thread_id}
    values |= {"post_id": post_id, "batch_id": batch_id, "outbox_id": outbox_id}
    return (await conn.execute(_INSERT_ID(conn), values)).first() is not None


async def last_mail_of_thread(
    conn: AsyncConnection, association: AssociationName, thread_id: ThreadId, limit: int = 20
) -> list[MessageId]:
    """The latest mails of a conversation, posts from the list and sealed batches, oldest first: for References."""
    values = {"association": association, "thread_id": thread_id, "limit": limit}
    return list((await conn.execute(_LAST_MAIL, values)).scalars())[::-1]
