"""Where posts stand among conversations, read and written many at a time. The rules are `core.tree`'s.

Names of posts here: a Message-ID as it is, an event by `event_name`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    String,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    null,
    select,
    text,
    type_coerce,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId, ThreadId
from passerelle.core.model import Side
from passerelle.store.archive_tables import thread_edit
from passerelle.store.dialects import upsert
from passerelle.store.tables import batch, batch_line, mail_id, missing_parent, post, room_event, thread
from passerelle.store.types import Long, Words, microseconds

#: Both databases take more parameters than this in one statement.
_AT_ONCE = 5000
#: Of a line, as much as its first words need.
_BEGINNING = 500
_WORDS = Words()
_DAY = 86_400_000_000


def event_name(event_id: str) -> str:
    """What answers call an event: no Message-ID has a space."""
    return f" {event_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A post as its place depends on it."""

    id: PostId
    link: LinkName
    side: Side
    message_id: str
    refs: str
    subject: str
    #: Of a line of the room, its beginning; "" of an email.
    beginning: str
    #: Microseconds since 1970 UTC.
    said_at: int
    content_hash: str
    thread_id: ThreadId
    parent_post_id: PostId | None


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    post.c.id, post.c.link, post.c.side, post.c.message_id, post.c.refs, post.c.subject,
    case((post.c.side == literal_column("'room'"), func.substr(post.c.text, 1, _BEGINNING)), else_=""),
    type_coerce(post.c.said_at, Long), post.c.content_hash, post.c.thread_id, post.c.parent_post_id,
)  # fmt: skip
_NAMES_OF_COLUMNS = (
    "id", "link", "side", "message_id", "refs", "subject", "beginning", "said_at", "content_hash", "thread_id",
    "parent_post_id",
)  # fmt: skip
_MANY: BindParameter[Any] = bindparam("many", expanding=True)
_POSTS = select(*_COLUMNS).where(post.c.id.in_(_MANY))
_OF_THREADS = select(*_COLUMNS).where(post.c.thread_id.in_(_MANY))
_BESIDE = select(*_COLUMNS).where(
    post.c.association == bindparam("association"),
    post.c.link == bindparam("link"),
    post.c.said_at >= bindparam("since", type_=Long),
    post.c.said_at <= bindparam("until", type_=Long),
    post.c.refs == bindparam("refs"),
)
_BY_MESSAGE_ID = select(mail_id.c.message_id, mail_id.c.post_id).where(
    mail_id.c.association == bindparam("association"),
    mail_id.c.message_id.in_(_MANY),
    mail_id.c.post_id.is_not(None),
)
_BY_EVENT = (
    select(literal_column("' '", String) + room_event.c.event_id, room_event.c.post_id)
    .join(post, post.c.id == room_event.c.post_id)
    .where(post.c.association == bindparam("association"), room_event.c.event_id.in_(_MANY))
)
_NAMES = union_all(
    select(mail_id.c.post_id, mail_id.c.message_id).where(mail_id.c.post_id.in_(_MANY)),
    select(room_event.c.post_id, literal_column("' '", String) + room_event.c.event_id).where(
        room_event.c.post_id.in_(_MANY)
    ),
)
_WAITING = select(missing_parent.c.name, missing_parent.c.post_id).where(
    missing_parent.c.association == bindparam("association"), missing_parent.c.name.in_(_MANY)
)
_WATCHED = select(missing_parent.c.name).where(missing_parent.c.post_id.in_(_MANY)).distinct()
_EDITS = (
    select(thread_edit.c.post_id, thread_edit.c.kind, thread_edit.c.parent_post_id)
    .where(thread_edit.c.post_id.in_(_MANY), thread_edit.c.undone_at.is_(None))
    .order_by(thread_edit.c.id)
)
_THREADS = select(
    thread.c.id, thread.c.subject, thread.c.split_from_thread_id, thread.c.stopped_at, thread.c.stopped_reason
).where(thread.c.id.in_(_MANY))
_SPLIT_ROOTS = (
    select(thread.c.id, thread.c.split_from_thread_id, post.c.id)
    .join(post, post.c.thread_id == thread.c.id)
    .where(thread.c.split_from_thread_id.in_(_MANY), post.c.parent_post_id.is_(None))
    .order_by(thread.c.id, post.c.id)
)

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
_MOVE_ALL = update(post).where(post.c.thread_id.in_(_MANY)).values(thread_id=bindparam("into"))
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
    .where(batch.c.thread_id.in_(_MANY))
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
_MOVE_EMPTY_BATCHES = update(batch).where(batch.c.thread_id.in_(_MANY)).values(thread_id=bindparam("into"))
_MOVE_IDS_OF_THREADS = update(mail_id).where(mail_id.c.thread_id.in_(_MANY)).values(thread_id=bindparam("into"))
_MOVE_SPLITS = (
    update(thread).where(thread.c.id == bindparam("which")).values(split_from_thread_id=bindparam("from_thread"))
)
_DROP_SPLITS = update(thread).where(thread.c.split_from_thread_id.in_(_MANY)).values(split_from_thread_id=null())
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
    thread.c.id.in_(_MANY),
    ~exists().where(post.c.thread_id == thread.c.id),
    ~exists().where(batch.c.thread_id == thread.c.id),
    ~exists().where(mail_id.c.thread_id == thread.c.id),
)
_FORGET_MISSING = delete(missing_parent).where(missing_parent.c.post_id.in_(_MANY))
_ADD_MISSING = upsert(missing_parent, lambda i: i.on_conflict_do_nothing())


async def _in_slices(
    conn: AsyncConnection, statement: Select[Any] | Any, many: Iterable[Any], **values: Any
) -> list[Any]:
    wanted = sorted(set(many))
    rows: list[Any] = []
    for start in range(0, len(wanted), _AT_ONCE):
        rows += (await conn.execute(statement, {"many": wanted[start : start + _AT_ONCE], **values})).all()
    return rows


def _placed(rows: Iterable[Sequence[Any]]) -> list[Placed]:
    return [Placed(**dict(zip(_NAMES_OF_COLUMNS, row, strict=True))) for row in rows]


async def list_placed(conn: AsyncConnection, ids: Iterable[PostId]) -> list[Placed]:
    """These posts."""
    return _placed(await _in_slices(conn, _POSTS, ids))


async def list_placed_of_threads(conn: AsyncConnection, threads: Iterable[ThreadId]) -> list[Placed]:
    """All posts of these conversations, whatever became of them: a tombstone has its place too."""
    return _placed(await _in_slices(conn, _OF_THREADS, threads))


async def list_said_beside(conn: AsyncConnection, association: AssociationName, line: Placed) -> list[Placed]:
    """Lines that were said along with the same line as this one: within a day of it, and with the same `refs`."""
    values: dict[str, Any] = {"association": association, "link": line.link, "refs": line.refs}
    values |= {"since": line.said_at - _DAY, "until": line.said_at + _DAY}
    return _placed((await conn.execute(_BESIDE, values)).all())


async def find_named(conn: AsyncConnection, association: AssociationName, names: Iterable[str]) -> dict[str, PostId]:
    """Which posts these names mean; unknown ones are left out."""
    wanted = set(names)
    events = [name[1:] for name in wanted if name.startswith(" ")]
    rows = await _in_slices(
        conn, _BY_MESSAGE_ID, (name for name in wanted if not name.startswith(" ")), association=association
    )
    if events:
        rows += await _in_slices(conn, _BY_EVENT, events, association=association)
    return {name: PostId(post_id) for name, post_id in rows}


async def names_of(conn: AsyncConnection, ids: Iterable[PostId]) -> dict[PostId, list[str]]:
    """What others call these posts, as far as it is noted: Message-IDs, a mail's of ours too, and events."""
    found: dict[PostId, list[str]] = {}
    for post_id, name in await _in_slices(conn, _NAMES, ids):
        found.setdefault(PostId(post_id), []).append(name)
    return found


async def find_waiting(
    conn: AsyncConnection, association: AssociationName, names: Iterable[str]
) -> list[tuple[str, PostId]]:
    """Posts that answer something of these names that has not come."""
    return [(name, PostId(id)) for name, id in await _in_slices(conn, _WAITING, names, association=association)]


async def list_watched(conn: AsyncConnection, ids: Iterable[PostId]) -> set[str]:
    """The names that these posts wait for."""
    return {name for (name,) in await _in_slices(conn, _WATCHED, ids)}


async def find_edits(conn: AsyncConnection, ids: Iterable[PostId]) -> dict[PostId, tuple[str, PostId | None]]:
    """What humans last said of these posts: (`attach` or `split`, the post that it was attached to)."""
    return {PostId(id): (kind, to) for id, kind, to in await _in_slices(conn, _EDITS, ids)}


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadFacts:
    """What a conversation is called, and whether it was stopped."""

    id: ThreadId
    subject: str
    split_from: ThreadId | None = None
    stopped_at: datetime | None = None
    stopped_reason: str = ""

    def stopped_like(self, other: "ThreadFacts") -> "ThreadFacts":
        """The same conversation, stopped as the other was."""
        return replace(self, stopped_at=other.stopped_at, stopped_reason=other.stopped_reason)


async def find_threads(conn: AsyncConnection, ids: Iterable[ThreadId]) -> dict[ThreadId, ThreadFacts]:
    """These conversations."""
    rows = await _in_slices(conn, _THREADS, ids)
    return {
        ThreadId(id): ThreadFacts(
            id=ThreadId(id), subject=subject, split_from=split, stopped_at=stopped, stopped_reason=why
        )
        for id, subject, split, stopped, why in rows
    }


async def list_split_roots(
    conn: AsyncConnection, threads: Iterable[ThreadId]
) -> list[tuple[ThreadId, ThreadId, PostId]]:
    """Conversations that were split from these: (conversation, from which, a post that it began with)."""
    return [(ThreadId(a), ThreadId(b), PostId(c)) for a, b, c in await _in_slices(conn, _SPLIT_ROOTS, threads)]


# ---------------------------------------------------------------- writing


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
    for start in range(0, len(wanted), _AT_ONCE):
        await conn.execute(_FORGET_MISSING, {"many": wanted[start : start + _AT_ONCE]})
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
    for start in range(0, len(threads), _AT_ONCE):
        await conn.execute(_MOVE_BATCHES, {"many": list(threads[start : start + _AT_ONCE])})


async def delete_empty_threads(conn: AsyncConnection, threads: Sequence[ThreadId], into: ThreadId) -> None:
    """Conversations in which nothing stands any more; what still names them names `into`."""
    for start in range(0, len(threads), _AT_ONCE):
        many = {"many": list(threads[start : start + _AT_ONCE])}
        await conn.execute(_MOVE_IDS_OF_THREADS, many | {"into": into})
        await conn.execute(_MOVE_EMPTY_BATCHES, many | {"into": into})
        await conn.execute(_DROP_SPLITS, many)
        await conn.execute(_DELETE_THREADS, many)
