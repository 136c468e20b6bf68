"""Documentation is tested: every key and every command is explained, and what is made from the code is up to date."""

import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from typer.main import get_command

from passerelle import config, keys
from passerelle.core.settings import Settings

REPOSITORY = Path(__file__).parents[2]
WRITER = runpy.run_path(str(REPOSITORY / "scripts" / "write_docs.py"))


def models(model: type[BaseModel] = Settings) -> Iterator[tuple[type[BaseModel], str, Any]]:
    """Every field of every section, found without `passerelle.keys`."""
    for name, field in model.model_fields.items():
        yield model, field.alias or name, field
        found = keys.section_of(field.annotation)
        if found:
            yield from models(found[0])


FIELDS = sorted({(model.__name__, name): (model, name, field) for model, name, field in models()}.items())


def tables() -> list[keys.Table]:
    return [table for table in keys.all_tables(keys.describe()) if table.path]


# ---------------------------------------------------------------- configuration


@pytest.mark.parametrize("path", WRITER["documents"](), ids=lambda path: path.name)
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == WRITER["documents"]()[path], "run scripts/write_docs.py"


@pytest.mark.parametrize(("model", "name", "field"), [f for _, f in FIELDS], ids=[".".join(n) for n, _ in FIELDS])
def test_every_key_says_what_it_means(model: type[BaseModel], name: str, field: Any) -> None:
    assert field.description, f"{model.__name__}.{name} needs a sentence under it"
    assert field.description.strip().endswith(".")


def test_every_key_stands_on_the_page_with_type_default_and_example() -> None:
    page = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    sections = dict(part.split("`\n", 1) for part in page.split("\n## `")[1:])
    for model, name, field in models():
        if keys.section_of(field.annotation):
            continue
        # Of a section that stands in two places, both are looked at.
        places = [table for table in tables() if table.model is model]
        assert places, model
        for table in places:
            row = next(r for r in sections[keys.heading(table)].splitlines() if r.startswith(f"| `{name}` |"))
            cells = [cell.strip() for cell in row.replace("\\|", "¦").strip("|").split("|")]
            assert len(cells) == 5
            assert all(cells), row
            assert cells[4] not in ("`None`", "``", '`"None"`'), row


def test_every_key_stands_in_the_example_file() -> None:
    text = (REPOSITORY / "config" / "passerelle.example.toml").read_text(encoding="utf-8")
    active_or_not = {line.lstrip("#").partition(" = ")[0] for line in text.splitlines()}
    assert {name for _, name, field in models() if not keys.section_of(field.annotation)} <= active_or_not
    headings = {line.lstrip("#") for line in text.splitlines()}
    assert {keys.heading(table) for table in tables()} <= headings


def test_the_example_file_is_a_right_configuration() -> None:
    settings = config.load(REPOSITORY / "config" / "passerelle.example.toml")
    assert settings.associations[0].links[0].mailing_list.list_id == "bureau.listes.example.org"


@pytest.mark.parametrize(
    ("table", "key"),
    [pytest.param(table, key, id=key.path) for table in tables() for key in table.keys],
)
def test_every_example_and_default_is_accepted(table: keys.Table, key: keys.Key) -> None:
    for text in {key.example, key.default or key.example}:
        value = tomllib.loads(f"key = {text}")["key"]
        # The section as a whole may want more keys; this one must not be what is wrong.
        assert key.name not in _wrong_keys(table.model, {key.name: value})


def _wrong_keys(model: type[BaseModel], data: dict[str, object]) -> set[str]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        return {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    return set()


def test_the_folder_of_associations_in_the_docs_is_right(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs" / "configuration.md").read_text(encoding="utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    main = (REPOSITORY / "config" / "passerelle.example.toml").read_text(encoding="utf-8")
    (tmp_path / "passerelle.toml").write_text(main.partition("\n[[associations]]")[0], encoding="utf-8")
    (tmp_path / "associations.d").mkdir()
    (tmp_path / "associations.d" / "epeule.toml").write_text(example, encoding="utf-8")
    assert [a.name for a in config.load(tmp_path / "passerelle.toml").associations] == ["epeule"]


def test_toml_values_come_back_as_they_were() -> None:
    for value in ('a"b\\c', "é\u00a0« »\u202f!\n\t\x00", 9, 1_234_567, 0.5, 10.0, True, ["a", "b"], []):
        assert tomllib.loads(f"x = {keys.toml_value(value)}")["x"] == value


# ---------------------------------------------------------------- commands


def commands() -> list[Any]:
    from passerelle.cli import app

    return [pytest.param(name, command, id=name) for name, command in WRITER["all_commands"](get_command(app))]


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_command_has_help_with_an_example_and_stands_on_the_page(name: str, command: Any) -> None:
    assert command.help
    examples = [line for line in (command.epilog or "").split("\n\n") if line.startswith("$ ")]
    assert examples, f"{name} needs an example in its help"
    page = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
    if name != "passerelle":
        assert f"## `{name}`\n" in page
        assert all(example.removeprefix("$ ") in page for example in examples)
    for parameter in command.params:
        assert getattr(parameter, "help", ""), f"{name} {parameter.name} needs help"


@pytest.mark.parametrize(("name", "command"), commands())
def test_every_example_is_understood(name: str, command: Any) -> None:
    from passerelle.cli import app

    for line in (command.epilog or "").split("\n\n"):
        if not line.startswith("$ "):
            continue
        words = shlex.split(line.removeprefix("$ "))
        assert words[0] == "passerelle"
        # Parses the line down to its command without running it; raises where it does not fit.
        group, rest = get_command(app), words[1:]
        while hasattr(group, "commands"):
            assert rest, line
            group, rest = group.commands[rest[0]], rest[1:]
        with group.make_context(group.name, rest):
            pass


def test_help_ends_well_and_a_wrong_command_line_does_not() -> None:
    program = [sys.executable, "-c", "from passerelle.cli import main; main()"]
    for words, code in ((["--help"], 0), (["run", "--help"], 0), (["nothing"], 2), (["run", "--nothing"], 2)):
        done = subprocess.run([*program, *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stderr


# ---------------------------------------------------------------- files for the machine


def test_the_unit_file_is_one(tmp_path: Path) -> None:
    text = (REPOSITORY / "config" / "passerelle.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/passerelle/.venv/bin/passerelle run --config" in text
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        # The file is read in the same way everywhere; where systemd is, it is asked too.
        return
    unit = tmp_path / "passerelle.service"
    unit.write_text(text.replace("/opt/passerelle/.venv/bin/passerelle", "/bin/true"), encoding="utf-8")
    done = subprocess.run([verifier, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    complaints = [line for line in done.stderr.splitlines() if "passerelle.service" in line]
    assert complaints == []


def test_the_licence_is_the_agpls_full_text() -> None:
    text = (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    assert text.lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert "END OF TERMS AND CONDITIONS" in text
    assert len(text) == 34_523
