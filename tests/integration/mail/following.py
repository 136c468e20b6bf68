"""Runs an ImapMailbox as the daemon does, and keeps what it handed over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Self

from lab.imap import Mailbox
from passerelle.core.ports import ConnectionState, EmailArrivals, ImapCursor, RawEmail
from passerelle.core.settings import ImapSettings
from passerelle.mail.imap import ImapMailbox


async def eventually(condition: Callable[[], object], *, deadline_seconds: float = 30) -> None:
    until = time.monotonic() + deadline_seconds
    while not condition():
        assert time.monotonic() < until, "not within the deadline"
        await asyncio.sleep(0.005)


def settings_of(mailbox: Mailbox, **changes: Any) -> ImapSettings:
    values = {"host": mailbox.host, "port": mailbox.port, "tls": "none", "username": mailbox.user}
    return ImapSettings(**(values | changes))


class Follower:
    """``async with Follower(settings, password) as follower``: follows until the block ends.

    As a store would, it refuses a cursor that does not follow on the one it has.
    """

    def __init__(
        self,
        settings: ImapSettings,
        password: str | None = "lab-password",
        *,
        cursor: ImapCursor | None = None,
        wanted: Callable[[bytes], bool] = lambda header: True,
        email_limit_bytes: int = 1_000_000,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.cursor = cursor
        self.arrivals: list[EmailArrivals] = []
        self.states: list[ConnectionState] = []
        #: Raised once each, instead of storing.
        self.errors: list[Exception] = []
        self._mailbox = ImapMailbox(
            settings,
            password,
            source="main",
            wanted=wanted,
            email_limit_bytes=email_limit_bytes,
            now=now,
            on_state=self.states.append,
        )
        self.task: asyncio.Task[Any] | None = None

    async def on_emails(self, arrivals: EmailArrivals) -> None:
        if self.errors:
            raise self.errors.pop(0)
        assert arrivals.before == self.cursor
        self.arrivals.append(arrivals)
        self.cursor = arrivals.after

    @property
    def emails(self) -> list[RawEmail]:
        return [email for arrivals in self.arrivals for email in arrivals.emails]

    @property
    def foreign(self) -> int:
        return sum(arrivals.foreign for arrivals in self.arrivals)

    async def until(self, condition: Callable[[], object], *, deadline_seconds: float = 30) -> None:
        assert self.task is not None
        task = self.task
        await eventually(lambda: condition() or task.done(), deadline_seconds=deadline_seconds)
        if task.done():
            await task

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self._mailbox.follow(self.cursor, self.on_emails))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.task is not None
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task
