"""What the database refuses is said without the values of the statement: raw mails are among them."""

import traceback

import pytest
from sqlalchemy import text

from passerelle.errors import StoreError
from passerelle.store.engine import Store

SECRET = "le mot que personne ne doit lire"


async def test_an_error_prints_no_value_of_its_statement(store: Store) -> None:
    statement = text("INSERT INTO blob (hash, encoding, size_bytes, data) VALUES (:hash, :encoding, :size, :data)")
    values = {"hash": SECRET, "encoding": SECRET, "size": None, "data": SECRET.encode()}
    with pytest.raises(StoreError) as caught:
        async with store.write() as conn:
            await conn.execute(statement, values)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


async def test_a_fault_while_reading_prints_none_either(store: Store) -> None:
    with pytest.raises(StoreError) as caught:
        async with store.read() as conn:
            await conn.execute(text("SELECT nothing FROM nowhere WHERE nothing = :value"), {"value": SECRET})
    assert SECRET not in "".join(traceback.format_exception(caught.value))
