"""The first start on a restored backup: the world has gone on since, and nothing may be sent a second time.

What the store believes to be waiting may have left after the backup was made. So before it sends,

- an event is looked for in its room (its delivery key is made of what it delivers: the same after a restore),
- an email to a list waits for its echo, which the mailbox still holds; without echoes a human decides,
- an email to a single person is not sent again: it was a notice of ours,
- a line of the room leaves only once the mailbox was read to its end: the echoes name the lines that already left.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.model import OutboxRow
from passerelle.flows.context import FlowContext, Restored
from passerelle.store.backup import RESTORED_AT
from passerelle.store.cursors import last_moved_at
from passerelle.store.engine import Store
from passerelle.store.links import find_link_state
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.outbox import cancel_outbox, list_outbox, mark_unknown

log = logging.getLogger(__name__)

_KNOWS_UNTIL = "restored_knows_until"
_SETTLED = "restored_settled"
_MANY = 100_000


async def find_restored(store: Store) -> Restored | None:
    """Whether the store was restored from a backup, and what it knows. Asked once, at start."""
    async with store.write() as conn:
        at = await find_meta(conn, RESTORED_AT)
        if at is None:
            return None
        known = await find_meta(conn, _KNOWS_UNTIL)
        if known is None or not known.startswith(at):
            moved = await last_moved_at(conn) or datetime.fromisoformat(at)
            known = f"{at} {moved.isoformat()}"
            await set_meta(conn, _KNOWS_UNTIL, known)
    return Restored(at=datetime.fromisoformat(at), knows_until=datetime.fromisoformat(known.split(" ")[1]))


async def settle_restored(ctx: FlowContext, restored: Restored) -> None:
    """Once: emails that wait in a restored store may have left; let echoes or a human tell."""
    async with ctx.store.write() as conn:
        if await find_meta(conn, _SETTLED) == restored.at.isoformat():
            return
        rows = await list_outbox(conn, state="waiting", limit=_MANY)
        rows += await list_outbox(conn, state="sending", limit=_MANY)
        emails = [row for row in rows if row.kind == "email"]
        for row in emails:
            await _settle(ctx, conn, row)
        await set_meta(conn, _SETTLED, restored.at.isoformat())
    log.warning(
        "The store was restored from a backup: nothing leaves before it was looked for",
        extra={"emails_in_doubt": len(emails), "knows_until": restored.knows_until.isoformat()},
    )


async def _settle(ctx: FlowContext, conn: AsyncConnection, row: OutboxRow) -> None:
    link = ctx.links.find(f"{row.association}/{row.link}")
    why = "the store was restored from a backup: it may have left already"
    if link is None or row.lane != link.list_lane:
        await cancel_outbox(conn, row.id, why)
        return
    state = await find_link_state(conn, link.association_name, link.name)
    wait = timedelta(minutes=link.settings.echo_wait_minutes) if state.echoes else timedelta(0)
    await mark_unknown(conn, row.id, ctx.now(), why, due_at=ctx.now() + wait)
