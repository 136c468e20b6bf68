"""Masking the addresses of third persons in the original (PEOPLE.md 4)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.mail.trim_addresses import elide_addresses, mask_addresses

MAIL = """Écris-moi à lea@exemple.fr.

Le lun. 3 mars 2025 à 14:05, Jean Dupont <jean.dupont@exemple.fr> a écrit :
> Bonjour, vois avec paul@exemple.fr [mailto:paul@exemple.fr].
>> De : <x.y+z@sous.exemple.fr>
"""


def test_addresses_in_quotes_and_attributions_are_masked_and_the_authors_own_stay() -> None:
    shown = elide_addresses(MAIL, mask="adresse masquée")
    assert "Écris-moi à lea@exemple.fr." in shown
    assert "Jean Dupont <adresse masquée> a écrit :" in shown
    assert "> Bonjour, vois avec adresse masquée [adresse masquée]." in shown
    assert shown.count("@") == 1


def test_headers_without_quote_marks_are_masked_to_the_end() -> None:
    text = "Vu.\n\nDe : J <j@exemple.fr>\nEnvoyé : lundi\nÀ : b@exemple.fr\nObjet : x\n\nRéponds à k@exemple.fr\n"
    assert "@" not in elide_addresses(text, mask="…")


def test_what_is_no_address_stays() -> None:
    assert mask_addresses("@ 5 euros, a@ et @b", mask="X") == "@ 5 euros, a@ et @b"
    assert mask_addresses("fin : jean@exemple.fr.", mask="X") == "fin : X."
    assert mask_addresses("a@b.fr@c.fr", mask="X").count("@") <= 1


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab@<>. \n:", max_size=200))
def test_a_quote_without_at_signs_between_letters_is_left_as_it_is(text: str) -> None:
    plain = text.replace("@", "")
    assert elide_addresses(plain) == plain
    assert mask_addresses(text, mask="").count("@") <= text.count("@")
