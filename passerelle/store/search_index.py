"""The searched words are put in and taken out here, and nowhere else but by an import (`store.bulk`).

A post's words go in, in the transaction that marks it as indexed; so after any crash either both stand or neither.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import TextClause, bindparam, literal_column, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.chronology import ChronoIds, first_chrono_id
from passerelle.core.ids import AssociationName, BlobHash, LinkName, PostId
from passerelle.core.model import Origin, PostState, Side
from passerelle.core.search_words import SearchWords
from passerelle.store import search_postgresql, search_sqlite
from passerelle.store.archive_tables import cross_post, file_text
from passerelle.store.chrono_gap import FIRST_GAP
from passerelle.store.engine import Store
from passerelle.store.rows import Shape
from passerelle.store.tables import attachment, post

#: States of posts whose words stand in the index; `hidden` ones are not found, and may be shown again.
INDEXED_STATES: frozenset[PostState] = frozenset({"accepted", "hidden"})

#: How many rows' words are forgotten in one transaction.
_AT_ONCE = 50
#: Pages of the index that are put together in one transaction: about 1 MB.
_PAGES_A_STEP = 250
#: Of PostgreSQL's advisory lock, under which numbers are given out: "chrono" in ASCII.
_NUMBERS_LOCK = 0x6368726F6E6F


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingPost:
    """A post whose words are to be indexed."""

    id: PostId
    chrono_id: int | None
    association: AssociationName
    link: LinkName
    side: Side
    origin: Origin
    state: PostState
    author_name: str
    subject: str
    text: str = field(repr=False)
    said_at: datetime
    raw_hash: BlobHash | None
    flagged: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingFile:
    """A file of such a post, and what is known of its text."""

    id: int
    filename: str
    media_type: str
    size_bytes: int
    blob_hash: BlobHash | None
    #: None: nobody looked yet.
    text_state: str | None
    text_hash: BlobHash | None


WAITING_SHAPE = Shape(WaitingPost, post)
_IS_WAITING = post.c.index_state == literal_column("'waiting'")
_WAITING = select(*WAITING_SHAPE.columns).where(_IS_WAITING).order_by(post.c.id).limit(bindparam("limit"))
_LIVE_WAITING = _WAITING.where(or_(post.c.origin == literal_column("'live'"), post.c.chrono_id.is_(None)))
_ONES_WAITING = (
    select(*WAITING_SHAPE.columns)
    .where(_IS_WAITING, post.c.id.in_(bindparam("posts", expanding=True)))
    .order_by(post.c.id)
)
_CLAIM = _ONES_WAITING.with_for_update(skip_locked=True, of=post)
_ANY_WAITING = select(post.c.id).where(_IS_WAITING).limit(1)
_CROSSED = select(cross_post.c.post_id, cross_post.c.link, cross_post.c.origin).where(
    cross_post.c.post_id.in_(bindparam("posts", expanding=True))
)
_FILES = (
    select(
        attachment.c.post_id, attachment.c.id, attachment.c.filename, attachment.c.media_type,
        attachment.c.size_bytes, attachment.c.blob_hash, file_text.c.state, file_text.c.text_hash,
    )
    .outerjoin(file_text, file_text.c.attachment_id == attachment.c.id)
    .where(attachment.c.post_id.in_(bindparam("posts", expanding=True)), attachment.c.filename != "")
    .order_by(attachment.c.post_id, attachment.c.position)
)  # fmt: skip
_DONE = update(post).where(post.c.id == bindparam("which")).values(index_state="indexed", chrono_id=bindparam("number"))
_WAIT = update(post).where(post.c.id.in_(bindparam("posts", expanding=True))).values(index_state="waiting")
_NUMBERS_OF = select(post.c.chrono_id).where(
    post.c.id.in_(bindparam("posts", expanding=True)), post.c.chrono_id.is_not(None)
)
_TAKEN = select(post.c.chrono_id).where(post.c.chrono_id.in_(bindparam("numbers", expanding=True)))
_FIRST_GAP = text(FIRST_GAP)
_LOCK_NUMBERS = text("SELECT pg_advisory_xact_lock(:key)")


def _sqlite_numbers(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("numbers", expanding=True))


_KEPT = _sqlite_numbers("SELECT chrono_id, words FROM post_words_kept WHERE chrono_id IN :numbers")
#: FTS5's own list of its rows (https://www.sqlite.org/fts5.html#the_docsize_table).
_STANDING = _sqlite_numbers("SELECT id FROM post_words_docsize WHERE id IN :numbers")


async def has_waiting(store: Store) -> bool:
    """Whether a post is to be indexed. Each search asks, so on SQLite it is asked without SQLAlchemy's layers."""
    if store.threads is not None:
        return await store.threads.run(search_sqlite.has_waiting)
    async with store.read() as conn:
        return (await conn.execute(_ANY_WAITING)).first() is not None


async def list_waiting(conn: AsyncConnection, limit: int, *, live_only: bool = False) -> list[WaitingPost]:
    """Posts to be indexed, the oldest first. `live_only`: without those that an import gave their places in time."""
    statement = _LIVE_WAITING if live_only else _WAITING
    return WAITING_SHAPE.values((await conn.execute(statement, {"limit": limit})).all())


async def claim_waiting(conn: AsyncConnection, ids: Collection[PostId]) -> list[WaitingPost]:
    """Those of these posts that still wait, for the transaction that indexes them: no other daemon's takes the same."""
    statement = _ONES_WAITING if conn.dialect.name == "sqlite" else _CLAIM
    return WAITING_SHAPE.values((await conn.execute(statement, {"posts": sorted(ids)})).all())


async def list_crossed(
    conn: AsyncConnection, post_ids: Collection[PostId]
) -> dict[PostId, list[tuple[LinkName, Origin]]]:
    """The further links in which posts stand, and how they came there."""
    found: dict[PostId, list[tuple[LinkName, Origin]]] = {}
    for row in await conn.execute(_CROSSED, {"posts": sorted(post_ids)}):
        found.setdefault(row.post_id, []).append((row.link, row.origin))
    return found


async def list_files(conn: AsyncConnection, post_ids: Collection[PostId]) -> dict[PostId, list[WaitingFile]]:
    """The files of posts, in their order."""
    found: dict[PostId, list[WaitingFile]] = {}
    for row in await conn.execute(_FILES, {"posts": sorted(post_ids)}):
        names = ("id", "filename", "media_type", "size_bytes", "blob_hash")
        one = WaitingFile(**{n: getattr(row, n) for n in names}, text_state=row.state, text_hash=row.text_hash)
        found.setdefault(row.post_id, []).append(one)
    return found


async def set_waiting(conn: AsyncConnection, post_ids: Collection[PostId]) -> None:
    """Have posts indexed anew: their words, files or states changed."""
    if post_ids:
        await conn.execute(_WAIT, {"posts": sorted(post_ids)})


async def mark_indexed(conn: AsyncConnection, numbers: Mapping[PostId, int]) -> None:
    """The words of posts stand under these numbers now; what is no longer accepted keeps its number without words."""
    if numbers:
        await conn.execute(_DONE, [{"which": id, "number": number} for id, number in sorted(numbers.items())])


async def allot_numbers(conn: AsyncConnection, said_at: Sequence[datetime]) -> list[int]:
    """Places in time that no post has yet, for posts said at these instants, in their order."""
    if conn.dialect.name == "postgresql":
        await conn.execute(_LOCK_NUMBERS, {"key": _NUMBERS_LOCK})
    firsts, ids = [first_chrono_id(one) for one in said_at], ChronoIds()
    numbers = [ids.take(first) for first in firsts]
    while numbers:
        taken = {row[0] for row in await conn.execute(_TAKEN, {"numbers": numbers})}
        if not taken:
            break
        onwards = await _onwards(conn, sorted(taken))
        numbers = [ids.take(onwards[n]) if n in taken else n for n in numbers]
    return numbers


async def _onwards(conn: AsyncConnection, taken: Sequence[int]) -> dict[int, int]:
    """For each of these numbers, in their order, the first free one; asked once for all that stand in one run."""
    found: dict[int, int] = {}
    gap = 0
    for number in taken:
        if number >= gap:
            gap = int((await conn.execute(_FIRST_GAP, {"first": number})).scalar_one())
        found[number] = gap
    return found


async def find_unkept(conn: AsyncConnection, numbers: Collection[int]) -> set[int]:
    """Which of these rows stand in an index that cannot say their words at once: see `read_words`. PostgreSQL: none."""
    if conn.dialect.name == "postgresql" or not numbers:
        return set()
    values = {"numbers": sorted(numbers)}
    standing = {row[0] for row in await conn.execute(_STANDING, values)}
    return standing - {row[0] for row in await conn.execute(_KEPT, values)}


async def read_words(store: Store, numbers: Collection[int]) -> dict[int, SearchWords]:
    """The words of rows, read out of the index itself: seconds for 100,000 posts, in a thread."""
    if store.threads is None or not numbers:
        return {}
    return await store.threads.run(lambda conn: search_sqlite.read_words(conn, numbers), longest_seconds=3600)


async def put_words(
    conn: AsyncConnection,
    words: Mapping[int, SearchWords],
    *,
    known: Mapping[int, SearchWords] | None = None,
    unkept: Collection[int] = (),
) -> None:
    """Index the words of rows, in place of those that stand there.

    Args:
        known: what stands there of the rows that `find_unkept` named.
        unkept: rows that hardly ever change, and whose words are not kept beside the index for that (SQLite).
    """
    if not words:
        return
    if conn.dialect.name == "postgresql":
        await search_postgresql.insert_words(conn, words)
        return
    await remove_words(conn, words, known=known)
    await conn.exec_driver_sql(search_sqlite.INSERT_WORDS, search_sqlite.word_rows(words))
    kept = [(number, search_sqlite.packed(words[number])) for number in sorted(words) if number not in unkept]
    if kept:
        await conn.exec_driver_sql(search_sqlite.KEEP_WORDS, kept)


async def remove_words(
    conn: AsyncConnection, numbers: Collection[int], *, known: Mapping[int, SearchWords] | None = None
) -> None:
    """The words of rows go from the index. `known`: as for `put_words`."""
    if not numbers:
        return
    if conn.dialect.name == "postgresql":
        await search_postgresql.delete_words(conn, numbers)
        return
    standing = {row[0] for row in await conn.execute(_STANDING, {"numbers": sorted(numbers)})}
    kept = await conn.execute(_KEPT, {"numbers": sorted(numbers)})
    words = {row.chrono_id: search_sqlite.unpacked(row.words) for row in kept}
    old = {number: one for number, one in {**(known or {}), **words}.items() if number in standing}
    if old:
        await conn.exec_driver_sql(search_sqlite.DELETE_WORDS, search_sqlite.word_rows(old))
    if words:
        await conn.exec_driver_sql(search_sqlite.FORGET_KEPT, [(number,) for number in sorted(words)])


async def forget_words(store: Store, post_ids: Collection[PostId]) -> None:
    """No search finds these posts any more, and the index does not name their words as theirs.

    In transactions of its own, and so before or after the caller's, never inside. What was deleted may still stand in
    pages of the index: `scrub_words` ends that, once for many posts.
    """
    async with store.read() as conn:
        rows = await conn.execute(_NUMBERS_OF, {"posts": sorted(post_ids)})
        numbers = sorted(row[0] for row in rows)
        unkept = await find_unkept(conn, numbers)
    known = await read_words(store, unkept)
    for start in range(0, len(numbers), _AT_ONCE):
        async with store.write(quiet=True) as conn:
            await remove_words(conn, numbers[start : start + _AT_ONCE], known=known)


async def scrub_words(store: Store, *, on_step: Callable[[], None] | None = None) -> None:
    """What was deleted from the index leaves no byte in it: the whole index is written anew.

    SQLite: in steps of about 1 MB, between which others write; then the write-ahead log is emptied. PostgreSQL: VACUUM
    FULL, for which the table is locked: posts are found again, and indexed, when it has ended.
    """
    if store.dialect == "postgresql":
        await store.maintain("VACUUM (FULL, ANALYZE) post_words")
        return
    pages = -_PAGES_A_STEP  # the first time: all parts of the index are to become one
    while await _merge(store, pages):
        pages = _PAGES_A_STEP
        if on_step is not None:
            on_step()
        await asyncio.sleep(0)
    await store.maintain("PRAGMA wal_checkpoint(TRUNCATE)")


async def _merge(store: Store, pages: int) -> bool:
    """Put some of the index together; whether there was something (https://www.sqlite.org/fts5.html#the_merge_command)."""
    async with store.write(durable=False, quiet=True) as conn:
        before = await _changes(conn)
        await conn.exec_driver_sql("INSERT INTO post_words (post_words, rank) VALUES ('merge', ?)", (pages,))
        return await _changes(conn) - before >= 2


async def _changes(conn: AsyncConnection) -> int:
    return int((await conn.exec_driver_sql("SELECT total_changes()")).scalar_one())
