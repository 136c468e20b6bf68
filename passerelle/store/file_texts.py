"""The texts that were read out of files, to be searched."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash, PostId
from passerelle.store.archive_tables import file_text
from passerelle.store.blobs import delete_unreferenced_blob, insert_blob
from passerelle.store.dialects import upsert
from passerelle.store.engine import Store, note_work
from passerelle.store.rows import Shape
from passerelle.store.search_index import set_waiting
from passerelle.store.tables import attachment


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadFile:
    """A file whose text is to be read."""

    id: int
    post_id: PostId
    filename: str
    media_type: str
    blob_hash: BlobHash


_SHAPE = Shape(UnreadFile, attachment)
_IS_WAITING = file_text.c.state == literal_column("'waiting'")
_INSERT = upsert(file_text, lambda i: i.on_conflict_do_nothing(index_elements=["attachment_id"]))
_WAITING = (
    select(file_text.c.attachment_id, file_text.c.attempts, *_SHAPE.columns)
    .outerjoin(attachment, attachment.c.id == file_text.c.attachment_id)
    .where(_IS_WAITING)
    .order_by(file_text.c.attachment_id)
    .limit(1)
)
_LOCKED = _WAITING.with_for_update(skip_locked=True, of=file_text)
_ATTEMPT = (
    update(file_text).where(file_text.c.attachment_id == bindparam("which")).values(attempts=file_text.c.attempts + 1)
)
_END = (
    update(file_text)
    .where(file_text.c.attachment_id == bindparam("which"), _IS_WAITING)
    .values(
        state=bindparam("become"), text_hash=bindparam("bytes"), size_bytes=bindparam("size"), reason=bindparam("why")
    )
)
_TEXT_OF = select(file_text.c.text_hash).where(file_text.c.attachment_id == bindparam("which"))
_AGAIN = (
    update(file_text)
    .where(
        file_text.c.attachment_id.in_(
            select(attachment.c.id).where(attachment.c.post_id.in_(bindparam("posts", expanding=True)))
        ),
        file_text.c.state != literal_column("'waiting'"),
    )
    .values(state="waiting", attempts=0, reason="")
)
_SAME_FILE = (
    select(file_text.c.state, file_text.c.text_hash, file_text.c.size_bytes, file_text.c.reason)
    .join(attachment, attachment.c.id == file_text.c.attachment_id)
    .where(attachment.c.blob_hash == bindparam("bytes"), file_text.c.state != literal_column("'waiting'"))
    .limit(1)
)

#: A file that brought the reader of files down so often is not read again.
MOST_ATTEMPTS = 2


async def insert_waiting_texts(conn: AsyncConnection, attachment_ids: Collection[int]) -> None:
    """The texts of these files are to be read, where nobody looked yet."""
    if attachment_ids:
        rows = [{"attachment_id": id, "state": "waiting"} for id in sorted(attachment_ids)]
        await conn.execute(_INSERT(conn), rows)


async def claim_unread(store: Store) -> UnreadFile | None:
    """A file to be read, with its attempt counted first: what kills its reader is not tried for ever."""
    while True:
        async with store.read() as conn:
            if (await conn.execute(_WAITING)).first() is None:
                return None
        async with store.write(durable=False, quiet=True) as conn:
            row = (await conn.execute(_WAITING if store.dialect == "sqlite" else _LOCKED)).first()
            if row is None:
                return None
            if row.blob_hash is None:
                await _end(conn, row.attachment_id, "none", reason="it is not kept")
            elif row.attempts >= MOST_ATTEMPTS:
                await _end(conn, row.attachment_id, "failed", reason="its reader broke down")
            else:
                await conn.execute(_ATTEMPT, {"which": row.attachment_id})
                return _SHAPE.value(row[2:])


async def reuse_text(conn: AsyncConnection, file: UnreadFile) -> bool:
    """Take over what the same bytes were found to say under another post; whether they were read before."""
    known = (await conn.execute(_SAME_FILE, {"bytes": file.blob_hash})).first()
    if known is None:
        return False
    values = {"which": file.id, "become": known.state, "bytes": known.text_hash, "size": known.size_bytes}
    await _finish(conn, values | {"why": known.reason})
    await set_waiting(conn, [file.post_id])
    return True


async def set_text(conn: AsyncConnection, file: UnreadFile, text: str) -> None:
    """The file says this; its post is indexed anew. "": it says nothing."""
    if not text.strip():
        await _end(conn, file.id, "none", reason="there is no text in it")
        return
    data = text.encode()
    text_hash = await insert_blob(conn, data)
    values = {"which": file.id, "become": "here", "bytes": text_hash, "size": len(data), "why": ""}
    if await _finish(conn, values):
        await set_waiting(conn, [file.post_id])
    else:
        await delete_unreferenced_blob(conn, text_hash)


async def mark_unreadable(conn: AsyncConnection, file: UnreadFile, reason: str) -> None:
    """The file's text cannot be read; `reason` in words, without any of it."""
    await _end(conn, file.id, "failed", reason=reason)


async def _end(conn: AsyncConnection, id: int, state: str, *, reason: str) -> None:
    await _finish(conn, {"which": id, "become": state, "bytes": None, "size": 0, "why": reason})


async def _finish(conn: AsyncConnection, values: dict[str, Any]) -> bool:
    """The file was read; what it was found to say before goes. False where it is not waited for any more."""
    before = (await conn.execute(_TEXT_OF, {"which": values["which"]})).scalar_one_or_none()
    ended = (await conn.execute(_END, values)).rowcount == 1
    if ended and before is not None and before != values["bytes"]:
        await delete_unreferenced_blob(conn, before)
    return ended


async def forget_texts(conn: AsyncConnection, post_id: PostId) -> None:
    """Nothing is kept of what those of a post's files said that are not kept any more; it is indexed anew."""
    of_post = select(attachment.c.id).where(attachment.c.post_id == post_id, attachment.c.blob_hash.is_(None))
    rows = await conn.execute(select(file_text.c.text_hash).where(file_text.c.attachment_id.in_(of_post)))
    hashes = sorted({row.text_hash for row in rows if row.text_hash is not None})
    await conn.execute(
        update(file_text)
        .where(file_text.c.attachment_id.in_(of_post))
        .values(state="none", text_hash=None, size_bytes=0, reason="it was taken back")
    )
    for one in hashes:
        await delete_unreferenced_blob(conn, one)
    await set_waiting(conn, [post_id])
    note_work(conn, "words")


async def read_again(conn: AsyncConnection, post_ids: Collection[PostId]) -> None:
    """The texts of these posts' files are read anew; until then they are found by what was read before."""
    await conn.execute(_AGAIN, {"posts": sorted(post_ids)})
