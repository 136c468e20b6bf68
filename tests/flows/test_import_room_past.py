"""What was imported of a room's past stays the room's own, whatever is said about it afterwards (PEOPLE 8)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.core.ids import EventId
from passerelle.core.model import Post
from passerelle.flows.import_room_past import import_room_past
from passerelle.flows.import_work import NOT_TO_BE_ARCHIVED
from passerelle.matrix.past_page import PastPage
from passerelle.store.imports import NewImportRun, insert_import_run
from passerelle.store.posts import find_room_event, get_post
from passerelle.store.threads import get_thread
from tests.flows.bridge import ROOM, START, Bridge, MakeBridge, body_of


class Pages:
    """Pages of a past that a test wrote."""

    def __init__(self, *pages: list[dict[str, Any]]) -> None:
        self._pages = pages

    async def pages(self, after: str | None) -> AsyncIterator[PastPage]:
        first = int(after or 0)
        for number, events in enumerate(self._pages[first:], first + 1):
            yield PastPage(events=events, names={}, token=None if number == len(self._pages) else str(number))


async def past_of(bridge: Bridge, *pages: list[dict[str, Any]]) -> None:
    new = NewImportRun(
        association=bridge.link.association_name,
        link=bridge.link.name,
        side="room",
        source=ROOM,
        format="room",
        started_at=bridge.now(),
    )
    async with bridge.ctx.store.write() as conn:
        run_id = await insert_import_run(conn, new)
    await import_room_past(bridge.ctx, bridge.link, run_id, Pages(*pages), on_progress=lambda _run, _at: None)


def before(bridge: Bridge, words: str, *, minutes: int = 0, **content: Any) -> dict[str, Any]:
    at = START - timedelta(days=30) + timedelta(minutes=minutes)
    event = bridge.event("@lea:lab.test", {"msgtype": "m.text", "body": words, **content})
    return {**event, "origin_server_ts": int(at.timestamp() * 1000)}


async def post_of(bridge: Bridge, event_id: str) -> Post:
    async with bridge.ctx.store.read() as conn:
        known = await find_room_event(conn, EventId(event_id))
        assert known is not None
        return await get_post(conn, known.post_id)


async def test_a_live_answer_carries_none_of_its_words_to_the_list(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    old = before(bridge, "Le secret du coffre")
    await past_of(bridge, [old])
    relation = {"m.relates_to": {"m.in_reply_to": {"event_id": old["event_id"]}}}
    answer = await bridge.say("Je m’en occupe.", sender="@karim:lab.test", **relation)
    await bridge.happen(
        bridge.event(
            "@lea:lab.test",
            {"m.relates_to": {"rel_type": "m.annotation", "event_id": old["event_id"], "key": "📧"}},
            kind="m.reaction",
        )
    )
    before_it = len(await bridge.list_mails())
    sent = (await bridge.settle())[before_it:]
    assert len(sent) == 1
    assert "secret" not in sent[0].as_string()
    assert "Je m’en occupe." in body_of(sent[0])
    imported, live = await post_of(bridge, old["event_id"]), await post_of(bridge, answer)
    assert (live.parent_post_id, live.origin) == (None, "live")
    async with bridge.ctx.store.read() as conn:
        assert (await get_thread(conn, live.thread_id)).split_from_thread_id == imported.thread_id


async def test_talks_are_told_apart_by_their_pauses_also_over_pages(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge(quiet_minutes=10)
    lines = [before(bridge, f"Ligne {n}", minutes=n) for n in (0, 5, 14, 30)]
    await past_of(bridge, lines[:2], lines[2:])
    threads = [(await post_of(bridge, line["event_id"])).thread_id for line in lines]
    assert threads[0] == threads[1] == threads[2] != threads[3]


async def test_an_edit_that_keeps_a_line_in_the_room_takes_it_out(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    old = before(bridge, "Un mot de trop")
    edit = before(
        bridge,
        "* // un mot",
        **{
            "m.new_content": {"msgtype": "m.text", "body": "// un mot"},
            "m.relates_to": {"rel_type": "m.replace", "event_id": old["event_id"]},
        },
    )
    await past_of(bridge, [old, edit])
    found = await post_of(bridge, old["event_id"])
    assert (found.state, found.text, found.raw_hash) == ("kept_back", "", None)


@pytest.mark.parametrize("said", ["hors-archive: le code est 4812", "Hors archive : le code est 4812"])
async def test_what_was_not_to_be_archived_does_not_come_in(make_bridge: MakeBridge, said: str) -> None:
    bridge = await make_bridge()
    old = before(bridge, "Voici le code")
    edit = before(
        bridge,
        f"* {said}",
        **{
            "m.new_content": {"msgtype": "m.text", "body": said},
            "m.relates_to": {"rel_type": "m.replace", "event_id": old["event_id"]},
        },
    )
    await past_of(bridge, [before(bridge, said), old, edit])
    async with bridge.ctx.store.read() as conn:
        posts = (await conn.execute(text("SELECT state, text, raw_hash FROM post"))).all()
        reasons = (await conn.execute(text("SELECT reason FROM import_refusal"))).scalars().all()
    assert posts == [("kept_back", "", None)]
    assert NOT_TO_BE_ARCHIVED in reasons


async def test_a_redaction_reaches_what_was_imported(make_bridge: MakeBridge) -> None:
    bridge = await make_bridge()
    old = before(bridge, "À oublier")
    await past_of(bridge, [old])
    await bridge.happen(bridge.event("@lea:lab.test", {"redacts": old["event_id"]}, kind="m.room.redaction"))
    found = await post_of(bridge, old["event_id"])
    assert (found.state, found.text) == ("redacted", "")
