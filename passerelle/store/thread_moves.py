"""Posts move among conversations, many at a time, and what names them follows. Where to, `core.regrouping` says."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, literal_column, null, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, PostId, ThreadId
from passerelle.store.dialects import upsert
from passerelle.store.tables import batch, batch_line, mail_id, missing_parent, post, thread
from passerelle.store.thread_places import AT_ONCE, MANY, ThreadFacts
from passerelle.store.types import Words, microseconds

_WORDS = Words()

_THREAD_COLUMNS = ("id", "association", "subject", "split_from_thread_id", "created_at", "stopped_at", "stopped_reason")
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence('thread', 'id')) FROM generate_series(1, :count)")
_LAST_ID = text(
    "SELECT max((SELECT coalesce(max(id), 0) FROM thread),"
    " (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'thread'))"
)
_MOVE = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(thread_id=bindparam("into"), parent_post_id=bindparam("under"))
)
_MOVE_ALL = update(post).where(post.c.thread_id.in_(MANY)).values(thread_id=bindparam("into"))
_MOVE_IDS = update(mail_id).where(mail_id.c.post_id == bindparam("which")).values(thread_id=bindparam("into"))
_OWN_ID = upsert(
    mail_id,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "message_id"],
        set_={"thread_id": i.excluded.thread_id, "post_id": i.excluded.post_id},
        # What stands for a mail of ours goes on doing so, whoever copies its Message-ID.
        where=mail_id.c.outbox_id.is_(None) & mail_id.c.batch_id.is_(None),
    ),
)
_MOVE_BATCHES = (
    update(batch)
    .where(batch.c.thread_id.in_(MANY))
    .values(
        thread_id=func.coalesce(
            select(post.c.thread_id)
            .join(batch_line, batch_line.c.post_id == post.c.id)
            .where(batch_line.c.batch_id == batch.c.id, batch_line.c.kind == literal_column("'line'"))
            .order_by(batch_line.c.said_at, batch_line.c.id)
            .limit(1)
            .scalar_subquery(),
            batch.c.thread_id,
        )
    )
)
_MOVE_EMPTY_BATCHES = update(batch).where(batch.c.thread_id.in_(MANY)).values(thread_id=bindparam("into"))
_MOVE_IDS_OF_THREADS = update(mail_id).where(mail_id.c.thread_id.in_(MANY)).values(thread_id=bindparam("into"))
_MOVE_SPLITS = (
    update(thread).where(thread.c.id == bindparam("which")).values(split_from_thread_id=bindparam("from_thread"))
)
_DROP_SPLITS = update(thread).where(thread.c.split_from_thread_id.in_(MANY)).values(split_from_thread_id=null())
_CHANGE = (
    update(thread)
    .where(thread.c.id == bindparam("which"))
    .values(
        subject=bindparam("called"),
        split_from_thread_id=bindparam("from_thread"),
        stopped_at=bindparam("stopped"),
        stopped_reason=bindparam("why"),
    )
)
_DELETE_THREADS = delete(thread).where(
    thread.c.id.in_(MANY),
    ~exists().where(post.c.thread_id == thread.c.id),
    ~exists().where(batch.c.thread_id == thread.c.id),
    ~exists().where(mail_id.c.thread_id == thread.c.id),
)
_FORGET_MISSING = delete(missing_parent).where(missing_parent.c.post_id.in_(MANY))
_ADD_MISSING = upsert(missing_parent, lambda i: i.on_conflict_do_nothing())


async def new_thread_ids(conn: AsyncConnection, count: int) -> list[ThreadId]:
    """Ids that no thread has or had. SQLite: the transaction is the only one that writes."""
    if not count:
        return []
    if conn.dialect.name == "postgresql":
        return [ThreadId(id) for id in (await conn.execute(_NEXT_IDS, {"count": count})).scalars()]
    last = (await conn.execute(_LAST_ID)).scalar_one()
    return [ThreadId(id) for id in range(last + 1, last + 1 + count)]


async def insert_threads(
    conn: AsyncConnection, association: AssociationName, new: Sequence[ThreadFacts], now: datetime
) -> None:
    """Begin conversations, with ids of `new_thread_ids`."""
    if not new:
        return
    is_server = conn.dialect.name == "postgresql"
    marks = ", ".join(f"${n}" if is_server else "?" for n in range(1, len(_THREAD_COLUMNS) + 1))
    # A conversation may have been split from one that begins later in the same statement.
    begun: set[ThreadId] = set()
    later: list[tuple[ThreadId, ThreadId | None]] = []
    rows: list[tuple[Any, ...]] = []
    ids = {facts.id for facts in new}
    for facts in new:
        split = facts.split_from
        if split in ids and split not in begun:
            later.append((facts.id, split))
            split = None
        begun.add(facts.id)
        stopped = None if facts.stopped_at is None else microseconds(facts.stopped_at)
        subject = _storable(facts.subject)
        rows.append((facts.id, association, subject, split, microseconds(now), stopped, facts.stopped_reason))
    await conn.exec_driver_sql(f"INSERT INTO thread ({', '.join(_THREAD_COLUMNS)}) VALUES ({marks})", rows)
    await change_splits(conn, later)


def _storable(words: str) -> str:
    return _WORDS.process_bind_param(words, None) or ""  # type: ignore[arg-type]


async def move_posts(conn: AsyncConnection, moves: Sequence[tuple[PostId, ThreadId, PostId | None]]) -> None:
    """Put posts into a conversation, under the post that they answer."""
    if moves:
        await conn.execute(_MOVE, [{"which": id, "into": into, "under": under} for id, into, under in moves])


async def move_ids(conn: AsyncConnection, moves: Sequence[tuple[PostId, ThreadId]]) -> None:
    """The Message-IDs of posts follow them."""
    if moves:
        await conn.execute(_MOVE_IDS, [{"which": id, "into": into} for id, into in moves])


async def own_ids(
    conn: AsyncConnection, association: AssociationName, owners: Sequence[tuple[str, ThreadId, PostId]]
) -> None:
    """Note which post each Message-ID means; those of mails of ours stay what they are."""
    if owners:
        rows = [
            {"association": association, "message_id": name, "thread_id": into, "post_id": id}
            for name, into, id in owners
        ]
        await conn.execute(_OWN_ID(conn), rows)


async def note_missing(
    conn: AsyncConnection, association: AssociationName, of: Iterable[PostId], missing: Sequence[tuple[str, PostId]]
) -> None:
    """Note what the posts `of` wait for, instead of what was noted of them."""
    wanted = sorted(of)
    for start in range(0, len(wanted), AT_ONCE):
        await conn.execute(_FORGET_MISSING, {"many": wanted[start : start + AT_ONCE]})
    if missing:
        rows = [{"association": association, "name": name, "post_id": id} for name, id in sorted(missing)]
        await conn.execute(_ADD_MISSING(conn), rows)


async def change_thread(conn: AsyncConnection, facts: ThreadFacts) -> None:
    """What a conversation is called, what it came from, whether it is stopped."""
    values = {"which": facts.id, "called": facts.subject, "from_thread": facts.split_from}
    await conn.execute(_CHANGE, values | {"stopped": facts.stopped_at, "why": facts.stopped_reason})


async def change_splits(conn: AsyncConnection, changes: Sequence[tuple[ThreadId, ThreadId | None]]) -> None:
    """From which conversation others were split."""
    if changes:
        await conn.execute(_MOVE_SPLITS, [{"which": id, "from_thread": from_thread} for id, from_thread in changes])


async def join_threads(conn: AsyncConnection, threads: Sequence[ThreadId], into: ThreadId) -> None:
    """All that stands in these conversations stands in that one."""
    values = {"many": list(threads), "into": into}
    await conn.execute(_MOVE_ALL, values)
    await conn.execute(_MOVE_IDS_OF_THREADS, values)


async def move_batches(conn: AsyncConnection, threads: Sequence[ThreadId]) -> None:
    """Batches of these conversations, sealed ones too, follow their first line."""
    for start in range(0, len(threads), AT_ONCE):
        await conn.execute(_MOVE_BATCHES, {"many": list(threads[start : start + AT_ONCE])})


async def delete_empty_threads(conn: AsyncConnection, threads: Sequence[ThreadId], into: ThreadId) -> None:
    """Conversations in which nothing stands any more; what still names them names `into`."""
    for start in range(0, len(threads), AT_ONCE):
        many = {"many": list(threads[start : start + AT_ONCE])}
        await conn.execute(_MOVE_IDS_OF_THREADS, many | {"into": into})
        await conn.execute(_MOVE_EMPTY_BATCHES, many | {"into": into})
        await conn.execute(_DROP_SPLITS, many)
        await conn.execute(_DELETE_THREADS, many)
