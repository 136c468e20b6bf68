"""Lines of the room that will leave as one mail, their files, and what waits for the next mail."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BatchId, EventId, LinkName, MessageId, PostId, ThreadId
from passerelle.core.model import NewAttachment, PendingLine
from passerelle.errors import StoreError
from passerelle.store import attachments, batches, pending_lines
from passerelle.store.blobs import get_blob, insert_blob
from passerelle.store.engine import Store
from passerelle.store.outbox import insert_outbox
from tests.store.made import LINK, NOW, A, at, made_post, made_thread, outbox_row


async def _batch(conn: AsyncConnection, thread: ThreadId, **other: Any) -> BatchId:
    values: dict[str, Any] = {"thread_id": thread, "is_burst": False, "said_at": NOW, "due_at": at(600)}
    return await batches.insert_batch(conn, A, other.pop("link", LINK), **(values | other))


async def _line(conn: AsyncConnection, batch: BatchId, event: str, **other: Any) -> PostId:
    post = other.pop("post_id", None) or await made_post(conn, side="room", text=event)
    values: dict[str, Any] = {"kind": "line", "post_id": post, "event_id": EventId(event), "said_at": NOW}
    await batches.add_line(conn, batch, **(values | other))
    return PostId(post)


async def _seal(conn: AsyncConnection, batch: BatchId, second: float, name: str = "m") -> None:
    outbox_id = await insert_outbox(conn, outbox_row(f"batch-{batch}"))
    assert outbox_id is not None
    await batches.seal_batch(conn, batch, at(second), outbox_id=outbox_id, message_id=MessageId(f"{name}@x"))


async def test_the_open_batch_of_a_thread_and_the_burst(store: Store) -> None:
    async with store.write() as conn:
        one, two = await made_thread(conn), await made_thread(conn)
        of_thread, burst = await _batch(conn, one), await _batch(conn, two, is_burst=True)
        found = await batches.find_open_batch(conn, A, LINK, thread_id=one)
        assert found is not None
        assert (found.id, found.first_said_at, found.due_at, found.state) == (of_thread, NOW, at(600), "open")
        found = await batches.find_open_batch(conn, A, LINK, burst=True)
        assert found is not None
        assert found.id == burst
        assert await batches.find_open_batch(conn, A, LinkName("other"), burst=True) is None
        await _seal(conn, of_thread, 1)
        assert await batches.find_open_batch(conn, A, LINK, thread_id=one) is None
        with pytest.raises(ValueError, match="either"):
            await batches.find_open_batch(conn, A, LINK)


async def test_lines_stand_in_the_order_in_which_they_were_said(store: Store) -> None:
    async with store.write() as conn:
        batch = await _batch(conn, await made_thread(conn))
        await _line(conn, batch, "$late", said_at=at(2), author_name="Léa", author_user_id="@lea:x")
        early = await _line(conn, batch, "$early", said_at=at(1))
        await _line(conn, batch, "$edit", kind="correction", post_id=early, text="mieux", said_at=at(3))
        lines = await batches.list_lines(conn, batch)
        assert [(line.event_id, line.kind, post.text) for line, post in lines] == [
            ("$early", "line", "$early"),
            ("$late", "line", "$late"),
            ("$edit", "correction", "$early"),
        ]
        assert (lines[1][0].author_name, lines[1][0].author_user_id, lines[2][0].text) == ("Léa", "@lea:x", "mieux")
        assert await batches.count_lines(conn, batch) == 3
        found = await batches.find_line(conn, EventId("$late"))
        assert found is not None
        assert (found[0].id, found[1].event_id) == (batch, "$late")
        by_post = await batches.find_line_of_post(conn, early)
        assert by_post is not None
        assert by_post[1].event_id == "$early"
        assert await batches.find_line(conn, EventId("$none")) is None
        assert await batches.find_line_of_post(conn, PostId(99)) is None


async def test_a_line_stands_once(store: Store) -> None:
    """The same event again, after a crash: it stays where it is."""
    async with store.write() as conn:
        thread = await made_thread(conn)
        first, second = await _batch(conn, thread), await _batch(conn, thread, link=LinkName("other"))
        post = await made_post(conn, side="room")
        values: dict[str, Any] = {"kind": "line", "post_id": post, "event_id": EventId("$a"), "said_at": NOW}
        id = await batches.add_line(conn, first, **values)
        assert await batches.add_line(conn, second, **values) == id
        assert await batches.count_lines(conn, second) == 0


async def test_what_is_taken_back_leaves_open_batches_only(store: Store) -> None:
    async with store.write() as conn:
        thread = await made_thread(conn)
        left, still_open = await _batch(conn, thread), await _batch(conn, thread)
        post = await _line(conn, left, "$line")
        await _line(conn, still_open, "$edit", kind="correction", post_id=post)
        await _line(conn, still_open, "$reaction", kind="reaction", post_id=post)
        await _line(conn, still_open, "$another")
        await _seal(conn, left, 1)
        found = await batches.find_line(conn, EventId("$edit"))
        assert found is not None
        assert await batches.update_line(conn, found[1].id, "encore mieux")
        assert await batches.remove_line(conn, EventId("$reaction")) == [still_open]
        assert await batches.remove_line(conn, EventId("$line")) == []
        assert await batches.remove_lines_of_post(conn, post) == [still_open]
        assert [line.event_id for line, _ in await batches.list_lines(conn, left)] == ["$line"]
        assert [line.event_id for line, _ in await batches.list_lines(conn, still_open)] == ["$another"]


async def test_when_batches_are_due(store: Store) -> None:
    async with store.write() as conn:
        thread = await made_thread(conn)
        assert await batches.next_batch_due_at(conn) is None
        late, early = await _batch(conn, thread, due_at=at(20)), await _batch(conn, thread, due_at=at(10))
        assert await batches.next_batch_due_at(conn) == at(10)
        assert await batches.list_due_batches(conn, at(9), 9) == []
        assert [b.id for b in await batches.list_due_batches(conn, at(20), 9)] == [early, late]
        assert [b.id for b in await batches.list_due_batches(conn, at(20), 1)] == [early]
        await batches.move_due(conn, early, at(15), at(30))
        assert [b.id for b in await batches.list_open_batches(conn)] == [late, early]
        await batches.postpone_batch(conn, late, at(40))
        assert await batches.next_batch_due_at(conn) == at(30)
        assert (await batches.get_batch(conn, early)).last_said_at == at(15)
        await batches.empty_batch(conn, late)
        assert (await batches.get_batch(conn, late)).state == "empty"
        with pytest.raises(StoreError, match="no batch 99"):
            await batches.get_batch(conn, BatchId(99))


async def test_a_batch_is_sealed_once(store: Store) -> None:
    async with store.write() as conn:
        thread = await made_thread(conn)
        batch = await _batch(conn, thread)
        await _line(conn, batch, "$a")
        await _seal(conn, batch, 5)
        sealed = await batches.get_batch(conn, batch)
        assert (sealed.state, sealed.sealed_at, sealed.message_id) == ("sealed", at(5), "m@x")
        await batches.empty_batch(conn, batch)
        await batches.move_due(conn, batch, at(9), at(9))
        assert await batches.get_batch(conn, batch) == sealed
        assert await batches.count_sealed_since(conn, A, LINK, at(5)) == 1
        assert await batches.count_sealed_since(conn, A, LINK, at(6)) == 0
        assert await batches.count_sealed_since(conn, A, LinkName("other"), at(5)) == 0
        assert await batches.count_thread_sealed_since(conn, thread, at(5)) == 1
        lines = await batches.list_lines_of_mail(conn, A, MessageId("m@x"))
        assert [line.event_id for line, _ in lines] == ["$a"]
        with pytest.raises(StoreError, match="not open"):
            await batches.seal_batch(conn, batch, at(6), outbox_id=sealed.outbox_id, message_id=MessageId("n@x"))  # type: ignore[arg-type]


async def test_what_waits_for_the_next_mail(store: Store) -> None:
    async with store.write() as conn:
        post, other = await made_post(conn, side="room"), await made_post(conn, side="room")
        values: dict[str, Any] = {"association": A, "link": LINK, "author_name": "Léa", "author_user_id": "@lea:x"}
        for event, about in (("$1", post), ("$1", post), ("$2", post), ("$3", other), ("$4", other)):
            await pending_lines.add_pending_line(
                conn,
                PendingLine(**values, kind="reaction", post_id=about, event_id=EventId(event), text="👍", said_at=NOW),
            )
        assert not await pending_lines.remove_pending_line(conn, A, LinkName("other"), EventId("$3"))
        assert await pending_lines.remove_pending_line(conn, A, LINK, EventId("$3"))
        assert not await pending_lines.remove_pending_line(conn, A, LINK, EventId("$3"))
        batch = await _batch(conn, await made_thread(conn))
        await pending_lines.remove_pending_lines_of_post(conn, other)
        assert await pending_lines.adopt_pending_lines(conn, A, LinkName("other"), batch) == 0
        assert await pending_lines.adopt_pending_lines(conn, A, LINK, batch) == 2
        assert await pending_lines.adopt_pending_lines(conn, A, LINK, batch) == 0
        assert [(line.event_id, line.text) for line, _ in await batches.list_lines(conn, batch)] == [
            ("$1", "👍"),
            ("$2", "👍"),
        ]


def _file(position: int, **other: Any) -> NewAttachment:
    return NewAttachment(position=position, filename=f"{position}.jpg", media_type="image/jpeg", **other)


async def test_files_of_a_post(store: Store) -> None:
    media = {"url": "mxc://x/1", "file": {"key": {"k": "secret"}}}
    async with store.write() as conn:
        post = await made_post(conn)
        new = [_file(2, data=b"JPEG", inline=True, content_id="c1"), _file(1, media=media, size_bytes=9), _file(3)]
        await attachments.insert_attachments(conn, post, new, NOW)
        await attachments.insert_attachments(conn, post, [], NOW)
        wanted, here, empty = await attachments.list_attachments(conn, post)
        assert (wanted.state, wanted.media, wanted.size_bytes, wanted.blob_hash) == ("wanted", media, 9, None)
        assert (here.state, here.inline, here.content_id, here.size_bytes) == ("here", True, "c1", 4)
        assert (empty.state, empty.blob_hash) == ("here", None)
        assert here.blob_hash is not None
        assert await get_blob(conn, here.blob_hash) == b"JPEG"


async def test_wanted_files_are_fetched(store: Store) -> None:
    async with store.write() as conn:
        batch = await _batch(conn, await made_thread(conn))
        post = await _line(conn, batch, "$a")
        await attachments.insert_attachments(conn, post, [_file(n, media={"url": "mxc://x/y"}) for n in range(4)], NOW)
        assert await attachments.count_wanted_of_batch(conn, batch) == 4
        assert await attachments.next_wanted_due_at(conn) == NOW
    first, second = await attachments.claim_wanted(store, NOW, 2)
    third, fourth = await attachments.claim_wanted(store, NOW, 9)
    assert [row.position for row in (first, second, third, fourth)] == [0, 1, 2, 3]
    assert {row.attempts for row in (first, second, third, fourth)} == {1}
    assert await attachments.claim_wanted(store, NOW, 9) == []
    async with store.write() as conn:
        await attachments.mark_here(conn, first.id, await insert_blob(conn, b"JPEG"), 4)
        await attachments.mark_attachment_failed(conn, second.id, "404")
        await attachments.postpone_attachment(conn, third.id, at(10), "502")
        assert await attachments.count_wanted_of_batch(conn, batch) == 2
        assert await attachments.next_wanted_due_at(conn) == at(10)
        rows = await attachments.list_attachments(conn, post)
        assert [(r.state, r.reason) for r in rows] == [
            ("here", ""),
            ("failed", "404"),
            ("wanted", "502"),
            ("wanted", ""),
        ]
        assert rows[0].size_bytes == 4
    assert [row.id for row in await attachments.claim_wanted(store, at(10), 9)] == [third.id]
    late = at(attachments.LEASE_SECONDS)
    assert [row.id for row in await attachments.claim_wanted(store, late, 9)] == [fourth.id]
