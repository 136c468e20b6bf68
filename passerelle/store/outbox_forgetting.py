"""What was to leave, or left, and was taken back since: cancelled where that can be, its content forgotten."""

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash, OutboxId, PostId
from passerelle.store.blobs import delete_unreferenced_blob
from passerelle.store.engine import note_work
from passerelle.store.outbox import (
    cancel_outbox,
    find_outbox_by_unique_key,
    get_outbox,
    list_outbox_of_post,
    move,
    moved,
)
from passerelle.store.tables import outbox

#: Its key is free for the mail that is made instead; its bytes are not kept.
_TO_CANCELLED_UNBEGUN = (
    move("waiting", state="cancelled", last_error=bindparam("why"), raw_hash=None)
    .where(outbox.c.sendings == 0)
    .values(unique_key=outbox.c.unique_key + bindparam("mark"))
)
_FORGET_SENT = move("sent", raw_hash=None)
_FORGET_CONTENT = move("sent", "cancelled", content=None, upload_hash=None)
_CANCEL_OF_POST = (
    update(outbox)
    .where(
        outbox.c.post_id == bindparam("of_post"),
        outbox.c.kind == "event",
        outbox.c.state.in_(("waiting", "failed")),
    )
    .values(state="cancelled", last_error=bindparam("why"))
)
_FORGET_OF_POST = (
    update(outbox)
    .where(
        outbox.c.post_id == bindparam("of_post"),
        outbox.c.kind == "event",
        outbox.c.state.in_(("sent", "cancelled")),
    )
    .values(content=None, upload_hash=None)
)


async def cancel_unbegun(conn: AsyncConnection, id: OutboxId, reason: str) -> bool:
    """A mail is not to leave as it is, and its bytes are forgotten; False where the other side may have begun it.

    Whoever is about to send it asks `mark_sending` first, and is answered False.
    """
    row = await get_outbox(conn, id)
    note_work(conn, "outbox")
    if not await moved(conn, _TO_CANCELLED_UNBEGUN, which=id, why=reason, mark=f":cancelled:{id}"):
        return False
    if row.raw_hash is not None:
        await delete_unreferenced_blob(conn, row.raw_hash)
    return True


async def forget_sent(conn: AsyncConnection, id: OutboxId) -> None:
    """Words of a mail were taken back: where it was sent, its bytes are needed no more and are forgotten."""
    row = await get_outbox(conn, id)
    if await moved(conn, _FORGET_SENT, which=id) and row.raw_hash is not None:
        await delete_unreferenced_blob(conn, row.raw_hash)


async def forget_events_of_post(conn: AsyncConnection, post_id: PostId, reason: str) -> None:
    """A post was taken back: what has not left for a room stays here, and no content is kept."""
    hashes = {row.upload_hash for row in await list_outbox_of_post(conn, post_id) if row.kind == "event"}
    note_work(conn, "outbox")
    await conn.execute(_CANCEL_OF_POST, {"of_post": post_id, "why": reason})
    await conn.execute(_FORGET_OF_POST, {"of_post": post_id})
    for one in sorted(one for one in hashes if one is not None):
        await delete_unreferenced_blob(conn, one)


async def forget_part_of_post(conn: AsyncConnection, post_id: PostId, part: int) -> BlobHash | None:
    """One event of a post was taken back: nothing is kept of what was sent; the hash of its file, where it had one."""
    found = None
    for row in await list_outbox_of_post(conn, post_id):
        if row.kind == "event" and row.part == part:
            found = row.upload_hash or found
            await conn.execute(_FORGET_CONTENT, {"which": row.id})
    return found


async def forget_unique(conn: AsyncConnection, unique_key: str, reason: str) -> None:
    """What was made for that purpose does not leave, if it has not, and its content is not kept."""
    row = await find_outbox_by_unique_key(conn, unique_key)
    if row is not None:
        await cancel_outbox(conn, row.id, reason)
        await conn.execute(_FORGET_CONTENT, {"which": row.id})
