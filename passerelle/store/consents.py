"""Consents: who agreed to what by their own word. One row for each person and thing; nobody's silence is a yes."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import and_, bindparam, case, false, null, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.consents import Consent
from passerelle.core.ids import AssociationName
from passerelle.store.dialects import upsert
from passerelle.store.digest_tables import consent
from passerelle.store.rows import Shape
from passerelle.store.types import Instant

_SHAPE = Shape(Consent, consent)
_KEY = ["association", "person_id", "what"]
_THE_ONE = and_(
    consent.c.association == bindparam("in_association"),
    consent.c.person_id == bindparam("who"),
    consent.c.what == bindparam("which"),
)
_FIND = select(*_SHAPE.columns).where(_THE_ONE)
_ASK = upsert(consent, lambda i: i.on_conflict_do_nothing(index_elements=_KEY))
_GIVE = upsert(
    consent,
    lambda i: i.on_conflict_do_update(
        index_elements=_KEY,
        set_={"answered_at": i.excluded.answered_at, "given": true(), "withdrawn_at": null()},
    ),
)
_TAKE_BACK = (
    update(consent)
    .where(_THE_ONE)
    .values(
        answered_at=bindparam("now", type_=Instant()),
        withdrawn_at=case((consent.c.given, bindparam("now", type_=Instant())), else_=consent.c.withdrawn_at),
        given=false(),
    )
)
_LIST = (
    select(*_SHAPE.columns)
    .where(consent.c.association == bindparam("in_association"), consent.c.what == bindparam("which"))
    .order_by(consent.c.id)
)


_GIVEN = select(consent.c.association, consent.c.what, consent.c.person_id).where(
    consent.c.association.in_(bindparam("associations", expanding=True)), consent.c.given
)


async def find_consent(
    conn: AsyncConnection, association: AssociationName, person_id: int, what: str
) -> Consent | None:
    """What a person said of a thing; None where they were neither asked nor said anything."""
    row = (await conn.execute(_FIND, _one(association, person_id, what))).first()
    return None if row is None else _SHAPE.value(row)


async def insert_consent(
    conn: AsyncConnection, association: AssociationName, person_id: int, what: str, *, now: datetime
) -> bool:
    """A person is asked; False, and nothing is changed, where they were already."""
    row = {"association": association, "person_id": person_id, "what": what, "asked_at": now}
    return (await conn.execute(_ASK(conn), row)).rowcount == 1


async def give_consent(
    conn: AsyncConnection, association: AssociationName, person_id: int, what: str, *, now: datetime
) -> None:
    """A person agrees, asked or not, also after they had taken it back."""
    row = {
        "association": association,
        "person_id": person_id,
        "what": what,
        "asked_at": now,
        "answered_at": now,
        "given": True,
    }
    await conn.execute(_GIVE(conn), row)


async def withdraw_consent(
    conn: AsyncConnection, association: AssociationName, person_id: int, what: str, *, now: datetime
) -> bool:
    """A person does not agree, or no longer; whether they had."""
    before = await find_consent(conn, association, person_id, what)
    if before is None:
        await insert_consent(conn, association, person_id, what, now=now)
    await conn.execute(_TAKE_BACK, {**_one(association, person_id, what), "now": now})
    return before is not None and before.given


async def list_consents(conn: AsyncConnection, association: AssociationName, what: str) -> list[Consent]:
    """Everyone who was asked about a thing, or said something of it, the first first."""
    rows = await conn.execute(_LIST, {"in_association": association, "which": what})
    return _SHAPE.values(rows.all())


async def list_consenting(conn: AsyncConnection, association: AssociationName, what: str) -> frozenset[int]:
    """Who agrees to a thing now: persons' ids."""
    return frozenset(one.person_id for one in await list_consents(conn, association, what) if one.given)


async def list_given(
    conn: AsyncConnection, associations: Collection[AssociationName]
) -> Mapping[tuple[AssociationName, str], frozenset[int]]:
    """Who agrees now, by association and thing: persons' ids. What nobody agrees to is not in it."""
    found: dict[tuple[AssociationName, str], set[int]] = {}
    if associations:
        for association, what, person_id in await conn.execute(_GIVEN, {"associations": sorted(associations)}):
            found.setdefault((AssociationName(association), what), set()).add(person_id)
    return {key: frozenset(people) for key, people in found.items()}


def _one(association: AssociationName, person_id: int, what: str) -> dict[str, object]:
    return {"in_association": association, "who": person_id, "which": what}
