"""`passerelle fiche` and `passerelle network`, as an administrator types them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.consents import fiche_consent
from passerelle.core.fiche import DEFAULT_LICENCE, Content, NewFiche, Part, Source
from passerelle.core.ids import MailAddress
from passerelle.store.consents import give_consent
from passerelle.store.fiches import insert_fiche
from passerelle.store.people import find_or_insert_person
from tests.unit.cli.conftest import LINK, A, Desk


async def fill(conn: AsyncConnection) -> None:
    """A published fiche with words of Paul, who agrees, and of Léa, who has not answered; and a draft."""
    now = datetime.now(UTC)
    paul = await find_or_insert_person(conn, A, name="Paul Mercier", address=MailAddress("p@example.org"), now=now)
    lea = await find_or_insert_person(conn, A, name="Léa Petit", address=MailAddress("l@example.org"), now=now)

    def part(heading: str, text: str, author: str, who: int, *, quoted: bool) -> Part:
        return Part(
            heading=heading, kind="quote" if quoted else "written", text=text, author=author, said_at=now,  # type: ignore[arg-type]
            person_id=who, asks=(who,) if quoted else (),
        )  # fmt: skip

    parts = (
        part("title", "Un *loto* réussi", "Paul Mercier", paul, quoted=False),
        part("advice", "Prévoyez un micro", "Paul Mercier", paul, quoted=True),
        part("again", "Gardons la salle", "Léa Petit", lea, quoted=True),
    )
    for number, state in ((1, "published"), (2, "draft")):
        made = await insert_fiche(
            conn,
            NewFiche(
                association=A, link=LINK, number=number, state=state, audience="association",  # type: ignore[arg-type]
                document=Content(source=Source(kind="thread"), parts=parts).to_json(), licence=DEFAULT_LICENCE,
                permalink=f"fichefichef{number}", made_by_person_id=paul, made_at=now, changed_at=now,
            ),
        )  # fmt: skip
        await give_consent(conn, A, paul, fiche_consent(made.id), now=now)


@pytest.fixture
def filled(desk: Desk) -> Desk:
    text = desk.file.read_text("utf-8")
    network = f'\n[[networks]]\nname = "quartiers"\ntitle = "Réseau"\nassociations = ["{A}"]\nlinks = ["{A}/{LINK}"]\n'
    desk.file.write_text(text + network, "utf-8")
    desk.write(fill)
    return desk


def test_fiches_are_listed_and_a_draft_has_no_title(filled: Desk) -> None:
    told = filled.run("fiche", "list").stdout
    assert "published" in told
    assert "draft" in told
    assert told.count("loto") == 1


def test_one_is_shown_as_its_readers_see_it(filled: Desk) -> None:
    told = filled.run("fiche", "show", "1").stdout
    assert told.startswith("# Un \\*loto\\* réussi")
    assert "> Prévoyez un micro\n>\n> — Paul\n" in told
    assert "Gardons" not in told
    assert "Petit" not in told
    assert filled.run("fiche", "show", "2").exit_code == 1
    assert filled.run("fiche", "show", "1", "--network").exit_code == 1


def test_they_leave_for_a_wiki(filled: Desk) -> None:
    entries = json.loads(filled.run("fiche", "export", "--form", "json", "--bazar-form", "4").stdout)
    ((name, entry),) = entries.items()
    assert name == entry["id_fiche"] == "UnLotoReussi1"
    assert (entry["id_typeannonce"], entry["bf_titre"]) == ("4", "Un *loto* réussi")
    assert entry["bf_conseils"] == "« Prévoyez un micro » (Paul)"
    assert (entry["bf_a_refaire"], entry["bf_participants"]) == ("", "Paul")
    page = filled.run("fiche", "export", "--form", "html").stdout
    assert '<html lang="fr">' in page
    assert "Gardons" not in page
    nothing = filled.run("fiche", "export", "--network")
    assert (nothing.stdout, nothing.exit_code) == ("", 0)
    assert "No fiche is published yet" in nothing.stderr


def test_a_network_is_shown_without_a_word_of_anybody(filled: Desk) -> None:
    told = filled.run("network", "show").stdout
    assert "Réseau" in told
    assert "loto" not in told
    assert filled.run("network", "show", "ailleurs").exit_code == 1


def test_a_file_without_a_network_is_told_how_to_make_one(desk: Desk) -> None:
    told = desk.run("network", "show")
    assert told.exit_code == 1
    assert "docs/networks.md" in told.stdout
