"""What a digest is chosen from, as one reader may see it: few statements for each reader, each by an index.

Whoever asks gives the shelves and links of the reader; nothing else is read. The values are the columns of
`core.digest_facts`; what they come to is put together in `flows.digest_facts`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId, LinkName, PostId, ThreadId
from passerelle.core.model import Origin, Side
from passerelle.core.register_model import Entry
from passerelle.core.shelves import Shelf
from passerelle.store import register
from passerelle.store.archive_tables import cross_post
from passerelle.store.on_shelves import on_shelves, shelf_values
from passerelle.store.register_lists import SHOWN
from passerelle.store.secretary_tables import entry, objection
from passerelle.store.tables import attachment, post, thread
from passerelle.store.types import Instant, LocalDay

#: Of a post's own words so many characters are read.
LONGEST_READ = 1200
#: A mail that a moderator held, or that was long on its way, comes so much later than it was said, at the most.
_LATE = timedelta(days=14)
#: So many entries are read, the newest first: those that stand in any digest are open, due or just changed.
_MOST_ENTRIES = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PostRow:
    """A post that stands and that the reader may read."""

    id: PostId
    association: AssociationName
    link: LinkName
    side: Side
    origin: Origin
    thread_id: ThreadId
    person_id: int | None
    author_name: str
    #: When it came to those who read: when it was taken, or where it was imported, when it was said.
    at: datetime
    said_at: datetime
    text: str
    permalink: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadRow:
    """A conversation: the post it began with, whoever may read it, and the reader's last one before a time."""

    thread_id: ThreadId
    subject: str
    first: PostId
    before: PostId | None
    #: The reader has written in it.
    is_own: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryRow:
    entry: Entry
    thread_id: ThreadId | None
    #: Objections that stand, and the reader's own among them.
    objections: int
    own_objections: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRow:
    post_id: PostId
    position: int
    filename: str
    media_type: str
    size_bytes: int
    inline: bool


_LIVE = post.c.origin == literal_column("'live'")
_STANDS = post.c.state == literal_column("'accepted'")
_AT = case((_LIVE, post.c.accepted_at), else_=post.c.said_at)
_SINCE = bindparam("since", type_=Instant())
_UNTIL = bindparam("until", type_=Instant())
_POST = (
    post.c.id, post.c.association, post.c.link, post.c.side, post.c.origin, post.c.thread_id, post.c.person_id,
    post.c.author_name, _AT, post.c.said_at, func.substr(post.c.text, 1, LONGEST_READ), post.c.permalink,
)  # fmt: skip
#: Every link of the association, since a post of one may stand in another besides: the shelves decide.
_OF_ASSOCIATION = (
    post.c.association == bindparam("association"),
    post.c.link.in_(bindparam("all_links", expanding=True)),
)
_SAID = (
    select(*_POST)
    .where(
        *_OF_ASSOCIATION,
        post.c.said_at >= bindparam("from_at", type_=Instant()),
        post.c.said_at < bindparam("to_at", type_=Instant()),
        _AT >= _SINCE,
        _AT < _UNTIL,
        _STANDS,
        on_shelves(),
    )
    .order_by(post.c.said_at.desc(), post.c.id.desc())
    .limit(bindparam("most"))
)
_THESE = select(*_POST).where(post.c.id.in_(bindparam("ids", expanding=True)), _STANDS, on_shelves())


def _threads() -> Select[Any]:
    """Of each conversation the first post of all, and the last that the reader may read from before a time."""
    before = case((and_(_STANDS, _AT < _SINCE, on_shelves()), 1), else_=0)
    ranked = (
        select(
            post.c.id,
            post.c.thread_id,
            before.label("before"),
            func.row_number()
            .over(partition_by=post.c.thread_id, order_by=(post.c.said_at, post.c.id))
            .label("place"),
            func.row_number()
            .over(partition_by=(post.c.thread_id, before), order_by=(_AT.desc(), post.c.id.desc()))
            .label("back"),
            func.max(case((post.c.person_id == bindparam("person"), 1), else_=0))
            .over(partition_by=post.c.thread_id)
            .label("own"),
        )
        .where(post.c.thread_id.in_(bindparam("threads", expanding=True)))
        .subquery()
    )  # fmt: skip
    first = func.max(case((ranked.c.place == 1, ranked.c.id)))
    last = func.max(case((and_(ranked.c.before == 1, ranked.c.back == 1), ranked.c.id)))
    return (
        select(ranked.c.thread_id, thread.c.subject, first, last, func.max(ranked.c.own))
        .join(thread, thread.c.id == ranked.c.thread_id)
        .group_by(ranked.c.thread_id, thread.c.subject)
        .order_by(ranked.c.thread_id)
    )


_THREADS = _threads()
_other = post.alias("other")


def _unanswered() -> Select[Any]:
    """Mails that begin a conversation and hold a question mark, and in it nobody else has said anything that stands."""
    somebody_else = or_(
        _other.c.person_id.is_(None), post.c.person_id.is_(None), _other.c.person_id != post.c.person_id
    )
    earlier = or_(_other.c.said_at < post.c.said_at, and_(_other.c.said_at == post.c.said_at, _other.c.id < post.c.id))
    answered = exists().where(
        _other.c.thread_id == post.c.thread_id,
        _other.c.id != post.c.id,
        or_(and_(_other.c.state == literal_column("'accepted'"), somebody_else), earlier),
    )
    return (
        select(*_POST, thread.c.subject)
        .join(thread, thread.c.id == post.c.thread_id)
        .where(
            *_OF_ASSOCIATION,
            post.c.said_at >= bindparam("from_at", type_=Instant()),
            post.c.said_at <= bindparam("to_at", type_=Instant()),
            post.c.side == literal_column("'list'"),
            _STANDS,
            or_(post.c.text.contains("?"), thread.c.subject.contains("?")),
            on_shelves(),
            ~answered,
        )
        .order_by(post.c.said_at, post.c.id)
    )  # fmt: skip


_UNANSWERED = _unanswered()
_CROSSED = (
    select(cross_post.c.post_id, cross_post.c.link, cross_post.c.origin)
    .where(cross_post.c.post_id.in_(bindparam("ids", expanding=True)))
    .order_by(cross_post.c.post_id, cross_post.c.link)
)
_FILES = (
    select(
        attachment.c.post_id, attachment.c.position, attachment.c.filename, attachment.c.media_type,
        attachment.c.size_bytes, attachment.c.inline,
    )
    .where(
        attachment.c.post_id.in_(bindparam("ids", expanding=True)),
        attachment.c.state == literal_column("'here'"),
        ~attachment.c.media_type.startswith("image/"),
    )
    .order_by(attachment.c.post_id, attachment.c.position)
)  # fmt: skip


def _of_register(*conditions: ColumnElement[bool]) -> Select[Any]:
    return select(entry.c.id).where(entry.c.association == bindparam("association"), *conditions)


def _entries() -> Select[Any]:
    """What is open, to be looked at again, or changed in a time; each part by an index of its own."""
    mentioned = union(
        _of_register(entry.c.kind == "decision", entry.c.state.in_(["proposed", "objected"])),
        _of_register(entry.c.kind.in_(["action", "loan"]), entry.c.state.in_(["open", "out"])),
        _of_register(entry.c.kind == "question", entry.c.state == "open"),
        _of_register(
            entry.c.kind == "decision",
            entry.c.state == "adopted",
            entry.c.review_on <= bindparam("day", type_=LocalDay()),
        ),
        _of_register(entry.c.changed_at >= _SINCE, entry.c.changed_at < _UNTIL),
        select(entry.c.id).where(entry.c.id.in_(bindparam("also", expanding=True))),
    ).subquery()
    stands = and_(
        objection.c.entry_id == entry.c.id, objection.c.withdrawn_at.is_(None), objection.c.settled_at.is_(None)
    )
    counted = select(func.count()).select_from(objection).where(stands).correlate(entry)
    return (
        select(
            *register.SHAPE.columns,
            select(post.c.thread_id).where(post.c.id == entry.c.post_id).correlate(entry).scalar_subquery(),
            counted.scalar_subquery(),
            counted.where(objection.c.person_id == bindparam("person")).scalar_subquery(),
        )
        .where(
            entry.c.id.in_(select(mentioned.c.id)),
            entry.c.link.in_(bindparam("links", expanding=True)),
            SHOWN,
        )
        .order_by(entry.c.changed_at.desc(), entry.c.id.desc())
        .limit(_MOST_ENTRIES)
    )


_ENTRIES = _entries()


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Whose digest: what they may read, and of which time."""

    association: AssociationName
    person_id: int
    #: Where they take part, and the shelves that they may read there.
    links: frozenset[LinkName]
    shelves: frozenset[Shelf]
    #: Of the association, as it is configured.
    all_links: Sequence[LinkName]
    since: datetime
    until: datetime


async def list_said(conn: AsyncConnection, scope: Scope, *, limit: int) -> list[PostRow]:
    """What was said in a digest's time, as far as it stands; the newest first."""
    values = {
        **_values(scope),
        "since": scope.since,
        "until": scope.until,
        "from_at": scope.since - _LATE,
        "to_at": scope.until + _LATE,
        "most": limit,
    }
    return [_post(row) for row in await conn.execute(_SAID, values)]


async def list_threads(conn: AsyncConnection, scope: Scope, threads: Collection[ThreadId]) -> list[ThreadRow]:
    """How these conversations began, and what was said in them last before the digest's time."""
    if not threads:
        return []
    values = {
        "threads": sorted(threads),
        "since": scope.since,
        "person": scope.person_id,
        **shelf_values(scope.shelves),
    }
    return [
        ThreadRow(thread_id=thread_id, subject=subject, first=first, before=before, is_own=bool(own))
        for thread_id, subject, first, before, own in await conn.execute(_THREADS, values)
    ]


async def list_posts(conn: AsyncConnection, scope: Scope, ids: Collection[PostId]) -> list[PostRow]:
    """Those of these posts that stand and that the reader may read."""
    if not ids:
        return []
    rows = await conn.execute(_THESE, {"ids": sorted(ids), **shelf_values(scope.shelves)})
    return [_post(row) for row in rows]


async def list_unanswered(
    conn: AsyncConnection, scope: Scope, *, asked_from: datetime, asked_to: datetime
) -> list[tuple[PostRow, str]]:
    """Mails with a question mark that began a conversation between these times (both in), in which nobody else has
    said anything since; each with what its conversation is called."""
    values = {**_values(scope), "from_at": asked_from, "to_at": asked_to}
    return [(_post(row), row[-1]) for row in await conn.execute(_UNANSWERED, values)]


async def list_crossed(conn: AsyncConnection, ids: Collection[PostId]) -> dict[PostId, list[tuple[LinkName, Origin]]]:
    """In which further links these posts stand, and how they came there."""
    found: dict[PostId, list[tuple[LinkName, Origin]]] = {}
    if ids:
        for id, link, origin in await conn.execute(_CROSSED, {"ids": sorted(ids)}):
            found.setdefault(PostId(id), []).append((LinkName(link), origin))
    return found


async def list_files(conn: AsyncConnection, ids: Collection[PostId]) -> list[FileRow]:
    """Files of these posts that are here, pictures left out. Only to be asked of posts that the reader may read."""
    if not ids:
        return []
    names = FileRow.__slots__
    return [
        FileRow(**dict(zip(names, row, strict=True))) for row in await conn.execute(_FILES, {"ids": sorted(ids)})
    ]  # fmt: skip


async def list_entries_to_tell(
    conn: AsyncConnection, scope: Scope, *, review_until: date, also: Collection[EntryId] = ()
) -> list[EntryRow]:
    """Entries of the reader's links that are open, were changed in the digest's time, or are to be looked at again by
    `review_until`; the last changed first.

    Args:
        also: further ones, whatever their state.
    """
    if not scope.links:
        return []
    values = {
        "association": scope.association,
        "links": sorted(scope.links),
        "person": scope.person_id,
        "day": review_until,
        "since": scope.since,
        "until": scope.until,
        "also": sorted(also),
    }
    return [
        EntryRow(entry=register.SHAPE.value(row), thread_id=row[-3], objections=row[-2], own_objections=row[-1])
        for row in await conn.execute(_ENTRIES, values)
    ]


def _values(scope: Scope) -> dict[str, Any]:
    return {
        "association": scope.association,
        "all_links": list(scope.all_links),
        **shelf_values(scope.shelves),
    }


def _post(row: Sequence[Any]) -> PostRow:
    return PostRow(**dict(zip(PostRow.__slots__, row, strict=False)))
