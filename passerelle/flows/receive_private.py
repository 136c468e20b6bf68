"""An email to the bridge's own address. It did not pass through the list, so it is private (PEOPLE 1): bounces and
moderation notices are matched to what we sent; a human is told where it arrived and how to reach the list."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import MailAddress, MessageId, UserId
from passerelle.core.links import Link
from passerelle.core.meeting_subjects import tells_absence
from passerelle.core.model import InboxRow, OutboxRow
from passerelle.core.routing import route
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.meeting_answers import is_of_meeting
from passerelle.flows.meeting_files import text_of_files
from passerelle.flows.obey import OBEYED
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.privacy_mail import Letter, take_privacy_mail
from passerelle.flows.refuse_email import set_aside_email
from passerelle.flows.search_commands import (
    SEARCH_REASONS,
    MailedSearch,
    answer_by_mail,
    search_for_mail,
    search_of_email,
)
from passerelle.flows.secretary_private import obey_letter
from passerelle.flows.tell_of_lines import FAILED_KEY, HELD_KEY, tell_of_lines
from passerelle.mail.author import recover_author
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.bounce import Bounce, BounceKind, parse_bounce
from passerelle.mail.moderation import ModerationNotice, ModerationVerdict, parse_moderation_notice
from passerelle.mail.parse import parse_email
from passerelle.store.batches import list_lines_of_mail
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import finish_inbox
from passerelle.store.incidents import insert_incident
from passerelle.store.links import find_link_state
from passerelle.store.outbox import find_outbox_by_message_id
from passerelle.store.threads import find_message_ids

log = logging.getLogger(__name__)

_PARSE_SECONDS = 10
#: Ends of what nobody wrote to the bridge: the bytes help to see why.
_NO_LETTERS = frozenset({"moderation", "moderation_of_nothing", "bounce", "beside_the_list", "foreign_list"})


async def receive_private(ctx: FlowContext, row: InboxRow) -> None:
    """Take one email that is the bridge's own; whatever comes of it, the row is finished and nothing is relayed."""
    async with ctx.store.read() as conn:
        raw = await get_blob(conn, row.raw_hash) if row.raw_hash else b""
    try:
        with deadline(_PARSE_SECONDS):
            email = parse_email(raw)
            bounce = parse_bounce(email)
    except (MalformedEmail, DeadlinePassed) as error:
        await set_aside_email(ctx, some_link(ctx, row), row, raw, str(error) or "it took too long to read")
        return
    search = await _search(ctx, row, email) if bounce is None else None
    papers = await _papers(email) if bounce is None else ""
    async with ctx.store.write() as conn:
        reason = await _take(ctx, conn, Arrived(row=row, email=email, bounce=bounce, search=search, papers=papers))
        forget_raw = reason in SEARCH_REASONS | {OBEYED} or (
            bounce is None and reason not in _NO_LETTERS and await is_of_meeting(conn, email)
        )
        await finish_inbox(conn, row.id, ctx.now(), reason=reason, forget_raw=forget_raw)
    log.info("Email to the bridge: %s", reason, extra={"inbox_id": row.id})


async def _search(ctx: FlowContext, row: InboxRow, email: Email) -> MailedSearch | None:
    """What an email searches, looked for before the transaction in which it is told; None where it is no search."""
    asked, author = search_of_email(email), recover_author(email, list_addresses=frozenset())
    if asked is None or author is None or automatic_reason(email) is not None or spam_marked(email):
        return None
    return await search_for_mail(ctx, _links_of(ctx, row), author, asked)


async def _papers(email: Email) -> str:
    """What the files of a mail say that may bring minutes, read before the transaction; "" for anything else."""
    if not email.attachments or automatic_reason(email) is not None or spam_marked(email):
        return ""
    return await text_of_files(email)


def _links_of(ctx: FlowContext, row: InboxRow) -> list[Link]:
    """The links of the mailbox that an email came to, else all."""
    bridge = row.recipient or MailAddress("")
    return [link for link in ctx.links if link.mailbox.address.lower() == bridge.lower()] or list(ctx.links)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """An email to the bridge, with what was read out of it before the transaction."""

    row: InboxRow
    email: Email
    bounce: Bounce | None
    search: MailedSearch | None
    #: What its files say, where it may bring minutes.
    papers: str


async def _take(ctx: FlowContext, conn: AsyncConnection, arrived: Arrived) -> str:
    row, email = arrived.row, arrived.email
    if arrived.bounce is not None:
        return await _take_bounce(ctx, conn, arrived.bounce)
    notice = parse_moderation_notice(email)
    if notice is not None:
        return await _take_moderation(ctx, conn, notice)
    if spam_marked(email):
        return "spam"
    automatic = automatic_reason(email)
    if automatic is not None:
        return f"automatic_{automatic.value}"
    author = recover_author(email, list_addresses=frozenset())
    if author is None or ctx.is_bridge(author.address):
        return "nobody_to_answer"
    bridge, links = row.recipient or MailAddress(""), _links_of(ctx, row)
    taken = route(email, links, bridge=bridge, recipient=row.recipient)
    if taken is not None and taken.beside_the_list:
        await _note_no_header(ctx, conn, email, links, bridge)
        return "beside_the_list"
    if taken is None and email.list_id:
        # LMTP hands over whatever comes to our address. An answer to a list that is not ours would be noise there.
        return "foreign_list"
    if arrived.search is not None:
        return await answer_by_mail(ctx, conn, row, email, arrived.search)
    letter = Letter(email=email, author=author)
    asked = await take_privacy_mail(ctx, conn, letter, links)
    asked = asked or await obey_letter(ctx, conn, row, letter, links, papers=arrived.papers)
    return asked or await _answer(ctx, conn, Received(row=row, email=email, author=author), links)


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """A human's email to the bridge."""

    row: InboxRow
    email: Email
    author: Mailbox


async def _note_no_header(
    ctx: FlowContext, conn: AsyncConnection, email: Email, links: list[Link], bridge: MailAddress
) -> None:
    """A list of which nothing came yet, and an email that names it without its sign: perhaps it adds none."""
    named = {m.address for m in (*email.to, *email.cc)}
    for link in links:
        if bridge in named or not named & link.list_addresses:
            continue
        state = await find_link_state(conn, link.association_name, link.name)
        if state.last_email_at is None:
            await insert_incident(
                conn,
                association=link.association_name,
                link=link.name,
                kind="no_list_header",
                key=f"no_list_header:{link.path}",
                at=ctx.now(),
            )


async def _answer(ctx: FlowContext, conn: AsyncConnection, received: Received, links: list[Link]) -> str:
    """Tell the writer where it arrived, and whoever chats and was answered that something came."""
    email = received.email
    for message_id in (*email.in_reply_to[:1], *reversed(email.references[-20:])):
        ours = await find_outbox_by_message_id(conn, message_id)
        link = ctx.links.find(f"{ours.association}/{ours.link}") if ours else None
        if ours is None or link is None:
            continue
        names = await _tell_who_was_answered(ctx, conn, link, received, ours)
        variables = {"names": names, "list_address": link.list_address}
        await _tell_writer(ctx, conn, link, received, template="private_answer", variables=variables)
        return "private_answer"
    # Nobody knows which link is meant: what several could be is left unsaid.
    unknown: dict[str, object] = {"list_address": links[0].list_address if len(links) == 1 else ""}
    nameless = len({link.association.name for link in links}) > 1
    if nameless:
        unknown |= {"association": None, "coordinator": None}
    await _tell_writer(ctx, conn, links[0], received, template="to_the_bridge", variables=unknown, nameless=nameless)
    return "to_the_bridge"


async def _tell_who_was_answered(
    ctx: FlowContext, conn: AsyncConnection, link: Link, received: Received, ours: OutboxRow
) -> list[str]:
    """One direct message a day, person and conversation, however many write; the names of those who are told."""
    lines = await list_lines_of_mail(conn, link.association_name, ours.message_id)
    people = list(dict.fromkeys((line.author_user_id, line.author_name) for line, _ in lines))
    known = (await find_message_ids(conn, link.association_name, [ours.message_id])).get(ours.message_id)
    about = f"thread:{known.thread_id}" if known else f"outbox:{ours.id}"
    for user_id, name in people:
        await insert_direct_message(
            ctx,
            conn,
            link,
            DirectMessage(
                to=UserId(user_id),
                template="private_answer",
                unique_key=f"private:{about}:{user_id}:{_day(link, received.row)}",
                variables={"name": name, "writer": received.author.name, "subject": _quotable(received.email.subject)},
            ),
        )
    return [name for _, name in people]


def _day(link: Link, row: InboxRow) -> str:
    return row.received_at.astimezone(link.zone).date().isoformat()


def _quotable(subject: str) -> str:
    """A subject that says why somebody does not come is repeated to nobody (PEOPLE 9)."""
    return "" if tells_absence(subject) else subject


async def _tell_writer(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    letter: Received,
    *,
    template: str,
    variables: Mapping[str, object],
    nameless: bool = False,
) -> None:
    """One answer a day and person at the most, so that two robots never talk."""
    person = ctx.hashed("person", letter.author.address.lower())
    await insert_personal_email(
        ctx,
        conn,
        link,
        Personal(
            to=letter.author,
            template=template,
            unique_key=f"{template}:{person}:{_day(link, letter.row)}",
            answers=letter.email,
            variables={"subject": _quotable(letter.email.subject), **variables},
            nameless=nameless,
        ),
    )


async def _take_bounce(ctx: FlowContext, conn: AsyncConnection, bounce: Bounce) -> str:
    """Tell a human of a mail of ours that did not arrive. Anyone can write a bounce: only what we sent counts."""
    ours = await _ours(conn, bounce.original_message_id)
    failed = [r for r in bounce.recipients if r.kind is not BounceKind.DELIVERED]
    if ours is None or not failed:
        return "bounce_of_nothing"
    if all(r.kind is BounceKind.DELAYED for r in failed):
        return "bounce_delayed"
    link = ctx.links.find(f"{ours.association}/{ours.link}")
    if link is not None and {r.address for r in failed} & link.list_addresses:
        # A member's mailbox that bounces to us is no reason to say that the list has not got it.
        await tell_of_lines(ctx, conn, link, ours, template="email_bounced", key=FAILED_KEY)
    await insert_incident(
        conn,
        association=ours.association,
        link=ours.link,
        kind="bounce",
        key=f"bounce:{ours.id}",
        detail=", ".join(sorted({r.status for r in failed if r.status})),
        at=ctx.now(),
    )
    return "bounce"


async def _take_moderation(ctx: FlowContext, conn: AsyncConnection, notice: ModerationNotice) -> str:
    ours = await _ours(conn, notice.original_message_id)
    if ours is None:
        return "moderation_of_nothing"
    held = notice.verdict is ModerationVerdict.HOLD
    link = ctx.links.find(f"{ours.association}/{ours.link}")
    if link is not None:
        template, key = ("email_held", HELD_KEY) if held else ("email_rejected", FAILED_KEY)
        await tell_of_lines(ctx, conn, link, ours, template=template, key=key)
    await insert_incident(
        conn,
        association=ours.association,
        link=ours.link,
        kind="moderation" if held else "bounce",
        key=f"{notice.verdict.value}:{ours.id}",
        at=ctx.now(),
    )
    return "moderation" if held else "bounce"


async def _ours(conn: AsyncConnection, message_id: MessageId | None) -> OutboxRow | None:
    return await find_outbox_by_message_id(conn, message_id) if message_id else None


def some_link(ctx: FlowContext, row: InboxRow) -> Link | None:
    """A link of the mailbox that an email came to: whose coordinators hear of what goes wrong with it."""
    return next((k for k in ctx.links if k.mailbox.address == row.recipient), next(iter(ctx.links), None))
