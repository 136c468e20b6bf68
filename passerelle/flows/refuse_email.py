"""What becomes of an email that cannot be relayed: kept, with its reason, and its author told in plain words."""

import logging

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email
from passerelle.core.links import Link
from passerelle.core.model import InboxRow
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.mail.author import recover_author
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.parse import parse_headers
from passerelle.store.inbox import set_aside_inbox
from passerelle.store.incidents import insert_incident
from passerelle.store.tally import count

log = logging.getLogger(__name__)


async def refuse_email(
    ctx: FlowContext, conn: AsyncConnection, link: Link, email: Email, reason: str, row: InboxRow
) -> None:
    """Tell the human author of a refused email, once, privately, why and what to do (PEOPLE 13).

    Robots, spam, and authors who cannot be told apart from the list are never answered.
    """
    author = recover_author(email, list_addresses=link.list_addresses)
    if author is None or ctx.is_bridge(author.address) or author.address in link.list_addresses:
        return
    if automatic_reason(email) is not None or spam_marked(email):
        return
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=author,
            template=f"refusal_{reason}",
            # Not of the row: the same email is read again where a mailbox numbers its emails anew.
            unique_key=f"refusal:{link.path}:{ctx.hashed('refusal', reason, _identity(email), author.address.lower())}",
            answers=email,
            variables={
                "subject": email.subject,
                "written_at": email.date or row.received_at,
                "size_bytes": row.size_bytes,
                "limit_bytes": link.settings.email_limit_bytes,
            },
        ),
    )


def _identity(email: Email) -> str:
    """What an email of its author is known by."""
    return email.message_id or f"{email.date and email.date.isoformat()}\n{email.subject}"


async def set_aside_email(ctx: FlowContext, link: Link | None, row: InboxRow, raw: bytes, reason: str) -> None:
    """Keep an email that cannot be understood, with a reason that a coordinator can read; the next one goes on."""
    log.warning("Email set aside: %s", reason, extra={"inbox_id": row.id, "lane": row.lane})
    now = ctx.now()
    async with ctx.store.write() as conn:
        await set_aside_inbox(conn, row.id, now, reason)
        if link is None:
            return
        await count(conn, link.association_name, link.name, now.date(), "email_set_aside")
        await insert_incident(
            conn,
            association=link.association_name,
            link=link.name,
            kind="email_set_aside",
            key=f"inbox:{row.id}",
            detail=reason,
            at=now,
        )
        try:
            email = parse_headers(raw)
        except MalformedEmail:
            return
        await refuse_email(ctx, conn, link, email, "malformed", row)
