"""An email of the bridge to one person: written from a template, stored before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import after_quiet_hours
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress, MessageId, OutboxId
from passerelle.core.links import Link, person_lane
from passerelle.core.model import NewOutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.mail.compose import compose_personal
from passerelle.mail.compose_types import PersonalMail
from passerelle.store.outbox import insert_outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class Personal:
    """An email to be written to one person."""

    to: Mailbox
    #: Name under `templates/mail/`, without language and ending.
    template: str
    #: What it is for; the same key is sent once.
    unique_key: str
    variables: Mapping[str, Any]
    #: The email that it answers: In-Reply-To and `auto-replied` come from it.
    answers: Email | None = None


async def insert_personal_email(ctx: FlowContext, conn: AsyncConnection, link: Link, mail: Personal) -> OutboxId | None:
    """Store one email to one person; None where it stands already. Raises ConfigError from the templates."""
    to, answers, unique_key = mail.to, mail.answers, mail.unique_key
    now = ctx.now()
    names = {"association": link.association, "link": link.settings, "coordinator": link.association.coordinators[0]}
    letter = ctx.renderer(link.association).letter(f"mail/{mail.template}", **names, **mail.variables)
    bridge = MailAddress(link.mailbox.address)
    message_id = MessageId(f"{ctx.hashed('personal', unique_key)}@{bridge.rpartition('@')[2]}")
    raw = compose_personal(
        PersonalMail(
            from_name=link.association.title,
            bridge_address=bridge,
            to_address=to.address,
            to_name=to.name,
            subject=letter.subject,
            text=letter.text,
            message_id=message_id,
            in_reply_to=answers.message_id if answers else None,
            references=answers.references if answers else (),
            date=now.astimezone(link.zone),
            auto_submitted="replied" if answers else "generated",
            marker=mark_of(ctx, link, message_id),
        )
    )
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=person_lane(ctx.hashed("person", to.address.lower())),
            kind="email",
            association=link.association_name,
            link=link.name,
            recipient=to.address,
            mailbox=link.mailbox.name,
            message_id=message_id,
            delivery_key=ctx.hashed("delivery", unique_key),
            created_at=now,
            # What answers nobody can wait for the morning (PEOPLE 11).
            due_at=now if answers else after_quiet_hours(now, link.settings, link.zone),
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )
