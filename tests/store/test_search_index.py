"""What waits to be indexed, files whose text is to be read, and an index made anew: on both databases."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from passerelle.core.chronology import first_chrono_id
from passerelle.core.ids import AssociationName, LinkName, MessageId, PostId
from passerelle.core.model import NewAttachment, NewPost
from passerelle.core.search_words import Findable, build_words
from passerelle.core.shelves import Shelf
from passerelle.store.archive_tables import cross_post, file_text
from passerelle.store.attachments import forget_attachments, insert_attachments, list_attachments
from passerelle.store.engine import Store
from passerelle.store.file_texts import (
    MOST_ATTEMPTS,
    claim_unread,
    insert_waiting_texts,
    mark_unreadable,
    read_again,
    reuse_text,
    set_text,
)
from passerelle.store.meta import set_meta
from passerelle.store.posts import forget_post, insert_post, set_post_state, update_post_text
from passerelle.store.search_index import (
    allot_numbers,
    claim_waiting,
    has_waiting,
    list_crossed,
    list_files,
    list_waiting,
    mark_indexed,
    put_words,
)
from passerelle.store.search_rebuild import (
    begin_rebuild,
    count_left,
    drop_old_words,
    end_rebuild,
    find_rebuild,
    list_chunk,
    lock_posts,
    needs_rebuild,
    note_rebuild,
    rewrite_post,
)
from passerelle.store.tables import blob
from passerelle.store.threads import insert_thread

NOW = datetime(2026, 11, 12, 11, 0, tzinfo=UTC)
EPEULE, BUREAU = AssociationName("epeule"), LinkName("bureau")
SHELF = Shelf(association=EPEULE, link=BUREAU, origin="live")


async def add(store: Store, name: str, *files: bytes) -> PostId:
    async with store.write() as conn:
        thread_id = await insert_thread(conn, EPEULE, "", NOW, split_from=None)
        post_id = await insert_post(
            conn,
            NewPost(
                association=EPEULE, link=BUREAU, side="list", content_hash=name, message_id=MessageId(name),
                thread_id=thread_id, said_at=NOW, accepted_at=NOW, text=name,
            ),
        )  # fmt: skip
        new = [
            NewAttachment(position=n, filename=f"{n}.txt", media_type="text/plain", data=data)
            for n, data in enumerate(files, 1)
        ]
        await insert_attachments(conn, post_id, new, NOW)
    return post_id


async def index_all(store: Store) -> None:
    async with store.write() as conn:
        posts = await claim_waiting(conn, [post.id for post in await list_waiting(conn, 100)])
        numbers = await allot_numbers(conn, [post.said_at for post in posts])
        words = {
            number: build_words(Findable(shelves=(SHELF,), side="list", author_name="", subject="", own=post.text))
            for number, post in zip(numbers, posts, strict=True)
        }
        await put_words(conn, words)
        await mark_indexed(conn, dict(zip((post.id for post in posts), numbers, strict=True)))


async def waiting(store: Store) -> list[PostId]:
    async with store.read() as conn:
        return [post.id for post in await list_waiting(conn, 100)]


async def text_rows(store: Store) -> list[tuple[Any, ...]]:
    async with store.read() as conn:
        rows = await conn.execute(
            select(file_text.c.state, file_text.c.reason, file_text.c.size_bytes).order_by(file_text.c.attachment_id)
        )
        return [tuple(row) for row in rows]


async def test_what_changes_a_post_has_it_indexed_anew(store: Store) -> None:
    posts = [await add(store, name) for name in ("edited", "hidden", "forgotten", "stays")]
    assert await waiting(store) == posts
    await index_all(store)
    assert await waiting(store) == []
    async with store.write() as conn:
        await update_post_text(conn, posts[0], "anders", "", "x")
        await set_post_state(conn, posts[1], "hidden")
        await forget_post(conn, posts[2], "redacted")
    assert await waiting(store) == posts[:3]


async def test_what_is_needed_to_index_is_read_at_once(store: Store) -> None:
    post_id, other = await add(store, "a", b"eins", b"zwei"), await add(store, "b")
    async with store.write() as conn:
        await conn.execute(insert(cross_post).values(post_id=post_id, link="fetes"))
    async with store.read() as conn:
        files = await list_files(conn, [post_id, other])
        crossed = await list_crossed(conn, [post_id, other])
    assert await has_waiting(store)
    assert crossed == {post_id: [("fetes", "live")]}
    assert [(one.filename, one.text_state) for one in files[post_id]] == [("1.txt", None), ("2.txt", None)]
    assert other not in files


async def test_a_file_is_claimed_read_and_its_post_indexed_anew(store: Store) -> None:
    post_id = await add(store, "a", b"eins", b"zwei")
    await index_all(store)
    async with store.write() as conn:
        await insert_waiting_texts(conn, await _ids(conn, post_id))
        await insert_waiting_texts(conn, await _ids(conn, post_id))
    first = await claim_unread(store)
    assert first is not None
    assert (first.post_id, first.filename) == (post_id, "1.txt")
    async with store.write() as conn:
        assert not await reuse_text(conn, first)
        await set_text(conn, first, "ce que dit le fichier")
    assert await waiting(store) == [post_id]
    second = await claim_unread(store)
    assert second is not None
    async with store.write() as conn:
        await mark_unreadable(conn, second, "it is damaged")
    assert await claim_unread(store) is None
    assert await text_rows(store) == [("here", "", 21), ("failed", "it is damaged", 0)]


async def test_a_file_that_kills_its_reader_is_given_up(store: Store) -> None:
    post_id = await add(store, "a", b"bombe")
    async with store.write() as conn:
        await insert_waiting_texts(conn, [row.id for row in await list_attachments(conn, post_id)])
    for _ in range(MOST_ATTEMPTS):
        assert await claim_unread(store) is not None
    assert await claim_unread(store) is None
    assert await text_rows(store) == [("failed", "its reader broke down", 0)]


async def test_the_same_bytes_are_read_once(store: Store) -> None:
    posts = [await add(store, name, b"eins") for name in ("a", "b")]
    async with store.write() as conn:
        await insert_waiting_texts(conn, [id for one in posts for id in await _ids(conn, one)])
    first = await claim_unread(store)
    assert first is not None
    async with store.write() as conn:
        await set_text(conn, first, "eins")
    second = await claim_unread(store)
    assert second is not None
    async with store.write() as conn:
        assert await reuse_text(conn, second)
    assert await text_rows(store) == [("here", "", 4), ("here", "", 4)]


async def _ids(conn: Any, post_id: PostId) -> list[int]:
    return [row.id for row in await list_attachments(conn, post_id)]


async def test_the_text_of_a_file_goes_with_it(store: Store) -> None:
    post_id = await add(store, "a", b"eins")
    async with store.write() as conn:
        await insert_waiting_texts(conn, await _ids(conn, post_id))
    file = await claim_unread(store)
    assert file is not None
    async with store.write() as conn:
        await set_text(conn, file, "ein geheimer Text")
        await forget_attachments(conn, post_id)
    assert await text_rows(store) == [("none", "it was taken back", 0)]
    async with store.read() as conn:
        assert (await conn.execute(select(blob.c.hash))).all() == []


async def test_a_text_that_is_read_again_takes_the_old_one_s_place(store: Store) -> None:
    post_id = await add(store, "a", b"eins")
    async with store.write() as conn:
        await insert_waiting_texts(conn, await _ids(conn, post_id))
    for words in ("alt und falsch", "neu"):
        file = await claim_unread(store)
        assert file is not None
        async with store.write() as conn:
            await set_text(conn, file, words)
            await read_again(conn, [post_id])
    async with store.read() as conn:
        assert len((await conn.execute(select(blob.c.hash))).all()) == 2, "the file, and its newest text"


async def test_a_rebuild_is_asked_for(store: Store) -> None:
    assert not await needs_rebuild(store)
    async with store.write() as conn:
        await set_meta(conn, "words_version", "0")
    assert await needs_rebuild(store)
    async with store.write() as conn:
        await begin_rebuild(conn)
    assert await needs_rebuild(store), "it was interrupted"
    async with store.write() as conn:
        await end_rebuild(conn)
    assert not await needs_rebuild(store)


async def test_an_empty_index_is_filled_a_chunk_at_a_time(store: Store) -> None:
    posts = [await add(store, f"p{n}") for n in range(5)]
    await index_all(store)
    async with store.read() as conn:
        assert await find_rebuild(conn) is None
    async with store.write() as conn:
        state = await begin_rebuild(conn)
    late = await add(store, "late")
    async with store.read() as conn:
        assert await count_left(conn, state) == 5
        chunk = await list_chunk(conn, state, 3)
    assert [post.id for post in chunk] == posts[:3]
    async with store.write() as conn:
        assert (await conn.execute(text(_COUNT_WORDS[store.dialect]))).scalar_one() == 0
        assert sorted(post.id for post in await lock_posts(conn, posts[:3])) == posts[:3]
        await rewrite_post(conn, posts[0], text="neu", subject="s")
        await note_rebuild(conn, type(state)(done=posts[2], last=state.last))
    async with store.read() as conn:
        state = await find_rebuild(conn) or state
        assert [post.id for post in await list_chunk(conn, state, 9)] == posts[3:]
        assert late not in posts
    await drop_old_words(store)
    await drop_old_words(store)
    async with store.write() as conn:
        await end_rebuild(conn)
        assert await find_rebuild(conn) is None


_COUNT_WORDS = {
    "sqlite": "SELECT count(*) FROM post_words_docsize",
    "postgresql": "SELECT count(*) FROM post_words",
}


@pytest.mark.parametrize("count", [0, 1, 500])
async def test_many_of_one_minute_have_a_number_each(store: Store, count: int) -> None:
    async with store.write() as conn:
        numbers = await allot_numbers(conn, [NOW] * count)
    assert len(set(numbers)) == count


async def test_a_burst_of_one_minute_is_no_long_walk(store: Store) -> None:
    """Who comes last walks past all of them in one statement, not twenty by twenty."""
    for number in range(200):
        await add(store, f"{number}")
    while await waiting(store):
        await index_all(store)
    statements = []
    async with store.write() as conn:
        below = conn.sync_connection
        assert below is not None
        listener = lambda *told: statements.append(told[2])  # noqa: E731
        event.listen(below, "before_cursor_execute", listener)
        numbers = await allot_numbers(conn, [NOW] * 20)
        event.remove(below, "before_cursor_execute", listener)
    first = first_chrono_id(NOW)
    assert numbers == list(range(first + 200, first + 220))
    assert len(statements) <= 4, statements
