"""A mail of the bridge to everyone on a list: from a template, stored before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, MessageId, OutboxId
from passerelle.core.links import Link
from passerelle.core.model import NewOutboxRow
from passerelle.flows.context import FlowContext
from passerelle.flows.marks import mark_of
from passerelle.mail.compose import compose_list_notice
from passerelle.mail.compose_types import ListNotice, MailFile
from passerelle.store.outbox import insert_outbox


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeExtras:
    """What a notice has beside its text."""

    #: With the HTML of the template `<name>.html`, where there is one.
    html: bool = False
    files: tuple[MailFile, ...] = ()
    #: Where answers go; None: to a coordinator.
    reply_to: MailAddress | None = None
    #: What it goes on from: an earlier notice (`notice_message_id`), or an email of the list.
    in_reply_to: MessageId | None = None
    references: tuple[MessageId, ...] = ()
    #: Permanent addresses under which the archive shows it (RFC 5064).
    archived_at: tuple[str, ...] = ()
    #: It leaves then, or now if that is over (aware): what can wait for the end of the quiet hours.
    not_before: datetime | None = None


PLAIN_NOTICE = NoticeExtras()


def notice_message_id(ctx: FlowContext, link: Link, unique_key: str) -> MessageId:
    """The Message-ID of the notice with that key, stored already or not: a later one answers it, and so do members,
    whose answers `store.outbox.find_outbox_by_message_id` leads back to the key."""
    return MessageId(f"{ctx.hashed('notice', unique_key)}@{link.mailbox.address.rpartition('@')[2]}")


async def insert_list_notice(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    *,
    template: str,
    unique_key: str,
    variables: Mapping[str, Any],
    extras: NoticeExtras = PLAIN_NOTICE,
) -> OutboxId | None:
    """Store one notice to the link's list; None where it stands already.

    `template` is a name under `templates/mail/`, or with its folder: `minutes/minutes`.

    It comes from the subscribed address, without Auto-Submitted, which Sympa drops; answers go to a coordinator, or
    where `extras` says. Raises ConfigError from the templates.
    """
    message_id = notice_message_id(ctx, link, unique_key)
    name = template if "/" in template else f"mail/{template}"
    raw = compose_list_notice(_written(ctx, link, message_id, name, variables, extras))
    now = ctx.now()
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
            due_at=max(now, extras.not_before) if extras.not_before is not None else now,
            give_up_at=ctx.give_up_at(link),
        ),
        raw=raw,
    )


def _written(
    ctx: FlowContext, link: Link, message_id: MessageId, name: str, variables: Mapping[str, Any], extras: NoticeExtras
) -> ListNotice:
    coordinator = link.association.coordinators[0]
    values = {"association": link.association, "link": link.settings, "coordinator": coordinator} | dict(variables)
    renderer = ctx.renderer(link.association)
    letter = renderer.letter(name, **values)
    return ListNotice(
        from_name=link.association.title,
        bridge_address=MailAddress(link.mailbox.address),
        list_address=link.list_address,
        reply_to=extras.reply_to or (MailAddress(coordinator.address) if coordinator.address else None),
        subject=letter.subject,
        text=letter.text,
        html=renderer.letter_html(name, **(values | {"subject": letter.subject})) if extras.html else None,
        files=extras.files,
        message_id=message_id,
        in_reply_to=extras.in_reply_to,
        references=extras.references,
        archived_at=extras.archived_at,
        date=ctx.now().astimezone(link.zone),
        marker=mark_of(ctx, link, message_id),
    )
