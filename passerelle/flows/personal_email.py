"""An email of the bridge to one person: written from a template, stored before it is sent."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.batching import after_quiet_hours
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress, MessageId, OutboxId
from passerelle.core.links import Link, person_lane
from passerelle.core.model import NewOutboxRow
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.mail.compose import compose_personal
from passerelle.mail.compose_types import PersonalMail
from passerelle.store.outbox import insert_outbox
from passerelle.store.tally import count

log = logging.getLogger(__name__)


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
    #: It is not known which association the person means: none is named as the sender.
    nameless: bool = False
    #: Its reader waits for it just now: it leaves in quiet hours too.
    at_once: bool = False


async def insert_personal_email(ctx: FlowContext, conn: AsyncConnection, link: Link, mail: Personal) -> OutboxId | None:
    """Store one email to one person; None where it stands already, or the person's address cannot be written.

    The latter is counted: an address with accents before its @ (RFC 6531) needs servers all along the way that take it.
    Raises ConfigError from the templates.
    """
    now, answers, unique_key = ctx.now(), mail.answers, mail.unique_key
    bridge = MailAddress(link.mailbox.address)
    message_id = MessageId(f"{ctx.hashed('personal', unique_key)}@{bridge.rpartition('@')[2]}")
    letter = _written(ctx, link, mail, message_id)
    try:
        raw = compose_personal(letter)
    except MalformedEmail as error:
        log.warning("Not written to a person: %s", error, extra={"link": link.path, "template": mail.template})
        await count(conn, link.association_name, link.name, now.date(), "personal_email_unwritable")
        return None
    return await insert_outbox(
        conn,
        NewOutboxRow(
            unique_key=unique_key,
            lane=person_lane(ctx.hashed("person", mail.to.address.lower())),
            kind="email",
            association=link.association_name,
            link=link.name,
            recipient=mail.to.address,
            mailbox=link.mailbox.name,
            message_id=message_id,
            delivery_key=ctx.hashed("delivery", unique_key),
            created_at=now,
            # What answers nobody can wait for the morning (PEOPLE 11).
            due_at=now if answers or mail.at_once else after_quiet_hours(now, link.settings, link.zone),
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )


def _written(ctx: FlowContext, link: Link, mail: Personal, message_id: MessageId) -> PersonalMail:
    names = {"association": link.association, "link": link.settings, "coordinator": link.association.coordinators[0]}
    letter = ctx.renderer(link.association).letter(f"mail/{mail.template}", **(names | dict(mail.variables)))
    answers = mail.answers
    return PersonalMail(
        from_name="" if mail.nameless else link.association.title,
        bridge_address=MailAddress(link.mailbox.address),
        to_address=mail.to.address,
        to_name=mail.to.name,
        subject=letter.subject,
        text=letter.text,
        message_id=message_id,
        in_reply_to=answers.message_id if answers else None,
        references=answers.references if answers else (),
        date=ctx.now().astimezone(link.zone),
        auto_submitted="replied" if answers else "generated",
        marker=mark_of(ctx, link, message_id),
    )
