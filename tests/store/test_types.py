"""What is stored is what is read, on both databases, whatever it holds."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from passerelle.store.engine import Store
from passerelle.store.meta import find_meta, set_meta
from passerelle.store.outbox import get_outbox, insert_outbox
from passerelle.store.types import Instant
from tests.store.made import NOW, outbox_row

_INSTANT = Instant()


@given(st.datetimes(timezones=st.timezones()))
def test_an_instant_is_exact(value: datetime) -> None:
    stored = _INSTANT.process_bind_param(value, None)  # type: ignore[arg-type]
    assert _INSTANT.process_result_value(stored, None) == value.astimezone(UTC)  # type: ignore[arg-type]


async def test_an_instant_of_another_zone_is_the_same_instant(store: Store) -> None:
    paris = timezone(timedelta(hours=1))
    async with store.write() as conn:
        id = await insert_outbox(conn, outbox_row("k", due_at=NOW.astimezone(paris)))
        assert id is not None
        row = await get_outbox(conn, id)
    assert row.due_at == NOW
    assert row.due_at.tzinfo is UTC


async def test_a_naive_datetime_is_refused(store: Store) -> None:
    with pytest.raises(StatementError, match="naive"):
        async with store.write() as conn:
            await insert_outbox(conn, outbox_row("k", due_at=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\0b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("é€𝄞 \u202f!", "é€𝄞 \u202f!"),
        ("'; DROP TABLE meta; --", "'; DROP TABLE meta; --"),
        ("", ""),
    ],
)
async def test_words_never_stop_a_lane(store: Store, given: str, kept: str) -> None:
    async with store.write() as conn:
        await set_meta(conn, given, given)
        assert await find_meta(conn, given) == kept


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.dictionaries(st.text(), _JSON, max_size=4))
async def test_a_document_is_what_it_was(store: Store, content: dict[str, Any]) -> None:
    async with store.write() as conn:
        id = await insert_outbox(conn, outbox_row(str(uuid4()), content=content))
        assert id is not None
        assert (await get_outbox(conn, id)).content == content
