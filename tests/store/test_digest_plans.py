"""What a digest costs must not grow with the archive: SQLite's own plan of every statement says how."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId, MeetingId, PostId, ThreadId
from passerelle.core.shelves import Shelf
from passerelle.store import digest_facts as facts
from passerelle.store import digest_people as people
from passerelle.store.engine import Store
from tests.store.digest_world import SINCE, UNTIL
from tests.store.made import LINK, A
from tests.store.made_secretary import OTHER

SCOPE = facts.Scope(
    association=A,
    person_id=1,
    links=frozenset({LINK}),
    shelves=frozenset({Shelf(association=A, link=LINK, origin="live")}),
    all_links=[LINK, OTHER],
    since=SINCE,
    until=UNTIL,
)
#: Every read of a digest, with an index that it has to use.
READS: dict[str, tuple[str, Callable[[AsyncConnection], Awaitable[Any]]]] = {
    "said": ("ix_post_link_time", lambda conn: facts.list_said(conn, SCOPE, limit=9)),
    "threads": ("ix_post_thread", lambda conn: facts.list_threads(conn, SCOPE, [ThreadId(1)])),
    "posts": ("", lambda conn: facts.list_posts(conn, SCOPE, [PostId(1)])),
    "unanswered": (
        "ix_post_link_time",
        lambda conn: facts.list_unanswered(conn, SCOPE, asked_from=SINCE, asked_to=UNTIL),
    ),
    "crossed": ("", lambda conn: facts.list_crossed(conn, [PostId(1)])),
    "files": ("", lambda conn: facts.list_files(conn, [PostId(1)])),
    "entries": (
        "ix_entry_changed",
        lambda conn: facts.list_entries_to_tell(conn, SCOPE, review_until=date(2026, 3, 20), also=[EntryId(1)]),
    ),
    "own_answers": ("", lambda conn: people.own_answers_to(conn, [MeetingId(1)], 1)),
    "minutes": ("", lambda conn: people.newest_minutes_of(conn, [MeetingId(1)])),
    "newcomers": ("ix_post_person", lambda conn: people.list_newcomers(conn, A, [LINK], since=SINCE, until=UNTIL)),
    "incidents": ("ix_incident_open", lambda conn: people.list_open_incidents(conn, A, until=UNTIL)),
}


@pytest.mark.parametrize("name", READS)
async def test_no_digest_goes_through_all_there_is(tmp_path: Path, name: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement != "BEGIN":
            asked.append((statement, parameters))

    index, read = READS[name]
    async with store.read() as conn:
        event.listen(conn.sync_connection, "before_cursor_execute", note)
        await read(conn)
        event.remove(conn.sync_connection, "before_cursor_execute", note)
        steps = [
            row[3]
            for statement, parameters in asked
            for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    await store.close()
    assert len(asked) == 1
    assert any(re.match(r"SEARCH \w+ USING", step) for step in steps), steps
    assert index in " ".join(steps), steps
    tables = "post|cross_post|thread|attachment|entry|rsvp|minutes|newer|other|participant|incident|objection|crossed"
    wide = [step for step in steps if re.match(rf"SCAN ({tables})\b", step)]
    # By an association alone only what is small in it: who takes part, what went wrong and is not over.
    small = r"participant|incident"
    wide += [
        step for step in steps if re.search(r"\(association=\?\)", step) and not re.match(rf"SEARCH ({small})", step)
    ]
    assert not wide, steps
