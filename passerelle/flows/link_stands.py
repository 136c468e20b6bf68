"""Links where the secretary does nothing by itself: stopped by a human or a fuse, or not yet confirmed (PEOPLE 2)."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.flows.context import FlowContext
from passerelle.store.links import list_link_states


async def stopped_links(ctx: FlowContext, conn: AsyncConnection) -> frozenset[str]:
    """Their paths. A link that the store does not know yet was not confirmed."""
    states = {f"{state.association}/{state.link}": state for state in await list_link_states(conn)}
    return frozenset(
        link.path
        for link in ctx.links
        if (state := states.get(link.path)) is None or state.confirmed_at is None or state.stopped_at is not None
    )
