"""Posts that stand in further links than the one where they were first accepted, each with where it came from there.

A mail to two lists may have come live to one, and out of an archive to the other: there it is its list's past, whoever
reads it here.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName, PostId
from passerelle.core.model import Origin, Post
from passerelle.store.archive_tables import cross_post
from passerelle.store.dialects import upsert
from passerelle.store.engine import note_work
from passerelle.store.tables import post

_KEYS = ["post_id", "link"]
_INSERT = upsert(cross_post, lambda i: i.on_conflict_do_nothing(index_elements=_KEYS))
_SET_LIVE = upsert(cross_post, lambda i: i.on_conflict_do_update(index_elements=_KEYS, set_={"origin": "live"}))
_INDEX_AGAIN = update(post).where(post.c.id == bindparam("which")).values(index_state="waiting")
_POST_LIVE = update(post).where(post.c.id == bindparam("which")).values(origin="live", index_state="waiting")
_ORIGIN = select(cross_post.c.origin).where(
    cross_post.c.post_id == bindparam("which"), cross_post.c.link == bindparam("link")
)


async def insert_cross_posts(conn: AsyncConnection, link: LinkName, ids: Sequence[PostId]) -> None:
    """An archive says that these posts stand in that link too; they are indexed anew, since they are found by that."""
    if ids:
        await conn.execute(_INSERT(conn), [{"post_id": id, "link": link, "origin": "import"} for id in ids])
        await conn.execute(_INDEX_AGAIN, [{"which": id} for id in ids])


async def find_origin(conn: AsyncConnection, known: Post, link: LinkName) -> Origin | None:
    """Where a post came from on a link; None where it does not stand there."""
    if known.link == link:
        return known.origin
    found: Origin | None = (await conn.execute(_ORIGIN, {"which": known.id, "link": link})).scalar_one_or_none()
    return found


async def note_live(conn: AsyncConnection, known: Post, link: LinkName) -> None:
    """A post that stands here already came live to a link: both its sides read it there from now on."""
    if await find_origin(conn, known, link) == "live":
        return
    if known.link == link:
        await conn.execute(_POST_LIVE, {"which": known.id})
    else:
        await conn.execute(_SET_LIVE(conn), {"post_id": known.id, "link": link, "origin": "live"})
        await conn.execute(_INDEX_AGAIN, {"which": known.id})
    note_work(conn, "words")
