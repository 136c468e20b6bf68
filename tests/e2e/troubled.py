"""One small association whose daemon reaches every server through a proxy that a test can make fail."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.association import Association, AssociationPlan, Servers, found_association
from lab.audit import Witnessed, settle
from lab.daemon import Daemon, write_configuration
from lab.ledger import Findings, nothing
from lab.process import wait_until
from lab.proxy import TcpProxy
from tests.e2e.conversation import Conversation

DEADLINE_SECONDS = 90


@dataclass(kw_only=True)
class Trouble:
    """An association, what is said in it, its daemon, and the proxies between the daemon and its servers."""

    association: Association
    talk: Conversation
    daemon: Daemon
    imap: TcpProxy
    smtp: TcpProxy
    homeserver: TcpProxy

    @property
    def store(self) -> Path:
        return self.daemon.configuration.with_name("passerelle.db")

    @property
    def list_address(self) -> str:
        return self.association.mlist.address

    async def settled(self) -> Findings:
        """What is wrong once nothing moves any more."""
        links = [Witnessed(association=self.association, ledger=self.talk.ledger)]
        return await settle(links, self.store, deadline_seconds=DEADLINE_SECONDS)

    async def expect_all_well(self) -> None:
        """Every mail once in the room, every line once in each mailbox, in order; nothing given up."""
        assert await self.settled() == nothing()

    async def log_says(self, words: str) -> None:
        """Wait until the daemon's log says something."""
        await eventually(lambda: words in self.daemon.log.read_text(errors="replace"), what=f"the log's “{words}”")


async def eventually(probe: Callable[[], object], *, what: str, deadline_seconds: float = DEADLINE_SECONDS) -> Any:
    """Wait in a thread until `probe` returns something true."""
    return await asyncio.to_thread(wait_until, probe, what=what, deadline_seconds=deadline_seconds, pause_seconds=0.2)


@asynccontextmanager
async def troubled(
    town: Servers,
    folder: Path,
    *,
    link: Mapping[str, object] | None = None,
    timeouts: Mapping[str, float] | None = None,
    log: Path | None = None,
    before: Callable[[Association], None] = lambda _: None,
) -> AsyncIterator[Trouble]:
    """Found an association, start its daemon, have it confirmed, and wait until everything is quiet.

    :param before: done with the association before the daemon starts.
    """
    plan = AssociationPlan(
        suffix=f"-{folder.name}-{uuid.uuid4().hex[:6]}",
        mail_members={"monique": "Monique Delattre", "paul": "Paul Lefebvre"},
        chat_members={"lea": "Léa", "karim": "Karim"},
    )
    association = await found_association(town, plan)
    await asyncio.to_thread(before, association)
    box = association.bridge_mailbox
    homeserver_port = int(association.bot.homeserver.rpartition(":")[2])
    async with TcpProxy(box.port) as imap, TcpProxy(town.mail.port) as smtp, TcpProxy(homeserver_port) as homeserver:
        configuration = write_configuration(
            folder,
            association,
            link={"echo_wait_minutes": 0.15, "quiet_minutes": 0.03, **(link or {})},
            imap=("127.0.0.1", imap.port),
            smtp=("127.0.0.1", smtp.port),
            homeserver=f"http://127.0.0.1:{homeserver.port}",
            timeouts=timeouts,
        )
        daemon = Daemon(configuration)
        daemon.log = log or daemon.log
        async with daemon:
            await asyncio.to_thread(daemon.confirm, deadline_seconds=DEADLINE_SECONDS)
            trouble = Trouble(
                association=association,
                talk=Conversation(association=association),
                daemon=daemon,
                imap=imap,
                smtp=smtp,
                homeserver=homeserver,
            )
            assert await trouble.settled() == nothing()
            yield trouble
