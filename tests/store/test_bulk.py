"""Posts that were inserted by the thousand are posts like any other, on both databases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from passerelle.core.ids import AssociationName, LinkName, MailAddress, MessageId, PostId
from passerelle.core.model import NewPost
from passerelle.core.search_words import SearchWords
from passerelle.store.attachments import list_attachments
from passerelle.store.blobs import blob_row, get_blob
from passerelle.store.bulk import (
    BulkBlob,
    BulkFile,
    BulkPost,
    Place,
    Placing,
    find_known_posts,
    find_own_mails,
    insert_posts,
    new_post_ids,
)
from passerelle.store.cross_posts import insert_cross_posts
from passerelle.store.engine import Store
from passerelle.store.people import find_or_insert_person
from passerelle.store.posts import get_post, insert_post
from passerelle.store.seen import find_seen
from passerelle.store.threads import insert_message_id, insert_thread

OpenStore = Callable[..., Awaitable[Store]]
EPEULE, BUREAU = AssociationName("epeule"), LinkName("bureau")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAID = datetime(2012, 3, 4, 5, 6, 7, 89, tzinfo=UTC)
PAUL = MailAddress("paul@exemple.fr")


def blob_of(data: bytes) -> BulkBlob:
    return BulkBlob(**blob_row(data))


def made(number: int, **others: Any) -> BulkPost:
    post = BulkPost(
        raw=blob_of(b"From: paul@exemple.fr\n\n%d " % number + b"Bonjour " * 50),
        message_id=MessageId(f"{number}@exemple.fr"),
        content_hash=f"hash{number}",
        seen=f"seen{number}",
        refs="0@exemple.fr",
        permalink=f"short{number}",
        shown_subject="La Fête",
        subject="la fête",
        author_name="Paul",
        author_address=PAUL,
        text="Bonjour",
        said_at=SAID,
        files=(),
        words=SearchWords(facets="_s1 _side_list", subject="fet", own="bonjour", files="", quoted=""),
    )
    return replace(post, **others)


async def put(store: Store, posts: list[BulkPost], *, first: int = 1000, flagged: Any = ()) -> list[PostId]:
    """Each answers the one behind it."""
    async with store.write() as conn:
        thread = await insert_thread(conn, EPEULE, "", NOW)
        person = await find_or_insert_person(conn, EPEULE, name="Paul", address=PAUL, now=NOW)
        place = Place(association=EPEULE, link=BUREAU, side="list", now=NOW)
        ids = await new_post_ids(conn, len(posts))
        parents = [*ids[1:], None]
        placed = [
            (post, Placing(id=id, number=first + n, thread_id=thread, parent_post_id=parents[n]))
            for n, (id, post) in enumerate(zip(ids, posts, strict=True))
        ]
        await insert_posts(conn, place, placed, people={("Paul", PAUL): person}, flagged=frozenset(flagged))
        return ids


async def test_a_post_is_like_one_that_was_inserted_alone(open_store: OpenStore) -> None:
    store = await open_store()
    bulk = made(1)
    (id,) = await put(store, [bulk])
    async with store.write() as conn:
        post = await get_post(conn, id)
        alone = NewPost(
            association=EPEULE, link=BUREAU, side="list", content_hash="hash1", thread_id=post.thread_id, said_at=SAID,
            accepted_at=NOW, raw_hash=bulk.raw.hash, message_id=MessageId("2@exemple.fr"), author_name="Paul",
            author_address=PAUL, person_id=post.person_id, subject="la fête", text="Bonjour", origin="import",
            refs="0@exemple.fr", permalink="short1",
        )  # fmt: skip
        other = await insert_post(conn, alone)
        assert other > id
        assert replace(await get_post(conn, other), id=id, message_id=MessageId("1@exemple.fr")) == post
        assert await get_blob(conn, bulk.raw.hash) == b"From: paul@exemple.fr\n\n1 " + b"Bonjour " * 50
        assert await find_seen(conn, EPEULE, "post", ["seen1", "seen2"]) == {"seen1"}


async def test_ids_go_on_and_are_never_used_again(open_store: OpenStore) -> None:
    store = await open_store()
    first = await put(store, [made(1), made(2)])
    async with store.write() as conn:
        await conn.execute(text("DELETE FROM post"))
    second = await put(store, [made(3)], first=2000)
    assert min(second) > max(first)


async def test_what_is_known_is_found_by_message_id_or_by_words(open_store: OpenStore) -> None:
    store = await open_store()
    nameless = made(2, message_id=MessageId(""))
    ids = await put(store, [made(1), nameless])
    async with store.read() as conn:
        known = await find_known_posts(conn, EPEULE, [made(1, content_hash="other"), nameless, made(3)])
        assert {key: one.id for key, one in known.items()} == {("1@exemple.fr", "hash1"): ids[0], ("", "hash2"): ids[1]}
        assert await find_known_posts(conn, AssociationName("other"), [made(1)]) == {}


async def test_mails_of_ours_are_known(open_store: OpenStore) -> None:
    store = await open_store()
    async with store.write() as conn:
        thread = await insert_thread(conn, EPEULE, "Loto", NOW)
        await insert_message_id(conn, EPEULE, MessageId("placeholder@x"), thread_id=thread)
        ours = await find_own_mails(conn, EPEULE, [MessageId("placeholder@x"), MessageId("")])
        assert ours == set()


async def test_bytes_are_stored_once(open_store: OpenStore) -> None:
    store = await open_store()
    picture = blob_of(b"\x89PNG" * 500)
    file = BulkFile(
        filename="fête.png", media_type="image/png", size_bytes=2000, inline=True, content_id="c1", blob=picture
    )
    named = replace(file, filename="film.mp4", size_bytes=10**9, inline=False, content_id=None, blob=None)
    posts = [made(1, files=(file, named)), made(2, files=(file,))]
    ids = await put(store, posts)
    await put(store, [made(3, files=(file,))], first=3000)
    async with store.read() as conn:
        first, second = await list_attachments(conn, ids[0])
        assert (first.filename, first.state, first.inline, first.blob_hash) == ("fête.png", "here", True, picture.hash)
        assert (second.state, second.blob_hash, second.reason) == ("failed", None, "too large")
        count = text("SELECT count(*) FROM blob WHERE hash = :hash")
        assert (await conn.execute(count, {"hash": picture.hash})).scalar_one() == 1


@pytest.mark.parametrize("waits", [True, False])
async def test_words_are_indexed_with_the_post_or_later(open_store: OpenStore, waits: bool) -> None:
    store = await open_store()
    await put(store, [made(1, words=None)] if waits else [made(1)])
    async with store.read() as conn:
        state = (await conn.execute(text("SELECT index_state FROM post"))).scalar_one()
        column = "rowid" if store.dialect == "sqlite" else "chrono_id"
        rows = (await conn.execute(text(f"SELECT {column} FROM post_words"))).scalars().all()
    assert (state, list(rows)) == (("waiting", []) if waits else ("indexed", [1000]))


async def test_a_cross_post_stands_in_both_links_and_is_indexed_anew(open_store: OpenStore) -> None:
    store = await open_store()
    (id,) = await put(store, [made(1)])
    for _ in range(2):
        async with store.write() as conn:
            await insert_cross_posts(conn, LinkName("parents"), [id])
    async with store.read() as conn:
        assert (await conn.execute(text("SELECT post_id, link FROM cross_post"))).all() == [(id, "parents")]
        assert (await conn.execute(text("SELECT index_state FROM post"))).scalar_one() == "waiting"


async def test_a_thousand_at_once(open_store: OpenStore) -> None:
    store = await open_store()
    ids = await put(store, [made(n) for n in range(1000)], flagged=[("7@exemple.fr", "hash7")])
    assert len(ids) == 1000
    async with store.read() as conn:
        flagged = (await conn.execute(text("SELECT message_id FROM post WHERE flagged <> ''"))).scalars().all()
    assert flagged == ["7@exemple.fr"]
