"""A digest told by a direct message is answered there: by the number of an item, or by its line quoted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.store.direct_rooms import note_direct_room
from tests.flows.bridge import Bridge, MakeBridge, mail
from tests.flows.digest_answering import PAUL, posts, said_at
from tests.flows.meetings import COORDINATORS, answered, next_step
from tests.flows.test_digests import MONDAY, ring
from tests.flows.test_register_commands import told_directly
from tests.flows.test_register_notes import entries, tell

DIRECT, LEA = RoomId("!direct:lab.test"), "@lea:lab.test"
NEXT = MONDAY + timedelta(days=7)


@pytest.fixture
async def chatting(make_bridge: MakeBridge) -> Bridge:
    """Léa has her digest in the room: a meeting, a decision, a conversation."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS, quiet_from="00:00", quiet_until="00:00")
    await bridge.say("!résumé lundi")
    await bridge.say("!réunion jeudi 3 décembre 18h30 au local : budget", sender="@karim:lab.test")
    await next_step(bridge)
    await next_step(bridge)
    await bridge.receive(mail("Décision : louer la salle", subject="Salle", author=PAUL, Date=said_at(bridge)))
    await tell(bridge)
    assert bridge.now() < NEXT
    assert await ring(bridge, NEXT) == 1
    await bridge.deliver_events()
    async with bridge.ctx.store.write() as conn:
        await note_direct_room(conn, DIRECT, UserId(LEA), bridge.now())
    bridge.ctx.links.add_direct_room(DIRECT, UserId(LEA))
    return bridge


async def say_there(bridge: Bridge, body: str) -> None:
    event = bridge.event(LEA, {"msgtype": "m.text", "body": body}) | {"room_id": DIRECT}
    before = f"s{bridge.token}" if bridge.token else None
    bridge.token += 1
    update = RoomUpdate(room_id=DIRECT, timeline=(event,), state=())
    await bridge.intake.take_sync(
        SyncArrivals(source="matrix", before=before, after=f"s{bridge.token}", rooms=(update,), live=True)
    )
    await bridge.run_flows()


async def digest_of(bridge: Bridge) -> str:
    (row,) = [row for row in await bridge.outbox("direct") if row.unique_key.startswith("digest/")]
    return str((row.content or {})["body"])


async def test_a_number_says_which_item_is_meant(chatting: Bridge) -> None:
    told = await digest_of(chatting)
    assert "1. Réunion 1\xa0: Budget" in told
    assert "2. Décision 1\xa0: louer la salle" in told
    assert "commencez par le numéro" in told
    await say_there(chatting, "1 je viens")
    assert await answered(chatting, 1) == {"Léa": "yes"}
    await say_there(chatting, "2. objection : trop cher")
    assert [entry.state for entry in await entries(chatting)] == ["objected"]


async def test_a_quoted_line_says_it_too(chatting: Bridge) -> None:
    line = next(one for one in (await digest_of(chatting)).splitlines() if one.startswith("1. "))
    await say_there(chatting, f"> {line}\n\nje ne peux pas")
    assert await answered(chatting, 1) == {"Léa": "no"}


async def test_a_word_about_a_conversation_is_said_to_have_been_read_by_nobody(chatting: Bridge) -> None:
    line = next(one for one in (await digest_of(chatting)).splitlines() if "Salle (" in one)
    await say_there(chatting, f"{line.partition('.')[0]} : une tarte aussi")
    assert "Ici, seule la passerelle vous lit." in (await told_directly(chatting))[-1]
    assert await posts(chatting, "tarte") == []


async def test_how_often_she_wants_it_is_said_there_as_ever(chatting: Bridge) -> None:
    await say_there(chatting, "stop")
    assert "résumé" in (await told_directly(chatting))[-1]
    assert await ring(chatting, NEXT + timedelta(days=7)) == 0


async def test_who_left_answers_nothing_of_what_they_left(chatting: Bridge) -> None:
    leave = chatting.event(LEA, {"membership": "leave"}, kind="m.room.member", state_key=LEA)
    await chatting.happen(leave, state=(leave,))
    await say_there(chatting, "1 je viens")
    await say_there(chatting, "2. objection : trop cher")
    assert await answered(chatting, 1) == {}
    assert [entry.state for entry in await entries(chatting)] == ["proposed"]
