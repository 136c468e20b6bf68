"""Offers, consents, pins, fiches, networks, catch-ups, the account: each costs what one association has, not a host."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.account_facts import AccountScope, Period
from passerelle.core.ids import EventId, FicheId, OfferId, PostId, RoomId, ThreadId
from passerelle.core.shelves import Shelf
from passerelle.store import account_entries, account_posts, catch_up, consents, fiches, networks, offers, pins
from passerelle.store.engine import Store
from tests.store.digest_world import SINCE, UNTIL
from tests.store.made import LINK, A

ROOM = RoomId("!salon:lab.test")
SHELF = Shelf(association=A, link=LINK, origin="live")
#: A year's account of one link.
SCOPE = AccountScope(
    association=A,
    links=frozenset({LINK}),
    period=Period(first=date(2026, 1, 1), last=date(2026, 12, 31), zone=ZoneInfo("Europe/Paris")),
    tag="jardin",
)
#: Every statement, with an index that it has to use.
ASKED: dict[str, tuple[str, Callable[[AsyncConnection], Awaitable[Any]]]] = {
    "offers_of": ("ix_offer_", lambda conn: offers.list_offers_of(conn, A, 1)),
    "offers_of_post": ("ix_offer_post", lambda conn: offers.list_offers_of_post(conn, PostId(1))),
    "offers_shown": ("ix_offer_association", lambda conn: offers.list_shown_offers(conn, A, [LINK])),
    "offer_ended": ("PRIMARY KEY", lambda conn: offers.end_offer(conn, OfferId(1), UNTIL)),
    "offer_taken_back": ("ix_offer_said", lambda conn: offers.delete_offers_said(conn, "x")),
    "consent": ("autoindex_consent", lambda conn: consents.find_consent(conn, A, 1, "first_name")),
    "consents": ("autoindex_consent", lambda conn: consents.list_consents(conn, A, "first_name")),
    "pinned": ("room_pin", lambda conn: pins.list_pinned_posts(conn, [ROOM])),
    "pins": ("room_pin", lambda conn: pins.set_pins(conn, ROOM, [EventId("$1")])),
    "fiche": ("PRIMARY KEY", lambda conn: fiches.find_fiche(conn, FicheId(1))),
    "fiche_by_number": ("ix_fiche_association", lambda conn: fiches.find_fiche_by_number(conn, A, 1)),
    "fiche_by_permalink": ("ix_fiche_", lambda conn: fiches.find_fiche_by_permalink(conn, A, "x")),
    "fiches": ("ix_fiche_association", lambda conn: fiches.list_fiches(conn, A)),
    "fiches_shared": ("ix_fiche_association", lambda conn: fiches.list_shared_fiches(conn, [A])),
    "drafts": ("ix_fiche_association", lambda conn: fiches.forget_old_drafts(conn, A, UNTIL)),
    "said_in_thread": (
        "ix_post_thread",
        lambda conn: fiches.list_said_in_thread(conn, A, LINK, ThreadId(1), limit=9),
    ),
    "said_with": ("ix_post_link_time", lambda conn: fiches.list_said_with_tags(conn, A, LINK, limit=9)),
    "network": ("ix_post_link_time", lambda conn: networks.count_association(conn, A, [LINK], SINCE)),
    "last_known": ("ix_digest_person", lambda conn: catch_up.find_last_known_at(conn, A, 1)),
    "readable": ("PRIMARY KEY", lambda conn: catch_up.list_readable(conn, [PostId(1)], [SHELF])),
    "account_posts": ("ix_post_link_time", lambda conn: account_posts.count_posts(conn, SCOPE)),
    "account_entries": ("", lambda conn: account_entries.list_account_entries(conn, SCOPE)),
    "account_moves": ("ix_entry_change_entry", lambda conn: account_entries.list_account_moves(conn, SCOPE)),
    "account_objected": ("ix_entry", lambda conn: account_entries.count_objected(conn, SCOPE)),
    "account_overdue": ("ix_entry", lambda conn: account_entries.count_overdue(conn, SCOPE, date(2026, 12, 31))),
    "account_meetings": ("ix_meeting", lambda conn: account_entries.list_account_meetings(conn, SCOPE, limit=9)),
}
TABLES = "post|thread|entry|entry_change|objection|meeting|offer|consent|room_pin|room_event|fiche|participant|person"
TABLES += "|digest|other"


@pytest.mark.parametrize("name", ASKED)
async def test_nothing_is_looked_for_among_all_associations(tmp_path: Path, name: str) -> None:
    store = await Store.open(f"sqlite:///{tmp_path}/s.db", exclusive=True)
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.append((statement, parameters))

    index, run = ASKED[name]
    async with store.write() as conn:
        event.listen(conn.sync_connection, "before_cursor_execute", note)
        await run(conn)
        event.remove(conn.sync_connection, "before_cursor_execute", note)
        steps = [
            row[3]
            for statement, parameters in asked
            for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    await store.close()
    assert asked
    assert index in " ".join(steps), steps
    assert not [step for step in steps if re.match(rf"SCAN ({TABLES})\b", step)], steps
    # Of an association's posts always those of a time or a conversation.
    assert not [step for step in steps if re.match(r"SEARCH (post|other)\b.*\(association=\?\)", step)], steps
