"""What a page of the archive costs must not grow with the archive: SQLite's own plan of every statement says how."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import PostId, ThreadId
from passerelle.core.shelves import Shelf
from passerelle.store import archive_pages as pages
from passerelle.store import thread_pages as threads
from passerelle.store.engine import Store
from tests.store.made import LINK, NOW, A, at

SHELVES = {
    Shelf(association=A, link=LINK, origin="live"),
    Shelf(association=A, link=LINK, origin="import", side="list"),
}
THREAD = ThreadId(1)
#: Every read of a page, by its name.
READS: dict[str, Callable[[AsyncConnection], Awaitable[Any]]] = {
    "newest": lambda conn: pages.newest_of_link(conn, A, LINK, SHELVES, limit=80),
    "month": lambda conn: pages.threads_of_month(conn, A, LINK, SHELVES, start=NOW, end=at(9)),
    "beside": lambda conn: pages.months_beside(conn, A, LINK, SHELVES, start=NOW, end=at(9)),
    "span": lambda conn: pages.span_of_link(conn, A, LINK),
    "months": lambda conn: pages.months_with_posts(conn, A, LINK, SHELVES, bounds=[(NOW, at(9)), (at(9), at(19))]),
    "short": lambda conn: pages.find_by_short(conn, A, "abcdefghijkl", SHELVES),
    "openings": lambda conn: pages.openings_of_threads(conn, [THREAD], SHELVES),
    "one": lambda conn: pages.find_readable_post(conn, PostId(1), SHELVES),
    "own": lambda conn: pages.own_posts(conn, A, 1, SHELVES, before=(NOW, PostId(1)), limit=9),
    "thread": lambda conn: threads.posts_of_thread(conn, THREAD, SHELVES, limit=100),
    "sizes": lambda conn: threads.sizes_of_threads(conn, [THREAD], SHELVES),
    "earlier": lambda conn: threads.count_earlier(conn, THREAD, SHELVES, at=NOW, id=PostId(1)),
    "files": lambda conn: threads.files_of_posts(conn, [PostId(1)]),
    "handles": lambda conn: threads.handles_of_posts(conn, [PostId(1)]),
}


@pytest.mark.parametrize("name", READS)
async def test_no_page_goes_through_all_posts(tmp_path: Path, name: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    async with store.read() as conn:
        event.listen(conn.sync_connection, "before_cursor_execute", note)
        await READS[name](conn)
        event.remove(conn.sync_connection, "before_cursor_execute", note)
        steps = [
            row[3]
            for statement, parameters in asked
            for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    await store.close()
    assert any(re.match(r"SEARCH \w+ USING", step) for step in steps), steps
    tables = "post|cross_post|thread|attachment|batch_line|room_event|shown|crossed"
    wide = [step for step in steps if re.match(rf"SCAN ({tables})\b", step) or re.search(r"\(association=\?\)", step)]
    assert not wide, steps
