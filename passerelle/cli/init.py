"""`passerelle init`: asks, and writes a first configuration."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from passerelle import init as writing
from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, err, out
from passerelle.cli.questions import OPEN_NAMES, QUESTIONS, Question, build_answers, check_answer, settle
from passerelle.i18n import _
from passerelle.init import Secret
from passerelle.providers import find_provider

#: Passwords never stand on the command line, where other users of the machine see them.
PASSWORD_VARIABLES = {"mail_password": "PASSERELLE_MAIL_PASSWORD", "matrix_password": "PASSERELLE_MATRIX_PASSWORD"}
#: Where the daemon of config/passerelle.service may write.
STATE_FOLDER = Path("/var/lib/passerelle")


def init(
    file: ConfigOption = DEFAULT_CONFIG,
    answer: Annotated[
        list[str] | None,
        typer.Option(
            "--answer",
            "-a",
            metavar="NAME=TEXT",
            help=_("An answer given beforehand; may be repeated. Names: {names}.").format(names=", ".join(OPEN_NAMES)),
        ),
    ] = None,
    mail_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("File that holds the mailbox's password already."))
    ] = None,
    matrix_password_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help=_("File that holds the Matrix account's password already."))
    ] = None,
    non_interactive: Annotated[
        bool, typer.Option("--non-interactive", help=_("Ask nothing: take given answers, then defaults."))
    ] = False,
) -> None:
    given = _given(answer or [])
    secrets = _secrets(mail_password=mail_password_file, matrix_password=matrix_password_file)
    # A question that is answered by a file is settled, whatever its text.
    given |= {name: "-" for name, secret in secrets.items()}
    if file.exists():
        raise typer.BadParameter(_("{file} is there already, and is left as it is").format(file=file))
    if not non_interactive:
        given |= _ask(given)
    answers, problems = settle(given)
    if problems:
        raise typer.BadParameter("\n".join(problems))
    for name in PASSWORD_VARIABLES:
        secrets.setdefault(name, Secret(text=answers[name]))
    written = writing.write(file, build_answers(answers, **secrets), store_url=_store_url(file))
    _tell(file, written, answers)


def _given(pairs: list[str]) -> dict[str, str]:
    given = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in OPEN_NAMES:
            raise typer.BadParameter(_("--answer {pair}: give NAME=TEXT, where NAME is one of {names}").format(
                pair=pair, names=", ".join(OPEN_NAMES)))  # fmt: skip
        given[name] = text
    return given


def _secrets(**files: Path | None) -> dict[str, Secret]:
    secrets = {name: Secret(text=os.environ[v]) for name, v in PASSWORD_VARIABLES.items() if os.environ.get(v)}
    return secrets | {name: Secret(file=str(path.resolve())) for name, path in files.items() if path}


def _ask(given: Mapping[str, str]) -> dict[str, str]:
    answers: dict[str, str] = {}
    for question in QUESTIONS:
        if question.name in given:
            answers[question.name] = given[question.name]
            continue
        default = question.default(answers)
        if not question.asked(answers):
            answers[question.name] = default or ""
            continue
        answers[question.name] = _ask_one(question, default)
    return answers


def _ask_one(question: Question, default: str | None) -> str:
    while True:
        text = typer.prompt(question.text, default=default, hide_input=question.hidden, err=True)
        try:
            return check_answer(question, str(text))
        except ValueError as error:
            err().print(Text(f"  {error}"))


def _store_url(file: Path) -> str:
    """Beside the file; but /etc is no place for data, and the daemon may not write there."""
    if file.resolve().is_relative_to("/etc"):
        return f"sqlite:///{STATE_FOLDER}/passerelle.db"
    return "sqlite:///passerelle.db"


def _tell(file: Path, written: tuple[Path, ...], answers: Mapping[str, str]) -> None:
    console = out()
    for path in written:
        console.print(Text(_("Written: {file}").format(file=path)))
    steps = [
        _("Subscribe {address} to the list {list}, with every mail delivered.").format(
            address=answers["address"], list=answers["list_address"]
        ),
        _("Invite {user} to the room {room}.").format(user=answers["user_id"], room=answers["room"]),
        _("Then run: passerelle check --config {file}").format(file=file),
    ]
    provider = find_provider(answers["provider"])
    if provider and provider.note:
        steps.insert(0, _(provider.note))
    if os.geteuid() == 0:
        steps.insert(0, _("Give these files to the user that will run Passerelle (chown)."))
    for number, step in enumerate(steps, start=1):
        console.print(Text(f"{number}. {step}"))
