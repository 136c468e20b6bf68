"""Persons, their addresses and user IDs (many to many), and who takes part in which link."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.ids import AssociationName, LinkName, MailAddress, UserId
from passerelle.core.model import Side
from passerelle.core.readership import named_alike
from passerelle.store.dialects import upsert
from passerelle.store.tables import participant, person, person_address, person_user_id

_BY_ADDRESS = (
    select(person.c.id, person.c.name)
    .join(person_address, person_address.c.person_id == person.c.id)
    .where(person.c.association == bindparam("association"), person_address.c.address == bindparam("address"))
    .order_by(person.c.id)
)
_CONFIGURED = _BY_ADDRESS.where(person_address.c.source == "configuration")
_BY_USER_ID = (
    select(person.c.id, person.c.name)
    .join(person_user_id, person_user_id.c.person_id == person.c.id)
    .where(person.c.association == bindparam("association"), person_user_id.c.user_id == bindparam("user_id"))
    .order_by(person.c.id)
)
_INSERT = insert(person).returning(person.c.id)
_RENAME = update(person).where(person.c.id == bindparam("which")).values(name=bindparam("called"))
_ADD_ADDRESS = upsert(person_address, lambda i: i.on_conflict_do_nothing(index_elements=["person_id", "address"]))
_ADD_USER_ID = upsert(person_user_id, lambda i: i.on_conflict_do_nothing(index_elements=["person_id", "user_id"]))
_NOTE = upsert(
    participant,
    lambda i: i.on_conflict_do_update(
        index_elements=["association", "link", "person_id", "side"],
        set_={"since": i.excluded.since, "until": None},
        where=participant.c.until.is_not(None),
    ),
)
_LEAVE = (
    update(participant)
    .where(
        participant.c.association == bindparam("in_association"),
        participant.c.link == bindparam("in_link"),
        participant.c.person_id == bindparam("who"),
        participant.c.side == bindparam("on_side"),
        participant.c.until.is_(None),
    )
    .values(until=bindparam("now"))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Participant:
    """Who takes part in a link, on one side of it."""

    person_id: int
    name: str
    side: Side
    since: datetime


_PARTICIPANTS = (
    select(person.c.id, person.c.name, participant.c.side, participant.c.since)
    .join(participant, participant.c.person_id == person.c.id)
    .where(
        participant.c.association == bindparam("association"),
        participant.c.link == bindparam("link"),
        participant.c.until.is_(None),
    )
    .order_by(person.c.name, person.c.id, participant.c.side)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPerson:
    """A person by whom they are known as."""

    id: int
    name: str


# Known by name only (PEOPLE 17): nothing ever came from them.
_ONLY_SPOKEN_OF = (
    ~select(person_address.c.person_id).where(person_address.c.person_id == person.c.id).exists(),
    ~select(person_user_id.c.person_id).where(person_user_id.c.person_id == person.c.id).exists(),
)
_SPOKEN_OF = select(person.c.id, person.c.name).where(
    person.c.association == bindparam("association"), *_ONLY_SPOKEN_OF
)
_EVER_KNOWN = (
    select(person.c.id, person.c.name)
    .where(person.c.association == bindparam("association"))
    .order_by(person.c.name, person.c.id)
)
_NAMES = (
    select(person.c.id, person.c.name)
    .where(
        person.c.id.in_(
            select(participant.c.person_id).where(
                participant.c.association == bindparam("association"), participant.c.until.is_(None)
            )
        )
    )
    .union(_SPOKEN_OF)
    .order_by("id")
)
_ADDRESSES = (
    select(person_address.c.address)
    .where(person_address.c.person_id == bindparam("person_id"))
    .order_by(person_address.c.added_at, person_address.c.address)
)
_USER_IDS = (
    select(person_user_id.c.user_id)
    .where(person_user_id.c.person_id == bindparam("person_id"))
    .order_by(person_user_id.c.added_at, person_user_id.c.user_id)
)


async def find_person(
    conn: AsyncConnection,
    association: AssociationName,
    *,
    name: str,
    address: MailAddress | None = None,
    user_id: UserId | None = None,
) -> int | None:
    """Who has that user ID; else who has that address, and that name where several persons share the address.

    A user ID is one person's, whatever the name. An address may be a couple's: another name there is another person.
    """
    if user_id is not None:
        values = {"association": association, "user_id": user_id}
        if (row := (await conn.execute(_BY_USER_ID, values)).first()) is not None:
            return int(row.id)
    if address is None:
        return None
    rows = (await conn.execute(_BY_ADDRESS, {"association": association, "address": address})).all()
    wanted = _folded(name)
    same = [row for row in rows if _folded(row.name) == wanted]
    nameless = [row for row in rows if not wanted or not _folded(row.name)]
    found = same or nameless
    return int(found[0].id) if found else None


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


async def find_or_insert_person(
    conn: AsyncConnection,
    association: AssociationName,
    *,
    name: str,
    address: MailAddress | None = None,
    user_id: UserId | None = None,
    now: datetime,
    source: str = "post",
) -> int:
    """The person, as `find_person` finds it, made where there is none, with that address and user ID; its id.

    `source`: how the address or user ID is known, where it was not before.
    """
    id = await find_person(conn, association, name=name, address=address, user_id=user_id)
    if id is not None and (address is None or user_id is None):
        return id  # by what they were found, they are known
    if id is None and address is not None:
        id = await _take_configured(conn, association, name, address)
    if id is None:
        values = {"association": association, "name": name, "created_at": now}
        id = int((await conn.execute(_INSERT, values)).scalar_one())
    if address is not None:
        row = {"person_id": id, "address": address, "source": source, "added_at": now}
        await conn.execute(_ADD_ADDRESS(conn), row)
    if user_id is not None:
        row = {"person_id": id, "user_id": user_id, "source": source, "added_at": now}
        await conn.execute(_ADD_USER_ID(conn), row)
    return id


async def _take_configured(
    conn: AsyncConnection, association: AssociationName, name: str, address: MailAddress
) -> int | None:
    """The coordinator whom only the configuration named so far, « Monique », and who now says « Monique Delattre »: the
    same person, called from now on as they call themselves."""
    rows = (await conn.execute(_CONFIGURED, {"association": association, "address": address})).all()
    found = next((row for row in rows if row.name and named_alike(row.name, name)), None)
    if found is None:
        return None
    await conn.execute(_RENAME, {"which": found.id, "called": name})
    return int(found.id)


async def find_persons_named(conn: AsyncConnection, association: AssociationName, name: str) -> list[KnownPerson]:
    """Who may be meant by a name, of those who take part in any link, and those who are known by name only.

    Whoever is called so, whatever accents and capitals; where nobody is, whose name begins with these words (« Léa »).
    More than one: whoever said the name has to be asked.
    """
    wanted = fold(name).split()
    if not wanted:
        return []
    rows = (await conn.execute(_NAMES, {"association": association})).all()
    known = [(KnownPerson(id=row.id, name=row.name), fold(row.name).split()) for row in rows]
    return [one for one, words in known if words == wanted] or [
        one for one, words in known if words[: len(wanted)] == wanted
    ]


async def list_ever_known(conn: AsyncConnection, association: AssociationName) -> list[KnownPerson]:
    """Everybody whom an association knows or knew, who left as well, by name."""
    rows = await conn.execute(_EVER_KNOWN, {"association": association})
    return [KnownPerson(id=row.id, name=row.name) for row in rows if row.name]


async def list_named_only(conn: AsyncConnection, association: AssociationName) -> list[KnownPerson]:
    """Who is known by name only (PEOPLE 17), by name: others tell them by word of mouth."""
    rows = await conn.execute(_SPOKEN_OF.order_by(person.c.name, person.c.id), {"association": association})
    return [KnownPerson(id=row.id, name=row.name) for row in rows if row.name]


async def find_or_insert_named_person(
    conn: AsyncConnection, association: AssociationName, name: str, *, now: datetime
) -> int:
    """Somebody who is known by name only (PEOPLE 17), made where nobody of that name is; the id.

    Never anybody who writes: another person may have the same name, so whoever writes is first looked for by
    `find_persons_named`, and chosen by a human where it is not clear.
    """
    wanted = fold(name).split()
    for row in (await conn.execute(_SPOKEN_OF.order_by(person.c.id), {"association": association})).all():
        if fold(row.name).split() == wanted:
            return int(row.id)
    values = {"association": association, "name": name, "created_at": now}
    return int((await conn.execute(_INSERT, values)).scalar_one())


async def rename_person(conn: AsyncConnection, person_id: int, name: str) -> None:
    """The name by which a person is shown."""
    await conn.execute(_RENAME, {"which": person_id, "called": name})


async def note_participant(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    person_id: int,
    side: Side,
    now: datetime,
) -> None:
    """A person takes part in a link; `now` counts where it did not, or had left."""
    values = {"association": association, "link": link, "person_id": person_id, "side": side, "since": now}
    await conn.execute(_NOTE(conn), values)


async def leave_participant(
    conn: AsyncConnection,
    association: AssociationName,
    link: LinkName,
    person_id: int,
    side: Side,
    now: datetime,
) -> None:
    """A person takes part no longer."""
    values = {"in_association": association, "in_link": link, "who": person_id, "on_side": side, "now": now}
    await conn.execute(_LEAVE, values)


async def list_participants(conn: AsyncConnection, association: AssociationName, link: LinkName) -> list[Participant]:
    """Who takes part in a link now, by name."""
    rows = await conn.execute(_PARTICIPANTS, {"association": association, "link": link})
    return [Participant(person_id=r.id, name=r.name, side=r.side, since=r.since) for r in rows]


async def list_addresses(conn: AsyncConnection, person_id: int) -> list[MailAddress]:
    """A person's addresses, the first known first."""
    return [MailAddress(a) for a in (await conn.execute(_ADDRESSES, {"person_id": person_id})).scalars()]


async def list_user_ids(conn: AsyncConnection, person_id: int) -> list[UserId]:
    """A person's user IDs, the first known first."""
    return [UserId(u) for u in (await conn.execute(_USER_IDS, {"person_id": person_id})).scalars()]
