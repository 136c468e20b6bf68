"""Who acts: the person behind a line of the room or a mail, what they are in the link, and how well that is proved.

Whether they may is `core.permissions.judge_act`'s to say.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import AssociationName, MailAddress, UserId
from passerelle.core.links import Link
from passerelle.core.permissions import Actor, ActorProof
from passerelle.core.readership import Standing, coordinates, named_alike
from passerelle.core.register_model import Medium
from passerelle.core.settings import Coordinator
from passerelle.flows.context import FlowContext
from passerelle.flows.names_shown import display_name
from passerelle.flows.readers import find_place
from passerelle.mail.authentication import judge_authentication
from passerelle.store.people import list_addresses
from passerelle.store.readers import find_person_of, list_joined_rooms, list_persons_at

#: How long after its Date a mail proves who wrote it.
_BELIEVED_FOR = timedelta(days=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class Writer:
    """Somebody whom we know by their address."""

    person_id: int
    name: str
    #: As it is stored.
    address: MailAddress


async def actor_of_line(ctx: FlowContext, conn: AsyncConnection, link: Link, user_id: UserId) -> Actor:
    """Who said something in a link's room: the homeserver vouches for its users."""
    person_id = await find_person_of(conn, link.association_name, user_id)
    if person_id is not None:
        found = await _unproved(ctx, conn, link, person_id)
        if found is not None:
            return replace(found, medium="room", user_id=user_id, proof="room")
    room_id = ctx.links.room_of(link)
    standing = Standing(user_ids=frozenset({user_id}))
    coordinator = _coordinator_of(link, standing)
    return Actor(
        person_id=None,
        name=await display_name(conn, room_id, user_id) if room_id is not None else "",
        address=_address_of(coordinator),
        user_id=user_id,
        medium="room",
        is_participant=room_id is not None and bool(await list_joined_rooms(conn, user_id, [room_id])),
        is_coordinator=coordinator is not None,
        proof="room",
    )


async def actor_of_email(
    ctx: FlowContext, conn: AsyncConnection, link: Link, email: Email, author: Mailbox, *, through_list: bool
) -> Actor:
    """Who wrote an email.

    Args:
        author: as `mail.author.recover_author` found them.
        through_list: it came through the link's list; else to the bridge alone.

    Returns:
        Where nobody is known by that address, or several share it and the name does not say who: an actor without
        person, named as they call themselves. One whose mail the list vouches for takes part in it all the same.
    """
    proof = _proof_of(ctx, link, email, author, through_list=through_list)
    persons = await list_persons_at(conn, link.association_name, author.address)
    writer = _writer_among(persons, author)
    if writer is not None:
        found = await _unproved(ctx, conn, link, writer.person_id)
        if found is not None:
            return replace(found, address=writer.address, proof=proof)
    # A coordinator of the configuration who never wrote. Of an address that several share, one must be known by name.
    standing = Standing(name=author.name, addresses=frozenset({author.address}))
    coordinator = _coordinator_of(link, standing) if not persons else None
    return Actor(
        person_id=None,
        name=coordinator.name if coordinator is not None else author.name,
        address=_address_of(coordinator),
        user_id=None,
        medium="mail",
        is_participant=through_list and proof != "none",
        is_coordinator=coordinator is not None,
        proof=proof,
    )


async def actor_of_person(
    ctx: FlowContext, conn: AsyncConnection, link: Link, person_id: int, *, medium: Medium, proof: ActorProof
) -> Actor | None:
    """Somebody who is known otherwise: signed in on the web, or who has just confirmed; None where they are gone."""
    found = await _unproved(ctx, conn, link, person_id)
    return replace(found, medium=medium, proof=proof) if found is not None else None


async def find_writer(conn: AsyncConnection, association: AssociationName, author: Mailbox) -> Writer | None:
    """Who has the address of a mail: of several who share it, the one whose name it bears (PEOPLE 19)."""
    return _writer_among(await list_persons_at(conn, association, author.address), author)


def _writer_among(persons: list[tuple[int, str, MailAddress]], author: Mailbox) -> Writer | None:
    if len(persons) > 1:
        persons = [one for one in persons if author.name and named_alike(author.name, one[1])]
    if len(persons) != 1:
        return None
    person_id, name, address = persons[0]
    return Writer(person_id=person_id, name=name, address=address)


def _proof_of(ctx: FlowContext, link: Link, email: Email, author: Mailbox, *, through_list: bool) -> ActorProof:
    found = judge_authentication(
        email,
        authserv_id=link.mailbox.authserv_id,
        list_addresses=link.list_addresses if through_list else frozenset(),
    )
    if found.proof != "author":
        return found.proof
    # What vouches for From says nothing of an author who was found elsewhere.
    is_from = len(email.from_) == 1 and email.from_[0].address.lower() == author.address.lower()
    # A signature stays good: who has an old mail can send its bytes once more.
    is_new = email.date is not None and abs(ctx.now() - email.date) <= _BELIEVED_FOR
    return "author" if is_from and is_new else "none"


async def _unproved(ctx: FlowContext, conn: AsyncConnection, link: Link, person_id: int) -> Actor | None:
    """What a person is in a link, of whom nothing is proved yet; None where there is no such person."""
    place = await find_place(ctx, conn, link.association_name, person_id)
    if place is None:
        return None
    standing, _, is_coordinator = place
    addresses = await list_addresses(conn, person_id)
    return Actor(
        person_id=person_id,
        name=standing.name,
        address=addresses[0] if addresses else None,
        user_id=None,
        medium="mail",
        is_participant=standing.takes_part(link.name),
        is_coordinator=is_coordinator,
        proof="none",
    )


def _coordinator_of(link: Link, standing: Standing) -> Coordinator | None:
    return next((c for c in link.association.coordinators if coordinates(c, standing, shared=frozenset())), None)


def _address_of(coordinator: Coordinator | None) -> MailAddress | None:
    return MailAddress(coordinator.address) if coordinator is not None and coordinator.address else None
