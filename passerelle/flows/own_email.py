"""Emails that we sent and the list gives back: they prove the delivery and are never relayed again."""

import re

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.identity import same_hash
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import LINES_FIELD, MARK_FIELD, mark_of
from passerelle.mail.reading import Reading
from passerelle.store.links import count_echo
from passerelle.store.outbox import find_outbox_by_message_id, mark_echoed
from passerelle.store.seen import insert_seen

_HASH = re.compile(r"\b[a-z2-7]{26}\b")


async def is_own_email(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> bool:
    """Whether we sent this email to this link's list.

    By our keyed hash over Message-ID and link, or by the table where the list strips unknown header fields and its
    author is one of our addresses. A Message-ID that merely looks like ours proves nothing: anyone can forge it.
    """
    email = reading.email
    if email.message_id is None:
        return False
    mark = email.header(MARK_FIELD) or ""
    if mark and same_hash(mark, mark_of(ctx, link, email.message_id)):
        return True
    if reading.author is not None and not ctx.is_bridge(reading.author.address):
        return False
    row = await find_outbox_by_message_id(conn, email.message_id)
    return row is not None and row.lane == link.list_lane


async def note_echo(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading) -> None:
    """Mark the delivery as proven, the list as one that gives echoes, and the lines it held as seen."""
    now = ctx.now()
    message_id = reading.email.message_id
    row = await find_outbox_by_message_id(conn, message_id) if message_id else None
    if row is not None and row.echoed_at is None:
        await mark_echoed(conn, row.id, now)
        await count_echo(conn, link.association_name, link.name)
    lines = _HASH.findall(reading.email.header(LINES_FIELD) or "")
    if lines and row is None:
        await insert_seen(conn, link.association_name, "line", lines, now)
