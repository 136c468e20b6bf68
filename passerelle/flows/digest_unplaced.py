"""Words in answer to a digest that wait for their author: what becomes of them where they say nothing more.

Whose words nobody else was to read are told that these are gone: the mail that quoted them goes, too.
"""

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.links import Link
from passerelle.core.register_model import Ask
from passerelle.flows.context import FlowContext
from passerelle.flows.reach_person import PersonalNotice, reach_coordinator
from passerelle.flows.readers import find_place
from passerelle.store.outbox import find_outbox_by_unique_key
from passerelle.store.scrub_traffic import forget_mail_bytes


async def forget_question(conn: AsyncConnection, unique_key: str) -> None:
    """The mail that asked is kept no longer as it left: it quotes their words."""
    row = await find_outbox_by_unique_key(conn, unique_key)
    if row is not None:
        await forget_mail_bytes(conn, row.id)


async def tell_of_unplaced(ctx: FlowContext, conn: AsyncConnection, link: Link, asked: Ask) -> None:
    """Coordinators hear that somebody answered and is not understood; not in which words, which are private."""
    person_id = asked.person_id
    place = await find_place(ctx, conn, link.association_name, person_id) if person_id is not None else None
    if place is None:
        return
    own = {address.lower() for address in place[0].addresses}
    about = About(kind="ask", ids=(asked.id,), step="escalated")
    for coordinator in link.association.coordinators:
        if (coordinator.address or "").lower() in own or coordinator.matrix in place[0].user_ids:
            # Who wrote it was asked.
            continue
        key = about_key(about, ctx.hashed("person", coordinator.address or coordinator.matrix or coordinator.name))
        variables = {"author": place[0].name, "asked_at": asked.asked_at}
        notice = PersonalNotice(template="ask_item_again", unique_key=key, variables=variables)
        await reach_coordinator(ctx, conn, link, coordinator, notice)
