"""A catch-up that was told is kept as a digest is: exported, hidden and erased as one, and answered as one."""

from __future__ import annotations

import json
from email.header import Header
from email.message import EmailMessage

import pytest

from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_model import Digest
from passerelle.core.shelves import Shelf
from passerelle.flows.hide_post import hide_post
from passerelle.flows.privacy_export import export_person
from passerelle.store.catch_up import find_last_known_at, list_readable
from passerelle.store.privacy import find_known_person
from tests.flows import test_erasure
from tests.flows.bridge import BRIDGE, Bridge, MakeBridge, body_of, mail
from tests.flows.digest_answering import MONIQUE, digest_sent, item_of, quoted, reply, told
from tests.flows.test_erasure import WHO, words_in_rows
from tests.flows.test_erasure_digests import all_leave, digests, mails, talk
from tests.flows.test_erasure_secretary import NAMES, forget, post_of, rows

#: The fixture, on both databases.
bridge = test_erasure.bridge


def asking(text: str, *, author: str, number: int) -> bytes:
    message_id = f"rattrapage{number}@membres.lab.test"
    raw = mail("", subject="SUBJECT", message_id=message_id, author=author, to=BRIDGE, list_id=None)
    return raw.replace(b"[bureau] SUBJECT", Header(text, "utf-8").encode().encode())


async def catch_ups(bridge: Bridge) -> list[Digest]:
    return [one for one in await digests(bridge) if one.kind == "catch_up"]


async def both_ask(bridge: Bridge) -> None:
    """She and Monique each catch up on what she began."""
    await talk(bridge)
    bridge.pass_time(minutes=5)
    await bridge.receive(asking("rattrapage depuis le début", author=WHO, number=1))
    bridge.pass_time(minutes=5)
    await bridge.receive(asking("rattrapage depuis le début", author=MONIQUE, number=2))
    assert len(await catch_ups(bridge)) == 2


async def test_no_word_of_who_is_forgotten_is_left_in_what_others_were_told(bridge: Bridge) -> None:
    await both_ask(bridge)
    await all_leave(bridge)
    assert (await words_in_rows(bridge))["digest"] >= NAMES | {"zorglubine", "tagadette"}
    ((her,),) = await rows(bridge, "SELECT person_id FROM digest ORDER BY id LIMIT 1")
    await forget(bridge, her)
    # Nobody knows that she is in the room as well.
    assert set(await words_in_rows(bridge)) <= {"room_member"}
    (left,) = await catch_ups(bridge)
    assert left.person_id != her
    assert "Loto" in [item.title for item in Chosen.from_json(left.document).items]


async def test_one_that_waits_is_cancelled_where_it_tells_what_was_hidden(bridge: Bridge) -> None:
    await both_ask(bridge)
    before = await rows(bridge, "SELECT * FROM digest_shown")
    post = await post_of(bridge, "q1@mx.example")
    async with bridge.ctx.store.write() as conn:
        assert await hide_post(bridge.ctx, conn, post, by="Monique") == "hidden"
    assert {row.state for row in await mails(bridge)} == {"cancelled"}
    assert {row.raw_hash for row in await mails(bridge)} == {None}
    assert await catch_ups(bridge) == []
    assert await rows(bridge, "SELECT * FROM digest_shown") == before
    # Who asks again is told the rest.
    bridge.pass_time(minutes=5)
    await bridge.receive(asking("rattrapage depuis le début", author=MONIQUE, number=3))
    (again,) = await catch_ups(bridge)
    assert "zorglubine" not in str(again.document)


async def test_of_one_that_left_only_the_sentence_goes(bridge: Bridge) -> None:
    await both_ask(bridge)
    await all_leave(bridge)
    post = await post_of(bridge, "p2@x")
    async with bridge.ctx.store.write() as conn:
        await hide_post(bridge.ctx, conn, post, by="Monique")
    for one in await catch_ups(bridge):
        assert "Qui vient au loto" not in str(one.document)


async def test_whoever_asks_what_is_held_of_them_reads_what_they_were_told(bridge: Bridge) -> None:
    await both_ask(bridge)
    one = (await catch_ups(bridge))[0]
    assert one.person_id is not None
    async with bridge.ctx.store.read() as conn:
        person = await find_known_person(conn, one.person_id)
        assert person is not None
    files: dict[str, bytes] = {}
    await export_person(bridge.ctx, person, files.__setitem__)
    (held,) = json.loads(files["donnees.json"])["digests"]
    assert held["kind"] == "catch_up"
    assert held["titles"] == [item.title for item in Chosen.from_json(one.document).items]


async def test_who_was_told_knows_it_and_reads_what_stands(bridge: Bridge) -> None:
    await both_ask(bridge)
    one = (await catch_ups(bridge))[0]
    post, shelf = (
        await post_of(bridge, "p2@x"),
        Shelf(association=one.association, link=bridge.link.name, origin="live"),
    )
    assert one.person_id is not None
    async with bridge.ctx.store.read() as conn:
        assert await find_last_known_at(conn, one.association, one.person_id) == one.until
        assert await list_readable(conn, {post}, {shelf}) == {post}
        assert await list_readable(conn, {post}, set()) == frozenset()


# ------------------------------------------------------------ answered


@pytest.fixture
async def sent(make_bridge: MakeBridge) -> tuple[Bridge, EmailMessage]:
    """Monique caught up on two weeks in which something happened."""
    made, _ = await digest_sent(make_bridge)
    made.pass_time(minutes=5)
    await made.receive(reply(made, "", None, subject="rattrapage depuis 2 semaines", message_id="asked@x"))
    return made, (await told(made, "ce que vous avez manqué"))[-1]


async def test_what_quotes_a_conversation_of_it_goes_there(sent: tuple[Bridge, EmailMessage]) -> None:
    bridge, answer = sent
    assert "Elle ne part vers la liste que si vous dites oui." in body_of(answer)
    text = f"{quoted(item_of(answer, 'Goûter 1'))}\n\nJe ferai aussi une tarte aux pommes.\n"
    bridge.pass_time(minutes=5)
    await bridge.receive(reply(bridge, text, answer))
    (question,) = await told(bridge, "Faut-il envoyer")
    assert "> Je ferai aussi une tarte aux pommes." in body_of(question)


async def test_another_is_asked_for_in_answer_to_it(sent: tuple[Bridge, EmailMessage]) -> None:
    bridge, answer = sent
    bridge.pass_time(minutes=5)
    await bridge.receive(reply(bridge, "rattrapage depuis le début\n", answer, message_id="again@x"))
    answers = await told(bridge, "ce que vous avez manqué")
    assert len(answers) == 2
    assert "Depuis le début." in body_of(answers[-1])
