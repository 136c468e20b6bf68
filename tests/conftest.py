"""Real servers for every test that asks for one, started once, and the rule that CI skips nothing in silence."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

import lab.postgres
from lab.association import Association, AssociationPlan, Town, found_association
from lab.imap import ImapServer, Mailbox
from lab.mailman import MailingList, Mailman
from lab.matrix_client import ChatMember
from lab.postgres import Postgres
from lab.smtp import MailServer
from lab.synapse import Synapse

REPOSITORY = Path(__file__).resolve().parent.parent
ALLOWED_SKIPS = Path(__file__).with_name("allowed_skips.txt")


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of sample mails that are read in place and never copied."""
    folder = Path(os.environ.get("PASSERELLE_CORPORA", REPOSITORY.parent / "shared" / "corpora"))
    if not folder.is_dir():
        pytest.skip("no corpora: set PASSERELLE_CORPORA")
    return folder


@pytest.fixture(scope="session")
def town_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the session's servers: their logs are there when a test has failed."""
    return tmp_path_factory.mktemp("town")


@pytest.fixture(scope="session")
def _town(town_state: Path) -> Town:
    # Not started as a whole: a test that asks for one server does not wait for the others.
    return Town(town_state)


@pytest.fixture(scope="session")
def synapse(_town: Town) -> Iterator[Synapse]:
    """A Matrix homeserver."""
    with _town.synapse as server:
        yield server


@pytest.fixture(scope="session")
def imap_server(_town: Town) -> Iterator[ImapServer]:
    """An IMAP server with its mails in memory."""
    with _town.imap as server:
        yield server


@pytest.fixture(scope="session")
def _mail_server(_town: Town) -> Iterator[MailServer]:
    with _town.mail as server:
        yield server


@pytest.fixture
def mail_server(_mail_server: MailServer) -> Iterator[MailServer]:
    """An SMTP server; after each test it behaves again."""
    yield _mail_server
    _mail_server.set_faults()
    _mail_server.accept_connections()


@pytest.fixture(scope="session")
def mailman(_town: Town, _mail_server: MailServer) -> Iterator[Mailman]:
    """A list server behind the SMTP server."""
    with _town.mailman as server:
        _town.wire()
        yield server


@pytest.fixture
def town(_town: Town, synapse: Synapse, imap_server: ImapServer, mail_server: MailServer, mailman: Mailman) -> Town:
    """All four servers, wired to each other."""
    return _town


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A throw-away PostgreSQL: ``postgres.create_database()`` gives the URL of an empty database."""
    if reason := lab.postgres.unavailable():
        pytest.skip(reason)
    with Postgres(tmp_path_factory.mktemp("postgres") / "postgres.log") as server:
        yield server


@pytest.fixture
def suffix() -> str:
    """What makes this test's names its own on servers that all tests share."""
    return "-" + uuid.uuid4().hex[:8]


@pytest.fixture
def make_mailbox(
    _town: Town, imap_server: ImapServer, mail_server: MailServer, suffix: str
) -> Callable[[str], Mailbox]:
    """Makes a fresh address with an empty mailbox: ``make_mailbox("jean")``."""
    return lambda localpart: _town.add_mailbox(localpart + suffix)


@pytest.fixture
def make_list(mailman: Mailman, suffix: str) -> Callable[..., MailingList]:
    """Makes a fresh list: ``make_list("bureau", {"subject_prefix": "[bureau] "})``."""

    def make(name: str = "liste", settings: dict[str, object] | None = None) -> MailingList:
        return mailman.create_list(name + suffix, settings)

    return make


@pytest.fixture
async def make_chat_member(synapse: Synapse, suffix: str) -> AsyncIterator[Callable[[str], Awaitable[ChatMember]]]:
    """Makes a fresh, logged-in chat member: ``lea = await make_chat_member("lea")``."""
    async with AsyncExitStack() as stack:

        async def make(localpart: str) -> ChatMember:
            return await stack.enter_async_context(ChatMember(synapse.register(localpart + suffix)))

        yield make


@pytest.fixture
async def room(make_chat_member: Callable[[str], Awaitable[ChatMember]]) -> tuple[ChatMember, str]:
    """A fresh private room: its maker and its id."""
    maker = await make_chat_member("salon")
    return maker, await maker.create_room("Salon d’essai")


@pytest.fixture
async def association(town: Town, suffix: str) -> Association:
    """A fresh association with its list, mailboxes, accounts and room; the bot is invited."""
    return await found_association(town, AssociationPlan(suffix=suffix))


def _allowed_skips() -> list[str]:
    lines = ALLOWED_SKIPS.read_text().splitlines()
    return [line.partition("|")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


def _forbidden_skip(node_id: str) -> bool:
    if os.environ.get("PASSERELLE_NO_SKIPS") != "1":
        return False
    return not any(node_id.startswith(allowed) for allowed in _allowed_skips())


def _reason(long_representation: object) -> str:
    return str(long_representation[2]) if isinstance(long_representation, tuple) else str(long_representation)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI allows none (an expected failure is not a skip)."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _forbidden_skip(item.nodeid):
        report.outcome = "failed"
        report.longrepr = f"skipped, and not in {ALLOWED_SKIPS.name}: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if report.skipped and _forbidden_skip(collector.nodeid):
        report.outcome = "failed"
        report.longrepr = f"skipped, and not in {ALLOWED_SKIPS.name}: {_reason(report.longrepr)}"
    return report
