"""Words in answer to a digest of which nobody knows what they are about, and their author does not say either."""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.links import Link
from passerelle.core.register_model import Ask
from passerelle.flows.context import FlowContext
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator
from passerelle.flows.readers import find_place


async def tell_of_unplaced(ctx: FlowContext, conn: AsyncConnection, link: Link, asked: Ask) -> None:
    """Coordinators hear that somebody answered and is not understood; not in which words, which are private."""
    person_id = asked.person_id
    place = await find_place(ctx, conn, link.association_name, person_id) if person_id is not None else None
    if place is None:
        return
    about = About(kind="ask", ids=(asked.id,), step="escalated")
    for coordinator in link.association.coordinators:
        key = about_key(about, ctx.hashed("person", coordinator.address or coordinator.matrix or coordinator.name))
        variables = {"author": place[0].name, "asked_at": asked.asked_at}
        notice = PersonalNotice(template="ask_item_again", unique_key=key, variables=variables)
        await reach_coordinator(ctx, conn, link, coordinator, notice)
