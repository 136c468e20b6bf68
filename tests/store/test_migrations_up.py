"""A store of an older revision, with rows in it, is brought to the newest one by the first start."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from lab.postgres import Postgres
from passerelle.core.ids import PostId
from passerelle.errors import StoreError
from passerelle.store.engine import Store
from passerelle.store.posts import get_post
from passerelle.store.register import find_entries_of_post, insert_entry
from passerelle.store.schema import alembic_config
from tests.store.made import NOW, A
from tests.store.made_secretary import new_entry

#: What stood in a store of revision 0001; in words of that revision, which never change.
_ROWS_OF_0001 = (
    "INSERT INTO person (id, association, name, created_at) VALUES (7, 'comite', 'Annie', 1000000)",
    """
    INSERT INTO thread (id, association, subject, created_at, stopped_reason)
    VALUES (3, 'comite', 'Fête', 1000000, '')
    """,
    """
    INSERT INTO post (id, association, link, side, message_id, content_hash, thread_id, author_name, person_id, subject,
        text, html, msgtype, said_at, accepted_at, state, flagged, origin, refs, permalink, index_state)
    VALUES (5, 'comite', 'liste', 'list', 'a@lab.test', 'c1', 3, 'Annie', 7, 'Fête', 'décision : louer la salle', '',
        'm.text', 2000000, 3000000, 'accepted', '', 'live', '', 'abcdefgh', 'waiting')
    """,
    """
    INSERT INTO outbox (id, unique_key, lane, kind, association, link, post_id, delivery_key, state, created_at, due_at,
        give_up_at, attempts, sendings, last_error, event_id, room_id, part, mailbox,
        message_id)
    VALUES (9, 'k', 'out:room:!r', 'event', 'comite', 'liste', NULL, 'd', 'sent', 1000000, 1000000, 1000000, 1, 1, '',
        '$e', '!r', 0, '', '')
    """,
)


@pytest.fixture
def url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.create_database()


async def _make_0001(url: str) -> None:
    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "0001")
        for row in _ROWS_OF_0001:
            connection.execute(text(row))

    drivers = (("sqlite:", "sqlite+aiosqlite:"), ("postgresql:", "postgresql+asyncpg:"))
    for plain, driver in drivers:
        url = url.replace(plain, driver)
    engine = create_async_engine(url)
    async with engine.begin() as conn:
        await conn.run_sync(upgrade)
    await engine.dispose()


async def test_a_store_of_the_first_revision_goes_on(url: str) -> None:
    await _make_0001(url)
    with pytest.raises(StoreError, match="another version"):
        await Store.open(url, exclusive=False)
    store = await Store.open(url, exclusive=True)
    async with store.write() as conn:
        post = await get_post(conn, PostId(5))
        assert (post.text, post.person_id, post.author_name) == ("décision : louer la salle", 7, "Annie")
        entry = await insert_entry(conn, new_entry(post_id=post.id, author_person_id=7))
        assert (entry.number, entry.association) == (1, A)
        assert await find_entries_of_post(conn, post.id) == [entry]
        assert (await conn.execute(text("SELECT event_id FROM outbox WHERE id = 9"))).scalar_one() == "$e"
    await store.close()
    again = await Store.open(url, exclusive=True)
    async with again.read() as conn:
        (found,) = await find_entries_of_post(conn, PostId(5))
    assert found.created_at == NOW
    await again.close()
