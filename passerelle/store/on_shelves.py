"""The condition that a post stands on a shelf that its reader may read, with which every page of the archive asks; and
through which link they read it."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Boolean, ColumnElement, String, bindparam, case, exists, func, literal_column, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

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


class _Standing(FunctionElement[bool]):
    """Whether a name is one of those that a parameter lists, as JSON.

    SQLAlchemy would write each shelf out anew, at each run and at every place where a statement asks for them, which
    takes longer than the database does.
    """

    name = "standing"
    type = Boolean()
    inherit_cache = True


@compiles(_Standing, "sqlite")
def _on_sqlite(element: _Standing, compiler: SQLCompiler, **how: Any) -> str:
    name, wanted = (compiler.process(one, **how) for one in element.clauses)
    return f"({name} IN (SELECT value FROM json_each({wanted})))"


@compiles(_Standing, "postgresql")
def _on_postgresql(element: _Standing, compiler: SQLCompiler, **how: Any) -> str:
    name, wanted = (compiler.process(one, **how) for one in element.clauses)
    return f"({name} IN (SELECT json_array_elements_text(CAST({wanted} AS json))))"


def _stands(link: ColumnElement[str], origin: ColumnElement[str]) -> ColumnElement[bool]:
    # No name of an association or link holds one.
    slash: ColumnElement[str] = literal_column("'/'", String())
    name = post.c.association + slash + link + slash + origin + slash + post.c.side
    return _Standing(name, bindparam(_SHELVES, type_=String()))


def _own() -> ColumnElement[bool]:
    return _stands(post.c.link, post.c.origin)


def _through_another() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return _crossed.c.post_id == post.c.id, _stands(_crossed.c.link, _crossed.c.origin)


def shelf_values(shelves: Collection[Shelf]) -> dict[str, str]:
    """The parameters of `on_shelves()`. Without a shelf nothing is found."""
    names = sorted(
        f"{shelf.association}/{shelf.link}/{shelf.origin}/{side}"
        for shelf in shelves
        for side in ((shelf.side,) if shelf.side else ("list", "room"))
    )
    return {_SHELVES: json.dumps(names)}


_SHOWN_LINKS = select(post.c.id, shown_link()).where(post.c.id.in_(bindparam("ids", expanding=True)), on_shelves())


async def shown_links(
    conn: AsyncConnection, ids: Collection[PostId], shelves: Collection[Shelf]
) -> dict[PostId, LinkName]:
    """In which link the reader finds each of these posts, as far as they may be read."""
    if not ids:
        return {}
    return {id: link for id, link in await conn.execute(_SHOWN_LINKS, {"ids": list(ids), **shelf_values(shelves)})}
