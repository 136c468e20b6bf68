"""The import table of docs/architecture.md, held: who may import what."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "passerelle"

#: Adapters: modules that do I/O, each with the third-party libraries that only it may know.
ADAPTERS = {
    "mail.imap", "mail.imap_erase", "mail.imap_session", "mail.imap_protocol", "mail.lmtp", "mail.smtp",
    "matrix.bot", "matrix.sync", "matrix.appservice", "matrix.transactions", "matrix.homeserver", "matrix.room_api",
    "matrix.ghosts", "matrix.direct", "matrix.login", "matrix.encryption", "matrix.media_repository",
    "matrix.own_events", "matrix.connection", "matrix.pushes", "matrix.probe", "matrix.answers",
    "matrix.power", "matrix.past", "matrix.past_keys", "matrix.look_back", "matrix.pages_back",
    "rosters.mailman",
}  # fmt: skip
#: Third-party libraries that do I/O or wait: never in a pure module.
IO_LIBRARIES = {
    "aiohttp", "aioimaplib", "aiosmtplib", "aiosmtpd", "nio", "sqlalchemy", "apscheduler", "asyncpg", "alembic",
}  # fmt: skip
#: What a pure module may not ask of the standard library: the clock, the network, files, chance.
IO_STDLIB = {"asyncio", "socket", "subprocess", "time", "random", "smtplib", "imaplib", "urllib.request", "sqlite3"}

#: What moves rows between the store, the flows and the transports.
LOOPS = {"delivery", "delivery_emails", "delivery_events", "intake", "dispatch", "schedule", "fetching", "lanes"}
ENTRY = {"daemon", "connections", "cli", "check", "init", "wiring", "__main__"}


def modules() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def internal(imports: set[str]) -> set[str]:
    return {name.removeprefix("passerelle.") for name in imports if name.startswith("passerelle.")}


def is_entry(name: str) -> bool:
    return name.split(".")[0].split("_")[0] in ENTRY


MODULES = dict(modules())


def part(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("name", MODULES)
def test_imports_keep_to_the_table(name: str) -> None:
    imported = imports_of(MODULES[name])
    inside = internal(imported)
    parts = {part(n) for n in inside}
    if part(name) == "core":
        assert parts <= {"core", "errors"}, "core knows nobody"
    if part(name) == "mail":
        assert not parts & {"matrix", "store", "flows"}, "mail meets matrix in a flow only"
    if part(name) == "matrix":
        assert not parts & {"mail", "store", "flows"}, "matrix meets mail in a flow only"
    if part(name) == "store":
        assert parts <= {"store", "core", "errors"}
    if part(name) == "imports":
        assert parts <= {"imports", "core", "errors", "i18n"}, "what an archive holds is nobody's business here"
    if part(name) == "documents":
        assert parts <= {"documents", "core", "errors", "render"}, "paper is made of values; who sends it is a flow's"
    if part(name) == "rosters":
        assert parts <= {"rosters", "mail", "core", "errors"}
    if part(name) == "flows":
        assert not {n for n in inside if n in ADAPTERS}, "a flow talks to transports by the outbox only"
        assert not {lib for lib in imported if lib.split(".")[0] in IO_LIBRARIES - {"sqlalchemy"}}
    if name in LOOPS:
        assert not {n for n in inside if n in ADAPTERS}, "transports come in through core.ports"


@pytest.mark.parametrize("name", [n for n in MODULES if part(n) in ("core", "mail", "matrix") and n not in ADAPTERS])
def test_pure_modules_do_no_io(name: str) -> None:
    imported = imports_of(MODULES[name])
    assert not {i for i in imported if i in IO_STDLIB or i.split(".")[0] in IO_LIBRARIES}, name


@pytest.mark.parametrize("name", [n for n in MODULES if not is_entry(n)])
def test_only_entries_import_the_daemon(name: str) -> None:
    assert "daemon" not in {part(n) for n in internal(imports_of(MODULES[name]))}


def test_no_module_is_longer_than_two_jobs() -> None:
    long = {n: p.read_text().count("\n") for n, p in MODULES.items() if "migrations" not in n}
    assert not {n: lines for n, lines in long.items() if lines > 410}


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = []
    for name, path in MODULES.items():
        if "migrations" in name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                size = (node.end_lineno or node.lineno) - node.lineno + 1
                if size > 60:
                    long.append(f"{name}.{node.name}: {size}")
    assert not long


def test_no_blind_except_but_at_the_loops_edges() -> None:
    edges = {"web.server", "mail.lmtp", "lanes", "dispatch", "delivery", "daemon", "intake"}
    # Of an import, where one mail after the other is read.
    edges |= {"flows.import_work"}
    blind = []
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            is_blind = isinstance(node, ast.ExceptHandler) and (
                node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
            )
            if is_blind and name not in edges and not any(isinstance(n, ast.Raise) for n in ast.walk(node)):
                blind.append(f"{name}:{node.lineno}")
    assert not blind


def test_stdlib_names_are_not_shadowed() -> None:
    top = {n for n in MODULES if "." not in n and n}
    assert not top & set(sys.stdlib_module_names) - {"__main__"}
