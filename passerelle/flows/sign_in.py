"""Signing in without a password: a link comes to the address or the account that we know, a button spends it, once.

Whatever was typed, the answer is the same, and the work is done after it was given.
"""

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Mailbox
from passerelle.core.ids import AssociationName, MailAddress, UserId
from passerelle.core.links import Link
from passerelle.core.readership import named_alike
from passerelle.core.settings import AssociationSettings
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.own_events import is_ours
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.readers import association_of, reader_of
from passerelle.flows.sessions import begin_session, new_secret
from passerelle.mail.addresses import parse_address
from passerelle.store.people import find_or_insert_person, list_addresses
from passerelle.store.readers import find_person_of, list_joined_rooms, list_persons_at
from passerelle.store.rooms import find_member
from passerelle.store.sessions import Token, count_try, find_token, insert_token, spend_token

log = logging.getLogger(__name__)

SIGN_IN = "sign_in"
#: More links than these in an hour, for one address or from one place, are too many to be meant.
LINKS_AN_HOUR = 5
TRIES_AN_HOUR = 30
_HOUR = timedelta(hours=1)
_LONGEST_SECRET = 128
_LONGEST_TYPED = 400
_USER_ID = re.compile(r"(?:https://matrix\.to/#/)?(@[^@:\s/?]{1,200}:[^@\s/?]{1,200})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """Someone who may come in: by which address or account, as they are stored."""

    person_id: int
    name: str
    address: MailAddress | None = None
    user_id: UserId | None = None

    @property
    def way(self) -> str:
        return self.address or self.user_id or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Who may be meant by a link: an address may be a couple's."""

    id: int
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitation:
    """What a link is worth, before its button is pressed."""

    state: Literal["good", "spent", "expired", "unknown"]
    people: tuple[Person, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Entered:
    """Someone came in. `secret` is the session's, for the cookie."""

    secret: str
    target: str


# ------------------------------------------------------------ asking


async def is_too_often(ctx: FlowContext, place: str) -> bool:
    """Count a try from a place (an address of the internet); whether there were too many within the hour."""
    who = ctx.hashed("place", place)
    async with ctx.store.write(durable=False, quiet=True) as conn:
        tries = await count_try(conn, "sign_in_place", who, now=ctx.now(), window=_HOUR)
    return tries > TRIES_AN_HOUR


async def send_link(ctx: FlowContext, association: AssociationName, typed: str, target: str) -> bool:
    """Send a link to whom the typed address or account belongs, where they may read; whether one was stored.

    Args:
        typed: what stands in the page's field; anything.
        target: path to go on to, checked (`web.door.safe_target`), or "".
    """
    settings = association_of(ctx, association)
    typed = typed.strip()
    if settings is None or ctx.settings.web is None or len(typed) > _LONGEST_TYPED or not typed.isprintable():
        return False  # PostgreSQL takes no NUL, and nobody has one in an address
    async with ctx.store.write() as conn:
        who = ctx.hashed("sign_in", association, typed.strip().lower())
        if await count_try(conn, "sign_in_address", who, now=ctx.now(), window=_HOUR) > LINKS_AN_HOUR:
            return False
        known = await _find_known(ctx, conn, settings, typed)
        if known is None:
            return False
        # Of one person, however the address was typed.
        way = ctx.hashed("sign_in", association, known.way.lower())
        if way != who and await count_try(conn, "sign_in_address", way, now=ctx.now(), window=_HOUR) > LINKS_AN_HOUR:
            return False
        await _insert_link(ctx, conn, settings, known, target)
    return True


async def _find_known(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, typed: str
) -> Known | None:
    user_id = _USER_ID.fullmatch(typed.strip())
    if user_id is not None:
        return await _known_by_user_id(ctx, conn, association, UserId(user_id[1]))
    address = parse_address(typed)
    if address is None or ctx.is_bridge(address) or _is_list(ctx, address):
        return None
    people = await people_at(ctx, conn, association, address)
    if people:
        person, stored = people[0]
        return Known(person_id=person.id, name=person.name if len(people) == 1 else "", address=stored)
    return None


def _is_list(ctx: FlowContext, address: MailAddress) -> bool:
    return any(address.lower() == mine.lower() for link in ctx.links for mine in link.list_addresses)


async def people_at(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, address: MailAddress
) -> list[tuple[Person, MailAddress]]:
    """Who has an address, as it is stored, and may read; a coordinator who never wrote is made known here."""
    name = AssociationName(association.name)
    found = await list_persons_at(conn, name, address)
    for coordinator in association.coordinators:
        if coordinator.address is None or coordinator.address.lower() != address.lower():
            continue
        if not any(named_alike(coordinator.name, known) for _, known, _ in found):
            own, now = MailAddress(coordinator.address), ctx.now()
            id = await find_or_insert_person(
                conn, name, name=coordinator.name, address=own, now=now, source="configuration"
            )
            if id not in [known for known, _, _ in found]:
                found.append((id, coordinator.name, own))
    return await _who_may_read(ctx, conn, name, found)


async def _who_may_read(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, found: list[tuple[int, str, MailAddress]]
) -> list[tuple[Person, MailAddress]]:
    return [
        (Person(id=id, name=name), stored)
        for id, name, stored in found
        if (await reader_of(ctx, conn, association, id)).person_id is not None
    ]


async def _known_by_user_id(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, user_id: UserId
) -> Known | None:
    if is_ours(ctx.settings.matrix, user_id):
        return None
    name = AssociationName(association.name)
    person_id = await find_person_of(conn, name, user_id)
    if person_id is None:
        called = await _name_in_rooms(ctx, conn, association, user_id)
        if called is None:
            return None
        person_id = await find_or_insert_person(conn, name, name=called, user_id=user_id, now=ctx.now())
    reader = await reader_of(ctx, conn, name, person_id)
    return None if reader.person_id is None else Known(person_id=person_id, name=reader.name, user_id=user_id)


async def _name_in_rooms(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, user_id: UserId
) -> str | None:
    """By what name someone is in a room of the association, or coordinates it; None where neither."""
    for coordinator in association.coordinators:
        if coordinator.matrix == user_id:
            return coordinator.name
    rooms = [
        room for link in ctx.links if link.association_name == association.name and (room := ctx.links.room_of(link))
    ]
    for room_id in await list_joined_rooms(conn, user_id, rooms):
        member = await find_member(conn, room_id, user_id)
        return member.display_name if member else ""
    return None


async def _insert_link(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationSettings, known: Known, target: str
) -> None:
    assert ctx.settings.web is not None
    secret, now = new_secret(), ctx.now()
    token = Token(
        keyed_hash=ctx.hashed("link", secret),
        association=AssociationName(association.name),
        person_id=known.person_id,
        purpose=SIGN_IN,
        target=target,
        sent_to=_hash_of_way(ctx, known.way),
        created_at=now,
        expires_at=now + timedelta(minutes=ctx.settings.web.link_minutes),
    )
    await insert_token(conn, token)
    variables = {
        "name": known.name,
        "url": f"{ctx.settings.web.url.rstrip('/')}/{association.name}/sign-in/{secret}",
        "until": token.expires_at,
    }
    link, unique_key = _any_link(ctx, association), f"sign_in:{token.keyed_hash}"
    if known.user_id is not None:
        await insert_direct_message(
            ctx,
            conn,
            link,
            DirectMessage(to=known.user_id, template="sign_in", unique_key=unique_key, variables=variables),
        )
    elif known.address is not None:
        to = Mailbox(address=known.address, name=known.name)
        mail = Personal(to=to, template="sign_in", unique_key=unique_key, variables=variables, at_once=True)
        await insert_personal_email(ctx, conn, link, mail)


def _any_link(ctx: FlowContext, association: AssociationSettings) -> Link:
    return next(link for link in ctx.links if link.association_name == association.name)


def _hash_of_way(ctx: FlowContext, way: str) -> str:
    return ctx.hashed("way", way.lower())


# ------------------------------------------------------------ coming in


async def find_invitation(ctx: FlowContext, association: AssociationName, secret: str) -> Invitation:
    """What a link is worth, and who may be meant. Nothing is spent: mail scanners open links too (PEOPLE 10)."""
    if len(secret) > _LONGEST_SECRET:
        return Invitation(state="unknown")
    async with ctx.store.read() as conn:
        token = await find_token(conn, ctx.hashed("link", secret))
        if token is None or token.association != association or token.purpose != SIGN_IN:
            return Invitation(state="unknown")
        if token.spent_at is not None:
            return Invitation(state="spent")
        people = await _people_of(ctx, conn, token) if token.expires_at > ctx.now() else []
    return Invitation(state="good" if people else "expired", people=tuple(people))


async def enter(
    ctx: FlowContext, association: AssociationName, secret: str, *, person_id: int | None, shared: bool
) -> Entered | None:
    """Spend a link and begin a session; None where it cannot be used, and is not spent.

    Args:
        person_id: who of those that share the address it is; None where nobody was chosen.
        shared: others use this computer too.
    """
    keyed_hash = ctx.hashed("link", secret[:_LONGEST_SECRET])
    async with ctx.store.write() as conn:
        token = await find_token(conn, keyed_hash)
        if token is None or token.association != association:
            return None
        people = [person.id for person in await _people_of(ctx, conn, token)]
        chosen = people[0] if person_id is None and len(people) == 1 else person_id
        if chosen not in people or await spend_token(conn, keyed_hash, SIGN_IN, ctx.now()) is None:
            return None
        secret_of_session = await begin_session(ctx, conn, association, chosen, shared=shared)
    log.info("Someone signed in", extra={"association": association})
    return Entered(secret=secret_of_session, target=token.target)


async def _people_of(ctx: FlowContext, conn: AsyncConnection, token: Token) -> list[Person]:
    """Who may come in by a link: its person, and who shares the address that it was sent to; those who may read."""
    address = await _address_of(ctx, conn, token)
    if address is not None:
        found = await list_persons_at(conn, token.association, address)
        return [person for person, _ in await _who_may_read(ctx, conn, token.association, found)]
    reader = await reader_of(ctx, conn, token.association, token.person_id)
    return [] if reader.person_id is None else [Person(id=reader.person_id, name=reader.name)]


async def _address_of(ctx: FlowContext, conn: AsyncConnection, token: Token) -> MailAddress | None:
    """The address that a link was sent to, where it is still its person's; None where it went to an account."""
    addresses = await list_addresses(conn, token.person_id)
    return next((a for a in addresses if _hash_of_way(ctx, a) == token.sent_to), None)
