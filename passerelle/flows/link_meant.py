"""Which link is meant by what reaches the bridge alone: one mailbox and one bot serve several.

Before both sides have confirmed a link nothing is obeyed there, and nothing noted (PEOPLE 2).
"""

import re
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_heads import CommandHead, find_mail_command
from passerelle.core.command_row import CommandName
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import UserId
from passerelle.core.links import Link
from passerelle.core.meeting_subjects import meeting_named
from passerelle.core.model import OutboxRow
from passerelle.flows.actors import find_writer
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import find_place
from passerelle.store.links import list_link_states
from passerelle.store.meetings import find_meeting_by_number
from passerelle.store.outbox import find_outbox_by_message_id
from passerelle.store.readers import list_joined_rooms
from passerelle.store.register import find_entry_by_number

#: Commands whose first number is an entry's; entries are numbered through all links of an association.
_OF_ENTRIES: frozenset[CommandName] = frozenset(
    {"adopt", "drop", "done", "returned", "object", "withdraw", "replace", "review"}
)
_NUMBER = re.compile(r"\b[0-9]{1,9}\b")
#: Behind a command's word its number stands near.
_NEAR = 40


async def link_of_letter(
    ctx: FlowContext, conn: AsyncConnection, email: Email, author: Mailbox, links: Sequence[Link], *, text: str
) -> Link | None:
    """Which link a mail to the bridge is about: the one of the notice that it answers, the one of the meeting or entry
    whose number it says, else one that its author takes part in or coordinates. None for somebody unknown.

    Args:
        links: those of the mailbox.
        text: own words.
    """
    for message_id in email.in_reply_to[:1]:
        ours = await find_outbox_by_message_id(conn, message_id)
        link = ctx.links.find(f"{ours.association}/{ours.link}") if ours is not None else None
        if link is not None:
            return next(iter(await _confirmed(conn, [link])), None)
    theirs = await _links_of_author(ctx, conn, await _confirmed(conn, links), author)
    if len(theirs) < 2:
        return next(iter(theirs), None)
    return await _numbered(conn, theirs, email.subject, text) or theirs[0]


async def link_of_direct(
    ctx: FlowContext, conn: AsyncConnection, user_id: UserId, ours: OutboxRow | None, *, text: str
) -> Link | None:
    """Which link a line of a direct room is about: that of what is answered, of a number, else one whose room its
    author is in."""
    if ours is not None:
        link = ctx.links.find(f"{ours.association}/{ours.link}")
        if link is not None:
            return next(iter(await _confirmed(conn, [link])), None)
    rooms = {room: link for link in ctx.links if (room := ctx.links.room_of(link)) is not None}
    joined = await list_joined_rooms(conn, user_id, list(rooms))
    theirs = await _confirmed(conn, [link for room, link in rooms.items() if room in joined])
    if len(theirs) < 2:
        return next(iter(theirs), None)
    return await _numbered(conn, theirs, text, "") or theirs[0]


async def _confirmed(conn: AsyncConnection, links: Sequence[Link]) -> list[Link]:
    states = await list_link_states(conn)
    confirmed = {(one.association, one.link) for one in states if one.confirmed_at is not None}
    return [link for link in links if (link.association_name, link.name) in confirmed]


async def _links_of_author(
    ctx: FlowContext, conn: AsyncConnection, links: Sequence[Link], author: Mailbox
) -> list[Link]:
    """Where they take part first; then where they are known at all, or coordinate by the configuration."""
    part, known, coordinated = [], [], []
    places: dict[str, tuple[bool, frozenset[str]]] = {}
    for link in links:
        name = link.association_name
        if name not in places:
            writer = await find_writer(conn, name, author)
            place = await find_place(ctx, conn, name, writer.person_id) if writer is not None else None
            standing = place[0] if place is not None else None
            takes_part = [one.path for one in links if standing is not None and standing.takes_part(one.name)]
            places[name] = writer is not None, frozenset(takes_part)
        is_known, takes_part_in = places[name]
        if link.path in takes_part_in:
            part.append(link)
        elif is_known:
            known.append(link)
        elif any((c.address or "").lower() == author.address.lower() for c in link.association.coordinators):
            coordinated.append(link)
    return [*part, *known, *coordinated]


async def _numbered(conn: AsyncConnection, links: Sequence[Link], subject: str, text: str) -> Link | None:
    """The link of the meeting or the entry whose number is said."""
    meeting_number = meeting_named(subject)
    head = find_mail_command(subject, text)
    rest = head.rest[:_NEAR] if isinstance(head, CommandHead) and head.name in _OF_ENTRIES else ""
    entry_number = _NUMBER.search(rest)
    by_place = {(link.association_name, link.name): link for link in links}
    for association in dict.fromkeys(link.association_name for link in links):
        meeting = await find_meeting_by_number(conn, association, meeting_number) if meeting_number else None
        if meeting is not None and (association, meeting.link) in by_place:
            return by_place[association, meeting.link]
        entry = await find_entry_by_number(conn, association, int(entry_number[0])) if entry_number else None
        if entry is not None and (association, entry.link) in by_place:
            return by_place[association, entry.link]
    return None
