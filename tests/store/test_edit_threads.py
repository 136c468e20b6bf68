"""A human's word on conversations: attach, split, undo; applied again by a rebuild, on both databases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, PostId, RoomId, ThreadId
from passerelle.core.model import RoomEvent
from passerelle.flows.context import FlowContext
from passerelle.flows.edit_threads import attach_post, split_post, undo_edit
from passerelle.flows.rethread import regroup, rethread_all
from passerelle.store.acts import list_acts
from passerelle.store.engine import Store
from passerelle.store.posts import insert_room_event
from passerelle.store.tables import post, thread
from passerelle.store.thread_edits import list_thread_edits
from passerelle.store.threads import get_thread, insert_thread, stop_thread
from passerelle.wiring import build_context
from tests.flows.bridge import MONIQUE, settings_of
from tests.store.made import NOW, A, made_post
from tests.store.test_rethread import Mail, arrive

TALK = [
    Mail("a"),
    Mail("b", "a", minute=1),
    Mail("c", "b a", minute=2),
    Mail("d", "a", minute=3),
    Mail("z", "", "budget", 4),
]


@pytest.fixture
def ctx(store: Store, tmp_path: Path) -> FlowContext:
    return build_context(settings_of(tmp_path, {}, [MONIQUE]), store, upload_limit_bytes=lambda: 0)


async def posts_of(conn: AsyncConnection) -> dict[str, PostId]:
    """Posts by their content hash."""
    return {row.content_hash: PostId(row.id) for row in await conn.execute(select(post.c.id, post.c.content_hash))}


async def trees(conn: AsyncConnection) -> list[list[str]]:
    """Each conversation: its posts as `child<parent`, conversations in the order of their first posts."""
    rows = (await conn.execute(select(post).order_by(post.c.said_at, post.c.id))).all()
    called = {row.id: row.content_hash for row in rows}
    found: dict[int, list[str]] = {}
    for row in rows:
        up = f"<{called[row.parent_post_id]}" if row.parent_post_id else ""
        found.setdefault(row.thread_id, []).append(row.content_hash + up)
    ids = set((await conn.execute(select(thread.c.id))).scalars())
    assert ids == found.keys()
    return list(found.values())


BEFORE = [["a", "b<a", "c<b", "d<a"], ["z"]]


async def test_attach_split_and_undo(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        for mail in TALK:
            await arrive(conn, mail)
        ids = await posts_of(conn)
        assert await trees(conn) == BEFORE
        assert await split_post(ctx, conn, ids["b"], by="Monique") == "split"
        assert await trees(conn) == [["a", "d<a"], ["b", "c<b"], ["z"]]
        assert await attach_post(ctx, conn, ids["z"], ids["c"], by="Monique") == "attached"
        edited = [["a", "d<a"], ["b", "c<b", "z<c"]]
        assert await trees(conn) == edited
        every = list((await conn.execute(select(thread.c.id))).scalars())
        await regroup(conn, A, every, NOW)
        assert await trees(conn) == edited, "done anew, what a human said stands"
        split, attach = (edit.id for edit in reversed(await list_thread_edits(conn, A)))
        assert await undo_edit(ctx, conn, split, by="Karim") == "undone"
        assert await trees(conn) == [["a", "b<a", "c<b", "d<a", "z<c"]]
        assert await undo_edit(ctx, conn, attach, by="Karim") == "undone"
        assert await trees(conn) == BEFORE
        assert await undo_edit(ctx, conn, attach, by="Karim") == "not_in_force"
        assert await undo_edit(ctx, conn, 99, by="Karim") == "not_in_force"
        acts = [(act.what, act.by, (act.about or {}).get("post")) for act in await list_acts(conn, A)]
        assert acts == [
            ("undo", "Karim", ids["z"]),
            ("undo", "Karim", ids["b"]),
            ("attach", "Monique", ids["z"]),
            ("split", "Monique", ids["b"]),
        ]
        facts = {row.subject for row in await conn.execute(select(thread))}
        assert facts == {"loto", "budget"}, "each is called again what it was called"


async def test_what_a_human_said_outlives_late_parents_and_rebuilds(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        for mail in (Mail("c", "b a", minute=2), Mail("z", "", "budget", 4)):
            await arrive(conn, mail)
        ids = await posts_of(conn)
        assert await attach_post(ctx, conn, ids["c"], ids["z"], by="Monique") == "attached"
        for mail in (Mail("b", "a", minute=1), Mail("a"), Mail("e", "c b a", minute=5)):
            await arrive(conn, mail)
        assert await trees(conn) == [["a", "b<a"], ["c<z", "z", "e<c"]]
    seen: list[int] = []
    await rethread_all(ctx, A, on_progress=seen.append)
    async with store.write() as conn:
        assert await trees(conn) == [["a", "b<a"], ["c<z", "z", "e<c"]]
        assert sum(seen) == 2, "every conversation was looked at once"


async def test_the_last_word_counts_and_undoing_it_brings_the_one_before(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        for mail in TALK:
            await arrive(conn, mail)
        ids = await posts_of(conn)
        await attach_post(ctx, conn, ids["d"], ids["z"], by="Monique")
        await attach_post(ctx, conn, ids["d"], ids["b"], by="Monique")
        assert await trees(conn) == [["a", "b<a", "c<b", "d<b"], ["z"]]
        last = (await list_thread_edits(conn, A))[0].id
        await undo_edit(ctx, conn, last, by="Monique")
        assert await trees(conn) == [["a", "b<a", "c<b"], ["d<z", "z"]]


async def test_what_cannot_be_changes_nothing(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        for mail in TALK:
            await arrive(conn, mail)
        ids = await posts_of(conn)
        elsewhere = await made_post(conn, association="other")
        assert await attach_post(ctx, conn, ids["a"], ids["c"], by="M") == "circle"
        assert await attach_post(ctx, conn, ids["a"], ids["a"], by="M") == "same_post"
        assert await attach_post(ctx, conn, ids["a"], elsewhere, by="M") == "not_here"
        assert await attach_post(ctx, conn, PostId(999), ids["a"], by="M") == "not_here"
        assert await split_post(ctx, conn, ids["z"], by="M") == "stands_alone"
        assert await split_post(ctx, conn, ids["a"], by="M") == "stands_alone"
        assert await list_thread_edits(conn, A) == []
        assert await list_acts(conn, A) == []


async def test_what_was_stopped_stays_stopped(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        for mail in TALK:
            await arrive(conn, mail)
        ids = await posts_of(conn)
        stands = {row.id: ThreadId(row.thread_id) for row in await conn.execute(select(post))}
        await stop_thread(conn, stands[ids["a"]], NOW, "fuse")
        await split_post(ctx, conn, ids["b"], by="Monique")
        await attach_post(ctx, conn, ids["d"], ids["z"], by="Monique")
        for row in await conn.execute(select(post.c.thread_id).distinct()):
            found = await get_thread(conn, ThreadId(row.thread_id))
            assert (found.stopped_at, found.stopped_reason) == (NOW, "fuse")


async def test_lines_of_a_talk_that_were_split_come_back_to_it(store: Store, ctx: FlowContext) -> None:
    async with store.write() as conn:
        talk = await insert_thread(conn, A, "Qui vient ?", NOW)
        lines = []
        for number in range(4):
            refs = "~$0" if number else ""
            id = await made_post(
                conn, thread_id=talk, side="room", text="Qui vient ?", refs=refs, content_hash=f"l{number}",
                said_at=NOW + timedelta(minutes=number),
            )  # fmt: skip
            event = RoomEvent(
                event_id=EventId(f"${number}"), room_id=RoomId("!a"), post_id=id, part=0, thread_root_event_id=None,
                outbox_id=None, said_at=NOW,
            )  # fmt: skip
            await insert_room_event(conn, event)
            lines.append(id)
        for line in (lines[0], lines[1], lines[2]):
            assert await split_post(ctx, conn, line, by="Monique") == "split"
        assert await trees(conn) == [["l0"], ["l1"], ["l2"], ["l3"]]
        edits = [edit.id for edit in await list_thread_edits(conn, A)]
        for edit in (edits[1], edits[0], edits[2]):
            await undo_edit(ctx, conn, edit, by="Monique")
        assert await trees(conn) == [["l0", "l1", "l2", "l3"]]
