"""Meetings: found, moved, under way; their steps, each once; on both databases."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, MeetingId
from passerelle.core.meeting_model import Meeting, MeetingSpan, MeetingStep, NewMeeting, Step
from passerelle.errors import StoreError
from passerelle.store import meeting_steps, meetings
from passerelle.store.engine import Store
from passerelle.store.meetings import TimeAndPlace
from tests.store.made import LINK, NOW, A, at, made_post
from tests.store.made_secretary import OTHER, made_person, new_meeting

ROUBAIX = AssociationName("roubaix")
#: When `new_meeting` begins.
START = datetime.fromisoformat("2026-03-12T18:30:00")


def days(count: float) -> datetime:
    """So many days after START, on the wall clock."""
    return START + timedelta(days=count)


async def made(conn: AsyncConnection, title: str = "Bureau", **other: Any) -> Meeting:
    return await meetings.insert_meeting(conn, new_meeting(title, **other))


async def test_a_meeting_comes_back_as_it_was_called(store: Store) -> None:
    async with store.write() as conn:
        first = await made(conn, "Bureau 1")
        new = NewMeeting(
            association=A, link=LINK, kind="assembly", uid="ag@lab.test", title="Assemblée", starts_local=days(1),
            zone="Indian/Reunion", duration_minutes=90, place="Épeule", url="https://visio.lab.test/ag", notes="café",
            rrule="FREQ=YEARLY", series_id=first.id, state="called", organizer_name="Annie",
            organizer_person_id=await made_person(conn, "Annie"), source="invitation", post_id=await made_post(conn),
            created_at=at(7),
        )  # fmt: skip
        noted = await meetings.insert_meeting(conn, new)
    async with store.read() as conn:
        assert await meetings.find_meeting(conn, noted.id) == noted == await meetings.get_meeting(conn, noted.id)
        assert await meetings.find_meeting_by_number(conn, A, 2) == noted
        assert await meetings.find_meeting_by_number(conn, ROUBAIX, 2) is None
        assert await meetings.list_series(conn, first.id) == [first, noted]
        assert {name: getattr(noted, name) for name in new.__dataclass_fields__} == {
            name: getattr(new, name) for name in new.__dataclass_fields__
        }
    assert (noted.number, noted.sequence, noted.chair_name, noted.secretary_name) == (2, 0, "", "")
    assert (noted.opened_at, noted.closed_at) == (None, None)


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    async with store.read() as conn:
        assert await meetings.find_meeting(conn, MeetingId(7)) is None
        assert await meetings.find_meeting_by_uid(conn, A, "x@lab.test") is None
        assert await meetings.find_current_meeting(conn, A, LINK, since_local=START) is None
        with pytest.raises(StoreError, match="no meeting 7"):
            await meetings.get_meeting(conn, MeetingId(7))


async def test_one_meeting_for_each_start_of_a_uid(store: Store) -> None:
    async with store.write() as conn:
        second = await made(conn, uid="serie@lab.test", starts_local=days(7))
        first = await made(conn, uid="serie@lab.test")
        await made(conn, uid="serie@lab.test", association=ROUBAIX)
        assert await meetings.list_meetings_by_uid(conn, A, "serie@lab.test") == [first, second]
        assert await meetings.find_meeting_by_uid(conn, A, "serie@lab.test") == first
        assert await meetings.find_meeting_by_uid(conn, A, "serie@lab.test", days(7)) == second
        assert await meetings.find_meeting_by_uid(conn, A, "serie@lab.test", days(8)) is None
    with pytest.raises(StoreError):
        async with store.write() as conn:
            await made(conn, uid="serie@lab.test")


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_several_daemons_give_no_number_twice(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True)]

    async def call(n: int) -> int:
        async with stores[n % 2].write(durable=False) as conn:
            return (await made(conn, f"Réunion {n}")).number

    assert sorted(await asyncio.gather(*(call(n) for n in range(20)))) == list(range(1, 21))


async def test_meetings_within_a_time(store: Store) -> None:
    async with store.write() as conn:
        for number, (day, other) in enumerate(
            [(3, {}), (1, {"state": "cancelled"}), (2, {"link": OTHER}), (1, {}), (9, {"state": "approved"})], 1
        ):
            await made(conn, f"Réunion {number}", starts_local=days(day), **other)
        await made(conn, association=ROUBAIX)

        async def listed(**wanted: Any) -> list[int]:
            return [one.number for one in await meetings.list_meetings(conn, A, **wanted)]

        async def past(**wanted: Any) -> list[int]:
            found = await meetings.list_past_meetings(conn, A, before_local=days(3), **wanted)
            return [one.number for one in found]

        assert await listed() == [2, 4, 3, 1, 5]
        assert await listed(links=[LINK]) == [2, 4, 1, 5]
        assert await listed(links=[]) == []
        assert await listed(since_local=days(2)) == [3, 1, 5]
        assert await listed(until_local=days(2)) == [2, 4]
        assert await listed(states=["planned"], limit=2) == [4, 3]
        assert await past() == [3, 4, 2]
        assert await past(links=[LINK], states=["planned"]) == [4]
        assert await past(limit=1) == [3]


async def test_the_meeting_that_is_meant(store: Store) -> None:
    """The open one, else the next to come."""
    async with store.write() as conn:
        await made(conn, "demain", starts_local=days(1), state="cancelled")
        await made(conn, "hier", starts_local=days(-1), state="convened")
        await made(conn, "ailleurs", starts_local=days(1), link=OTHER)
        later = await made(conn, "plus tard", starts_local=days(3))
        soon = await made(conn, "bientôt", starts_local=days(2), state="called")
        assert await meetings.find_current_meeting(conn, A, LINK, since_local=START) == soon
        assert await meetings.find_current_meeting(conn, A, LINK, since_local=days(2.5)) == later
        assert await meetings.move_meeting_state(conn, later.id, before="planned", after="open", now=NOW)
        found = await meetings.find_current_meeting(conn, A, LINK, since_local=START)
    assert found is not None
    assert found.id == later.id


async def test_a_meeting_goes_from_state_to_state(store: Store) -> None:
    async with store.write() as conn:
        id = (await made(conn)).id
        assert await meetings.move_meeting_state(conn, id, before="planned", after="called", now=at(1))
        assert not await meetings.move_meeting_state(conn, id, before="planned", after="cancelled", now=at(2))
        assert (await meetings.get_meeting(conn, id)).opened_at is None
        assert await meetings.move_meeting_state(conn, id, before="called", after="open", now=at(3))
        assert not await meetings.move_meeting_state(conn, id, before="called", after="open", now=at(4))
        assert await meetings.move_meeting_state(conn, id, before="open", after="closed", now=at(5))
        found = await meetings.get_meeting(conn, id)
        assert (found.state, found.opened_at, found.closed_at) == ("closed", at(3), at(5))
        assert await meetings.move_meeting_state(conn, id, before="closed", after="open", now=at(6))
        found = await meetings.get_meeting(conn, id)
        assert (found.state, found.opened_at, found.closed_at) == ("open", at(3), None)


async def test_another_time_raises_the_sequence(store: Store) -> None:
    to = TimeAndPlace(
        starts_local=days(3), zone="Europe/Brussels", duration_minutes=60, place="Mairie", url="https://v.lab.test"
    )
    async with store.write() as conn:
        one, other = await made(conn), await made(conn, "Autre")
        moved = await meetings.reschedule_meeting(conn, one.id, to)
        assert moved == await meetings.get_meeting(conn, one.id)
        assert (moved.starts_local, moved.zone, moved.duration_minutes) == (days(3), "Europe/Brussels", 60)
        assert (moved.place, moved.url, moved.sequence) == ("Mairie", "https://v.lab.test", 1)
        assert (await meetings.reschedule_meeting(conn, one.id, to)).sequence == 2
        assert (await meetings.reschedule_meeting(conn, one.id, to, sequence=7)).sequence == 7
        assert await meetings.get_meeting(conn, other.id) == other
        with pytest.raises(StoreError, match="no meeting 99"):
            await meetings.reschedule_meeting(conn, MeetingId(99), to)


async def test_who_chairs_and_who_writes(store: Store) -> None:
    async with store.write() as conn:
        one, other = await made(conn), await made(conn, "Autre")
        await meetings.set_chair(conn, one.id, "Monique")
        await meetings.set_secretary(conn, one.id, "Paul")
        await meetings.set_meeting_words(conn, one.id, title="Bureau élargi", notes="apporter un gâteau")
        found = await meetings.get_meeting(conn, one.id)
        assert (found.chair_name, found.secretary_name) == ("Monique", "Paul")
        assert (found.title, found.notes) == ("Bureau élargi", "apporter un gâteau")
        assert await meetings.get_meeting(conn, other.id) == other


async def test_pauses_and_what_was_said_between_them(store: Store) -> None:
    async with store.write() as conn:
        id, other = (await made(conn)).id, (await made(conn, "Autre")).id
        assert not await meetings.end_span(conn, id, at(5))
        assert await meetings.begin_span(conn, id, at(10))
        assert not await meetings.begin_span(conn, id, at(11))
        assert await meetings.begin_span(conn, other, at(10))
        assert await meetings.end_span(conn, id, at(20))
        assert not await meetings.end_span(conn, id, at(21))
        assert await meetings.begin_span(conn, id, at(30))
        assert await meetings.list_spans(conn, id) == [
            MeetingSpan(meeting_id=id, started_at=at(10), ended_at=at(20)),
            MeetingSpan(meeting_id=id, started_at=at(30)),
        ]
        said = {
            second: await made_post(conn, content_hash=str(second), said_at=at(second), side=side)
            for second, side in ((9, "room"), (10, "room"), (15, "list"), (19, "room"), (20, "room"))
        }
        await made_post(conn, content_hash="caché", said_at=at(12), state="hidden")
        await made_post(conn, content_hash="ailleurs", said_at=at(12), link=OTHER)
        found = await meetings.list_posts_between(conn, A, LINK, started_at=at(10), ended_at=at(20))
        assert [post.id for post in found] == [said[10], said[15], said[19]]
        few = await meetings.list_posts_between(conn, A, LINK, started_at=at(10), ended_at=at(20), limit=1)
        assert [post.id for post in few] == [said[10]]


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_one_span_at_a_time_however_many_begin_it(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True)]
    async with store.write() as conn:
        id = (await made(conn)).id

    async def begin(n: int) -> bool:
        async with stores[n % 2].write(durable=False) as conn:
            return await meetings.begin_span(conn, id, at(n))

    assert sorted(await asyncio.gather(*(begin(n) for n in range(10)))) == [False] * 9 + [True]


def step(id: MeetingId, name: Step, seconds: float, **other: Any) -> MeetingStep:
    return MeetingStep(meeting_id=id, step=name, due_at=at(seconds), **other)


async def test_each_step_is_done_once(store: Store) -> None:
    async with store.write() as conn:
        id, other = (await made(conn)).id, (await made(conn, "Autre")).id
        await meeting_steps.put_steps(
            conn, [step(id, "call", 0, skipped="off"), step(id, "convocation", 10), step(id, "reminder", 20)]
        )
        await meeting_steps.put_steps(conn, [step(other, "convocation", 5)])
        assert await meeting_steps.next_step_at(conn) == at(5)
        due = await meeting_steps.list_due_steps(conn, at(10))
        assert [(s.meeting_id, s.step) for s in due] == [(other, "convocation"), (id, "convocation")]
        assert await meeting_steps.mark_step_done(conn, id, "convocation", at(11))
        assert not await meeting_steps.mark_step_done(conn, id, "convocation", at(12))
        assert not await meeting_steps.mark_step_done(conn, id, "call", at(12))
        assert not await meeting_steps.mark_step_done(conn, id, "draft", at(12))
        assert await meeting_steps.skip_step(conn, other, "convocation", "cancelled")
        assert not await meeting_steps.skip_step(conn, other, "convocation", "off")
        assert not await meeting_steps.skip_step(conn, id, "convocation", "off")
        assert await meeting_steps.next_step_at(conn) == at(20)
        assert await meeting_steps.list_due_steps(conn, at(10)) == []
        assert await meeting_steps.list_steps(conn, id) == [
            step(id, "call", 0, skipped="off"),
            step(id, "convocation", 10, done_at=at(11)),
            step(id, "reminder", 20),
        ]


async def test_a_meeting_that_moves_has_its_steps_moved(store: Store) -> None:
    """What is done stays done; what was left out may make sense again."""
    async with store.write() as conn:
        id = (await made(conn)).id
        await meeting_steps.put_steps(
            conn, [step(id, "call", 0), step(id, "convocation", 10), step(id, "reminder", 20, skipped="too_late")]
        )
        await meeting_steps.mark_step_done(conn, id, "call", at(1))
        moved = [step(id, "call", 100), step(id, "convocation", 110), step(id, "reminder", 120)]
        await meeting_steps.put_steps(conn, moved)
        assert await meeting_steps.list_steps(conn, id) == [step(id, "call", 0, done_at=at(1)), *moved[1:]]
        assert await meeting_steps.skip_steps(conn, id, "cancelled") == 2
        assert await meeting_steps.skip_steps(conn, id, "cancelled") == 0
        assert await meeting_steps.next_step_at(conn) is None


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_of_several_daemons_one_does_a_step(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True), await open_store(exclusive=True)]
    async with store.write() as conn:
        id = (await made(conn)).id
        await meeting_steps.put_steps(conn, [step(id, "convocation", 0)])

    async def do(n: int) -> bool:
        async with stores[n % 3].write(durable=False) as conn:
            return await meeting_steps.mark_step_done(conn, id, "convocation", NOW)

    assert sorted(await asyncio.gather(*(do(n) for n in range(12)))) == [False] * 11 + [True]
