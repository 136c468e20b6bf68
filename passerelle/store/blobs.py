"""Bytes by their content: the same bytes are stored once, and go when nothing points at them any more."""

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash
from passerelle.errors import StoreError
from passerelle.store.archive_tables import file_text
from passerelle.store.blob_coding import Undecodable, decoded, encoded
from passerelle.store.dialects import upsert
from passerelle.store.tables import attachment, blob, inbox, outbox, post

#: From here on hashing and compressing would hold up the event loop.
_LARGE_BYTES = 128 * 1024

_INSERT = upsert(blob, lambda i: i.on_conflict_do_nothing(index_elements=["hash"]))
_GET = select(blob.c.encoding, blob.c.data, blob.c.size_bytes).where(blob.c.hash == bindparam("hash"))
_POINTERS = (
    inbox.c.raw_hash,
    post.c.raw_hash,
    outbox.c.raw_hash,
    outbox.c.upload_hash,
    attachment.c.blob_hash,
    file_text.c.text_hash,
)
_DELETE = delete(blob).where(
    blob.c.hash == bindparam("which"),
    *(~exists().where(pointer == bindparam("which")) for pointer in _POINTERS),
)


def blob_hash(data: bytes) -> BlobHash:
    """The name of bytes: their SHA-256, hexadecimal."""
    return BlobHash(hashlib.sha256(data).hexdigest())


def blob_row(data: bytes) -> dict[str, Any]:
    """The row of `blob` that holds these bytes."""
    encoding, packed = encoded(data)
    return {"hash": blob_hash(data), "encoding": encoding, "size_bytes": len(data), "data": packed}


async def insert_blobs(conn: AsyncConnection, datas: Sequence[bytes]) -> list[BlobHash]:
    """Store bytes where they are not stored yet; their names, in the same order."""
    rows = [await asyncio.to_thread(blob_row, d) if len(d) > _LARGE_BYTES else blob_row(d) for d in datas]
    if rows:
        # Sorted: two daemons that store the same bytes at the same time wait for each other in one order only.
        await conn.execute(_INSERT(conn), sorted(rows, key=lambda row: str(row["hash"])))
    return [row["hash"] for row in rows]


async def insert_blob(conn: AsyncConnection, data: bytes) -> BlobHash:
    """Store bytes where they are not stored yet; their name."""
    return (await insert_blobs(conn, [data]))[0]


async def get_blob(conn: AsyncConnection, hash: BlobHash) -> bytes:
    """The bytes of that name. Raises StoreError where there are none."""
    row = (await conn.execute(_GET, {"hash": hash})).first()
    if row is None:
        raise StoreError(f"There are no bytes {hash[:12]}… in the store.")
    data = bytes(row.data)
    try:
        if row.size_bytes > _LARGE_BYTES:
            return await asyncio.to_thread(decoded, row.encoding, data)
        return decoded(row.encoding, data)
    except Undecodable as error:
        raise StoreError(f"The bytes {hash[:12]}… of the store cannot be read: {error}.") from error


async def delete_unreferenced_blob(conn: AsyncConnection, hash: BlobHash) -> bool:
    """Delete bytes that nothing points at; whether they were deleted."""
    return (await conn.execute(_DELETE, {"which": hash})).rowcount == 1
