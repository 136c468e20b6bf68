"""Subjects without marks and prefixes; names fit to be shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.display_name import MAX_NAME_CHARACTERS, clean_display_name
from passerelle.core.subject import canonical_subject, display_subject, same_conversation

PREFIX = "[bureau]"


@pytest.mark.parametrize(
    "subject",
    [
        "Loto", "Re: Loto", "RE : Loto", "Re\u00a0: Loto", "RÉ\u202f: Loto", "Re\u0301f: Loto", "TR: Loto",
        "RÉF : Loto",
        "AW: WG: Loto", "Fwd: FW: Loto", "SV: Antw: Loto", "Re[2]: Loto", "Re^2: Loto", "RE(3) : Loto", "Re*4: Loto",
        "Re：Loto", "回复：Loto", "[bureau] Loto", "Re: [bureau] Loto", "[bureau] Re: TR: [bureau] RE: Loto",
        "[Bureau] Loto", "Loto [bureau]", "[bureau 12] Loto", "[bureau:7] Re: Loto", "Re: Re: Re: Re: Loto",
        "Loto (fwd)",
        "[SPAM] Re: Loto", "*****SPAM***** Loto", "[EXTERNE] RE: Loto", "  Re:\t Loto  ",
    ],
)  # fmt: skip
def test_marks_and_prefixes_go(subject: str) -> None:
    assert display_subject(subject, prefix=PREFIX) == "Loto"
    assert canonical_subject(subject, prefix=PREFIX) == "loto"


@pytest.mark.parametrize(
    "subject",
    [
        "Référence : dossier 12", "Rendez-vous : lundi", "Transport : horaires", "Ressources : la liste",
        "[budget] Loto",
        "Reçu: 12 €", "Trésorerie : bilan", "Awards: 2026", "[urgent] Loto", "Réunion", "12 : les clés",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_mark_stays(subject: str) -> None:
    assert display_subject(subject, prefix=PREFIX) == subject


def test_prefixes_of_other_shapes() -> None:
    assert display_subject("Re: bureau% Loto", prefix="bureau%") == "Loto"
    assert display_subject("[b 0042] Re: Loto", prefix="[b %04d]") == "Loto"
    assert display_subject("[bureau] Loto", prefix=None) == "[bureau] Loto"
    assert display_subject("Re: (*+ Loto", prefix="(*+") == "Loto"
    assert display_subject("Re: [bureau]", prefix=PREFIX) == ""


@settings(deadline=None)
@given(st.text(max_size=300), st.text(max_size=20))
def test_display_is_stable_and_one_line(subject: str, prefix: str) -> None:
    shown = display_subject(subject, prefix=PREFIX)
    assert display_subject(shown, prefix=PREFIX) == shown or len(shown) < len(subject)
    assert "\n" not in shown
    canonical_subject(subject, prefix=prefix)


@pytest.mark.parametrize("unit", ["Re: ", "[bureau] ", "re", "[", "(fwd)", " ", ":", "Re[1"])
def test_repetition_without_end(unit: str) -> None:
    canonical_subject(unit * 100_000, prefix=PREFIX)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Loto", "Re: [bureau] Loto", True),
        ("Réunion de jeudi", "RE: reunion de jeudi (reportée)", True),
        ("Réunion de jeudi", "Réunion de vendredi", True),
        ("Reunoin", "Réunion", True),
        ("Loto", "", True),
        ("", "Loto", True),
        ("Travaux rue de l'Épeule", "Travaux", True),
        ("Loto de dimanche", "Clés du local", False),
        ("Réunion", "Fuite d'eau", False),
        ("CA", "Vacances", False),
        ("Compte rendu", "Le vélo de Paul", False),
    ],
)
def test_same_conversation(a: str, b: str, same: bool) -> None:
    assert same_conversation(a, b, prefix=PREFIX) is same
    assert same_conversation(b, a, prefix=PREFIX) is same


@pytest.mark.parametrize(
    "name",
    [
        "Monique", "Jean-Pierre d’Arc", "Nguyễn Văn Á", "山田 太郎", "Мария", "محمد\u200cعلی", "क्\u200dष", "Ольга 🌻",
        "Léa 👩\u200d👩\u200d👧", "O'Brien", "Dr. Müller (trésorier)", "Association “Les Amis”", "🌻",
    ],
)  # fmt: skip
def test_names_in_any_script_stay_intact(name: str) -> None:
    assert clean_display_name(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Mo\u200bni\u2060que", "Monique"),
        ("\u202eeuqinoM", "euqinoM"),
        ("Jean\u2066 Dupont\u2069", "Jean Dupont"),
        ("Jean\r\nBcc: tous", "Jean Bcc: tous"),
        ("Jean\x00\x07 D", "Jean D"),
        ("M\u00adonique", "Monique"),
        ("Mon\u200dique", "Monique"),
        ("z" + "\u0301" * 50, "ź" + "\u0301" * 3),
        ("\u3164\u115f", ""),
        ("\u2800 \u00a0", ""),
        ("...", ""),
        ("'Jean Dupont'", "Jean Dupont"),
        ('""Jean""', "Jean"),
        ("Jean <jean@example.org>", "Jean"),
        ("Jean (jean@example.org)", "Jean"),
        ("jean@example.org", ""),
        ("“jean@example.org”", ""),
        ("jean [at] example.org", ""),
        ("jean at example.org", ""),
        ("x" * 500, "x" * (MAX_NAME_CHARACTERS - 1) + "…"),
    ],
)
def test_names_that_deceive_or_tell_addresses(name: str, shown: str) -> None:
    assert clean_display_name(name) == shown


def test_a_local_part_is_no_name_when_it_looks_like_one() -> None:
    assert clean_display_name("j.dupont75", address="j.dupont75@example.org") == ""
    assert clean_display_name("monique", address="monique@example.org") == "monique"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_name_is_one_harmless_line(name: str) -> None:
    shown = clean_display_name(name)
    assert len(shown) <= MAX_NAME_CHARACTERS
    assert not any(c in shown for c in "\r\n\x00\u202e\u2066\u200b\u2028")
    shown.encode("utf-8")
