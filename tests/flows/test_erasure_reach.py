"""Places that an erasure reaches only if it looks for them: the words are put there, and looked for afterwards."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.flows.erase import ask_erasure, erase
from passerelle.flows.retain import retain
from passerelle.store.pages import are_pages_left, renew_pages
from tests.flows import test_erasure
from tests.flows.bridge import Bridge, mail
from tests.flows.test_erasure import (
    SAID,
    USER,
    WHO,
    Mailboxes,
    erase_person,
    index_all,
    leave_room,
    person_of,
    quoted,
    with_parts,
    words_in_rows,
)

#: The fixture, on both databases.
bridge = test_erasure.bridge
PAUL = "Paul Petit <paul@membres.lab.test>"


async def words_left(bridge: Bridge) -> dict[str, set[str]]:
    """But for the list of the room's members: nobody knows yet whose that account is."""
    return {where: words for where, words in (await words_in_rows(bridge)).items() if where != "room_member"}


async def first_post(bridge: Bridge) -> int:
    async with bridge.ctx.store.read() as conn:
        return int((await conn.execute(text("SELECT min(id) FROM post"))).scalar_one())


async def erase_post(bridge: Bridge, post_id: int) -> dict[str, Any]:
    request_id = await ask_erasure(
        bridge.ctx, bridge.link.association_name, {"post": post_id}, by="coordinator", who="Monique"
    )
    receipt = await erase(bridge.ctx, request_id, emails=Mailboxes())
    assert receipt is not None
    return dict(receipt)


async def indexed(bridge: Bridge, beginning: str) -> int:
    """How many posts are found by a word that begins so; no word of the tests is longer when it is stemmed."""
    async with bridge.ctx.store.read() as conn:
        if bridge.ctx.store.dialect == "sqlite":
            asked = "SELECT count(*) FROM post_words WHERE post_words MATCH :word"
            return int((await conn.execute(text(asked), {"word": f"{beginning}*"})).scalar_one())
        asked = "SELECT count(*) FROM post_words WHERE (facets || words || files || quoted)::text LIKE :word"
        return int((await conn.execute(text(asked), {"word": f"%{beginning}%"})).scalar_one())


async def test_quoted_words_leave_the_index_where_only_the_original_held_them(bridge: Bridge) -> None:
    await bridge.receive(mail(SAID, author=WHO, message_id="q1@x", subject="Hangar"))
    answer = f"J’y vais.\n\n{quoted(SAID)}"
    await bridge.receive(mail(answer, author=PAUL, message_id="a1@x", answering=("q1@x",), subject="Mardi"))
    await index_all(bridge)
    assert await indexed(bridge, "zorglub") == 2
    await erase_person(bridge)
    assert await indexed(bridge, "zorglub") == 0
    assert await indexed(bridge, "mard") == 1


async def test_a_reaction_that_waits_for_a_mail_bears_no_name_any_more(bridge: Bridge) -> None:
    await bridge.say("Bonjour", sender=USER)
    await bridge.settle()
    await bridge.receive(mail("Le loto ?", author=PAUL, message_id="l@x"))
    await bridge.deliver_events()
    shown = next(row for row in await bridge.outbox("event") if row.post_id is not None)
    key = {"m.relates_to": {"rel_type": "m.annotation", "event_id": shown.event_id, "key": "👍"}}
    await bridge.happen(bridge.event(USER, key, kind="m.reaction"))
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM pending_line"))).scalar_one() == 1
    await leave_room(bridge)
    await erase_person(bridge)
    assert await words_left(bridge) == {}
    await bridge.say("On y va")
    assert all("Quetzalina" not in one.as_string() for one in await bridge.settle())


async def test_of_a_short_post_its_other_copies_go_too(bridge: Bridge) -> None:
    """The same mail came again as other bytes; a short line came back from the list."""
    await bridge.say("Zorglubine", sender="@lea:lab.test")
    await bridge.settle()
    sent = (await bridge.list_mails())[-1]
    sent["List-Id"] = "<bureau.listes.lab.test>"
    await bridge.receive(sent.as_bytes())
    await index_all(bridge)
    await erase_post(bridge, await first_post(bridge))
    assert {w for found in (await words_in_rows(bridge)).values() for w in found} <= {"quetzalina", "vrombissel"}


async def test_a_file_that_another_sent_on_goes_with_its_text(bridge: Bridge) -> None:
    files = {"plan.txt": b"Une pamplemoussite en vrac\n"}
    await leave_room(bridge)
    await bridge.receive(with_parts(mail("Voici.", author=WHO, message_id="q1@x"), files=files))
    await bridge.receive(with_parts(mail("Je fais suivre.", author=PAUL, message_id="a1@x"), files=files))
    await erase_person(bridge)
    assert await words_left(bridge) == {}


async def test_a_file_that_another_had_sent_before_stays(bridge: Bridge) -> None:
    """The emblem of the association stands in everyone's signature."""
    files = {"logo.txt": b"L'embleme de l'association\n"}
    await bridge.receive(with_parts(mail("Voici.", author=PAUL, message_id="a1@x"), files=files))
    bridge.pass_time(hours=1)
    later = {"Date": "Tue, 17 Nov 2026 11:00:00 +0000"}
    await bridge.receive(with_parts(mail("Aussi.", author=WHO, message_id="q1@x", **later), files=files))
    await erase_person(bridge)
    async with bridge.ctx.store.read() as conn:
        kept = (await conn.execute(text("SELECT filename FROM attachment WHERE blob_hash IS NOT NULL"))).scalars().all()
    assert kept == ["logo.txt"]


async def test_what_arrives_while_the_person_is_forgotten_is_forgotten_too(bridge: Bridge) -> None:
    await leave_room(bridge)
    await bridge.receive(mail("Zorglubine un.", author=WHO, message_id="q1@x"))
    (person_id,) = await person_of(bridge)
    request_id = await ask_erasure(bridge.ctx, bridge.link.association_name, {"person": person_id}, by="administrator")
    seen = False

    class Stop(BaseException):
        pass

    def stop(phase: str, done: int) -> None:
        nonlocal seen
        if phase == "person" and not seen:
            seen = True
            raise Stop

    with pytest.raises(Stop):
        await erase(bridge.ctx, request_id, emails=Mailboxes(), say=stop)
    await bridge.receive(mail("Kryptonade deux.", author=WHO, message_id="q2@x"))
    assert await erase(bridge.ctx, request_id, emails=Mailboxes()) is not None
    assert await words_left(bridge) == {}


async def test_what_is_too_large_by_day_is_written_anew_at_night(bridge: Bridge) -> None:
    """The receipt says so; whoever writes meanwhile waits, and goes on."""
    store = bridge.ctx.store
    by_day = await renew_pages(store, at_most_bytes=1)
    assert (by_day.whole, await are_pages_left(store)) == (False, True)
    bridge.pass_time(days=1)
    await asyncio.gather(retain(bridge.ctx), bridge.receive(mail("Zorglubine.", message_id="z@x")))
    assert not await are_pages_left(store)
    assert "post" in await words_in_rows(bridge)


async def test_a_disk_without_room_for_a_copy_keeps_nothing_waiting(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    if bridge.ctx.store.dialect == "postgresql":
        return  # PostgreSQL says so itself
    monkeypatch.setattr("passerelle.store.pages.shutil.disk_usage", lambda _: type("Disk", (), {"free": 1000}))
    await bridge.receive(mail("Zorglubine.", message_id="z@x"))
    receipt = await erase_post(bridge, await first_post(bridge))
    assert receipt["pages_whole"] is False
    assert await are_pages_left(bridge.ctx.store)


async def test_a_reader_who_holds_the_log_open_is_told_of(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the log still holds has not gone: the receipt must not say that it has."""
    if bridge.ctx.store.dialect == "postgresql":
        return  # PostgreSQL waits for older snapshots
    monkeypatch.setattr("passerelle.store.pages._TRIES", 1)
    await bridge.receive(mail("Zorglubine.", message_id="z@x"))
    async with bridge.ctx.store.read() as reading:
        await reading.execute(text("SELECT count(*) FROM post"))
        receipt = await erase_post(bridge, await first_post(bridge))
    assert receipt["pages_whole"] is False
    assert (await renew_pages(bridge.ctx.store)).whole


async def test_a_mail_that_waits_to_be_relayed_is_not_relayed(bridge: Bridge) -> None:
    """Mails of the person, and of who quotes them, that came before and have not had their turn."""
    await leave_room(bridge)
    await bridge.receive(mail(SAID, author=WHO, message_id="q1@x", subject="Hangar"))
    dispatch, bridge.run_flows = bridge.run_flows, _nothing  # type: ignore[method-assign]
    await bridge.receive(mail("Hurluberlade.", author=WHO, message_id="q2@x"))
    answer = f"Oui, voir ceci :\n\n{quoted(SAID)}\net aussi cela."
    await bridge.receive(mail(answer, author=PAUL, message_id="a1@x", answering=("q1@x",), subject="Mardi"))
    bridge.run_flows = dispatch  # type: ignore[method-assign]
    await erase_person(bridge)
    await bridge.run_flows()
    await index_all(bridge)
    assert await words_left(bridge) == {}
    assert "erased" in await bridge.reasons()
    assert "et aussi cela." in str(await bridge.shown())


async def _nothing() -> None:
    """The dispatcher has not come to it."""


async def test_an_answer_to_a_search_does_not_keep_what_it_found(bridge: Bridge) -> None:
    await bridge.receive(mail("La zorglubine.", author=PAUL, message_id="z@x", subject="Hangar"))
    await bridge.deliver_events()
    await index_all(bridge)
    ask = mail("", subject="", author=PAUL, to="passerelle@membres.lab.test", list_id=None, message_id="s@x")
    await bridge.receive(ask.replace(b"Subject: [bureau] ", b"Subject: cherche hangar"))
    rows = [row for row in await bridge.outbox("email") if row.unique_key.startswith("search:")]
    assert "zorglubine" in str(await bridge.raw_of(rows[0]))
    await erase_post(bridge, await first_post(bridge))
    assert {w for found in (await words_left(bridge)).values() for w in found} <= {"quetzalina", "vrombissel"}
