"""From the room to the list: what is one conversation, when it leaves, what is changed or taken back before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from passerelle.flows.consent import confirm_link, stop_link
from passerelle.flows.seal_batches import seal_due_batches
from passerelle.store.incidents import list_open
from passerelle.store.outbox import mark_sent
from tests.flows.bridge import LIST, ROOM, START, Bridge, MakeBridge, body_of, dumped, mail


async def test_burst_becomes_one_mail_when_it_settles(bridge: Bridge) -> None:
    await bridge.say("On se retrouve à 18 h ?")
    bridge.pass_time(minutes=2)
    await bridge.say("Ou plutôt 18 h 30", sender="@karim:lab.test")
    bridge.pass_time(minutes=9)
    assert await bridge.seal() == 0
    (sent,) = await bridge.settle(minutes=2)
    body = body_of(sent)
    assert body.index("Léa") < body.index("18 h ?") < body.index("Karim") < body.index("18 h 30")
    assert sent["From"].addresses[0].display_name == "Léa, Karim (salon)"
    assert sent["To"] == LIST
    assert sent["Auto-Submitted"] is None
    assert sent["Subject"] == "On se retrouve à 18 h ?"
    assert sent["In-Reply-To"] is None


async def test_longest_wait_ends_a_talk_that_does_not_settle(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(quiet_minutes=10, longest_wait_minutes=30)
    for number in range(8):
        await bridge.say(f"ligne {number}")
        bridge.pass_time(minutes=5)
        await bridge.seal()
    mails = await bridge.list_mails()
    assert len(mails) == 1
    assert "ligne 5" in body_of(mails[0])


async def test_reply_to_mail_leaves_as_answer_in_its_thread(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    relation = {"m.relates_to": {"m.in_reply_to": {"event_id": row.event_id}}}
    await bridge.say("Moi", **relation)
    (sent,) = await bridge.settle()
    assert sent["In-Reply-To"] == "<question@membres.lab.test>"
    assert sent["References"] == "<question@membres.lab.test>"
    assert sent["Subject"] == "Re: Loto du quartier"


async def test_thread_and_main_timeline_are_two_conversations(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    await bridge.say("Moi", **{"m.relates_to": {"rel_type": "m.thread", "event_id": row.event_id}})
    await bridge.say("Il pleut !", sender="@karim:lab.test")
    mails = await bridge.settle()
    assert sorted(m["Subject"] for m in mails) == ["Il pleut !", "Re: Loto du quartier"]


async def test_reply_to_a_line_of_the_burst_joins_it(bridge: Bridge) -> None:
    first = await bridge.say("On se retrouve à 18 h ?")
    await bridge.say("Oui", sender="@karim:lab.test", **{"m.relates_to": {"m.in_reply_to": {"event_id": first}}})
    (sent,) = await bridge.settle()
    assert "Oui" in body_of(sent)


async def test_edit_inside_the_batch_replaces(bridge: Bridge) -> None:
    first = await bridge.say("Rendez-vous mardy")
    await edit(bridge, first, "Rendez-vous mardi")
    (sent,) = await bridge.settle()
    assert "mardi" in body_of(sent)
    assert "mardy" not in body_of(sent)
    assert "*" not in body_of(sent)


async def test_edit_by_another_changes_nothing(bridge: Bridge) -> None:
    first = await bridge.say("Rendez-vous mardi")
    await edit(bridge, first, "Rendez-vous jamais", sender="@karim:lab.test")
    (sent,) = await bridge.settle()
    assert "jamais" not in body_of(sent)


async def test_substantial_edit_afterwards_adds_a_correction_to_the_next_mail(bridge: Bridge) -> None:
    first = await bridge.say("Rendez-vous mardi")
    assert len(await bridge.settle()) == 1
    await edit(bridge, first, "Rendez-vous mercredi")
    assert len(await bridge.settle()) == 1, "a correction causes no mail of its own"
    await bridge.say("Apportez vos gants.")
    mails = await bridge.settle()
    assert len(mails) == 2
    assert "Rendez-vous mercredi" in body_of(mails[1])


async def test_small_edit_afterwards_is_dropped(bridge: Bridge) -> None:
    first = await bridge.say("Rendez-vous mardi")
    await bridge.settle()
    await edit(bridge, first, "Rendez-vous, mardi !")
    await bridge.say("Apportez vos gants.")
    mails = await bridge.settle()
    assert "Rendez-vous" not in body_of(mails[1])


async def test_redacted_line_never_leaves(bridge: Bridge) -> None:
    first = await bridge.say("Je n'aurais pas dû dire ça")
    await bridge.say("Bonjour")
    await redact(bridge, first)
    (sent,) = await bridge.settle()
    assert "pas dû" not in sent.as_string()
    assert "Bonjour" in body_of(sent)


async def test_batch_with_nothing_left_makes_no_mail(bridge: Bridge) -> None:
    first = await bridge.say("Oups")
    await redact(bridge, first)
    assert await bridge.settle() == []


async def test_redaction_afterwards_causes_no_mail(bridge: Bridge) -> None:
    first = await bridge.say("Bonjour")
    await bridge.settle()
    (row,) = [row for row in await bridge.outbox("email") if row.post_id]
    async with bridge.ctx.store.write() as conn:
        await mark_sent(conn, row.id, bridge.now())
    await redact(bridge, first)
    bridge.pass_time(minutes=300)
    assert await bridge.seal() == 0


async def test_line_that_was_redacted_while_we_were_away_never_leaves(bridge: Bridge) -> None:
    """The batch is due, but the homeserver has not yet said that nothing newer waits."""
    first = await bridge.say("Je n'aurais pas dû dire ça")
    due_later = bridge.now()
    bridge.pass_time(hours=5)
    assert await seal_due_batches(bridge.ctx, live_at=due_later) == 0
    await redact(bridge, first)
    assert await bridge.settle() == []


async def test_lines_with_slashes_stay_and_are_kept_nowhere(bridge: Bridge) -> None:
    await bridge.say("//juste entre nous")
    await bridge.say("Bonjour")
    (sent,) = await bridge.settle()
    assert "entre nous" not in sent.as_string()
    database = bridge.ctx.settings.store.url.removeprefix("sqlite:///")
    async with bridge.ctx.store.read() as conn:
        from sqlalchemy import text

        for table in ("post", "outbox", "batch_line"):
            rows = (await conn.execute(text(f"SELECT * FROM {table}"))).all()
            assert "entre nous" not in str(rows)
        assert (await conn.execute(text("SELECT raw_hash FROM inbox ORDER BY id"))).first() == (None,)
    assert database


async def test_line_edited_to_slashes_stays(bridge: Bridge) -> None:
    first = await bridge.say("juste entre nous")
    await edit(bridge, first, "//juste entre nous")
    assert await bridge.settle() == []


async def test_notices_of_other_bots_do_not_leave(bridge: Bridge) -> None:
    await bridge.happen(bridge.event("@robot:lab.test", {"msgtype": "m.notice", "body": "bip"}))
    assert await bridge.settle() == []


async def test_reactions_to_mails_stand_in_the_next_mail(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    await react(bridge, str(row.event_id), "👍")
    await react(bridge, str(row.event_id), "👍", sender="@karim:lab.test")
    assert await bridge.settle() == [], "a reaction causes no mail of its own"
    await bridge.say("À samedi !")
    (sent,) = await bridge.settle()
    body = body_of(sent)
    assert "👍" in body
    assert "Léa et Karim" in body


async def test_reaction_taken_back_is_not_told(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    reaction = await react(bridge, str(row.event_id), "👍")
    await redact(bridge, reaction)
    await bridge.say("À samedi !")
    (sent,) = await bridge.settle()
    assert "👍" not in body_of(sent)


async def test_on_request_only_the_authors_own_sign_sends(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(policy="on_request")
    first = await bridge.say("Ceci intéresse la liste")
    await bridge.say("Ceci non")
    await react(bridge, first, "📧", sender="@karim:lab.test")
    assert await bridge.settle() == []
    (asked,) = [row for row in await bridge.outbox("direct") if "Karim" in dumped(dict(row.content or {}))]
    assert asked.recipient == "@lea:lab.test"
    await react(bridge, first, "📧")
    (sent,) = await bridge.settle()
    assert "intéresse" in body_of(sent)
    assert "Ceci non" not in body_of(sent)


async def test_each_line_is_a_mail(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(policy="each", quiet_from="00:00", quiet_until="00:00")
    for number in range(10):
        await bridge.say(f"ligne {number}")
    await bridge.seal()
    assert len(await bridge.list_mails()) == 10


async def test_at_most_six_mails_a_day_the_rest_in_the_evening(bridge: Bridge) -> None:
    for number in range(9):
        await bridge.say(f"sujet {number}")
        await bridge.settle(minutes=11)
    assert len(await bridge.list_mails()) == 6
    bridge.clock[0] = datetime(2026, 11, 17, 18, 1, tzinfo=UTC)  # 19 h 01 in Paris
    mails = await bridge.settle(minutes=0)
    assert len(mails) == 7
    body = body_of(mails[6])
    assert all(f"sujet {n}" in body for n in (6, 7, 8))


async def test_nothing_leaves_in_quiet_hours(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(at=datetime(2026, 11, 17, 21, 30, tzinfo=UTC))  # 22 h 30 in Paris
    await bridge.say("Qui dort ?")
    assert await bridge.settle(minutes=60) == []
    bridge.clock[0] = datetime(2026, 11, 18, 7, 1, tzinfo=UTC)  # 8 h 01 in Paris
    assert len(await bridge.settle(minutes=0)) == 1


async def test_lines_wait_until_their_author_was_told(bridge: Bridge) -> None:
    await bridge.say("Bonjour, je suis nouvelle.", sender="@ines:lab.test")
    bridge.pass_time(minutes=11)
    assert await seal_due_batches(bridge.ctx, live_at=bridge.now()) == 0
    (welcome,) = await bridge.outbox("direct")
    assert welcome.recipient == "@ines:lab.test"
    assert await bridge.seal() == 1


async def test_members_of_the_room_were_told_with_everyone(bridge: Bridge) -> None:
    await bridge.say("Bonjour")
    assert await bridge.outbox("direct") == []


async def test_newcomer_is_welcomed_in_private(bridge: Bridge) -> None:
    joins = bridge.event(
        "@ines:lab.test",
        {"membership": "join", "displayname": "Inès"},
        kind="m.room.member",
        state_key="@ines:lab.test",
    )
    await bridge.happen(joins)
    (welcome,) = await bridge.outbox("direct")
    assert welcome.recipient == "@ines:lab.test"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("m.room.join_rules", {"join_rule": "public"}),
        ("m.room.history_visibility", {"history_visibility": "world_readable"}),
    ],
)
async def test_exposed_room_stops_the_relay_until_confirmed(bridge: Bridge, kind: str, content: dict[str, str]) -> None:
    await bridge.say("Avant")
    await bridge.happen(bridge.event("@lea:lab.test", content, kind=kind, state_key=""))
    await bridge.receive(mail("Qui vient ?\n"))
    assert await bridge.shown() == []
    assert await bridge.settle() == []
    async with bridge.ctx.store.read() as conn:
        assert len(await list_open(conn)) == 1
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "goes_on"
    await bridge.run_flows()
    assert len(await bridge.shown()) == 1, "what waited goes on"
    assert len(await bridge.settle()) == 1


async def test_link_stopped_by_hand_goes_on_where_it_stood(bridge: Bridge) -> None:
    await stop_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.say("Moi !")
    assert await bridge.shown() == []
    await confirm_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.run_flows()
    assert len(await bridge.shown()) == 1
    assert len(await bridge.settle()) == 1


async def test_failed_mail_is_told_in_the_room(bridge: Bridge) -> None:
    from passerelle.flows.report_failures import FAILED_KEY, report_failures
    from passerelle.store.outbox import mark_failed

    line = await bridge.say("Bonjour")
    await bridge.settle()
    row = next(row for row in await bridge.outbox("email") if row.post_id)
    async with bridge.ctx.store.write() as conn:
        await mark_failed(conn, row.id, bridge.now(), "550 5.1.1 no such list")
    assert await report_failures(bridge.ctx) == 1
    assert await report_failures(bridge.ctx) == 0
    (reaction,) = await bridge.outbox("reaction")
    assert reaction.target_event_id == line
    assert FAILED_KEY in dumped(dict(reaction.content or {}))
    notices = [r for r in await bridge.outbox("event") if r.post_id is None and "Léa" in dumped(dict(r.content or {}))]
    assert len(notices) == 1


async def edit(bridge: Bridge, target: str, text: str, *, sender: str = "@lea:lab.test") -> str:
    content = {
        "msgtype": "m.text",
        "body": f"* {text}",
        "m.new_content": {"msgtype": "m.text", "body": text},
        "m.relates_to": {"rel_type": "m.replace", "event_id": target},
    }
    event = bridge.event(sender, content)
    await bridge.happen(event)
    return str(event["event_id"])


async def redact(bridge: Bridge, target: str, *, sender: str = "@lea:lab.test") -> None:
    await bridge.happen(bridge.event(sender, {"redacts": target}, kind="m.room.redaction", redacts=target))


async def react(bridge: Bridge, target: str, key: str, *, sender: str = "@lea:lab.test") -> str:
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": target, "key": key}}
    event = bridge.event(sender, content, kind="m.reaction")
    await bridge.happen(event)
    return str(event["event_id"])


def test_start_is_a_working_day() -> None:
    assert START.weekday() == 1
    assert START.utcoffset() == timedelta(0)
    assert ROOM.startswith("!")
