"""`passerelle now`, as an administrator types it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pypdf import PdfReader
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.core.register_model import NamedPerson, NewEntry
from passerelle.store.register import insert_entry
from tests.unit.cli.conftest import LINK, A, Desk


async def fill(conn: AsyncConnection) -> None:
    at = datetime.now(UTC) - timedelta(days=1)
    new = NewEntry(
        association=AssociationName(A), link=LINK, kind="action", text="relancer la mairie", state="open", said_at=at,
        created_at=at,
    )  # fmt: skip
    await insert_entry(conn, new, (NamedPerson(name="Léa Martin"),))


def test_the_sheet_is_one_page_and_names_nobody(desk: Desk, tmp_path: Path) -> None:
    desk.write(fill)
    to = tmp_path / "affiche.pdf"
    told = desk.run("now", "--pdf", str(to)).stdout
    assert "names only who agreed" in told
    (page,) = PdfReader(to).pages
    text = " ".join(page.extract_text().split())
    assert "Relancer la mairie, une personne" in text
    assert "Léa" not in text


def test_a_link_that_is_not_there_and_a_file_that_cannot_be_written_are_told(desk: Desk, tmp_path: Path) -> None:
    assert desk.run("now", "--pdf", str(tmp_path / "x.pdf"), "--link", "nowhere").exit_code == 1
    failed = desk.run("now", "--pdf", str(tmp_path / "no" / "x.pdf"))
    assert failed.exit_code == 1
    assert "cannot be written" in failed.output
