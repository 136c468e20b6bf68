"""Lines of either side become entries of the register; both sides hear of them, grouped."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from passerelle.core.register_model import Entry
from passerelle.flows.hide_post import hide_post
from passerelle.flows.register_notice import next_telling_at, tell_entries
from passerelle.store.outbox import list_outbox, mark_sent
from passerelle.store.register import insert_entry, list_entry_people, list_entry_sources
from passerelle.store.register_lists import EntryFilter, list_entries
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail
from tests.store.made_secretary import new_entry


async def entries(bridge: Bridge, *kinds: str) -> list[Entry]:
    async with bridge.ctx.store.read() as conn:
        return await list_entries(conn, bridge.link.association_name, EntryFilter(kinds=kinds), order="number")


async def signs(bridge: Bridge) -> list[tuple[str | None, str]]:
    """The bridge's reactions: on which event, which."""
    rows = await bridge.outbox("reaction")
    return [(row.target_event_id, (row.content or {})["m.relates_to"]["key"]) for row in rows]


async def notices(bridge: Bridge) -> tuple[list[str], list[str]]:
    """What both sides were told of entries: mails, and lines of the room."""
    from email import message_from_bytes, policy

    mails, lines = [], []
    for row in await bridge.outbox():
        if not row.unique_key.startswith("about/entries/") or "/notice/" not in row.unique_key:
            continue
        if row.kind == "email":
            mails.append(body_of(message_from_bytes(await bridge.raw_of(row), policy=policy.default)))  # type: ignore[arg-type]
        else:
            lines.append(str((row.content or {})["body"]))
    return mails, lines


async def all_leave(bridge: Bridge) -> None:
    await bridge.deliver_events()
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            await mark_sent(conn, row.id, bridge.now())


async def tell(bridge: Bridge) -> None:
    """Time passes until the next notice is due, and it leaves."""
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = max(bridge.now(), due_at)
    await tell_entries(bridge.ctx)
    await all_leave(bridge)
    await tell_entries(bridge.ctx)


async def test_a_line_of_the_room_becomes_a_decision_and_a_sign_says_so(bridge: Bridge) -> None:
    said = await bridge.say("Décision : louer la salle des fêtes pour 150 €")
    (decision,) = await entries(bridge)
    assert (decision.kind, decision.text, decision.state) == (
        "decision",
        "louer la salle des fêtes pour 150 €",
        "proposed",
    )
    assert (decision.number, decision.author_name) == (1, "Léa")
    assert await signs(bridge) == [(said, "📌")]
    assert await bridge.outbox("direct") == [] or all(
        row.unique_key.startswith("welcome") for row in await bridge.outbox("direct")
    )


async def test_a_mail_notes_an_action_with_who_and_by_when(bridge: Bridge) -> None:
    await bridge.say("bonjour")
    await bridge.receive(
        mail("Bonjour,\n\naction : @Léa relancer la mairie pour le 12/12\n\nMerci,\nMonique\n-- \n06 00 00 00 00")
    )
    (action,) = await entries(bridge)
    assert (action.kind, action.text, action.due_on) == ("action", "relancer la mairie", date(2026, 12, 12))
    async with bridge.ctx.store.read() as conn:
        people = (await list_entry_people(conn, [action.id]))[action.id]
        sources = (await list_entry_sources(conn, [action.id]))[action.id]
    assert [one.name for one in people] == ["Léa"]
    assert people[0].person_id is not None
    assert [source.side for source in sources] == ["list"]
    # Nothing goes to the whole list for it, and its author hears nothing.
    assert [row for row in await bridge.outbox("email") if row.unique_key.startswith("answer:")] == []


async def test_what_is_quoted_notes_nothing(bridge: Bridge) -> None:
    await bridge.receive(mail("D'accord.\n\nLe 17 nov. 2026, Léa a écrit :\n> décision : fermer le local\n"))
    assert await entries(bridge) == []


async def test_both_sides_are_told_once_grouped_after_a_while(bridge: Bridge) -> None:
    await bridge.say("décision : louer la salle")
    await bridge.receive(mail("action : @Léa relancer la mairie pour le 12/12"))
    assert await tell_entries(bridge.ctx) == 0
    await tell(bridge)
    mails, lines = await notices(bridge)
    assert len(mails) == len(lines) == 1
    for words in ("louer la salle", "relancer la mairie", "samedi 12 décembre", "Votre silence ne vaut pas accord"):
        assert words in mails[0], words
        assert words in lines[0], words
    assert "passerelle@membres.lab.test" in mails[0]
    # Another one is not told before the next day.
    await bridge.say("décision : acheter un frigo")
    at = bridge.now()
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    assert due_at >= at + timedelta(hours=22)


async def test_the_notice_waits_for_the_morning(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(at=datetime(2026, 11, 17, 19, 30, tzinfo=UTC))
    await bridge.say("décision : louer la salle")
    assert await next_telling_at(bridge.ctx) == datetime(2026, 11, 18, 7, 0, tzinfo=UTC)


async def test_the_delay_begins_when_both_notices_have_left(bridge: Bridge) -> None:
    await bridge.say("décision : louer la salle")
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = due_at
    await tell_entries(bridge.ctx)
    await bridge.deliver_events()
    await tell_entries(bridge.ctx)
    (decision,) = await entries(bridge)
    assert decision.open_until is None  # the list has not got it
    bridge.pass_time(hours=5)
    await all_leave(bridge)
    await tell_entries(bridge.ctx)
    (decision,) = await entries(bridge)
    assert decision.open_until == bridge.now() + timedelta(days=7)
    assert await next_telling_at(bridge.ctx) is None


async def test_an_edit_rewords_what_nobody_acted_on(bridge: Bridge) -> None:
    said = await bridge.say("action : @Léa relancer la mairie pour le 12/12")
    event = bridge.event(
        "@lea:lab.test",
        {
            "msgtype": "m.text",
            "body": "* action : @Karim relancer la préfecture pour le 13/12",
            "m.new_content": {"msgtype": "m.text", "body": "action : @Karim relancer la préfecture pour le 13/12"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": said},
        },
    )
    await bridge.happen(event)
    (action,) = await entries(bridge)
    assert (action.text, action.due_on) == ("relancer la préfecture", date(2026, 12, 13))
    async with bridge.ctx.store.read() as conn:
        assert [one.name for one in (await list_entry_people(conn, [action.id]))[action.id]] == ["Karim"]


async def test_a_line_that_is_taken_back_takes_its_entry_along(bridge: Bridge) -> None:
    said = await bridge.say("décision : louer la salle")
    await bridge.happen(bridge.event("@lea:lab.test", {"redacts": said}, kind="m.room.redaction", redacts=said))
    assert await entries(bridge) == []


async def test_an_ambiguous_date_is_asked_back_beneath_the_line(bridge: Bridge) -> None:
    said = await bridge.say("action : @Léa appeler Paul jeudi prochain")
    (action,) = await entries(bridge)
    assert action.due_on is None
    assert "jeudi prochain" in action.text
    (question,) = [row for row in await bridge.outbox("event") if row.unique_key.startswith("about/ask/")]
    content = dict(question.content or {})
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": said}}
    assert "19 ou 26" in content["body"]


async def test_a_booking_that_clashes_is_said_at_once(bridge: Bridge) -> None:
    await bridge.say("réserver : grande salle le 14 décembre 14h-17h")
    await bridge.say("réserver : Grande Salle le 14 décembre 16h-18h", sender="@karim:lab.test")
    first, second = await entries(bridge)
    assert (first.state, second.state) == ("booked", "booked")
    (told,) = [row for row in await bridge.outbox("event") if "clash" in row.unique_key]
    assert "déjà réservé" in str((told.content or {})["body"])


async def test_a_booking_of_another_link_clashes_and_shows_nobody_of_it(bridge: Bridge) -> None:
    other = new_entry("grande salle", "booking", state="booked", association=bridge.link.association_name,
                      link="conseil", label="grande salle", author_name="Quetzalina",
                      due_on=date(2026, 12, 14), said_at=bridge.now(), created_at=bridge.now())  # fmt: skip
    async with bridge.ctx.store.write() as conn:
        await insert_entry(conn, other)
    await bridge.say("réserver : grande salle le 14 décembre 14h-17h")
    (told,) = [row for row in await bridge.outbox("event") if "clash" in row.unique_key]
    said = str((told.content or {})["body"])
    assert "par un autre groupe" in said
    assert "Quetzalina" not in said
    assert "numéro" not in said


async def test_what_stays_in_the_room_and_what_is_not_archived_notes_nothing(bridge: Bridge) -> None:
    await bridge.say("// décision : un secret")
    await bridge.say("hors-archive : décision : un autre secret")
    assert await entries(bridge) == []


async def edited(bridge: Bridge, event_id: str, words: str) -> None:
    """Léa edits a line of hers."""
    content = {
        "msgtype": "m.text",
        "body": f"* {words}",
        "m.new_content": {"msgtype": "m.text", "body": words},
        "m.relates_to": {"rel_type": "m.replace", "event_id": event_id},
    }
    await bridge.happen(bridge.event("@lea:lab.test", content))


async def test_a_decision_that_is_worded_anew_is_open_to_objections_for_the_whole_delay(bridge: Bridge) -> None:
    said = await bridge.say("décision : louer la salle pour 150 €")
    await tell(bridge)
    (decision,) = await entries(bridge)
    assert decision.open_until is not None
    bridge.clock[0] = decision.open_until - timedelta(hours=3)
    await edited(bridge, said, "décision : louer la salle, pour 150 € !")
    assert (await entries(bridge))[0].open_until == decision.open_until
    await edited(bridge, said, "décision : louer la salle pour 1500 €")
    assert (await entries(bridge))[0].open_until is None
    await tell(bridge)
    (decision,) = await entries(bridge)
    assert decision.open_until == bridge.now() + timedelta(days=7)


async def test_what_is_worded_anew_while_its_notice_is_on_its_way_waits_for_the_next_one(bridge: Bridge) -> None:
    said = await bridge.say("décision : louer la salle pour 150 €")
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = due_at
    await tell_entries(bridge.ctx)
    bridge.pass_time(minutes=1)
    await edited(bridge, said, "décision : louer la salle pour 1500 €")
    await all_leave(bridge)
    await tell_entries(bridge.ctx)
    (decision,) = await entries(bridge)
    assert (decision.announce_state, decision.open_until) == ("wanted", None)
    await tell(bridge)
    (decision,) = await entries(bridge)
    assert decision.open_until == bridge.now() + timedelta(days=7)
    assert "1500" in (await notices(bridge))[0][-1]


@pytest.mark.parametrize("by", ["a redaction", "« retirer »"])
async def test_words_that_are_taken_back_leave_in_no_notice_that_was_made_already(bridge: Bridge, by: str) -> None:
    said = await bridge.say("décision : renvoyer le trésorier")
    await bridge.say("décision : louer la salle")
    due_at = await next_telling_at(bridge.ctx)
    assert due_at is not None
    bridge.clock[0] = due_at
    await tell_entries(bridge.ctx)
    if by == "a redaction":
        await bridge.happen(bridge.event("@lea:lab.test", {}, kind="m.room.redaction", redacts=said))
    else:
        first, _ = await entries(bridge)
        assert first.post_id is not None
        async with bridge.ctx.store.write() as conn:
            assert await hide_post(bridge.ctx, conn, first.post_id, by="Monique") == "hidden"
    leaving = [row for row in await bridge.outbox() if "/notice/" in row.unique_key]
    assert {row.state for row in leaving} == {"cancelled"}
    assert {(row.content, row.raw_hash) for row in leaving} == {(None, None)}
    await tell_entries(bridge.ctx)
    await tell(bridge)
    for told in [row for row in await bridge.outbox() if "/notice/" in row.unique_key and row.state == "sent"]:
        words = (await bridge.raw_of(told)).decode() if told.kind == "email" else str(told.content)
        assert "renvoyer" not in words
    (decision,) = await entries(bridge)
    assert (decision.text, decision.announce_state) == ("louer la salle", "told")
    assert decision.open_until is not None
