"""What arrives is there once, in order, raw, and only as long as it may be."""

import os

import pytest

from passerelle.core.ids import BlobHash, InboxId, RoomId
from passerelle.errors import StoreError
from passerelle.store import inbox
from passerelle.store.blobs import blob_hash, delete_unreferenced_blob, get_blob, insert_blob, insert_blobs
from passerelle.store.cursors import StaleCursor, find_cursor, move_cursor
from passerelle.store.engine import Store
from tests.store.made import NOW, at, inbox_row, made_post


async def test_a_row_is_stored_once_and_whole(store: Store) -> None:
    new = inbox_row("1", room_id=RoomId("!r"), recipient="liste@exemple.org", envelope_from="")
    async with store.write() as conn:
        assert await inbox.insert_inbox(conn, [new], NOW) == 1
        assert await inbox.insert_inbox(conn, [new, inbox_row("2")], at(1)) == 1
        assert await inbox.insert_inbox(conn, [], at(1)) == 0
        row = await inbox.get_inbox(conn, InboxId(1))
        assert row.raw_hash is not None
        assert await get_blob(conn, row.raw_hash) == new.raw
    assert (row.room_id, row.recipient, row.envelope_from) == ("!r", "liste@exemple.org", "")
    assert (row.state, row.attempts, row.due_at, row.received_at) == ("waiting", 0, NOW, NOW)


async def test_the_same_key_of_two_sources_is_two_rows(store: Store) -> None:
    async with store.write() as conn:
        rows = [inbox_row("1"), inbox_row("1", source="lmtp:main"), inbox_row("1", source="matrix")]
        assert await inbox.insert_inbox(conn, rows, NOW) == 3


async def test_a_key_twice_at_once_is_one_row(store: Store) -> None:
    async with store.write() as conn:
        assert await inbox.insert_inbox(conn, [inbox_row("1"), inbox_row("1")], NOW) == 1


async def test_many_rows_keep_their_order(store: Store) -> None:
    """More than one statement takes: thousands of mails of a first import."""
    async with store.write() as conn:
        assert await inbox.insert_inbox(conn, [inbox_row(f"{n:05}") for n in range(3000)], NOW) == 3000
        rows = await inbox.list_inbox(conn, limit=5000)
    assert [row.key for row in rows] == [f"{n:05}" for n in range(3000)]
    assert [row.id for row in rows] == sorted(row.id for row in rows)


async def test_what_becomes_of_a_row(store: Store) -> None:
    async with store.write() as conn:
        await inbox.insert_inbox(conn, [inbox_row(str(n), room_id=RoomId(f"!{n}")) for n in range(3)], NOW)
        await inbox.finish_inbox(conn, InboxId(1), at(1), reason="automatic")
        await inbox.set_aside_inbox(conn, InboxId(2), at(2), "two From")
        assert [(r.id, r.reason) for r in await inbox.list_inbox(conn, state="done", limit=9)] == [(1, "automatic")]
        assert [(r.id, r.reason) for r in await inbox.list_inbox(conn, state="set_aside", limit=9)] == [(2, "two From")]
        assert [r.id for r in await inbox.list_inbox(conn, state="waiting", limit=9)] == [3]
        assert [r.id for r in await inbox.list_inbox(conn, limit=2)] == [2, 3]
        assert await inbox.count_inbox_waiting(conn) == 1
        assert await inbox.count_inbox_waiting(conn, lane="in:comite/liste") == 1
        assert await inbox.count_inbox_waiting(conn, lane="in:other") == 0
        assert await inbox.count_inbox_waiting(conn, room_id=RoomId("!2")) == 1
        assert await inbox.count_inbox_waiting(conn, room_id=RoomId("!0")) == 0
        assert await inbox.count_inbox_set_aside(conn) == 1
        assert await inbox.retry_inbox(conn, InboxId(2), at(3))
        assert not await inbox.retry_inbox(conn, InboxId(1), at(3))
        assert (await inbox.get_inbox(conn, InboxId(2))).state == "waiting"
    with pytest.raises(StoreError, match="no inbox row 99"):
        async with store.read() as conn:
            await inbox.get_inbox(conn, InboxId(99))


async def test_what_may_not_be_kept_is_gone(store: Store) -> None:
    """Also where the source brings it again: a row without its bytes still says that it was here."""
    new = inbox_row("1", raw=b"// entre nous")
    async with store.write() as conn:
        await inbox.insert_inbox(conn, [new], NOW)
        await inbox.finish_inbox(conn, InboxId(1), NOW, forget_raw=True)
        assert (await inbox.get_inbox(conn, InboxId(1))).raw_hash is None
        assert await inbox.insert_inbox(conn, [new], NOW) == 0
        with pytest.raises(StoreError):
            await get_blob(conn, blob_hash(new.raw))


async def test_bytes_that_another_row_has_stay(store: Store) -> None:
    async with store.write() as conn:
        await inbox.insert_inbox(conn, [inbox_row("1", raw=b"same"), inbox_row("2", raw=b"same")], NOW)
        await inbox.finish_inbox(conn, InboxId(1), NOW, forget_raw=True)
        assert await get_blob(conn, blob_hash(b"same")) == b"same"
        assert not await delete_unreferenced_blob(conn, blob_hash(b"same"))


async def test_bytes_that_a_post_has_stay(store: Store) -> None:
    async with store.write() as conn:
        name = await insert_blob(conn, b"raw mail")
        await made_post(conn, raw_hash=name)
        assert not await delete_unreferenced_blob(conn, name)
        other = await insert_blob(conn, b"nobody's")
        assert await delete_unreferenced_blob(conn, other)
        assert not await delete_unreferenced_blob(conn, other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"Bonjour " * 200,
        os.urandom(2000),
        os.urandom(300_000),
        b"Bonjour " * 50_000,
        bytes(range(256)) * 4000,
    ],
    ids=["empty", "tiny", "text", "noise", "large noise", "large text", "megabyte"],
)
async def test_bytes_come_back_as_they_were(store: Store, data: bytes) -> None:
    async with store.write() as conn:
        name = await insert_blob(conn, data)
        assert await insert_blob(conn, data) == name
    async with store.read() as conn:
        assert await get_blob(conn, name) == data


async def test_several_bytes_keep_their_order(store: Store) -> None:
    datas = [str(n).encode() * 300 for n in range(50)]
    async with store.write() as conn:
        names = await insert_blobs(conn, datas)
        assert [await get_blob(conn, name) for name in names] == datas
    with pytest.raises(StoreError, match="no bytes"):
        async with store.read() as conn:
            await get_blob(conn, BlobHash("0" * 64))


async def test_a_cursor_moves_from_where_it_is_only(store: Store) -> None:
    async with store.write() as conn:
        assert await find_cursor(conn, "imap:main") is None
        await move_cursor(conn, "imap:main", before=None, after="1:10", now=NOW)
        await move_cursor(conn, "imap:main", before="1:10", after="1:20", now=NOW)
        assert await find_cursor(conn, "imap:main") == "1:20"

    async def arrive(before: str | None) -> None:
        async with store.write() as conn:
            await inbox.insert_inbox(conn, [inbox_row("late")], NOW)
            await move_cursor(conn, "imap:main", before=before, after="1:30", now=NOW)

    for before in (None, "1:10", ""):
        with pytest.raises(StaleCursor):
            await arrive(before)
    async with store.read() as conn:
        assert await find_cursor(conn, "imap:main") == "1:20"
        assert await inbox.list_inbox(conn, limit=9) == []
