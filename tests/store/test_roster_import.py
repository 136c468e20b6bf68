"""A roster replaces the one before; who was taken off it is out at once. On both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from passerelle.core.ids import MailAddress
from passerelle.flows.import_roster import RosterOutcome, forget_roster, import_roster
from passerelle.flows.sessions import feed_reader, make_feed_key, session_reader
from passerelle.flows.sign_in import enter, send_link
from passerelle.rosters.roster import Roster, RosterMember
from passerelle.store.acts import list_acts
from passerelle.store.engine import Store
from passerelle.store.people import list_participants
from passerelle.store.readers import list_persons_at
from passerelle.store.rosters import find_roster
from tests.web.town import BUREAU, EPEULE, Town, settings_of, town_on


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Town:
    return town_on(store, settings_of(tmp_path, {}, {}))


def roster_of(*members: tuple[str, str]) -> Roster:
    return Roster(source="csv", members=tuple(RosterMember(address=MailAddress(a), name=n) for a, n in members))


async def put(town: Town, *members: tuple[str, str], **how: bool) -> RosterOutcome:
    return await import_roster(town.ctx, town.link(), roster_of(*members), by="Monique", **how)


async def participants(town: Town) -> set[str]:
    async with town.ctx.store.read() as conn:
        return {p.name for p in await list_participants(conn, EPEULE, BUREAU) if p.side == "list"}


async def session_of(town: Town, address: str) -> str:
    assert await send_link(town.ctx, EPEULE, address, "")
    entered = await enter(town.ctx, EPEULE, (await town.secrets_sent())[-1], person_id=None, shared=True)
    assert entered is not None
    return entered.secret


async def test_who_never_wrote_comes_in_by_the_roster(town: Town) -> None:
    assert not await send_link(town.ctx, EPEULE, "haddad@membres.lab.test", "")
    outcome = await put(town, ("Haddad@membres.lab.test", "Mme Haddad"))
    assert (outcome.added, outcome.removed, outcome.kept, outcome.first) == (1, 0, 0, True)
    assert await session_reader(town.ctx, EPEULE, await session_of(town, "haddad@membres.lab.test"))
    assert await participants(town) == {"Mme Haddad"}


async def test_who_is_taken_off_is_out_in_that_transaction(town: Town) -> None:
    await put(town, ("annie@membres.lab.test", "Annie"), ("paul@membres.lab.test", "Paul"))
    annie, paul = [await session_of(town, f"{name}@membres.lab.test") for name in ("annie", "paul")]
    entry = await session_reader(town.ctx, EPEULE, annie)
    assert entry is not None
    key = await make_feed_key(town.ctx, entry)
    outcome = await put(town, ("paul@membres.lab.test", "Paul"))
    assert (outcome.added, outcome.removed, outcome.kept, outcome.ended) == (0, 1, 1, 1)
    # Coming back needs a new link: nothing of the old lives on.
    await put(town, ("annie@membres.lab.test", "Annie"), ("paul@membres.lab.test", "Paul"))
    assert await session_reader(town.ctx, EPEULE, annie) is None
    assert await feed_reader(town.ctx, EPEULE, key) is None
    assert await session_reader(town.ctx, EPEULE, paul) is not None


async def test_who_only_wrote_takes_part_no_longer(town: Town) -> None:
    await town.writes("passer-by@elsewhere.test", "De passage")
    session = await session_of(town, "passer-by@elsewhere.test")
    outcome = await put(town, ("paul@membres.lab.test", "Paul"))
    assert outcome.ended == 1
    assert await session_reader(town.ctx, EPEULE, session) is None
    assert await participants(town) == {"Paul"}


async def test_another_spelling_of_a_name_makes_no_second_person(town: Town) -> None:
    paul = await town.writes("famille@membres.lab.test", "Paul Martin")
    annie = await town.writes("famille@membres.lab.test", "Annie Martin")
    await town.writes("monique@membres.lab.test", "Monique Delattre")
    await put(town, ("Famille@membres.lab.test", "MARTIN Annie"), ("MONIQUE@membres.lab.test", "Famille Delattre"))
    async with town.ctx.store.read() as conn:
        family = await list_persons_at(conn, EPEULE, MailAddress("famille@membres.lab.test"))
        assert {id for id, _, _ in family} == {paul, annie}
        assert len(await list_persons_at(conn, EPEULE, MailAddress("monique@membres.lab.test"))) == 1
    for person in (paul, annie):
        assert (await town.reader(person)).person_id == person, "the address is on the list, whoever reads it"


async def test_a_dry_run_changes_nothing(town: Town) -> None:
    await town.writes("annie@membres.lab.test", "Annie")
    outcome = await put(town, ("paul@membres.lab.test", "Paul"), dry_run=True)
    assert (outcome.added, outcome.first) == (1, True)
    assert await participants(town) == {"Annie"}
    async with town.ctx.store.read() as conn:
        assert await find_roster(conn, EPEULE, BUREAU) is None


async def test_the_wrong_file_is_not_taken(town: Town) -> None:
    members = [(f"m{n}@membres.lab.test", f"Membre {n}") for n in range(20)]
    await put(town, *members)
    for wrong in ([], members[:9], [(f"x{a}", n) for a, n in members]):
        assert (await put(town, *wrong)).suspicious
        async with town.ctx.store.read() as conn:
            state = await find_roster(conn, EPEULE, BUREAU)
        assert state is not None
        assert state.addresses == 20
    assert (await put(town, *members[:9], force=True)).removed == 11
    assert len(await participants(town)) == 9


async def test_the_bridge_and_lists_are_no_readers(town: Town) -> None:
    outcome = await put(
        town,
        ("passerelle@membres.lab.test", "Passerelle"),
        ("Bureau-Roubaix@listes.lab.test", "Une autre liste"),
        ("paul@membres.lab.test", "Paul"),
    )
    assert outcome.added == 1


async def test_a_roster_can_be_forgotten(town: Town) -> None:
    assert not await forget_roster(town.ctx, town.link(), by="Monique")
    await put(town, ("paul@membres.lab.test", "Paul"))
    annie = await town.writes("annie@membres.lab.test", "Annie")
    assert (await town.reader(annie)).person_id is None
    assert await forget_roster(town.ctx, town.link(), by="Monique")
    assert (await town.reader(annie)).person_id == annie
    async with town.ctx.store.read() as conn:
        acts = await list_acts(conn, EPEULE)
    assert [act.what for act in acts] == ["roster", "roster"]
    assert "@" not in repr([act.about for act in acts])


async def test_a_long_list_comes_in_in_several_transactions(town: Town) -> None:
    members = [(f"m{n}@membres.lab.test", f"Membre {n}") for n in range(250)]
    assert (await put(town, *members)).added == 250
    outcome = await put(town, *members)
    assert (outcome.added, outcome.removed, outcome.kept) == (0, 0, 250)
