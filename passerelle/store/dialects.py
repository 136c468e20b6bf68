"""One statement for both databases where SQLAlchemy has one construct for each: INSERT … ON CONFLICT."""

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = sqlite.Insert | postgresql.Insert


class _Built(Protocol):
    def __call__(self, conn: AsyncConnection) -> Executable: ...


def upsert(table: Table, finish: Callable[[Any], Executable]) -> _Built:
    """Build `finish(insert(table))` with each database's own insert; call the result with a connection to choose.

    `finish` gets SQLAlchemy's `Insert` of the dialect: both have `on_conflict_do_nothing`, `on_conflict_do_update`,
    `excluded` with the same meaning.
    """
    built = {"sqlite": finish(sqlite.insert(table)), "postgresql": finish(postgresql.insert(table))}

    def choose(conn: AsyncConnection) -> Executable:
        return built[conn.dialect.name]

    return choose
