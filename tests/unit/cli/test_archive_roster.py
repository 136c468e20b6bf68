"""`passerelle archive roster`, `forget-roster` and `openings`, as an administrator types them."""

from __future__ import annotations

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.store.archive_tables import import_run, opening, roster_entry
from tests.unit.cli.conftest import AT, LINK, A, Desk

MEMBERS = "nom;courriel\nPaul;paul@example.org\nMme Haddad;\nAnnie;annie@example.org\n"


async def addresses(conn: AsyncConnection) -> set[str]:
    return set((await conn.execute(select(roster_entry.c.address))).scalars())


def test_a_table_of_members(desk: Desk) -> None:
    file = desk.folder / "membres.csv"
    file.write_text(MEMBERS, "cp1252")
    said = desk.run("archive", "roster", "epeule/bureau", str(file), "--dry-run")
    assert said.exit_code == 0, said.output
    assert "On the list: 2. New: 2. Taken off: 0." in said.output
    assert "Lines without an address: 1 (3 …)." in said.output
    assert "Nothing was changed." in said.output
    assert desk.write(addresses) == set()
    said = desk.run("archive", "roster", "epeule/bureau", str(file))
    assert "From now on this roster says who is on the list" in said.output
    assert desk.write(addresses) == {"paul@example.org", "annie@example.org"}
    file.write_text("paul@example.org\n")
    said = desk.run("archive", "roster", "epeule/bureau", str(file))
    assert "On the list: 1. New: 0. Taken off: 1." in said.output
    said = desk.run("archive", "forget-roster", "epeule/bureau")
    assert "The roster is forgotten" in said.output
    assert desk.write(addresses) == set()


def test_what_goes_wrong_with_a_roster_is_said(desk: Desk) -> None:
    file = desk.folder / "membres.csv"
    file.write_text("nom;prenom\nMartin;Paul\n")
    for arguments, code, sentence in (
        (("epeule/bureau", str(file)), 1, "There is no mail address in this list of members."),
        (("epeule/bureau", str(desk.folder / "nothing.csv")), 1, "cannot be read"),
        (("epeule/bureau",), 2, "give either a file, or --mailman"),
        (("epeule/bureau", "--mailman", "http://127.0.0.1:1/3.1"), 1, "Mailman does not answer"),
    ):
        said = desk.run("archive", "roster", *arguments)
        assert said.exit_code == code, said.output
        assert sentence in " ".join(said.output.split()), said.output
    file.write_text(MEMBERS)
    said = desk.run("archive", "roster", "epeule/nowhere", str(file))
    assert said.exit_code == 1
    assert "There is no link of this name" in said.output


def test_nothing_is_open_by_itself(desk: Desk) -> None:
    said = desk.run("archive", "openings")
    assert said.exit_code == 0
    assert "Nothing is open" in said.output


def test_what_opens_is_shown_with_its_day(desk: Desk) -> None:
    text = desk.file.read_text("utf-8")
    desk.file.write_text(text + '[associations.links.archive]\nvisibility = "public"\npast = "participants"\n', "utf-8")

    async def fill(conn: AsyncConnection) -> None:
        row = {"association": A, "link": LINK, "what": "posts", "to": "public", "told_at": AT, "opens_at": AT}
        await conn.execute(insert(opening).values(**row))
        run = {"association": A, "link": LINK, "side": "list", "source": "x", "format": "mbox", "started_at": AT}
        await conn.execute(insert(import_run).values(**run, imported=2))

    desk.write(fill)
    said = " ".join(desk.run("archive", "openings").output.split())
    assert "epeule/bureau what is said everyone" in said
    assert "the imported past of the list participants of both sides" in said
    assert "to be told to both sides by the daemon, then 14 days" in said
