"""Two daemons on one PostgreSQL share digests that are due at once: each is made once, also where one dies half way."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from benchmarks.digest_towns import DUE, fill, settings_of
from lab.postgres import Postgres
from lab.process import REPOSITORY
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.store.engine import Store
from passerelle.wiring import build_context

ASSOCIATIONS = 80
#: A bound, not a measure.
DEADLINE_SECONDS = 120

pytestmark = pytest.mark.postgres


async def prepare(url: str) -> None:
    """Every association has its week, and a coordinator whose digest is due."""
    store = await Store.open(url, exclusive=True)
    try:
        await fill(store, ASSOCIATIONS, seed=7)
        built = build_context(settings_of(ASSOCIATIONS, url), store, upload_limit_bytes=lambda: 50_000_000)
        ctx = replace(built, now=lambda: DUE - timedelta(days=6))
        assert await subscribe_coordinators(ctx, configured_digests(ctx, ctx.settings)) == ASSOCIATIONS
    finally:
        await store.close()


class DutyProcess:
    """A daemon that has nothing to do but digests; it never outlives the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    @asynccontextmanager
    async def running(cls, url: str) -> AsyncIterator[DutyProcess]:
        command = [sys.executable, "-m", "tests.e2e.digest_duty", url, str(ASSOCIATIONS)]
        process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            assert await asyncio.wait_for(process.stdout.readline(), DEADLINE_SECONDS) == b"ready\n"
            yield cls(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def kill(self) -> None:
        self._process.kill()
        assert await self._process.wait() == -signal.SIGKILL

    async def made(self) -> int:
        """How many digests it made; ends it."""
        self._process.terminate()
        assert self._process.stdout is not None
        lines = (await self._process.stdout.read()).decode().split()
        await self._process.wait()
        return sum(map(int, lines))


async def until(conn: asyncpg.Connection, query: str, at_least: int) -> None:
    """Wait until a query counts so many."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (found := await conn.fetchval(query)) < at_least:
        assert time.monotonic() < deadline, f"{found} of {at_least}: {query}"
        await asyncio.sleep(0.01)


BUSY = "SELECT count(DISTINCT pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
DIGESTS = "SELECT count(*) FROM digest"


@asynccontextmanager
async def both(url: str, conn: asyncpg.Connection) -> AsyncIterator[tuple[DutyProcess, DutyProcess]]:
    """Two daemons that have each claimed a share: neither stores a digest before the other is there."""
    gate = conn.transaction()
    await gate.start()
    await conn.execute("LOCK TABLE digest IN EXCLUSIVE MODE")
    async with DutyProcess.running(url) as first, DutyProcess.running(url) as second:
        await until(conn, BUSY, 2)
        await gate.commit()
        yield first, second


async def all_is_made_once(conn: asyncpg.Connection) -> None:
    await until(conn, DIGESTS, ASSOCIATIONS)
    await until(
        conn, f"SELECT count(*) - ({BUSY.replace('count(DISTINCT pid)', 'count(*)')}) FROM digest", ASSOCIATIONS
    )
    for query in (
        DIGESTS,
        "SELECT count(DISTINCT (association, reader)) FROM digest WHERE kind = 'coordinator'",
        "SELECT count(*) FROM outbox",
        "SELECT count(DISTINCT recipient) FROM outbox WHERE kind = 'email' AND state = 'waiting'",
        "SELECT count(DISTINCT message_id) FROM outbox",
        "SELECT count(DISTINCT (association, person_id)) FROM digest_shown",
        "SELECT count(*) FROM digest_subscription s JOIN digest d ON d.association = s.association"
        " AND d.person_id = s.person_id AND s.told_until = d.until AND s.next_at > d.until",
    ):
        assert await conn.fetchval(query) == ASSOCIATIONS, query


@pytest.mark.parametrize("then", ["the other goes on", "it is started again"])
async def test_each_digest_is_made_once_also_when_a_daemon_dies(postgres: Postgres, then: str) -> None:
    url = postgres.create_database().replace("+asyncpg", "")
    await prepare(url)
    conn = await asyncpg.connect(url)
    try:
        async with both(url, conn) as (first, second):
            await until(conn, DIGESTS, ASSOCIATIONS // 4)
            await first.kill()
            before = await conn.fetchval(DIGESTS)
            assert before < ASSOCIATIONS, "it was over before anybody was killed"
            if then == "it is started again":
                async with DutyProcess.running(url) as third:
                    await all_is_made_once(conn)
                    by_others = await second.made() + await third.made()
            else:
                await all_is_made_once(conn)
                by_others = await second.made()
            assert 0 < by_others < ASSOCIATIONS, "one made all"
            await all_is_made_once(conn)
    finally:
        await conn.close()


async def test_two_daemons_share_what_is_due(postgres: Postgres) -> None:
    url = postgres.create_database().replace("+asyncpg", "")
    await prepare(url)
    conn = await asyncpg.connect(url)
    try:
        async with both(url, conn) as (first, second):
            await all_is_made_once(conn)
            made = [await first.made(), await second.made()]
            assert sum(made) == ASSOCIATIONS
            assert all(made)
    finally:
        await conn.close()
