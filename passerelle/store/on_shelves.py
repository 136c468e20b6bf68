"""The condition that a post stands on a shelf that its reader may read, with which every page of the archive asks; and
through which link they read it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, case, exists, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName, PostId
from passerelle.core.shelves import Shelf
from passerelle.store.archive_tables import cross_post
from passerelle.store.tables import post

_SHELVES = "shelves"
# An alias: a statement may ask for cross-posts itself.
_crossed = cross_post.alias("crossed")


def on_shelves() -> ColumnElement[bool]:
    """The condition over `post`, for statements that are run with `shelf_values(shelves)`."""
    return or_(_own(), exists().where(*_through_another()))


def shown_link() -> ColumnElement[LinkName]:
    """In which link its reader finds a post: its own, or of those it was posted to besides, one that is theirs."""
    other = select(func.min(_crossed.c.link)).where(*_through_another()).scalar_subquery()
    return case((_own(), post.c.link), else_=other)


def _own() -> ColumnElement[bool]:
    return tuple_(post.c.association, post.c.link, post.c.origin, post.c.side).in_(_wanted())


def _through_another() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    crossed = tuple_(post.c.association, _crossed.c.link, _crossed.c.origin, post.c.side)
    return _crossed.c.post_id == post.c.id, crossed.in_(_wanted())


def _wanted() -> BindParameter[Any]:
    return bindparam(_SHELVES, expanding=True)


def shelf_values(shelves: Collection[Shelf]) -> dict[str, Any]:
    """The parameters of `on_shelves()`. Without a shelf nothing is found."""
    values = [
        (shelf.association, shelf.link, shelf.origin, side)
        for shelf in sorted(shelves, key=lambda s: (s.association, s.link, s.origin, s.side or ""))
        for side in ((shelf.side,) if shelf.side else ("list", "room"))
    ]
    return {_SHELVES: values}


_SHOWN_LINKS = select(post.c.id, shown_link()).where(post.c.id.in_(bindparam("ids", expanding=True)), on_shelves())


async def shown_links(
    conn: AsyncConnection, ids: Collection[PostId], shelves: Collection[Shelf]
) -> dict[PostId, LinkName]:
    """In which link the reader finds each of these posts, as far as they may be read."""
    if not ids:
        return {}
    return {id: link for id, link in await conn.execute(_SHOWN_LINKS, {"ids": list(ids), **shelf_values(shelves)})}
