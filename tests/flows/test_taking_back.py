"""Words that are taken back, or that their author keeps in the room: they do not leave, and nothing is kept of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.core.ids import EventId, RoomId
from passerelle.core.model import OutboxRow, RoomEvent
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.core.settings import MatrixSettings
from passerelle.fetching import Fetching
from passerelle.flows.consent import ask_consent, confirm_link, stop_link
from passerelle.flows.context import FlowContext
from passerelle.flows.own_events import is_ours
from passerelle.flows.seal_batches import seal_due_batches
from passerelle.store.attachments import claim_wanted
from passerelle.store.blob_coding import decoded
from passerelle.store.engine import Store
from passerelle.store.outbox import mark_sending, mark_sent, mark_waiting
from passerelle.store.posts import insert_room_event
from passerelle.wiring import build_context
from tests.flows.bridge import MONIQUE, ROOM, START, Bridge, MakeBridge, body_of, mail, settings_of

OTHER_ROOM = "!autre:lab.test"


async def every_word(bridge: Bridge) -> str:
    """All words that the store keeps, blobs opened."""
    found: list[str] = []
    async with bridge.ctx.store.read() as conn:
        for row in (await conn.execute(text("SELECT encoding, data FROM blob"))).all():
            data = bytes(row.data)
            found.append(decoded(row.encoding, data).decode("utf-8", "replace"))
        tables = ("post", "batch_line", "pending_line", "post_version", "thread", "attachment", "inbox")
        for table in tables:
            found += [str(row) for row in (await conn.execute(text(f"SELECT * FROM {table}"))).all()]
        rows = (await conn.execute(text("SELECT content FROM outbox WHERE content IS NOT NULL"))).scalars()
        found += [json.dumps(json.loads(content), ensure_ascii=False) for content in rows]
    return "\n".join(found)


def edit_of(bridge: Bridge, target: str, body: str, sender: str = "@lea:lab.test") -> dict[str, Any]:
    content = {
        "msgtype": "m.text",
        "body": f"* {body}",
        "m.new_content": {"msgtype": "m.text", "body": body},
        "m.relates_to": {"rel_type": "m.replace", "event_id": target},
    }
    return bridge.event(sender, content)


def redaction_of(bridge: Bridge, target: str, sender: str = "@lea:lab.test") -> dict[str, Any]:
    return bridge.event(sender, {"redacts": target}, kind="m.room.redaction", redacts=target)


def reaction_to(bridge: Bridge, target: str, key: str, sender: str = "@lea:lab.test") -> dict[str, Any]:
    relation = {"rel_type": "m.annotation", "event_id": target, "key": key}
    return bridge.event(sender, {"m.relates_to": relation}, kind="m.reaction")


def picture(bridge: Bridge) -> dict[str, Any]:
    info = {"mimetype": "image/jpeg", "size": 10}
    return bridge.event("@lea:lab.test", {"msgtype": "m.image", "body": "p.jpg", "url": "mxc://a/b", "info": info})


def in_thread(root: str) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}


async def list_rows(bridge: Bridge) -> list[OutboxRow]:
    return [row for row in await bridge.outbox("email") if row.post_id]


async def living_mails(bridge: Bridge) -> list[EmailMessage]:
    """The mails to the list that were not cancelled."""
    rows = [row for row in await list_rows(bridge) if row.state != "cancelled"]
    return [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]


def said_in(mails: list[EmailMessage]) -> str:
    """All that the list reads: subjects and bodies."""
    return "\n".join(f"{mail['Subject']}\n{body_of(mail)}" for mail in mails)


# ------------------------------------------------------------ taken back while something holds the line up


async def test_line_redacted_during_a_stop_never_leaves(bridge: Bridge) -> None:
    await stop_link(bridge.ctx, bridge.link, by="Monique")
    target = await bridge.say("mot-regretté")
    await bridge.happen(redaction_of(bridge, target))
    assert "mot-regretté" not in await every_word(bridge)
    await confirm_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.run_flows()
    assert await bridge.settle() == []


async def test_edit_redacted_during_a_stop_never_leaves(bridge: Bridge) -> None:
    target = await bridge.say("Rendez-vous à midi")
    await stop_link(bridge.ctx, bridge.link, by="Monique")
    edit = edit_of(bridge, target, "mot-regretté")
    await bridge.happen(edit)
    await bridge.happen(redaction_of(bridge, edit["event_id"]))
    await confirm_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.run_flows()
    body = said_in(await bridge.settle())
    assert "midi" in body
    assert "mot-regretté" not in body


async def test_line_that_comes_after_its_redaction_never_leaves(bridge: Bridge) -> None:
    late = bridge.event("@lea:lab.test", {"msgtype": "m.text", "body": "mot-regretté"})
    await bridge.happen(redaction_of(bridge, late["event_id"]))
    await bridge.happen(late)
    assert await bridge.settle() == []
    assert "mot-regretté" not in await every_word(bridge)


async def test_words_taken_back_while_smtp_is_down_do_not_leave(bridge: Bridge) -> None:
    first = await bridge.say("Bonjour")
    target = await bridge.say("mot-regretté", sender="@karim:lab.test")
    await bridge.settle()
    await bridge.happen(redaction_of(bridge, target, sender="@karim:lab.test"))
    assert [row.state for row in await list_rows(bridge)] == ["cancelled"]
    assert "mot-regretté" not in await every_word(bridge)
    await bridge.settle(minutes=1)
    (sent,) = await living_mails(bridge)
    assert "Bonjour" in body_of(sent)
    assert "mot-regretté" not in said_in([sent])
    # The same first line gives the same Message-ID, so that a restored backup still finds it.
    cancelled, again = await list_rows(bridge)
    assert (cancelled.message_id, cancelled.raw_hash) == (again.message_id, None)
    assert first


async def test_mail_with_nothing_else_is_cancelled_and_no_other_made(bridge: Bridge) -> None:
    target = await bridge.say("mot-regretté")
    await bridge.settle()
    await bridge.happen(redaction_of(bridge, target))
    await bridge.settle(minutes=60)
    assert await living_mails(bridge) == []


async def test_mail_that_the_server_may_have_begun_to_get_is_left_alone(bridge: Bridge) -> None:
    target = await bridge.say("Bonjour")
    await bridge.settle()
    (row,) = await list_rows(bridge)
    async with bridge.ctx.store.write() as conn:
        await mark_sending(conn, row.id)
        await mark_waiting(conn, row.id, bridge.now(), "451 try again")
    await bridge.happen(redaction_of(bridge, target))
    (after,) = await list_rows(bridge)
    assert (after.state, after.raw_hash, after.unique_key) == ("waiting", row.raw_hash, row.unique_key)


async def test_who_was_about_to_send_a_cancelled_mail_is_told(bridge: Bridge) -> None:
    target = await bridge.say("Bonjour")
    await bridge.settle()
    (row,) = await list_rows(bridge)
    await bridge.happen(redaction_of(bridge, target))
    async with bridge.ctx.store.write() as conn:
        assert not await mark_sending(conn, row.id)
        assert not await mark_waiting(conn, row.id, bridge.now(), "no connection")


async def test_evening_mail_opens_again_as_the_conversations_that_it_was(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(mails_per_day=1)
    await bridge.say("premier")
    await bridge.settle()
    one = await bridge.say("deuxième")
    await bridge.settle(minutes=30)
    await bridge.say("troisième", sender="@karim:lab.test")
    await bridge.settle(minutes=30)
    bridge.clock[0] = START.replace(hour=18, minute=5)
    await bridge.settle(minutes=0)
    await bridge.happen(redaction_of(bridge, one))
    await bridge.settle(minutes=2)
    said = said_in(await living_mails(bridge))
    assert "deuxième" not in said
    assert "troisième" in said


async def test_reaction_in_a_cancelled_mail_waits_for_the_next(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?\n"))
    await bridge.deliver_events()
    shown = next(row for row in await bridge.outbox("event") if row.post_id)
    await bridge.happen(reaction_to(bridge, str(shown.event_id), "👍", sender="@karim:lab.test"))
    target = await bridge.say("mot-regretté")
    await bridge.settle()
    await bridge.happen(redaction_of(bridge, target))
    await bridge.settle(minutes=60)
    assert await living_mails(bridge) == [], "a reaction causes no mail of its own"
    await bridge.say("À samedi !")
    (sent,) = [m for m in await bridge.settle() if "samedi" in m.as_string() or "👍" in body_of(m)][-1:]
    assert "👍" in body_of(sent)


# ------------------------------------------------------------ edits and requests that are taken back


async def test_redacted_edit_brings_the_words_before_it_back(bridge: Bridge) -> None:
    target = await bridge.say("Rendez-vous à midi")
    edit = edit_of(bridge, target, "mot-regretté")
    await bridge.happen(edit)
    await bridge.happen(redaction_of(bridge, edit["event_id"]))
    (sent,) = await bridge.settle()
    assert "à midi" in body_of(sent)
    assert "mot-regretté" not in said_in([sent])
    assert "mot-regretté" not in await every_word(bridge)


async def test_redacted_edit_in_a_mail_that_was_not_begun_does_not_leave(bridge: Bridge) -> None:
    target = await bridge.say("Rendez-vous à midi")
    edit = edit_of(bridge, target, "mot-regretté")
    await bridge.happen(edit)
    await bridge.settle()
    await bridge.happen(redaction_of(bridge, edit["event_id"]))
    await bridge.settle(minutes=1)
    (sent,) = await living_mails(bridge)
    assert "à midi" in body_of(sent)
    assert "mot-regretté" not in said_in([sent])


async def test_two_edits_after_leaving_make_one_correction(bridge: Bridge) -> None:
    target = await bridge.say("Le loto est samedi")
    await left(bridge)
    await bridge.happen(edit_of(bridge, target, "Le loto est dimanche"))
    await bridge.happen(edit_of(bridge, target, "Le loto est lundi"))
    await bridge.say("Autre chose, bien plus tard")
    last = (await bridge.settle())[-1]
    assert "dimanche" not in body_of(last)
    assert "lundi" in body_of(last)


async def test_edit_back_to_what_the_list_has_corrects_nothing(bridge: Bridge) -> None:
    target = await bridge.say("Le loto est samedi")
    await left(bridge)
    await bridge.happen(edit_of(bridge, target, "Le loto est dimanche"))
    await bridge.happen(edit_of(bridge, target, "Le loto est samedi"))
    await bridge.say("Autre chose")
    last = (await bridge.settle())[-1]
    assert "loto" not in body_of(last)


async def test_redacted_edit_after_leaving_removes_its_correction(bridge: Bridge) -> None:
    target = await bridge.say("Le loto est samedi")
    await left(bridge)
    first, second = edit_of(bridge, target, "Le loto est dimanche"), edit_of(bridge, target, "Le loto est lundi")
    await bridge.happen(first, second, redaction_of(bridge, second["event_id"]))
    await bridge.say("Autre chose")
    body = body_of((await bridge.settle())[-1])
    assert "lundi" not in body
    assert "dimanche" in body, "the edit before it stands"
    third = edit_of(bridge, target, "Le loto est mardi")
    await bridge.happen(third, redaction_of(bridge, third["event_id"]))
    await left(bridge)
    await bridge.say("Encore autre chose")
    assert "loto" not in body_of((await bridge.settle())[-1]).split("Encore")[-1]


async def test_taken_back_request_does_not_leave(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(policy="on_request")
    target = await bridge.say("Seulement ici finalement")
    request = reaction_to(bridge, target, "📧")
    await bridge.happen(request)
    await bridge.happen(redaction_of(bridge, request["event_id"]))
    assert await bridge.settle() == []
    await bridge.happen(reaction_to(bridge, target, "📧"))
    assert len(await bridge.settle()) == 1, "and an author may ask again"


async def test_request_taken_back_while_smtp_is_down_does_not_leave(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(policy="on_request")
    target = await bridge.say("Seulement ici finalement")
    request = reaction_to(bridge, target, "📧")
    await bridge.happen(request)
    assert len(await bridge.settle()) == 1
    await bridge.happen(redaction_of(bridge, request["event_id"]))
    await bridge.settle(minutes=60)
    assert await living_mails(bridge) == []
    assert "Seulement ici" in await every_word(bridge), "the line itself was not taken back"


# ------------------------------------------------------------ nothing is kept


async def test_redacted_line_keeps_no_words(bridge: Bridge) -> None:
    target = await bridge.say("mot-regretté")
    await bridge.happen(edit_of(bridge, target, "mot-regretté, autrement"))
    await bridge.happen(redaction_of(bridge, target))
    assert "mot-regretté" not in await every_word(bridge)


async def test_redacted_line_that_was_sent_keeps_no_words(bridge: Bridge) -> None:
    target = await bridge.say("mot-regretté")
    await left(bridge)
    await bridge.happen(redaction_of(bridge, target))
    assert "mot-regretté" not in await every_word(bridge)
    assert [row.state for row in await list_rows(bridge)] == ["sent"]


async def test_subject_of_a_mail_has_no_words_that_were_taken_back(bridge: Bridge) -> None:
    target = await bridge.say("mot-regretté")
    await bridge.say("Bonjour")
    await bridge.happen(redaction_of(bridge, target))
    (sent,) = await bridge.settle()
    assert sent["Subject"] == "Bonjour"


async def test_subject_follows_an_edit_before_the_mail_leaves(bridge: Bridge) -> None:
    target = await bridge.say("Rendez-vous mardy")
    await bridge.happen(edit_of(bridge, target, "Rendez-vous mardi"))
    (sent,) = await bridge.settle()
    assert sent["Subject"] == "Rendez-vous mardi"


async def test_file_of_a_redacted_line_is_not_fetched(bridge: Bridge) -> None:
    event = picture(bridge)
    await bridge.happen(event, redaction_of(bridge, event["event_id"]))
    assert await claim_wanted(bridge.ctx.store, bridge.now(), limit=10) == []


async def test_file_that_was_being_fetched_when_it_was_taken_back_is_not_kept(bridge: Bridge) -> None:
    event = picture(bridge)
    await bridge.happen(event)
    (row,) = await claim_wanted(bridge.ctx.store, bridge.now(), limit=10)
    await bridge.happen(redaction_of(bridge, event["event_id"]))
    await Fetching(bridge.ctx, None)._store(row, b"image-regrettee")  # type: ignore[arg-type]
    assert "image-regrettee" not in await every_word(bridge)


async def test_parts_of_a_redacted_mail_do_not_leave_for_the_room(bridge: Bridge) -> None:
    text_row, file_row = await receive_with_file(bridge)
    await sent_to_room(bridge, text_row)
    await bridge.happen(redaction_of(bridge, "$sent0", sender="@monique:lab.test"))
    rows = [row for row in await bridge.outbox("event") if row.post_id]
    assert rows[1].id == file_row.id
    assert (rows[1].state, rows[1].upload_hash, rows[0].content) == ("cancelled", None, None)
    assert "mot-regretté" not in await every_word(bridge)


async def test_redacted_file_of_a_mail_leaves_its_words_alone(bridge: Bridge) -> None:
    text_row, file_row = await receive_with_file(bridge)
    await sent_to_room(bridge, text_row)
    await sent_to_room(bridge, file_row)
    await bridge.happen(redaction_of(bridge, f"$sent{file_row.part}", sender="@monique:lab.test"))
    rows = [row for row in await bridge.outbox("event") if row.post_id]
    assert rows[0].content is not None
    assert (rows[1].content, rows[1].upload_hash) == (None, None)
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT state, text FROM post"))).all() == [("accepted", "mot-regretté")]
        assert (await conn.execute(text("SELECT blob_hash FROM attachment"))).scalars().all() == [None]


@pytest.mark.parametrize("spoil", ["content", "sender", "msgtype"])
async def test_before_consent_nothing_is_kept_of_what_cannot_be_read(make_bridge: MakeBridge, spoil: str) -> None:
    bridge = await make_bridge(confirmed=False)
    event = bridge.event("@lea:lab.test", {"msgtype": "m.text", "body": "secret-six"})
    if spoil == "content":
        event["content"] = "secret-six"
    elif spoil == "sender":
        event["sender"] = "secret-six"
    else:
        del event["content"]["msgtype"]
    await bridge.happen(event)
    assert await bridge.states() == ["done"]
    assert "secret-six" not in await every_word(bridge)


# ------------------------------------------------------------ lines that stay in the room


async def test_edit_of_a_kept_line_is_stored_nowhere(bridge: Bridge) -> None:
    target = await bridge.say("// secret-un entre nous")
    await bridge.happen(edit_of(bridge, target, "// secret-deux entre nous"))
    await bridge.happen(edit_of(bridge, target, "secret-trois entre nous"))
    kept = await every_word(bridge)
    assert not any(word in kept for word in ("secret-un", "secret-deux", "secret-trois"))


async def test_line_edited_into_a_kept_one_keeps_nothing(bridge: Bridge) -> None:
    target = await bridge.say("Bonjour à tous")
    await bridge.happen(edit_of(bridge, target, "// secret-trois"))
    kept = await every_word(bridge)
    assert "secret-trois" not in kept
    assert "Bonjour à tous" not in kept
    await bridge.happen(edit_of(bridge, target, "Bonjour encore"))
    assert await bridge.settle() == []


async def test_line_edited_into_a_kept_one_leaves_no_mail_that_was_not_begun(bridge: Bridge) -> None:
    target = await bridge.say("juste entre nous")
    await bridge.settle()
    await bridge.happen(edit_of(bridge, target, "//juste entre nous"))
    await bridge.settle(minutes=60)
    assert await living_mails(bridge) == []


async def test_only_the_author_keeps_a_line_in_the_room(bridge: Bridge) -> None:
    target = await bridge.say("Rendez-vous mardi")
    await bridge.happen(edit_of(bridge, target, "// secret-quatre", sender="@karim:lab.test"))
    assert "secret-quatre" not in await every_word(bridge)
    assert "mardi" in said_in(await bridge.settle())


async def test_kept_line_during_a_stop_is_stored_nowhere(bridge: Bridge) -> None:
    before = await bridge.say("Avant l’arrêt")
    await stop_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.say("// secret-quatre")
    held = await bridge.say("secret-cinq")
    await bridge.happen(edit_of(bridge, held, "// secret-six"), edit_of(bridge, before, "// secret-sept"))
    kept = await every_word(bridge)
    assert not any(word in kept for word in ("secret-quatre", "secret-cinq", "secret-six", "secret-sept"))
    await confirm_link(bridge.ctx, bridge.link, by="Monique")
    await bridge.run_flows()
    assert await bridge.settle() == []


# ------------------------------------------------------------ stopped threads


async def test_line_of_a_stopped_thread_can_be_had_again(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(fuse_per_hour=2, policy="each", quiet_from="00:00", quiet_until="00:00")
    root = await bridge.say("un")
    lines = []
    for number in range(6):
        lines.append(await bridge.say(f"suite {number}", **in_thread(root)))
        await bridge.settle(minutes=1)
    await bridge.happen(edit_of(bridge, lines[-1], "suite, mieux"))
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": lines[-1]}}}
    await bridge.say("et la réponse", **answer)
    held = [s for s, r in zip(await bridge.states(), await bridge.reasons(), strict=True) if r == "thread_stopped"]
    assert len(held) >= 3, "with the edit and the answer"
    assert set(held) == {"set_aside"}


# ------------------------------------------------------------ what a server says, and to whom an event belongs


async def test_line_dated_long_ago_does_not_hurry_its_burst(bridge: Bridge) -> None:
    bridge.pass_time(days=3)
    await bridge.say("On se retrouve à 18 h ?")
    old = bridge.event("@karim:lab.test", {"msgtype": "m.text", "body": "Ma montre retarde"})
    old["origin_server_ts"] -= 2 * 86_400_000
    await bridge.happen(old)
    assert await bridge.settle(minutes=1) == []
    (sent,) = await bridge.settle(minutes=11)
    assert "Ma montre" in body_of(sent)


async def test_line_dated_long_ago_opens_no_batch_that_is_due_at_once(bridge: Bridge) -> None:
    bridge.pass_time(days=3)
    old = bridge.event("@karim:lab.test", {"msgtype": "m.text", "body": "Ma montre retarde"})
    old["origin_server_ts"] -= 2 * 86_400_000
    await bridge.happen(old)
    assert await bridge.settle(minutes=1) == []
    assert len(await bridge.settle(minutes=11)) == 1


@pytest.mark.parametrize(
    ("sender", "ours"),
    [
        ("@passerelle:lab.test", True),
        ("@_passerelle_a1b2:lab.test", True),
        ("@_passerelle_a1b2:ailleurs.test", False),
        ("@_passerelle_a1b2:lab.test:8448", False),
        ("@lea:lab.test", False),
    ],
)
def test_ghosts_are_those_of_our_own_homeserver(sender: str, ours: bool) -> None:
    settings = MatrixSettings.model_validate(
        {
            "homeserver": "http://127.0.0.1:1",
            "user_id": "@passerelle:lab.test",
            "appservice": {"as_token": "a" * 40, "hs_token": "b" * 40, "ghost_prefix": "_passerelle_"},
        }
    )
    assert is_ours(settings, sender) is ours


# ------------------------------------------------------------ two rooms


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Bridge]:
    """Two associations, each with a link called `bureau` and a room of its own, in one mailbox."""
    settings = settings_of(tmp_path, {}, [MONIQUE])
    theirs = {"room": OTHER_ROOM, "list": {"address": "bureau@wazemmes.lab.test"}}
    other = settings_of(tmp_path, theirs, [MONIQUE])
    second = other.associations[0].model_copy(update={"name": "wazemmes", "title": "Wazemmes"})
    settings = settings.model_copy(update={"associations": (*settings.associations, second)})
    store = await Store.open(settings.store.url, exclusive=True)
    clock = [START]
    built = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
    ctx = FlowContext(
        store=store,
        settings=settings,
        links=built.links,
        renderer=built.renderer,
        upload_limit_bytes=built.upload_limit_bytes,
        now=lambda: clock[0],
    )
    bridge = Bridge(ctx, clock)
    for link in ctx.links:
        await ask_consent(ctx, link)
    await bridge.notices_leave()
    for link in ctx.links:
        assert await confirm_link(ctx, link, by="Monique") == "now"
    bridge.pass_time(seconds=1)
    yield bridge
    await store.close()


async def happen_in(bridge: Bridge, room: str, event: dict[str, Any]) -> str:
    before = f"s{bridge.token}" if bridge.token else None
    bridge.token += 1
    update = RoomUpdate(room_id=RoomId(room), timeline=(event,))
    await bridge.intake.take_sync(
        SyncArrivals(source="matrix", before=before, after=f"s{bridge.token}", rooms=(update,))
    )
    await bridge.run_flows()
    return str(event["event_id"])


async def say_in(bridge: Bridge, room: str, sender: str, words: str, **content: Any) -> str:
    return await happen_in(bridge, room, bridge.event(sender, {"msgtype": "m.text", "body": words, **content}))


async def mails_of(bridge: Bridge, path: str) -> list[EmailMessage]:
    bridge.pass_time(minutes=11)
    await bridge.deliver_events()
    await seal_due_batches(bridge.ctx, live_at=bridge.now())
    rows = [row for row in await list_rows(bridge) if row.lane == f"out:list:{path}"]
    return [message_from_bytes(await bridge.raw_of(row), policy=policy.default) for row in rows]  # type: ignore[misc]


async def test_line_of_another_room_is_not_answered(two: Bridge) -> None:
    first = await say_in(two, ROOM, "@lea:lab.test", "secret de l’Épeule en sujet")
    answer = {"m.relates_to": {"m.in_reply_to": {"event_id": first}}}
    await say_in(two, OTHER_ROOM, "@eve:lab.test", "rien à voir", **answer)
    mails = await mails_of(two, "wazemmes/bureau")
    assert len(mails) == 1
    assert "secret" not in said_in(mails)


async def test_reaction_in_another_room_quotes_nothing(two: Bridge) -> None:
    await two.receive(mail("secret du courriel de l’Épeule"))
    await two.deliver_events()
    shown = next(row for row in await two.outbox("event") if row.post_id)
    await happen_in(two, OTHER_ROOM, reaction_to(two, str(shown.event_id), "👍", sender="@eve:lab.test"))
    await say_in(two, OTHER_ROOM, "@eve:lab.test", "bonjour")
    mails = await mails_of(two, "wazemmes/bureau")
    assert len(mails) == 1
    assert "secret" not in said_in(mails)


@pytest.mark.parametrize("what", ["line", "edit", "reaction"])
async def test_redaction_in_another_room_takes_nothing_back(two: Bridge, what: str) -> None:
    await two.receive(mail("Qui vient ?"))
    await two.deliver_events()
    shown = next(row for row in await two.outbox("event") if row.post_id)
    line = await say_in(two, ROOM, "@lea:lab.test", "Je viens samedi")
    edit = await happen_in(two, ROOM, edit_of(two, line, "Je viens dimanche"))
    reaction = await happen_in(two, ROOM, reaction_to(two, str(shown.event_id), "👍"))
    target = {"line": line, "edit": edit, "reaction": reaction}[what]
    await happen_in(two, OTHER_ROOM, redaction_of(two, target, sender="@eve:lab.test"))
    (sent,) = await mails_of(two, "epeule/bureau")
    assert "dimanche" in body_of(sent)
    assert "👍" in body_of(sent)


async def test_edit_in_another_room_changes_nothing(two: Bridge) -> None:
    line = await say_in(two, ROOM, "@lea:lab.test", "Je viens samedi")
    await happen_in(two, OTHER_ROOM, edit_of(two, line, "Je viens dimanche"))
    await happen_in(two, OTHER_ROOM, edit_of(two, line, "// rien"))
    (sent,) = await mails_of(two, "epeule/bureau")
    assert "samedi" in body_of(sent)


# ------------------------------------------------------------ what these tests say often


async def left(bridge: Bridge) -> None:
    """What was said settles, and the list has it."""
    await bridge.settle()
    async with bridge.ctx.store.write() as conn:
        for row in await list_rows(bridge):
            if row.state == "waiting":
                await mark_sending(conn, row.id)
                await mark_sent(conn, row.id, bridge.now())


async def receive_with_file(bridge: Bridge) -> tuple[OutboxRow, OutboxRow]:
    made = message_from_bytes(mail("mot-regretté"), policy=policy.SMTP)
    assert isinstance(made, EmailMessage)
    made.add_attachment(b"abc" * 100, maintype="application", subtype="pdf", filename="secret.pdf")
    await bridge.receive(made.as_bytes())
    words, file = [row for row in await bridge.outbox("event") if row.post_id]
    return words, file


async def sent_to_room(bridge: Bridge, row: OutboxRow) -> None:
    event_id = EventId(f"$sent{row.part}")
    assert row.post_id is not None
    async with bridge.ctx.store.write() as conn:
        await mark_sent(conn, row.id, bridge.now(), event_id=event_id)
        await insert_room_event(
            conn,
            RoomEvent(
                event_id=event_id,
                room_id=ROOM,
                post_id=row.post_id,
                part=row.part,
                thread_root_event_id=None,
                outbox_id=row.id,
                said_at=bridge.now(),
            ),
        )
