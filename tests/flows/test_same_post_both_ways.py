"""A mail is one and the same post, whether it came live or out of an archive, and whichever came first."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from benchmarks.archive_mails import LIST_ADDRESS, LIST_PREFIX, ArchiveMaker
from passerelle.core.links import Link
from passerelle.core.shelves import Shelf
from passerelle.flows.consent import ask_consent, confirm_link
from passerelle.flows.import_mails import Outcome, import_mails
from passerelle.store.engine import Store
from passerelle.store.imports import NewImportRun, insert_import_run
from passerelle.store.scrub import erase_post_row, set_state_and_reindex
from passerelle.wiring import build_context
from tests.flows.bridge import LIST, MONIQUE, ROOM, START, Bridge, mail, settings_of
from tests.flows.test_import_mails import Mails
from tests.flows.test_search_archive import find

#: A second list of the same association, with a room of its own.
FETES = "fetes@listes.lab.test"
TO_BOTH = f"{LIST}, {FETES}"

_POSTS = (
    "SELECT p.message_id, p.content_hash, p.author_name, p.author_address, p.subject, p.text, p.refs, p.permalink,"
    " p.flagged, q.message_id AS parent, t.subject AS thread, s.subject AS split_from, person.name,"
    " (SELECT min(o.message_id) FROM post AS o WHERE o.thread_id = p.thread_id) AS of_thread"
    " FROM post AS p LEFT JOIN post AS q ON q.id = p.parent_post_id JOIN thread AS t ON t.id = p.thread_id"
    " LEFT JOIN thread AS s ON s.id = t.split_from_thread_id LEFT JOIN person ON person.id = p.person_id"
    " WHERE p.side = 'list' ORDER BY p.message_id, p.content_hash"
)
_FILES = (
    "SELECT p.message_id, f.position, f.filename, f.media_type, f.size_bytes, f.content_id, f.blob_hash"
    " FROM attachment AS f JOIN post AS p ON p.id = f.post_id ORDER BY p.message_id, f.position"
)

Open = Callable[..., Awaitable[Bridge]]


@pytest.fixture
async def open_bridge(tmp_path: Path) -> AsyncIterator[Open]:
    """Open bridges with stores of their own; `two`: with a second list and room. All consented."""
    stores: list[Store] = []

    async def open_one(*, two: bool = False, **link: Any) -> Bridge:
        folder = tmp_path / str(len(stores))
        folder.mkdir()
        settings = settings_of(folder, link, [MONIQUE])
        if two:
            values = settings.model_dump(mode="json", exclude_unset=True)
            second = {"name": "fetes", "list": {"address": FETES}, "room": "!fetes:lab.test"}
            values["associations"][0]["links"].append(second)
            settings = type(settings).model_validate(values)
        store = await Store.open(settings.store.url, exclusive=True)
        stores.append(store)
        clock = [START]
        ctx = replace(build_context(settings, store, upload_limit_bytes=lambda: 50_000_000), now=lambda: clock[0])
        bridge = Bridge(ctx, clock)
        for one in ctx.links:
            await ask_consent(ctx, one)
        await bridge.notices_leave()
        for one in ctx.links:
            assert await confirm_link(ctx, one, by="Monique") == "now"
        bridge.pass_time(seconds=1)
        return bridge

    yield open_one
    for store in stores:
        await store.close()


async def rows(bridge: Bridge, statement: str) -> list[Any]:
    async with bridge.ctx.store.read() as conn:
        return [tuple(row) for row in await conn.execute(text(statement))]


def link_of(bridge: Bridge, name: str) -> Link:
    return next(link for link in bridge.ctx.links if link.name == name)


async def bring_in(bridge: Bridge, mails: list[bytes], link: str = "bureau") -> Outcome:
    into = link_of(bridge, link)
    new = NewImportRun(
        association=into.association_name, link=into.name, side="list", source="/p", format="mbox", started_at=START
    )
    async with bridge.ctx.store.write() as conn:
        run = await insert_import_run(conn, new)
    return await import_mails(bridge.ctx, into, run, Mails(mails), on_progress=lambda _: None, processes=1)


def live_shelf(link: str) -> Shelf:
    return Shelf(association="epeule", link=link, origin="live")  # type: ignore[arg-type]


async def test_an_import_makes_the_posts_that_the_bridge_would_have_made(open_bridge: Open) -> None:
    mails = [*ArchiveMaker(seed=11, count=250).mails()]
    of_list = {"list": {"address": LIST_ADDRESS, "subject_prefix": LIST_PREFIX}, "fuse_per_hour": 10_000}
    bridged, brought = await open_bridge(**of_list), await open_bridge(**of_list)
    for raw in mails:
        bridged.pass_time(seconds=30)
        await bridged.receive(raw)
    random.Random(5).shuffle(mails)
    await bring_in(brought, mails)
    assert await rows(brought, _POSTS) == await rows(bridged, _POSTS)
    assert await rows(brought, _FILES) == await rows(bridged, _FILES)


async def test_a_mail_to_two_lists_stands_in_the_archive_of_both(open_bridge: Open) -> None:
    bridge = await open_bridge(two=True)
    raw = mail("Qui tient la buvette ?", to=TO_BOTH)
    await bridge.receive(raw)
    await bridge.receive(mail("Qui tient la buvette ?", to=TO_BOTH, list_id="<fetes.listes.lab.test>"))
    assert await rows(bridge, "SELECT count(*) FROM post WHERE side = 'list'") == [(1,)]
    assert {row.room_id for row in await bridge.outbox("event") if row.post_id} == {ROOM, "!fetes:lab.test"}
    for link in ("bureau", "fetes"):
        found = await find(bridge, "buvette", shelves=[live_shelf(link)])
        assert [hit.post.text for hit in found.hits] == ["Qui tient la buvette ?"], link


async def test_a_mail_that_was_imported_before_it_came_is_still_relayed(open_bridge: Open) -> None:
    """A fresh mbox holds what still waits in the mailbox, where the bridge was stopped meanwhile."""
    bridge = await open_bridge()
    bridge.pass_time(minutes=5)
    raw = mail("Qui tient la buvette ?")
    await bring_in(bridge, [raw])
    await bridge.receive(raw)
    await bridge.receive(raw)
    assert [content["body"] for content in await bridge.shown()] != []
    assert len(await bridge.shown()) == 1
    assert await rows(bridge, "SELECT origin FROM post WHERE side = 'list'") == [("live",)]
    found = await find(bridge, "buvette", shelves=[live_shelf("bureau")])
    assert len(found.hits) == 1, "what its room was shown stands where its room reads"


async def test_what_was_erased_does_not_come_back_by_the_archive_of_another_list(open_bridge: Open) -> None:
    bridge = await open_bridge(two=True)
    raw = mail("Qui tient la buvette ?", to=TO_BOTH)
    await bring_in(bridge, [raw], "bureau")
    await bring_in(bridge, [raw], "fetes")
    assert await rows(bridge, "SELECT count(*) FROM cross_post") == [(1,)]
    async with bridge.ctx.store.write() as conn:
        await erase_post_row(conn, 1)  # type: ignore[arg-type]
    outcome = await bring_in(bridge, [raw], "fetes")
    assert (outcome.imported, outcome.known) == (0, 1)


async def test_a_mail_that_came_live_elsewhere_stays_the_past_of_its_list(open_bridge: Open) -> None:
    """PEOPLE 8: the room of a list reads nothing of the list's past, though another room was shown it."""
    bridge = await open_bridge(two=True)
    await bridge.receive(mail("Qui tient la buvette ?", to=TO_BOTH))
    await bring_in(bridge, [mail("Qui tient la buvette ?", to=TO_BOTH)], "fetes")
    past = Shelf(association="epeule", link="fetes", origin="import", side="list")  # type: ignore[arg-type]
    assert (await find(bridge, "buvette", shelves=[live_shelf("fetes")])).hits == ()
    assert len((await find(bridge, "buvette", shelves=[past])).hits) == 1
    assert len((await find(bridge, "buvette", shelves=[live_shelf("bureau")])).hits) == 1
    await bridge.receive(mail("Qui tient la buvette ?", to=TO_BOTH, list_id="<fetes.listes.lab.test>"))
    assert {row.room_id for row in await bridge.outbox("event") if row.post_id} == {ROOM, "!fetes:lab.test"}
    assert len((await find(bridge, "buvette", shelves=[live_shelf("fetes")])).hits) == 1


async def test_a_room_is_shown_nothing_again_that_was_brought_in_and_taken_back(open_bridge: Open) -> None:
    bridge = await open_bridge()
    raw = mail("Qui tient la buvette ?")
    await bring_in(bridge, [raw])
    async with bridge.ctx.store.write() as conn:
        await set_state_and_reindex(conn, [1], "hidden")  # type: ignore[list-item]
    await bridge.receive(raw)
    assert await bridge.shown() == []
