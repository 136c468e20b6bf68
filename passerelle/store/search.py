"""Finding posts by their words. Nothing is found, counted or read that is not accepted, or stands on another shelf.

Both databases find the same; which of several answers is the best, each says in its own way.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from passerelle.core.ids import AssociationName, BlobHash, LinkName, PostId, ThreadId
from passerelle.core.model import Origin, Side
from passerelle.core.search_plan import SearchPlan
from passerelle.core.shelves import Shelf, shelf_of
from passerelle.store import search_postgresql, search_sqlite
from passerelle.store.engine import Store
from passerelle.store.types import instant_of

#: Where the best answers come first, they are looked for among so many of the newest: to rank all would take long.
MOST_RANKED = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPost:
    """An accepted post that a search found."""

    id: PostId
    #: Its place in time (`core.chronology`).
    chrono_id: int
    association: AssociationName
    link: LinkName
    side: Side
    origin: Origin
    thread_id: ThreadId
    author_name: str
    #: As it is compared (`core.subject.canonical_subject`).
    subject: str
    #: What its conversation is called; for who may read this post only where its own subject says the same.
    thread_subject: str
    #: The author's own words.
    text: str = field(repr=False)
    said_at: datetime
    permalink: str
    raw_hash: BlobHash | None


_FIELDS = tuple(FoundPost.__slots__)
_SAID_AT = _FIELDS.index("said_at")


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFile:
    """A file of a post that was found, and where its text is kept; None where it has none."""

    post_id: PostId
    filename: str
    text_hash: BlobHash | None


#: Of a row, in the order of the fields of `FoundPost`; then the shelves that a cross-post stands on besides.
_COLUMNS = (
    "p.id, p.chrono_id, p.association, p.link, p.side, p.origin, p.thread_id, p.author_name, p.subject, t.subject,"
    " p.text, p.said_at, p.permalink, p.raw_hash, c.link, c.origin"
)
_ROWS = f"""
SELECT {_COLUMNS}
FROM post AS p JOIN thread AS t ON t.id = p.thread_id LEFT JOIN cross_post AS c ON c.post_id = p.id
WHERE p.chrono_id IN {{numbers}} AND p.state = 'accepted'
"""
_FILES = """
SELECT a.post_id, a.filename, t.text_hash
FROM attachment AS a LEFT JOIN file_text AS t ON t.attachment_id = a.id
WHERE a.post_id IN {numbers} AND a.filename <> '' ORDER BY a.post_id, a.position
"""


async def _rows(store: Store, statement: str, numbers: Sequence[int]) -> Sequence[Sequence[Any]]:
    """The rows of a statement. On SQLite plain: SQLAlchemy's layers take longer than twenty rows do."""
    if store.threads is not None:
        return await store.threads.run(partial(search_sqlite.rows_of_numbers, statement=statement, numbers=numbers))
    filled = statement.format(numbers="(SELECT unnest(CAST($1 AS bigint[])))")
    async with store.read() as conn:
        return (await conn.exec_driver_sql(filled, (list(numbers),))).all()


async def find_newest(store: Store, plan: SearchPlan, *, before: int | None, limit: int) -> list[int]:
    """The numbers (`chrono_id`) of the newest posts that the plan finds, newest first; with `before`, below it."""
    if not plan.shelves:
        return []
    if store.threads is not None:
        return await store.threads.run(partial(search_sqlite.find_newest, plan=plan, before=before, limit=limit))
    async with store.read() as conn:
        return await search_postgresql.find_newest(conn, plan, before=before, limit=limit)


async def rank_newest(store: Store, plan: SearchPlan, *, most: int = MOST_RANKED) -> tuple[list[int], bool]:
    """The numbers of the newest `most` posts that the plan finds, the best answer first; and whether it finds more."""
    if not plan.shelves:
        return [], False
    if store.threads is not None:
        return await store.threads.run(partial(search_sqlite.rank_newest, plan=plan, most=most))
    async with store.read() as conn:
        return await search_postgresql.rank_newest(conn, plan, most=most)


async def count_found(store: Store, plan: SearchPlan, *, most: int) -> int:
    """How many posts the plan finds, `most` at the most."""
    if not plan.shelves:
        return 0
    if store.threads is not None:
        return await store.threads.run(partial(search_sqlite.count, plan=plan, most=most))
    async with store.read() as conn:
        return await search_postgresql.count(conn, plan, most=most)


async def read_found(store: Store, numbers: Sequence[int], shelves: Collection[Shelf]) -> list[FoundPost]:
    """The accepted posts of these numbers that stand on the shelves, in the order of the numbers."""
    if not numbers:
        return []
    found: dict[int, FoundPost] = {}
    for row in await _rows(store, _ROWS, numbers):
        *values, crossed, crossed_origin = row
        one = FoundPost(**dict(zip(_FIELDS, values, strict=True)) | {"said_at": instant_of(row[_SAID_AT])})
        # The index was asked for the shelves already; a cross-post comes in several rows.
        stands = {_shelf(one, one.link, one.origin)}
        if crossed:
            stands.add(_shelf(one, crossed, crossed_origin))
        if not stands.isdisjoint(shelves):
            found[one.chrono_id] = one
    return [found[number] for number in numbers if number in found]


def _shelf(one: FoundPost, link: LinkName, origin: Origin) -> Shelf:
    return shelf_of(association=one.association, link=link, origin=origin, side=one.side)


async def list_found_files(store: Store, post_ids: Collection[PostId]) -> list[FoundFile]:
    """The files of posts that a search found, in their order."""
    if not post_ids:
        return []
    rows = await _rows(store, _FILES, sorted(post_ids))
    return [FoundFile(post_id=post_id, filename=name, text_hash=text_hash) for post_id, name, text_hash in rows]
