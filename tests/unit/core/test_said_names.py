"""Names, spellings and polite words around what is said."""

import pytest

from passerelle.core.phrases import Phrases, part_of
from passerelle.core.polite_words import is_polite, signature_of, without_greeting
from passerelle.core.replacements import Replacement, parse_replacement, parse_replacements
from passerelle.core.said_names import is_name, is_proper_name, known_at, mentions_in, names_in
from passerelle.core.spoken_words import bare_words, numbers_in, plain


@pytest.mark.parametrize(
    "name",
    [
        "Léa",
        "léa",
        "Mme Haddad",
        "M. Dupont",
        "Jean-Pierre de La Tour",
        "O'Brien",
        "Anne Marie",
        "Zoë",
        "Nguyễn Văn An",
    ],
)
def test_a_name_is_one(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "text",
    ["tout le monde", "je viens", "12 personnes", "Bonne journée", "Personne", "Jeudi", "", "M.", "Léa avant",
     "la mairie", "Quelqu'un", "a@b.fr", "Léa et Karim et tous les autres de la liste"],
)  # fmt: skip
def test_what_is_no_name(text: str) -> None:
    assert not is_name(text)


def test_a_proper_name_has_its_capital_or_its_title() -> None:
    assert is_proper_name("Léa")
    assert is_proper_name("mme Haddad")
    assert not is_proper_name("léa")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Léa, Karim et Paul", ("Léa", "Karim", "Paul")),
        ("@Léa & @Karim", ("Léa", "Karim")),
        ("Léa et Léa", ("Léa",)),
        ("Mme Haddad ; M. B.", ("Mme Haddad", "M. B")),
        (" , ", ()),
    ],
)
def test_an_enumeration(text: str, names: tuple[str, ...]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("text", "known", "names"),
    [
        ("@Léa et @Karim", (), ["Léa", "Karim"]),
        ("@Léa Martin relancer", ("Léa Martin",), ["Léa Martin"]),
        ("@Mme Haddad appeler", (), ["Mme Haddad"]),
        ("[Léa](https://matrix.to/#/@lea:x.org) et @paul:x.org", (), ["Léa", "@paul:x.org"]),
        ("lea@exemple.org, @ 18h, @12", (), []),
    ],
)
def test_names_with_an_at(text: str, known: tuple[str, ...], names: list[str]) -> None:
    assert [mention.name for mention in mentions_in(text, known)] == names


def test_a_known_name_by_its_first_word_whatever_its_accents() -> None:
    found = known_at("lea, relancer", 0, ["Léa Martin"])
    assert found is not None
    assert (found.name, found.has_at) == ("lea", False)
    assert known_at("Léandre", 0, ["Léa Martin"]) is None
    assert known_at("Léa-Marie", 0, ["Léa"]) is None
    assert known_at("Haddad", 0, ["Mme Haddad"]) is None


@pytest.mark.parametrize(
    "text", ["présent·e·s", "Présent.e.s", "présent-e-s", "présent(e)s", "PRÉSENT/E/S", "présents·es", "présents"]
)
def test_inclusive_endings_are_one(text: str) -> None:
    assert plain(text) == "presents"


def test_other_spellings() -> None:
    assert plain("Compte-Rendu  ") == "compte rendu"
    assert plain("présente") == "presente"
    assert bare_words("Oui, merci ! (l’été)") == "oui merci l'ete"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("12", (12,)), ("12 et 14", (12, 14)), ("n° 7, #9", (7, 9)), ("la 12 et la 14", (12, 14)), ("12 12", (12,)),
     ("12 personnes", ()), ("", ()), ("et", ()), ("0612345678", ())],
)  # fmt: skip
def test_numbers_alone(text: str, numbers: tuple[int, ...]) -> None:
    assert numbers_in(text) == numbers


@pytest.mark.parametrize(
    "text",
    ["Merci beaucoup", "Bonne journée à tous", "Bien à vous", "merci et bonne soirée", "À jeudi", ":-)", "Bises", ""],
)
def test_what_is_only_polite(text: str) -> None:
    assert is_polite(text)


@pytest.mark.parametrize("text", ["Merci de ne plus m'écrire", "Bonne idée", "oui", "À voir", "Bon, je viens"])
def test_what_says_something(text: str) -> None:
    assert not is_polite(text)


def test_greetings_and_signatures() -> None:
    assert without_greeting("Bonjour Monique, je viens") == "je viens"
    assert without_greeting("Bonjour à toutes et tous, oui") == "oui"
    assert without_greeting("Bonjour Oui") == "Oui"
    assert without_greeting("Bonjour Monique, Mme Haddad viendra") == "Mme Haddad viendra"
    assert signature_of("  Annie et Paul ") == "Annie et Paul"
    assert signature_of("Bonne journée") == ""
    assert signature_of("on verra bien") == ""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("s/ancien/nouveau/", ("ancien", "nouveau")),
        ("s|a/b|c/d|", ("a/b", "c/d")),
        ("s/un\\/deux/trois/g", ("un/deux", "trois")),
        ("s/ôter//", ("ôter", "")),
        ("remplacez « Lea » par « Léa ».", ("Lea", "Léa")),
        ("s'il vous plaît", None),
        ("sans/sous", None),
        ("s/a/a/", None),
        ("s/a/b/c/d", None),
        ("s/" + "a" * 2000 + "/b/", None),
    ],
)
def test_corrections(line: str, found: tuple[str, str] | None) -> None:
    assert parse_replacement(line) == (None if found is None else Replacement(old=found[0], new=found[1]))


def test_several_corrections_and_what_else_is_said() -> None:
    found, others = parse_replacements("Bonjour,\ns/a b/c d/\nMerci\ns|x y|z|")
    assert [one.old for one in found] == ["a b", "x y"]
    assert others == "Bonjour,\nMerci"


def test_the_notation_of_phrases() -> None:
    phrases = Phrases("[oui] je (viens|{later})\nfait {n}\nje m'oppose …", {"later": "viendrai\nserai la"})
    assert all(phrases.match(words) for words in ("je viens", "oui je viendrai", "je serai la", "fait", "je m'oppose"))
    assert not any(
        phrases.match(words) for words in ("viens", "je viens demain", "oui oui je viens", "fait divers", "")
    )
    found = phrases.match("fait 12 et 14")
    assert found is not None
    assert part_of(found, "n") == "12 et 14"
    found = phrases.match("je m'oppose a cela")
    assert found is not None
    assert part_of(found, "rest") == "a cela"
