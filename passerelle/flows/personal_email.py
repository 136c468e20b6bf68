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
from passerelle.mail.compose_types import CalendarPart, MailFile, PersonalMail, Unsubscribe, WholeMail
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
    #: With the HTML of the template `<template>.html`, where there is one.
    html: bool = False
    files: tuple[MailFile, ...] = ()
    #: Mails whole, beside it.
    whole: tuple[WholeMail, ...] = ()
    #: For this person alone.
    calendar: CalendarPart | None = None
    #: The email that it answers: In-Reply-To and `auto-replied` come from it.
    answers: Email | None = None
    #: What it goes on from, where it answers nothing: an earlier email to this person (`personal_message_id`).
    in_reply_to: MessageId | None = None
    references: tuple[MessageId, ...] = ()
    #: Where an answer goes; None: to the bridge's own address.
    reply_to: MailAddress | None = None
    unsubscribe: Unsubscribe | None = None
    #: Pages on the web: of help, of the archive.
    help_url: str | None = None
    archive_url: str | None = None
    #: Permanent addresses under which the archive shows it (RFC 5064).
    archived_at: tuple[str, ...] = ()
    #: It is not known which association the person means: none is named as the sender.
    nameless: bool = False
    #: Its reader waits for it just now: it leaves in quiet hours too.
    at_once: bool = False


def personal_message_id(ctx: FlowContext, link: Link, unique_key: str) -> MessageId:
    """The Message-ID of the email with that key, stored already or not."""
    return MessageId(f"{ctx.hashed('personal', unique_key)}@{link.mailbox.address.rpartition('@')[2]}")


async def insert_personal_email(ctx: FlowContext, conn: AsyncConnection, link: Link, mail: Personal) -> OutboxId | None:
    """Store one email to one person; None where it stands already, or the person's address cannot be written.

    The latter is counted: an address with accents before its @ (RFC 6531) needs servers all along the way that take it.
    Raises ConfigError from the templates, ValueError where `mail.calendar` is no calendar.
    """
    now, answers, unique_key = ctx.now(), mail.answers, mail.unique_key
    message_id = personal_message_id(ctx, link, unique_key)
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
    renderer, name, values = ctx.renderer(link.association), f"mail/{mail.template}", names | dict(mail.variables)
    letter = renderer.letter(name, **values)
    answers = mail.answers
    return PersonalMail(
        from_name="" if mail.nameless else link.association.title,
        bridge_address=MailAddress(link.mailbox.address),
        to_address=mail.to.address,
        to_name=mail.to.name,
        subject=letter.subject,
        text=letter.text,
        html=renderer.letter_html(name, **(values | {"subject": letter.subject})) if mail.html else None,
        files=mail.files,
        whole=mail.whole,
        calendar=mail.calendar,
        message_id=message_id,
        in_reply_to=answers.message_id if answers else mail.in_reply_to,
        references=answers.references if answers else mail.references,
        date=ctx.now().astimezone(link.zone),
        auto_submitted="replied" if answers else "generated",
        reply_to=mail.reply_to,
        unsubscribe=mail.unsubscribe,
        help_url=mail.help_url,
        archive_url=mail.archive_url,
        archived_at=mail.archived_at,
        marker=mark_of(ctx, link, message_id),
    )
