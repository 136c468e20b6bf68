"""Commands and answers about the register, by each way: obeyed, never relayed, told quietly."""

from __future__ import annotations

from datetime import date, timedelta
from email.message import EmailMessage
from typing import Any

import pytest

from passerelle.core.ids import RoomId, UserId
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.flows.ask_back import escalate_asks
from passerelle.flows.hide_post import hide_post
from passerelle.flows.outcome import MOST_ANSWERS
from passerelle.store.direct_rooms import note_direct_room
from passerelle.store.register_history import count_standing_objections
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, body_of, mail
from tests.flows.test_register_notes import all_leave, entries, signs, tell

MONIQUE = "Monique Delattre <monique@membres.lab.test>"
COORDINATORS = [{"name": "Monique", "address": "monique@membres.lab.test", "matrix": "@karim:lab.test"}]
DIRECT = RoomId("!direct:lab.test")


def letter(subject: str, body: str = "", *, author: str = MONIQUE, message_id: str = "lettre@x", **more: Any) -> bytes:
    """An email to the bridge's own address."""
    raw = mail(body, author=author, message_id=message_id, to=BRIDGE, list_id=None, **more)
    return raw.replace(b"Subject: [bureau] Loto du quartier", f"Subject: {subject}".encode())


async def answers(bridge: Bridge) -> list[EmailMessage]:
    """Private answers by mail."""
    from email import message_from_bytes, policy

    rows = [row for row in await bridge.outbox("email") if row.unique_key.startswith("answer:")]
    return [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]


async def told_in_room(bridge: Bridge) -> list[str]:
    rows = [row for row in await bridge.outbox("event") if row.unique_key.startswith("answer:")]
    return [str((row.content or {})["body"]) for row in rows]


async def told_directly(bridge: Bridge) -> list[str]:
    rows = [row for row in await bridge.outbox("direct") if row.unique_key.startswith("answer:")]
    return [str((row.content or {})["body"]) for row in rows]


@pytest.fixture
async def group(make_bridge: MakeBridge) -> Bridge:
    """A group whose coordinator is Monique, by mail, and as Karim's account in the room."""
    bridge: Bridge = await make_bridge(coordinators=COORDINATORS)
    await bridge.receive(mail("Bonjour à tous.", message_id="bonjour@x"))
    return bridge


async def proposed(bridge: Bridge, text: str = "louer la salle") -> None:
    """A decision that both sides were told of."""
    await bridge.say(f"décision : {text}")
    await tell(bridge)


async def test_a_coordinator_adopts_after_the_delay_and_not_before(group: Bridge) -> None:
    await proposed(group)
    await group.say("!adopter 1", sender="@karim:lab.test")
    (decision,) = await entries(group)
    assert decision.state == "proposed"
    assert "reste ouverte aux objections" in (await told_directly(group))[-1]
    group.pass_time(days=8)
    await group.say("!adopter 1", sender="@karim:lab.test")
    (decision,) = await entries(group)
    assert decision.state == "adopted"


async def test_nobody_but_a_coordinator_adopts(group: Bridge) -> None:
    await proposed(group)
    group.pass_time(days=8)
    await group.say("!adopter 1")
    (decision,) = await entries(group)
    assert decision.state == "proposed"
    assert "la coordination" in (await told_directly(group))[-1]


async def test_an_objection_by_mail_blocks_until_it_is_withdrawn(group: Bridge) -> None:
    await proposed(group)
    (notice,) = [r for r in await group.outbox("email") if "/notice/" in r.unique_key]
    await group.receive(
        mail(
            "Objection : c'est trop cher.", subject="Re: À retenir", message_id="non@x", answering=(notice.message_id,)
        )
    )
    (decision,) = await entries(group)
    assert decision.state == "objected"
    group.pass_time(days=9)
    await group.say("!adopter 1", sender="@karim:lab.test")
    assert (await entries(group))[0].state == "objected"
    # Another's word does not take it back; a mail that nothing proves asks its author first.
    await group.say("!retirer objection 1")
    assert (await entries(group))[0].state == "objected"


async def test_a_bare_objection_to_the_list_is_obeyed_and_not_relayed(group: Bridge) -> None:
    await proposed(group)
    (notice,) = [r for r in await group.outbox("email") if "/notice/" in r.unique_key]
    before = len(await group.shown())
    await group.receive(mail("objection", subject="Re: À retenir", message_id="non@x", answering=(notice.message_id,)))
    assert (await entries(group))[0].state == "objected"
    assert len(await group.shown()) == before
    assert (await group.reasons())[-1] == "obeyed"


async def test_the_same_word_in_a_conversation_is_a_word_like_any_other(group: Bridge) -> None:
    await proposed(group)
    await group.receive(mail("objection", subject="Autre chose", message_id="autre@x"))
    assert (await entries(group))[0].state == "proposed"
    assert (await group.reasons())[-1] == ""


async def test_a_reply_in_the_room_says_that_an_action_is_done(group: Bridge) -> None:
    said = await group.say("action : @Léa relancer la mairie pour le 12/12")
    answer = await group.say("fait", **{"m.relates_to": {"m.in_reply_to": {"event_id": said}}})
    (action,) = await entries(group)
    assert action.state == "done"
    assert (answer, "✅") in await signs(group)
    assert await told_in_room(group) == []


async def test_a_sign_beneath_an_action_says_that_it_is_done(group: Bridge) -> None:
    said = await group.say("action : @Léa relancer la mairie")
    relation = {"rel_type": "m.annotation", "event_id": said, "key": "✅"}
    await group.happen(group.event("@lea:lab.test", {"m.relates_to": relation}, kind="m.reaction"))
    assert (await entries(group))[0].state == "done"


async def test_who_joins_in_the_sign_of_an_action_does_not_say_that_it_is_done(group: Bridge) -> None:
    for event_id in (await group.say("action : @Léa relancer la mairie"), await group.say("On appelle la mairie.")):
        relation = {"rel_type": "m.annotation", "event_id": event_id, "key": "☑️"}
        for sender in ("@lea:lab.test", "@karim:lab.test"):
            await group.happen(group.event(sender, {"m.relates_to": relation}, kind="m.reaction"))
    assert [entry.state for entry in await entries(group)] == ["open", "open"]


async def test_a_list_in_the_room_shows_what_is_to_be_done(group: Bridge) -> None:
    await group.say("action : @Léa relancer la mairie pour le 12/12")
    await group.say("!actions")
    (told,) = await told_in_room(group)
    assert "relancer la mairie (Léa)" in told
    assert "samedi 12 décembre" in told


async def test_the_same_by_mail_to_the_bridge_alone(group: Bridge) -> None:
    await group.say("décision : louer la salle")
    await group.receive(letter("décisions"))
    (answer,) = await answers(group)
    assert "louer la salle" in body_of(answer)
    assert answer["Auto-Submitted"] == "auto-replied"


async def test_a_mail_that_nothing_proves_is_confirmed_by_its_authors_word(group: Bridge) -> None:
    await proposed(group)
    group.pass_time(days=8)
    await group.receive(letter("adopter 1"))
    assert (await entries(group))[0].state == "proposed"
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(
        letter("Re: Avez-vous bien demandé", "Oui", message_id="oui@x", answering=(question.message_id,))
    )
    assert (await entries(group))[0].state == "adopted"


async def test_a_mail_to_the_bridge_notes_an_action_once_its_author_says_so(group: Bridge) -> None:
    await group.receive(letter("action : @Léa relancer la mairie pour le 12/12"))
    assert await entries(group) == []
    (question,) = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    await group.receive(letter("Re:", "oui", message_id="oui@x", answering=(question.message_id,)))
    (action,) = await entries(group)
    assert (action.text, action.due_on) == ("relancer la mairie", date(2026, 12, 12))


async def test_a_word_that_is_nearly_a_command_is_told_its_right_form_privately(group: Bridge) -> None:
    await group.say("!decisoins")
    assert await told_in_room(group) == []
    (told,) = await told_directly(group)
    assert "!décisions" in told
    assert await group.list_mails() == []


async def test_an_unknown_number_is_said_so(group: Bridge) -> None:
    await group.say("!fait 99")
    (told,) = await told_directly(group)
    assert "99" in told


async def test_the_room_of_one_person_takes_commands_without_their_sign(group: Bridge) -> None:
    async with group.ctx.store.write() as conn:
        await note_direct_room(conn, DIRECT, UserId("@lea:lab.test"), group.now())
    group.ctx.links.add_direct_room(DIRECT, UserId("@lea:lab.test"))
    await group.say("bonjour")
    event = group.event("@lea:lab.test", {"msgtype": "m.text", "body": "rappel demain 9h appeler la banque"})
    update = RoomUpdate(room_id=DIRECT, timeline=(event | {"room_id": DIRECT},))
    await group.intake.take_sync(SyncArrivals(source="matrix", before=None, after=None, rooms=(update,)))
    await group.run_flows()
    (told,) = await told_directly(group)
    assert "rappel 1" in told
    assert (await group.reasons())[-1] == "obeyed"


async def test_a_decision_that_another_sees_is_proposed_by_its_author_alone(group: Bridge) -> None:
    said = await group.say("On loue la salle des fêtes, c'est réglé.")
    relation = {"rel_type": "m.annotation", "event_id": said, "key": "📌"}
    await group.happen(group.event("@karim:lab.test", {"m.relates_to": relation}, kind="m.reaction"))
    (decision,) = await entries(group)
    assert decision.state == "asked"
    await group.say("!décisions 1")
    assert "la salle des fêtes" not in (await told_in_room(group))[-1]
    assert decision.said_at <= group.now()
    (question,) = [r for r in await group.outbox("direct") if r.unique_key.startswith("about/ask/")]
    assert question.recipient == "@lea:lab.test"
    await all_leave(group)
    async with group.ctx.store.write() as conn:
        await note_direct_room(conn, DIRECT, UserId("@lea:lab.test"), group.now())
    group.ctx.links.add_direct_room(DIRECT, UserId("@lea:lab.test"))
    event = group.event("@lea:lab.test", {"msgtype": "m.text", "body": "oui"})
    update = RoomUpdate(room_id=DIRECT, timeline=(event | {"room_id": DIRECT},))
    await group.intake.take_sync(SyncArrivals(source="matrix", before=None, after=None, rooms=(update,)))
    await group.run_flows()
    assert (await entries(group))[0].state == "proposed"


async def test_the_date_that_was_asked_back_is_settled_by_a_number(group: Bridge) -> None:
    await group.say("action : @Léa appeler Paul jeudi prochain")
    await all_leave(group)
    (question,) = [r for r in await group.outbox("event") if r.unique_key.startswith("about/ask/")]
    await group.say("26", **{"m.relates_to": {"m.in_reply_to": {"event_id": question.event_id}}})
    assert (await entries(group))[0].due_on == date(2026, 11, 26)


async def test_help_is_made_of_the_table(group: Bridge) -> None:
    await group.say("!aide")
    (told,) = await told_in_room(group)
    assert "!réunion" in told
    group.pass_time(**{"seconds": 1})
    await group.receive(letter("aide"))
    (answer,) = await answers(group)
    assert "réunion" in body_of(answer)


async def test_who_is_named_is_reminded_once_before_it_is_due(group: Bridge) -> None:
    from passerelle.flows.register_reminders import next_reminding_at, remind_of_entries

    await group.say("action : @Léa relancer la mairie pour le 12/12")
    due_at = await next_reminding_at(group.ctx)
    assert due_at is not None
    assert due_at.astimezone(group.link.zone).date() == date(2026, 12, 10)
    group.clock[0] = due_at + timedelta(minutes=1)
    assert await remind_of_entries(group.ctx) == 1
    assert await remind_of_entries(group.ctx) == 0
    (told,) = [r for r in await group.outbox("direct") if "/remind/" in r.unique_key]
    assert told.recipient == "@lea:lab.test"
    assert "relancer la mairie" in str((told.content or {})["body"])


async def test_the_date_that_was_asked_back_is_settled_in_a_sentence(group: Bridge) -> None:
    await group.say("action : @Léa appeler Paul jeudi prochain")
    await all_leave(group)
    (question,) = [r for r in await group.outbox("event") if r.unique_key.startswith("about/ask/")]
    await group.say("Oui, le 26.", **{"m.relates_to": {"m.in_reply_to": {"event_id": question.event_id}}})
    assert (await entries(group))[0].due_on == date(2026, 11, 26)


async def question_about(group: Bridge, raw: bytes) -> str:
    """The Message-ID of the question whether a mail was its author's."""
    await group.receive(raw)
    *_, question = [r for r in await group.outbox("email") if r.unique_key.startswith("ask:confirm:")]
    return question.message_id


@pytest.mark.parametrize(("words", "told"), [("Non", "rien n’a été fait"), ("oui", "déjà réglée, ou trop ancienne")])
async def test_who_says_no_or_says_yes_too_late_is_told_that_nothing_was_done(
    group: Bridge, words: str, told: str
) -> None:
    asked = await question_about(group, letter("action : @Léa relancer la mairie"))
    if words == "oui":
        group.pass_time(days=4)
    await group.receive(letter("Re:", words, message_id="reponse@x", answering=(asked,)))
    assert await entries(group) == []
    assert told in body_of((await answers(group))[-1])


async def test_a_mail_to_the_bridge_that_comes_twice_is_obeyed_once(group: Bridge) -> None:
    asked = await question_about(group, letter("action : @Léa relancer la mairie"))
    yes = letter("Re:", "oui", message_id="oui@x", answering=(asked,))
    await group.receive(yes)
    objection = letter("objection 2 : trop cher", message_id="non@x")
    await group.say("décision : louer la salle")
    await group.receive(objection)
    said = len(await answers(group))
    await group.say("!abandonner 1", sender="@karim:lab.test")
    for again in (yes, objection, yes):
        await group.receive(again)
    assert len(await answers(group)) == said
    assert [entry.text for entry in await entries(group, "action", "decision")] == [
        "relancer la mairie",
        "louer la salle",
    ]
    # Another mail with the same words is another one.
    await question_about(group, letter("action : @Léa relancer la mairie", message_id="autre@x"))


async def test_what_was_taken_out_is_not_told_by_its_number_nor_asked_of_anybody(group: Bridge) -> None:
    await group.receive(
        mail(
            "Bonjour,\n\ndécision : renvoyer Paul\naction : @Léa écrire à Paul jeudi prochain\n\nMerci",
            message_id="oust@x",
        )
    )
    await tell(group)
    (notice,) = [r for r in await group.outbox("event") if "/notice/" in r.unique_key]
    async with group.ctx.store.write() as conn:
        (shown,) = [
            entry for entry in await list_entries(conn, group.link.association_name, EntryFilter(kinds=["decision"]))
        ]
        assert shown.post_id is not None
        assert await hide_post(group.ctx, conn, shown.post_id, by="Monique") == "hidden"
    for words in ("!décisions 1", "!objection 1", "!abandonner 1", "!fait 2"):
        await group.say(words, sender="@karim:lab.test")
    await group.say("objection", **{"m.relates_to": {"m.in_reply_to": {"event_id": f"$sent{notice.id}"}}})
    group.pass_time(days=4)
    before = len(await group.personal_mails())
    await escalate_asks(group.ctx)
    assert len(await group.personal_mails()) == before
    for told in [*await told_in_room(group), *await told_directly(group)]:
        assert "Paul" not in told
    async with group.ctx.store.read() as conn:
        assert await count_standing_objections(conn, [shown.id]) == {}


async def test_who_writes_in_another_s_name_does_not_fill_their_mailbox_by_our_hand(group: Bridge) -> None:
    for number in range(MOST_ANSWERS + 3):
        await group.receive(letter("décisions", message_id=f"faux{number}@x"))
    assert len(await answers(group)) == MOST_ANSWERS
    group.pass_time(days=1, seconds=1)
    await group.receive(letter("décisions", message_id="demain@x"))
    assert len(await answers(group)) == MOST_ANSWERS + 1
