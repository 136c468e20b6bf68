"""Which revision a store has, and bringing it to the newest one."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.errors import StoreError
from passerelle.store.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

#: Of PostgreSQL's advisory lock that lets one daemon migrate while others wait: "pass" in ASCII.
_MIGRATION_LOCK = 0x70617373


def alembic_config(connection: Connection) -> "Config":
    """Alembic's configuration for this connection. Alembic is imported only where there is something to migrate."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _find_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


async def find_revision(conn: AsyncConnection) -> str | None:
    """The revision that a store has; None where it has no tables yet."""
    return await conn.run_sync(_find_revision)


async def migrate(conn: AsyncConnection) -> None:
    """Bring the store to the newest revision, inside the transaction of `conn`.

    Raises StoreError where a newer Passerelle made the store.
    """
    if conn.dialect.name == "postgresql":
        await conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
    await conn.run_sync(_migrate)


def _migrate(connection: Connection) -> None:
    revision = _find_revision(connection)
    if revision == HEAD:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    config = alembic_config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError("This store was made by a newer Passerelle: install that version, or restore a backup.")
    command.upgrade(config, "head")
