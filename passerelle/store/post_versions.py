"""What edited posts of the room read, wording by wording, as long as an edit can be taken back."""

from collections.abc import Collection

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, PostId
from passerelle.core.model import PostVersion
from passerelle.store.dialects import upsert
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import post_version

_SHAPE = Shape(PostVersion, post_version)

_INSERT = upsert(post_version, lambda i: i.on_conflict_do_nothing(index_elements=["event_id"]))
_FIND = select(*_SHAPE.columns).where(post_version.c.event_id == bindparam("event_id"))
_OF_POST = select(*_SHAPE.columns).where(post_version.c.post_id == bindparam("post_id")).order_by(post_version.c.id)
_DELETE = delete(post_version).where(post_version.c.event_id == bindparam("which"))
_DELETE_OF_POST = delete(post_version).where(post_version.c.post_id == bindparam("which"))
_NOT_LEFT = (
    update(post_version).where(post_version.c.post_id.in_(bindparam("ids", expanding=True))).values(after_left=False)
)


async def insert_version(conn: AsyncConnection, version: PostVersion) -> None:
    """Keep a wording; that of an event that is known already stays as it is."""
    await conn.execute(_INSERT(conn), parameters(version))


async def find_version(conn: AsyncConnection, event_id: EventId) -> PostVersion | None:
    """The wording that an event brought."""
    row = (await conn.execute(_FIND, {"event_id": event_id})).first()
    return None if row is None else _SHAPE.value(row)


async def list_versions(conn: AsyncConnection, post_id: PostId) -> list[PostVersion]:
    """The wordings of a post, the first one first; none where it was never edited."""
    return _SHAPE.values((await conn.execute(_OF_POST, {"post_id": post_id})).all())


async def delete_version(conn: AsyncConnection, event_id: EventId) -> None:
    """An edit was taken back: nothing of it is kept."""
    await conn.execute(_DELETE, {"which": event_id})


async def delete_versions_of_post(conn: AsyncConnection, post_id: PostId) -> None:
    """The post was taken back, with all that it ever read."""
    await conn.execute(_DELETE_OF_POST, {"which": post_id})


async def set_versions_not_left(conn: AsyncConnection, post_ids: Collection[PostId]) -> None:
    """The mail with these posts does not leave after all: their latest wordings leave with the next."""
    if post_ids:
        await conn.execute(_NOT_LEFT, {"ids": sorted(post_ids)})
