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
    func,
    literal_column,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, PostId, ThreadId
from passerelle.core.model import Origin, Side
from passerelle.store.archive_tables import thread_edit
from passerelle.store.tables import mail_id, missing_parent, post, room_event, thread
from passerelle.store.types import Long

#: Both databases take more parameters than this in one statement.
AT_ONCE = 5000
#: Of a line, as much as its first words need.
_BEGINNING = 500
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
    origin: Origin = "live"


_COLUMNS: tuple[ColumnElement[Any], ...] = (
    post.c.id, post.c.link, post.c.side, post.c.message_id, post.c.refs, post.c.subject,
    case((post.c.side == literal_column("'room'"), func.substr(post.c.text, 1, _BEGINNING)), else_=""),
    type_coerce(post.c.said_at, Long), post.c.content_hash, post.c.thread_id, post.c.parent_post_id,
    post.c.origin,
)  # fmt: skip
_NAMES_OF_COLUMNS = (
    "id", "link", "side", "message_id", "refs", "subject", "beginning", "said_at", "content_hash", "thread_id",
    "parent_post_id", "origin",
)  # fmt: skip
MANY: BindParameter[Any] = bindparam("many", expanding=True)
_POSTS = select(*_COLUMNS).where(post.c.id.in_(MANY))
_OF_THREADS = select(*_COLUMNS).where(post.c.thread_id.in_(MANY))
_BESIDE = select(*_COLUMNS).where(
    post.c.association == bindparam("association"),
    post.c.link == bindparam("link"),
    post.c.said_at >= bindparam("since", type_=Long),
    post.c.said_at <= bindparam("until", type_=Long),
    post.c.refs == bindparam("refs"),
)
_BY_MESSAGE_ID = select(mail_id.c.message_id, mail_id.c.post_id).where(
    mail_id.c.association == bindparam("association"),
    mail_id.c.message_id.in_(MANY),
    mail_id.c.post_id.is_not(None),
)
_BY_EVENT = (
    select(literal_column("' '", String) + room_event.c.event_id, room_event.c.post_id)
    .join(post, post.c.id == room_event.c.post_id)
    .where(post.c.association == bindparam("association"), room_event.c.event_id.in_(MANY))
)
_NAMES = union_all(
    select(mail_id.c.post_id, mail_id.c.message_id).where(mail_id.c.post_id.in_(MANY)),
    select(room_event.c.post_id, literal_column("' '", String) + room_event.c.event_id).where(
        room_event.c.post_id.in_(MANY)
    ),
)
_WAITING = select(missing_parent.c.name, missing_parent.c.post_id).where(
    missing_parent.c.association == bindparam("association"), missing_parent.c.name.in_(MANY)
)
_WATCHED = select(missing_parent.c.name).where(missing_parent.c.post_id.in_(MANY)).distinct()
_EDITS = (
    select(thread_edit.c.post_id, thread_edit.c.kind, thread_edit.c.parent_post_id)
    .where(thread_edit.c.post_id.in_(MANY), thread_edit.c.undone_at.is_(None))
    .order_by(thread_edit.c.id)
)
_THREADS = select(
    thread.c.id, thread.c.subject, thread.c.split_from_thread_id, thread.c.stopped_at, thread.c.stopped_reason
).where(thread.c.id.in_(MANY))
_SIZES = (
    select(
        thread.c.id,
        select(func.count()).select_from(post).where(post.c.thread_id == thread.c.id).scalar_subquery(),
    )
    .where(thread.c.association == bindparam("association"), thread.c.id > bindparam("after"))
    .order_by(thread.c.id)
    .limit(1000)
)
_SPLIT_ROOTS = (
    select(thread.c.id, thread.c.split_from_thread_id, post.c.id)
    .join(post, post.c.thread_id == thread.c.id)
    .where(thread.c.split_from_thread_id.in_(MANY), post.c.parent_post_id.is_(None))
    .order_by(thread.c.id, post.c.id)
)
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


async def lock_threads(conn: AsyncConnection, association: AssociationName) -> None:
    """Have this transaction alone change an association's conversations until it ends. SQLite: it is alone anyway."""
    if conn.dialect.name == "postgresql":
        await conn.execute(_LOCK, {"name": f"threads:{association}"})


async def _in_slices(
    conn: AsyncConnection, statement: Select[Any] | Any, many: Iterable[Any], **values: Any
) -> list[Any]:
    wanted = sorted(set(many))
    rows: list[Any] = []
    for start in range(0, len(wanted), AT_ONCE):
        rows += (await conn.execute(statement, {"many": wanted[start : start + AT_ONCE], **values})).all()
    return rows


def _placed(rows: Iterable[Sequence[Any]]) -> list[Placed]:
    return [Placed(**dict(zip(_NAMES_OF_COLUMNS, row, strict=True))) for row in rows]


async def list_placed(conn: AsyncConnection, ids: Iterable[PostId]) -> list[Placed]:
    """These posts."""
    return _placed(await _in_slices(conn, _POSTS, ids))


async def list_placed_of_threads(conn: AsyncConnection, threads: Iterable[ThreadId]) -> list[Placed]:
    """All posts of these conversations, whatever became of them: a tombstone has its place too."""
    return _placed(await _in_slices(conn, _OF_THREADS, threads))


async def list_thread_sizes(
    conn: AsyncConnection, association: AssociationName, *, after: ThreadId
) -> list[tuple[ThreadId, int]]:
    """Conversations with higher ids than `after`, in their order, and how many posts stand in each; some at a time."""
    rows = (await conn.execute(_SIZES, {"association": association, "after": after})).all()
    return [(ThreadId(id), count) for id, count in rows]


async def list_said_beside(
    conn: AsyncConnection, association: AssociationName, line: Placed, refs: str
) -> list[Placed]:
    """Lines with these `refs` that were said on the same link within a day of this one."""
    values: dict[str, Any] = {"association": association, "link": line.link, "refs": refs}
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
