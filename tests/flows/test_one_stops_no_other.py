"""One bad conversation, room, template or store error holds up nothing else; humans hear of it, and not too often."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passerelle.core.ids import AssociationName, LinkName
from passerelle.errors import MalformedEmail
from passerelle.flows import seal_batches
from passerelle.flows.consent import ask_consent, confirm_link, stop_link
from passerelle.flows.report_failures import next_report_at, report_incidents
from passerelle.store.incidents import insert_incident, list_open
from tests.flows.bridge import Bridge, MakeBridge, body_of, mail


async def test_conversation_that_cannot_be_composed_stops_no_other(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    compose = seal_batches.compose_conversations

    async def refuses_one(ctx: Any, conn: Any, link: Any, conversations: Any, message_id: Any) -> bytes:
        if any("impossible" in post.text for c in conversations for _, post in c.lines):
            raise MalformedEmail("cannot be written")
        return await compose(ctx, conn, link, conversations, message_id)

    monkeypatch.setattr(seal_batches, "compose_conversations", refuses_one)
    await bridge.say("impossible")
    await bridge.settle()
    await bridge.say("possible")
    (sent,) = await bridge.settle()
    assert "possible" in body_of(sent)
    async with bridge.ctx.store.read() as conn:
        assert [i.kind for i in await list_open(conn)] == ["compose_failed"]


async def test_evening_mail_waits_for_who_was_not_told(bridge: Bridge) -> None:
    for number in range(6):
        await bridge.say(f"sujet {number}")
        await bridge.settle()
    await bridge.say("sujet connu")
    bridge.pass_time(minutes=11)
    await bridge.deliver_events()
    bridge.clock[0] = datetime(2026, 11, 17, 18, 5, tzinfo=UTC)
    await bridge.say("sujet nouveau", sender="@ines:lab.test")
    bridge.pass_time(minutes=11)
    await seal_batches.seal_due_batches(bridge.ctx, live_at=bridge.now())
    mails = await bridge.list_mails()
    assert "sujet connu" in body_of(mails[6])
    assert "sujet nouveau" not in body_of(mails[6])


async def test_answer_to_an_older_mail_answers_that_mail(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.receive(
        mail("Et qui apporte ?\n", message_id="seconde@x.test", answering=("question@membres.lab.test",))
    )
    await bridge.deliver_events()
    first, _ = [row for row in await bridge.outbox("event") if row.post_id]
    await bridge.say("Moi, je viens", **{"m.relates_to": {"m.in_reply_to": {"event_id": first.event_id}}})
    (sent,) = await bridge.settle()
    assert sent["In-Reply-To"] == "<question@membres.lab.test>"


async def test_thread_goes_on_after_its_last_mail(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.receive(
        mail("Et qui apporte ?\n", message_id="seconde@x.test", answering=("question@membres.lab.test",))
    )
    await bridge.deliver_events()
    first, _ = [row for row in await bridge.outbox("event") if row.post_id]
    relation = {
        "rel_type": "m.thread",
        "event_id": first.event_id,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": first.event_id},
    }
    await bridge.say("Moi !", **{"m.relates_to": relation})
    (sent,) = await bridge.settle()
    assert sent["In-Reply-To"] == "<seconde@x.test>"
    assert "question@membres.lab.test" in sent["References"]


async def test_coordinators_hear_of_everything_in_one_mail_an_hour(bridge: Bridge) -> None:
    for number in range(10):
        await note(bridge, f"incident {number}")
        bridge.pass_time(minutes=1)
        await report_incidents(bridge.ctx)
    assert len(await bridge.personal_mails()) == 1
    due = await next_report_at(bridge.ctx)
    assert due is not None
    assert due > bridge.now()
    bridge.clock[0] = due + timedelta(minutes=2)
    await report_incidents(bridge.ctx)
    assert len(await bridge.personal_mails()) == 2
    assert await next_report_at(bridge.ctx) is None


async def test_coordinator_without_address_is_told_in_the_chat(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(coordinators=[{"name": "Léa", "matrix": "@lea:lab.test"}])
    await note(bridge, "un")
    bridge.pass_time(minutes=1)
    assert await report_incidents(bridge.ctx) == 1
    assert any(row.recipient == "@lea:lab.test" for row in await bridge.outbox("direct"))


async def test_nothing_is_confirmed_before_both_notices_have_left(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(confirmed=False)
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "too_early"
    await ask_consent(bridge.ctx, bridge.link)
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "too_early"
    await bridge.notices_leave()
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "now"


async def test_room_opened_during_a_stop_is_not_confirmed_unseen(bridge: Bridge) -> None:
    await stop_link(bridge.ctx, bridge.link, by="Monique")
    opened = bridge.event("@lea:lab.test", {"join_rule": "public"}, kind="m.room.join_rules", state_key="")
    await bridge.happen(opened)
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "exposed"
    await bridge.receive(mail("Qui vient ?\n"))
    assert await bridge.shown() == []
    assert await confirm_link(bridge.ctx, bridge.link, by="Monique") == "goes_on"


async def note(bridge: Bridge, key: str) -> None:
    async with bridge.ctx.store.write() as conn:
        await insert_incident(
            conn,
            association=AssociationName("epeule"),
            link=LinkName("bureau"),
            kind="bounce",
            key=key,
            detail="",
            at=bridge.now(),
        )


async def test_answer_to_an_evening_mail_goes_to_its_first_conversation(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(mails_per_day=1, evening_at="12:00")
    await bridge.say("sujet du matin")
    await bridge.settle()
    await bridge.say("la clé du local")
    bridge.pass_time(minutes=11)
    await bridge.say("le prix des tables")
    bridge.pass_time(minutes=11)
    await bridge.seal()
    bridge.clock[0] = datetime(2026, 11, 17, 11, 30, tzinfo=UTC)  # 12 h 30 in Paris
    mails = await bridge.settle(minutes=0)
    assert len(mails) == 2
    evening = mails[1]
    answer = mail(
        "Je l'ai.\n",
        subject=f"Re: {evening['Subject']}",
        message_id="cle@x.test",
        answering=(evening["Message-ID"].strip("<>"),),
    )
    await bridge.receive(answer)
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    assert row.parent_post_id is not None


async def test_who_only_reacts_is_told_before_the_name_leaves(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    (row,) = [row for row in await bridge.outbox("event") if row.post_id]
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": row.event_id, "key": "👍"}}
    await bridge.happen(bridge.event("@ines:lab.test", content, kind="m.reaction"))
    await bridge.say("À samedi !")
    bridge.pass_time(minutes=11)
    await seal_batches.seal_due_batches(bridge.ctx, live_at=bridge.now())
    (sent,) = await bridge.list_mails()
    assert "👍" not in body_of(sent)
    await bridge.deliver_events()
    await bridge.say("Encore un mot")
    mails = await bridge.settle()
    assert "👍" in body_of(mails[1])
