"""Questions that were asked back: answered once, passed to coordinators once; on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AskId
from passerelle.core.register_model import Ask
from passerelle.store import asks
from passerelle.store.engine import Store
from tests.store.made import NOW, at
from tests.store.made_secretary import made_person, new_ask


async def made(conn: AsyncConnection, **other: Any) -> Ask:
    return await asks.insert_ask(conn, new_ask(**other))


async def test_a_question_comes_back_as_it_was_asked(store: Store) -> None:
    async with store.write() as conn:
        new = new_ask(person_id=await made_person(conn, "Léa"), about={"entry": 3, "candidates": ["é", None]})
        noted = await asks.insert_ask(conn, new)
    async with store.read() as conn:
        assert await asks.find_ask(conn, noted.id) == noted
        assert await asks.find_ask(conn, AskId(9)) is None
    assert {name: getattr(noted, name) for name in new.__dataclass_fields__} == {
        name: getattr(new, name) for name in new.__dataclass_fields__
    }
    assert (noted.answer, noted.answered_at, noted.escalated_at) == ("", None, None)


async def test_what_a_person_was_asked(store: Store) -> None:
    async with store.write() as conn:
        lea, paul = await made_person(conn, "Léa"), await made_person(conn, "Paul")
        first, second = await made(conn, person_id=lea), await made(conn, person_id=lea, kind="who")
        await made(conn, person_id=paul)
        await made(conn)
        assert await asks.list_open_asks(conn, lea) == [first, second]
        assert await asks.answer_ask(conn, first.id, "12", at(1))
        assert not await asks.answer_ask(conn, first.id, "19", at(2))
        assert await asks.list_open_asks(conn, lea) == [second]
        found = await asks.find_ask(conn, first.id)
        assert found is not None
        assert (found.answer, found.answered_at) == ("12", at(1))


async def test_coordinators_are_asked_once_where_nobody_answers(store: Store) -> None:
    async with store.write() as conn:
        assert await asks.next_escalation_at(conn) is None
        late, soon = await made(conn, escalate_at=at(20)), await made(conn, escalate_at=at(10))
        answered = await made(conn, escalate_at=at(5))
        await asks.answer_ask(conn, answered.id, "oui", at(1))
        assert await asks.next_escalation_at(conn) == at(10)
        assert await asks.list_asks_to_escalate(conn, at(9)) == []
        assert await asks.list_asks_to_escalate(conn, at(20)) == [soon, late]
        assert await asks.set_escalated(conn, soon.id, at(20))
        assert not await asks.set_escalated(conn, soon.id, at(21))
        assert not await asks.set_escalated(conn, answered.id, at(21))
        assert await asks.next_escalation_at(conn) == at(20)
        # Whoever was asked first may still answer.
        assert await asks.answer_ask(conn, soon.id, "oui", at(30))


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_of_several_answers_one_counts(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True)]
    async with store.write() as conn:
        id = (await made(conn)).id

    async def answer(n: int) -> bool:
        async with stores[n % 2].write(durable=False) as conn:
            return await asks.answer_ask(conn, id, str(n), NOW)

    assert sorted(await asyncio.gather(*(answer(n) for n in range(10)))) == [False] * 9 + [True]
