"""Digests: one subscription a person, each due time taken once, each digest made once; on both databases."""

from dataclasses import replace
from datetime import time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_model import NewDigest, ShownItem, Subscription
from passerelle.core.ids import AssociationName
from passerelle.store import digests
from passerelle.store.engine import Store
from tests.store.made import NOW, A, at
from tests.store.made_secretary import made_person

ROUBAIX = AssociationName("roubaix")


def subscription(person_id: int, **other: Any) -> Subscription:
    values: dict[str, Any] = {"kind": "member", "rhythm": "weekly", "changed_at": NOW, "next_at": at(10), **other}
    return Subscription(association=A, person_id=person_id, **values)


def new_digest(person_id: int | None, **other: Any) -> NewDigest:
    values: dict[str, Any] = {
        "association": A, "kind": "member", "person_id": person_id, "since": at(-60), "until": at(0),
        "document": {"schema": 1, "items": []}, "permalink": "abcdefgh2345", "made_at": NOW, **other,
    }  # fmt: skip
    return NewDigest(**values)


async def test_a_wish_comes_back_and_takes_the_place_of_the_last_one(store: Store) -> None:
    async with store.write() as conn:
        lea = await made_person(conn, "Léa")
        assert await digests.find_subscription(conn, A, lea) is None
        first = subscription(lea, weekdays=(0, 3), rhythm="days", at=time(18, 30), medium="room", whole=True)
        await digests.put_subscription(conn, first)
        assert await digests.find_subscription(conn, A, lea) == first
        second = subscription(lea, paused_until=at(90), told_until=at(-5))
        await digests.put_subscription(conn, second)
        assert await digests.list_subscriptions(conn, A) == [second] == await digests.list_subscriptions(conn)
        assert await digests.list_subscriptions(conn, ROUBAIX) == []
        await digests.end_subscription(conn, A, lea)
        assert await digests.find_subscription(conn, A, lea) is None


async def test_each_time_is_taken_once_whoever_is_first(store: Store) -> None:
    async with store.write() as conn:
        lea, karim, annie = [await made_person(conn, name) for name in ("Léa", "Karim", "Annie")]
        assert await digests.next_digest_at(conn) is None
        await digests.put_subscription(conn, subscription(lea, next_at=at(20)))
        await digests.put_subscription(conn, subscription(karim, next_at=at(10)))
        await digests.put_subscription(conn, subscription(annie, next_at=None, rhythm="off"))
        assert await digests.next_digest_at(conn) == at(10)
        assert [one.person_id for one in await digests.claim_due_subscriptions(conn, at(20), most=5)] == [karim, lea]
        assert [one.person_id for one in await digests.claim_due_subscriptions(conn, at(20), most=1)] == [karim]
        assert await digests.claim_due_subscriptions(conn, at(9), most=5) == []
        due = (await digests.claim_due_subscriptions(conn, at(10), most=5))[0]
        assert await digests.take_subscription(conn, due, next_at=at(30), told_until=at(10))
        assert not await digests.take_subscription(conn, due, next_at=at(40), told_until=at(10))
        taken = await digests.find_subscription(conn, A, karim)
        assert taken == replace(due, next_at=at(30), told_until=at(10))


async def test_what_one_daemon_claims_another_passes_over_while_that_lasts(store: Store) -> None:
    if store.dialect == "sqlite":
        return  # One daemon.
    async with store.write() as conn:
        people = [await made_person(conn, name) for name in ("Léa", "Karim", "Annie", "Nadia", "Paul")]
        for place, person_id in enumerate(people):
            await digests.put_subscription(conn, subscription(person_id, next_at=at(place)))

    async def claimed(conn: AsyncConnection, most: int) -> list[int]:
        return [one.person_id for one in await digests.claim_due_subscriptions(conn, at(60), most=most)]

    async with store.read() as first:
        assert await claimed(first, 2) == people[:2]
        async with store.read() as second:
            assert await claimed(second, 2) == people[2:4]
            async with store.read() as third:
                assert await claimed(third, 9) == people[4:]
        async with store.read() as fourth:
            assert await claimed(fourth, 9) == people[2:]
    async with store.read() as last:
        assert await claimed(last, 9) == people


async def test_a_digest_is_made_once_for_its_reader_and_time(store: Store) -> None:
    async with store.write() as conn:
        lea, karim = await made_person(conn, "Léa"), await made_person(conn, "Karim")
        made = await digests.insert_digest(conn, new_digest(lea))
        assert made is not None
        assert await digests.insert_digest(conn, new_digest(lea)) is None
        other = await digests.insert_digest(conn, new_digest(karim, permalink="bcdefgh23456"))
        later = await digests.insert_digest(conn, new_digest(lea, until=at(60), permalink="cdefgh234567"))
        assert other is not None
        assert later is not None
        assert await digests.find_digest(conn, A, "abcdefgh2345") == made
        assert await digests.find_digest(conn, ROUBAIX, "abcdefgh2345") is None
        assert await digests.list_digests(conn, A, person_id=lea, limit=5) == [later, made]
        assert await digests.list_digests(conn, A, limit=1) == [later]


async def test_a_link_s_summary_is_made_once_for_its_time(store: Store) -> None:
    async with store.write() as conn:
        assert await digests.last_chat_summary(conn, A, "bureau") is None
        of_chat = {"kind": "chat", "link": "bureau"}
        assert await digests.insert_digest(conn, new_digest(None, **of_chat)) is not None
        assert await digests.insert_digest(conn, new_digest(None, **of_chat)) is None
        assert await digests.insert_digest(conn, new_digest(None, kind="chat", link="jardin")) is not None
        assert await digests.last_chat_summary(conn, A, "bureau") == at(0)


async def test_what_was_shown_is_known_in_its_last_state(store: Store) -> None:
    async with store.write() as conn:
        lea, karim = await made_person(conn, "Léa"), await made_person(conn, "Karim")
        first = [ShownItem(item_key=key, state="open", shown_at=at(0)) for key in ("entry:1", "thread:2")]
        await digests.note_shown(conn, A, lea, first)
        again = ShownItem(item_key="entry:1", state="done", shown_at=at(60))
        await digests.note_shown(conn, A, lea, [again])
        await digests.note_shown(conn, A, karim, [])
        shown = await digests.list_shown(conn, A, lea)
        assert sorted(shown, key=lambda one: one.item_key) == [again, first[1]]
        assert await digests.list_shown(conn, A, karim) == []
