"""The condition that a post stands on a shelf that its reader may read; every page of the archive asks with it."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, exists, or_, tuple_

from passerelle.core.shelves import Shelf
from passerelle.store.archive_tables import cross_post
from passerelle.store.tables import post

_SHELVES = "shelves"
# An alias: a statement may ask for cross-posts itself.
_crossed = cross_post.alias("crossed")


def on_shelves() -> ColumnElement[bool]:
    """The condition over `post`, for statements that are run with `shelf_values(shelves)`."""
    wanted: BindParameter[Any] = bindparam(_SHELVES, expanding=True)
    crossed = exists().where(
        _crossed.c.post_id == post.c.id,
        tuple_(post.c.association, _crossed.c.link, _crossed.c.origin, post.c.side).in_(wanted),
    )
    own = tuple_(post.c.association, post.c.link, post.c.origin, post.c.side).in_(wanted)
    return or_(own, crossed)


def shelf_values(shelves: Collection[Shelf]) -> dict[str, Any]:
    """The parameters of `on_shelves()`. Without a shelf nothing is found."""
    values = [
        (shelf.association, shelf.link, shelf.origin, side)
        for shelf in sorted(shelves, key=lambda s: (s.association, s.link, s.origin, s.side or ""))
        for side in ((shelf.side,) if shelf.side else ("list", "room"))
    ]
    return {_SHELVES: values}
