"""Commands of the room and of mails to the bridge: one table, one grammar, and the nearest right form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.command_arguments import NoteArguments
from passerelle.core.command_heads import CommandHead, UnknownCommand, find_command
from passerelle.core.command_row import CommandName, CommandRow
from passerelle.core.command_table import COMMANDS, WORDS
from passerelle.core.commands import Command, parse_command, parse_mail_command
from passerelle.core.grammar_help import command_rows
from passerelle.core.permissions import NEEDS
from passerelle.core.register_lines import parse_notes
from passerelle.core.spoken_words import plain
from passerelle.errors import CommandProblem
from passerelle.render import load_words
from tests.unit.core.grammar_cases import KINDS, NOW, ZONE, cases, shown

REPOSITORY = Path(__file__).parents[3]


def outcome(found: Command | UnknownCommand | None) -> Any:
    if isinstance(found, Command):
        return {"name": found.name, **shown(found.arguments)}
    return None if found is None else {"unknown": found.name, "nearest": found.nearest}


def of_problem(problem: CommandProblem) -> Any:
    return {"problem": problem.kind, "suggestion": problem.suggestion}


@pytest.mark.parametrize("case", cases("commands.json"), ids=lambda case: case["said"])
def test_a_line_of_the_room(case: dict[str, Any]) -> None:
    try:
        found = outcome(parse_command(case["said"], now=NOW, zone=ZONE, kinds=KINDS))
    except CommandProblem as problem:
        found = of_problem(problem)
    assert found == case["means"]


@pytest.mark.parametrize("case", cases("mail_commands.json"), ids=lambda case: f"{case['subject']}|{case['text']}")
def test_a_mail_to_the_bridge(case: dict[str, Any]) -> None:
    try:
        found = outcome(parse_mail_command(case["subject"], case["text"], now=NOW, zone=ZONE, kinds=KINDS))
    except CommandProblem as problem:
        found = of_problem(problem)
    assert found == case["means"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("!lien", ("link", "")),
        ("  !LIEN ", ("link", "")),
        ("!link", ("link", "")),
        ("！lien", ("link", "")),
        ("!cherche réunion de mars", ("search", "réunion de mars")),
        ("!Cherche\u00a0budget", ("search", "budget")),  # a phone's no-break space
        ("!chèrche  budget ", ("search", "budget")),
        ("!search\nbudget", ("search", "budget")),
        ("!réunion:jeudi 18h", ("meeting", "jeudi 18h")),
        ("!compte rendu 4", ("minutes", "4")),
    ],
)
def test_the_word_and_what_stands_behind_it(body: str, expected: tuple[str, str]) -> None:
    found = find_command(body)
    assert isinstance(found, CommandHead)
    assert (found.name, found.rest) == expected


@pytest.mark.parametrize("body", ["!", "!!!", "! lien", "!super", "lien", "voilà !lien", "", "!?", "!non", "Quoi !"])
def test_an_exclamation_is_a_line_like_any_other(body: str) -> None:
    assert parse_command(body, now=NOW, zone=ZONE) is None


def test_a_very_long_word_is_no_command() -> None:
    assert find_command("!" + "a" * 1_000_000) is None


def examples() -> Iterator[Any]:
    for row in COMMANDS:
        for said in (row.example_french, row.example_english):
            yield pytest.param(row, said, id=said)


@pytest.mark.parametrize(("row", "said"), list(examples()))
def test_every_example_is_understood(row: CommandRow, said: str) -> None:
    in_room = parse_command(f"!{said}", now=NOW, zone=ZONE)
    assert isinstance(in_room, Command)
    # « !décision … » notes one.
    assert in_room.name == row.name or (in_room.name == "note" and isinstance(in_room.arguments, NoteArguments))
    by_mail = parse_mail_command(f"!{said}", now=NOW, zone=ZONE)
    assert by_mail == in_room


@pytest.mark.parametrize("row", [row for row in COMMANDS if "mail" in row.where], ids=lambda row: row.name)
def test_by_mail_the_mark_may_be_left_out(row: CommandRow) -> None:
    said = row.example_french
    word = next(word for word in sorted(row.french, key=len, reverse=True) if said.startswith(word))
    rest = said.removeprefix(word)
    # Where a subject could be any subject, a colon makes it a command.
    for subject in (said, f"{word} :{rest}") if rest else (said,):
        found = parse_mail_command(subject, now=NOW, zone=ZONE)
        if isinstance(found, Command):
            assert found.name in (row.name, "note")
            break
    else:
        pytest.fail(f"{said} is no command")


def test_each_word_means_one_command() -> None:
    seen: dict[str, CommandName] = {}
    for row in COMMANDS:
        for word in {plain(word) for word in (*row.french, *row.english)}:
            assert seen.setdefault(word, row.name) == row.name, word
    assert set(seen) == set(WORDS)
    assert {row.name for row in COMMANDS} == set(get_args(CommandName))


def test_every_command_can_be_said_somewhere_and_is_judged_by_the_permissions() -> None:
    assert all(row.where and row.where <= {"room", "mail"} for row in COMMANDS)
    assert {row.act for row in COMMANDS} - {None} <= set(NEEDS)
    # What decides is never left to anyone.
    assert {row.name for row in COMMANDS if row.act is None} == {"quiet", "link", "fiche_disagree", "help"}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_command_is_explained_by_one_short_sentence(language: Any) -> None:
    rows = list(command_rows(load_words(language)))
    assert len(rows) == len(COMMANDS)
    assert not [help.what for _, help in rows if len(help.what.split()) > 15 or not help.what.endswith(".")]


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize(
    "case",
    [case for case in cases("commands.json") if "problem" in (case["means"] or {})],
    ids=lambda case: case["said"],
)
def test_what_is_wrong_is_said_with_a_form_that_is_right(case: dict[str, Any], language: Any) -> None:
    with pytest.raises(CommandProblem) as caught:
        parse_command(case["said"], now=NOW, zone=ZONE, kinds=KINDS)
    assert load_words(language)(f"command_wrong_{caught.value.kind}", **caught.value.values)
    assert isinstance(parse_command(caught.value.suggestion, now=NOW, zone=ZONE, kinds=KINDS), Command)


PAGES = [REPOSITORY / "docs" / name for name in ("commands.md", "fr/commandes.md", "fr/registre.md")]
#: What pages show as no command.
NONE = {"!", "!!!", "!super", "!reunoin jeudi 18h30"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_pages_show_is_understood(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    spans = set(re.findall(r"`(![^`\n]*)`", text)) - NONE
    assert spans or page.name != "commandes.md"
    for span in spans:
        assert isinstance(parse_command(span, now=NOW, zone=ZONE), Command), span
    for block in re.findall(r"```\n(.*?)```", text, re.DOTALL):
        assert parse_notes(block, now=NOW, zone=ZONE), block


def tried(said: str, subject: str = "", text: str = "") -> Any:
    """What a line, and a mail, mean, or the form that they are told to use."""
    try:
        parse_mail_command(subject, text, now=NOW, zone=ZONE, kinds=KINDS)
        return parse_command(said, now=NOW, zone=ZONE, kinds=KINDS)
    except CommandProblem as problem:
        return problem.suggestion


@given(st.text(max_size=300))
def test_nothing_raises_but_its_own_problem(text: str) -> None:
    for word in ("", "!", "!réunion ", "!rappel ", "!déplacer ", "!objection ", "!revoir "):
        assert tried(f"{word}{text}", f"{word}{text}", text) != ""


@given(st.sampled_from(sorted(WORDS)), st.text(alphabet="abc 123:/!éh,.'", max_size=40))
def test_every_word_with_anything_behind_it_is_a_command_or_is_put_right(word: str, rest: str) -> None:
    assert tried(f"!{word} {rest}")
