"""What decides who may read: where a person takes part, and what was opened. One look-up for each request."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MailAddress, RoomId, UserId
from passerelle.core.readership import Opening, Standing
from passerelle.store.tables import person, person_address, person_user_id, room_member

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_OPENINGS = """
SELECT 'opening' AS kind, link AS link, what AS word, "to" AS other, told_at AS at, opens_at AS later
  FROM opening WHERE association = :association AND cancelled_at IS NULL"""
_LIST_OPENINGS = text(_OPENINGS)
#: One statement, since every page asks it. Addresses of a roster have their ASCII letters in lower case.
_FIND_STANDING = text(
    _OPENINGS
    + """
UNION ALL SELECT 'person', '', name, '', NULL, NULL FROM person WHERE id = :person AND association = :association
UNION ALL SELECT 'address', '', address, '', NULL, NULL FROM person_address WHERE person_id = :person
UNION ALL SELECT 'user_id', '', user_id, '', NULL, NULL FROM person_user_id WHERE person_id = :person
UNION ALL SELECT 'wrote_to', link, '', '', NULL, NULL FROM participant
  WHERE association = :association AND link IN :links AND person_id = :person AND side = 'list' AND until IS NULL
UNION ALL SELECT 'rostered', link, '', '', NULL, NULL FROM roster WHERE association = :association
UNION ALL SELECT 'on_roster', r.link, '', '', NULL, NULL FROM person_address a
  JOIN roster_entry r ON r.association = :association AND r.link IN :links AND r.address = lower(a.address)
  WHERE a.person_id = :person
UNION ALL SELECT 'member', m.room_id, coalesce(r.history_visibility, ''), '', NULL, NULL FROM person_user_id u
  JOIN room_member m ON m.room_id IN :rooms AND m.user_id = u.user_id AND m.membership = 'join'
  LEFT JOIN room r ON r.room_id = m.room_id
  WHERE u.person_id = :person"""
).bindparams(bindparam("links", expanding=True), bindparam("rooms", expanding=True))
_SHARED_ADDRESSES = (
    select(person_address.c.address)
    .join(person, person.c.id == person_address.c.person_id)
    .where(
        person.c.association == bindparam("association"),
        person.c.id != bindparam("person"),
        person_address.c.address.in_(bindparam("addresses", expanding=True)),
    )
    .distinct()
)
_BY_ADDRESS = (
    select(person.c.id, person.c.name, person_address.c.address)
    .join(person_address, person_address.c.person_id == person.c.id)
    .where(
        person.c.association == bindparam("association"),
        func.lower(person_address.c.address) == func.lower(bindparam("address")),
    )
    .order_by(person.c.name, person.c.id)
)
_BY_USER_ID = (
    select(person.c.id)
    .join(person_user_id, person_user_id.c.person_id == person.c.id)
    .where(person.c.association == bindparam("association"), person_user_id.c.user_id == bindparam("user_id"))
    .order_by(person.c.id)
    .limit(1)
)
_JOINED_ROOMS = select(room_member.c.room_id).where(
    room_member.c.room_id.in_(bindparam("rooms", expanding=True)),
    room_member.c.user_id == bindparam("user_id"),
    room_member.c.membership == "join",
)


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)


def _opening(row: Any) -> Opening:
    told_at = _instant(row.at)
    assert told_at is not None
    return Opening(link=row.link, what=row.word, to=row.other, told_at=told_at, opens_at=_instant(row.later))


async def list_openings(conn: AsyncConnection, association: AssociationName) -> list[Opening]:
    """What was opened to more readers and not closed since, whether its delay has gone by or not."""
    return [_opening(row) for row in await conn.execute(_LIST_OPENINGS, {"association": association})]


async def find_standing(
    conn: AsyncConnection,
    association: AssociationName,
    person_id: int,
    *,
    links: Iterable[LinkName],
    rooms: Mapping[RoomId, LinkName],
) -> tuple[Standing, list[Opening]] | None:
    """A person's place in the association's links, and what was opened; None where there is no such person in it.

    Args:
        links: those of the configuration.
        rooms: their rooms, as far as known.
    """
    values = {"association": association, "person": person_id, "links": list(links), "rooms": list(rooms)}
    found: dict[str, list[Any]] = {}
    for row in await conn.execute(_FIND_STANDING, values):
        found.setdefault(row.kind, []).append(row)
    if "person" not in found:
        return None

    def named(kind: str) -> frozenset[LinkName]:
        return frozenset(row.link for row in found.get(kind, ()))

    standing = Standing(
        name=found["person"][0].word,
        addresses=frozenset(MailAddress(row.word) for row in found.get("address", ())),
        user_ids=frozenset(UserId(row.word) for row in found.get("user_id", ())),
        wrote_to=named("wrote_to"),
        rostered=named("rostered"),
        on_roster=named("on_roster"),
        rooms={rooms[row.link]: row.word for row in found.get("member", ())},
    )
    return standing, [_opening(row) for row in found.get("opening", ())]


async def list_shared(
    conn: AsyncConnection, association: AssociationName, person_id: int, addresses: Collection[MailAddress]
) -> frozenset[MailAddress]:
    """Those of a person's addresses that other persons of the association have too."""
    values = {"association": association, "person": person_id, "addresses": list(addresses)}
    return frozenset(MailAddress(a) for a in (await conn.execute(_SHARED_ADDRESSES, values)).scalars())


async def list_persons_at(
    conn: AsyncConnection, association: AssociationName, address: MailAddress
) -> list[tuple[int, str, MailAddress]]:
    """Who has an address, whatever the case of its letters: id, name, and the address as it is stored; by name."""
    rows = await conn.execute(_BY_ADDRESS, {"association": association, "address": address})
    return [(row.id, row.name, MailAddress(row.address)) for row in rows]


async def find_person_of(conn: AsyncConnection, association: AssociationName, user_id: UserId) -> int | None:
    """Who has a user ID."""
    values = {"association": association, "user_id": user_id}
    return (await conn.execute(_BY_USER_ID, values)).scalar_one_or_none()


async def list_joined_rooms(conn: AsyncConnection, user_id: UserId, rooms: Collection[RoomId]) -> list[RoomId]:
    """In which of these rooms a user is."""
    return [
        RoomId(r) for r in (await conn.execute(_JOINED_ROOMS, {"user_id": user_id, "rooms": list(rooms)})).scalars()
    ]
