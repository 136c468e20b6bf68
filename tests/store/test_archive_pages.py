"""What pages of the archive read: newest, months, openings, permalinks; never anything of another shelf."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, MessageId, PostId
from passerelle.core.shelves import Shelf
from passerelle.store import archive_pages as pages
from passerelle.store.archive_tables import cross_post
from passerelle.store.batches import add_line, insert_batch
from passerelle.store.engine import Store
from passerelle.store.tables import mail_id
from tests.store.made import LINK, NOW, A, at, made_post, made_thread

LIVE = Shelf(association=A, link=LINK, origin="live")
PAST = Shelf(association=A, link=LINK, origin="import", side="list")
PAST_ROOM = Shelf(association=A, link=LINK, origin="import", side="room")
OTHER = Shelf(association=A, link=LinkName("autre"), origin="live")
ELSEWHERE = Shelf(association=AssociationName("ailleurs"), link=LINK, origin="live")

Read = Callable[[AsyncConnection, set[Shelf]], Awaitable[Any]]
DAY = timedelta(days=1)


async def _newest(conn: AsyncConnection, shelves: set[Shelf]) -> list[PostId]:
    return [p.id for p in await pages.newest_of_link(conn, A, LINK, shelves, limit=10)]


async def _month(conn: AsyncConnection, shelves: set[Shelf]) -> list[int]:
    found, _ = await pages.threads_of_month(conn, A, LINK, shelves, start=NOW - DAY, end=NOW + DAY)
    return [t.thread_id for t in found]


async def _months(conn: AsyncConnection, shelves: set[Shelf]) -> list[bool]:
    found = await pages.months_with_posts(conn, A, LINK, shelves, bounds=[(NOW - DAY, NOW), (NOW, NOW + DAY)])
    return [month for month in found if month]


async def _short(conn: AsyncConnection, shelves: set[Shelf]) -> list[PostId]:
    return [p.id for p in await pages.find_by_short(conn, A, "abcdefghijkl", shelves)]


async def _message(conn: AsyncConnection, shelves: set[Shelf]) -> list[PostId]:
    return [p.id for p in await pages.find_by_message_id(conn, A, MessageId("m@a"), shelves)]


async def _one(conn: AsyncConnection, shelves: set[Shelf]) -> Any:
    return await pages.find_readable_post(conn, PostId(1), shelves)


async def _openings(conn: AsyncConnection, shelves: set[Shelf]) -> Any:
    return await pages.openings_of_threads(conn, [1], shelves)  # type: ignore[list-item]


async def _several(conn: AsyncConnection, shelves: set[Shelf]) -> Any:
    return await pages.posts_of_ids(conn, [PostId(1), PostId(99)], shelves)


READS: dict[str, Read] = {
    "newest": _newest, "month": _month, "months": _months, "short": _short, "message": _message, "one": _one,
    "openings": _openings, "several": _several,
}  # fmt: skip


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize(
    ("origin", "side", "shelf"), [("live", "list", LIVE), ("import", "list", PAST), ("live", "list", OTHER)]
)
async def test_nothing_of_another_shelf_is_given(store: Store, name: str, origin: str, side: str, shelf: Shelf) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn)
        post_id = await made_post(
            conn, thread_id=thread_id, origin=origin, side=side, message_id="m@a", permalink="abcdefghijkl"
        )
        if shelf is OTHER:
            await conn.execute(insert(cross_post), {"post_id": post_id, "link": "autre"})
    others = {LIVE, PAST, PAST_ROOM, OTHER, ELSEWHERE} - {shelf} - ({LIVE} if shelf is OTHER else set())
    async with store.read() as conn:
        assert await READS[name](conn, {shelf})
        assert not await READS[name](conn, others)
        assert not await READS[name](conn, set())


@pytest.mark.parametrize("state", ["kept_back", "withdrawn", "redacted", "hidden", "erased"])
async def test_only_what_stands_is_shown(store: Store, state: str) -> None:
    async with store.write() as conn:
        await made_post(conn, state=state, message_id="m@a", permalink="abcdefghijkl")
    async with store.read() as conn:
        for name in ("newest", "month", "months", "one", "openings", "several"):
            assert not await READS[name](conn, {LIVE}), name
        # A permanent address leads to the tombstone in its conversation.
        assert await _short(conn, {LIVE})


async def test_newest_first_of_both_sides_and_cross_posts(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn)
        mail = await made_post(conn, thread_id=thread_id, content_hash="a")
        line = await made_post(conn, thread_id=thread_id, side="room", said_at=at(10), content_hash="b")
        crossed = await made_post(conn, thread_id=thread_id, link="autre", said_at=at(5), content_hash="c")
        await made_post(conn, thread_id=thread_id, link="autre", said_at=at(20), content_hash="d")
        await conn.execute(insert(cross_post), {"post_id": crossed, "link": LINK})
    async with store.read() as conn:
        assert await _newest(conn, {LIVE}) == [line, crossed, mail]
        (listed,), _ = await pages.threads_of_month(conn, A, LINK, {LIVE}, start=NOW, end=NOW + DAY)
        assert (listed.posts, listed.lines, listed.first_at, listed.last_at) == (3, 1, NOW, at(10))
        assert await pages.threads_of_month(conn, A, LINK, {LIVE}, start=NOW - DAY, end=NOW) == ([], False)


async def test_an_opening_is_the_first_that_may_be_read(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn, "Ancienne affaire")
        await made_post(
            conn, thread_id=thread_id, origin="import", side="room", said_at=NOW - DAY, text="secret", permalink="aaaa"
        )
        await made_post(conn, thread_id=thread_id, said_at=NOW, subject="re affaire", text="vu", permalink="bbbb")
    async with store.read() as conn:
        narrow = (await pages.openings_of_threads(conn, [thread_id], {LIVE}))[thread_id]
        wide = (await pages.openings_of_threads(conn, [thread_id], {LIVE, PAST_ROOM}))[thread_id]
    assert (narrow.thread_subject, narrow.subject, narrow.excerpt, narrow.permalink) == ("", "re affaire", "vu", "bbbb")
    assert (wide.thread_subject, wide.excerpt, wide.permalink) == ("Ancienne affaire", "secret", "aaaa")


async def test_own_posts_go_on_where_a_page_ended(store: Store) -> None:
    from passerelle.store.people import find_or_insert_person

    async with store.write() as conn:
        person_id = await find_or_insert_person(conn, A, name="Léa", now=NOW)
        thread_id = await made_thread(conn)
        # Two in the same instant: none is lost between pages.
        posts = [
            await made_post(conn, thread_id=thread_id, person_id=person_id, said_at=said, content_hash=str(said) + n)
            for said, n in ((NOW, "a"), (at(5), "b"), (at(5), "c"), (at(9), "d"))
        ]
        await made_post(conn, thread_id=thread_id, said_at=at(4), content_hash="someone else")
    never = (datetime(9999, 1, 1, tzinfo=UTC), PostId(0))
    async with store.read() as conn:
        first = await pages.own_posts(conn, A, person_id, {LIVE}, before=never, limit=2)
        rest = await pages.own_posts(conn, A, person_id, {LIVE}, before=(first[-1].said_at, first[-1].id), limit=9)
        assert not await pages.own_posts(conn, A, person_id, {OTHER}, before=never, limit=9)
    assert [p.id for p in (*first, *rest)] == posts[::-1]


async def test_a_sealed_mail_leads_to_its_first_line(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn)
        posts = [
            await made_post(conn, thread_id=thread_id, side="room", content_hash=str(n), permalink=f"line{n}")
            for n in (1, 2)
        ]
        batch_id = await insert_batch(conn, A, LINK, thread_id=thread_id, is_burst=True, said_at=NOW, due_at=NOW)
        for post_id in posts:
            names: dict[str, Any] = {"event_id": f"$e{post_id}", "author_name": "", "author_user_id": "", "text": ""}
            await add_line(conn, batch_id, kind="line", post_id=post_id, said_at=NOW, **names)
        row = {"association": A, "message_id": "batch@a", "thread_id": thread_id, "batch_id": batch_id}
        await conn.execute(insert(mail_id), row)
    async with store.read() as conn:
        found = await pages.find_by_message_id(conn, A, MessageId("batch@a"), {LIVE})
    assert [p.id for p in found] == posts[:1]


async def test_the_months_beside_one(store: Store) -> None:
    async with store.write() as conn:
        for days in (-9, -2, 0, 3, 5):
            await made_post(conn, said_at=NOW + days * DAY, content_hash=str(days))
    async with store.read() as conn:
        beside = await pages.months_beside(conn, A, LINK, {LIVE}, start=NOW - DAY, end=NOW + DAY)
        assert beside == (NOW - 2 * DAY, NOW + 3 * DAY)
        assert await pages.months_beside(conn, A, LINK, {PAST}, start=NOW - DAY, end=NOW + DAY) == (None, None)


async def test_the_span_of_a_link(store: Store) -> None:
    async with store.write() as conn:
        for seconds in (0, 500):
            await made_post(conn, said_at=at(seconds), content_hash=str(seconds))
    async with store.read() as conn:
        assert await pages.span_of_link(conn, A, LINK) == (NOW, at(500))
        assert await pages.span_of_link(conn, A, LinkName("vide")) is None
