"""Names: one line, no tricks, never an address; other scripts intact; imitations found (PEOPLE 4, 18)."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.names import (
    imitates,
    list_author_name,
    mask_addresses,
    room_author_name,
    safe_name,
    skeleton,
    without_controls,
)
from passerelle.render import load_words

FRENCH = load_words("fr")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Léa", "Léa"),
        ("  Jean-Pierre   D’Arc ", "Jean-Pierre D’Arc"),
        ("Zoé\r\nBcc: tous@liste.fr", ""),
        ("Zoé\r\nBcc: tous", "Zoé Bcc: tous"),
        ("a\x00b\x07c", "abc"),
        ("Le\u0301a", "Léa"),
        ("\u202eeuqinoM", "euqinoM"),
        ("Mo\u200bnique\ufeff", "Monique"),
        ("<b>Léa</b>", "‹b›Léa‹/b›"),
        ("**Léa**", "Léa"),
        ("monique@orange.fr", ""),
        ("Monique <monique@orange.fr>", ""),
        ("monique＠orange.fr", ""),
        ("monique @ orange.fr", ""),
        ("Léa @ Épeule", "Léa @ Épeule"),
        ("@lea:matrix.org", "lea"),
        ("", ""),
        ("\u3164\u2800", ""),
        ("'Paul'", "Paul"),
    ],
)
def test_safe_name(raw: str, shown: str) -> None:
    assert safe_name(raw) == shown


@pytest.mark.parametrize(
    "name",
    [
        "فاطمة الزهراء",
        "Ольга Иванова",
        "Νίκη",
        "王小明",
        "김철수",
        "नेहा शर्मा",
        "יעל",
        "Nguyễn Thị Ánh",
        "می‌خواهم",
        "ഗോപിക",
        "👩‍🌾 Zoé",
    ],
)
def test_other_scripts_stay_intact(name: str) -> None:
    shown = safe_name(name)
    letters = [c for c in unicodedata.normalize("NFC", name) if unicodedata.category(c)[0] == "L"]
    assert [c for c in shown if unicodedata.category(c)[0] == "L"] == letters
    if "👩" not in name:
        assert shown == unicodedata.normalize("NFC", name)


def test_piled_up_marks_are_cut() -> None:
    assert safe_name("Z" + "\u0335" * 50 + "oé") == "Z\u0335\u0335\u0335oé"


def test_long_name_is_cut() -> None:
    assert safe_name("é" * 200, max_length=80) == "é" * 79 + "…"


@settings(deadline=None)
@given(st.text(max_size=300))
def test_safe_name_of_anything_is_one_harmless_line(raw: str) -> None:
    name = safe_name(raw)
    assert len(name) <= 80
    assert not set(name) & set('<>&"\r\n\t\0\u2028\u2029\u202e\u2066')
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)
    assert safe_name(name) == name or "@" in name or name.endswith("…")
    local, at, domain = name.partition("@")
    assert not (at and local and not local[-1].isspace() and domain[:1].strip() and "." in domain.split(" ")[0])


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Мonique", "Monique"),  # Cyrillic М
        ("Rnonique", "Monique"),
        ("KARlM", "Karim"),
        ("Kar1m", "Karlm"),
        ("Раul", "Paul"),  # Cyrillic Р and а
        ("Ρaul", "Paul"),  # Greek rho
        ("𝐌onique", "Mоnique"),  # mathematical bold against Cyrillic о
        ("Léạ", "Léa"),
    ],
)
def test_imitation_is_found(name: str, other: str) -> None:
    assert imitates(name, ["Zoé", other]) == other
    assert skeleton(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Monique", "Monique"),
        ("monique  DUPONT", "Monique Dupont"),
        ("Lea", "Léa"),
        ("Jean Pierre", "Jean-Pierre"),
        ("Нина", "Nina"),
        ("Ольга", "Olga"),
        ("Paul", "Paule"),
        ("فاطمة", "Fatima"),
        ("", "Léa"),
        ("Léa", ""),
    ],
)
def test_same_or_other_name_is_no_imitation(name: str, other: str) -> None:
    assert imitates(name, [other]) is None


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_imitation_goes_both_ways(one: str, other: str) -> None:
    assert (imitates(one, [other]) is None) == (imitates(other, [one]) is None)


def test_addresses_are_masked() -> None:
    text = "Le 3, Paul <paul.annie@orange.fr> a écrit :\n> voir monique+a@x.co.uk, ou @lea et 3@4"
    masked = mask_addresses(text, "[…]")
    assert masked == "Le 3, Paul <[…]> a écrit :\n> voir […], ou @lea et […]"


def test_controls_go_and_line_ends_become_lf() -> None:
    assert without_controls("a\x00b\r\nc\rd\x1b[31m\u202ee\udcff") == "ab\nc\nd[31me"
    assert without_controls("می‌خواهم 👩‍🌾") == "می‌خواهم 👩‍🌾"


def test_controls_are_what_unicode_says_they_are() -> None:
    """Every character there is: categories Cc and Cs, and what reorders the text around it (UAX #9)."""
    bidi = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
    for keep in ("\n\t", "\n", ""):
        for character in map(chr, range(0x110000)):
            is_trick = unicodedata.category(character) in ("Cc", "Cs") or character in bidi
            if character != "\r":
                assert (without_controls(character, keep=keep) == "") == (is_trick and character not in keep)


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["Léa"], "Léa (salon)"),
        (["Léa", "Léa"], "Léa (salon)"),
        (["Léa", "Karim", "Paul"], "Léa, Karim, Paul (salon)"),
        (["Léa", "Karim", "Paul", "Zoé", "Ali"], "Léa, Karim et 3 autres (salon)"),
        (["lea@x.fr"], "Une personne du salon (salon)"),
        ([], "Une personne du salon (salon)"),
    ],
)
def test_room_authors(names: list[str], shown: str) -> None:
    assert room_author_name(names, FRENCH) == shown


def test_list_author_without_name() -> None:
    assert list_author_name("paul@orange.fr", FRENCH) == "Un membre de la liste"
