"""What the French pages let people write is understood, as what they say it is."""

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from passerelle.core.answers import parse_answers
from passerelle.core.commands import Command, parse_command, parse_mail_command
from passerelle.core.grammar_help import command_rows
from passerelle.core.register_line_notes import EntryNote
from passerelle.core.register_lines import parse_notes
from passerelle.render import load_words

FOLDER = Path(__file__).parents[3] / "docs" / "fr"
NOW, ZONE = datetime(2026, 11, 4, 10, tzinfo=UTC), ZoneInfo("Europe/Paris")
#: Of each page: what it lets one write, and what that is. `!`: a line of the room; `mail`: the subject of a mail to the
#: bridge; `note`: a line of any post; `answer`: in reply to what the bridge said.
PAGES = {
    "membre-courriel.md": {
        "décision : louer la salle": "note decision",
        "action : @Léa relancer la mairie": "note action",
        "je viens": "answer rsvp yes",
        "je ne pourrai pas": "answer rsvp no",
        "Mme Haddad viendra": "answer rsvp yes",
        "objection": "answer objection",
        "c'est fait": "answer done",
        "rattrapage depuis mardi": "mail catch_up",
        "rattrapage depuis le début": "mail catch_up",
        "réunion jeudi 18h30": "mail meeting",
        "résumé hebdomadaire": "mail digest",
    },
    "membre-salon.md": {
        "décision : louer la salle": "note decision",
        "action : @Karim apporter les clés pour jeudi": "note action",
        "!cherche budget fête": "! search",
        "!réunion jeudi 18h30 au local": "! meeting",
        "!rappel jeudi 9h apporter les clés": "! remind",
        "je viens": "answer rsvp yes",
        "je ne peux pas": "answer rsvp no",
        "objection": "answer objection",
        "!fait 12": "! done",
        "!résumé hebdomadaire": "! digest",
        "!rattrapage depuis mardi": "! catch_up",
        "!décisions": "! decisions",
        "!actions": "! actions",
        "!aide": "! help",
    },
    "coordination.md": {
        "adoptée": "answer adopt",
        "adopter 7": "mail adopt",
        "abandonnée": "answer drop",
        "abandonner 7": "mail drop",
        "remplacer 7 par 9": "mail replace",
        "revoir 7 le 3 mars": "mail review",
        "approuvé": "answer approve",
        "approuver 4": "mail approve",
        "s/150 €/180 €/": "answer correction",
        "corriger s/150 €/180 €/": "mail correct",
        "déplacer réunion 4 au jeudi 19 à 18h": "mail move",
        "annuler réunion 4": "mail cancel",
        "annuler rappel 2": "mail cancel",
        "12": "answer choice",
        "Mme Haddad viendra": "answer rsvp yes",
        "pour Mme Haddad : objection": "answer objection",
        "excusée : Annie": "mail excuse",
        "décisions": "mail decisions",
        "actions": "mail actions",
        "dates": "mail dates",
        "rattrapage depuis lundi": "mail catch_up",
        "résumé chaque jour": "mail digest",
        "pause 2 semaines": "mail digest_pause",
        "stop": "mail digest_stop",
    },
    "passation.md": {
        "annuler réunion 4": "mail cancel",
        "annuler rappel 2": "mail cancel",
    },
}  # fmt: skip
#: Spans that are not for people to write to the bridge: keys of the configuration, signs of the room.
_OTHER = re.compile(r"[a-z]+_[a-z_]+( = .*)?|policy = .*|//|!|hors-archive:")


def shown_on(page: str) -> set[str]:
    """What a page puts between backticks for people to write: in tables, and amid sentences."""
    text = re.sub(r"```.*?```", "", (FOLDER / page).read_text(encoding="utf-8"), flags=re.DOTALL)
    spans = set(re.findall(r"`([^`\n]+)`", text))
    paths = {span for span in spans if span.startswith(("/", "passerelle ", "systemctl", "rm ", "install "))}
    return {span for span in spans - paths if not _OTHER.fullmatch(span)}


def by_mail(subject: str) -> object:
    """What a mail to the bridge with that subject is."""
    return parse_mail_command(subject, now=NOW, zone=ZONE)


@pytest.mark.parametrize("page", PAGES)
def test_all_that_a_page_lets_one_write_is_tried(page: str) -> None:
    shown = shown_on(page)
    assert set(PAGES[page]) - shown == set()
    if page != "passation.md":  # whose other spans are for the machine
        assert shown - set(PAGES[page]) == set()


@pytest.mark.parametrize(
    ("text", "meant"), sorted({(text, meant) for page in PAGES.values() for text, meant in page.items()})
)
def test_what_a_page_lets_one_write_means_what_it_says(text: str, meant: str) -> None:
    way, what, *more = meant.split()
    if way == "note":
        (note,) = parse_notes(text, kinds=(), now=NOW, zone=ZONE)
        assert isinstance(note, EntryNote)
        assert note.kind == what
    elif way == "answer":
        (answer,) = parse_answers(text)
        assert answer.kind == what
        assert answer.is_bare
        assert [answer.rsvp] == (more or [None])
    else:
        command = parse_command(text, now=NOW, zone=ZONE) if way == "!" else by_mail(text)
        assert isinstance(command, Command)
        assert command.name == what


def test_words_are_passed_on_for_whom_the_page_says() -> None:
    for text in ("Mme Haddad viendra", "pour Mme Haddad : objection"):
        (answer,) = parse_answers(text)
        assert answer.said_for == ("Mme Haddad",)
        assert not answer.for_self


@pytest.mark.parametrize(
    "example", [help.examples[0] for row, help in command_rows(load_words("fr")) if "mail" in row.where]
)
def test_what_the_table_shows_is_a_command_by_mail_as_the_page_says(example: str) -> None:
    """Behind `!` as it stands there; without it, some words need the colon."""
    assert isinstance(by_mail(f"!{example}"), Command)
    with_colon = example if " " not in example else re.sub(" ", " : ", example, count=1)
    assert isinstance(by_mail(example), Command) or isinstance(by_mail(with_colon), Command)
