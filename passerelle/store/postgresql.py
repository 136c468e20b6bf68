"""How PostgreSQL is driven: a pool of asyncpg connections, read committed, several daemons at once."""

import asyncpg  # type: ignore[import-untyped]
from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from passerelle.errors import StoreError

#: What asyncpg raises while it connects, before SQLAlchemy wraps anything.
CONNECTING_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)


def make_engine(url: URL) -> AsyncEngine:
    """The engine for `postgresql://user:password@host/base`. Raises StoreError where the address is of another kind."""
    if url.get_backend_name() != "postgresql":
        raise StoreError("The store is either SQLite (sqlite:///…) or PostgreSQL (postgresql://…).")
    try:
        return create_async_engine(
            url.set(drivername="postgresql+asyncpg"),
            connect_args={"prepared_statement_cache_size": 500, "server_settings": {"application_name": "passerelle"}},
            pool_size=8,
            max_overflow=16,
            pool_pre_ping=False,
            query_cache_size=1000,
            hide_parameters=True,  # raw mails among them: an error must not print them
        )
    except ArgumentError as error:
        raise StoreError("The PostgreSQL address is not right: postgresql://user:password@host/base.") from error
