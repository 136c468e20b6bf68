"""A mail whose fate nobody knows waits for its echo: it is sent again when none has come, and never while one may."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lab.association import Association, AssociationPlan, Town, found_association
from lab.audit import Witnessed, settle
from lab.daemon import Daemon, write_configuration
from lab.ledger import nothing
from lab.matrix_client import ChatMember
from lab.process import wait_until
from lab.proxy import TcpProxy
from tests.e2e.conversation import Conversation
from tests.e2e.test_crash_steps import KILLED

DEADLINE_SECONDS = 60
_LINK = {"echo_wait_minutes": 0.1, "quiet_minutes": 0.02}


@pytest.fixture
async def small(town: Town, suffix: str) -> Association:
    """One who writes mail, one who chats."""
    plan = AssociationPlan(
        suffix=suffix, mail_members={"monique": "Monique Delattre"}, chat_members={"lea": "Léa", "karim": "Karim"}
    )
    return await found_association(town, plan)


async def _begin(configuration: Path, links: list[Witnessed]) -> None:
    """Have the link confirmed, and the list known as one that gives echoes."""
    async with Daemon(configuration) as daemon:
        await asyncio.to_thread(daemon.confirm)
        store = configuration.with_name("passerelle.db")
        assert await settle(links, store, deadline_seconds=DEADLINE_SECONDS) == nothing()


async def _die_at(configuration: Path, step: str) -> None:
    async with Daemon(configuration, environment={"PASSERELLE_CRASH_AT": step}) as daemon:
        assert daemon.process is not None
        assert await asyncio.to_thread(daemon.process.wait, deadline_seconds=DEADLINE_SECONDS) == KILLED


def _wait_is_over(store: Path) -> bool:
    """Whether the mail of unknown fate has waited for its echo as long as it is to."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        found = database.execute("SELECT min(due_at) FROM outbox WHERE state = 'unknown'").fetchone()[0]
    return found is not None and found / 1e6 < time.time()


async def test_no_mail_is_sent_again_while_its_echo_may_wait_in_the_mailbox(small: Association, tmp_path: Path) -> None:
    talk = Conversation(association=small)
    links = [Witnessed(association=small, ledger=talk.ledger)]
    async with TcpProxy(small.bridge_mailbox.port) as proxy, small.chat("lea") as lea:
        configuration = write_configuration(tmp_path, small, link=_LINK, imap=(small.bridge_mailbox.host, proxy.port))
        store = configuration.with_name("passerelle.db")
        await _begin(configuration, links)
        await talk.say(lea)
        await _die_at(configuration, "mail_given")
        await proxy.refuse()
        async with Daemon(configuration):
            await asyncio.to_thread(
                wait_until, lambda: _wait_is_over(store), what="the wait for the echo", deadline_seconds=30
            )
            # What leaves now would leave behind the mail that is sent again.
            later = await talk.say(lea)
            await talk.seen_in_mailbox("monique", later.word)
            await proxy.accept()
            assert await settle(links, store, deadline_seconds=DEADLINE_SECONDS) == nothing()


async def test_a_daemon_that_died_before_a_mail_left_has_not_sent_it(small: Association, tmp_path: Path) -> None:
    talk = Conversation(association=small)
    links = [Witnessed(association=small, ledger=talk.ledger)]
    configuration = write_configuration(tmp_path, small, link=_LINK)
    await _begin(configuration, links)
    async with small.chat("lea") as lea:
        await talk.say(lea)
    for step in ("mail_claimed", "mail_claimed", "mail_begun"):
        await _die_at(configuration, step)
    async with Daemon(configuration):
        store = configuration.with_name("passerelle.db")
        assert await settle(links, store, deadline_seconds=DEADLINE_SECONDS) == nothing()


async def test_a_new_device_looks_before_it_sends_an_event_again(small: Association, tmp_path: Path) -> None:
    """Transaction ids are a device's own: under another one the homeserver would take the same event a second time."""
    talk = Conversation(association=small)
    links = [Witnessed(association=small, ledger=talk.ledger)]
    configuration = write_configuration(tmp_path, small, link=_LINK)
    store = configuration.with_name("passerelle.db")
    await _begin(configuration, links)
    await talk.write("monique", has_file=True)
    await _die_at(configuration, "event_put")
    await _log_out(small, store)
    async with Daemon(configuration):
        assert await settle(links, store, deadline_seconds=DEADLINE_SECONDS) == nothing()


async def _log_out(association: Association, store: Path) -> None:
    """End the session that the daemon keeps, as a homeserver's administrator may."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as database:
        kept = database.execute("SELECT value FROM meta WHERE key = 'matrix_session'").fetchone()[0]
    account = replace(association.bot, access_token=json.loads(kept)["access_token"])
    async with ChatMember(account) as bot:
        await bot.call("POST", "logout", {})
