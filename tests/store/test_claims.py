"""Many workers, several daemons: no row twice, the order within a lane kept, nobody starved, nothing lost."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from passerelle.core.ids import InboxId
from passerelle.store import inbox, lanes, outbox, outbox_watch
from passerelle.store.engine import Store
from tests.store.made import NOW, at, inbox_row, outbox_row


async def _fill_inbox(store: Store, *, rows: int, lanes_in_all: int) -> None:
    async with store.write() as conn:
        new = [inbox_row(str(n), f"in:comite/{n % lanes_in_all}") for n in range(rows)]
        assert await inbox.insert_inbox(conn, new, NOW) == rows


async def _work_off(stores: list[Store], *, workers: int, limit: int, rows: int) -> dict[str, list[int]]:
    """Have many workers claim, dawdle and finish; which ids each lane had done, in the order in which it was."""
    done: dict[str, list[int]] = defaultdict(list)
    held: set[str] = set()
    generator = random.Random(7)

    async def worker(store: Store, owner: str) -> None:
        while sum(map(len, done.values())) < rows:
            claimed = await inbox.claim_inbox(store, owner=owner, now=NOW, lease_seconds=600, limit=limit)
            if not claimed:
                await asyncio.sleep(0)
                continue
            lane = claimed[0].lane
            assert {row.lane for row in claimed} == {lane}
            assert lane not in held, "two hold one lane"
            held.add(lane)
            for row in claimed:
                for _ in range(generator.randrange(4)):
                    await asyncio.sleep(0)
                async with store.write(durable=False) as conn:
                    await inbox.finish_inbox(conn, row.id, NOW)
                done[lane].append(row.id)
            held.discard(lane)
            async with store.write(durable=False) as conn:
                await lanes.release_lane(conn, lane, owner)

    async with asyncio.timeout(120):
        await asyncio.gather(*(worker(stores[n % len(stores)], f"daemon-{n % len(stores)}") for n in range(workers)))
    return done


@pytest.mark.parametrize("limit", [1, 5])
async def test_workers_of_one_daemon(store: Store, limit: int) -> None:
    await _fill_inbox(store, rows=200, lanes_in_all=7)
    done = await _work_off([store], workers=10, limit=limit, rows=200)
    assert sum(map(len, done.values())) == 200
    assert all(ids == sorted(ids) and len(ids) == len(set(ids)) for ids in done.values())
    async with store.read() as conn:
        assert await inbox.count_inbox_waiting(conn) == 0
        assert {row.attempts for row in await inbox.list_inbox(conn, limit=1000)} == {1}


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_workers_of_three_daemons(store: Store, open_store: Callable[..., Any]) -> None:
    stores = [store, await open_store(exclusive=True), await open_store(exclusive=True)]
    await _fill_inbox(store, rows=300, lanes_in_all=9)
    done = await _work_off(stores, workers=15, limit=3, rows=300)
    assert sum(map(len, done.values())) == 300
    assert all(ids == sorted(ids) and len(ids) == len(set(ids)) for ids in done.values())


async def _claim(store: Store, **other: Any) -> list[Any]:
    values: dict[str, Any] = {"owner": "me", "now": NOW, "lease_seconds": 60, "limit": 10}
    return await outbox.claim_outbox(store, **(values | other))


async def _insert(store: Store, *rows: tuple[str, str, dict[str, Any]]) -> list[Any]:
    async with store.write() as conn:
        return [await outbox.insert_outbox(conn, outbox_row(key, lane, **other)) for key, lane, other in rows]


async def test_a_held_lane_is_left_alone_until_its_lease_ends(store: Store) -> None:
    await _insert(store, ("1", "out:a", {}))
    assert len(await _claim(store, owner="first")) == 1
    assert await _claim(store, owner="second", now=at(59)) == []
    (row,) = await _claim(store, owner="second", now=at(60))
    assert (row.attempts, row.first_tried_at) == (2, NOW)


async def test_rows_come_in_order_from_the_head_on(store: Store) -> None:
    ids = await _insert(
        store, ("1", "out:a", {}), ("2", "out:a", {}), ("3", "out:a", {"due_at": at(9)}), ("4", "out:a", {})
    )
    assert [row.id for row in await _claim(store)] == ids[:2]


async def test_a_head_that_is_not_due_keeps_its_lane_back_and_no_other(store: Store) -> None:
    ids = await _insert(store, ("1", "out:a", {"due_at": at(9)}), ("2", "out:a", {}), ("3", "out:b", {}))
    assert [row.id for row in await _claim(store)] == [ids[2]]
    assert await _claim(store) == []
    assert [row.id for row in await _claim(store, now=at(9))] == ids[:2]


async def test_a_head_whose_fate_is_open_keeps_its_lane_back(store: Store) -> None:
    ids = await _insert(store, ("1", "out:a", {}), ("2", "out:a", {}))
    await _claim(store, limit=1)
    async with store.write() as conn:
        assert await outbox.mark_sending(conn, ids[0])
        await lanes.release_lane(conn, "out:a", "me")
    assert await _claim(store) == []
    async with store.write() as conn:
        await outbox.mark_sent(conn, ids[0], NOW)
    assert [row.id for row in await _claim(store)] == [ids[1]]


async def test_excluded_lanes_are_not_looked_at(store: Store) -> None:
    ids = await _insert(store, ("1", "out:a", {}), ("2", "out:b", {}))
    assert [r.id for r in await _claim(store, exclude_lanes=frozenset({"out:a"}))] == [ids[1]]
    assert await _claim(store, exclude_lanes=frozenset({"out:a"})) == []


async def test_who_lost_the_lane_begins_to_send_nothing(store: Store) -> None:
    (id,) = await _insert(store, ("1", "out:a", {}))
    await _claim(store, owner="first")
    await _claim(store, owner="second", now=at(60))
    async with store.write() as conn:
        assert not await outbox.mark_sending(conn, id, owner="first")
        assert (await outbox.get_outbox(conn, id)).state == "waiting"
        assert await outbox.mark_sending(conn, id, owner="second")
        assert not await outbox.mark_sending(conn, id, owner="second")


async def test_a_sending_is_interrupted_once_nobody_holds_its_lane(store: Store) -> None:
    """Not while another daemon is at it: its lease says so."""
    first, _, given_back = await _insert(store, ("1", "out:a", {}), ("2", "out:a", {}), ("3", "out:b", {}))
    async with store.read() as conn:
        assert await outbox_watch.next_interrupted_at(conn) is None
    await _claim(store, owner="dead")
    await _claim(store, owner="alive")
    async with store.write() as conn:
        assert await outbox.mark_sending(conn, first, owner="dead")
        assert [row.id for row in await outbox_watch.find_interrupted(conn, at(59), "alive")] == []
        assert [row.id for row in await outbox_watch.find_interrupted(conn, at(59), "dead")] == [first]
        assert await outbox_watch.next_interrupted_at(conn) == at(60)
        assert [row.id for row in await outbox_watch.find_interrupted(conn, at(60), "alive")] == [first]
        assert await outbox.mark_sending(conn, given_back, owner="alive")
        assert await lanes.release_lane(conn, "out:b", "alive")
        assert [row.id for row in await outbox_watch.find_interrupted(conn, at(1), "x")] == [given_back]
        assert (await outbox_watch.next_interrupted_at(conn) or NOW) < NOW
        assert await lanes.renew_lane(conn, "out:a", "dead", at(120))
        assert [row.id for row in await outbox_watch.find_interrupted(conn, at(61), "x")] == [given_back]


async def test_lanes_take_turns(store: Store) -> None:
    """A long backlog in one room keeps no other room waiting: who was served longest ago comes first."""
    await _insert(store, *[(f"a{n}", "out:a", {}) for n in range(20)], ("b", "out:b", {}), ("c", "out:c", {}))
    served = []
    for turn in range(4):
        (row,) = await _claim(store, limit=1, now=at(turn))
        served.append(row.lane)
        async with store.write() as conn:
            await outbox.mark_sent(conn, row.id, at(turn))
            await lanes.release_lane(conn, row.lane, "me")
    assert served == ["out:a", "out:b", "out:c", "out:a"]


async def test_the_attempt_is_counted_with_its_device(store: Store) -> None:
    await _insert(store, ("1", "out:a", {}), ("2", "out:a", {"kind": "email"}))
    event, mail = await _claim(store, device_id="ONE")
    assert (event.attempts, event.first_tried_at, event.first_device_id) == (1, NOW, "ONE")
    assert (mail.attempts, mail.first_tried_at, mail.first_device_id) == (1, NOW, None)
    async with store.write() as conn:
        await lanes.release_lane(conn, "out:a", "me")
    event, _ = await _claim(store, device_id="TWO", now=at(5))
    assert (event.attempts, event.first_tried_at, event.first_device_id) == (2, NOW, "ONE")
    async with store.write() as conn:
        await outbox.uncount_attempts(conn, [event.id])
        assert (await outbox.get_outbox(conn, event.id)).first_device_id == "ONE"
        await outbox.uncount_attempts(conn, [event.id])
        row = await outbox.get_outbox(conn, event.id)
    assert (row.attempts, row.first_tried_at, row.first_device_id) == (0, None, None)


async def test_a_claim_wakes_nobody(store: Store) -> None:
    await _insert(store, ("1", "out:a", {}))
    told: list[int] = []
    store.on_commit(lambda: told.append(1))
    assert len(await _claim(store)) == 1
    assert await _claim(store) == []
    assert told == []


async def test_when_to_look_again(store: Store) -> None:
    async with store.read() as conn:
        assert await outbox.next_due_at(conn) is None
    ids = await _insert(store, ("1", "out:a", {"due_at": at(30)}), ("2", "out:a", {}), ("3", "out:b", {}))
    async with store.read() as conn:
        assert await outbox.next_due_at(conn) == NOW
    await _claim(store)
    async with store.read() as conn:
        assert await outbox.next_due_at(conn) == at(30)
    async with store.write() as conn:
        await outbox.mark_sent(conn, ids[2], NOW)
        await outbox.mark_waiting(conn, ids[0], at(90), "later")
        await lanes.release_lane(conn, "out:b", "me")
        assert await outbox.next_due_at(conn) == at(90)


async def test_leases_of_the_inbox_and_next_due(store: Store) -> None:
    await _fill_inbox(store, rows=3, lanes_in_all=1)
    claimed = await inbox.claim_inbox(store, owner="me", now=NOW, lease_seconds=60, limit=2)
    assert [row.id for row in claimed] == [1, 2]
    async with store.write() as conn:
        assert await inbox.next_due_at(conn) == at(60)  # held until then
        await inbox.postpone_inbox(conn, InboxId(1), at(20), "homeserver silent")
        await inbox.release_lane(conn, claimed[0].lane, "me")
        assert await inbox.next_due_at(conn) == at(20)
    assert await inbox.claim_inbox(store, owner="me", now=at(19), lease_seconds=60, limit=2) == []
    again = await inbox.claim_inbox(store, owner="me", now=at(20), lease_seconds=60, limit=9)
    assert [(row.id, row.attempts, row.reason) for row in again] == [
        (1, 2, "homeserver silent"),
        (2, 2, ""),
        (3, 1, ""),
    ]


async def test_a_lease(store: Store) -> None:
    async with store.write() as conn:
        assert await lanes.take_lane(conn, "x", "one", NOW, at(10))
        assert not await lanes.take_lane(conn, "x", "two", at(9), at(20))
        assert await lanes.renew_lane(conn, "x", "one", at(30))
        assert not await lanes.take_lane(conn, "x", "two", at(10), at(20))
        assert await lanes.take_lane(conn, "x", "two", at(30), at(40))
        assert not await lanes.renew_lane(conn, "x", "one", at(50))
        await lanes.release_lanes_of(conn, "one")
        assert not await lanes.take_lane(conn, "x", "one", at(31), at(50))
        await lanes.release_lanes_of(conn, "two")
        assert await lanes.take_lane(conn, "x", "one", at(31), at(50))
        await lanes.delete_old_lanes(conn, at(99))
        assert not await lanes.take_lane(conn, "x", "two", at(32), at(50))  # held lanes are not forgotten
        assert not await lanes.release_lane(conn, "x", "two")  # it is not theirs
        assert await lanes.release_lane(conn, "x", "one")
        await lanes.delete_old_lanes(conn, at(99))
        assert await lanes.take_one_lane(conn, ["x", "y"], owner="two", now=NOW, until=at(1)) == "x"
        assert await lanes.take_one_lane(conn, ["x", "y"], owner="two", now=NOW, until=at(1)) == "y"
        assert await lanes.take_one_lane(conn, ["x", "y"], owner="two", now=NOW, until=at(1)) is None
        assert await lanes.take_one_lane(conn, [], owner="two", now=NOW, until=at(1)) is None
