"""The files of posts. From the room, they are wanted first and fetched after the post was accepted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BatchId, BlobHash, PostId
from passerelle.core.model import AttachmentRow, NewAttachment
from passerelle.store.blobs import delete_unreferenced_blob, insert_blobs
from passerelle.store.engine import Store, note_work
from passerelle.store.file_texts import forget_texts
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import attachment, batch_line, post

#: How long a claimed attachment is left to who claimed it.
LEASE_SECONDS = 300

_SHAPE = Shape(AttachmentRow, attachment)
_WANTED = attachment.c.state == literal_column("'wanted'")

_INSERT = insert(attachment)
_OF_POST = select(*_SHAPE.columns).where(attachment.c.post_id == bindparam("post_id")).order_by(attachment.c.position)
_DUE = (
    select(attachment.c.id)
    .where(_WANTED, attachment.c.due_at <= bindparam("now"))
    .order_by(attachment.c.due_at, attachment.c.id)
    .limit(bindparam("limit"))
)
# A common table expression, since PostgreSQL may run a subquery more than once, and then locks more than the limit.
_LOCKED = _DUE.with_for_update(skip_locked=True).cte("locked")
_CLAIM = (
    update(attachment)
    .where(attachment.c.id.in_(select(_LOCKED.c.id)))
    .values(attempts=attachment.c.attempts + 1, due_at=bindparam("lease_until"))
    .returning(*_SHAPE.columns)
)
_HERE = (
    update(attachment)
    .where(attachment.c.id == bindparam("which"), _WANTED)
    .values(state="here", blob_hash=bindparam("bytes"), size_bytes=bindparam("size"), due_at=None, reason="")
)
_INDEX_ANEW = (
    update(post)
    .where(post.c.id.in_(select(attachment.c.post_id).where(attachment.c.id == bindparam("file"))))
    .values(index_state="waiting")
)
_FAILED = (
    update(attachment)
    .where(attachment.c.id == bindparam("which"), _WANTED)
    .values(state="failed", reason=bindparam("why"), due_at=None)
)
_FORGET = (
    update(attachment)
    .where(attachment.c.post_id == bindparam("of_post"))
    .values(state="failed", reason="taken back", filename="", blob_hash=None, media=None, due_at=None)
)
_FORGET_ONE = _FORGET.where(attachment.c.blob_hash == bindparam("bytes"))
_POSTPONE = (
    update(attachment)
    .where(attachment.c.id == bindparam("which"), _WANTED)
    .values(due_at=bindparam("due"), reason=bindparam("why"))
)
_COUNT_OF_BATCH = (
    select(func.count())
    .select_from(attachment)
    .join(batch_line, batch_line.c.post_id == attachment.c.post_id)
    .where(batch_line.c.batch_id == bindparam("batch_id"), batch_line.c.kind == "line", _WANTED)
)
_NEXT_DUE = select(attachment.c.due_at).where(_WANTED).order_by(attachment.c.due_at).limit(1)

_CONVERTED = (
    update(attachment)
    .where(attachment.c.id == bindparam("which"))
    .values(filename=bindparam("name"), media_type=bindparam("kind"), duration_ms=bindparam("length"))
)


async def insert_attachments(
    conn: AsyncConnection, post_id: PostId, new: Sequence[NewAttachment], now: datetime
) -> None:
    """Store the files of a post; those without `data` but with `media` are wanted from the homeserver at once."""
    if not new:
        return
    here = [one for one in new if one.data is not None]
    hashes = iter(await insert_blobs(conn, [one.data for one in here if one.data is not None]))
    rows: list[dict[str, Any]] = []
    for one in new:
        wanted = one.data is None and one.media is not None
        row = parameters(one, "data") | {"post_id": post_id, "state": "wanted" if wanted else "here"}
        row["due_at"] = now if wanted else None
        row["blob_hash"] = None if one.data is None else next(hashes)
        row["size_bytes"] = one.size_bytes if one.data is None else len(one.data)
        rows.append(row)
    note_work(conn, "attachment")
    await conn.execute(_INSERT, rows)


async def list_attachments(conn: AsyncConnection, post_id: PostId) -> list[AttachmentRow]:
    """The files of a post, in their order."""
    return _SHAPE.values((await conn.execute(_OF_POST, {"post_id": post_id})).all())


async def claim_wanted(store: Store, now: datetime, limit: int) -> list[AttachmentRow]:
    """Files to be fetched now, each with its attempt counted; they come up again after `LEASE_SECONDS`."""
    async with store.read() as conn:
        if (await conn.execute(_DUE, {"now": now, "limit": 1})).first() is None:
            return []
    values = {"now": now, "limit": limit, "lease_until": now + timedelta(seconds=LEASE_SECONDS)}
    async with store.write(durable=False, quiet=True) as conn:
        rows = (await conn.execute(_CLAIM, values)).all()
    return sorted(_SHAPE.values(rows), key=lambda row: row.id)


async def mark_here(conn: AsyncConnection, id: int, blob_hash: BlobHash, size: int) -> bool:
    """A file was fetched; `size` in bytes. False, and its bytes are not kept, where it is not wanted any more."""
    if (await conn.execute(_HERE, {"which": id, "bytes": blob_hash, "size": size})).rowcount == 1:
        await conn.execute(_INDEX_ANEW, {"file": id})
        note_work(conn, "words")
        return True
    await delete_unreferenced_blob(conn, blob_hash)
    return False


async def forget_attachments(conn: AsyncConnection, post_id: PostId) -> None:
    """The post was taken back: its files are neither kept nor fetched."""
    hashes = {row.blob_hash for row in await list_attachments(conn, post_id)}
    await conn.execute(_FORGET, {"of_post": post_id})
    await forget_texts(conn, post_id)
    for one in sorted(one for one in hashes if one is not None):
        await delete_unreferenced_blob(conn, one)


async def forget_file(conn: AsyncConnection, post_id: PostId, blob_hash: BlobHash) -> None:
    """One file of a post was taken back: it is not kept."""
    await conn.execute(_FORGET_ONE, {"of_post": post_id, "bytes": blob_hash})
    await forget_texts(conn, post_id)
    await delete_unreferenced_blob(conn, blob_hash)


async def mark_attachment_failed(conn: AsyncConnection, id: int, reason: str) -> None:
    """A file cannot be fetched; its post goes on without it."""
    await conn.execute(_FAILED, {"which": id, "why": reason})


async def postpone_attachment(conn: AsyncConnection, id: int, due_at: datetime, reason: str) -> None:
    """A file cannot be fetched for the time being."""
    await conn.execute(_POSTPONE, {"which": id, "due": due_at, "why": reason})


async def count_wanted_of_batch(conn: AsyncConnection, batch_id: BatchId) -> int:
    """How many files a batch still waits for."""
    return (await conn.execute(_COUNT_OF_BATCH, {"batch_id": batch_id})).scalar_one()


async def next_wanted_due_at(conn: AsyncConnection) -> datetime | None:
    """When the next file is to be fetched."""
    return (await conn.execute(_NEXT_DUE)).scalar_one_or_none()


async def set_converted(
    conn: AsyncConnection, id: int, *, filename: str, media_type: str, duration_ms: int | None
) -> None:
    """The file was made into another kind that its readers can open; its bytes are set by `mark_here`."""
    await conn.execute(_CONVERTED, {"which": id, "name": filename, "kind": media_type, "length": duration_ms})
