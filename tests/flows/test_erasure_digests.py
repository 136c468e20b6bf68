"""Who is forgotten, and what is hidden or taken back, stands in no digest: past, sent, or about to leave."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_model import Digest, Subscription
from passerelle.core.ids import MailAddress, PostId, UserId
from passerelle.core.model import OutboxRow
from passerelle.flows import digest_send
from passerelle.flows.digest_send import next_digest_due_at, send_digests
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.flows.hide_post import hide_post
from passerelle.flows.privacy_export import export_person
from passerelle.store.digest_tables import consent, digest, fiche, offer
from passerelle.store.digests import list_digests, list_shown, list_subscriptions, put_subscription
from passerelle.store.outbox import mark_sending, mark_sent
from passerelle.store.people import find_or_insert_person
from passerelle.store.privacy import find_known_person
from tests.flows import test_erasure
from tests.flows.bridge import Bridge, mail
from tests.flows.test_erasure import USER, WHO, data_files, leave_room, words_in_files, words_in_rows
from tests.flows.test_erasure_secretary import NAME, NAMES, erase_subject, forget, post_of, rows

#: The fixture, on both databases.
bridge = test_erasure.bridge
#: The first Monday after `tests.flows.bridge.START`, a Tuesday, at eight in Paris.
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
PAUL = "Paul Mercier <paul@membres.lab.test>"


async def talk(bridge: Bridge) -> None:
    """She begins a conversation and notes what is to be done; Paul answers; another conversation is not hers."""
    said = "Qui a vu la zorglubine ?\nInfo : la blorpette est ouverte\nAction : réparer la kryptonade avant demain"
    await bridge.receive(mail(said, subject="Tagadette", author=WHO, message_id="q1@mx.example"))
    answer = mail("Pas moi.", subject="Re: Tagadette", author=PAUL, message_id="p1@x", answering=("q1@mx.example",))
    await bridge.receive(answer)
    await bridge.receive(mail("Qui vient au loto ?", subject="Loto", author=PAUL, message_id="p2@x"))
    more = mail("Moi.", subject="Re: Loto", message_id="m2@x", author="Monique <monique@membres.lab.test>",
                answering=("p2@x",))  # fmt: skip
    await bridge.receive(more)


async def subscribe(bridge: Bridge) -> None:
    await subscribe_coordinators(bridge.ctx, configured_digests(bridge.ctx, bridge.ctx.settings))


async def ring(bridge: Bridge, at: datetime = MONDAY) -> int:
    bridge.clock[0] = at
    due_at = await next_digest_due_at(bridge.ctx)
    return await send_digests(bridge.ctx) if due_at is not None and due_at <= at else 0


async def digests(bridge: Bridge) -> list[Digest]:
    async with bridge.ctx.store.read() as conn:
        return await list_digests(conn, bridge.link.association_name, limit=50)


def titles(one: Digest) -> list[str]:
    """Of its items; newcomers have none."""
    return [item.title for item in Chosen.from_json(one.document).items if item.title]


async def mails(bridge: Bridge) -> list[OutboxRow]:
    return [row for row in await bridge.outbox("email") if row.unique_key.startswith("digest/")]


async def all_leave(bridge: Bridge) -> None:
    async with bridge.ctx.store.write() as conn:
        for row in await mails(bridge):
            await mark_sending(conn, row.id)
            await mark_sent(conn, row.id, bridge.now())


async def her_own(bridge: Bridge) -> int:
    """She reads digests herself, in whole; offers help, agreed, and wrote fiches; others name and quote her."""
    name, now = bridge.link.association_name, bridge.now()
    async with bridge.ctx.store.write() as conn:
        her = await find_or_insert_person(
            conn, name, name=NAME, address=MailAddress("quetzalina@vrombissel.example"), user_id=UserId(USER), now=now
        )
        paul = await find_or_insert_person(
            conn, name, name="Paul Mercier", address=MailAddress("paul@membres.lab.test"), now=now
        )
        await put_subscription(
            conn,
            Subscription(
                association=name, person_id=her, kind="member", rhythm="weekly", weekdays=(0,), next_at=MONDAY,
                changed_at=now, whole=True,
            ),
        )  # fmt: skip
        post = await post_of(bridge, "q1@mx.example")
        place: dict[str, Any] = {"association": name}
        offers = ((her, "tromblonesque du samedi", post), (paul, f"relire avec {NAME}", None))
        for person_id, said, post_id in offers:
            await conn.execute(insert(offer).values(**place, person_id=person_id, text=said, said_at=now,
                                                    post_id=post_id))  # fmt: skip
        quote = {"author": NAME, "text": "la moustachique va mieux", "said_at": now.isoformat(), "post_id": post}
        by_voice = {"author": "Quetzalina", "text": "gribouillard", "said_at": now.isoformat()}
        for who, state, written in (
            (her, "draft", {"title": "Ma farfadousse"}),
            (paul, "published", {"title": "Le loto", "who": ["Quetzalina", "Paul"], "quotes": [quote, by_voice]}),
        ):
            await conn.execute(
                insert(fiche).values(
                    **place, link=bridge.link.name, state=state, audience="association", document=written,
                    licence="CC BY 4.0", permalink=f"f{who}", made_by_person_id=who, made_at=now, changed_at=now,
                )
            )  # fmt: skip
        ids = (await conn.execute(text("SELECT id FROM fiche ORDER BY id"))).scalars().all()
        for who, what in ((her, "first_name"), (her, f"fiche:{ids[1]}"), (paul, f"fiche:{ids[0]}")):
            await conn.execute(insert(consent).values(**place, person_id=who, what=what, asked_at=now, given=True))
    return her


async def test_no_word_and_no_name_is_left_in_digests_offers_and_fiches(
    bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    await subscribe(bridge)
    await talk(bridge)
    her = await her_own(bridge)
    assert await ring(bridge) == 2
    await all_leave(bridge)
    before = await words_in_rows(bridge)
    assert before["digest"] >= NAMES | {"zorglubine", "tagadette", "kryptonade"}, "the words are there to be found"
    assert before["offer"] >= {"tromblonesque"} | NAMES
    assert before["fiche"] >= {"moustachique", "farfadousse", "gribouillard"} | NAMES
    await leave_room(bridge)
    await forget(bridge, her)
    assert await words_in_rows(bridge) == {}
    assert words_in_files(await data_files(bridge, request, tmp_path)) == {}
    (left,) = await digests(bridge)
    assert (left.kind, titles(left)) == ("coordinator", ["Loto"])
    assert await rows(bridge, "SELECT what FROM consent") == []
    assert await rows(bridge, "SELECT text FROM offer") == [("relire avec une personne",)]
    ((state, written, who),) = await rows(bridge, "SELECT state, document, made_by_person_id FROM fiche")
    assert (state, who is not None) == ("published", True)
    assert "une personne" in written
    assert '"Paul"' in written
    for table in ("digest_subscription", "digest_shown"):
        assert await rows(bridge, f"SELECT count(*) FROM {table} WHERE person_id = {her}") == [(0,)]


async def test_a_digest_that_waits_is_made_anew_without_what_was_hidden(bridge: Bridge) -> None:
    await subscribe(bridge)
    await talk(bridge)
    assert await ring(bridge) == 1
    (first,) = await digests(bridge)
    assert "Tagadette" in titles(first)
    post = await post_of(bridge, "q1@mx.example")
    other = await post_of(bridge, "p1@x")
    async with bridge.ctx.store.write() as conn:
        assert await hide_post(bridge.ctx, conn, post, by="Monique") == "hidden"
        assert await hide_post(bridge.ctx, conn, other, by="Monique") == "hidden"
    ((state, raw_hash),) = await rows(bridge, "SELECT state, raw_hash FROM outbox WHERE unique_key LIKE 'digest/%'")
    assert (state, raw_hash) == ("cancelled", None)
    assert await digests(bridge) == []
    assert await ring(bridge, MONDAY) == 1
    (second,) = await digests(bridge)
    assert (second.since, titles(second)) == (first.since, ["Loto"])
    (waits,) = [row for row in await mails(bridge) if row.state == "waiting"]
    assert "zorglubine" not in (await bridge.raw_of(waits)).decode("utf-8", "replace")
    (one,) = [s for s in await _subscriptions(bridge) if s.kind == "coordinator"]
    assert (one.told_until, one.next_at) == (MONDAY, MONDAY + timedelta(days=7))
    async with bridge.ctx.store.read() as conn:
        shown = await list_shown(conn, bridge.link.association_name, one.person_id)
    assert {s.item_key for s in shown} == {item.key for item in Chosen.from_json(second.document).items}


async def test_what_is_hidden_between_choosing_and_storing_does_not_leave(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    await subscribe(bridge)
    await talk(bridge)
    look_at = digest_send._look_at

    async def look_and_be_late(*arguments: Any) -> Any:
        monkeypatch.undo()
        chosen = await look_at(*arguments)
        post = await post_of(bridge, "q1@mx.example")
        async with bridge.ctx.store.write() as conn:
            await hide_post(bridge.ctx, conn, post, by="Monique")
        return chosen

    monkeypatch.setattr(digest_send, "_look_at", look_and_be_late)
    assert await ring(bridge) == 1
    (only,) = await digests(bridge)
    assert "Loto" in titles(only)
    assert "Tagadette" not in titles(only)
    (waits,) = await mails(bridge)
    assert "zorglubine" not in (await bridge.raw_of(waits)).decode("utf-8", "replace")


async def _subscriptions(bridge: Bridge) -> list[Subscription]:
    async with bridge.ctx.store.read() as conn:
        return await list_subscriptions(conn)


async def test_one_that_left_stays_as_it_was_sent_and_its_page_tells_of_the_rest(bridge: Bridge) -> None:
    await subscribe(bridge)
    await talk(bridge)
    await ring(bridge)
    await all_leave(bridge)
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, await post_of(bridge, "q1@mx.example"), by="Monique")
    (left,) = await digests(bridge)
    assert titles(left) == ["Loto"]
    ((state, raw_hash),) = await rows(bridge, "SELECT state, raw_hash FROM outbox WHERE unique_key LIKE 'digest/%'")
    assert state == "sent"
    assert raw_hash is not None
    assert await ring(bridge) == 0


async def test_of_what_is_erased_no_digest_is_kept_as_it_left(bridge: Bridge) -> None:
    await subscribe(bridge)
    await talk(bridge)
    await ring(bridge)
    await all_leave(bridge)
    await erase_subject(bridge, {"post": await post_of(bridge, "q1@mx.example")})
    (left,) = await digests(bridge)
    assert titles(left) == ["Loto"]
    assert await rows(bridge, "SELECT state, raw_hash FROM outbox WHERE unique_key LIKE 'digest/%'") == [("sent", None)]


async def test_what_leaves_whole_beside_a_digest_is_called_back_as_well(bridge: Bridge) -> None:
    await talk(bridge)
    her = await her_own(bridge)
    assert await ring(bridge) == 1
    (waits,) = await mails(bridge)
    assert b"multipart/digest" in await bridge.raw_of(waits)
    # « Moi. »: no item stands on it, and it is too short to be told from anyone's words.
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, await post_of(bridge, "m2@x"), by="Monique")
    assert [row.state for row in await mails(bridge)] == ["cancelled"]
    assert await ring(bridge) == 1
    (anew,) = [row for row in await mails(bridge) if row.state == "waiting"]
    assert b"m2@x" not in await bridge.raw_of(anew)
    assert [one.person_id for one in await digests(bridge)] == [her]


async def test_a_line_that_its_author_takes_back_is_gone_from_the_digest_too(bridge: Bridge) -> None:
    await subscribe(bridge)
    line = await bridge.say("Info : une pamplemoussite", sender=USER)
    await bridge.settle()
    await talk(bridge)
    await ring(bridge)
    ((post,),) = await rows(bridge, "SELECT id FROM post WHERE side = 'room'")
    (before,) = await digests(bridge)
    document = Chosen.from_json(before.document)
    told = replace(document.items[0], key="thread:99", post_id=PostId(post), title="pamplemoussite")
    async with bridge.ctx.store.write() as conn:
        changed = replace(document, items=(*document.items, told)).to_json()
        await conn.execute(digest.update().values(document=changed))
    await all_leave(bridge)
    await bridge.happen(bridge.event(USER, {"redacts": line}, kind="m.room.redaction", redacts=line))
    (after,) = await digests(bridge)
    assert titles(after) == [title for title in titles(before) if "pamplemoussite" not in title]
    assert await rows(bridge, "SELECT raw_hash FROM outbox WHERE unique_key LIKE 'digest/%'") == [(None,)]


async def test_a_person_is_shown_their_digests_offers_and_consents(bridge: Bridge) -> None:
    await talk(bridge)
    her = await her_own(bridge)
    await ring(bridge)
    files: dict[str, bytes] = {}
    async with bridge.ctx.store.read() as conn:
        person = await find_known_person(conn, her)
    assert person is not None
    await export_person(bridge.ctx, person, files.__setitem__)
    held = json.loads(files["donnees.json"])
    assert [(s["rhythm"], s["medium"], s["weekdays"]) for s in held["digest_subscriptions"]] == [
        ("weekly", "mail", [0])
    ]
    assert [set(one["titles"]) for one in held["digests"]] == [set(titles((await digests(bridge))[0]))]
    assert held["digest_shown"] != []
    assert [one["text"] for one in held["offers"]] == ["tromblonesque du samedi"]
    assert [one["what"].split(":")[0] for one in held["consents"]] == ["first_name", "fiche"]
    assert [one["document"] for one in held["fiches"]] == [{"title": "Ma farfadousse"}]
    page = files["index.html"].decode()
    for said in (
        "Chaque semaine, par courriel",
        "Loto",
        "tromblonesque du samedi",
        "Votre prénom sur une page imprimée",
    ):
        assert said in page
