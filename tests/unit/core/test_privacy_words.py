"""What people write who want to see, take out or erase what is theirs."""

import pytest

from passerelle.core.privacy_words import PrivacyWish, parse_privacy_wish

ASKED = "Re: Voulez-vous effacer vos messages ?"


@pytest.mark.parametrize(
    "text",
    ["Oui", "OUI !", "oui merci", "Oui, je confirme.", "Bonjour,\n\noui", "Oui. Monique", "Oui, effacez tout svp"],
)
def test_a_yes_is_a_yes_however_polite(text: str) -> None:
    assert parse_privacy_wish(ASKED, text) == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "Non",
        "oui mais pas tout",
        "Oui, n’effacez rien",
        "Je ne dis pas oui",
        "ouistiti",
        "Oui ? Que se passe-t-il si je dis oui ?",
    ],
)
def test_a_doubt_erases_nothing(text: str) -> None:
    assert parse_privacy_wish(ASKED, text) is None


@pytest.mark.parametrize(
    ("subject", "text", "wish"),
    [
        ("Mes données", "", "access"),
        ("Supprimez mes données, merci", "", "erase"),
        ("Effacer tous mes messages", "Bonjour", "erase"),
        ("Re: Loto", "Supprimez ce message svp", "hide"),
        ("Re: Loto", "Retirer", "hide"),
        ("retirer", "On peut retirer les lots demain", None),
        ("Loto", "Supprimer mes messages du répondeur", None),
    ],
)
def test_wishes(subject: str, text: str, wish: PrivacyWish | None) -> None:
    assert parse_privacy_wish(subject, text) == wish
