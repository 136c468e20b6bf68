"""Thousands of posts at once, by plain SQL: what an import inserts in one short transaction.

SQLAlchemy's own inserts cost ten times what the databases take for a row. Rows go in as tuples in the order of the
columns named here; `tests/store/test_bulk.py` holds that a post so inserted is one like any other.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BlobHash, LinkName, MailAddress, MessageId, PostId, ThreadId
from passerelle.core.model import Side
from passerelle.core.search_words import SearchWords
from passerelle.store import search_postgresql
from passerelle.store.search_sqlite import INSERT_WORDS, word_rows
from passerelle.store.sqlite import insert_many
from passerelle.store.tables import attachment, blob, post, seen
from passerelle.store.types import microseconds

_POST_COLUMNS = (
    "id", "association", "link", "side", "raw_hash", "message_id", "content_hash", "thread_id", "parent_post_id",
    "author_name",
    "author_address", "person_id", "subject", "text", "html", "msgtype", "said_at", "accepted_at", "state", "flagged",
    "origin", "refs", "permalink", "chrono_id", "index_state",
)  # fmt: skip
_BLOB_COLUMNS = ("hash", "encoding", "size_bytes", "data")
_FILE_COLUMNS = (
    "post_id", "position", "filename", "media_type", "size_bytes", "inline", "content_id", "blob_hash", "state",
    "attempts", "reason",
)  # fmt: skip
_SEEN_COLUMNS = ("association", "kind", "keyed_hash", "seen_at")

#: SQLAlchemy writes a parameter for each of a thousand values, which takes longer than the look-up.
_KNOWN_POSTS = (
    "SELECT id, message_id, content_hash, link, state FROM post"
    " WHERE association = {1} AND side = 'list' AND message_id IN ({2})"
)
_KNOWN_BY_WORDS = (
    "SELECT id, message_id, content_hash, link, state FROM post"
    " WHERE association = {1} AND side = 'list' AND message_id = '' AND content_hash IN ({2})"
)
_OURS = (
    "SELECT message_id FROM mail_id WHERE association = {1} AND message_id IN ({2})"
    " AND (outbox_id IS NOT NULL OR batch_id IS NOT NULL)"
)
_SEEN = "SELECT keyed_hash FROM seen WHERE association = {1} AND kind = 'post' AND keyed_hash IN ({2})"
_LINES = "SELECT permalink FROM post WHERE association = {1} AND side = 'room' AND permalink IN ({2})"
_NEXT_IDS = text("SELECT nextval(pg_get_serial_sequence('post', 'id')) FROM generate_series(1, :count)")
_LAST_ID = "SELECT max((SELECT coalesce(max(id), 0) FROM post), (SELECT coalesce(max(seq), 0) FROM sqlite_sequence \
WHERE name = 'post'))"


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkBlob:
    """A row of `blob`, made elsewhere."""

    hash: BlobHash
    encoding: str
    size_bytes: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkFile:
    """A file of a post. `blob` None: only its name is kept, it is over the limit."""

    filename: str
    media_type: str
    size_bytes: int
    inline: bool
    content_id: str | None
    blob: BulkBlob | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkPost:
    """A post of an imported past, ready to be inserted."""

    raw: BulkBlob
    message_id: MessageId
    content_hash: str
    #: Keyed hash by which this very post is known on its link, for ever.
    seen: str
    refs: str
    permalink: str
    #: As it is shown, and as it is compared.
    shown_subject: str
    subject: str
    author_name: str
    author_address: MailAddress | None
    text: str = field(repr=False)
    said_at: datetime
    files: tuple[BulkFile, ...]
    #: None: its files are to be read first; the daemon indexes it.
    words: SearchWords | None = field(repr=False)

    @property
    def identity(self) -> tuple[str, str]:
        return self.message_id, self.content_hash


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPost:
    id: PostId
    link: LinkName
    #: An erased one is known by its Message-ID alone: its content hash says nothing any more.
    is_erased: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where posts of an import belong."""

    association: AssociationName
    link: LinkName
    side: Side
    now: datetime


async def find_known_posts(
    conn: AsyncConnection, association: AssociationName, posts: Sequence[BulkPost]
) -> dict[tuple[str, str], KnownPost]:
    """The posts from the list that have a Message-ID of one of these, by Message-ID and content hash."""
    named = sorted({one.message_id for one in posts if one.message_id})
    nameless = sorted({one.content_hash for one in posts if not one.message_id})
    rows = [
        *await _look_up(conn, _KNOWN_POSTS, association, named),
        *await _look_up(conn, _KNOWN_BY_WORDS, association, nameless),
    ]
    return {
        (row.message_id, row.content_hash): KnownPost(id=row.id, link=row.link, is_erased=row.state == "erased")
        for row in rows
    }


async def find_own_mails(
    conn: AsyncConnection, association: AssociationName, ids: Iterable[MessageId]
) -> set[MessageId]:
    """Which of these Message-IDs are of mails that the bridge sent itself."""
    rows = await _look_up(conn, _OURS, association, sorted({one for one in ids if one}))
    return {row.message_id for row in rows}


async def find_lines(conn: AsyncConnection, association: AssociationName, shorts: Iterable[str]) -> set[str]:
    """Which of these short names are of lines of the room that are known here, whatever became of them."""
    return {row.permalink for row in await _look_up(conn, _LINES, association, sorted(set(shorts)))}


async def find_seen_posts(conn: AsyncConnection, association: AssociationName, hashes: Iterable[str]) -> set[str]:
    """Which of these keyed hashes are of emails that were taken in once."""
    return {row.keyed_hash for row in await _look_up(conn, _SEEN, association, sorted(set(hashes)))}


async def _look_up(
    conn: AsyncConnection, statement: str, association: AssociationName, values: Sequence[str]
) -> Sequence[Any]:
    """The rows of a statement for which one of the values holds, however many there are."""
    if not values:
        return ()
    if conn.dialect.name == "postgresql":
        filled = statement.replace("{1}", "$1").replace("{2}", "SELECT unnest(CAST($2 AS text[]))")
        return (await conn.exec_driver_sql(filled, (association, list(values)))).all()
    filled = statement.replace("{1}", "?").replace("{2}", "SELECT value FROM json_each(?)")
    return (await conn.exec_driver_sql(filled, (association, json.dumps(values)))).all()


@dataclass(frozen=True, kw_only=True, slots=True)
class Placing:
    """What a post gets from where it stands: its id, its number in time, its thread, and the post that it answers."""

    id: PostId
    number: int
    thread_id: ThreadId
    parent_post_id: PostId | None


async def insert_posts(
    conn: AsyncConnection,
    place: Place,
    posts: Sequence[tuple[BulkPost, Placing]],
    *,
    people: Mapping[tuple[str, MailAddress | None], int],
    flagged: frozenset[tuple[str, str]],
) -> None:
    """Insert posts with their originals, files, and words.

    Args:
        posts: each with its `Placing`; ids by `new_post_ids`.
        people: the person of an author's name and address.
        flagged: identities of posts whose Message-ID another post bears already.
    """
    blobs = {one.hash: one for post, _ in posts for one in _blobs_of(post)}
    # Sorted: two processes that store the same bytes wait for each other in one order only.
    await _insert(conn, blob.name, _BLOB_COLUMNS, [_blob_row(blobs[key]) for key in sorted(blobs)], doubled=True)
    accepted = microseconds(place.now)
    rows = [
        (
            at.id, place.association, place.link, place.side, one.raw.hash, one.message_id, one.content_hash,
            at.thread_id, at.parent_post_id,
            one.author_name, one.author_address, people.get((one.author_name, one.author_address)), one.subject,
            one.text, "", "m.text", microseconds(one.said_at), accepted, "accepted",
            "same_id_other_content" if one.identity in flagged else "", "import", one.refs, one.permalink, at.number,
            "waiting" if one.words is None else "indexed",
        )
        for one, at in _parents_first(posts)
    ]  # fmt: skip
    await _insert(conn, post.name, _POST_COLUMNS, rows)
    files = [_file_row(at.id, position, one) for post, at in posts for position, one in enumerate(post.files, 1)]
    await _insert(conn, attachment.name, _FILE_COLUMNS, files)
    marks = sorted({(place.association, "post", one.seen, accepted) for one, _ in posts})
    await _insert(conn, seen.name, _SEEN_COLUMNS, marks, doubled=True)
    await _insert_words(conn, {at.number: one.words for one, at in posts if one.words is not None})


def _parents_first(posts: Sequence[tuple[BulkPost, Placing]]) -> list[tuple[BulkPost, Placing]]:
    """In an order in which no row names one that is not there yet."""
    waiting = {at.id: (one, at) for one, at in posts}
    ordered: list[tuple[BulkPost, Placing]] = []
    for _, first in posts:
        chain = []
        next_id: PostId | None = first.id
        while next_id is not None and next_id in waiting:
            found = waiting.pop(next_id)
            chain.append(found)
            next_id = found[1].parent_post_id
        ordered += reversed(chain)
    return ordered


def _blobs_of(post: BulkPost) -> list[BulkBlob]:
    return [post.raw, *(one.blob for one in post.files if one.blob is not None)]


def _blob_row(one: BulkBlob) -> tuple[Any, ...]:
    return one.hash, one.encoding, one.size_bytes, one.data


def _file_row(post_id: PostId, position: int, one: BulkFile) -> tuple[Any, ...]:
    here = one.blob is not None
    state, reason = ("here", "") if here else ("failed", "too large")
    hash = one.blob.hash if one.blob is not None else None
    return (
        post_id, position, one.filename, one.media_type, one.size_bytes, one.inline, one.content_id, hash, state, 0,
        reason,
    )  # fmt: skip


async def new_post_ids(conn: AsyncConnection, count: int) -> list[PostId]:
    """Ids that no post has or had. SQLite: the transaction is the only one that writes."""
    if conn.dialect.name == "postgresql":
        return [PostId(id) for id in (await conn.execute(_NEXT_IDS, {"count": count})).scalars()]
    last = (await conn.exec_driver_sql(_LAST_ID)).scalar_one()
    return [PostId(id) for id in range(last + 1, last + 1 + count)]


async def _insert(
    conn: AsyncConnection, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]], *, doubled: bool = False
) -> None:
    """Insert rows; `doubled`: those that stand there already stay."""
    if not rows:
        return
    is_server = conn.dialect.name == "postgresql"
    marks = ", ".join(f"${n}" if is_server else "?" for n in range(1, len(columns) + 1))
    names = ", ".join(f'"{name}"' for name in columns)
    end = " ON CONFLICT DO NOTHING" if doubled else ""
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks}){end}"
    if is_server:
        await conn.exec_driver_sql(statement, list(rows))
    else:
        await insert_many(conn, statement, rows)


async def _insert_words(conn: AsyncConnection, words: Mapping[int, SearchWords]) -> None:
    if conn.dialect.name == "postgresql":
        await search_postgresql.insert_words(conn, words)
    elif words:
        # Not kept beside the index: they are read out of it where they are to go (`store.search_tables`).
        await insert_many(conn, INSERT_WORDS, word_rows(words))
