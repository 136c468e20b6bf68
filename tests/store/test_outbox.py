"""What leaves: inserted once, moved only as its states allow, found by every key."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EventId, LinkName, MessageId, OutboxId
from passerelle.errors import StoreError
from passerelle.store import outbox
from passerelle.store.blobs import get_blob
from passerelle.store.engine import Store
from tests.store.made import NOW, A, at, made_post, outbox_row

ONE = OutboxId(1)


async def test_a_row_is_inserted_once(store: Store) -> None:
    async with store.write() as conn:
        new = outbox_row("k", content={"body": "é"}, ghost={"localpart": "x", "display_name": "Léa"})
        id = await outbox.insert_outbox(conn, new, raw=b"Subject: x", upload=b"\x89PNG")
        assert id is not None
        assert await outbox.insert_outbox(conn, new) is None
        row = await outbox.get_outbox(conn, id)
        assert row.raw_hash is not None
        assert row.upload_hash is not None
        assert await get_blob(conn, row.raw_hash) == b"Subject: x"
        assert await get_blob(conn, row.upload_hash) == b"\x89PNG"
    assert row.content == {"body": "é"}
    assert row.ghost == {"localpart": "x", "display_name": "Léa"}
    assert (row.state, row.attempts, row.uploaded, row.event_id) == ("waiting", 0, None, None)


Move = Callable[[AsyncConnection], Awaitable[bool]]
MOVES: dict[str, Move] = {
    "sending": lambda conn: outbox.mark_sending(conn, ONE),
    "sent": lambda conn: outbox.mark_sent(conn, ONE, at(1), event_id=EventId("$e")),
    "waiting": lambda conn: outbox.mark_waiting(conn, ONE, at(60), "450"),
    "failed": lambda conn: outbox.mark_failed(conn, ONE, at(1), "550"),
    "unknown": lambda conn: outbox.mark_unknown(conn, ONE, at(1), "silence"),
    "cancelled": lambda conn: outbox.cancel_outbox(conn, ONE, "stopped"),
}
ALLOWED = {
    "waiting": {"sending", "sent", "waiting", "failed", "unknown", "cancelled"},
    "sending": {"sent", "waiting", "failed", "unknown"},
    "unknown": {"sent", "waiting", "failed"},
    "failed": {"sent"},
    "sent": set(),
    "cancelled": set(),
}


@pytest.mark.parametrize("to_state", MOVES)
@pytest.mark.parametrize("from_state", ALLOWED)
async def test_a_row_moves_as_its_states_allow(store: Store, from_state: str, to_state: str) -> None:
    async with store.write() as conn:
        await outbox.insert_outbox(conn, outbox_row("k"))
        assert from_state == "waiting" or await MOVES[from_state](conn)
        before = await outbox.get_outbox(conn, ONE)
        assert before.state == from_state
        assert await MOVES[to_state](conn) is (to_state in ALLOWED[from_state])
        after = await outbox.get_outbox(conn, ONE)
    assert after.state == to_state if to_state in ALLOWED[from_state] else after == before


async def test_what_a_move_notes(store: Store) -> None:
    async with store.write() as conn:
        await outbox.insert_outbox(conn, outbox_row("k"))
        await outbox.mark_waiting(conn, ONE, at(60), "450 later")
        row = await outbox.get_outbox(conn, ONE)
        assert (row.due_at, row.last_error) == (at(60), "450 later")
        await outbox.mark_uploaded(conn, ONE, {"url": "mxc://x/y"})
        await outbox.mark_sent(conn, ONE, at(61), event_id=EventId("$e"))
        row = await outbox.get_outbox(conn, ONE)
        assert (row.sent_at, row.event_id, row.last_error, row.uploaded) == (at(61), "$e", "", {"url": "mxc://x/y"})
        await outbox.mark_echoed(conn, ONE, at(62))
        await outbox.mark_echoed(conn, ONE, at(63))
        row = await outbox.get_outbox(conn, ONE)
        assert (row.state, row.sent_at, row.echoed_at) == ("sent", at(61), at(62))


@pytest.mark.parametrize("state", ["waiting", "sending", "unknown", "failed"])
async def test_an_echo_proves_that_it_was_sent(store: Store, state: str) -> None:
    async with store.write() as conn:
        await outbox.insert_outbox(conn, outbox_row("k"))
        assert state == "waiting" or await MOVES[state](conn)
        await outbox.mark_echoed(conn, ONE, at(5))
        row = await outbox.get_outbox(conn, ONE)
        assert (row.state, row.sent_at, row.echoed_at) == ("sent", at(5), at(5))
        assert not await outbox.mark_waiting(conn, ONE, at(6), "too late")


async def test_a_human_retries(store: Store) -> None:
    async with store.write() as conn:
        await outbox.insert_outbox(conn, outbox_row("k"))
        await outbox.mark_failed(conn, ONE, at(1), "550")
        await outbox.set_failure_told(conn, ONE, at(2))
        assert await outbox.retry_outbox(conn, ONE, at(9000))
        row = await outbox.get_outbox(conn, ONE)
        assert (row.state, row.due_at, row.failure_told_at) == ("waiting", at(9000), None)
        assert row.give_up_at == at(9000 + 24 * 3600)
        await outbox.mark_sent(conn, ONE, at(9001))
        assert not await outbox.retry_outbox(conn, ONE, at(9002))


async def test_a_row_is_found_by_each_of_its_names(store: Store) -> None:
    async with store.write() as conn:
        post = await made_post(conn)
        mail = outbox_row("k", message_id=MessageId("m@x"), post_id=post)
        id = await outbox.insert_outbox(conn, mail)
        await outbox.insert_outbox(conn, outbox_row("other"))
        for found in (
            await outbox.find_outbox_by_message_id(conn, MessageId("m@x")),
            await outbox.find_outbox_by_delivery_key(conn, "d-k"),
            await outbox.find_outbox_by_unique_key(conn, "k"),
            await outbox.find_outbox(conn, OutboxId(1)),
        ):
            assert found is not None
            assert found.id == id
        assert [row.id for row in await outbox.list_outbox_of_post(conn, post)] == [id]
        assert await outbox.find_outbox_by_message_id(conn, MessageId("")) is None
        assert await outbox.find_outbox_by_message_id(conn, MessageId("other@x")) is None
        assert await outbox.find_outbox_by_delivery_key(conn, "") is None
        with pytest.raises(StoreError, match="no outbox row 99"):
            await outbox.get_outbox(conn, OutboxId(99))


async def test_lists_counts_and_what_a_human_must_know(store: Store) -> None:
    states = ["waiting", "waiting", "sending", "sent", "failed", "unknown", "cancelled"]
    async with store.write() as conn:
        for number, state in enumerate(states, start=1):
            other: dict[str, Any] = {"link": LinkName("autre")} if number == 2 else {}
            await outbox.insert_outbox(conn, outbox_row(str(number), **other))
            id = OutboxId(number)
            if state == "sending":
                await outbox.mark_sending(conn, id)
            elif state == "sent":
                await outbox.mark_sent(conn, id, at(50))
            elif state == "failed":
                await outbox.mark_failed(conn, id, at(1), "550")
            elif state == "unknown":
                await outbox.mark_unknown(conn, id, at(1), "silence", due_at=at(100))
            elif state == "cancelled":
                await outbox.cancel_outbox(conn, id, "stopped")
        for state in set(states):
            listed = await outbox.list_outbox(conn, state=state, limit=9)  # type: ignore[arg-type]
            assert [row.id for row in listed] == [n for n, s in enumerate(states, start=1) if s == state]
        assert [row.id for row in await outbox.list_outbox(conn, limit=2)] == [6, 7]
        assert [row.id for row in await outbox.find_sending(conn)] == [3]
        assert [row.id for row in await outbox.find_untold_failures(conn)] == [5]
        assert await outbox.find_stale_unknown(conn, at(99)) == []
        assert [row.id for row in await outbox.find_stale_unknown(conn, at(100))] == [6]
        await outbox.set_failure_told(conn, OutboxId(5), NOW)
        await outbox.set_failure_told(conn, OutboxId(6), NOW)
        assert await outbox.find_untold_failures(conn) == []
        assert await outbox.find_stale_unknown(conn, at(100)) == []
        assert await outbox.count_outbox_by_state(conn) == {"waiting": 2, "sending": 1, "failed": 1, "unknown": 1}
        of_link = await outbox.count_outbox_by_state(conn, A, LinkName("autre"))
        assert of_link == {"waiting": 1, "sending": 0, "failed": 0, "unknown": 0}
        assert sum((await outbox.count_outbox_by_state(conn, AssociationName("nobody"))).values()) == 0
        assert await outbox.count_sent_since(conn, "out:room:!a", "event", at(50)) == 1
        assert await outbox.count_sent_since(conn, "out:room:!a", "event", at(51)) == 0
        assert await outbox.count_sent_since(conn, "out:room:!a", "email", at(50)) == 0
        assert await outbox.count_sent_since(conn, "out:room:!b", "event", at(50)) == 0
