"""What people read is held to the code: links lead somewhere, names, tables and commands are those that exist.

`test_docs.py` looks after what is written from the code (configuration, commands); this file after what is written by
hand. Its tables are read by machine, so a document that falls behind the code fails here.
"""

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from typer.main import get_command

import passerelle
from passerelle.core.model import OutboxState
from passerelle.core.wording import french_spaces
from passerelle.steps import STEPS
from passerelle.store.tables import metadata
from tests.unit import test_architecture as imports

REPOSITORY = Path(__file__).parents[2]
PACKAGE = Path(passerelle.__file__).parent
DOCUMENTS = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")])
FRENCH = sorted((REPOSITORY / "docs" / "fr").glob("*.md"))
FOR_MEMBERS = [path for path in FRENCH if path.name.startswith("membre-")]

CODE = re.compile(r"```[^\n]*\n.*?```|`[^`\n]*`", re.DOTALL)
FENCE = re.compile(r"```(\w*)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def document(name: str) -> str:
    return read(REPOSITORY / "docs" / name)


def prose_of(path: Path) -> str:
    """A document without code, and without the targets of its links."""
    return LINK.sub("]", CODE.sub("¤", read(path)))


def spans_of(text: str) -> list[str]:
    """What stands between backticks, outside fences."""
    return re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, its own head left out."""
    section = re.split(r"\n#+ ", text.split(f"\n## {heading}\n", 1)[1])[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert len(lines) > 2, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


# ---------------------------------------------------------------- links


def anchors_of(path: Path) -> set[str]:
    """The anchors that a forge makes of headings (GitHub's rule)."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", read(path)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(CODE.sub("", read(path))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        assert target.is_relative_to(REPOSITORY), link
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_every_document_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md" or not path.exists():
            continue
        seen.add(path)
        links = [link.partition("#")[0] for link in LINK.findall(read(path)) if "://" not in link]
        waiting += [(path.parent / link).resolve() for link in links if link]
    assert seen >= set(DOCUMENTS)


# ---------------------------------------------------------------- commands


def commands_of(text: str) -> Iterator[list[str]]:
    """Each `passerelle …` that a reader would type, as the words behind it: in shell blocks, and in spans."""
    shell = [line for language, block in FENCE.findall(text) if language == "sh" for line in block.splitlines()]
    for line in (*shell, *spans_of(text)):
        typed = line.split("#")[0].rstrip("…. ")
        found = re.match(r"(?:runuser -u passerelle -- |\.venv/bin/)?passerelle (?=[a-z])", typed)
        if found:
            yield shlex.split(typed[found.end() :])


@cache
def command_tree() -> Any:
    from passerelle.cli import app

    return get_command(app)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_exist_and_take_these_options(path: Path) -> None:
    for words in commands_of(read(path)):
        command, rest = command_tree(), list(words)
        while hasattr(command, "commands") and rest:
            assert rest[0] in command.commands, f"passerelle {shlex.join(words)}"
            command = command.commands[rest.pop(0)]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        wrong = [word for word in rest if word.startswith("-") and word.partition("=")[0] not in known | {"--help"}]
        assert not wrong, f"passerelle {shlex.join(words)}"


def test_commands_of_the_installation_are_found() -> None:
    found = [words[0] for words in commands_of(read(REPOSITORY / "docs" / "fr" / "installer.md"))]
    assert {"init", "check", "confirm", "status", "backup", "restore", "outbox", "try"} <= set(found)


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_make_targets_exist(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", read(REPOSITORY / "Makefile"), re.MULTILINE))
    named = re.findall(r"(?:^|`)make ([a-z]+)", read(path), re.MULTILINE)
    assert set(named) <= targets


def test_readme_begins_with_the_two_commands() -> None:
    first = FENCE.search(read(REPOSITORY / "README.md"))
    assert first is not None
    assert read(REPOSITORY / "README.md")[: first.start()].strip() == "# Passerelle"
    assert [line.split("#")[0].strip() for line in first[2].splitlines()] == ["make demo", "make test"]


def test_readme_installs_what_the_unit_file_starts() -> None:
    unit = read(REPOSITORY / "config" / "passerelle.service")
    program = re.search(r"^ExecStart=(\S+) run --config (\S+)$", unit, re.MULTILINE)
    assert program is not None
    for page in (REPOSITORY / "README.md", REPOSITORY / "docs" / "fr" / "installer.md"):
        assert program[1] in read(page)
        assert program[2] in read(page)


# ---------------------------------------------------------------- names in the code


@cache
def names_in_the_code() -> frozenset[str]:
    """Everything that the package defines or says as one word: names, fields, and strings such as states."""
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        found |= {path.stem, path.parent.name}
        for node in ast.walk(ast.parse(read(path))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 80:
                found.add(node.value)
    return frozenset(found)


def defined_in(module: Path, names: list[str]) -> bool:
    """Whether a module defines `Class.method`, `function` or `CONSTANT`."""
    body: list[ast.stmt] = ast.parse(read(module)).body
    for name in names:
        found = next((node for node in body if name in _names_of(node)), None)
        if found is None:
            return False
        body = found.body if isinstance(found, ast.ClassDef) else []
    return True


def _names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    return set()


def is_there(span: str) -> bool:
    """Whether a span that looks like a name or a path stands for something in this repository."""
    if "*" in span:
        return any((REPOSITORY / where).glob(span.split()[0]) for where in ("", "passerelle"))
    if "/" in span or re.search(r"\.(py|md|toml|po|service|txt)$", span):
        return any((REPOSITORY / where / span).exists() for where in ("", "passerelle", "passerelle/mail"))
    first, *rest = span.split(".")
    if not rest:
        return span in names_in_the_code()
    for depth in range(len(rest) + 1):
        module = PACKAGE.joinpath(first, *rest[:depth]).with_suffix(".py")
        if module.is_file():
            return defined_in(module, rest[depth:])
    return PACKAGE.joinpath(first, *rest).is_dir()


NAME = re.compile(r"[A-Za-z_][\w./*-]*")
#: Names that stand in architecture.md and are not ours.
FOREIGN = frozenset({"m.thread", "/sync"})


def test_names_in_the_architecture_exist() -> None:
    spans = {span for span in spans_of(document("architecture.md")) if NAME.fullmatch(span)} - FOREIGN
    assert len(spans) > 100
    assert not {span for span in spans if not is_there(span)}


def test_modules_named_when_contributing_exist() -> None:
    spans = {
        span for span in spans_of(read(REPOSITORY / "CONTRIBUTING.md")) if re.fullmatch(r"[\w./]+\.(py|po|md)", span)
    }
    files = {path.name for path in PACKAGE.rglob("*")} | {path.name for path in REPOSITORY.rglob("docs/*.md")}
    assert spans
    assert not {s for s in spans if not ((REPOSITORY / s).exists() or ("/" not in s and s in files))}


@cache
def names_of_tests() -> frozenset[str]:
    found: set[str] = set()
    for path in (REPOSITORY / "tests").rglob("*.py"):
        found |= set(re.findall(r"def (test_\w+)", read(path)))
    return frozenset(found)


@pytest.mark.parametrize("name", ["traps.md", "matrix-transports.md", "mail-transports.md"])
def test_tests_named_for_traps_exist(name: str) -> None:
    named = {span for span in spans_of(document(name)) if span.startswith("test_")}
    assert not named - names_of_tests()


def test_every_trap_has_a_test() -> None:
    rows = [line for line in document("traps.md").splitlines() if line.startswith("| ") and "| trap |" not in line]
    assert len(rows) > 30
    assert not [row for row in rows if "`test_" not in row.rsplit("|", 2)[1]]


# ---------------------------------------------------------------- tables of architecture.md


def test_states_of_the_outbox_are_those_of_the_code() -> None:
    rows = rows_of(document("architecture.md"), "The outbox: states of a row")
    assert [spans_of(row[0])[0] for row in rows] == list(get_args(OutboxState))
    from passerelle.store import outbox

    #: A move's UPDATE says from which states it starts.
    allowed: dict[str, set[str]] = {state: set() for state in get_args(OutboxState)}
    for name, target in (
        ("_TO_SENDING", "sending"), ("_TO_SENT", "sent"), ("_TO_WAITING", "waiting"), ("_TO_FAILED", "failed"),
        ("_TO_UNKNOWN", "unknown"), ("_TO_CANCELLED", "cancelled"), ("_TO_RETRY", "waiting"),
    ):  # fmt: skip
        parameters = getattr(outbox, name).compile().params
        for value in parameters.values():
            for state in value if isinstance(value, list | tuple) else ():
                allowed[state] |= {target} - {state}
    assert {spans_of(row[0])[0]: set(spans_of(row[2])) & set(allowed) for row in rows} == allowed


def test_steps_are_those_of_the_code() -> None:
    rows = rows_of(document("architecture.md"), "The named steps")
    assert tuple(spans_of(row[0])[0] for row in rows) == STEPS


def test_tables_of_the_store_are_those_of_the_code() -> None:
    rows = rows_of(document("architecture.md"), "What is stored when")
    assert {spans_of(row[0])[0] for row in rows} == set(metadata.tables)


def _part(module: str) -> str:
    """The row of the import table that a module of ours belongs to."""
    first, _, rest = module.partition(".")
    if first not in ("mail", "matrix"):
        return first
    return f"{first} adapters" if f"{first}.{rest.split('.')[0]}" in imports.ADAPTERS else f"{first} pure"


def imports_in_the_code() -> dict[str, tuple[set[str], set[str]]]:
    """Of each part: which parts of ours it imports, and which third-party packages."""
    import sys

    found: dict[str, tuple[set[str], set[str]]] = {}
    for name, path in imports.MODULES.items():
        if not name or "migrations" in name:
            continue
        ours, theirs = found.setdefault(_part(name), (set(), set()))
        imported = imports.imports_of(path)
        ours |= {_part(module) for module in imports.internal(imported)}
        theirs |= {i.split(".")[0] for i in imported} - set(sys.stdlib_module_names) - {"passerelle", "__future__"}
    return found


def test_the_import_table_is_what_the_code_does() -> None:
    code = imports_in_the_code()
    rows = rows_of(document("architecture.md"), "Who may import what")
    told = {}
    for part, may, libraries in rows:
        # `mail` pure → mail pure
        parts = re.findall(r"`(\w+)`( pure| adapters)?", may)
        told[part.replace("`", "")] = (
            {name + kind for name, kind in parts},
            set() if libraries == "–" else set(libraries.split(", ")),
        )
    for part, (ours, theirs) in told.items():
        assert code[part][0] <= ours, part
        assert code[part][1] <= theirs, part
        # A library that nobody uses there any more is not named.
        assert theirs <= code[part][1], part


# ---------------------------------------------------------------- one word, one meaning


def test_no_word_of_the_glossary_is_doubled_in_the_code() -> None:
    rows = rows_of("\n## all\n" + document("glossary.md").split("\n", 1)[1], "all")
    forbidden = {span: row[0] for row in rows for span in spans_of(row[3])}
    assert len(rows) > 20
    defined: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(read(path))):
            name = getattr(node, "name", None) or getattr(node, "arg", None)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                name = node.id
            if isinstance(name, str):
                defined[name.lower().strip("_")] = f"{path.name}: {name}"
    assert not {defined[word]: f"say {forbidden[word]}" for word in forbidden if word in defined}


def test_no_module_has_a_name_that_says_nothing() -> None:
    line = next(line for line in document("glossary.md").splitlines() if line.startswith("Names that say nothing"))
    empty = set(spans_of(line))
    assert "utils" in empty
    assert not {path.stem for path in PACKAGE.rglob("*.py")} & empty


def test_members_never_read_our_words() -> None:
    jargon = re.compile(
        r"\b(Matrix|bridge|bot|batch|thread|inbox|outbox|IMAP|SMTP|homeserver|daemon|démon|serveur|configuration)\b",
        re.I,
    )
    for path in FOR_MEMBERS:
        assert not jargon.search(prose_of(path)), path.name


# ---------------------------------------------------------------- French


@pytest.mark.parametrize("path", FRENCH, ids=name_of)
def test_french_is_set_with_its_spaces_and_apostrophes(path: Path) -> None:
    for line in prose_of(path).splitlines():
        assert french_spaces(line) == line
        # Beside Markdown's marks too.
        assert not re.search(r"(?<=[^\s|]) [;!?»](?:\W|$)|(?<=[^\s|]) :(?:[*_|]|$)|« ", line), line
        assert not re.search(r"\w'\w", line), line
        assert not re.search(r'"', line), line
        assert "..." not in line, line


@pytest.mark.parametrize("path", FRENCH, ids=name_of)
def test_capitals_have_their_accents(path: Path) -> None:
    assert not re.search(r"\b(A (?=[a-zà-ÿ])|Etat|Etes|Ecri|Evit|Etape|Eteign|Ca )", prose_of(path))


@pytest.mark.parametrize("path", FOR_MEMBERS, ids=name_of)
def test_pages_for_members_are_short(path: Path) -> None:
    """One screen or sheet, one idea a sentence (PEOPLE 18)."""
    text = prose_of(path)
    assert len(text.split()) < 450
    prose = re.sub(r"[*#¤\]\[]", "", "\n".join(line for line in text.splitlines() if not line.startswith("|")))
    sentences = re.split(r"(?<=[.!?…])\s+|\n\n+", prose)
    assert not [s for s in sentences if len(re.findall(r"\w[\w’-]*", s)) > 22]


def test_every_page_in_french_is_offered_by_its_readme() -> None:
    page = read(REPOSITORY / "docs" / "fr" / "LISEZMOI.md")
    assert {path.name for path in FRENCH} - {"LISEZMOI.md"} <= set(LINK.findall(page))
