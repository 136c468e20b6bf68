"""`passerelle digest`, as an administrator types it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress
from passerelle.store.digests import list_digests, list_subscriptions
from passerelle.store.outbox import list_outbox
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.wiring import utc_now
from tests.store.made import made_post, made_thread
from tests.unit.cli.conftest import LINK, A, Desk


async def fill(conn: AsyncConnection) -> None:
    """Monique, who coordinates, and Paul, who answered her yesterday."""
    at = utc_now() - timedelta(days=1)
    thread = await made_thread(conn, "Loto du quartier")
    for name in ("Monique Delattre", "Paul Mercier"):
        address = MailAddress(f"{name.split()[0].lower()}@example.org")
        person = await find_or_insert_person(conn, A, name=name, address=address, now=at)
        await note_participant(conn, A, LINK, person, "list", at)
        await made_post(
            conn, thread_id=thread, association=A, link=LINK, person_id=person, author_name=name,
            text="Qui vient au loto ?", content_hash=name, said_at=at, accepted_at=at,
            permalink=f"abcdefgh234{person}", side="list",
        )  # fmt: skip


@pytest.fixture
def filled(desk: Desk) -> Desk:
    text = desk.file.read_text("utf-8")
    text = text.replace('{name = "Monique"}', '{name = "Monique", address = "monique@example.org"}')
    # Whatever the hour at which this test runs.
    text = text.replace('name = "bureau"\n', 'name = "bureau"\nquiet_from = "08:00"\nquiet_until = "08:00"\n')
    desk.file.write_text(text, "utf-8")
    desk.write(fill)
    return desk


def test_who_gets_one_is_listed(filled: Desk) -> None:
    told = filled.run("digest", "list").stdout
    assert "Monique Delattre" in told
    assert "each week" in told
    assert "Paul" not in told


@pytest.mark.parametrize(
    ("form", "expected"), [("text", "CONVERSATIONS"), ("html", "<h2>Conversations"), ("room", "- ")]
)
def test_a_preview_shows_it_and_notes_nothing(filled: Desk, form: str, expected: str) -> None:
    for _ in range(2):
        told = filled.run("digest", "preview", "monique@example.org", "--form", form).stdout
        assert expected in told
        assert "2 personnes" in told
    assert filled.write(lambda conn: list_digests(conn, A, limit=5)) == []
    assert filled.write(lambda conn: list_outbox(conn, limit=5)) == []


def test_one_leaves_now_and_the_next_comes_as_it_would(filled: Desk) -> None:
    filled.run("digest", "list")
    (before,) = filled.write(lambda conn: list_subscriptions(conn))
    assert "on its way" in filled.run("digest", "send", "monique@example.org").stdout
    (row,) = filled.write(lambda conn: list_outbox(conn, limit=5))
    assert row.recipient == "monique@example.org"
    (after,) = filled.write(lambda conn: list_subscriptions(conn))
    assert after.next_at == before.next_at
    assert "nothing is sent" in filled.run("digest", "send", "monique@example.org").stdout
    assert "wants no digest" in filled.run("digest", "send", "paul@example.org").stdout
