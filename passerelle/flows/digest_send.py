"""Digests leave when they are due: each once, whoever of several daemons is first, and never where there is nothing to
say.

What is told is read and chosen before anything is written. Then one transaction takes the subscription
(compare-and-swap on its `next_at`), notes the digest and what its reader was shown, and stores what leaves.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import NewDigest, Subscription
from passerelle.core.digest_rhythm import quiet_until, told_time
from passerelle.core.email import Mailbox
from passerelle.core.ids import MailAddress, UserId
from passerelle.core.links import Link
from passerelle.errors import PasserelleError, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_addresses import answer_ways, numbered_ways
from passerelle.flows.digest_make import MadeDigest, make_digest, variables_of
from passerelle.flows.digest_whole import whole_mails
from passerelle.flows.digest_wishes import following
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.mail.compose_types import Unsubscribe, WholeMail
from passerelle.store.digests import (
    claim_due_subscriptions,
    end_subscription,
    insert_digest,
    next_digest_at,
    note_shown,
    take_subscription,
)
from passerelle.store.people import list_addresses, list_user_ids
from passerelle.store.posts import is_any_gone
from passerelle.store.rooms import find_member

log = logging.getLogger(__name__)

#: Digests that one transaction stores: it lasts some tenths of a second, and others wait to write meanwhile.
_AT_ONCE = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Due:
    """A subscription that is due, and what became of it. `made` None: its reader reads nothing here any more."""

    subscription: Subscription
    link: Link
    made: MadeDigest | None = None
    #: What was said, whole, for whom wants that.
    whole: tuple[WholeMail, ...] = ()
    #: Nothing leaves before that: it is night.
    wait_until: datetime | None = None


async def send_digests(ctx: FlowContext) -> int:
    """Make the digests that are due, and store what leaves; how many left."""
    sent = 0
    while True:
        # What is claimed is claimed while this reading lasts: until it is stored.
        async with ctx.store.read() as reading:
            found = await claim_due_subscriptions(reading, ctx.now(), most=_AT_ONCE)
            due = [await _look_at(ctx, reading, one) for one in found]
            if not found:
                return sent
            async with ctx.store.write() as conn:
                for subscription, one in zip(found, due, strict=True):
                    if one is not None and one.made is not None and await is_any_gone(conn, one.made.told_posts):
                        # Somebody hid a post after it was chosen: nobody can be reading while it is chosen here.
                        one = await _look_at(ctx, conn, subscription)
                    sent += await _settle_alone(ctx, conn, subscription, one)


async def next_digest_due_at(ctx: FlowContext) -> datetime | None:
    """When a digest is due next."""
    async with ctx.store.read() as conn:
        return await next_digest_at(conn)


async def _look_at(ctx: FlowContext, conn: AsyncConnection, subscription: Subscription) -> _Due | None:
    """None: its association is configured no more, or it could not be made; it is not tried before its next time."""
    assert subscription.next_at is not None
    links = ctx.links.of(subscription.association)
    if not links:
        return None
    link = links[0]
    wait_until = quiet_until(ctx.now(), link.settings, link.association.timezone)
    if wait_until is not None:
        return _Due(subscription=subscription, link=link, wait_until=wait_until)
    since, until = told_time(subscription, subscription.next_at, ctx.now())
    try:
        made = await make_digest(
            ctx,
            conn,
            subscription.association,
            subscription.person_id,
            kind=subscription.kind,
            since=since,
            until=until,
        )
    except (PasserelleError, LookupError, ValueError):
        # One digest that fails stops no other.
        log.exception("A digest could not be made", extra={"association": subscription.association})
        return None
    whole = await whole_mails(ctx, conn, made.posts) if made is not None and subscription.whole else ()
    mine = {shelf.link for shelf in made.reader.shelves if shelf.origin == "live"} if made is not None else set()
    own = next((one for one in links if one.name in mine), link)
    return _Due(subscription=subscription, link=own, made=made, whole=whole)


async def _settle_alone(ctx: FlowContext, conn: AsyncConnection, subscription: Subscription, due: _Due | None) -> bool:
    """Whether a digest left. One that cannot be said, for a template that fails, stops no other either."""
    try:
        async with conn.begin_nested():
            return await _settle(ctx, conn, subscription, due)
    except StoreError:
        raise
    except (PasserelleError, LookupError, ValueError):
        log.exception("A digest could not be told", extra={"association": subscription.association})
        return await _settle(ctx, conn, subscription, None)


async def _settle(ctx: FlowContext, conn: AsyncConnection, subscription: Subscription, due: _Due | None) -> bool:
    """Whether a digest left."""
    told_until = subscription.told_until
    if due is None:
        await take_subscription(
            conn, subscription, next_at=following(ctx, subscription, after=ctx.now()), told_until=told_until
        )
        return False
    if due.wait_until is not None:
        await take_subscription(conn, subscription, next_at=due.wait_until, told_until=told_until)
        return False
    made = due.made
    if made is None or (subscription.kind == "coordinator" and not made.reader.is_coordinator):
        await end_subscription(conn, subscription.association, subscription.person_id)
        return False
    next_at = following(ctx, subscription, after=max(ctx.now(), made.until))
    if not await take_subscription(conn, subscription, next_at=next_at, told_until=made.until):
        return False
    return bool(made.chosen.items or due.whole) and await _store(ctx, conn, due, made)


async def _store(ctx: FlowContext, conn: AsyncConnection, due: _Due, made: MadeDigest) -> bool:
    now, subscription = ctx.now(), due.subscription
    digest = await insert_digest(
        conn,
        NewDigest(
            association=subscription.association,
            kind=made.kind,
            person_id=subscription.person_id,
            since=made.since,
            until=made.until,
            document=made.chosen.to_json(),
            permalink=made.permalink,
            made_at=now,
        ),
    )
    if digest is None:
        return False
    if not await _send(ctx, conn, due, made):
        log.warning("Nobody knows where to send a digest", extra={"association": subscription.association})
        return False
    await note_shown(conn, subscription.association, subscription.person_id, made.shown(now))
    return True


async def _send(ctx: FlowContext, conn: AsyncConnection, due: _Due, made: MadeDigest) -> bool:
    """By the medium that its reader chose, or by the other where they cannot be reached by it; whole mails by mail."""
    by_mail_first = due.subscription.medium == "mail" or due.whole
    for way in (_by_mail, _by_chat) if by_mail_first else (_by_chat, _by_mail):
        if await way(ctx, conn, due, made):
            return True
    return False


async def _by_chat(ctx: FlowContext, conn: AsyncConnection, due: _Due, made: MadeDigest) -> bool:
    assert made.reader.person_id is not None
    user_ids = await list_user_ids(conn, made.reader.person_id)
    if not user_ids:
        return False
    here, to = await _where_they_chat(ctx, conn, due.link, user_ids)
    message = DirectMessage(
        to=to,
        template="digest",
        unique_key=f"digest/{made.permalink}/room",
        variables=variables_of(ctx, made, answers=numbered_ways(made)),
    )
    return await insert_direct_message(ctx, conn, here, message) is not None


async def _where_they_chat(
    ctx: FlowContext, conn: AsyncConnection, link: Link, user_ids: list[UserId]
) -> tuple[Link, UserId]:
    """The account that is in a room of the association; else the first that is known."""
    for one in ctx.links.of(link.association_name):
        room_id = ctx.links.room_of(one)
        if room_id is None:
            continue
        for user_id in user_ids:
            member = await find_member(conn, room_id, user_id)
            if member is not None and member.membership == "join":
                return one, user_id
    return link, user_ids[0]


async def _by_mail(ctx: FlowContext, conn: AsyncConnection, due: _Due, made: MadeDigest) -> bool:
    assert made.reader.person_id is not None
    link = due.link
    address = _address_of(ctx, made, await list_addresses(conn, made.reader.person_id))
    if address is None:
        return False
    variables = variables_of(ctx, made, answers=await answer_ways(ctx, conn, link, made))
    root = f"{ctx.settings.web.url.rstrip('/')}/{made.association.name}" if ctx.settings.web is not None else ""
    mail = Personal(
        to=Mailbox(name=made.reader.name, address=address),
        template="digest",
        unique_key=f"digest/{made.permalink}/mail",
        variables=variables,
        html=True,
        whole=due.whole,
        unsubscribe=Unsubscribe(
            url=variables["stop_url"] or None,
            address=MailAddress(link.mailbox.address),
            subject=ctx.renderer(made.association).words("digest_stop_subject"),
        ),
        help_url=f"{root}/about" if root else None,
        archive_url=f"{root}/" if root else None,
    )
    return await insert_personal_email(ctx, conn, link, mail) is not None


def _address_of(ctx: FlowContext, made: MadeDigest, known: list[MailAddress]) -> MailAddress | None:
    """Where a person reads: a coordinator at the address of the configuration; never a list's, nor the bridge's."""
    own = [one for one in known if not ctx.links.is_list(one) and not ctx.is_bridge(one)]
    configured = {one.address.lower() for one in made.association.coordinators if one.address}
    return next((one for one in own if one.lower() in configured), next(iter(own), None))
