"""What somebody is called by."""

from __future__ import annotations

import pytest

from passerelle.core.first_names import called, first_name


@pytest.mark.parametrize(
    ("name", "first", "greeted"),
    [
        ("Monique Delattre", "Monique", "Monique"),
        ("LAMBERT Paul", "Paul", "Paul"),
        ("LE GOFF Anne-Marie", "Anne-Marie", "Anne-Marie"),
        ("Mme Haddad", "", "Mme Haddad"),
        ("M. Karim Benali", "", "M. Karim Benali"),
        ("Léa", "Léa", "Léa"),
        ("LÉA", "LÉA", "LÉA"),
        ("J. Dupont", "J.", "J. Dupont"),
        ("", "", ""),
    ],
)
def test_how_somebody_is_called(name: str, first: str, greeted: str) -> None:
    assert (first_name(name), called(name)) == (first, greeted)
