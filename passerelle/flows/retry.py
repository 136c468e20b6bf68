"""A human wants something tried again: an arrival that was set aside, a delivery that failed."""

import logging
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, InboxId, LinkName, OutboxId, ThreadId
from passerelle.core.model import InboxRow
from passerelle.store.engine import Store
from passerelle.store.inbox import get_inbox, retry_held, retry_inbox
from passerelle.store.incidents import list_keys_of_kind, resolve
from passerelle.store.outbox import get_outbox, retry_outbox
from passerelle.store.threads import resume_thread

log = logging.getLogger(__name__)

#: What came of it: it is due now; it is over and stays so; its bytes are gone; nobody knows whether it arrived.
Retried = Literal["due", "over", "gone", "unknown"]


async def retry_arrival(store: Store, id: InboxId, now: datetime) -> Retried:
    """Have a row of the inbox looked at again. Raises StoreError where there is none of that id.

    An email of a thread that its fuse stopped lets the threads of its link go on: a human has looked.
    """
    async with store.write() as conn:
        row = await get_inbox(conn, id)
        if row.state == "done":
            return "over"
        if not await retry_inbox(conn, id, now):
            return "gone"
        if row.reason == "thread_stopped":
            await _resume_threads(conn, row)
            await retry_held(conn, row.lane, "thread_stopped", now)
        await resolve(conn, f"inbox:{id}", now)
    log.info("An arrival is tried again", extra={"inbox_id": id})
    return "due"


async def _resume_threads(conn: AsyncConnection, row: InboxRow) -> None:
    association, _, link = row.lane.removeprefix("in:").partition("/")
    keys = await list_keys_of_kind(conn, AssociationName(association), LinkName(link), "fuse")
    for key in keys:
        await resume_thread(conn, ThreadId(int(key.removeprefix("fuse:"))))


async def retry_delivery(store: Store, id: OutboxId, now: datetime, *, even_if_unknown: bool = False) -> Retried:
    """Have a row of the outbox sent again. Raises StoreError where there is none of that id.

    One of unknown fate may have arrived: it goes out again only with `even_if_unknown`, since that may double it.
    """
    async with store.write() as conn:
        row = await get_outbox(conn, id)
        if row.state in ("sent", "cancelled", "sending"):
            return "over"
        if row.state == "unknown" and not even_if_unknown:
            return "unknown"
        if not await retry_outbox(conn, id, now):
            return "over"
        for state in ("failed", "unknown"):
            await resolve(conn, f"outbox:{id}:{state}", now)
    log.info("A delivery is tried again", extra={"outbox_id": id})
    return "due"
