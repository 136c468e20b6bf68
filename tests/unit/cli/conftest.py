"""A configuration of one link, and a real store beside it, for commands that look into it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from passerelle import config
from passerelle.cli import app
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import NewInboxRow, NewOutboxRow
from passerelle.core.settings import Settings
from passerelle.store.engine import Store

T = TypeVar("T")
A, LINK = AssociationName("epeule"), LinkName("bureau")
AT = datetime(2026, 11, 12, 17, 30, tzinfo=UTC)
#: Commands that have commands below them.
GROUPS = ("inbox", "outbox", "archive", "privacy", "register", "meetings", "reminders", "digest", "fiche", "network")
SECRET_WORDS = "rendez-vous chez le notaire"
RAW = f"From: Jeanne <jeanne.dupont@example.org>\r\nSubject: {SECRET_WORDS}\r\n\r\n{SECRET_WORDS}\r\n".encode()

TOML = """
[matrix]
homeserver = "http://127.0.0.1:1"
user_id = "@passerelle:example.org"
password = "matrix s3cret"
[[mailboxes]]
address = "passerelle@example.org"
[mailboxes.imap]
host = "127.0.0.1"
port = 1
tls = "none"
[mailboxes.smtp]
host = "127.0.0.1"
port = 1
tls = "none"
[[associations]]
name = "epeule"
title = "Comité de quartier de l’Épeule"
coordinators = [{name = "Monique"}]
[[associations.links]]
name = "bureau"
room = "!room:example.org"
list = {address = "bureau@listes.example.org", subject_prefix = "[bureau]"}
"""


class Desk:
    """Where an administrator sits: the file, its store, and the commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "passerelle.toml"
        self.file.write_text(TOML, encoding="utf-8")
        self.file.chmod(0o600)

    @property
    def settings(self) -> Settings:
        return config.load(self.file)

    @property
    def url(self) -> str:
        return config.store_url(self.settings.store)

    def make_store(self) -> None:
        self.do(lambda store: asyncio.sleep(0), exclusive=True)

    def do(self, work: Callable[[Store], Awaitable[T]], *, exclusive: bool = False) -> T:
        """Have `work` done with the open store."""

        async def opened() -> T:
            store = await Store.open(self.url, exclusive=exclusive)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(opened())

    def write(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Have `work` done in one transaction."""

        async def written(store: Store) -> T:
            async with store.write() as conn:
                return await work(conn)

        return self.do(written)

    def run(self, *words: str) -> Result:
        """Run a command with the file."""
        group = 2 if words[0] in GROUPS else 1
        return CliRunner().invoke(app, [*words[:group], "--config", str(self.file), *words[group:]])


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("PASSERELLE_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def _in_2026(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of this year a moment is told without its year, and what these desks hold happened in 2026."""
    monkeypatch.setattr("passerelle.cli.opened.now", lambda: datetime(2026, 11, 21, 8, tzinfo=UTC))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """With an empty store."""
    made = Desk(tmp_path)
    made.make_store()
    return made


@pytest.fixture
def bare_desk(tmp_path: Path) -> Desk:
    """Without a store."""
    return Desk(tmp_path)


def arrival(key: str = "1:1", **other: Any) -> NewInboxRow:
    values: dict[str, Any] = {
        "source": "imap:main",
        "key": key,
        "kind": "email",
        "lane": "in:epeule/bureau",
        "raw": RAW + key.encode(),
        "size_bytes": len(RAW),
        "received_at": AT,
    }
    return NewInboxRow(**(values | other))


def departure(key: str = "mail:1", **other: Any) -> NewOutboxRow:
    values: dict[str, Any] = {
        "unique_key": key,
        "lane": "out:list:epeule/bureau",
        "kind": "email",
        "association": A,
        "link": LINK,
        "recipient": "bureau@listes.example.org",
        "mailbox": "main",
        "delivery_key": f"d-{key}",
        "created_at": AT,
        "due_at": AT,
        "give_up_at": AT + timedelta(days=2),
    }
    return NewOutboxRow(**(values | other))
