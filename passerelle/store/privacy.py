"""Requests to see or to erase what is held of a person, and who the person is that asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, MailAddress, UserId
from passerelle.store.archive_tables import privacy_request
from passerelle.store.rows import Shape, parameters
from passerelle.store.tables import person, person_address, person_user_id

RequestKind = Literal["access", "erase"]
RequestedBy = Literal["author", "coordinator", "administrator"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPrivacyRequest:
    """`subject`: what it is about, one of {"post": id}, {"thread": id}, {"person": id}."""

    association: AssociationName
    kind: RequestKind
    person_id: int | None = None
    subject: Mapping[str, int]
    by: RequestedBy
    asked_at: datetime
    #: None: its author has not confirmed it yet, and nothing is done.
    confirmed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivacyRequest(NewPrivacyRequest):
    id: int
    done_at: datetime | None
    #: Counts and dates, never a word or an address.
    receipt: Mapping[str, Any] | None
    #: How far it has come.
    progress: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPerson:
    """Somebody known by name, addresses and user IDs."""

    id: int
    association: AssociationName
    name: str
    addresses: tuple[MailAddress, ...]
    user_ids: tuple[UserId, ...]


_SHAPE = Shape(PrivacyRequest, privacy_request)
_ALL = select(*_SHAPE.columns)
_INSERT = insert(privacy_request).returning(privacy_request.c.id)
_GET = _ALL.where(privacy_request.c.id == bindparam("which"))
_OPEN = _ALL.where(privacy_request.c.done_at.is_(None), privacy_request.c.confirmed_at.is_not(None)).order_by(
    privacy_request.c.id
)
_UNCONFIRMED = _ALL.where(
    privacy_request.c.done_at.is_(None),
    privacy_request.c.confirmed_at.is_(None),
    privacy_request.c.person_id == bindparam("of_person"),
    privacy_request.c.kind == bindparam("of_kind"),
    privacy_request.c.asked_at >= bindparam("since"),
).order_by(privacy_request.c.id.desc())
_OF_ASSOCIATION = _ALL.where(privacy_request.c.association == bindparam("association")).order_by(
    privacy_request.c.id.desc()
)
_OF_PERSON = _ALL.where(privacy_request.c.person_id == bindparam("of_person")).order_by(privacy_request.c.id)
_CONFIRM = (
    update(privacy_request)
    .where(privacy_request.c.id == bindparam("which"), privacy_request.c.confirmed_at.is_(None))
    .values(confirmed_at=bindparam("now"))
)
_PROGRESS = update(privacy_request).where(privacy_request.c.id == bindparam("which")).values(progress=bindparam("far"))
_FINISH = (
    update(privacy_request)
    .where(privacy_request.c.id == bindparam("which"))
    .values(done_at=bindparam("now"), receipt=bindparam("said"), progress=bindparam("far"))
)
_PERSON = select(person.c.id, person.c.association, person.c.name)
_ADDRESSES = (
    select(person_address.c.address)
    .where(person_address.c.person_id == bindparam("which"))
    .order_by(person_address.c.added_at, person_address.c.address)
)
_USER_IDS = (
    select(person_user_id.c.user_id)
    .where(person_user_id.c.person_id == bindparam("which"))
    .order_by(person_user_id.c.added_at, person_user_id.c.user_id)
)
_SHARERS = (
    select(person_address.c.person_id)
    .join(person, person.c.id == person_address.c.person_id)
    .where(person.c.association == bindparam("association"), person_address.c.address == bindparam("address"))
)


async def insert_request(conn: AsyncConnection, new: NewPrivacyRequest) -> int:
    """Note what was asked; its id."""
    id: int = (await conn.execute(_INSERT, parameters(new))).scalar_one()
    return id


async def find_request(conn: AsyncConnection, id: int) -> PrivacyRequest | None:
    """The request of that id."""
    row = (await conn.execute(_GET, {"which": id})).first()
    return None if row is None else _SHAPE.value(row)


async def list_open_requests(conn: AsyncConnection) -> list[PrivacyRequest]:
    """Confirmed, and not done yet; the oldest first."""
    return _SHAPE.values((await conn.execute(_OPEN)).all())


async def find_unconfirmed(
    conn: AsyncConnection, person_id: int, kind: RequestKind, *, since: datetime
) -> PrivacyRequest | None:
    """A person's latest request of a kind that waits for their word, asked since then."""
    row = (await conn.execute(_UNCONFIRMED, {"of_person": person_id, "of_kind": kind, "since": since})).first()
    return None if row is None else _SHAPE.value(row)


async def list_requests(conn: AsyncConnection, association: AssociationName) -> list[PrivacyRequest]:
    """All of an association, the newest first."""
    return _SHAPE.values((await conn.execute(_OF_ASSOCIATION, {"association": association})).all())


async def list_requests_of(conn: AsyncConnection, person_id: int) -> list[PrivacyRequest]:
    """All of one person, the oldest first."""
    return _SHAPE.values((await conn.execute(_OF_PERSON, {"of_person": person_id})).all())


async def confirm_request(conn: AsyncConnection, id: int, now: datetime) -> bool:
    """Its author said yes; False where that was said before."""
    return (await conn.execute(_CONFIRM, {"which": id, "now": now})).rowcount == 1


async def set_progress(conn: AsyncConnection, id: int, progress: Mapping[str, Any]) -> None:
    """How far it has come, in the transaction that does the work."""
    await conn.execute(_PROGRESS, {"which": id, "far": progress})


async def finish_request(
    conn: AsyncConnection, id: int, now: datetime, receipt: Mapping[str, Any], progress: Mapping[str, Any] | None = None
) -> None:
    """It is done; `receipt` says what was done. `progress`: what is to be done after it."""
    await conn.execute(_FINISH, {"which": id, "now": now, "said": receipt, "far": progress})


async def find_known_person(conn: AsyncConnection, person_id: int) -> KnownPerson | None:
    """A person by id."""
    found = await _persons(conn, _PERSON.where(person.c.id == person_id))
    return found[0] if found else None


async def find_persons(conn: AsyncConnection, association: AssociationName, what: str) -> list[KnownPerson]:
    """Whom an administrator may mean: by number, address, user ID, or whole name; case does not matter."""
    of_association = _PERSON.where(person.c.association == association)
    if what.isdecimal():
        return await _persons(conn, of_association.where(person.c.id == int(what)))
    has_address = select(person_address.c.person_id).where(person_address.c.address.in_([what, what.lower()]))
    has_user_id = select(person_user_id.c.person_id).where(person_user_id.c.user_id.in_([what, what.lower()]))
    found = await _persons(conn, of_association.where(or_(person.c.id.in_(has_address), person.c.id.in_(has_user_id))))
    if found:
        return found
    return [one for one in await _persons(conn, of_association) if one.name.casefold() == what.strip().casefold()]


async def list_other_names(conn: AsyncConnection, association: AssociationName, person_id: int) -> list[str]:
    """What the others of an association are called."""
    statement = select(person.c.name).where(person.c.association == association, person.c.id != person_id)
    return list((await conn.execute(statement)).scalars())


async def is_shared(conn: AsyncConnection, association: AssociationName, address: MailAddress) -> bool:
    """Whether several persons have that address: a couple's."""
    values = {"association": association, "address": address}
    return len((await conn.execute(_SHARERS, values)).all()) > 1


async def _persons(conn: AsyncConnection, statement: Select[Any]) -> list[KnownPerson]:
    rows = (await conn.execute(statement.order_by(person.c.id))).all()
    return [
        KnownPerson(
            id=row.id,
            association=row.association,
            name=row.name,
            addresses=tuple((await conn.execute(_ADDRESSES, {"which": row.id})).scalars()),
            user_ids=tuple((await conn.execute(_USER_IDS, {"which": row.id})).scalars()),
        )
        for row in rows
    ]
