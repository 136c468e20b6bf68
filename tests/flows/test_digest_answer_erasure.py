"""Who is forgotten answered digests: nothing of what waited, was asked or was sent by their word is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from passerelle.core.digest_model import Subscription
from passerelle.core.ids import MailAddress, UserId
from passerelle.flows.privacy_export import export_person
from passerelle.store.digests import put_subscription
from passerelle.store.outbox import list_outbox, mark_sending, mark_sent
from passerelle.store.people import find_or_insert_person
from passerelle.store.privacy import find_known_person
from tests.flows import test_erasure
from tests.flows.bridge import Bridge
from tests.flows.digest_answering import item_of, quoted, reply, told
from tests.flows.test_erasure import USER, WHO, data_files, leave_room, words_in_files, words_in_rows
from tests.flows.test_erasure_digests import MONDAY, ring, talk
from tests.flows.test_erasure_secretary import NAME, forget

#: The fixture, on both databases.
bridge = test_erasure.bridge


async def all_leave(bridge: Bridge) -> None:
    async with bridge.ctx.store.write() as conn:
        for row in await list_outbox(conn, state="waiting", limit=10_000):
            if row.kind == "email":
                await mark_sending(conn, row.id)
                await mark_sent(conn, row.id, bridge.now())


async def answering(bridge: Bridge) -> int:
    """She answers her digest: what is unclear, what she has sent, what she has not said yes to."""
    name = bridge.link.association_name
    await talk(bridge)
    async with bridge.ctx.store.write() as conn:
        her = await find_or_insert_person(
            conn, name, name=NAME, address=MailAddress("quetzalina@vrombissel.example"), user_id=UserId(USER),
            now=bridge.now(),
        )  # fmt: skip
        await put_subscription(
            conn,
            Subscription(
                association=name, person_id=her, kind="member", rhythm="weekly", weekdays=(0,), next_at=MONDAY,
                changed_at=bridge.now(),
            ),
        )  # fmt: skip
    assert await ring(bridge) == 1
    (digest,) = await told(bridge, "à savoir")
    await all_leave(bridge)
    loto = quoted(item_of(digest, "Loto"))
    await bridge.receive(reply(bridge, "La moustachique va mieux.\n", digest, author=WHO, message_id="a1@mx.example"))
    sent = f"{loto}\nAvec ma tromblonesque.\n"
    await bridge.receive(reply(bridge, sent, digest, author=WHO, message_id="a2@mx.example"))
    (question,) = await told(bridge, "Faut-il envoyer")
    await bridge.receive(reply(bridge, "oui", question, author=WHO, message_id="a3@mx.example"))
    kept = f"{loto}\nEt une farfadousse.\n"
    await bridge.receive(reply(bridge, kept, digest, author=WHO, message_id="a4@mx.example"))
    await all_leave(bridge)
    await bridge.deliver_events()
    return her


async def test_no_word_is_left_of_what_waited_or_was_sent(
    bridge: Bridge, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    her = await answering(bridge)
    before = await words_in_rows(bridge)
    assert before["ask"] >= {"moustachique", "farfadousse"}
    assert before["post"] >= {"tromblonesque"}
    assert before["blob, opened"] >= {"moustachique", "farfadousse", "tromblonesque"}
    await leave_room(bridge)
    await forget(bridge, her)
    assert await words_in_rows(bridge) == {}
    assert words_in_files(await data_files(bridge, request, tmp_path)) == {}


async def test_who_asks_what_is_held_gets_the_words_that_wait(bridge: Bridge) -> None:
    her = await answering(bridge)
    async with bridge.ctx.store.read() as conn:
        person = await find_known_person(conn, her)
    assert person is not None
    files: dict[str, bytes] = {}
    await export_person(bridge.ctx, person, files.__setitem__)
    held = json.loads(files["donnees.json"])
    assert [(one["kind"], one["about"].get("text", "")) for one in held["asks"]] == [
        ("digest_item", "La moustachique va mieux."),
        ("digest_send", ""),
        ("digest_send", "Et une farfadousse."),
    ]
    page = files["index.html"].decode()
    assert "La moustachique va mieux." in page
    assert "Et une farfadousse." in page
