"""Entries of the register: numbers, sources, changes and moves, on both databases."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, time
from typing import Any

import pytest

from passerelle.core.ids import AssociationName, EntryId, MeetingId
from passerelle.core.register_model import NamedPerson, NewEntryChange, NewObjection
from passerelle.errors import StoreError
from passerelle.store import register, register_history
from passerelle.store.engine import Store
from passerelle.store.meetings import insert_meeting
from tests.store.made import NOW, A, at, made_post
from tests.store.made_secretary import made_entry, made_person, new_entry, new_meeting

ROUBAIX = AssociationName("roubaix")


async def test_an_entry_comes_back_as_it_was_noted(store: Store) -> None:
    async with store.write() as conn:
        annie, source = await made_person(conn, "Annie"), await made_post(conn)
        reply = await made_post(conn, content_hash="c2", side="room")
        meeting = (await insert_meeting(conn, new_meeting())).id
        new = new_entry(
            "prêter le vidéoprojecteur",
            "loan",
            label="Vidéoprojecteur",
            quantity=1,
            due_on=date(2026, 3, 3),
            due_at=time(18, 30),
            until_on=date(2026, 3, 4),
            until_at=time(9, 0),
            author_name="Annie",
            author_person_id=annie,
            said_for="Mme Haddad",
            post_id=source,
            meeting_id=meeting,
            announce_state="wanted",
        )
        people = [NamedPerson(name="Karim"), NamedPerson(name="Annie", person_id=annie)]
        noted = await register.insert_entry(conn, new, people, [(reply, "mark")])
    async with store.read() as conn:
        found = await register.find_entry(conn, noted.id)
        assert found == noted == await register.find_entry_by_number(conn, A, 1)
        assert await register.find_entry_by_number(conn, ROUBAIX, 1) is None
        assert {name: getattr(noted, name) for name in new.__dataclass_fields__} == {
            name: getattr(new, name) for name in new.__dataclass_fields__
        }
        assert (noted.number, noted.told_at, noted.open_until, noted.replaced_by) == (1, None, None, None)
        assert (noted.review_on, noted.reminded_at, noted.changed_at) == (None, None, NOW)
        assert await register.list_entry_people(conn, [noted.id]) == {noted.id: tuple(people)}
        sources = (await register.list_entry_sources(conn, [noted.id]))[noted.id]
        assert [(s.post_id, s.role, s.side, s.state) for s in sources] == [
            (source, "source", "list", "accepted"),
            (reply, "mark", "room", "accepted"),
        ]


async def test_what_is_not_there_is_not_found(store: Store) -> None:
    async with store.read() as conn:
        assert await register.find_entry(conn, EntryId(7)) is None
        with pytest.raises(StoreError, match="no entry 7"):
            await register.get_entry(conn, EntryId(7))
        assert await register.list_entry_people(conn, []) == {}
        assert await register.list_entry_sources(conn, []) == {}


async def test_numbers_are_counted_in_each_association(store: Store) -> None:
    async with store.write() as conn:
        numbers = [(await made_entry(conn)).number for _ in range(3)]
        other = await made_entry(conn, association=ROUBAIX)
    assert (numbers, other.number) == ([1, 2, 3], 1)


async def test_a_number_is_given_again_only_where_it_was_not_given(store: Store) -> None:
    async with store.write() as conn:
        await made_entry(conn)
    with suppress(ZeroDivisionError):
        async with store.write() as conn:
            await made_entry(conn)
            raise ZeroDivisionError
    async with store.write() as conn:
        assert (await made_entry(conn)).number == 2


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_several_daemons_give_no_number_twice(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True), await open_store(exclusive=True)]

    async def note(which: Store) -> int:
        async with which.write(durable=False) as conn:
            return (await made_entry(conn)).number

    numbers = await asyncio.gather(*(note(stores[n % 3]) for n in range(60)))
    assert sorted(numbers) == list(range(1, 61))


async def test_a_move_is_made_from_the_state_that_it_starts_from(store: Store) -> None:
    async with store.write() as conn:
        id = (await made_entry(conn)).id
        assert await register.move_entry(conn, id, before_state="proposed", after_state="adopted", now=at(5))
        assert not await register.move_entry(conn, id, before_state="proposed", after_state="dropped", now=at(6))
        found = await register.get_entry(conn, id)
    assert (found.state, found.changed_at) == ("adopted", at(5))


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_of_several_at_once_one_moves_it(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True), await open_store(exclusive=True)]
    async with store.write() as conn:
        id = (await made_entry(conn, kind="action")).id

    async def finish(which: Store) -> bool:
        async with which.write(durable=False) as conn:
            return await register.move_entry(conn, id, before_state="open", after_state="done", now=NOW)

    moved = await asyncio.gather(*(finish(stores[n % 3]) for n in range(12)))
    assert sorted(moved) == [False] * 11 + [True]


async def test_what_is_said_of_an_entry_afterwards(store: Store) -> None:
    async with store.write() as conn:
        one, other = await made_entry(conn), await made_entry(conn)
        meeting = (await insert_meeting(conn, new_meeting())).id
        await register.set_entry_due(conn, one.id, at(1), due_on=date(2026, 4, 1), due_at=time(8, 15))
        await register.set_entry_text(conn, one.id, "Élire un trésorier", at(2))
        await register.set_replaced_by(conn, one.id, other.id, at(3))
        await register.set_review_on(conn, one.id, date(2027, 1, 1), at(4))
        await register.set_entry_meeting(conn, one.id, meeting, at(5))
        await register.set_reminded(conn, [one.id], at(6))
        found, untouched = await register.get_entry(conn, one.id), await register.get_entry(conn, other.id)
    assert (found.due_on, found.due_at, found.until_on, found.until_at) == (date(2026, 4, 1), time(8, 15), None, None)
    assert (found.text, found.replaced_by, found.review_on) == ("Élire un trésorier", other.id, date(2027, 1, 1))
    assert (found.meeting_id, found.reminded_at, found.changed_at) == (meeting, at(6), at(5))
    assert untouched == other


async def test_a_carried_entry_may_leave_its_meeting(store: Store) -> None:
    async with store.write() as conn:
        meeting = (await insert_meeting(conn, new_meeting())).id
        one = await made_entry(conn, kind="agenda", meeting_id=meeting)
        await register.set_entry_meeting(conn, one.id, None, at(1))
        assert (await register.get_entry(conn, one.id)).meeting_id is None
        await register.set_entry_meeting(conn, one.id, MeetingId(meeting), at(1))
        assert (await register.get_entry(conn, one.id)).meeting_id == meeting


async def test_the_people_of_an_entry_are_exchanged(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        id = (await made_entry(conn, people=[NamedPerson(name="Paul"), NamedPerson(name="Annie")])).id
        await register.set_entry_people(conn, id, [NamedPerson(name="Léa", person_id=lea)])
        assert await register.list_entry_people(conn, [id]) == {id: (NamedPerson(name="Léa", person_id=lea),)}
        await register.set_entry_people(conn, id, [])
        assert await register.list_entry_people(conn, [id]) == {}


async def test_entries_of_a_post(store: Store) -> None:
    async with store.write() as conn:
        post, answer = await made_post(conn), await made_post(conn, content_hash="c2")
        first = await made_entry(conn, post_id=post)
        second = await made_entry(conn, kind="action", sources=[(post, "mark")])
        await register.add_entry_source(conn, first.id, answer, "answer")
        await register.add_entry_source(conn, first.id, post, "answer")
        assert [e.id for e in await register.find_entries_of_post(conn, post)] == [first.id, second.id]
        assert await register.find_entries_of_post(conn, answer) == []
        assert [e.id for e in await register.find_entries_of_post(conn, answer, roles=["answer"])] == [first.id]
        assert [e.id for e in await register.find_entries_of_post(conn, post, roles=["source"])] == [first.id]


async def test_the_history_is_read_in_its_order(store: Store) -> None:
    async with store.write() as conn:
        annie, post = await made_person(conn, "Annie"), await made_post(conn)
        id, other = (await made_entry(conn)).id, (await made_entry(conn)).id
        adopted = NewEntryChange(
            entry_id=id, at=at(9), move="adopt", by_name="Annie", by_person_id=annie, medium="mail",
            before_state="proposed", after_state="adopted", detail="vu en réunion", post_id=post,
        )  # fmt: skip
        ids = [
            await register_history.insert_entry_change(conn, adopted),
            await register_history.insert_entry_change(conn, NewEntryChange(entry_id=id, at=at(1), move="told")),
        ]
        await register_history.insert_entry_change(conn, NewEntryChange(entry_id=other, at=at(2), move="noted"))
        changes = await register_history.list_entry_changes(conn, id)
    assert [change.id for change in changes] == ids
    assert {name: getattr(changes[0], name) for name in adopted.__dataclass_fields__} == {
        name: getattr(adopted, name) for name in adopted.__dataclass_fields__
    }


def objection(entry_id: EntryId, name: str, person_id: int | None = None, **other: Any) -> NewObjection:
    values: dict[str, Any] = {"entry_id": entry_id, "person_id": person_id, "name": name, "at": NOW, "medium": "mail"}
    return NewObjection(**(values | other))


async def test_objections_stand_until_they_are_withdrawn_or_settled(store: Store) -> None:
    async with store.write() as conn:
        annie, paul = await made_person(conn, "Annie"), await made_person(conn, "Paul")
        id, other = (await made_entry(conn)).id, (await made_entry(conn)).id
        for new in (
            objection(id, "Annie", annie, reason="trop cher"),
            objection(id, "Paul", paul),
            objection(id, "Mme Haddad", passed_on_by="Karim"),
            objection(id, "Annie", annie),
            objection(other, "Annie", annie),
        ):
            await register_history.insert_objection(conn, new)
        assert await register_history.count_standing_objections(conn, [id, other]) == {id: 4, other: 1}
        withdrawn = await register_history.withdraw_objections(conn, id, person_id=annie, name="", now=at(1))
        assert withdrawn == 2
        assert await register_history.withdraw_objections(conn, id, person_id=annie, name="", now=at(2)) == 0
        assert await register_history.withdraw_objections(conn, id, person_id=None, name="Paul", now=at(2)) == 0
        assert await register_history.withdraw_objections(conn, id, person_id=None, name="mme  HADDAD", now=at(3)) == 1
        assert await register_history.settle_objections(conn, id, at(4)) == 1
        assert await register_history.settle_objections(conn, id, at(5)) == 0
        found = await register_history.list_objections(conn, id)
        assert await register_history.count_standing_objections(conn, [id, other]) == {other: 1}
    assert [(o.name, o.withdrawn_at, o.settled_at) for o in found] == [
        ("Annie", at(1), None),
        ("Paul", None, at(4)),
        ("Mme Haddad", at(3), None),
        ("Annie", at(1), None),
    ]
    assert (found[0].reason, found[2].passed_on_by) == ("trop cher", "Karim")
    async with store.read() as conn:
        assert await register_history.count_standing_objections(conn, []) == {}
