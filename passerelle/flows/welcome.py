"""Who comes later is told privately that there is a bridge and an archive (PEOPLE 2), once."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import UserId
from passerelle.core.links import Link
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.store.links import find_link_state, insert_told, is_told

#: The list's own notice reached everyone who was on it. Who writes for the first time within this delay had it;
#: a list's roster is not known to us, and a second notice to everyone would be a nuisance.
NOTICE_REACHED = timedelta(days=30)


async def welcome_list_author(
    ctx: FlowContext, conn: AsyncConnection, link: Link, author: Mailbox | None, written_at: datetime
) -> None:
    """Tell the author of a first email, unless the list's own notice told them."""
    if author is None or ctx.is_bridge(author.address) or author.address in link.list_addresses:
        return
    who = ctx.hashed("told", author.address.lower())
    told, _ = await is_told(conn, link.association_name, link.name, who)
    if told:
        return
    state = await find_link_state(conn, link.association_name, link.name)
    outbox_id = None
    if state.asked_at is None or written_at > state.asked_at + NOTICE_REACHED:
        outbox_id = await insert_personal_email(
            ctx,
            conn,
            link,
            Personal(
                to=author,
                template="welcome",
                unique_key=f"welcome:{link.path}:{who}",
                variables={"name": author.name},
            ),
        )
    await insert_told(conn, link.association_name, link.name, who, now=ctx.now(), outbox_id=outbox_id)


async def welcome_room_member(ctx: FlowContext, conn: AsyncConnection, link: Link, user_id: UserId) -> None:
    """Tell someone who chats, or has just come; their lines wait until this has left."""
    who = ctx.hashed("told", user_id)
    told, _ = await is_told(conn, link.association_name, link.name, who)
    if told:
        return
    outbox_id = await insert_direct_message(
        ctx,
        conn,
        link,
        DirectMessage(to=user_id, template="welcome", unique_key=f"welcome:{link.path}:{who}", variables={}),
    )
    await insert_told(conn, link.association_name, link.name, who, now=ctx.now(), outbox_id=outbox_id)
