"""A sign beneath a notice or a post that its author takes off again says nothing any more."""

from __future__ import annotations

from passerelle.store.register_history import count_standing_objections, list_entry_changes
from tests.flows.bridge import Bridge
from tests.flows.meetings import react, reply_to
from tests.flows.test_register_notes import entries, tell
from tests.flows.test_taking_back_register import bridge, notice_of  # noqa: F401

LEA, KARIM = "@lea:lab.test", "@karim:lab.test"


async def take_off(bridge: Bridge, event_id: str, sender: str) -> None:  # noqa: F811
    await bridge.happen(bridge.event(sender, {}, kind="m.room.redaction", redacts=event_id))


async def standing(bridge: Bridge) -> int:  # noqa: F811
    async with bridge.ctx.store.read() as conn:
        return sum((await count_standing_objections(conn, [entry.id for entry in await entries(bridge)])).values())


async def test_an_objection_by_a_sign_is_withdrawn_with_the_sign(bridge: Bridge) -> None:  # noqa: F811
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    sign = await react(bridge, await notice_of(bridge), "⛔", sender=KARIM)
    (decision,) = await entries(bridge)
    assert (decision.state, await standing(bridge)) == ("objected", 1)
    await take_off(bridge, sign, KARIM)
    (decision,) = await entries(bridge)
    assert (decision.state, await standing(bridge)) == ("proposed", 0)
    async with bridge.ctx.store.read() as conn:
        assert [one.move for one in await list_entry_changes(conn, decision.id)][-2:] == ["object", "withdraw"]


async def test_a_moderator_who_tidies_the_room_withdraws_nobodys_objection(bridge: Bridge) -> None:  # noqa: F811
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    sign = await react(bridge, await notice_of(bridge), "⛔", sender=KARIM)
    await take_off(bridge, sign, LEA)
    (decision,) = await entries(bridge)
    assert (decision.state, await standing(bridge)) == ("objected", 1)


async def test_anothers_objection_stands_on(bridge: Bridge) -> None:  # noqa: F811
    await bridge.say("décision : louer la salle")
    await tell(bridge)
    about = await notice_of(bridge)
    sign = await react(bridge, about, "⛔", sender=KARIM)
    await bridge.say("objection", **reply_to(about))
    await take_off(bridge, sign, KARIM)
    (decision,) = await entries(bridge)
    assert (decision.state, await standing(bridge)) == ("objected", 1)


async def test_an_action_that_a_sign_said_done_is_open_again(bridge: Bridge) -> None:  # noqa: F811
    await bridge.say("action : @Karim appeler la mairie")
    await tell(bridge)
    sign = await react(bridge, await notice_of(bridge), "✅", sender=KARIM)
    assert [one.state for one in await entries(bridge)] == ["done"]
    await take_off(bridge, sign, KARIM)
    assert [one.state for one in await entries(bridge)] == ["open"]


async def test_what_was_said_done_in_words_stays_done(bridge: Bridge) -> None:  # noqa: F811
    await bridge.say("action : @Karim appeler la mairie")
    await tell(bridge)
    await bridge.say("!fait 1", sender=KARIM)
    bridge.pass_time(minutes=1)
    sign = await react(bridge, await notice_of(bridge), "✅", sender=KARIM)
    await take_off(bridge, sign, KARIM)
    assert [one.state for one in await entries(bridge)] == ["done"]


async def test_a_decision_that_a_sign_saw_in_a_post_goes_with_the_sign(bridge: Bridge) -> None:  # noqa: F811
    post = await bridge.say("On garde le local de l’Épeule une année de plus.", sender=LEA)
    sign = await react(bridge, post, "📌", sender=LEA)
    assert [one.kind for one in await entries(bridge)] == ["decision"]
    await take_off(bridge, sign, LEA)
    assert await entries(bridge) == []
    # Put there again, it is one again.
    await react(bridge, post, "📌", sender=LEA)
    assert [one.state for one in await entries(bridge)] == ["proposed"]


async def test_a_sign_in_anothers_words_that_is_taken_off_asks_nobody_any_more(bridge: Bridge) -> None:  # noqa: F811
    post = await bridge.say("On garde le local de l’Épeule une année de plus.", sender=LEA)
    sign = await react(bridge, post, "📌", sender=KARIM)
    assert [row.state for row in await bridge.outbox() if row.unique_key.startswith("about/ask/")] == ["waiting"]
    await take_off(bridge, sign, KARIM)
    assert await entries(bridge) == []
    assert [row.state for row in await bridge.outbox() if row.unique_key.startswith("about/ask/")] == ["cancelled"]
