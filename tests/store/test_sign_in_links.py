"""Links that are spent once, sessions and feed keys, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from passerelle.core.ids import UserId
from passerelle.flows.readers import note_left_room
from passerelle.flows.sessions import end_feed_key, feed_reader, make_feed_key, session_reader, sign_out
from passerelle.flows.sign_in import LINKS_AN_HOUR, TRIES_AN_HOUR, enter, find_invitation, is_too_often, send_link
from passerelle.store.archive_tables import feed_key, reader_session, reader_token, throttle
from passerelle.store.engine import Store
from passerelle.store.sessions import count_try, forget_reader
from passerelle.store.tables import person_address
from tests.web.town import EPEULE, MONIQUE, ROUBAIX, START, Town, settings_of, town_on

ANNIE = "annie@membres.lab.test"


@pytest.fixture
def town(store: Store, tmp_path: Path) -> Town:
    return town_on(store, settings_of(tmp_path, {}, {}))


async def link_for(town: Town, typed: str = ANNIE, target: str = "") -> str:
    assert await send_link(town.ctx, EPEULE, typed, target)
    return (await town.secrets_sent())[-1]


async def signed_in(town: Town, typed: str = ANNIE, *, shared: bool = True) -> str:
    entered = await enter(town.ctx, EPEULE, await link_for(town, typed), person_id=None, shared=shared)
    assert entered is not None
    return entered.secret


# ------------------------------------------------------------ asking


async def test_the_link_goes_to_the_stored_address_at_once_even_at_night(town: Town) -> None:
    town.pass_time(hours=13)
    await town.writes("Annie@membres.lab.test", "Annie")
    assert await send_link(town.ctx, EPEULE, "  annie@MEMBRES.lab.test ", "/epeule/p/abcdefghijkl")
    (mail,), (row,) = await town.mails(), await town.outbox("email")
    assert row.recipient == "Annie@membres.lab.test"
    assert row.due_at == town.clock[0]
    assert mail["Auto-Submitted"] == "auto-generated"
    body = mail.get_body(("plain",))
    assert body is not None
    (secret,) = await town.secrets_sent()
    assert f"https://archives.lab.test/epeule/sign-in/{secret}\n" in body.get_content().replace("\r\n", "\n")
    assert len(secret) == 43, "256 bits"


async def test_nothing_secret_stands_in_the_tables_of_links_and_sessions(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    link = await link_for(town)
    entered = await enter(town.ctx, EPEULE, link, person_id=None, shared=True)
    assert entered is not None
    stored = ""
    async with town.ctx.store.read() as conn:
        for table in (reader_token, reader_session, throttle):
            stored += repr((await conn.execute(select(table))).all())
    for secret in (link, entered.secret, ANNIE):
        assert secret not in stored


@pytest.mark.parametrize(
    "typed",
    [
        "nobody@membres.lab.test",
        "@nobody:lab.test",
        "",
        "not an address",
        "bureau-epeule@listes.lab.test",
        "passerelle@membres.lab.test",
        "@passerelle:lab.test",
        ANNIE + "\r\nBcc: mallory@evil.test",
        f"{ANNIE}, mallory@evil.test",
        "a" * 401,
    ],
)
async def test_who_is_not_known_gets_nothing(town: Town, typed: str) -> None:
    await town.writes(ANNIE, "Annie")
    await town.joins("@passerelle:lab.test", "Passerelle")
    assert not await send_link(town.ctx, EPEULE, typed, "")
    assert await town.outbox() == []


async def test_a_member_of_the_room_who_never_spoke_gets_a_direct_message(town: Town) -> None:
    await town.joins("@lea:lab.test", "Léa")
    secret = await link_for(town, "@lea:lab.test")
    (row,) = await town.outbox("direct")
    assert row.recipient == "@lea:lab.test"
    invitation = await find_invitation(town.ctx, EPEULE, secret)
    assert [person.name for person in invitation.people] == ["Léa"]


async def test_a_coordinator_who_never_wrote_comes_in(town: Town) -> None:
    secret = await link_for(town, MONIQUE)
    entered = await enter(town.ctx, EPEULE, secret, person_id=None, shared=True)
    assert entered is not None
    entry = await session_reader(town.ctx, EPEULE, entered.secret)
    assert entry is not None
    assert entry.reader.is_coordinator
    assert entry.reader.name == "Monique"


async def test_who_left_is_not_known_any_more(town: Town) -> None:
    await town.chats("@lea:lab.test", "Léa")
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    assert not await send_link(town.ctx, EPEULE, "@lea:lab.test", "")


async def test_one_address_gets_few_links_an_hour(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    typed = [ANNIE, "Annie@membres.lab.test", "ANNIE@membres.lab.test", "annie@MEMBRES.lab.test"]
    sent = [await send_link(town.ctx, EPEULE, typed[n % 4], "") for n in range(12)]
    assert sum(sent) == LINKS_AN_HOUR
    town.pass_time(minutes=61)
    assert await send_link(town.ctx, EPEULE, ANNIE, "")


async def test_one_place_tries_so_often_and_no_more(town: Town) -> None:
    tries = [await is_too_often(town.ctx, "192.0.2.1") for _ in range(TRIES_AN_HOUR + 1)]
    assert tries == [False] * TRIES_AN_HOUR + [True]
    assert not await is_too_often(town.ctx, "192.0.2.2")
    town.pass_time(minutes=61)
    assert not await is_too_often(town.ctx, "192.0.2.1")


async def test_a_window_that_is_over_begins_anew(store: Store) -> None:
    window = timedelta(hours=1)
    async with store.write() as conn:
        counts = [
            await count_try(conn, "test", "who", now=START + timedelta(minutes=m), window=window)
            for m in (0, 30, 59, 60, 61)
        ]
    assert counts == [1, 2, 3, 1, 2]


# ------------------------------------------------------------ the button


async def test_a_link_is_spent_once(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    secret = await link_for(town, target="/epeule/t/abcdefghijkl")
    for _ in range(3):
        assert (await find_invitation(town.ctx, EPEULE, secret)).state == "good", "looking spends nothing"
    entered = await enter(town.ctx, EPEULE, secret, person_id=None, shared=True)
    assert entered is not None
    assert entered.target == "/epeule/t/abcdefghijkl"
    assert await enter(town.ctx, EPEULE, secret, person_id=None, shared=True) is None
    assert (await find_invitation(town.ctx, EPEULE, secret)).state == "spent"


async def test_a_link_expires(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    secret = await link_for(town)
    town.pass_time(minutes=60)
    assert (await find_invitation(town.ctx, EPEULE, secret)).state == "expired"
    assert await enter(town.ctx, EPEULE, secret, person_id=None, shared=True) is None


async def test_a_link_of_one_association_opens_no_other(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    await town.writes(ANNIE, "Annie", path="roubaix/bureau")
    secret = await link_for(town)
    assert (await find_invitation(town.ctx, ROUBAIX, secret)).state == "unknown"
    assert await enter(town.ctx, ROUBAIX, secret, person_id=None, shared=True) is None
    assert await session_reader(town.ctx, ROUBAIX, await signed_in(town)) is None


async def test_who_left_before_pressing_does_not_come_in(town: Town) -> None:
    await town.chats("@lea:lab.test", "Léa")
    secret = await link_for(town, "@lea:lab.test")
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    assert await enter(town.ctx, EPEULE, secret, person_id=None, shared=True) is None


async def test_of_a_couple_each_comes_in_by_name(town: Town) -> None:
    paul = await town.writes("famille@membres.lab.test", "Paul")
    annie = await town.writes("famille@membres.lab.test", "Annie")
    other = await town.writes("other@membres.lab.test", "Autre")
    secret = await link_for(town, "famille@membres.lab.test")
    assert {p.id for p in (await find_invitation(town.ctx, EPEULE, secret)).people} == {paul, annie}
    for nobody in (None, other, 9999):
        assert await enter(town.ctx, EPEULE, secret, person_id=nobody, shared=True) is None
    entered = await enter(town.ctx, EPEULE, secret, person_id=annie, shared=True)
    assert entered is not None
    entry = await session_reader(town.ctx, EPEULE, entered.secret)
    assert entry is not None
    assert entry.reader.person_id == annie


async def test_a_link_to_one_s_own_address_does_not_open_the_account_of_who_shares_another(town: Town) -> None:
    paul = await town.writes("famille@membres.lab.test", "Paul")
    annie = await town.writes("famille@membres.lab.test", "Annie")
    async with town.ctx.store.write() as conn:
        row = {"person_id": paul, "address": "paul@membres.lab.test", "source": "post", "added_at": START}
        await conn.execute(person_address.insert().values(**row))
    secret = await link_for(town, "paul@membres.lab.test")
    assert [p.id for p in (await find_invitation(town.ctx, EPEULE, secret)).people] == [paul]
    assert await enter(town.ctx, EPEULE, secret, person_id=annie, shared=True) is None


# ------------------------------------------------------------ sessions


async def test_on_a_shared_computer_half_an_hour_without_doing_anything_ends_it(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    secret = await signed_in(town)
    for _ in range(4):
        town.pass_time(minutes=29)
        assert await session_reader(town.ctx, EPEULE, secret) is not None
    town.pass_time(minutes=30)
    assert await session_reader(town.ctx, EPEULE, secret) is None


async def test_one_s_own_computer_stays_signed_in_for_its_days_and_no_longer(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    secret = await signed_in(town, shared=False)
    town.pass_time(days=89)
    assert await session_reader(town.ctx, EPEULE, secret) is not None
    town.pass_time(days=1)
    assert await session_reader(town.ctx, EPEULE, secret) is None


async def test_signing_out_ends_that_session_alone(town: Town) -> None:
    await town.writes(ANNIE, "Annie")
    here, there = await signed_in(town), await signed_in(town)
    entry = await session_reader(town.ctx, EPEULE, here)
    assert entry is not None
    await sign_out(town.ctx, entry)
    assert await session_reader(town.ctx, EPEULE, here) is None
    assert await session_reader(town.ctx, EPEULE, there) is not None


@pytest.mark.parametrize("secret", ["", "x", "a" * 10_000, "ré", "\0"])
async def test_what_is_no_session_lets_nobody_in(town: Town, secret: str) -> None:
    assert await session_reader(town.ctx, EPEULE, secret) is None
    assert await feed_reader(town.ctx, EPEULE, secret) is None


async def test_leaving_the_room_ends_sessions_links_and_feed_keys_in_that_transaction(town: Town) -> None:
    await town.chats("@lea:lab.test", "Léa")
    session, link = await signed_in(town, "@lea:lab.test"), await link_for(town, "@lea:lab.test")
    entry = await session_reader(town.ctx, EPEULE, session)
    assert entry is not None
    key = await make_feed_key(town.ctx, entry)
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    async with town.ctx.store.write() as conn:
        await note_left_room(town.ctx, conn, town.link(), UserId("@lea:lab.test"))
    # Coming back brings none of it back.
    await town.joins("@lea:lab.test", "Léa")
    assert await session_reader(town.ctx, EPEULE, session) is None
    assert await feed_reader(town.ctx, EPEULE, key) is None
    assert (await find_invitation(town.ctx, EPEULE, link)).state == "unknown"


async def test_a_session_whose_person_left_ends_at_the_next_request(town: Town) -> None:
    await town.chats("@lea:lab.test", "Léa")
    session = await signed_in(town, "@lea:lab.test")
    await town.joins("@lea:lab.test", "Léa", membership="leave")
    assert await session_reader(town.ctx, EPEULE, session) is None
    await town.joins("@lea:lab.test", "Léa")
    assert await session_reader(town.ctx, EPEULE, session) is None


async def test_a_feed_key_is_one_and_can_be_taken_back(town: Town) -> None:
    annie = await town.writes(ANNIE, "Annie")
    entry = await session_reader(town.ctx, EPEULE, await signed_in(town))
    assert entry is not None
    first = await make_feed_key(town.ctx, entry)
    reader = await feed_reader(town.ctx, EPEULE, first)
    assert reader is not None
    assert reader.person_id == annie
    assert await feed_reader(town.ctx, ROUBAIX, first) is None
    second = await make_feed_key(town.ctx, entry)
    assert await feed_reader(town.ctx, EPEULE, first) is None
    assert await feed_reader(town.ctx, EPEULE, second) is not None
    await end_feed_key(town.ctx, entry)
    assert await feed_reader(town.ctx, EPEULE, second) is None


async def test_of_an_erased_person_nothing_is_kept(town: Town) -> None:
    annie = await town.writes(ANNIE, "Annie")
    entry = await session_reader(town.ctx, EPEULE, await signed_in(town))
    assert entry is not None
    await make_feed_key(town.ctx, entry)
    async with town.ctx.store.write() as conn:
        await forget_reader(conn, annie)
        for table in (reader_session, reader_token, feed_key):
            assert (await conn.execute(select(table))).all() == []
