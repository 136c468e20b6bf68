"""Who may read which shelf, on both databases; asked anew each time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from passerelle.core.ids import LinkName, UserId
from passerelle.core.shelves import Reader, Shelf
from passerelle.flows.readers import end_who_left, note_left_room, stranger
from passerelle.store.archive_tables import opening, roster, roster_entry
from passerelle.store.engine import Store
from tests.web.town import BUREAU, EPEULE, JARDIN, MONIQUE, ROUBAIX, START, Town, settings_of, town_on

LIVE = Shelf(association=EPEULE, link=BUREAU, origin="live")
LIVE_JARDIN = Shelf(association=EPEULE, link=JARDIN, origin="live")
PAST_LIST = Shelf(association=EPEULE, link=BUREAU, origin="import", side="list")
PAST_ROOM = Shelf(association=EPEULE, link=BUREAU, origin="import", side="room")

MakeTown = Callable[..., Town]


@pytest.fixture
def make_town(store: Store, tmp_path: Path) -> MakeTown:
    def make(**bureau: Any) -> Town:
        return town_on(store, settings_of(tmp_path, {"epeule/bureau": {"archive": bureau}}, {}))

    return make


@pytest.fixture
def town(make_town: MakeTown) -> Town:
    return make_town()


async def shelves(town: Town, person_id: int) -> frozenset[Shelf]:
    return (await town.reader(person_id)).shelves


async def of_everyone(town: Town) -> Reader:
    async with town.ctx.store.read() as conn:
        return await stranger(town.ctx, conn, EPEULE)


async def test_who_writes_to_the_list_reads_their_link_and_its_imported_list_alone(town: Town) -> None:
    annie = await town.writes("annie@membres.lab.test", "Annie")
    assert await shelves(town, annie) == {LIVE, PAST_LIST}


async def test_who_takes_part_in_one_association_is_a_stranger_in_another(town: Town) -> None:
    annie = await town.writes("annie@membres.lab.test", "Annie", path="roubaix/bureau")
    reader = await town.reader(annie)
    assert reader.person_id is None
    assert reader.shelves == frozenset()
    assert (await town.reader(annie, ROUBAIX)).person_id == annie


async def test_a_stranger_reads_nothing(town: Town) -> None:
    assert await of_everyone(town) == Reader(association=EPEULE, person_id=None)


@pytest.mark.parametrize(
    ("visibility", "reads_past"), [("shared", True), ("world_readable", True), ("joined", False), ("invited", False)]
)
async def test_the_room_s_past_follows_its_history_visibility(town: Town, visibility: str, reads_past: bool) -> None:
    await town.room_shows(visibility)
    lea = await town.chats("@lea:lab.test", "Léa")
    assert await shelves(town, lea) == ({LIVE, PAST_ROOM} if reads_past else {LIVE})


async def test_who_leaves_the_room_leaves_the_archive(town: Town) -> None:
    lea = await town.chats("@lea:lab.test", "Léa")
    for membership in ("leave", "ban", "invite"):
        await town.joins("@lea:lab.test", "Léa", membership=membership)
        assert (await town.reader(lea)).person_id is None
    await town.joins("@lea:lab.test", "Léa")
    assert LIVE in await shelves(town, lea)


async def test_who_left_the_room_but_writes_to_the_list_stays(town: Town) -> None:
    lea = await town.chats("@lea:lab.test", "Léa")
    async with town.ctx.store.write() as conn:
        await note_left_room(town.ctx, conn, town.link(), UserId("@nobody:lab.test"))
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    annie = await town.writes("annie@membres.lab.test", "Annie")
    assert (await town.reader(lea)).person_id is None
    assert (await town.reader(annie)).person_id == annie


async def put_roster(town: Town, *entries: tuple[str, int], link: LinkName = BUREAU) -> None:
    async with town.ctx.store.write() as conn:
        await conn.execute(insert(roster).values(association=EPEULE, link=link, source="csv", imported_at=START))
        for address, person_id in entries:
            await conn.execute(
                insert(roster_entry).values(
                    association=EPEULE, link=link, address=address, name="", person_id=person_id, since=START
                )
            )


async def test_a_roster_decides_who_is_on_the_list(town: Town) -> None:
    annie = await town.writes("Annie@membres.lab.test", "Annie")
    gone = await town.writes("gone@membres.lab.test", "Parti")
    silent = await town.writes("silent@membres.lab.test", "Silencieuse", path="epeule/jardin")
    await put_roster(town, ("annie@membres.lab.test", annie), ("silent@membres.lab.test", silent))
    assert await shelves(town, annie) == {LIVE, PAST_LIST}
    assert (await town.reader(gone)).person_id is None
    past_jardin = Shelf(association=EPEULE, link=JARDIN, origin="import", side="list")
    assert await shelves(town, silent) == {LIVE, PAST_LIST, LIVE_JARDIN, past_jardin}


async def test_a_roster_says_nothing_about_another_link(town: Town) -> None:
    annie = await town.writes("annie@membres.lab.test", "Annie", path="epeule/jardin")
    await put_roster(town)
    assert LIVE_JARDIN in await shelves(town, annie)


async def test_a_coordinator_reads_every_link_and_no_imported_past_of_others(town: Town) -> None:
    monique = await town.writes(MONIQUE.upper(), "Monique", path="epeule/jardin")
    reader = await town.reader(monique)
    assert reader.is_coordinator
    past_jardin = Shelf(association=EPEULE, link=JARDIN, origin="import", side="list")
    assert reader.shelves == {LIVE, LIVE_JARDIN, past_jardin}


async def test_of_who_shares_the_coordinator_s_address_only_the_namesake_coordinates(town: Town) -> None:
    monique = await town.writes(MONIQUE, "Monique Delattre")
    robert = await town.writes(MONIQUE, "Robert Delattre")
    assert (await town.reader(monique)).is_coordinator
    assert not (await town.reader(robert)).is_coordinator


# ------------------------------------------------------------ openings


async def open_(town: Town, what: str, to: str, opens_at: Any) -> None:
    row = {"association": EPEULE, "link": BUREAU, "what": what, "to": to, "told_at": START, "opens_at": opens_at}
    async with town.ctx.store.write() as conn:
        await conn.execute(insert(opening).values(**row))


async def test_public_waits_for_the_notice_and_the_delay(make_town: MakeTown) -> None:
    town = make_town(visibility="public")
    assert (await of_everyone(town)).shelves == frozenset()
    await open_(town, "posts", "public", START + timedelta(days=14))
    assert (await of_everyone(town)).shelves == frozenset()
    town.pass_time(days=14)
    assert (await of_everyone(town)).shelves == {LIVE}


async def test_an_opening_whose_notice_has_not_left_opens_nothing(make_town: MakeTown) -> None:
    town = make_town(visibility="public")
    await open_(town, "posts", "public", None)
    town.pass_time(days=400)
    assert (await of_everyone(town)).shelves == frozenset()


async def test_setting_it_back_closes_at_once(make_town: MakeTown) -> None:
    town = make_town()
    await open_(town, "posts", "public", START)
    assert (await of_everyone(town)).shelves == frozenset()


async def test_an_imported_past_opens_separately(make_town: MakeTown) -> None:
    town = make_town(visibility="public", past="public")
    await open_(town, "posts", "public", START)
    assert (await of_everyone(town)).shelves == {LIVE}
    await open_(town, "past_list", "public", START)
    assert (await of_everyone(town)).shelves == {LIVE, PAST_LIST}


async def test_a_past_opened_to_participants_is_read_by_both_sides_and_no_stranger(make_town: MakeTown) -> None:
    town = make_town(past="participants")
    annie = await town.writes("annie@membres.lab.test", "Annie")
    lea = await town.chats("@lea:lab.test", "Léa")
    other = await town.writes("other@membres.lab.test", "Autre", path="epeule/jardin")
    assert PAST_LIST not in await shelves(town, lea)
    await open_(town, "past_list", "participants", START)
    await open_(town, "past_room", "participants", START)
    for person in (annie, lea):
        assert await shelves(town, person) >= {LIVE, PAST_LIST, PAST_ROOM}
    assert not await shelves(town, other) & {LIVE, PAST_LIST, PAST_ROOM}
    assert (await of_everyone(town)).shelves == frozenset()


async def test_what_is_public_does_not_keep_who_left_signed_in(make_town: MakeTown) -> None:
    town = make_town(visibility="public")
    await open_(town, "posts", "public", START)
    lea = await town.chats("@lea:lab.test", "Léa")
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    reader = await town.reader(lea)
    assert reader.person_id is None
    assert reader.shelves == {LIVE}
    async with town.ctx.store.write() as conn:
        assert await end_who_left(town.ctx, conn, EPEULE) == 0
