"""An empty index in place of the one that stands there; and how far the words were put into it since."""

import asyncio
import json
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.search_words import WORDS_VERSION
from passerelle.store.engine import Store
from passerelle.store.meta import delete_meta, find_meta, insert_meta, set_meta
from passerelle.store.search_index import WAITING_SHAPE, WaitingPost
from passerelle.store.search_tables import OLD_WORDS, search_tables
from passerelle.store.tables import post

_STATE = "archive_rebuild"
_VERSION = "words_version"
#: Pages of the old index that go in one transaction: about 2 MB, overwritten (PRAGMA secure_delete).
_PAGES_AT_ONCE = 500

_LAST = select(func.max(post.c.id))
_COUNT = select(func.count()).where(post.c.id > bindparam("after"), post.c.id <= bindparam("last"))
_CHUNK = (
    select(*WAITING_SHAPE.columns)
    .where(post.c.id > bindparam("after"), post.c.id <= bindparam("last"))
    .order_by(post.c.id)
    .limit(bindparam("limit"))
)
_ONES = select(*WAITING_SHAPE.columns).where(post.c.id.in_(bindparam("posts", expanding=True)))
_ONES_LOCKED = _ONES.with_for_update(of=post)
_REWRITE = (
    update(post)
    .where(post.c.id == bindparam("which"))
    .values(text=bindparam("own"), html="", subject=bindparam("canonical"))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuildState:
    """How far a rebuild came."""

    #: The post up to which all were done, and the last one when it began: later ones were indexed as they came.
    done: int
    last: int


async def find_rebuild(conn: AsyncConnection) -> RebuildState | None:
    """The rebuild that is under way, or was interrupted."""
    found = await find_meta(conn, _STATE)
    return None if found is None else RebuildState(**json.loads(found))


async def needs_rebuild(store: Store) -> bool:
    """Whether a rebuild was interrupted, or words are made otherwise today than those that stand in the index."""
    async with store.read() as conn:
        version, state = await find_meta(conn, _VERSION), await find_rebuild(conn)
    if version is None:
        async with store.write(durable=False, quiet=True) as conn:
            await insert_meta(conn, _VERSION, str(WORDS_VERSION))
    return state is not None or version not in (None, str(WORDS_VERSION))


async def begin_rebuild(conn: AsyncConnection) -> RebuildState:
    """An empty index: from this transaction on posts are found again one after the other."""
    if conn.dialect.name == "postgresql":
        await conn.execute(text("TRUNCATE post_words"))
    else:
        await conn.exec_driver_sql(f"ALTER TABLE post_words RENAME TO {OLD_WORDS}")
        await conn.exec_driver_sql(search_tables("sqlite")[0])
    state = RebuildState(done=0, last=(await conn.execute(_LAST)).scalar_one() or 0)
    await set_meta(conn, _VERSION, str(WORDS_VERSION))
    await note_rebuild(conn, state)
    return state


async def note_rebuild(conn: AsyncConnection, state: RebuildState) -> None:
    """So far it came."""
    await set_meta(conn, _STATE, json.dumps({"done": state.done, "last": state.last}))


async def end_rebuild(conn: AsyncConnection) -> None:
    """All posts are found again."""
    await delete_meta(conn, _STATE)


async def count_left(conn: AsyncConnection, state: RebuildState) -> int:
    """How many posts a rebuild has yet to do."""
    return (await conn.execute(_COUNT, {"after": state.done, "last": state.last})).scalar_one()


async def list_chunk(conn: AsyncConnection, state: RebuildState, limit: int) -> list[WaitingPost]:
    """The next posts of a rebuild."""
    values = {"after": state.done, "last": state.last, "limit": limit}
    return WAITING_SHAPE.values((await conn.execute(_CHUNK, values)).all())


async def lock_posts(conn: AsyncConnection, ids: list[PostId]) -> list[WaitingPost]:
    """These posts as they are now, for a transaction that changes them."""
    statement = _ONES if conn.dialect.name == "sqlite" else _ONES_LOCKED
    return WAITING_SHAPE.values((await conn.execute(statement, {"posts": ids})).all())


async def rewrite_post(conn: AsyncConnection, id: PostId, *, text: str, subject: str) -> None:
    """The original is read otherwise than it was: what the author newly wrote, and the canonical subject."""
    await conn.execute(_REWRITE, {"which": id, "own": text, "canonical": subject})


async def drop_old_words(store: Store) -> None:
    """Take away the index that was replaced, in short transactions. SQLite only; harmless where there is none."""
    if store.dialect == "postgresql":
        return
    more = True
    while more:
        more = await _drop_some(store)
        await asyncio.sleep(0)
    async with store.write(durable=False, quiet=True) as conn:
        await conn.exec_driver_sql(f"DROP TABLE IF EXISTS {OLD_WORDS}")


async def _drop_some(store: Store) -> bool:
    async with store.write(durable=False, quiet=True) as conn:
        exists = await conn.exec_driver_sql(f"SELECT 1 FROM sqlite_schema WHERE name = '{OLD_WORDS}_data'")
        if exists.first() is None:
            return False
        # The two first rows say how the index is made; without them it cannot even be dropped.
        some = f"SELECT id FROM {OLD_WORDS}_data WHERE id > 10 LIMIT {_PAGES_AT_ONCE}"
        gone = await conn.exec_driver_sql(f"DELETE FROM {OLD_WORDS}_data WHERE id IN ({some})")
        return gone.rowcount > 0
