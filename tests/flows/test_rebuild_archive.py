"""`archive rebuild`: what is lost or read wrongly is made anew from the originals; an interruption harms nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from passerelle.flows import rebuild_archive as rebuilding
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.rebuild_archive import rebuild_archive
from passerelle.indexing import read_waiting_file
from passerelle.store.search_rebuild import find_rebuild
from tests.flows.bridge import Bridge, mail
from tests.flows.test_search_archive import texts, with_file
from tests.unit.files.sample_files import odt_of


def ignore(_phase: str, _done: int, _total: int | None) -> None:
    pass


async def fill(bridge: Bridge, count: int = 6) -> None:
    for number in range(count):
        await bridge.receive(mail(f"Le budget numéro {number}", message_id=f"m{number}@lab.test"))
    await bridge.say("Une ligne du salon")
    document = odt_of("La subvention de la mairie")
    await bridge.receive(
        with_file(mail("Ci-joint.", message_id="file@lab.test"), document, "acte.odt", "application/octet-stream")
    )
    await index_waiting(bridge.ctx)
    assert await read_waiting_file(bridge.ctx)
    await index_waiting(bridge.ctx)


async def test_what_was_lost_comes_back(bridge: Bridge) -> None:
    await fill(bridge)
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("UPDATE post SET text = 'illisible', subject = 'x'"))
        await conn.exec_driver_sql("INSERT INTO post_words (post_words) VALUES ('delete-all')")
        await conn.execute(text("DELETE FROM post_words_kept"))
    assert await texts(bridge, "budget") == []
    seen: list[tuple[str, int, int | None]] = []
    done = await rebuild_archive(bridge.ctx, on_progress=lambda *of: seen.append(of))
    assert (done.posts, done.changed, done.unreadable) == (8, 8, 0)
    assert ("posts", 8, 8) in seen
    assert seen[-1][0] == "threads"
    assert await texts(bridge, "budget numéro") == [f"Le budget numéro {n}" for n in reversed(range(6))]
    assert await texts(bridge, "objet:loto ligne") == []
    assert await texts(bridge, "ligne salon") == ["Une ligne du salon"]
    assert await texts(bridge, "subvention") == ["Ci-joint."]
    assert await read_waiting_file(bridge.ctx), "files are read again"
    assert await texts(bridge, "subvention") == ["Ci-joint."]


async def test_conversations_come_back(bridge: Bridge) -> None:
    await bridge.receive(mail("Qui vient ?", message_id="a@lab.test"))
    await bridge.receive(mail("Moi", message_id="b@lab.test", answering=("a@lab.test",)))
    places = text("SELECT id, thread_id, parent_post_id FROM post ORDER BY id")
    async with bridge.ctx.store.read() as conn:
        before = (await conn.execute(places)).all()
    assert before[1].parent_post_id == before[0].id
    async with bridge.ctx.store.write() as conn:
        await conn.execute(text("UPDATE post SET parent_post_id = NULL"))
    await rebuild_archive(bridge.ctx, on_progress=ignore)
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(places)).all() == before


async def test_nothing_changes_where_all_is_well(bridge: Bridge) -> None:
    await fill(bridge)
    columns = "id, text, html, subject, state, raw_hash, content_hash, thread_id, chrono_id, permalink"
    async with bridge.ctx.store.read() as conn:
        before = (await conn.execute(text(f"SELECT {columns} FROM post ORDER BY id"))).all()
    done = await rebuild_archive(bridge.ctx, on_progress=ignore)
    assert done.changed == 0
    async with bridge.ctx.store.read() as conn:
        assert (await conn.execute(text(f"SELECT {columns} FROM post ORDER BY id"))).all() == before
        old = await conn.execute(text("SELECT name FROM sqlite_schema WHERE name LIKE 'post_words_old%'"))
        assert old.all() == []


async def test_it_goes_on_where_it_was_interrupted(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(bridge)
    monkeypatch.setattr(rebuilding, "_AT_ONCE", 3)

    def stop(_phase: str, done: int, _total: int | None) -> None:
        if done >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await rebuild_archive(bridge.ctx, on_progress=stop)
    assert await texts(bridge, "budget") == [f"Le budget numéro {n}" for n in (2, 1, 0)], "the bridge goes on"
    await bridge.receive(mail("Le budget nouveau", message_id="new@lab.test"))
    assert len(await texts(bridge, "budget")) == 4
    done = await rebuild_archive(bridge.ctx, on_progress=ignore)
    assert done.posts == 5
    assert len(await texts(bridge, "budget")) == 7
    async with bridge.ctx.store.read() as conn:
        assert await find_rebuild(conn) is None


async def test_an_edited_line_keeps_its_last_words(bridge: Bridge) -> None:
    line = await bridge.say("Rendez-vous samedi")
    new = {"msgtype": "m.text", "body": "Rendez-vous dimanche"}
    edit = {**new, "m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": line}}
    await bridge.happen(bridge.event("@lea:lab.test", edit))
    await rebuild_archive(bridge.ctx, on_progress=ignore)
    assert await texts(bridge, "dimanche") == ["Rendez-vous dimanche"]
    assert await texts(bridge, "samedi") == []


async def test_what_was_taken_back_does_not_come_back(bridge: Bridge) -> None:
    line = await bridge.say("Un mot zanzibarite")
    await bridge.happen(bridge.event("@lea:lab.test", {"redacts": line}, kind="m.room.redaction", redacts=line))
    await rebuild_archive(bridge.ctx, on_progress=ignore)
    assert await texts(bridge, "zanzibarite") == []
