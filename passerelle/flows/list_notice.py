"""A mail of the bridge to everyone on a list: from a template, stored before it is sent."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, MessageId, OutboxId
from passerelle.core.links import Link
from passerelle.core.model import NewOutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.mail.compose import compose_list_notice
from passerelle.mail.compose_types import ListNotice
from passerelle.store.outbox import insert_outbox


async def insert_list_notice(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    *,
    template: str,
    unique_key: str,
    variables: Mapping[str, Any],
) -> OutboxId | None:
    """Store one notice to the link's list; None where it stands already. `template` is a name under `templates/mail/`.

    It comes from the subscribed address, without Auto-Submitted, which Sympa drops; answers go to a coordinator.
    """
    bridge, now = MailAddress(link.mailbox.address), ctx.now()
    message_id = MessageId(f"{ctx.hashed('notice', unique_key)}@{bridge.rpartition('@')[2]}")
    coordinator = link.association.coordinators[0]
    names = {"association": link.association, "link": link.settings, "coordinator": coordinator}
    letter = ctx.renderer(link.association).letter(f"mail/{template}", **(names | dict(variables)))
    raw = compose_list_notice(
        ListNotice(
            from_name=link.association.title,
            bridge_address=bridge,
            list_address=link.list_address,
            reply_to=MailAddress(coordinator.address) if coordinator.address else None,
            subject=letter.subject,
            text=letter.text,
            message_id=message_id,
            date=now.astimezone(link.zone),
            marker=mark_of(ctx, link, message_id),
        )
    )
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=link.list_lane,
            kind="email",
            association=link.association_name,
            link=link.name,
            recipient=link.list_address,
            mailbox=link.mailbox.name,
            message_id=message_id,
            delivery_key=ctx.hashed("delivery", unique_key),
            created_at=now,
            due_at=now,
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )
