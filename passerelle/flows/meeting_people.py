"""Whom a meeting concerns: who is invited by mail, who is told in the room, who is told by word of mouth.

What one person is sent for one meeting is kept small (PEOPLE 11). A list mail reaches everyone on the list and cannot
leave anybody out, so what is known of the list decides:

- No roster, or an old one: the list mail is the convocation, since there may be members whom we do not know. Who is
  known gets the calendar invitation beside it, a few lines that go on from the list mail and repeat nothing of it.
- A roster that is kept up to date names every member: then each gets one mail, the convocation with its invitation, and
  the list gets none.
- A general assembly's convocation always goes to the list as well: that all were called must be beyond doubt.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.flows.context import FlowContext
from passerelle.flows.who_is_named import known_names
from passerelle.store.outbox import find_outbox_by_unique_key
from passerelle.store.people import list_addresses
from passerelle.store.rosters import find_roster, list_roster_addresses

#: A roster that was imported longer ago does not say who has come since.
_UP_TO_DATE = timedelta(days=45)


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitee:
    """An address that is invited, and who reads it: an address may be a couple's (PEOPLE 19)."""

    address: MailAddress
    names: tuple[str, ...]
    person_ids: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Invitees:
    """Whom we can write to."""

    known: tuple[Invitee, ...]
    #: Nobody is on the list whom we do not know: nothing has to go to the list.
    is_everyone: bool


async def find_invitees(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> Invitees:
    """Who takes part in a link and has an address, once for each address; never the list's, nor the bridge's."""
    roster = await find_roster(conn, link.association_name, link.name)
    on_roster = await list_roster_addresses(conn, link.association_name, link.name) if roster is not None else set()
    found: dict[str, tuple[MailAddress, list[str], list[int]]] = {}
    for person in await known_names(conn, link):
        addresses = [one for one in await list_addresses(conn, person.person_id) if _is_a_persons(ctx, link, one)]
        # Who is on the list reads the address that is on it.
        addresses.sort(key=lambda one: one.lower() not in on_roster)
        if addresses:
            entry = found.setdefault(addresses[0].lower(), (addresses[0], [], []))
            entry[1].append(person.name)
            entry[2].append(person.person_id)
    known = tuple(
        Invitee(address=address, names=tuple(name for name in names if name), person_ids=tuple(ids))
        for address, names, ids in found.values()
    )
    is_kept = roster is not None and roster.imported_at > ctx.now() - _UP_TO_DATE
    return Invitees(known=known, is_everyone=is_kept and on_roster <= set(found) and meeting.kind != "assembly")


def _is_a_persons(ctx: FlowContext, link: Link, address: MailAddress) -> bool:
    return not ctx.is_bridge(address) and address.lower() not in {one.lower() for one in link.list_addresses}


def invitation_key(ctx: FlowContext, link: Link, meeting: Meeting, address: MailAddress) -> str:
    """The unique key of the convocation or invitation to one address: by it we know whom we invited."""
    about = About(kind="meeting", ids=(meeting.id,), step="convocation")
    return about_key(about, link.path, "person", ctx.hashed("person", address.lower()))


async def was_invited(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, address: MailAddress
) -> bool:
    """Whether an address was sent an invitation to a meeting, of ours."""
    return await find_outbox_by_unique_key(conn, invitation_key(ctx, link, meeting, address)) is not None


async def invited(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> list[Invitee]:
    """Those of today's participants whom we invited to a meeting."""
    found = await find_invitees(ctx, conn, link, meeting)
    return [one for one in found.known if await was_invited(ctx, conn, link, meeting, one.address)]
