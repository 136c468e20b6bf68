"""What was noted goes with the words that noted it, unless somebody has acted on it since."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import is_untouched
from passerelle.flows.context import FlowContext
from passerelle.flows.register_notice import withdraw_notices
from passerelle.store.register import find_entries_of_post, move_entry


async def drop_noted(ctx: FlowContext, conn: AsyncConnection, post_id: PostId) -> None:
    """A post was taken back: its entries are none any more."""
    await drop_untouched(ctx, conn, await find_entries_of_post(conn, post_id, roles=["source"]))


async def drop_untouched(ctx: FlowContext, conn: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Those of these entries that nobody acted on are none any more."""
    await withdraw_notices(ctx, conn, entries)
    for entry in entries:
        if is_untouched(entry):
            await move_entry(conn, entry.id, before_state=entry.state, after_state="dropped", now=ctx.now())
