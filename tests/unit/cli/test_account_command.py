"""`passerelle bilan`, as an administrator types it."""

from __future__ import annotations

import csv
import io
import stat

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.store.made import made_post, made_thread
from tests.store.made_secretary import made_entry
from tests.unit.cli.conftest import AT, LINK, A, Desk

OURS = {"association": A, "link": LINK, "said_at": AT}


async def fill(conn: AsyncConnection) -> None:
    """One mail, one decision, and a headcount of an activity whose name a spreadsheet would reckon with."""
    thread = await made_thread(conn, "Salle")
    await made_post(conn, thread_id=thread, accepted_at=AT, **OURS)
    await made_entry(conn, "louer la salle des fêtes", created_at=AT, **OURS)
    await made_entry(conn, "12", "count", label="=HYPERLINK(1)", quantity=12, created_at=AT, **OURS)


def read(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=";"))


def test_a_table_for_a_spreadsheet(desk: Desk) -> None:
    desk.write(fill)
    done = desk.run("bilan", "--year", "2026", "--format", "csv", "--out", str(desk.folder / "a" / "b"))
    assert done.exit_code == 0, done.output
    path = desk.folder / "a" / "b" / "bilan-epeule-2026.csv"
    assert str(path) in done.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    rows = read(path.read_bytes())
    assert rows[0]["Tableau"] == "Bilan 2026\u00a0: Comité de quartier de l’Épeule"
    assert {(row["Ligne"], row["Valeur"]) for row in rows if row["Tableau"] == "Décisions"} >= {
        ("Décisions proposées", "1"), ("Décisions adoptées", "0"),
    }  # fmt: skip
    # Nothing in it is a formula.
    assert {row["Ligne"] for row in rows if row["Tableau"] == "Fréquentation"} == {"'=HYPERLINK(1)", "Total"}
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]


def test_all_three_forms(desk: Desk) -> None:
    desk.write(fill)
    done = desk.run("bilan", "--year", "2026", "--out", str(desk.folder / "all"))
    assert done.exit_code == 0, done.output
    begin = {path.suffix: path.read_bytes()[:4] for path in (desk.folder / "all").iterdir()}
    assert begin == {".csv": b"\xef\xbb\xbfT", ".html": b"<!DO", ".odt": b"PK\x03\x04"}


def test_nothing_is_written_over_without_a_word(desk: Desk) -> None:
    words = ("bilan", "--year", "2025", "--format", "csv", "--out", str(desk.folder))
    assert desk.run(*words).exit_code == 0
    again = desk.run(*words)
    assert again.exit_code == 1
    assert "is there already" in again.output
    assert desk.run(*words, "--force").exit_code == 0


def test_a_few_months_of_a_project(desk: Desk) -> None:
    done = desk.run(
        "bilan", "--from", "2026-03-01", "--to", "2026-06-30", "--tag", "#Jardin", "--link", LINK, "--format", "csv",
        "--out", str(desk.folder),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert (desk.folder / "bilan-epeule-2026-03-01-2026-06-30-jardin.csv").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("--year", "2026", "--from", "2026-03-01"),
        ("--from", "2026-03-01"),
        ("--from", "2026-03-02", "--to", "2026-03-01"),
        ("--from", "2016-03-02", "--to", "2026-03-01"),
        ("--from", "9999-01-01", "--to", "9999-12-31"),
        ("--from", "0001-01-01", "--to", "0001-12-31"),
        ("--link", "nulle-part"),
        ("--format", "docx"),
        ("--association", "autre"),
    ],
)
def test_what_makes_no_account(desk: Desk, words: tuple[str, ...]) -> None:
    done = desk.run("bilan", *words, "--out", str(desk.folder / "never"))
    assert done.exit_code == 2
    assert not (desk.folder / "never").exists()
