"""A conversation as its page shows it: posts in the order of their time, their files, and how each can be answered."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, func, literal_column, null, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, LinkName, MessageId, PostId, RoomId, ThreadId
from passerelle.core.model import AttachmentRow, Origin, PostState, Side
from passerelle.core.shelves import Shelf
from passerelle.store.on_shelves import on_shelves, shelf_values, shown_link
from passerelle.store.rows import Shape
from passerelle.store.tables import attachment, batch, batch_line, post, room_event, thread
from passerelle.store.types import Instant

#: What of a post stands in its conversation's page; the whole stands on its own.
MOST_CHARACTERS = 20_000
MOST_HTML = 60_000

_STANDS = post.c.state == literal_column("'accepted'")


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadPost:
    """A post of a conversation. Of one that does not stand any more, nothing but that it did."""

    id: PostId
    #: In which its reader finds it.
    link: LinkName
    side: Side
    origin: Origin
    state: PostState
    flagged: str
    parent_post_id: PostId | None
    person_id: int | None
    author_name: str
    message_id: MessageId
    subject: str
    text: str
    html: str
    has_original: bool
    said_at: datetime
    permalink: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadPage:
    """Some posts of a conversation, oldest first. `number` of all that the reader may know of; `standing` of them."""

    posts: tuple[ThreadPost, ...]
    number: int
    standing: int
    #: What the conversation is called; "" where it begins with a post that is not the reader's to read, or has no name.
    subject: str
    #: The conversation that its first mail answered under another subject.
    split_from: ThreadId | None
    #: The conversation begins with the first of `posts`.
    begins: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Handle:
    """How a post is known where it was said: what an answer has to name."""

    #: Of the mail in which lines of the room left.
    message_id: MessageId | None = None
    room_id: RoomId | None = None
    event_id: EventId | None = None


_OF_THREAD = (post.c.thread_id == bindparam("thread_id"), on_shelves())
# Which posts a page has is found without their words: to sort a long conversation would be to read all of it.
_PLACES = (
    select(post.c.id)
    .where(*_OF_THREAD)
    .order_by(post.c.said_at, post.c.id)
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
    .correlate(None)
)
_FIRST = (
    select(post.c.id)
    .where(post.c.thread_id == bindparam("thread_id"))
    .order_by(post.c.said_at, post.c.id)
    .limit(1)
    .correlate(None)
    .scalar_subquery()
)


def _count(*conditions: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(post).where(*conditions).correlate(None).scalar_subquery()


_POSTS = (
    select(
        post.c.id, shown_link(), post.c.side, post.c.origin, post.c.state, post.c.flagged, post.c.parent_post_id,
        post.c.person_id,
        case((_STANDS, post.c.author_name), else_=""),
        case((_STANDS, post.c.message_id), else_=""),
        case((_STANDS, post.c.subject), else_=""),
        case((_STANDS, func.substr(post.c.text, 1, MOST_CHARACTERS + 1)), else_=""),
        case((_STANDS & (func.length(post.c.html) <= MOST_HTML), post.c.html), else_=""),
        post.c.raw_hash.is_not(None), post.c.said_at, post.c.permalink,
        _count(*_OF_THREAD), _count(*_OF_THREAD, _STANDS), thread.c.subject, thread.c.split_from_thread_id,
        _count(post.c.id == _FIRST, on_shelves()),
    )
    .join(thread, thread.c.id == post.c.thread_id)
    .where(post.c.id.in_(_PLACES))
    .order_by(post.c.said_at, post.c.id)
)  # fmt: skip
_SIZES = (
    select(post.c.thread_id, func.count())
    .where(post.c.thread_id.in_(bindparam("threads", expanding=True)), _STANDS, on_shelves())
    .group_by(post.c.thread_id)
)
_EARLIER = (
    select(func.count())
    .where(
        post.c.thread_id == bindparam("thread_id"),
        (post.c.said_at < bindparam("at", type_=Instant()))
        | ((post.c.said_at == bindparam("at", type_=Instant())) & (post.c.id < bindparam("which"))),
        on_shelves(),
    )
    .select_from(post)
)
_FILES = Shape(AttachmentRow, attachment)
_OF_POSTS = (
    select(*_FILES.columns)
    .where(attachment.c.post_id.in_(bindparam("posts", expanding=True)))
    .order_by(attachment.c.post_id, attachment.c.position)
)
_WANTED: BindParameter[int] = bindparam("posts", expanding=True)
_HANDLES = union_all(
    select(batch_line.c.post_id, batch.c.message_id, null(), null())
    .join(batch, batch.c.id == batch_line.c.batch_id)
    .where(batch_line.c.post_id.in_(_WANTED), batch_line.c.kind == literal_column("'line'")),
    select(room_event.c.post_id, null(), room_event.c.room_id, room_event.c.event_id).where(
        room_event.c.post_id.in_(_WANTED), room_event.c.part == literal_column("0")
    ),
)


async def posts_of_thread(
    conn: AsyncConnection, thread_id: ThreadId, shelves: Collection[Shelf], *, limit: int, offset: int = 0
) -> ThreadPage:
    """Posts of a conversation that stand on these shelves, from the `offset`th on; tombstones among them."""
    values = {"thread_id": thread_id, "limit": limit, "offset": offset, **shelf_values(shelves)}
    rows = (await conn.execute(_POSTS, values)).all()
    if not rows:
        return ThreadPage(posts=(), number=0, standing=0, subject="", split_from=None, begins=False)
    *_, number, standing, subject, split_from, begins = rows[0]
    names = ThreadPost.__slots__
    return ThreadPage(
        posts=tuple(ThreadPost(**dict(zip(names, row, strict=False))) for row in rows),
        number=number,
        standing=standing,
        subject=subject if begins else "",
        split_from=split_from,
        begins=offset == 0,
    )


async def sizes_of_threads(
    conn: AsyncConnection, threads: Collection[ThreadId], shelves: Collection[Shelf]
) -> dict[ThreadId, int]:
    """How many posts of each of these conversations stand and may be read."""
    if not threads:
        return {}
    rows = await conn.execute(_SIZES, {"threads": list(threads), **shelf_values(shelves)})
    return {thread_id: number for thread_id, number in rows}


async def count_earlier(
    conn: AsyncConnection, thread_id: ThreadId, shelves: Collection[Shelf], *, at: datetime, id: PostId
) -> int:
    """How many posts of the conversation stand before one, to know its page."""
    values = {"thread_id": thread_id, "at": at, "which": id, **shelf_values(shelves)}
    return int((await conn.execute(_EARLIER, values)).scalar_one())


async def files_of_posts(conn: AsyncConnection, posts: Sequence[PostId]) -> dict[PostId, list[AttachmentRow]]:
    """The files of posts, each post's in their order. Only to be asked of posts that the reader may read."""
    found: defaultdict[PostId, list[AttachmentRow]] = defaultdict(list)
    if posts:
        for row in _FILES.values((await conn.execute(_OF_POSTS, {"posts": list(posts)})).all()):
            found[row.post_id].append(row)
    return found


async def handles_of_posts(
    conn: AsyncConnection, posts: Sequence[PostId], *, closed: Collection[RoomId] = ()
) -> dict[PostId, Handle]:
    """How posts can be answered. Only to be asked of posts that the reader may read.

    Args:
        closed: rooms that are not the reader's: a cross-post stands in several.
    """
    if not posts:
        return {}
    mails: dict[PostId, MessageId] = {}
    events: dict[PostId, tuple[RoomId, EventId]] = {}
    for post_id, message_id, room_id, event_id in (await conn.execute(_HANDLES, {"posts": list(posts)})).all():
        if message_id:
            mails[post_id] = message_id
        elif event_id and room_id not in closed:
            events.setdefault(post_id, (room_id, event_id))
    handles = {}
    for post_id in mails.keys() | events.keys():
        room_id, event_id = events.get(post_id, (None, None))
        handles[post_id] = Handle(message_id=mails.get(post_id), room_id=room_id, event_id=event_id)
    return handles
