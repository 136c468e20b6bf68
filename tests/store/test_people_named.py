"""Who may be meant by a name, and who is known by name only; on both databases."""

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, MailAddress
from passerelle.store import people
from passerelle.store.engine import Store
from passerelle.store.privacy import find_known_person
from tests.store.made import LINK, NOW, A, at
from tests.store.made_secretary import OTHER, made_person

ROUBAIX = AssociationName("roubaix")


async def participant(conn: AsyncConnection, name: str, address: str | None = None) -> int:
    id = await made_person(conn, name, address)
    await people.note_participant(conn, A, LINK, id, "list", NOW)
    return id


async def named(conn: AsyncConnection, name: str, association: AssociationName = A) -> list[int]:
    return [one.id for one in await people.find_persons_named(conn, association, name)]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Léa Martin", ["Léa Martin"]), ("lea  MARTIN", ["Léa Martin"]), ("Léa", ["Léa Martin"]),
        ("Jean", ["Jean"]), ("Jean-Pierre", ["Jean-Pierre Petit"]), ("Jean Dupont", ["Jean Dupont"]),
        ("Annie", ["Annie Roux", "Annie Blanc"]), ("Martin", []), ("Lé", []), ("", []), ("  ", []), ("Paul", []),
    ],
)  # fmt: skip
async def test_who_may_be_meant(store: Store, name: str, found: list[str]) -> None:
    """A whole name is meant before a first name; nobody who does not take part."""
    names = ["Léa Martin", "Jean", "Jean Dupont", "Jean-Pierre Petit", "Annie Roux", "Annie Blanc"]
    async with store.write() as conn:
        for number, one in enumerate(names):
            await participant(conn, one, f"p{number}@membres.lab.test")
        await made_person(conn, "Paul")
        assert [one.name for one in await people.find_persons_named(conn, A, name)] == found


async def test_who_left_is_not_meant_any_more(store: Store) -> None:
    async with store.write() as conn:
        lea = await participant(conn, "Léa")
        await people.note_participant(conn, A, OTHER, lea, "room", NOW)
        assert await named(conn, "Léa") == [lea]
        assert await named(conn, "Léa", ROUBAIX) == []
        await people.leave_participant(conn, A, LINK, lea, "list", at(1))
        assert await named(conn, "Léa") == [lea]
        await people.leave_participant(conn, A, OTHER, lea, "room", at(1))
        assert await named(conn, "Léa") == []


async def test_somebody_is_known_by_name_only(store: Store) -> None:
    async with store.write() as conn:
        haddad = await people.find_or_insert_named_person(conn, A, "Mme Haddad", now=NOW)
        assert await people.find_or_insert_named_person(conn, A, "mme  HADDAD", now=NOW) == haddad
        assert await people.find_or_insert_named_person(conn, A, "Mme Haddad-Roy", now=NOW) != haddad
        assert await people.find_or_insert_named_person(conn, ROUBAIX, "Mme Haddad", now=NOW) != haddad
        assert await named(conn, "Mme Haddad") == [haddad]


async def test_a_name_alone_makes_nobody_who_writes_say_something(store: Store) -> None:
    async with store.write() as conn:
        writes = await participant(conn, "Mme Haddad")
        spoken_of = await people.find_or_insert_named_person(conn, A, "Mme Haddad", now=NOW)
        assert spoken_of != writes
        assert await named(conn, "Mme Haddad") == [writes, spoken_of]


async def test_a_coordinator_is_one_person_before_and_after_they_write(store: Store) -> None:
    """« Monique » of the configuration is « Monique Delattre » whose mail comes; who shares her address is not."""
    address = MailAddress("monique@membres.lab.test")
    async with store.write() as conn:
        configured = await people.find_or_insert_person(
            conn, A, name="Monique", address=address, now=NOW, source="configuration"
        )
        gerard = await people.find_or_insert_person(conn, A, name="Gérard Delattre", address=address, now=NOW)
        assert gerard != configured
        for name in ("Monique Delattre", "monique delattre"):
            assert await people.find_or_insert_person(conn, A, name=name, address=address, now=NOW) == configured
        known = await find_known_person(conn, configured)
        assert known is not None
        assert known.name == "Monique Delattre"
        written = await people.find_or_insert_person(conn, A, name="Gérard", address=address, now=NOW)
        assert written not in (gerard, configured)
