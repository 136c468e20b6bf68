"""`passerelle privacy` on a real store."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.model import NewPost
from passerelle.core.register_model import NewEntry
from passerelle.store.inbox import finish_inbox, insert_inbox, list_inbox
from passerelle.store.people import find_or_insert_person
from passerelle.store.posts import insert_post
from passerelle.store.register import insert_entry
from passerelle.store.threads import insert_thread
from tests.unit.cli.conftest import AT, LINK, RAW, SECRET_WORDS, A, Desk, arrival

JEANNE = MailAddress("jeanne.dupont@example.org")


def fill(desk: Desk) -> None:
    """One mail of Jeanne's."""

    async def put(conn: AsyncConnection) -> None:
        await insert_inbox(conn, [arrival("1:1")], AT)
        (row,) = await list_inbox(conn, limit=1)
        await finish_inbox(conn, row.id, AT)
        thread_id = await insert_thread(conn, A, SECRET_WORDS, AT)
        person_id = await find_or_insert_person(conn, A, name="Jeanne Dupont", address=JEANNE, now=AT)
        await insert_post(
            conn,
            NewPost(
                association=A,
                link=LINK,
                side="list",
                inbox_id=row.id,
                raw_hash=row.raw_hash,
                message_id=MessageId("q@example.org"),
                content_hash="x",
                thread_id=thread_id,
                author_name="Jeanne Dupont",
                author_address=JEANNE,
                person_id=person_id,
                subject=SECRET_WORDS,
                text=SECRET_WORDS,
                said_at=AT - timedelta(days=400),
                accepted_at=AT,
                permalink="abcdefghijkl",
            ),
        )

    desk.write(put)


def rows(desk: Desk, statement: str) -> list[tuple[object, ...]]:
    async def read(conn: AsyncConnection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in (await conn.execute(text(statement))).all()]

    return desk.write(read)


def test_export_writes_a_page_data_and_originals(desk: Desk) -> None:
    fill(desk)
    result = desk.run("privacy", "export", "Jeanne.Dupont@example.org", "--to", str(desk.folder / "jeanne"))
    assert result.exit_code == 0, result.output
    assert SECRET_WORDS not in result.output
    held = json.loads((desk.folder / "jeanne" / "donnees.json").read_text())
    assert held["posts"][0]["text"] == SECRET_WORDS
    assert (desk.folder / "jeanne" / "originaux" / "1.eml").read_bytes() == RAW + b"1:1"
    assert (desk.folder / "jeanne" / "index.html").stat().st_mode & 0o077 == 0
    again = desk.run("privacy", "export", "Jeanne Dupont", "--to", str(desk.folder / "jeanne"))
    assert again.exit_code == 1


def test_erase_asks_and_prints_a_receipt_without_words(desk: Desk) -> None:
    fill(desk)
    declined = desk.run("privacy", "erase", "Jeanne Dupont")
    assert declined.exit_code == 1
    assert rows(desk, "SELECT state FROM post") == [("accepted",)]
    result = desk.run("privacy", "erase", "Jeanne Dupont", "--by", "Karim", "--yes")
    # The mailbox of the test cannot be reached: what remains is gone on with, and nothing else is left.
    assert result.exit_code == 1
    assert "Jeanne" not in result.output
    assert rows(desk, "SELECT state, text, author_name FROM post") == [("erased", "", "")]
    assert rows(desk, "SELECT count(*) FROM person") == [(0,)]
    assert rows(desk, 'SELECT "by", what FROM act') == [("Karim", "erase")]
    assert "1" in desk.run("privacy", "report").output


def test_the_report_counts_meetings_and_entries(desk: Desk) -> None:
    desk.file.write_text(desk.file.read_text() + "[associations.links.archive.retention]\nminutes_days = 30\n")

    async def put(conn: AsyncConnection) -> None:
        for days in (0, 400):
            said_at = datetime.now(UTC) - timedelta(days=days)
            await insert_entry(
                conn,
                NewEntry(
                    association=A, link=LINK, kind="info", text=SECRET_WORDS, state="kept", said_at=said_at,
                    created_at=said_at,
                ),
            )  # fmt: skip

    desk.write(put)
    result = desk.run("privacy", "report")
    minutes = next(line for line in result.output.splitlines() if "minutes and decisions" in line)
    assert minutes.split()[-4:] == ["30", "days", "2", "1"]
    assert SECRET_WORDS not in result.output


def test_minutes_are_kept_of_a_person_only_and_for_a_reason(desk: Desk) -> None:
    fill(desk)
    assert desk.run("privacy", "erase", "--post", "1", "--keep-minutes", "la loi", "--yes").exit_code == 2
    assert rows(desk, "SELECT state FROM post") == [("accepted",)]
    desk.run("privacy", "erase", "Jeanne Dupont", "--keep-minutes", " Jeanne\nsignait ", "--yes")
    ((progress,),) = rows(desk, "SELECT progress FROM privacy_request")
    assert json.loads(str(progress))["keep"] == "Une personne signait"


def test_hide_and_show_by_number_short_name_or_message_id(desk: Desk) -> None:
    fill(desk)
    for which in ("1", "abcdefghijkl", "<q@example.org>", "https://a.example.org/epeule/p/abcdefghijkl"):
        assert desk.run("privacy", "hide", which, "--by", "Monique").exit_code == 0
        assert rows(desk, "SELECT state, text FROM post") == [("hidden", SECRET_WORDS)]
        assert desk.run("privacy", "hide", which).exit_code == 1
        assert desk.run("privacy", "show", which, "--by", "Monique").exit_code == 0
    assert desk.run("privacy", "hide", "99").exit_code == 1


def test_who_is_meant_must_be_clear(desk: Desk) -> None:
    fill(desk)
    assert desk.run("privacy", "erase", "nobody@example.org", "--yes").exit_code == 1
    assert desk.run("privacy", "erase", "--yes").exit_code == 2
    assert desk.run("privacy", "erase", "Jeanne Dupont", "--post", "1", "--yes").exit_code == 2


def test_the_report_says_what_is_kept_how_long_and_what_goes(desk: Desk) -> None:
    desk.file.write_text(desk.file.read_text() + "[associations.links.archive.retention]\nposts_days = 365\n")
    fill(desk)
    result = desk.run("privacy", "report")
    assert result.exit_code == 0, result.output
    posts = next(line for line in result.output.splitlines() if "posts" in line)
    assert posts.split()[-4:] == ["365", "days", "1", "1"]
    digests = next(line for line in result.output.splitlines() if "digests" in line)
    assert digests.split() == [str(A), "digests", "365", "days", "0", "0"]
