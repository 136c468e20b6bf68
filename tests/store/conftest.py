"""A fresh store on each database; PostgreSQL is one server for the session, emptied before each test."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from lab.postgres import Postgres
from passerelle.store.engine import Store
from passerelle.store.tables import metadata

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgres_url(postgres: Postgres) -> str:
    """One database for all tests that do not migrate."""
    return postgres.create_database()


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a file with the newest schema, made once and then copied."""
    return tmp_path_factory.mktemp("templates")


async def _copy_template(templates: Path, path: Path) -> None:
    template = templates / "store.db"
    if template.name not in os.listdir(templates):
        await (await Store.open(f"sqlite:///{template}", exclusive=True)).close()
    shutil.copy(template, path)


@pytest.fixture
async def store_url(dialect: str, tmp_path: Path, templates: Path, request: pytest.FixtureRequest) -> str:
    """Where an empty store of the newest schema is."""
    if dialect == "sqlite":
        await _copy_template(templates, tmp_path / "store.db")
        return f"sqlite:///{tmp_path}/store.db"
    url: str = request.getfixturevalue("postgres_url")
    store = await Store.open(url, exclusive=True)
    names = ", ".join(["post_words", *(table.name for table in metadata.sorted_tables if table.name != "meta")])
    async with store.write() as conn:
        await conn.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        await conn.execute(text("DELETE FROM meta WHERE key NOT IN ('store_id', 'hash_key')"))
    await store.close()
    return url


@pytest.fixture
async def open_store(store_url: str) -> AsyncIterator[Callable[[], object]]:
    """Opens another Store on the same database, as another process would (PostgreSQL), or as the CLI (SQLite)."""
    async with AsyncExitStack() as stack:

        async def open_another(*, exclusive: bool = False) -> Store:
            store = await Store.open(store_url, exclusive=exclusive)
            stack.push_async_callback(store.close)
            return store

        yield open_another


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open store, empty."""
    opened = await Store.open(store_url, exclusive=True)
    yield opened
    await opened.close()


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    """Where a SQLite store may be made."""
    return tmp_path / "passerelle.db"
