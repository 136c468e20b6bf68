"""The revisions make exactly the schema of `tables.py`, and the queries use its indices."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from lab.postgres import Postgres
from passerelle.store import attachments, batches, inbox, outbox, outbox_watch
from passerelle.store.engine import Store
from passerelle.store.migrations import HEAD
from passerelle.store.schema import alembic_config
from passerelle.store.tables import metadata


@pytest.fixture
async def pair(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[list[AsyncEngine]]:
    """Two databases: one made by the revisions, one straight from the metadata."""
    if dialect == "sqlite":
        urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("migrated", "direct")]
    else:
        postgres: Postgres = request.getfixturevalue("postgres")
        urls = [postgres.create_database() for _ in range(2)]
    await (await Store.open(urls[0], exclusive=True)).close()
    engines = [create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:")) for url in urls]
    async with engines[1].begin() as conn:
        await conn.run_sync(metadata.create_all)
    yield engines
    for engine in engines:
        await engine.dispose()


def _is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """`post_words` is made by each database in its own way; no metadata knows it."""
    return kind != "table" or not (name or "").startswith("post_words")


_OPTIONS = {"compare_type": True, "compare_server_default": True, "include_name": _is_ours}


def test_head_is_alembics_head() -> None:
    with create_engine("sqlite://").connect() as connection:
        assert ScriptDirectory.from_config(alembic_config(connection)).get_current_head() == HEAD
        connection.engine.dispose()


async def test_alembic_finds_nothing_to_migrate(pair: list[AsyncEngine]) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts=_OPTIONS)
        return compare_metadata(context, metadata)

    async with pair[0].connect() as conn:
        assert await conn.run_sync(compare) == []


_SCHEMA = {
    "sqlite": """
        SELECT type || ' ' || name, sql FROM sqlite_master
            WHERE name NOT LIKE '%alembic%' AND name NOT LIKE 'post_words%' AND sql IS NOT NULL
    """,
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes
            WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'post_words')
        UNION ALL SELECT conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'public'::regnamespace
                AND conname NOT LIKE 'alembic%' AND conname NOT LIKE 'post_words%'
        UNION ALL SELECT table_name || ' ' || column_name, concat_ws(' ', data_type, is_nullable, is_identity,
            regexp_replace(column_default, '[^(]*$', '')) FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name NOT IN ('alembic_version', 'post_words')
    """,
}


async def test_the_databases_own_words_are_the_same(pair: list[AsyncEngine], dialect: str) -> None:
    """Partial indices, STRICT, AUTOINCREMENT and the like, which Alembic does not compare."""
    schemas = []
    for engine in pair:
        async with engine.connect() as conn:
            rows = (await conn.execute(text(_SCHEMA[dialect]))).all()
        schemas.append({name: _parts(definition) for name, definition in rows})
    assert len(schemas[0]) > 40
    assert schemas[0] == schemas[1]


def _parts(definition: str) -> list[str]:
    """The words of a definition without their order: revisions may name constraints in another."""
    return sorted(re.findall(r"[^\s(),]+", definition))


async def test_tables_are_strict(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    async with store.read() as conn:
        rows = (await conn.execute(text("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'"))).all()
    ours = {name: strict for name, strict in rows if name in metadata.tables}
    assert ours == dict.fromkeys(metadata.tables, 1)
    await store.close()


@pytest.mark.parametrize(
    ("statement", "indices"),
    [
        (inbox._CLAIMS._free, {"ix_inbox_head"}),
        (inbox._CLAIMS._head, {"ix_inbox_head"}),
        (inbox._CLAIMS._count, {"ix_inbox_head"}),
        (inbox._CLAIMS._next_due, {"ix_inbox_head"}),
        (inbox._COUNT_WAITING_OF_ROOM, {"ix_inbox_room"}),
        (outbox._CLAIMS._free, {"ix_outbox_head"}),
        (outbox._CLAIMS._head, {"ix_outbox_head"}),
        (outbox._CLAIMS._count, {"ix_outbox_head"}),
        (outbox._SENDING, {"ix_outbox_trouble"}),
        (outbox._UNTOLD, {"ix_outbox_trouble"}),
        (outbox._STALE_UNKNOWN, {"ix_outbox_trouble"}),
        (outbox._COUNT_SENT, {"ix_outbox_sent"}),
        (outbox_watch._NEXT_UNKNOWN, {"ix_outbox_trouble"}),
        (outbox_watch._NEXT_FAILED, {"ix_outbox_trouble"}),
        (outbox_watch._UNSENT, {"ix_outbox_delivery_key"}),
        (batches._LINES_OF_MAIL, {"ix_batch_message_id"}),
        (batches._LIST_DUE, {"ix_batch_open"}),
        (batches._COUNT_SEALED, {"ix_batch_sealed"}),
        (attachments._DUE, {"ix_attachment_wanted"}),
    ],
)
async def test_queries_do_not_read_what_is_over(tmp_path: Path, statement: object, indices: set[str]) -> None:
    """SQLite's own plan: each queue is read by its partial index, never as a whole."""
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    compiled = statement.compile(dialect=store._reading_engine.dialect)  # type: ignore[attr-defined]
    words = re.sub(r"\(__\[POSTCOMPILE_\w+\]\)", "('x')", str(compiled))
    async with store.read() as conn:
        plan = await conn.exec_driver_sql("EXPLAIN QUERY PLAN " + words, tuple(["1"] * words.count("?")))
        steps = [row[3] for row in plan]
    await store.close()
    used = set(re.findall(r"USING (?:COVERING )?INDEX (\w+)", "\n".join(steps)))
    assert indices <= used, steps
    assert not [step for step in steps if re.match(r"SCAN (inbox|outbox|batch|attachment)$", step)], steps
