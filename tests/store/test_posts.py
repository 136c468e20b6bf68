"""Posts, the events that show them, conversations, and the Message-IDs by which mail knows them."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EventId, LinkName, MessageId, PostId, RoomId, ThreadId, UserId
from passerelle.core.model import RoomEvent
from passerelle.errors import StoreError
from passerelle.store import batches, posts, threads
from passerelle.store.engine import Store
from passerelle.store.outbox import insert_outbox
from tests.store.made import LINK, NOW, A, at, made_post, made_thread, outbox_row

M1, M2, M3 = MessageId("1@x"), MessageId("2@x"), MessageId("3@x")


async def test_a_post_is_what_it_was(store: Store) -> None:
    async with store.write() as conn:
        parent = await made_post(conn, content_hash="parent")
        words: dict[str, Any] = {
            "message_id": M1,
            "parent_post_id": parent,
            "author_name": "Léa",
            "author_user_id": UserId("@lea:x"),
            "subject": "Fête",
            "text": "Oui !",
            "html": "<p>Oui !</p>",
            "flagged": "same_id_other_content",
        }
        id = await made_post(conn, **words)
        post = await posts.get_post(conn, id)
        assert await posts.find_post(conn, id) == post
        assert await posts.find_post(conn, PostId(99)) is None
        with pytest.raises(StoreError, match="no post 99"):
            await posts.get_post(conn, PostId(99))
    assert {name: getattr(post, name) for name in words} == words
    assert (post.state, post.said_at, post.side, post.msgtype) == ("accepted", NOW, "list", "m.text")


async def test_the_identity_of_a_post_from_the_list(store: Store) -> None:
    """Message-ID and content together; the same content from the room is another post."""
    async with store.write() as conn:
        thread = await made_thread(conn)
        first = await made_post(conn, thread_id=thread, message_id=M1)
        other = await made_post(conn, thread_id=thread, message_id=M1, content_hash="c2")
        await made_post(conn, thread_id=thread, message_id=M2)
        await made_post(conn, thread_id=thread, association="other", message_id=M1)
        for _ in range(2):
            await made_post(conn, thread_id=thread, side="room")
        found = await posts.find_post_by_identity(conn, A, M1, "c1")
        assert found is not None
        assert found.id == first
        assert await posts.find_post_by_identity(conn, A, M3, "c1") is None
        assert [p.id for p in await posts.find_posts_by_message_id(conn, A, M1)] == [first, other]
        assert await posts.find_posts_by_message_id(conn, A, MessageId("")) == []
    with pytest.raises(StoreError):
        async with store.write() as conn:
            await made_post(conn, thread_id=thread, message_id=M1)


async def test_an_email_without_message_id_is_known_by_its_content(store: Store) -> None:
    async with store.write() as conn:
        id = await made_post(conn)
        found = await posts.find_post_by_identity(conn, A, MessageId(""), "c1")
        assert found is not None
        assert found.id == id
    with pytest.raises(StoreError):
        async with store.write() as conn:
            await made_post(conn)


async def test_the_latest_post_with_a_content(store: Store) -> None:
    async with store.write() as conn:
        for second in (0, 10, 20):
            await made_post(conn, side="room", accepted_at=at(second))
        found = await posts.find_post_by_content(conn, A, "c1", at(10))
        assert found is not None
        assert found.accepted_at == at(20)
        assert await posts.find_post_by_content(conn, A, "c1", at(21)) is None
        assert await posts.find_post_by_content(conn, AssociationName("other"), "c1", at(0)) is None


async def test_a_post_is_edited_and_taken_back(store: Store) -> None:
    async with store.write() as conn:
        id = await made_post(conn, text="avant")
        await posts.update_post_text(conn, id, "après", "<p>après</p>", "c9")
        await posts.set_post_state(conn, id, "redacted")
        post = await posts.get_post(conn, id)
    assert (post.text, post.html, post.content_hash, post.state) == ("après", "<p>après</p>", "c9", "redacted")


async def test_events_of_a_post(store: Store) -> None:
    room = RoomId("!r")
    async with store.write() as conn:
        post = await made_post(conn)
        values: dict[str, Any] = {"post_id": post, "thread_root_event_id": None, "outbox_id": None, "said_at": NOW}
        picture = RoomEvent(event_id=EventId("$a"), room_id=room, part=1, **values)
        itself = RoomEvent(event_id=EventId("$b"), room_id=room, part=0, **values)
        elsewhere = RoomEvent(event_id=EventId("$c"), room_id=RoomId("!s"), part=0, **values)
        for event in (picture, itself, elsewhere, itself):
            await posts.insert_room_event(conn, event)
        assert await posts.find_events_of_post(conn, post, room) == [itself, picture]
        assert await posts.find_room_event(conn, EventId("$c")) == elsewhere
        assert await posts.find_room_event(conn, EventId("$d")) is None


async def test_a_thread_and_its_fuse(store: Store) -> None:
    async with store.write() as conn:
        first = await made_thread(conn)
        split = await threads.insert_thread(conn, A, "Autre chose", at(1), split_from=first)
        thread = await threads.get_thread(conn, split)
        assert (thread.subject, thread.split_from_thread_id, thread.stopped_at) == ("Autre chose", first, None)
        assert await threads.stop_thread(conn, split, at(2), "rate")
        assert not await threads.stop_thread(conn, split, at(3), "again")
        thread = await threads.get_thread(conn, split)
        assert (thread.stopped_at, thread.stopped_reason) == (at(2), "rate")
        await threads.resume_thread(conn, split)
        assert (await threads.get_thread(conn, split)).stopped_at is None
        with pytest.raises(StoreError, match="no thread 99"):
            await threads.get_thread(conn, ThreadId(99))


async def _known(conn: AsyncConnection, message_id: MessageId) -> tuple[object, ...]:
    known = (await threads.find_message_ids(conn, A, [message_id]))[message_id]
    return (known.thread_id, known.post_id, known.batch_id, known.outbox_id)


async def test_a_placeholder_is_filled_and_nothing_else_is_overwritten(store: Store) -> None:
    async with store.write() as conn:
        early, late = await made_thread(conn), await made_thread(conn)
        parent = await made_post(conn, thread_id=early, message_id=M1)
        other = await made_post(conn, thread_id=late, message_id=M2)
        assert await threads.insert_message_id(conn, A, M1, thread_id=late)
        assert await _known(conn, M1) == (late, None, None, None)
        assert not await threads.insert_message_id(conn, A, M1, thread_id=early), "a placeholder fills none"
        assert await threads.insert_message_id(conn, A, M1, thread_id=early, post_id=parent)
        assert await _known(conn, M1) == (early, parent, None, None)
        assert not await threads.insert_message_id(conn, A, M1, thread_id=late, post_id=other)
        assert not await threads.insert_message_id(conn, A, M1, thread_id=late)
        assert await _known(conn, M1) == (early, parent, None, None)
        found = await threads.find_message_ids(conn, A, [M1, M2, M3])
        assert set(found) == {M1}
        assert await threads.find_message_ids(conn, A, []) == {}
        assert await threads.find_message_ids(conn, AssociationName("other"), [M1]) == {}


async def test_thousands_of_references_are_looked_up(store: Store) -> None:
    async with store.write() as conn:
        thread = await made_thread(conn)
        await threads.insert_message_id(conn, A, M1, thread_id=thread)
        assert set(await threads.find_message_ids(conn, A, [MessageId(f"{n}@y") for n in range(50_000)] + [M1])) == {M1}


async def test_the_last_mails_of_a_thread(store: Store) -> None:
    """Posts from the list and sealed batches by our clock; neither placeholders nor lines of the room."""
    async with store.write() as conn:
        thread = await made_thread(conn)
        for number, second in ((1, 0), (2, 20)):
            post = await made_post(
                conn, thread_id=thread, message_id=f"{number}@x", content_hash=str(number), accepted_at=at(second)
            )
            await threads.insert_message_id(conn, A, MessageId(f"{number}@x"), thread_id=thread, post_id=post)
        line = await made_post(conn, thread_id=thread, side="room", accepted_at=at(30))
        await threads.insert_message_id(conn, A, MessageId("line@x"), thread_id=thread, post_id=line)
        await threads.insert_message_id(conn, A, MessageId("parent@x"), thread_id=thread)
        for name, sealed in (("batch@x", True), ("open@x", False)):
            batch = await batches.insert_batch(
                conn, A, LinkName(LINK + name), thread_id=thread, is_burst=False, said_at=NOW, due_at=NOW
            )
            outbox_id = await insert_outbox(conn, outbox_row(name))
            assert outbox_id is not None
            if sealed:
                await batches.seal_batch(conn, batch, at(10), outbox_id=outbox_id, message_id=MessageId(name))
            await threads.insert_message_id(
                conn, A, MessageId(name), thread_id=thread, batch_id=batch, outbox_id=outbox_id
            )
        assert await threads.last_mail_of_thread(conn, A, thread) == ["1@x", "batch@x", "2@x"]
        assert await threads.last_mail_of_thread(conn, A, thread, limit=2) == ["batch@x", "2@x"]
