"""A list's members are imported: the roster then says who is on the list; who was taken off it is out at once."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.readership import named_alike
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import end_who_left
from passerelle.rosters.roster import Roster, RosterMember
from passerelle.store.acts import NewAct, insert_act
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.readers import list_persons_at
from passerelle.store.rosters import (
    RosterEntry,
    delete_entries,
    delete_roster,
    find_roster,
    leave_who_is_off_roster,
    list_roster_addresses,
    put_entries,
    put_roster,
)

log = logging.getLogger(__name__)

#: Members in one transaction: it must not hold up the bridge beside it.
_AT_ONCE = 100
#: A roster that loses more than half of so many at once is probably another list's.
_MANY = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterOutcome:
    """What a roster changes, or would."""

    added: int
    removed: int
    kept: int
    #: There was none before: from now on it alone says who is on the list.
    first: bool
    #: Persons whose sessions and feed keys ended.
    ended: int = 0
    #: It takes most of the members off: nothing was done, it may be the wrong file.
    suspicious: bool = False


async def import_roster(
    ctx: FlowContext, link: Link, roster: Roster, *, by: str, dry_run: bool = False, force: bool = False
) -> RosterOutcome:
    """Let `roster` replace the former one of a link.

    Args:
        by: who does it, for the log that participants can read.
        force: also where most of the members go.
    """
    names = (link.association_name, link.name)
    new = {_ascii_lower(member.address): member for member in roster.members if not _is_ours(ctx, link, member)}
    async with ctx.store.read() as conn:
        old = await list_roster_addresses(conn, *names)
        first = await find_roster(conn, *names) is None
    added, removed = [a for a in new if a not in old], sorted(old - new.keys())
    suspicious = not new or (len(old) >= _MANY and 2 * len(removed) > len(old))
    outcome = RosterOutcome(
        added=len(added), removed=len(removed), kept=len(old) - len(removed), first=first, suspicious=suspicious
    )
    if dry_run or not new or (suspicious and not force):
        return outcome
    for start in range(0, len(added), _AT_ONCE):
        async with ctx.store.write() as conn:
            await _add(ctx, conn, link, [new[address] for address in added[start : start + _AT_ONCE]])
    async with ctx.store.write() as conn:
        for start in range(0, len(removed), _AT_ONCE):
            await delete_entries(conn, *names, removed[start : start + _AT_ONCE])
        await put_roster(conn, *names, source=roster.source, now=ctx.now())
        await leave_who_is_off_roster(conn, *names, ctx.now())
        ended = await end_who_left(ctx, conn, link.association_name)
        about = {"added": len(added), "removed": len(removed), "source": roster.source}
        act = NewAct(association=names[0], link=names[1], by=by, what="roster", about=about, at=ctx.now())
        await insert_act(conn, act)
    log.info("Roster imported", extra={"link": link.path, **about})
    return RosterOutcome(
        added=outcome.added,
        removed=outcome.removed,
        kept=outcome.kept,
        first=first,
        ended=ended,
        suspicious=suspicious,
    )


async def forget_roster(ctx: FlowContext, link: Link, *, by: str) -> bool:
    """From now on who writes to the list takes part, as before there was a roster; False where there is none."""
    names = (link.association_name, link.name)
    async with ctx.store.write() as conn:
        if await find_roster(conn, *names) is None:
            return False
        await delete_roster(conn, *names)
        await end_who_left(ctx, conn, link.association_name)
        act = NewAct(association=names[0], link=names[1], by=by, what="roster", about={"forgotten": True}, at=ctx.now())
        await insert_act(conn, act)
    return True


def _ascii_lower(address: str) -> str:
    """As SQLite's `lower` does: `store.readers` compares by it."""
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in address)


def _is_ours(ctx: FlowContext, link: Link, member: RosterMember) -> bool:
    """The bridge itself is on its lists, and reads nothing; nor does a list that is on another."""
    lists = {_ascii_lower(address) for known in ctx.links for address in known.list_addresses}
    return ctx.is_bridge(member.address) or _ascii_lower(member.address) in lists


async def _add(ctx: FlowContext, conn: AsyncConnection, link: Link, members: Sequence[RosterMember]) -> None:
    now, entries = ctx.now(), []
    for member in members:
        person_id = await _person_of(ctx, conn, link, member)
        await note_participant(conn, link.association_name, link.name, person_id, "list", now)
        address = _ascii_lower(member.address)
        entries.append(RosterEntry(address=address, name=member.name, person_id=person_id, since=now))
    await put_entries(conn, link.association_name, link.name, entries)


async def _person_of(ctx: FlowContext, conn: AsyncConnection, link: Link, member: RosterMember) -> int:
    """Who has the address already, by name where several do; a new person where nobody does.

    Another spelling of the name makes no second person: the list knows addresses, not who reads them.
    """
    known = await list_persons_at(conn, link.association_name, member.address)
    alike = [id for id, name, _ in known if name and member.name and named_alike(name, member.name)]
    if known:
        return alike[0] if alike else known[0][0]
    return await find_or_insert_person(
        conn,
        link.association_name,
        name=member.name,
        address=MailAddress(member.address),
        now=ctx.now(),
        source="roster",
    )
