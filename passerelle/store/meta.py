"""Facts of this store, by key."""

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.dialects import upsert
from passerelle.store.tables import meta

_FIND = select(meta.c.value).where(meta.c.key == bindparam("key"))
_SET = upsert(meta, lambda i: i.on_conflict_do_update(index_elements=["key"], set_={"value": i.excluded.value}))
_INSERT = upsert(meta, lambda i: i.on_conflict_do_nothing(index_elements=["key"]))
_DELETE = delete(meta).where(meta.c.key == bindparam("which"))


async def find_meta(conn: AsyncConnection, key: str) -> str | None:
    """The fact of that key."""
    return (await conn.execute(_FIND, {"key": key})).scalar_one_or_none()


async def set_meta(conn: AsyncConnection, key: str, value: str) -> None:
    """Set a fact, whatever it was."""
    await conn.execute(_SET(conn), {"key": key, "value": value})


async def insert_meta(conn: AsyncConnection, key: str, value: str) -> None:
    """Set a fact that has no value yet; a value that it has stays."""
    await conn.execute(_INSERT(conn), {"key": key, "value": value})


async def delete_meta(conn: AsyncConnection, key: str) -> None:
    """Forget a fact."""
    await conn.execute(_DELETE, {"which": key})
