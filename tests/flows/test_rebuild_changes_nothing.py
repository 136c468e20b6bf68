"""`archive rebuild` of a store in which nothing is wrong leaves every row and every searched word as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.archive_mails import ArchiveMaker
from passerelle.core.ids import PostId
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.rebuild_archive import rebuild_archive
from passerelle.indexing import read_waiting_file
from passerelle.store import search_sqlite
from passerelle.store.search_index import forget_words, scrub_words, set_waiting
from passerelle.store.tables import metadata
from tests.flows.bridge import Bridge, mail
from tests.flows.test_import_mails import made, take_in
from tests.flows.test_import_room_past import before, past_of
from tests.flows.test_search_archive import with_file
from tests.unit.files.sample_files import odt_of


async def dump(bridge: Bridge) -> dict[str, Any]:
    """Every row of every table, and the words of every row of the index."""
    found: dict[str, Any] = {}
    async with bridge.ctx.store.read() as conn:
        for table in (one for one in metadata.sorted_tables if one.name != "meta"):
            rows = [tuple(map(str, row)) for row in await conn.execute(text(f"SELECT * FROM {table.name}"))]
            found[table.name] = sorted(rows)
        numbers = [int(row[0]) for row in await conn.execute(text("SELECT chrono_id FROM post")) if row[0]]
    assert bridge.ctx.store.threads is not None
    found["words"] = await bridge.ctx.store.threads.run(lambda conn: search_sqlite.read_words(conn, numbers))
    return found


async def index_all(bridge: Bridge) -> None:
    await index_waiting(bridge.ctx)
    while await read_waiting_file(bridge.ctx):
        await index_waiting(bridge.ctx)


async def fill(bridge: Bridge) -> None:
    past = [*ArchiveMaker(seed=8, count=120).mails()]
    await take_in(bridge, past)
    first = before(bridge, "Le vieux rendez-vous")
    wave = before(bridge, "salue", minutes=1, msgtype="m.emote")
    other = {"msgtype": "m.text", "body": "Le vieux rendez-vous, à 9 h"}
    replaces = {"rel_type": "m.replace", "event_id": first["event_id"]}
    edit = before(bridge, "", minutes=2, **{"m.new_content": other, "m.relates_to": replaces})
    await past_of(bridge, [first, wave, edit])
    await bridge.receive(mail("Qui vient samedi ?", message_id="a@lab.test"))
    await bridge.receive(mail("Moi !\n\nLe 17, Monique a écrit :\n> Qui vient samedi ?", message_id="b@lab.test",
                              answering=("a@lab.test",), author="Paul <paul@exemple.fr>"))  # fmt: skip
    await bridge.receive(mail("Autre chose", message_id="c@lab.test", answering=("a@lab.test",), subject="Le budget"))
    html = mail("x", message_id="h@lab.test").replace(b"text/plain", b"text/html")
    await bridge.receive(html.replace(b"\r\nx\r\n", b"\r\n<p>Un <b>gras</b></p>\r\n"))
    document = odt_of("La subvention de la mairie")
    await bridge.receive(
        with_file(mail("Ci-joint.", message_id="f@lab.test"), document, "acte.odt", "application/octet-stream")
    )
    await bridge.deliver_events()
    line = await bridge.say("Rendez-vous samedi")
    await bridge.say("Oui", **{"m.relates_to": {"m.in_reply_to": {"event_id": line}}})
    await bridge.say("> <@lea:lab.test> Rendez-vous samedi\n\nD’accord", sender="@karim:lab.test",
                     **{"m.relates_to": {"m.in_reply_to": {"event_id": line}}})  # fmt: skip
    await bridge.say("lève la main", msgtype="m.emote")
    await bridge.say("du gras", format="org.matrix.custom.html", formatted_body="<b>du gras</b>")
    await bridge.say("// reste ici")
    new = {"msgtype": "m.text", "body": "Rendez-vous dimanche"}
    await bridge.happen(
        bridge.event(
            "@lea:lab.test", {**new, "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": line}}
        )
    )
    gone = await bridge.say("Un mot de trop")
    await bridge.happen(bridge.event("@lea:lab.test", {"redacts": gone}, kind="m.room.redaction", redacts=gone))
    await bridge.say("hors-archive : le code est 1234")
    await bridge.settle(minutes=40)
    await bridge.say("Une fois partie", sender="@karim:lab.test")
    await index_all(bridge)


async def test_nothing_changes_in_any_table(bridge: Bridge) -> None:
    await fill(bridge)
    before = await dump(bridge)
    rebuilt = await rebuild_archive(bridge.ctx, on_progress=lambda *_: None)
    assert (rebuilt.changed, rebuilt.unreadable) == (0, 0)
    await index_all(bridge)
    after = await dump(bridge)
    for name, rows in before.items():
        if name == "words":
            assert after[name] == rows
        else:
            gone, come = set(rows) - set(after[name]), set(after[name]) - set(rows)
            assert (name, gone, come) == (name, set(), set())
    assert json.dumps(sorted(before)) == json.dumps(sorted(after))


async def test_what_the_bridge_indexes_meanwhile_stands_there_once(bridge: Bridge) -> None:
    """An imported post is indexed anew by the daemon before a rebuild comes to it, and by other words."""
    await take_in(bridge, [made(number, body=f"Le budget numéro {number}") for number in range(1, 5)])
    before_it = (await dump(bridge))["words"]

    started = False

    async def meanwhile() -> None:
        async with bridge.ctx.store.write() as conn:
            await conn.execute(text("UPDATE post SET text = 'illisible' WHERE id = 2"))
            await set_waiting(conn, [PostId(2), PostId(3)])
        assert await index_waiting(bridge.ctx) == 2

    def on_progress(_phase: str, done: int, _total: int | None) -> None:
        nonlocal started
        if not started:
            started = True
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild_archive(bridge.ctx, on_progress=on_progress)
    await meanwhile()
    await rebuild_archive(bridge.ctx, on_progress=lambda *_: None)
    await index_all(bridge)
    assert (await dump(bridge))["words"] == before_it
    await forget_words(bridge.ctx.store, [PostId(number) for number in range(1, 5)])
    await scrub_words(bridge.ctx.store)
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM post_words_docsize"))).scalar_one() == 0
    assert (await dump(bridge))["words"] == {}
