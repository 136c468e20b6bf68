"""Following a real homeserver: everything arrives, in order, with a cursor that never runs ahead."""

import asyncio
from typing import Any

import pytest

from lab.matrix_client import ChatMember
from lab.proxy import TcpProxy
from lab.synapse import Account, Synapse
from passerelle.core.ids import RoomId
from passerelle.core.ports import ConnectionState
from passerelle.errors import StoreError
from passerelle.matrix.bot import MatrixBot
from tests.integration.matrix.conftest import MakeBot, MakeMember
from tests.integration.matrix.following import Following, text

Salon = tuple[ChatMember, str, MatrixBot]


async def test_a_first_start_begins_at_the_present(salon: Salon) -> None:
    lea, room_id, bot = salon
    await lea.say(room_id, "avant")
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await lea.say(room_id, "après")
        await seen.wait_body("après")
    assert "avant" not in seen.bodies()
    assert {e["type"] for e in seen.state()} >= {"m.room.join_rules", "m.room.history_visibility", "m.room.name"}


async def test_a_resumed_start_knows_names_and_misses_nothing(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    await lea.set_display_name("Léa")
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
    await bot.close()
    await lea.say(room_id, "pendant l’arrêt")
    again = make_bot(session=session)
    async with Following(again, {room_id}, since=seen.cursor) as resumed:
        await resumed.wait_body("pendant l’arrêt")
    facts = {e["type"]: e["content"] for e in resumed.state() if e["type"] != "m.room.member"}
    assert facts["m.room.name"] == {"name": "Salon du comité"}
    assert {"m.room.join_rules", "m.room.history_visibility", "m.room.power_levels"} <= set(facts)
    members = [e for e in (*resumed.state(), *resumed.events()) if e["type"] == "m.room.member"]
    assert "Léa" in {e["content"].get("displayname") for e in members if e["state_key"] == lea.user_id}


async def test_a_quiet_room_is_known_after_a_resumed_start(salon: Salon, make_bot: MakeBot) -> None:
    _, room_id, bot = salon
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
    await bot.close()
    async with Following(make_bot(session=session), {room_id}, since=seen.cursor) as resumed:
        await resumed.wait_live()
    assert "m.room.name" in {e["type"] for e in resumed.state()}


async def test_three_hundred_events_sent_while_down_arrive_in_order(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
    await bot.close()
    lines = [f"ligne {number}" for number in range(300)]
    for line in lines:
        await lea.say(room_id, line)
    async with Following(make_bot(session=session), {room_id}, since=seen.cursor) as resumed:
        await resumed.wait_body("ligne 299")
        await resumed.wait_live()
    assert resumed.bodies() == lines
    gap_pages = [a for a in resumed.arrivals if a.before == a.after and a.rooms]
    assert len(gap_pages) >= 2
    assert not any(a.live for a in resumed.arrivals if len(a.rooms and a.rooms[0].timeline) > 0)
    assert not any(update.lost_past for update in resumed.updates())


async def test_a_store_that_fails_in_a_gap_is_handed_the_same_again(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
    await bot.close()
    lines = [f"ligne {number}" for number in range(250)]
    for line in lines:
        await lea.say(room_id, line)
    resumed = Following(make_bot(session=session), {room_id}, since=seen.cursor)
    resumed.failure = StoreError()
    async with resumed:
        await resumed.wait_body("ligne 249")
    assert list(dict.fromkeys(resumed.bodies())) == lines


async def test_a_gap_of_a_room_that_was_joined_meanwhile_begins_at_the_joining(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    other_room = await lea.create_room("Un autre salon", options={"preset": "private_chat"})
    async with Following(bot, {room_id, other_room}) as seen:
        await seen.wait_live()
    for number in range(120):
        await lea.say(other_room, f"avant {number}")
    await lea.invite(other_room, bot.user_id)
    await bot.join(other_room)
    await bot.close()
    lines = [f"après {number}" for number in range(130)]
    for line in lines:
        await lea.say(other_room, line)
    async with Following(make_bot(session=session), {room_id, other_room}, since=seen.cursor) as resumed:
        await resumed.wait_body("après 129")
    assert resumed.bodies() == lines


async def test_what_was_said_before_an_absence_is_not_lost_with_it(salon: Salon, make_bot: MakeBot) -> None:
    lea, room_id, bot = salon
    session = await bot.connect()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
    before = [f"avant {number}" for number in range(60)]
    after = [f"après {number}" for number in range(110)]
    for line in before:
        await lea.say(room_id, line)
    await lea.call("POST", f"rooms/{room_id}/kick", {"user_id": bot.user_id})
    await lea.say(room_id, "en notre absence")
    await lea.invite(room_id, bot.user_id)
    await bot.join(room_id)
    await bot.close()
    for line in after:
        await lea.say(room_id, line)
    async with Following(make_bot(session=session), {room_id}, since=seen.cursor) as resumed:
        await resumed.wait_body("après 109")
    told = [line for line in resumed.bodies() if line != "en notre absence"]
    assert told == before + after


async def test_only_invitations_to_configured_rooms_are_accepted(
    bot_account: Account, make_bot: MakeBot, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    wanted = await lea.create_room("Salon")
    foreign = await lea.create_room("Autre")
    bot = make_bot()
    async with Following(bot, {wanted}) as seen:
        await seen.wait_live()
        await lea.invite(foreign, bot_account.user_id)
        await lea.invite(wanted, bot_account.user_id)
        await lea.wait_for(wanted, lambda e: e.get("state_key") == bot.user_id and e["content"]["membership"] == "join")
        await lea.say(wanted, "bienvenue")
        await seen.wait_body("bienvenue")
    assert await lea.joined_members(foreign) == [lea.user_id]
    assert {u.room_id for u in seen.updates()} == {wanted}


async def test_an_invitation_that_came_before_a_crash_is_still_accepted(
    bot_account: Account, make_bot: MakeBot, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Salon")
    bot = make_bot()
    session = await bot.connect()
    async with Following(bot, set()) as seen:
        await seen.wait_live()
        await lea.invite(room_id, bot_account.user_id)
        before = seen.cursor
        await seen.wait(lambda: seen.cursor != before)
    async with Following(make_bot(session=session), {room_id}, since=seen.cursor) as resumed:
        await resumed.wait(lambda: any(u.room_id == room_id for u in resumed.updates()))
    assert bot.user_id in await lea.joined_members(room_id)


async def test_what_was_said_before_the_joining_is_not_taken_in(
    bot_account: Account, make_bot: MakeBot, make_chat_member: MakeMember
) -> None:
    lea = await make_chat_member("lea")
    room_id = await lea.create_room("Salon")
    bot = make_bot()
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        for number in range(5):
            await lea.say(room_id, f"entre nous {number}")
        await lea.invite(room_id, bot_account.user_id)
        await lea.wait_for(
            room_id, lambda e: e.get("state_key") == bot.user_id and e["content"]["membership"] == "join"
        )
        await lea.say(room_id, "à tous")
        await seen.wait_body("à tous")
    assert seen.bodies() == ["à tous"]


BAD_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("m.room.message", {"msgtype": "m.text", "body": "x", "formatted_body": 7, "format": []}),
    ("m.room.message", {"msgtype": "m.image", "body": "sans adresse"}),
    ("m.room.message", {"msgtype": "m.file", "body": "chiffré", "file": {"url": "mxc://lab.test/x", "v": "v2"}}),
    ("m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "?"}),
    ("m.room.encrypted", {}),
    ("m.reaction", {"m.relates_to": "non"}),
    ("org.example.unknown", {"x": {"y": [None, True]}}),
]


@pytest.mark.parametrize("crypto", [False, True])
async def test_what_nio_cannot_parse_arrives_all_the_same(salon: Salon, make_bot: MakeBot, crypto: bool) -> None:
    lea, room_id, _ = salon
    bot = make_bot(crypto=crypto)
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        ids = [await lea.send_event(room_id, kind, content) for kind, content in BAD_EVENTS]
        await lea.say(room_id, "le voisin")
        await seen.wait_body("le voisin")
    arrived = {e["event_id"]: (e["type"], e["content"], e["room_id"]) for e in seen.events()}
    assert [arrived[i] for i in ids] == [(kind, content, room_id) for kind, content in BAD_EVENTS]


async def test_a_change_of_the_rooms_openness_arrives(salon: Salon) -> None:
    lea, room_id, bot = salon
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await lea.set_state(room_id, "m.room.join_rules", {"join_rule": "public"})
        await lea.set_state(room_id, "m.room.history_visibility", {"history_visibility": "world_readable"})
        await lea.call("POST", f"rooms/{room_id}/kick", {"user_id": bot.user_id})
        await seen.wait(lambda: _memberships(seen, bot.user_id)[-1:] == ["leave"])
    kinds = [e["type"] for e in seen.events()]
    assert "m.room.join_rules" in kinds
    assert "m.room.history_visibility" in kinds


def _memberships(seen: Following, user_id: str) -> list[str]:
    return [e["content"]["membership"] for e in seen.events() if e.get("state_key") == user_id]


async def test_a_killed_homeserver_is_waited_for_with_the_same_token(
    salon: Salon, make_bot: MakeBot, synapse: Synapse
) -> None:
    lea, room_id, bot = salon
    states: list[ConnectionState] = []
    changed = asyncio.Event()

    def note(state: ConnectionState) -> None:
        states.append(state)
        changed.set()

    session = await bot.connect()
    async with TcpProxy(synapse.port) as proxy:
        behind = make_bot(session=session, url=f"http://127.0.0.1:{proxy.port}", on_state=note)
        async with Following(behind, {room_id}) as seen:
            await seen.wait_live()
            await proxy.refuse()
            proxy.cut()
            async with asyncio.timeout(30):
                while not any(not s.up for s in states):
                    changed.clear()
                    await changed.wait()
            for number in range(3):
                await lea.say(room_id, f"pendant la panne {number}")
            await proxy.accept()
            await seen.wait_body("pendant la panne 2")
        down = next(s for s in states if not s.up)
        assert (down.refused, down.source) == (False, f"matrix:{bot.user_id}")
        assert down.retry_in_seconds is not None
        assert down.retry_in_seconds > 0
    assert seen.bodies() == [f"pendant la panne {number}" for number in range(3)]


async def test_the_bots_own_events_come_back_with_their_transaction(salon: Salon) -> None:
    _, room_id, bot = salon
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        event_id = await bot.send_event(RoomId(room_id), text("de nous"), transaction_id="own-1")
        event = await seen.wait_event(event_id)
    assert event["sender"] == bot.user_id


async def test_the_names_of_authors_come_again_where_they_were_not_stored(salon: Salon) -> None:
    lea, room_id, bot = salon
    await lea.set_display_name("Léa")
    async with Following(bot, {room_id}) as seen:
        await seen.wait_live()
        await lea.say(room_id, "un")
        await seen.wait_body("un")
        known = len(seen.updates())
        seen.failure = StoreError()
        await lea.say(room_id, "deux")
        await seen.wait_body("deux")
    names = [e["content"].get("displayname") for u in seen.updates()[known:] for e in u.state]
    assert names == ["Léa"]
