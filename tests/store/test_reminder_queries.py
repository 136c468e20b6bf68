"""Reminders: each time once, whoever gets there first; on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, ReminderId
from passerelle.core.register_model import Reminder
from passerelle.store import reminders
from passerelle.store.engine import Store
from tests.store.made import LINK, NOW, A, at
from tests.store.made_secretary import OTHER, made_person, new_reminder

ROUBAIX = AssociationName("roubaix")


async def made(conn: AsyncConnection, **other: Any) -> Reminder:
    return await reminders.insert_reminder(conn, new_reminder(**other))


async def test_a_reminder_comes_back_as_it_was_asked_for(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        await made(conn)
        new = new_reminder("relancer", target="person", person_id=lea, by_person_id=lea, rrule="FREQ=WEEKLY")
        noted = await reminders.insert_reminder(conn, new)
    async with store.read() as conn:
        assert await reminders.find_reminder(conn, noted.id) == noted
        assert await reminders.find_reminder_by_number(conn, A, 2) == noted
        assert await reminders.find_reminder_by_number(conn, ROUBAIX, 2) is None
        assert await reminders.find_reminder(conn, ReminderId(9)) is None
    assert {name: getattr(noted, name) for name in new.__dataclass_fields__} == {
        name: getattr(new, name) for name in new.__dataclass_fields__
    }
    assert (noted.number, noted.ended_at) == (2, None)


async def test_what_is_due_comes_in_its_order(store: Store) -> None:
    async with store.write() as conn:
        assert await reminders.next_reminder_at(conn) is None
        late, soon = await made(conn, next_at=at(20)), await made(conn, next_at=at(10))
        later = await made(conn, next_at=at(30), association=ROUBAIX)
        await made(conn, next_at=None)
        assert await reminders.next_reminder_at(conn) == at(10)
        assert await reminders.list_due_reminders(conn, at(9)) == []
        assert await reminders.list_due_reminders(conn, at(20)) == [soon, late]
        assert await reminders.list_due_reminders(conn, at(30)) == [soon, late, later]


async def test_each_time_is_made_once(store: Store) -> None:
    async with store.write() as conn:
        id = (await made(conn, next_at=at(10))).id
        assert await reminders.set_next(conn, id, previous=at(10), next_at=at(20), now=at(11))
        assert not await reminders.set_next(conn, id, previous=at(10), next_at=at(20), now=at(11))
        assert not await reminders.set_next(conn, id, previous=at(10), next_at=None, now=at(11))
        assert await reminders.set_next(conn, id, previous=at(20), next_at=None, now=at(21))
        found = await reminders.find_reminder(conn, id)
        assert found is not None
        assert (found.next_at, found.ended_at) == (None, at(21))
        assert not await reminders.set_next(conn, id, previous=at(20), next_at=at(30), now=at(31))
        assert await reminders.next_reminder_at(conn) is None


async def test_what_was_ended_is_made_no_more(store: Store) -> None:
    async with store.write() as conn:
        id = (await made(conn, next_at=at(10))).id
        assert await reminders.end_reminder(conn, id, at(5))
        assert not await reminders.end_reminder(conn, id, at(6))
        assert not await reminders.set_next(conn, id, previous=at(10), next_at=at(20), now=at(11))
        assert await reminders.list_due_reminders(conn, at(99)) == []


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_of_several_daemons_one_makes_it(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True), await open_store(exclusive=True)]
    async with store.write() as conn:
        id = (await made(conn, next_at=at(10))).id

    async def remind(n: int) -> bool:
        async with stores[n % 3].write(durable=False) as conn:
            return await reminders.set_next(conn, id, previous=at(10), next_at=at(20), now=NOW)

    assert sorted(await asyncio.gather(*(remind(n) for n in range(12)))) == [False] * 11 + [True]


async def test_whose_reminders(store: Store) -> None:
    async with store.write() as conn:
        lea, paul = await made_person(conn, "Léa"), await made_person(conn, "Paul")
        await made(conn, next_at=at(20), by_person_id=lea)
        await made(conn, next_at=at(10), link=OTHER)
        await made(conn, next_at=at(5), target="person", person_id=paul, by_person_id=lea)
        await made(conn, next_at=at(30), target="person", person_id=lea)
        await made(conn, next_at=None, by_person_id=lea)
        await made(conn, association=ROUBAIX)

        async def listed(**whose: Any) -> list[int]:
            return [one.number for one in await reminders.list_reminders(conn, A, **whose)]

        assert await listed() == [3, 2, 1, 4]
        assert await listed(links=[LINK]) == [1]
        assert await listed(links=[LINK, OTHER]) == [2, 1]
        assert await listed(links=[]) == []
        assert await listed(person_id=lea) == [3, 1, 4]
        assert await listed(person_id=paul) == [3]
