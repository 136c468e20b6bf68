"""What a conversation's page reads."""

from datetime import timedelta

from passerelle.core.ids import EventId, RoomId
from passerelle.core.model import NewAttachment, RoomEvent
from passerelle.core.shelves import Shelf
from passerelle.store.attachments import insert_attachments
from passerelle.store.batches import add_line, insert_batch
from passerelle.store.engine import Store
from passerelle.store.posts import insert_room_event
from passerelle.store.tables import batch
from passerelle.store.thread_pages import count_earlier, files_of_posts, handles_of_posts, posts_of_thread
from tests.store.made import LINK, NOW, A, at, made_post, made_thread

LIVE = Shelf(association=A, link=LINK, origin="live")
PAST = Shelf(association=A, link=LINK, origin="import", side="list")


async def test_posts_come_in_the_order_of_their_time_a_page_at_a_time(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn, "Fête")
        late = await made_post(conn, thread_id=thread_id, said_at=at(9), content_hash="a")
        early = await made_post(conn, thread_id=thread_id, said_at=at(1), content_hash="b", side="room")
        same = await made_post(conn, thread_id=thread_id, said_at=at(9), content_hash="c")
        await made_post(conn, content_hash="elsewhere")
    async with store.read() as conn:
        page = await posts_of_thread(conn, thread_id, {LIVE}, limit=2)
        rest = await posts_of_thread(conn, thread_id, {LIVE}, limit=2, offset=2)
        assert ([p.id for p in page.posts], page.number, page.subject) == ([early, late], 3, "Fête")
        assert ([p.id for p in rest.posts], rest.number) == ([same], 3)
        assert await count_earlier(conn, thread_id, {LIVE}, at=at(9), id=same) == 2
        assert await count_earlier(conn, thread_id, {LIVE}, at=at(1), id=early) == 0


async def test_a_reader_sees_their_shelves_of_it(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn, "Ancien")
        await made_post(conn, thread_id=thread_id, said_at=NOW - timedelta(days=9), origin="import", content_hash="a")
        live = await made_post(conn, thread_id=thread_id, content_hash="b")
    async with store.read() as conn:
        page = await posts_of_thread(conn, thread_id, {LIVE}, limit=9)
        assert ([p.id for p in page.posts], page.number, page.subject) == ([live], 1, "")
        assert (await posts_of_thread(conn, thread_id, {LIVE, PAST}, limit=9)).subject == "Ancien"
        assert not (await posts_of_thread(conn, thread_id, set(), limit=9)).posts


async def test_nothing_is_left_of_what_was_taken_back(store: Store) -> None:
    async with store.write() as conn:
        words = {"text": "mots", "html": "<b>mots</b>", "subject": "sujet", "author_name": "Paul"}
        thread_id = await made_thread(conn)
        for state in ("hidden", "redacted", "erased", "kept_back", "withdrawn"):
            await made_post(conn, thread_id=thread_id, state=state, content_hash=state, **words)
    async with store.read() as conn:
        page = await posts_of_thread(conn, thread_id, {LIVE}, limit=9)
    assert len(page.posts) == 5
    assert {(p.text, p.html, p.subject, p.author_name) for p in page.posts} == {("", "", "", "")}


async def test_files_and_handles_of_posts(store: Store) -> None:
    async with store.write() as conn:
        thread_id = await made_thread(conn)
        mail = await made_post(conn, thread_id=thread_id, content_hash="a")
        line = await made_post(conn, thread_id=thread_id, content_hash="b", side="room")
        files = [NewAttachment(position=n, filename=f"{n}.txt", media_type="text/plain", data=b"x") for n in (1, 2)]
        await insert_attachments(conn, mail, files, NOW)
        batch_id = await insert_batch(conn, A, LINK, thread_id=thread_id, is_burst=True, said_at=NOW, due_at=NOW)
        await add_line(
            conn, batch_id, kind="line", post_id=line, event_id=EventId("$l"), author_name="", author_user_id="",
            text="", said_at=NOW,
        )  # fmt: skip
        await conn.execute(batch.update().values(message_id="batch@a"))
        for post_id, event in ((mail, "$m"), (line, "$l")):
            shown = RoomEvent(
                event_id=EventId(event), room_id=RoomId("!r"), post_id=post_id, part=0, thread_root_event_id=None,
                outbox_id=None, said_at=NOW,
            )  # fmt: skip
            await insert_room_event(conn, shown)
    async with store.read() as conn:
        found = await files_of_posts(conn, [mail, line])
        assert {id: [f.filename for f in files] for id, files in found.items()} == {mail: ["1.txt", "2.txt"]}
        handles = await handles_of_posts(conn, [mail, line])
        assert (handles[mail].message_id, handles[mail].event_id) == (None, "$m")
        assert (handles[line].message_id, handles[line].event_id, handles[line].room_id) == ("batch@a", "$l", "!r")
        assert await files_of_posts(conn, []) == await handles_of_posts(conn, []) == {}
