"""A person's name replaced in the register and in minutes, and nobody else's words with it."""

from datetime import UTC, datetime

import pytest

from passerelle.core.minutes_model import (
    AgendaItem,
    Attendee,
    Excerpt,
    LeftCorrection,
    Minutes,
    MinutesEntry,
    MinutesObjection,
    Presence,
    Proxy,
    Topic,
)
from passerelle.core.pseudonyms import (
    Pseudonym,
    is_called,
    phrases_of,
    pseudonym_of,
    says,
    texts_in,
    unname,
    with_texts,
    without_entries,
    without_person,
)

ROSE = pseudonym_of(["Rose Petit"], "une personne")


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("demander à Rose Petit les clés", "demander à une personne les clés"),
        ("demander à ROSE  PETIT", "demander à une personne"),
        ("Petit Rose : excusée", "Une personne : excusée"),
        ("la clé de Rose Petit", "la clé d’une personne"),
        ("Rose Petit relance. Rose Petit paie.", "Une personne relance. Une personne paie."),
        ("@Rose Petit relance", "Une personne relance"),
        ("Mme Rose Petit préside", "Une personne préside"),
        ("on sait que Rose Petit vient", "on sait qu’une personne vient"),
        ("Rose-Marie Petit", "Rose-Marie Petit"),
        ("une rose, un petit rien", "une rose, un petit rien"),
        ("Rose vient", "Rose vient"),
        ("Rose est là. Petit rappel.", "Rose est là. Petit rappel."),
        ("", ""),
    ],
)
def test_whole_names_go_anywhere(text: str, without: str) -> None:
    assert unname(text, ROSE) == without


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("@Rose relance la mairie", "Une personne relance la mairie"),
        ("à faire par Rose", "à faire par une personne"),
        ("une rose rouge", "une rose rouge"),
        ("salle Sainte-Rose", "salle Sainte-Rose"),
        ("Rose-Marie vient", "Rose-Marie vient"),
        ("demander à Mme Petit", "demander à une personne"),
        ("Petit rappel : la salle", "Petit rappel : la salle"),
        ("la voiture de Madame Petit", "la voiture d’une personne"),
        ("@rose et @paul", "Une personne et @paul"),
        ("l'avis de Rose, puis Rose Petit", "l'avis d’une personne, puis une personne"),
    ],
)
def test_parts_of_a_name_go_where_the_text_is_about_them(text: str, without: str) -> None:
    assert unname(text, ROSE, whole_only=False) == without


def test_what_somebody_else_is_called_too_stays() -> None:
    who = pseudonym_of(["Annie Vidal"], "une personne", others=["Paul Vidal", "Annie Roux"])
    assert unname("Annie et Mme Vidal, Annie Vidal", who, whole_only=False) == "Annie et Mme Vidal, une personne"
    assert not is_called("Annie", who)


def test_a_title_is_no_first_name() -> None:
    who = pseudonym_of(["Mme Haddad"], "une personne")
    assert unname("Mme Paul et Mme Haddad", who, whole_only=False) == "Mme Paul et une personne"
    assert unname("à Haddad", who, whole_only=False) == "à une personne"
    assert is_called("Haddad", who)
    assert not is_called("Mme", who)


def test_another_language_has_no_elision() -> None:
    assert unname("the key of Rose Petit", pseudonym_of(["Rose Petit"], "a member")) == "the key of a member"


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("Rose Petit", True), ("petit rose", True), ("ROSE", True), ("Mme Petit", True), ("Mme Rose", True),
        ("Petit", False), ("Rose et Paul", False), ("", False), ("Paul", False),
    ],
)  # fmt: skip
def test_who_is_meant_by_a_name_alone(text: str, called: bool) -> None:
    assert is_called(text, ROSE) is called


def test_a_name_of_one_word_is_theirs_and_one_of_two_letters_is_no_name() -> None:
    who = pseudonym_of(["Léa", "Al"], "une personne")
    assert is_called("lea", who)
    assert not is_called("Al", who)
    assert unname("Léa et Al passent", who, whole_only=False) == "Une personne et Al passent"
    assert unname("Léa passe", who) == "Léa passe"


def test_nobody_is_called_so() -> None:
    assert unname("Rose Petit", Pseudonym(mark="x", names=frozenset())) == "Rose Petit"


def test_phrases_are_found_over_line_breaks_and_short_ones_are_nobodys() -> None:
    phrases = phrases_of(["Louer la salle", "oui", "l'école", ""])
    assert says("Décision 3 : LOUER la\nsalle (Paul)", phrases)
    assert says("à l’ecole", phrases)
    assert not says("louer une salle, oui", phrases)


AT = datetime(2026, 3, 12, 18, tzinfo=UTC)
MINUTES = Minutes(
    association="Maison Rose",
    title="Bureau",
    number=2,
    zone="Europe/Paris",
    starts_at=AT,
    chair="Rose Petit",
    secretary="Paul",
    presence=Presence(
        present=(Attendee(name="Rose"), Attendee(name="Mme Haddad", said_by="Rose Petit")),
        represented=(Proxy(giver="Annie", holder="Rose"),),
    ),
    decisions=(
        MinutesEntry(
            kind="decision",
            number=2,
            text="remercier Rose et louer la salle",
            author="Rose",
            objections=(MinutesObjection(name="Rose", reason="trop cher"), MinutesObjection(name="Paul", reason="non")),
        ),
        MinutesEntry(kind="decision", number=3, text="rien", names=("Rose", "Paul")),
    ),
    agenda=(AgendaItem(text="point", number=3),),
    topics=(
        Topic(
            title="Salle",
            excerpts=(
                Excerpt(author="Rose", said_at=AT, text="je crois"),
                Excerpt(author="Paul", said_at=AT, text="si"),
            ),
        ),
    ),
    corrections_left=(LeftCorrection(by="Rose Petit", text="il manque"), LeftCorrection(by="Paul", text="ceci")),
)


def test_minutes_without_a_person_keep_what_was_decided() -> None:
    before = MINUTES.to_json()
    after = Minutes.from_json(without_person(before, ROSE, "[…]"))
    assert before == MINUTES.to_json()
    assert (after.association, after.chair, after.secretary) == ("Maison Rose", "une personne", "Paul")
    assert [(one.name, one.said_by) for one in after.presence.present] == [
        ("une personne", ""),
        ("Mme Haddad", "une personne"),
    ]
    assert after.presence.represented == (Proxy(giver="Annie", holder="une personne"),)
    assert after.decisions[0].text == "remercier une personne et louer la salle"
    assert after.decisions[0].author == "une personne"
    assert [(one.name, one.reason) for one in after.decisions[0].objections] == [
        ("une personne", "[…]"),
        ("Paul", "non"),
    ]
    assert after.decisions[1].names == ("une personne", "Paul")
    assert [(one.author, one.text) for one in after.topics[0].excerpts] == [("une personne", "[…]"), ("Paul", "si")]
    assert [(one.by, one.text) for one in after.corrections_left] == [("une personne", "[…]"), ("Paul", "ceci")]


def test_minutes_without_some_entries() -> None:
    after = Minutes.from_json(without_entries(MINUTES.to_json(), {3}))
    assert after.number == 2
    assert [one.number for one in after.decisions] == [2]
    assert after.agenda == ()
    assert Minutes.from_json(without_entries(MINUTES.to_json(), set())) == MINUTES


def test_texts_of_a_document() -> None:
    document = {"a": "un", "b": [{"c": "deux"}, "trois", 4, None], "kind": "date"}
    assert sorted(texts_in(document)) == ["date", "deux", "trois", "un"]
    assert with_texts(document, str.upper) == {"a": "UN", "b": [{"c": "DEUX"}, "TROIS", 4, None], "kind": "date"}
