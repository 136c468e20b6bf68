"""`passerelle register`, as an administrator types it."""

from __future__ import annotations

import csv
import io
import json
import stat
from datetime import date, time, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, PostId
from passerelle.core.register_model import NamedPerson, NewEntryChange, NewObjection
from passerelle.mail.calendar import parse_calendar
from passerelle.mail.parse import parse_email
from passerelle.store.people import find_or_insert_person
from passerelle.store.posts import set_post_state
from passerelle.store.register import get_entry, move_entry, set_review_on
from passerelle.store.register_history import insert_entry_change, insert_objection
from passerelle.store.register_notices import begin_telling, note_told, want_telling
from tests.store.made import made_post, made_thread
from tests.store.made_secretary import made_entry
from tests.unit.cli.conftest import AT, LINK, A, Desk

OURS = {"association": A, "link": LINK, "said_at": AT, "created_at": AT}


async def fill(conn: AsyncConnection) -> PostId:
    """Five entries; the first was said in a mail, the fourth is no decision before its author says so."""
    lea = await find_or_insert_person(conn, A, name="Léa Martin", address=MailAddress("lea@example.org"), now=AT)
    thread = await made_thread(conn, "Salle")
    post = await made_post(conn, thread_id=thread, association=A, link=LINK, permalink="abcdefgh2345", said_at=AT)
    decision = await made_entry(
        conn, "louer la salle des fêtes", author_name="Karim", said_for="Mme Haddad", post_id=post, **OURS
    )
    await insert_entry_change(
        conn, NewEntryChange(entry_id=decision.id, at=AT, move="noted", by_name="Karim", medium="mail")
    )
    await want_telling(conn, decision.id, AT)
    await begin_telling(conn, [decision.id], AT)
    await note_told(conn, decision.id, left_at=AT, open_until=AT + timedelta(days=7))
    await insert_objection(
        conn,
        NewObjection(
            entry_id=decision.id,
            person_id=None,
            name="Annie",
            passed_on_by="Paul",
            reason="trop cher",
            at=AT,
            medium="mail",
        ),
    )
    await made_entry(
        conn,
        "relancer la mairie",
        "action",
        people=[NamedPerson(name="Léa", person_id=lea)],
        due_on=date(2027, 1, 12),
        due_at=time(18),
        **OURS,
    )
    later = OURS | {"said_at": AT + timedelta(days=3)}
    await made_entry(
        conn, "vidéoprojecteur", "loan", label="vidéoprojecteur", due_on=date(2027, 3, 3), author_name="Karim", **later
    )
    await made_entry(conn, "un composteur", "decision", state="asked", **later)
    await made_entry(conn, "le frigo", "decision", state="adopted", **later)
    return post


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.write(fill)
    return desk


def numbers(desk: Desk, *words: str) -> list[int]:
    """The numbers of the entries that `register list` gives with these options."""
    said = desk.run("register", "list", "--json", *words)
    assert said.exit_code == 0, said.output
    return [entry["number"] for entry in json.loads(said.output)["entries"]]


def test_all_entries_the_newest_first(filled: Desk) -> None:
    said = filled.run("register", "list")
    assert said.exit_code == 0
    first, *rows = said.output.splitlines()
    assert first.split("  ")[0] == "No."
    assert [row.split()[0] for row in rows[:4]] == ["5", "3", "2", "1"]
    action = next(row for row in rows if row.startswith("2"))
    for cell in ("Action", "relancer la mairie", "Léa", "12 January 2027 at 18:00", "12 November 2026"):
        assert cell in action
    assert rows[-1] == "Entries: 4."


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--kind", "decision"), [5, 1]),
        (("--kind", "Décision"), [5, 1]),
        (("--kind", "prêt", "--kind", "action"), [3, 2]),
        (("--state", "adopted"), [5]),
        (("--state", "adoptée"), [5]),
        (("--state", "asked"), [4]),
        (("--kind", "loan", "--state", "out"), [3]),
        (("--person", "lea@example.org"), [2]),
        (("--person", "Léa Martin"), [2]),
        (("--label", "Vidéo-projecteur"), []),
        (("--label", "VIDEOPROJECTEUR"), [3]),
        (("--link", "bureau"), [5, 3, 2, 1]),
        (("--since", "2026-11-13"), [5, 3]),
        (("--since", "2026-11-12"), [5, 3, 2, 1]),
        (("--words", "mairie RELANCER"), [2]),
        (("--limit", "2"), [5, 3]),
    ],
)
def test_each_filter(filled: Desk, words: tuple[str, ...], found: list[int]) -> None:
    assert numbers(filled, *words) == found


def test_when_not_all_is_shown_it_is_said(filled: Desk) -> None:
    assert "Entries: 2 of 4." in filled.run("register", "list", "--limit", "2").output
    assert "Nothing was found." in filled.run("register", "list", "--words", "piscine").output


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("list", "--kind", "vote"), 2, "there is no kind vote; there is decision, action"),
        (("list", "--kind", "loan", "--state", "adopted"), 2, "there is no state adopted; there is out, returned"),
        (("list", "--link", "jardin"), 2, "there is no link of this name"),
        (("list", "--person", "Jeanne"), 1, "Nobody is known by that address"),
        (("list", "--association", "roubaix"), 2, "there is no association of this name"),
        (("show", "99"), 1, "There is no entry 99. `passerelle register list` lists them."),
        (("show", "sept"), 2, "Invalid value for 'NUMBER'"),
        (("export", "--to", "x.csv", "--format", "xls"), 2, "there is no format xls; there is csv, json, ics"),
    ],
)
def test_what_goes_wrong_is_said(filled: Desk, words: tuple[str, ...], code: int, sentence: str) -> None:
    said = filled.run("register", *words)
    assert said.exit_code == code, said.output
    # A box of Typer's is drawn around what was typed wrongly.
    assert sentence in " ".join(said.output.replace("│", " ").split()), said.output


def test_kinds_of_one_s_own_have_their_own_states(filled: Desk) -> None:
    text = filled.file.read_text("utf-8")
    kinds = (
        '[associations.register]\nkinds = [{name = "demande", words = ["demande"], states = ["reçue", "acceptée"]}]\n'
    )
    filled.file.write_text(text.replace("[[associations.links]]", kinds + "[[associations.links]]"), "utf-8")
    filled.write(lambda conn: made_entry(conn, "un banc", "demande", **OURS))
    assert numbers(filled, "--kind", "demande", "--state", "recue") == [6]
    assert "reçue" in filled.run("register", "list", "--kind", "demande").output


# ------------------------------------------------------------ one entry


def test_one_entry_with_all_that_belongs_to_it(filled: Desk) -> None:
    said = filled.run("register", "show", "1")
    assert said.exit_code == 0, said.output
    for line in (
        "Decision 1: louer la salle des fêtes",
        "proposed",
        "12 November 2026 at 18:30, by Karim, for Mme Haddad",
        "19 November 2026 at 18:30",
        "Annie, passed on by Paul; trop cher; it stands",
        "Noted (Karim)",
        "12 November 2026 at 18:30, bureau, list",
    ):
        assert line in said.output, said.output
    assert "members do not see it" not in said.output


def test_an_entry_whose_mail_was_taken_back_is_shown_to_nobody_else(desk: Desk) -> None:
    async def hide(conn: AsyncConnection) -> None:
        await set_post_state(conn, await fill(conn), "hidden")

    desk.write(hide)
    said = desk.run("register", "show", "1")
    assert "members do not see it" in said.output
    assert "(hidden)" in said.output
    assert 1 not in numbers(desk)


def test_words_that_were_taken_back_are_told_to_nobody(desk: Desk) -> None:
    async def take_back(conn: AsyncConnection) -> None:
        await fill(conn)
        thread = await made_thread(conn, "Réponse")
        answer = await made_post(conn, thread_id=thread, association=A, link=LINK, content_hash="c2", said_at=AT)
        entry = await get_entry(conn, 1)  # type: ignore[arg-type]
        values = {"entry_id": entry.id, "person_id": None, "at": AT, "medium": "mail", "post_id": answer}
        await insert_objection(conn, NewObjection(name="Jeanne", reason="un secret", **values))  # type: ignore[arg-type]
        await set_post_state(conn, answer, "withdrawn")

    desk.write(take_back)
    for words in ((), ("--json",)):
        said = desk.run("register", "show", "1", *words).output
        assert "Jeanne" in said
        assert "trop cher" in said
        assert "un secret" not in said


def test_one_entry_for_another_program(filled: Desk) -> None:
    told = json.loads(filled.run("register", "show", "1", "--json").output)
    assert (told["number"], told["kind"], told["state"], told["said_for"]) == (1, "decision", "proposed", "Mme Haddad")
    assert told["open_until"] == "2026-11-19T17:30:00+00:00"
    assert [change["move"] for change in told["history"]] == ["noted"]
    assert [(o["name"], o["withdrawn_at"]) for o in told["objections"]] == [("Annie", None)]
    assert told["sources"][0]["permalink"] == "abcdefgh2345"
    assert not {"id", "person_id", "post_id", "author_person_id"} & set(told)


def test_with_a_web_each_has_its_address(filled: Desk) -> None:
    filled.file.write_text('[web]\nurl = "https://archives.example.org"\n' + filled.file.read_text("utf-8"), "utf-8")
    said = filled.run("register", "show", "1").output
    assert "https://archives.example.org/epeule/register/1" in said
    assert "https://archives.example.org/epeule/p/abcdefgh2345" in said


# ------------------------------------------------------------ a file


def test_a_table_to_take_along(filled: Desk) -> None:
    file = filled.folder / "registre.csv"
    said = filled.run("register", "export", "--to", str(file), "--kind", "action", "--kind", "loan")
    assert said.exit_code == 0, said.output
    assert f"Entries in {file}: 2." in said.output
    assert "It names persons" in said.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    rows = list(csv.reader(io.StringIO(file.read_text("utf-8-sig")), delimiter=";"))
    # In the association's language, whatever the administrator's.
    assert [row[0] for row in rows[1:]] == ["2", "3"]
    assert rows[1][1] == "Action"
    assert "relancer la mairie" in rows[1]


def test_a_file_that_is_there_is_kept(filled: Desk) -> None:
    file = filled.folder / "registre.json"
    file.write_text("mine")
    refused = filled.run("register", "export", "--format", "json", "--to", str(file))
    assert refused.exit_code == 1
    assert "To replace it: --force" in refused.output
    assert file.read_text() == "mine"
    assert filled.run("register", "export", "--format", "json", "--to", str(file), "--force").exit_code == 0
    assert [entry["number"] for entry in json.loads(file.read_text("utf-8"))["entries"]] == [1, 2, 3, 5]


def test_a_folder_that_is_not_there_is_told(filled: Desk) -> None:
    said = filled.run("register", "export", "--to", str(filled.folder / "nowhere" / "x.csv"))
    assert said.exit_code == 1
    assert "cannot be written" in said.output


def test_days_for_a_calendar(desk: Desk) -> None:
    async def with_review(conn: AsyncConnection) -> None:
        await fill(conn)
        entry = await get_entry(conn, 5)  # type: ignore[arg-type]
        await set_review_on(conn, entry.id, date(2027, 6, 1), AT)
        action = await get_entry(conn, 2)  # type: ignore[arg-type]
        await move_entry(conn, action.id, before_state="open", after_state="done", now=AT)

    desk.write(with_review)
    file = desk.folder / "dates.ics"
    said = desk.run("register", "export", "--format", "ics", "--to", str(file))
    assert said.exit_code == 0, said.output
    assert "names persons" not in said.output
    text = file.read_bytes().decode().replace("\r\n ", "")
    assert text.startswith("BEGIN:VCALENDAR")
    summaries = [line.partition(":")[2] for line in text.splitlines() if line.startswith("SUMMARY")]
    # What is done has no day any more.
    assert len(summaries) == 2
    assert "vidéoprojecteur" in summaries[0]
    assert summaries[1].startswith("À revoir")
    assert "Karim" not in text
    # Whoever reads it again finds one event among others, and the same UIDs.
    mail = b"Content-Type: text/calendar; method=PUBLISH\r\n\r\n" + file.read_bytes()
    assert parse_calendar(parse_email(mail), home_zone=desk.settings.associations[0].zone()) is not None
    uids = sorted(line for line in text.splitlines() if line.startswith("UID"))
    desk.run("register", "export", "--format", "ics", "--to", str(file), "--force")
    again = file.read_bytes().decode().replace("\r\n ", "")
    assert uids == sorted(line for line in again.splitlines() if line.startswith("UID"))
    assert len(set(uids)) == 2
