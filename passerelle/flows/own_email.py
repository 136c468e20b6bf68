"""Emails that we sent and the list gives back: they prove the delivery and are never relayed again."""

import re
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.model import OutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import LINES_FIELD, marked_id
from passerelle.flows.rethread import settle_waiting
from passerelle.mail.reading import Reading
from passerelle.store.batches import list_batches_of_mail
from passerelle.store.links import count_echo
from passerelle.store.outbox import find_outbox_by_message_id, mark_echoed
from passerelle.store.seen import insert_seen
from passerelle.store.threads import find_message_ids, insert_message_id

_HASH = re.compile(r"\b[a-z2-7]{26}\b")


async def is_own_email(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> bool:
    """Whether this email of the list is ours, and so never relayed.

    - Its author is one of our addresses: whatever it holds, it came out of a room, or was written by the bridge.
    - It bears our mark for this link (`marks`), and names no other author: who copies the mark into an email of their
      own keeps it from nobody. The author is not known where the list wrote itself into From and Reply-To.
    - It has a Message-ID that we gave an email to this list, and names no other author.

    A Message-ID that merely looks like ours proves nothing: anyone can forge it.
    """
    author = reading.author
    if author is not None and ctx.is_bridge(author.address):
        return True
    if author is not None and author.address not in link.list_addresses:
        # Some lists hide the author's address, and keep the Message-ID: then both of ours must agree.
        marked = marked_id(ctx, link, reading.email)
        return marked is not None and marked == reading.email.message_id
    return marked_id(ctx, link, reading.email) is not None or await _sent_row(ctx, conn, link, reading) is not None


async def note_echo(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> None:
    """Mark the delivery as proven, the list as one that gives echoes, and the lines it held as seen."""
    now = ctx.now()
    row = await _sent_row(ctx, conn, link, reading)
    if row is not None and row.echoed_at is None:
        await mark_echoed(conn, row.id, now)
        await count_echo(conn, link.association_name, link.name)
    if row is not None:
        await _note_other_id(conn, link, reading, row, now)
        return
    lines = _HASH.findall(reading.email.header(LINES_FIELD) or "")
    if lines and marked_id(ctx, link, reading.email) is not None:
        await insert_seen(conn, link.association_name, "line", lines, now)


async def is_echo_of_not_archived(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> bool:
    """Whether an email of ours that came back holds a line that is not to be archived."""
    row = await _sent_row(ctx, conn, link, reading)
    return row is not None and any(batch.no_archive for batch in await list_batches_of_mail(conn, row.id))


async def _sent_row(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> OutboxRow | None:
    """What we sent to this link's list and is this email, by our mark or by its Message-ID."""
    for message_id in (marked_id(ctx, link, reading.email), reading.email.message_id):
        row = await find_outbox_by_message_id(conn, message_id) if message_id else None
        if row is not None and row.lane == link.list_lane:
            return row
    return None


async def _note_other_id(conn: AsyncConnection, link: Link, reading: Reading, row: OutboxRow, now: datetime) -> None:
    """Members answer the Message-ID that they got: it stands for the same conversation as the one that we gave."""
    got = reading.email.message_id
    if got is None or got == row.message_id:
        return
    known = (await find_message_ids(conn, link.association_name, [row.message_id])).get(row.message_id)
    if known is not None:
        await insert_message_id(
            conn,
            link.association_name,
            got,
            thread_id=known.thread_id,
            post_id=known.post_id,
            batch_id=known.batch_id,
            outbox_id=known.outbox_id,
        )
        await settle_waiting(conn, link.association_name, got, now)
