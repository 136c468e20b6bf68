"""Lists of members, as spreadsheets and list servers save them."""

from __future__ import annotations

import pytest

from passerelle.errors import MalformedRoster
from passerelle.rosters.detect import read_roster


def read(data: str | bytes, encoding: str = "utf-8") -> list[tuple[str, str]]:
    roster = read_roster(data if isinstance(data, bytes) else data.encode(encoding))
    return [(member.address, member.name) for member in roster.members]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separator_and_encoding_are_found_out(encoding: str, separator: str, end: str) -> None:
    rows = [("Nom", "Prénom", "Adresse électronique"), ("Delattre", "Hélène", "helene@example.org")]
    text = "".join(separator.join(row) + end for row in rows)
    assert read(text, encoding) == [("helene@example.org", "Hélène Delattre")]


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("a@example.org\nb@example.org\n", [("a@example.org", ""), ("b@example.org", "")]),
        ("Courriel\na@example.org\n", [("a@example.org", "")]),
        ("nom;mail;tel\nPaul;a@example.org;0320000000\n", [("a@example.org", "Paul")]),
        (
            "Paul;a@example.org;0320000000\nAnnie;b@example.org;\n",
            [("a@example.org", "Paul"), ("b@example.org", "Annie")],
        ),
        ("Nom complet,E-mail,Nom\nPaul Martin,a@example.org,Martin\n", [("a@example.org", "Paul Martin")]),
        ("Paul Martin <a@example.org>\nb@example.org\n", [("a@example.org", "Paul Martin"), ("b@example.org", "")]),
        (
            '"Martin, Paul";a@example.org\n"Martin, Annie";b@example.org\n',
            [("a@example.org", "Martin, Paul"), ("b@example.org", "Martin, Annie")],
        ),
        (
            "nom;courriel\nPaul et Annie;a@example.org / b@example.org\n",
            [("a@example.org", "Paul et Annie"), ("b@example.org", "Paul et Annie")],
        ),
        ("A@Example.org\na@example.org\n", [("A@example.org", "")]),
        ("mail;nom\na@example.org;\na@example.org;Paul\n", [("a@example.org", "Paul")]),
        ("Email Address,First Name,Last Name\na@example.org,Paul,Martin\n", [("a@example.org", "Paul Martin")]),
        ("site;courriel\nhttp://x@y/;a@example.org\nx;b@example.org\n", [("a@example.org", ""), ("b@example.org", "")]),
        ("mail;name\na@example.org;=cmd|' /C calc'!A0\n", [("a@example.org", "=cmd|' /C calc'!A0")]),
        ("\n\n  ;\na@example.org\n", [("a@example.org", "")]),
    ],
)
def test_tables(text: str, members: list[tuple[str, str]]) -> None:
    assert read(text) == members


def test_lines_without_an_address_are_counted_and_not_shown() -> None:
    roster = read_roster(b"nom;mail\nPaul;a@example.org\nMme Haddad;\nKarim;karim chez example\n")
    assert roster.unread_lines == (3, 4)


@pytest.mark.parametrize(
    "data", [b"", b"\n\n", b"nom;prenom\nMartin;Paul\n", b"\x00\xff\xfe\x80", b"@@@@\n@;@\n", "😀".encode()]
)
def test_what_holds_no_address_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedRoster):
        read_roster(data)


def test_a_cell_that_never_ends_is_refused_or_cut() -> None:
    with pytest.raises(MalformedRoster):
        read_roster(b'"' + b"a@example.org," * 20_000)


def test_the_dump_of_sympa() -> None:
    dump = (
        "date 1262300400\nemail Helene@example.org\ngecos Hélène Delattre\nreception mail\nupdate_date 1262300400\n\n"
        "date 1262300400\nemail paul@example.org\nincluded 1\nvisibility noconceal\n\n"
    )
    assert read(dump) == [("Helene@example.org", "Hélène Delattre"), ("paul@example.org", "")]
    assert read_roster(dump.encode()).source == "sympa"


def test_the_dump_of_sympa_without_its_last_empty_line() -> None:
    assert read("email a@example.org\ngecos Paul") == [("a@example.org", "Paul")]


def test_the_answer_of_sympa_to_review() -> None:
    answer = (
        "Voici la liste des abonnés de bureau@listes.example.org :\n\n"
        "    helene@example.org - Hélène Delattre - mail standard (réception directe)\n"
        "    paul@example.org -  - digest\n"
        "    annie@example.org - Annie Dupont-Martin - mail standard\n\n"
        "Nombre total d'abonnés : 3\n"
    )
    assert read(answer) == [
        ("helene@example.org", "Hélène Delattre"),
        ("paul@example.org", ""),
        ("annie@example.org", "Annie Dupont-Martin"),
    ]
