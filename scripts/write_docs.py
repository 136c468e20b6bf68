"""Writes what is made from the code: the tables of docs/configuration.md, docs/cli.md, docs/commands.md and of its
French sisters, and the examples in config/.

    .venv/bin/python scripts/write_docs.py

What stands above the marker in a page is written by hand and stays. tests/unit/test_docs.py fails where a file is not
what this writes.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

# Help texts are looked up when the modules are imported.
os.environ["LANGUAGE"] = "en"

from typer.main import get_command

from passerelle import keys
from passerelle.cli import app
from passerelle.core.command_row import CommandRow
from passerelle.core.grammar_help import answer_rows, command_rows, line_rows
from passerelle.core.permissions import NEEDS
from passerelle.core.settings import AppserviceSettings, MatrixSettings
from passerelle.core.spoken_words import plain
from passerelle.core.wording import french_spaces
from passerelle.matrix.registration import registration_yaml
from passerelle.render import load_words

REPOSITORY = Path(__file__).resolve().parent.parent
MARKER = "<!-- What follows is written by scripts/write_docs.py. -->\n"

EXAMPLE_HEAD = """Passerelle: an example of a configuration, with every key.

`passerelle init` writes one for you after a few questions. Lines that begin with `#` and a key show the default, or an
example where there is none: take the `#` away to change it. Every key is explained in docs/configuration.md.
Look whether all is right with: passerelle check --config passerelle.toml"""

EXAMPLE: Mapping[str, Any] = {
    "store": {"url": "sqlite:////var/lib/passerelle/passerelle.db"},
    "log": {},
    "matrix": {
        "homeserver": "https://matrix.example.org",
        "user_id": "@passerelle:example.org",
        "password_file": "secrets/matrix",
    },
    "mailboxes": [
        {
            "address": "passerelle@example.org",
            "imap": {
                "host": "imap.example.org",
                "username": "passerelle@example.org",
                "password_file": "secrets/mailbox",
            },
            "smtp": {
                "host": "smtp.example.org",
                "username": "passerelle@example.org",
                "password_file": "secrets/mailbox",
            },
        }
    ],
    "associations": [
        {
            "name": "epeule",
            "title": "Comité de quartier de l’Épeule",
            "coordinators": [{"name": "Monique", "address": "monique@example.org"}],
            "links": [
                {
                    "name": "bureau",
                    "room": "!AbCdEfGhIjKlMnOp:example.org",
                    "list": {
                        "address": "bureau@listes.example.org",
                        "list_id": "bureau.listes.example.org",
                        "subject_prefix": "[bureau]",
                    },
                }
            ],
        }
    ],
}


def documents() -> dict[Path, str]:
    """Every file that is made, and what it has to be."""
    matrix = MatrixSettings(
        homeserver="https://matrix.example.org", user_id="@passerelle:example.org", appservice=AppserviceSettings()
    )
    return {
        REPOSITORY / "docs" / "configuration.md": _below("configuration.md", keys.render_page()),
        REPOSITORY / "docs" / "cli.md": _below("cli.md", "\n".join(_commands())),
        REPOSITORY / "docs" / "commands.md": _below("commands.md", "\n".join(_grammar_in_english())),
        REPOSITORY / "docs" / "fr" / "commandes.md": _below("fr/commandes.md", "\n".join(_commands_in_french())),
        REPOSITORY / "docs" / "fr" / "registre.md": _below("fr/registre.md", "\n".join(_register_in_french())),
        REPOSITORY / "config" / "passerelle.example.toml": keys.render_toml(EXAMPLE, head=EXAMPLE_HEAD),
        REPOSITORY / "config" / "registration.example.yaml": registration_yaml(
            matrix, as_token="change me: a long secret", hs_token="change me: another long secret"
        ),
    }


def _below(name: str, made: str) -> str:
    path = REPOSITORY / "docs" / name
    by_hand = path.read_text(encoding="utf-8").partition(MARKER)[0]
    return f"{by_hand}{MARKER}\n{made}"


def all_commands(command: Any, words: tuple[str, ...] = ("passerelle",)) -> Iterator[tuple[str, Any]]:
    """Every command with its full name, groups too."""
    yield " ".join(words), command
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from all_commands(inner, (*words, name))


def _commands() -> Iterator[str]:
    for name, command in all_commands(get_command(app)):
        if name == "passerelle" or command.hidden:
            continue
        yield f"## `{name}`\n"
        yield f"{command.help}\n"
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            yield "| | meaning | default |\n|---|---|---|"
            yield from rows
            yield ""
        examples = [line.removeprefix("$ ") for line in (command.epilog or "").split("\n\n") if line.startswith("$ ")]
        if examples:
            yield "```sh\n" + "\n".join(examples) + "\n```\n"


def _row(parameter: Any) -> str:
    words = ", ".join(f"`{word}`" for word in parameter.opts if word.startswith("-"))
    metavar = parameter.metavar or ""
    if not words:
        words, metavar = f"`{metavar or parameter.name.upper()}`", ""
    default = parameter.default
    shown = "–" if default in (None, False) or parameter.required else f"`{default}`"
    if parameter.envvar:
        shown += f"; or `{parameter.envvar}` in the environment"
    return f"| {words}{f' `{metavar}`' if metavar else ''} | {parameter.help} | {shown} |"


# ---------------------------------------------------------------- what people can write


def _grammar_in_english() -> Iterator[str]:
    words = load_words("en")
    yield "## Commands\n"
    yield "Who may: the key of `permissions` in the [configuration](configuration.md); – where there is none.\n"
    yield "| command | example | what it does | other words | where | who may |\n|---|---|---|---|---|---|"
    for row, help in command_rows(words):
        others = _others(help.words[0], [*help.words[1:], *row.french])
        need = NEEDS[row.act].key if row.act else None
        where = ", ".join(place for place in ("room", "mail") if place in row.where)
        yield (
            f"| `{help.words[0]}`{_form(help.form)} | `{help.examples[0]}` | {help.what} | {others} | {where} "
            f"| {f'`{need}`' if need else '–'} |"
        )
    yield "\n## Lines of the register\n"
    yield "| example | what it notes | English words | French words |\n|---|---|---|---|"
    for help, french in zip(line_rows(words), line_rows(load_words("fr")), strict=True):
        yield f"| `{help.examples[0]}` | {help.what} | {_spans(help.words)} | {_spans(french.words)} |"
    yield "\n## Answers\n"
    yield "| what is meant | English, for example | French, for example |\n|---|---|---|"
    for help, french in zip(answer_rows(words), answer_rows(load_words("fr")), strict=True):
        yield f"| {help.what} | {_spans(help.examples)} | {_spans(french.examples)} |"
    yield ""


def _commands_in_french() -> Iterator[str]:
    yield "## Toutes les commandes\n"
    yield "| Vous écrivez | Par exemple | À quoi ça sert | Autres mots | Où |\n|---|---|---|---|---|"
    for row, help in command_rows(load_words("fr")):
        yield (
            f"| `{help.words[0]}`{_form(french_spaces(help.form))} | `{help.examples[0]}` | {help.what} "
            f"| {_others(help.words[0], [*help.words[1:], *row.english])} | {_where_in_french(row)} |"
        )
    yield ""


def _where_in_french(row: CommandRow) -> str:
    names = {"room": "salon", "mail": "courriel"}
    return ", ".join(name for place, name in names.items() if place in row.where)


def _register_in_french() -> Iterator[str]:
    words = load_words("fr")
    yield "## Tout ce qui se note\n"
    yield "| Vous écrivez | C’est | Autres mots |\n|---|---|---|"
    for help, english in zip(line_rows(words), line_rows(load_words("en")), strict=True):
        yield f"| `{help.examples[0]}` | {help.what} | {_others(help.words[0], [*help.words[1:], *english.words])} |"
    yield "\n## Tout ce qui se répond\n"
    yield "| Vous répondez | Nous comprenons |\n|---|---|"
    for help in answer_rows(words):
        yield f"| {_spans(help.examples)} | {help.what} |"
    yield ""


def _form(form: str) -> str:
    return f" *{form}*" if form and "/" not in form else f" `{form}`" if form else ""


def _spans(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in dict.fromkeys(words)) or "–"


def _others(first: str, words: Iterable[str]) -> str:
    """Other words for `first`, each once: the same with an accent less is not told."""
    told = {plain(first): first}
    for word in words:
        told.setdefault(plain(word), word)
    return _spans(list(told.values())[1:])


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
