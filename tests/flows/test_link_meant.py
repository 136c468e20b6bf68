"""Several links of one association: what is said to the bridge alone counts where it is meant, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from passerelle.core.ids import RoomId, UserId
from passerelle.core.links import Links
from passerelle.core.model import RoomMember
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.core.settings import Settings
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.store.direct_rooms import note_direct_room
from passerelle.store.rooms import put_members
from tests.flows.bridge import Bridge, MakeBridge, mail
from tests.flows.meetings import COORDINATORS, answered, letter, meetings
from tests.flows.test_register_notes import entries, tell

COUNCIL_ROOM = RoomId("!conseil:lab.test")
COUNCIL = {"to": "conseil@listes.lab.test", "list_id": "<conseil.listes.lab.test>"}
HENRI = "Henri Dubois <henri@membres.lab.test>"
DIRECT = RoomId("!direct:lab.test")


@pytest.fixture
async def two(make_bridge: MakeBridge) -> Bridge:
    """The bridge with a second link, `conseil`; Henri writes to its list alone, Zoé is in its room alone."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    raw: dict[str, Any] = bridge.ctx.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    council = {"name": "conseil", "list": {"address": COUNCIL["to"], "subject_prefix": "[conseil]"}}
    raw["associations"][0]["links"].append(council | {"room": COUNCIL_ROOM})
    settings = Settings.model_validate(raw)
    token = bridge.token
    bridge.ctx = replace(bridge.ctx, settings=settings, links=Links(settings))
    bridge.__post_init__()
    bridge.token = token
    async with bridge.ctx.store.write() as conn:
        for user, name in (("@zoe:lab.test", "Zoé"), ("@karim:lab.test", "Karim")):
            member = RoomMember(
                room_id=COUNCIL_ROOM, user_id=UserId(user), display_name=name, membership="join", joined_at=None
            )
            await put_members(conn, [member])
    link = bridge.ctx.links.get("epeule/conseil")
    await ask_consent(bridge.ctx, link)
    await bridge.notices_leave()
    assert await confirm_link(bridge.ctx, link, by="Monique") == "now"
    bridge.pass_time(seconds=1)
    await bridge.receive(mail("Bonjour.", message_id="henri@x", author=HENRI, **COUNCIL))
    await bridge.receive(mail("Bonjour.", message_id="monique@x"))
    return bridge


async def say_in(bridge: Bridge, room: RoomId, body: str, *, sender: str) -> None:
    event = bridge.event(sender, {"msgtype": "m.text", "body": body}) | {"room_id": room}
    before = f"s{bridge.token}" if bridge.token else None
    bridge.token += 1
    update = RoomUpdate(room_id=room, timeline=(event,))
    await bridge.intake.take_sync(
        SyncArrivals(source="matrix", before=before, after=f"s{bridge.token}", rooms=(update,))
    )
    await bridge.run_flows()


async def say_alone(bridge: Bridge, body: str, *, sender: str) -> None:
    """A line of the direct room of somebody."""
    async with bridge.ctx.store.write() as conn:
        await note_direct_room(conn, DIRECT, UserId(sender), bridge.now())
    bridge.ctx.links.add_direct_room(DIRECT, UserId(sender))
    await say_in(bridge, DIRECT, body, sender=sender)


async def test_who_takes_part_in_the_second_link_answers_its_meeting_by_the_link_of_the_convocation(
    two: Bridge,
) -> None:
    await say_in(two, COUNCIL_ROOM, "!réunion jeudi 26 novembre 18h30", sender="@karim:lab.test")
    await two.receive(letter("Re: réunion 1", "je viens", author=HENRI))
    assert await answered(two, 1) == {"Henri Dubois": "yes"}


async def test_who_takes_part_in_both_is_understood_by_the_number(two: Bridge) -> None:
    await two.receive(mail("Bonjour au conseil.", message_id="m2@x", **COUNCIL))
    await say_in(two, COUNCIL_ROOM, "!réunion jeudi 26 novembre 18h30", sender="@karim:lab.test")
    await two.receive(letter("Re: réunion 1", "je viens"))
    assert await answered(two, 1) == {"Monique Delattre": "yes"}
    await say_in(two, COUNCIL_ROOM, "décision : louer la salle", sender="@zoe:lab.test")
    await two.receive(letter("objection 1 : trop cher", message_id="non@x"))
    (decision,) = await entries(two, "decision")
    assert decision.state == "objected"


async def test_who_is_in_both_rooms_is_understood_by_the_number(two: Bridge) -> None:
    await say_in(two, COUNCIL_ROOM, "action : @Zoé appeler la mairie", sender="@zoe:lab.test")
    await say_alone(two, "fait 1", sender="@karim:lab.test")
    assert [entry.state for entry in await entries(two)] == ["done"]


async def test_before_both_sides_have_confirmed_nothing_is_obeyed_and_nothing_noted(make_bridge: MakeBridge) -> None:
    bridge: Bridge = await make_bridge(confirmed=False, coordinators=COORDINATORS)
    await say_alone(bridge, "action : @Karim acheter du sucre", sender="@lea:lab.test")
    await bridge.receive(letter("réunion jeudi 26 novembre 18h30"))
    assert await bridge.reasons() == ["direct_not_understood", "to_the_bridge"]
    assert (await entries(bridge), await meetings(bridge)) == ([], [])


async def test_who_takes_part_in_another_link_changes_nothing_by_naming_a_notice(two: Bridge) -> None:
    await two.say("action : @Léa appeler la mairie")
    await two.say("décision : louer la salle")
    await tell(two)
    (notice,) = [row for row in await two.outbox("email") if "/notice/" in row.unique_key]
    for number, words in enumerate(("fait 1", "fait", "objection")):
        raw = mail(words, message_id=f"h{number}@x", author=HENRI, answering=(notice.message_id,), **COUNCIL)
        await two.receive(raw)
    assert [entry.state for entry in await entries(two)] == ["open", "proposed"]


async def test_a_decision_is_replaced_by_one_of_its_own_link_alone(two: Bridge) -> None:
    await two.say("décision : louer la salle")
    await say_in(two, COUNCIL_ROOM, "décision : changer de banque", sender="@zoe:lab.test")
    await tell(two)
    two.pass_time(days=8)
    for words in ("!adopter 1", "!remplacer 1 par 2"):
        await two.say(words, sender="@karim:lab.test")
    assert [(entry.state, entry.replaced_by) for entry in await entries(two)] == [("adopted", None), ("proposed", None)]
