"""Which entries a reader is shown, and which somebody is reminded of, on both databases."""

from datetime import date, datetime, time
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId, PostId
from passerelle.core.model import PostState
from passerelle.core.register_model import NamedPerson, NewEntryChange
from passerelle.core.register_moves import clashes
from passerelle.store.engine import Store
from passerelle.store.meetings import insert_meeting
from passerelle.store.posts import set_post_state
from passerelle.store.register import get_entry, set_entry_due, set_entry_text, set_reminded, set_review_on
from passerelle.store.register_history import insert_entry_change
from passerelle.store.register_lists import (
    Became,
    EntryFilter,
    Order,
    count_entries,
    find_shown_entry,
    list_decisions_to_remind,
    list_due_actions,
    list_entries,
    list_overdue,
    list_to_review,
    next_decision_at,
)
from passerelle.store.register_notices import begin_telling, note_told, want_telling
from passerelle.store.register_things import find_open_loan, find_overlapping_bookings
from tests.store.made import LINK, NOW, A, at, made_post
from tests.store.made_secretary import OTHER, made_entry, made_person, new_meeting

ROUBAIX = AssociationName("roubaix")


async def numbers(conn: AsyncConnection, order: Order = "number", **wanted: Any) -> list[int]:
    """The numbers of the entries that a filter gives, in its order; as many as are counted."""
    found = [entry.number for entry in await list_entries(conn, A, EntryFilter(**wanted), order=order)]
    assert await count_entries(conn, A, EntryFilter(**wanted)) == len(found)
    return found


async def test_each_condition_of_a_filter(store: Store) -> None:
    async with store.write() as conn:
        annie, paul = await made_person(conn, "Annie"), await made_person(conn, "Paul")
        meeting = (await insert_meeting(conn, new_meeting())).id
        await made_entry(conn, "Élire un trésorier", said_at=at(10), author_person_id=annie, meeting_id=meeting)
        named = [NamedPerson(name="Annie", person_id=annie), NamedPerson(name="Paul", person_id=paul)]
        await made_entry(conn, "relancer la mairie", "action", said_at=at(20), people=named, due_on=date(2026, 3, 9))
        await made_entry(conn, "vidéoprojecteur", "loan", said_at=at(30), link=OTHER, label="Vidéo-Projecteur")
        await made_entry(conn, "100 % des voix_", "info", said_at=at(40), state="kept", due_on=date(2026, 3, 12))
        await made_entry(conn, association=ROUBAIX)
        assert await numbers(conn) == [1, 2, 3, 4]
        assert await numbers(conn, links=[LINK]) == [1, 2, 4]
        assert await numbers(conn, links=[OTHER, LINK]) == [1, 2, 3, 4]
        assert await numbers(conn, links=[]) == []
        assert await numbers(conn, kinds=["decision", "loan"]) == [1, 3]
        assert await numbers(conn, states=["open", "kept"]) == [2, 4]
        assert await numbers(conn, person_id=annie) == [2]
        assert await numbers(conn, author_person_id=annie) == [1]
        assert await numbers(conn, meeting_id=meeting) == [1]
        assert await numbers(conn, label="video-projecteur ") == [3]
        assert await numbers(conn, since=at(20)) == [2, 3, 4]
        assert await numbers(conn, until=at(20)) == [1]
        assert await numbers(conn, due_from=date(2026, 3, 10)) == [4]
        assert await numbers(conn, due_to=date(2026, 3, 9)) == [2]
        assert await numbers(conn, kinds=["action"], person_id=paul, words="mairie") == [2]


async def test_what_came_into_a_state_in_a_time_whatever_became_of_it(store: Store) -> None:
    async with store.write() as conn:
        adopted, dropped, later = [await made_entry(conn, text) for text in ("a", "b", "c")]
        for entry, seconds, before, after in (
            (adopted, 10, "proposed", "adopted"),
            (adopted, 20, "adopted", "adopted"),  # to be looked at again
            (adopted, 30, "adopted", "dropped"),
            (dropped, 10, "proposed", "dropped"),
            (later, 20, "proposed", "adopted"),
        ):
            change = NewEntryChange(
                entry_id=entry.id, at=at(seconds), move="set", before_state=before, after_state=after
            )  # fmt: skip
            await insert_entry_change(conn, change)

        async def became(state: str, since: float, until: float) -> list[int]:
            return await numbers(conn, became=Became(state=state, since=at(since), until=at(until)))

        assert await became("adopted", 0, 20) == [adopted.number]
        assert await became("adopted", 10, 21) == [adopted.number, later.number]
        assert await became("adopted", 11, 20) == []
        assert await became("dropped", 0, 99) == [adopted.number, dropped.number]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("elire", [1]), ("ÉLIRE TRÉSORIER", [1]), ("un élire", [1]), ("élire mairie", []), ("lire", [1]),
        ("  ", [1, 2, 3]), ("%", [2]), ("_", [2]), ("\\", []), ("cafe", [3]), ("œuvre", [3]), ("oeuvre", [3]),
    ],
)  # fmt: skip
async def test_words_are_looked_for_as_they_are(store: Store, words: str, found: list[int]) -> None:
    async with store.write() as conn:
        await made_entry(conn, "Élire un trésorier")
        await made_entry(conn, "100 % des voix_")
        await made_entry(conn, "main-d'œuvre", "count", label="Atelier café")
        assert await numbers(conn, words=words) == found


async def test_a_text_is_found_as_it_reads_now(store: Store) -> None:
    async with store.write() as conn:
        id = (await made_entry(conn, "louer la salle")).id
        await set_entry_text(conn, id, "louer le préau", NOW)
        assert await numbers(conn, words="salle") == []
        assert await numbers(conn, words="preau") == [1]


async def test_orders_and_pages(store: Store) -> None:
    async with store.write() as conn:
        await made_entry(conn, "un", "action", said_at=at(20), due_on=date(2026, 3, 9), due_at=time(18, 0))
        await made_entry(conn, "deux", "action", said_at=at(10))
        await made_entry(conn, "trois", "action", said_at=at(30), due_on=date(2026, 3, 9), due_at=time(9, 0))
        await made_entry(conn, "quatre", "action", said_at=at(20), due_on=date(2026, 3, 9))
        await made_entry(conn, "cinq", "action", said_at=at(5), due_on=date(2025, 3, 9))
        assert await numbers(conn, "newest") == [3, 4, 1, 2, 5]
        assert await numbers(conn, "oldest") == [5, 2, 1, 4, 3]
        assert await numbers(conn, "number") == [1, 2, 3, 4, 5]
        assert await numbers(conn, "due") == [5, 4, 3, 1, 2]
        page = await list_entries(conn, A, EntryFilter(), order="number", limit=2, offset=2)
        assert [entry.number for entry in page] == [3, 4]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("accepted", True), ("passing", True), ("erased", True),
        ("hidden", False), ("withdrawn", False), ("redacted", False), ("kept_back", False),
    ],
)  # fmt: skip
async def test_what_was_taken_back_is_not_shown(store: Store, state: PostState, shown: bool) -> None:
    async with store.write() as conn:
        post, mark = await made_post(conn), await made_post(conn, content_hash="c2")
        entry = await made_entry(conn, "relancer", "action", post_id=post, due_on=date(2026, 3, 1), label="salle")
        await made_entry(conn, "sans message", "action")
        await made_entry(conn, "marqué", "action", sources=[(post, "mark")])
        await set_post_state(conn, post, state)
        assert await numbers(conn) == ([1, 2, 3] if shown else [2, 3])
        assert await numbers(conn, links=[LINK], words="relancer") == ([1] if shown else [])
        assert (await find_shown_entry(conn, A, 1, [LINK]) == entry) is shown
        due = await list_due_actions(conn, A, on_or_before=date(2026, 3, 1), not_reminded_since=NOW)
        overdue = await list_overdue(conn, A, before=date(2026, 3, 2))
        assert [e.number for e in due] == [e.number for e in overdue] == ([1] if shown else [])
        assert await get_entry(conn, entry.id) == entry
        await set_post_state(conn, mark, "hidden")
        assert 3 in await numbers(conn)


async def test_an_entry_is_shown_while_one_of_its_sources_is(store: Store) -> None:
    async with store.write() as conn:
        list_side, room_side = await made_post(conn), await made_post(conn, content_hash="c2", side="room")
        await made_entry(conn, post_id=list_side, sources=[(room_side, "source")])
        await set_post_state(conn, list_side, "hidden")
        assert await numbers(conn) == [1]
        await set_post_state(conn, room_side, "redacted")
        assert await numbers(conn) == []


async def test_a_reader_finds_the_numbers_of_their_links(store: Store) -> None:
    async with store.write() as conn:
        entry = await made_entry(conn, link=OTHER)
        assert await find_shown_entry(conn, A, 1, [LINK, OTHER]) == entry
        assert await find_shown_entry(conn, A, 1, [LINK]) is None
        assert await find_shown_entry(conn, A, 1, []) is None
        assert await find_shown_entry(conn, ROUBAIX, 1, [OTHER]) is None
        assert await find_shown_entry(conn, A, 2, [OTHER]) is None


async def test_who_is_to_be_reminded_of_actions_and_loans(store: Store) -> None:
    async with store.write() as conn:
        ninth = date(2026, 3, 9)
        late = await made_entry(conn, "tard", "action", due_on=date(2026, 3, 8))
        loan = await made_entry(conn, "projecteur", "loan", due_on=ninth)
        await made_entry(conn, "fait", "action", state="done", due_on=ninth)
        await made_entry(conn, "rendu", "loan", state="returned", due_on=ninth)
        await made_entry(conn, "sans date", "action")
        await made_entry(conn, "décidé", "decision", due_on=ninth)
        after = await made_entry(conn, "plus tard", "action", due_on=date(2026, 3, 10))
        await made_entry(conn, "ailleurs", "action", due_on=ninth, association=ROUBAIX)
        assert await list_due_actions(conn, A, on_or_before=ninth, not_reminded_since=at(50)) == [late, loan]
        assert await list_overdue(conn, A, before=ninth) == [late]
        await set_reminded(conn, [late.id, loan.id], at(60))
        await set_reminded(conn, [], at(70))
        assert await list_due_actions(conn, A, on_or_before=ninth, not_reminded_since=at(60)) == []
        again = await list_due_actions(conn, A, on_or_before=ninth, not_reminded_since=at(61))
        assert [e.id for e in again] == [late.id, loan.id]
        await set_entry_due(conn, after.id, NOW, due_on=None)


async def test_decisions_to_look_at_again(store: Store) -> None:
    async with store.write() as conn:
        for number, state in enumerate(["adopted", "proposed", "adopted"], 1):
            entry = await made_entry(conn, state=state)
            await set_review_on(conn, entry.id, date(2026, 3, 4 + number), NOW)
        found = await list_to_review(conn, A, on_or_before=date(2026, 3, 7))
        assert [(e.number, e.review_on) for e in found] == [(1, date(2026, 3, 5)), (3, date(2026, 3, 7))]
        assert [e.number for e in await list_to_review(conn, A, on_or_before=date(2026, 3, 6))] == [1]


async def told(conn: AsyncConnection, id: EntryId, open_until: datetime) -> None:
    await want_telling(conn, id, NOW)
    await begin_telling(conn, [id], NOW)
    await note_told(conn, id, left_at=NOW, open_until=open_until)


async def test_a_decision_whose_delay_is_over_is_named_once(store: Store) -> None:
    async with store.write() as conn:
        first, second = await made_entry(conn), await made_entry(conn, association=ROUBAIX)
        await made_entry(conn)
        objected, post = await made_entry(conn, state="objected"), await made_post(conn)
        hidden = await made_entry(conn, post_id=post)
        await set_post_state(conn, PostId(post), "hidden")
        for id, until in ((first.id, 100), (second.id, 200), (objected.id, 50), (hidden.id, 50)):
            await told(conn, id, at(until))
        assert await next_decision_at(conn) == at(100)
        assert await list_decisions_to_remind(conn, at(99)) == []
        assert [e.id for e in await list_decisions_to_remind(conn, at(200))] == [first.id, second.id]
        await set_reminded(conn, [first.id], at(99))  # of something else, before the delay was over
        assert [e.id for e in await list_decisions_to_remind(conn, at(100))] == [first.id]
        await set_reminded(conn, [first.id], at(101))
        assert await list_decisions_to_remind(conn, at(150)) == []
        assert await next_decision_at(conn) == at(200)
        await set_reminded(conn, [second.id], at(200))
        assert await next_decision_at(conn) is None


BOOKED: list[dict[str, Any]] = [
    {"due_on": date(2026, 3, 3), "due_at": time(14, 0), "until_at": time(16, 0)},
    {"due_on": date(2026, 3, 3), "due_at": time(20, 0)},  # until the end of the day
    {"due_on": date(2026, 3, 5)},  # the whole day
    {"due_on": date(2026, 3, 7), "until_on": date(2026, 3, 8)},
    {"due_on": date(2026, 3, 10), "due_at": time(22, 0), "until_on": date(2026, 3, 11), "until_at": time(1, 0)},
]


@pytest.mark.parametrize(
    ("begins", "ends", "found"),
    [
        ("2026-03-03T15:00", "2026-03-03T15:30", [1]),
        ("2026-03-03T13:00", "2026-03-03T14:00", []),
        ("2026-03-03T16:00", "2026-03-03T20:00", []),
        ("2026-03-03T15:59", "2026-03-03T20:01", [1, 2]),
        ("2026-03-03T23:30", "2026-03-04T00:30", [2]),
        ("2026-03-04T00:00", "2026-03-04T23:59", []),
        ("2026-03-05T23:00", "2026-03-05T23:10", [3]),
        ("2026-03-06T00:00", "2026-03-06T23:59", []),
        ("2026-03-08T10:00", "2026-03-08T11:00", [4]),
        ("2026-03-11T00:30", "2026-03-11T02:00", [5]),
        ("2026-03-11T01:00", "2026-03-11T02:00", []),
        ("2026-03-01T00:00", "2026-04-01T00:00", [1, 2, 3, 4, 5]),
    ],
)
async def test_bookings_that_clash(store: Store, begins: str, ends: str, found: list[int]) -> None:
    """The same as the pure rule says of the entries at hand."""
    start, end = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    async with store.write() as conn:
        made = [await made_entry(conn, "salle", "booking", label="Salle  des fêtes", **when) for when in BOOKED]
        await made_entry(conn, "salle", "booking", label="salle des fêtes", state="dropped", **BOOKED[0])
        await made_entry(conn, "salle", "booking", label="salle du bas", **BOOKED[0])
        await made_entry(conn, "salle", "booking", label="salle des fêtes", association=ROUBAIX, **BOOKED[0])
        overlapping = await find_overlapping_bookings(conn, A, "Salle des FÊTES", start, end)
        wanted = await made_entry(
            conn, "salle", "booking", label="salle des fêtes", due_on=start.date(), due_at=start.time(),
            until_on=end.date(), until_at=end.time(),
        )  # fmt: skip
    assert [e.number for e in overlapping] == found
    assert [e.number for e in clashes(wanted, made)] == found


async def test_a_day_ends_where_the_next_begins(store: Store) -> None:
    async with store.write() as conn:
        for day in (4, 5, 6):
            await made_entry(conn, "salle", "booking", label="salle", due_on=date(2026, 3, day))
        start, end = datetime.fromisoformat("2026-03-05T00:00"), datetime.fromisoformat("2026-03-06T00:00")
        assert [e.number for e in await find_overlapping_bookings(conn, A, "salle", start, end)] == [2]


async def test_who_has_a_thing(store: Store) -> None:
    async with store.write() as conn:
        await made_entry(conn, "projecteur à Paul", "loan", label="projecteur", state="returned")
        assert await find_open_loan(conn, A, "Projecteur") is None
        first = await made_entry(conn, "projecteur à Karim", "loan", label="projecteur")
        await made_entry(conn, "projecteur", "booking", label="projecteur")
        assert await find_open_loan(conn, A, "Projecteur") == first
        second = await made_entry(conn, "projecteur à Léa", "loan", label="Projecteur")
        assert await find_open_loan(conn, A, " projecteur") == second
        assert await find_open_loan(conn, ROUBAIX, "projecteur") is None
