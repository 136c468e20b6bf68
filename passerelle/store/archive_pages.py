"""What the pages of the archive show. Every function is given shelves, and gives nothing that stands elsewhere."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    bindparam,
    case,
    column,
    exists,
    func,
    literal_column,
    or_,
    select,
    union_all,
    values,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MessageId, PostId, ThreadId
from passerelle.core.model import Origin, Post, PostState, Side
from passerelle.core.shelves import Shelf
from passerelle.store.archive_tables import cross_post
from passerelle.store.on_shelves import on_shelves, shelf_values, shown_link
from passerelle.store.posts import SHAPE
from passerelle.store.rows import Shape
from passerelle.store.tables import batch_line, mail_id, post, thread
from passerelle.store.types import Instant

#: The most conversations that a month's page lists.
MOST_THREADS = 400
#: How much of a post's text stands in a list.
_EXCERPT_CHARACTERS = 240

_ACCEPTED = post.c.state == literal_column("'accepted'")
_FROM_LIST = post.c.side == literal_column("'list'")
_OWN_LINK = (post.c.association == bindparam("association"), post.c.link == bindparam("link"))
# Few, and so looked up by id: no index can answer for the association then, with which SQLite would begin otherwise,
# and go through every post of it.
_CROSSED = (
    post.c.id.in_(select(cross_post.c.post_id).where(cross_post.c.link == bindparam("link")).correlate(None)),
    post.c.association.concat("") == bindparam("association"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedPost:
    """Where a post stands, whatever became of it: enough to lead to it."""

    id: PostId
    association: AssociationName
    link: LinkName
    side: Side
    origin: Origin
    state: PostState
    thread_id: ThreadId
    person_id: int | None
    permalink: str
    said_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedPost:
    """A post as a list of posts shows it. `excerpt`: the beginning of its text."""

    id: PostId
    #: In which its reader finds it.
    link: LinkName
    side: Side
    thread_id: ThreadId
    author_name: str
    subject: str
    excerpt: str
    said_at: datetime
    permalink: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedThread:
    """A conversation as a month's page lists it: what of it was said in that month."""

    thread_id: ThreadId
    posts: int
    lines: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadOpening:
    """What a conversation begins with for this reader, who may not read all of it."""

    thread_id: ThreadId
    #: The first post that they may read.
    permalink: str
    author_name: str
    #: The conversation's subject; "" where what it comes from is not theirs to read, or it has none.
    thread_subject: str
    subject: str
    excerpt: str
    said_at: datetime


_PLACED = Shape(PlacedPost, post)
_LISTED = (
    post.c.id, shown_link(), post.c.side, post.c.thread_id, post.c.author_name, post.c.subject,
    func.substr(post.c.text, 1, _EXCERPT_CHARACTERS), post.c.said_at, post.c.permalink,
)  # fmt: skip

_BY_SHORT = (
    select(*_PLACED.columns)
    .where(post.c.association == bindparam("association"), post.c.permalink == bindparam("short"), on_shelves())
    .order_by(post.c.id)
)
_BY_MESSAGE_ID = (
    select(*_PLACED.columns)
    .where(
        _FROM_LIST,
        post.c.association == bindparam("association"),
        post.c.message_id == bindparam("message_id"),
        on_shelves(),
    )
    .order_by(post.c.id)
)
_BY_BATCH = (
    select(*_PLACED.columns)
    .join(batch_line, batch_line.c.post_id == post.c.id)
    .join(mail_id, mail_id.c.batch_id == batch_line.c.batch_id)
    .where(
        mail_id.c.association == bindparam("association"),
        mail_id.c.message_id == bindparam("message_id"),
        batch_line.c.kind == literal_column("'line'"),
        on_shelves(),
    )
    .order_by(batch_line.c.id)
    .limit(1)
)
_FULL = select(*SHAPE.columns).where(post.c.id == bindparam("which"), _ACCEPTED, on_shelves())

_SEVERAL = select(*SHAPE.columns).where(post.c.id.in_(bindparam("ids", expanding=True)), _ACCEPTED, on_shelves())


def _of_link(*columns: Any) -> tuple[Select[Any], Select[Any]]:
    """Posts that stand in the link, and those that were posted to it besides another."""
    shown = (_ACCEPTED, on_shelves())
    return select(*columns).where(*_OWN_LINK, *shown), select(*columns).where(*_CROSSED, *shown)


def _newest() -> Any:
    parts = []
    for query in _of_link(*_LISTED):
        limited = query.order_by(post.c.said_at.desc(), post.c.id.desc()).limit(bindparam("limit")).subquery()
        parts.append(select(*limited.c))
    both = union_all(*parts).subquery()
    return select(*both.c).order_by(both.c.said_at.desc(), both.c.id.desc()).limit(bindparam("limit"))


def _month() -> Any:
    within = (post.c.said_at >= bindparam("start", type_=Instant()), post.c.said_at < bindparam("end", type_=Instant()))
    parts = [query.where(*within) for query in _of_link(post.c.thread_id, post.c.side, post.c.said_at)]
    both = union_all(*parts).subquery()
    lines = func.sum(case((both.c.side == literal_column("'room'"), 1), else_=0))
    last = func.max(both.c.said_at, type_=Instant())
    return (
        select(both.c.thread_id, func.count(), lines, func.min(both.c.said_at, type_=Instant()), last)
        .group_by(both.c.thread_id)
        .order_by(last.desc(), both.c.thread_id.desc())
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )


def _beside(*, before: bool) -> Any:
    """The nearest instant before, or from, one at which something was said."""
    parts = []
    for query in _of_link(post.c.said_at):
        at = bindparam("at", type_=Instant())
        side = query.where(post.c.said_at < at if before else post.c.said_at >= at)
        order = post.c.said_at.desc() if before else post.c.said_at.asc()
        nearest = side.order_by(order).limit(1).subquery()
        parts.append(select(*nearest.c))
    both = union_all(*parts).subquery()
    nearest_of_both = func.max if before else func.min
    return select(nearest_of_both(both.c.said_at, type_=Instant()))


_NEWEST = _newest()
_BEFORE, _FROM = _beside(before=True), _beside(before=False)
_MONTH = _month()
_OF_LINK = (
    select(post.c.said_at).where(*_OWN_LINK),
    select(post.c.said_at).where(*_CROSSED),
)
_ENDS = [
    query.order_by(post.c.said_at.asc() if first else post.c.said_at.desc()).limit(1)
    for query in _OF_LINK
    for first in (True, False)
]
_OWN = (
    select(*_LISTED)
    .where(
        post.c.association == bindparam("association"),
        post.c.person_id == bindparam("person_id"),
        _ACCEPTED,
        or_(
            post.c.said_at < bindparam("before", type_=Instant()),
            (post.c.said_at == bindparam("before", type_=Instant())) & (post.c.id < bindparam("before_id")),
        ),
        on_shelves(),
    )
    .order_by(post.c.said_at.desc(), post.c.id.desc())
    .limit(bindparam("limit"))
)


def _openings() -> Any:
    """By the place of one post of each conversation: to rank all of a long one would be to read its words."""

    def first_of_thread(*conditions: Any) -> Any:
        of_thread = select(post.c.id).where(post.c.thread_id == thread.c.id, *conditions)
        return of_thread.order_by(post.c.said_at, post.c.id).limit(1).correlate(thread).scalar_subquery()

    shown, is_first = post.alias("shown"), first_of_thread()
    return (
        select(
            thread.c.id, shown.c.permalink, shown.c.author_name,
            case((shown.c.id == is_first, thread.c.subject), else_="").label("thread_subject"),
            shown.c.subject, func.substr(shown.c.text, 1, _EXCERPT_CHARACTERS), shown.c.said_at,
        )
        .select_from(thread)
        .join(shown, shown.c.id == first_of_thread(_ACCEPTED, on_shelves()))
        .where(thread.c.id.in_(bindparam("threads", expanding=True)))
    )  # fmt: skip


_OPENINGS = _openings()


async def find_by_short(
    conn: AsyncConnection, association: AssociationName, short: str, shelves: Collection[Shelf]
) -> list[PlacedPost]:
    """The posts that a short permalink names, whatever became of them: one, but for a rare coincidence."""
    found = await conn.execute(_BY_SHORT, {"association": association, "short": short, **shelf_values(shelves)})
    return _PLACED.values(found.all())


async def find_by_message_id(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId, shelves: Collection[Shelf]
) -> list[PlacedPost]:
    """The posts that an email's permalink names (several where contents differ), or the first line of a sealed mail."""
    parameters = {"association": association, "message_id": message_id, **shelf_values(shelves)}
    rows = (await conn.execute(_BY_MESSAGE_ID, parameters)).all() or (await conn.execute(_BY_BATCH, parameters)).all()
    return _PLACED.values(rows)


async def find_readable_post(conn: AsyncConnection, id: PostId, shelves: Collection[Shelf]) -> Post | None:
    """A post, whole, that stands and may be read."""
    row = (await conn.execute(_FULL, {"which": id, **shelf_values(shelves)})).first()
    return None if row is None else SHAPE.value(row)


async def posts_of_ids(
    conn: AsyncConnection, ids: Collection[PostId], shelves: Collection[Shelf]
) -> dict[PostId, Post]:
    """Posts, whole; those that do not stand, or may not be read, are left out."""
    if not ids:
        return {}
    rows = (await conn.execute(_SEVERAL, {"ids": list(ids), **shelf_values(shelves)})).all()
    return {one.id: one for one in SHAPE.values(rows)}


async def newest_of_link(
    conn: AsyncConnection, association: AssociationName, link: LinkName, shelves: Collection[Shelf], *, limit: int
) -> list[ListedPost]:
    """The newest posts of a link, newest first."""
    values = {"association": association, "link": link, "limit": limit, **shelf_values(shelves)}
    return [_listed(row) for row in (await conn.execute(_NEWEST, values)).all()]


async def threads_of_month(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    shelves: Collection[Shelf],
    *,
    start: datetime,
    end: datetime,
    offset: int = 0,
) -> tuple[list[ListedThread], bool]:
    """The conversations of a link in which something was said from `start` on, before `end` (both aware); the most
    recent first, at most MOST_THREADS from the `offset`th on; and whether there are more."""
    values = {"association": association, "link": link, "start": start, "end": end}
    values |= {"limit": MOST_THREADS + 1, "offset": offset}
    rows = (await conn.execute(_MONTH, {**values, **shelf_values(shelves)})).all()
    listed = [
        ListedThread(thread_id=id, posts=posts, lines=int(lines), first_at=first_at, last_at=last_at)
        for id, posts, lines, first_at, last_at in rows
    ]
    return listed[:MOST_THREADS], len(listed) > MOST_THREADS


async def span_of_link(
    conn: AsyncConnection, association: AssociationName, link: LinkName
) -> tuple[datetime, datetime] | None:
    """When the first and the last post of a link were said, to know where to look; None where it has none."""
    ends = [(await conn.execute(end, {"association": association, "link": link})).scalar() for end in _ENDS]
    found = [end for end in ends if end is not None]
    return (min(found), max(found)) if found else None


async def months_with_posts(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    shelves: Collection[Shelf],
    *,
    bounds: Sequence[tuple[datetime, datetime]],
) -> list[bool]:
    """Of each month (from, before; aware), whether anything of it may be read. Looks for one post in each."""
    if not bounds:
        return []
    rows = [(number, *month) for number, month in enumerate(bounds)]
    listed = values(column("number", Integer), column("since", Instant), column("until", Instant), name="bounds")
    months = listed.data(rows).cte("months")
    within = (post.c.said_at >= months.c.since, post.c.said_at < months.c.until)
    own, crossed = (query.where(*within).correlate(months) for query in _of_link(post.c.id))
    statement = select(months.c.number).where(or_(exists(own), exists(crossed)))
    parameters = {"association": association, "link": link, **shelf_values(shelves)}
    found = set((await conn.execute(statement, parameters)).scalars())
    return [n in found for n in range(len(bounds))]


async def months_beside(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    shelves: Collection[Shelf],
    *,
    start: datetime,
    end: datetime,
) -> tuple[datetime | None, datetime | None]:
    """When something was said last before `start`, and first from `end` on."""
    values = {"association": association, "link": link, **shelf_values(shelves)}
    before = (await conn.execute(_BEFORE, {**values, "at": start})).scalar()
    after = (await conn.execute(_FROM, {**values, "at": end})).scalar()
    return before, after


async def own_posts(
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    shelves: Collection[Shelf],
    *,
    before: tuple[datetime, PostId],
    limit: int,
) -> list[ListedPost]:
    """What a person said, newest first, older than `before`; to be shown to that person alone (PEOPLE 9)."""
    parameters = {"association": association, "person_id": person_id, "limit": limit, **shelf_values(shelves)}
    parameters |= {"before": before[0], "before_id": before[1]}
    return [_listed(row) for row in (await conn.execute(_OWN, parameters)).all()]


async def openings_of_threads(
    conn: AsyncConnection, threads: Collection[ThreadId], shelves: Collection[Shelf]
) -> dict[ThreadId, ThreadOpening]:
    """What each of these conversations begins with for the reader; those of which nothing may be read are left out."""
    if not threads:
        return {}
    rows = (await conn.execute(_OPENINGS, {"threads": list(threads), **shelf_values(shelves)})).all()
    names = ("thread_id", "permalink", "author_name", "thread_subject", "subject", "excerpt", "said_at")
    return {row[0]: ThreadOpening(**dict(zip(names, row, strict=True))) for row in rows}


def _listed(row: Any) -> ListedPost:
    id, link, side, thread_id, author, subject, excerpt, said_at, permalink = row
    return ListedPost(
        id=id, link=link, side=side, thread_id=thread_id, author_name=author, subject=subject, excerpt=excerpt,
        said_at=said_at, permalink=permalink,
    )  # fmt: skip
