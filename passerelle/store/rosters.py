"""Imported rosters: who is on a list. Addresses stand here with their ASCII letters in lower case."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.store.archive_tables import roster, roster_entry
from passerelle.store.dialects import upsert


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterEntry:
    address: str
    name: str
    person_id: int
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RosterState:
    """A link has a roster: from where, since when, with how many addresses."""

    source: str
    imported_at: datetime
    addresses: int


_OF_LINK = (
    roster_entry.c.association == bindparam("in_association"),
    roster_entry.c.link == bindparam("of_link"),
)
_ADDRESSES = select(roster_entry.c.address).where(*_OF_LINK)
_COUNT = select(func.count()).select_from(roster_entry).where(*_OF_LINK)
_FIND = select(roster.c.source, roster.c.imported_at).where(
    roster.c.association == bindparam("association"), roster.c.link == bindparam("link")
)
_PUT = upsert(
    roster,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "link"],
        set_={"source": i.excluded.source, "imported_at": i.excluded.imported_at},
    ),
)
_PUT_ENTRY = upsert(
    roster_entry,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "link", "address"], set_={"name": i.excluded.name}
    ),
)
_DELETE_ENTRIES = delete(roster_entry).where(*_OF_LINK, roster_entry.c.address.in_(bindparam("gone", expanding=True)))
_DELETE_ALL = delete(roster_entry).where(*_OF_LINK)
_DELETE_ROSTER = delete(roster).where(
    roster.c.association == bindparam("in_association"), roster.c.link == bindparam("of_link")
)
#: Whoever writes to the list without being on it takes part no longer, nor does who was taken off it.
_LEAVE = text(
    """
UPDATE participant SET until = :now
  WHERE association = :association AND link = :link AND side = 'list' AND until IS NULL AND NOT EXISTS (
    SELECT 1 FROM person_address a JOIN roster_entry r
      ON r.association = :association AND r.link = :link AND r.address = lower(a.address)
      WHERE a.person_id = participant.person_id)"""
)


async def find_roster(conn: AsyncConnection, association: AssociationName, link: LinkName) -> RosterState | None:
    """A link's roster; None where none was imported."""
    row = (await conn.execute(_FIND, {"association": association, "link": link})).first()
    if row is None:
        return None
    count = (await conn.execute(_COUNT, {"in_association": association, "of_link": link})).scalar_one()
    return RosterState(source=row.source, imported_at=row.imported_at, addresses=count)


async def list_roster_addresses(conn: AsyncConnection, association: AssociationName, link: LinkName) -> set[str]:
    """The addresses on a link's roster."""
    values = {"in_association": association, "of_link": link}
    return set((await conn.execute(_ADDRESSES, values)).scalars())


async def put_roster(
    conn: AsyncConnection, association: AssociationName, link: LinkName, *, source: str, now: datetime
) -> None:
    """From now on the roster says who is on the link's list."""
    values = {"association": association, "link": link, "source": source, "imported_at": now}
    await conn.execute(_PUT(conn), values)


async def put_entries(
    conn: AsyncConnection, association: AssociationName, link: LinkName, entries: Sequence[RosterEntry]
) -> None:
    """Addresses that are on the list; of those that were, the name is told anew."""
    if entries:
        rows = [
            {
                "association": association,
                "link": link,
                "address": entry.address,
                "name": entry.name,
                "person_id": entry.person_id,
                "since": entry.since,
            }
            for entry in entries
        ]
        await conn.execute(_PUT_ENTRY(conn), rows)


async def delete_entries(
    conn: AsyncConnection, association: AssociationName, link: LinkName, addresses: Sequence[str]
) -> None:
    """Addresses that were taken off the list."""
    values = {"in_association": association, "of_link": link, "gone": list(addresses)}
    await conn.execute(_DELETE_ENTRIES, values)


async def delete_roster(conn: AsyncConnection, association: AssociationName, link: LinkName) -> None:
    """The roster counts no more: who writes to the list takes part."""
    values = {"in_association": association, "of_link": link}
    await conn.execute(_DELETE_ALL, values)
    await conn.execute(_DELETE_ROSTER, values)


async def leave_who_is_off_roster(
    conn: AsyncConnection, association: AssociationName, link: LinkName, now: datetime
) -> int:
    """On the list's side nobody takes part who is not on the roster; how many took part until now."""
    # Instants are stored as microseconds (`store.types.Instant`).
    statement = _LEAVE.bindparams(bindparam("now", type_=roster.c.imported_at.type))
    values = {"association": association, "link": link, "now": now}
    return (await conn.execute(statement, values)).rowcount
