"""The servers of the benchmarks, the rooms of both sides, and the daemon configured for all lists at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from benchmarks.mails import LIST_DOMAIN, list_name
from lab.daemon import Daemon
from lab.imap import ImapServer, Mailbox
from lab.matrix_client import ChatMember
from lab.process import NotReadyError, Server
from lab.smtp import MailServer
from lab.synapse import Account, Synapse
from passerelle import config
from passerelle.core.settings import Settings
from passerelle.flows.consent import confirm_link
from passerelle.flows.context import FlowContext
from passerelle.store.engine import Store
from passerelle.wiring import build_context, resolve_known_rooms

ASSOCIATION = "bench"
BRIDGE_ADDRESS = "passerelle@bench.test"
BARE_ADDRESS = "nu@bench.test"

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of two equal halves: the account that sends, its rooms (one a list), and its mailbox."""

    account: Account
    rooms: tuple[str, ...]
    mailbox: Mailbox


@dataclass(frozen=True, kw_only=True, slots=True)
class CpuSeconds:
    """Processor time of two processes; on a busy machine it says more than the clock."""

    daemon: float = 0
    synapse: float = 0

    def __sub__(self, other: CpuSeconds) -> CpuSeconds:
        return CpuSeconds(daemon=self.daemon - other.daemon, synapse=self.synapse - other.synapse)

    def __add__(self, other: CpuSeconds) -> CpuSeconds:
        return CpuSeconds(daemon=self.daemon + other.daemon, synapse=self.synapse + other.synapse)


class BenchTown(Server):
    """Synapse, IMAP in memory and SMTP, each a process of its own."""

    def __init__(self, state: Path) -> None:
        self.synapse = Synapse(state / "synapse")
        self.imap = ImapServer(state / "imap")
        self.mail = MailServer(state / "mail")

    def start(self) -> None:
        """Start all three."""
        for server in (self.synapse, self.imap, self.mail):
            server.start()

    def stop(self) -> None:
        """Stop all three."""
        for server in (self.synapse, self.imap, self.mail):
            server.stop()


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """Everything that a measurement needs: the servers, a side for the bridge, one for bare calls, the daemon."""

    town: BenchTown
    bridge: Side
    bare: Side
    #: A member of every room of both sides.
    member: Account
    daemon: Daemon
    settings: Settings
    #: When the links were confirmed (`time.time`): what was said before stays where it is.
    confirmed_at: float

    @property
    def list_count(self) -> int:
        """How many lists there are, and rooms on each side."""
        return len(self.bridge.rooms)

    def count_in_store(self, query: str) -> int:
        """Return the one number of a query over the daemon's store, read beside it."""
        path = self.daemon.configuration.with_name("passerelle.db")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as conn:
            return int(conn.execute(query).fetchone()[0])

    def freeze(self) -> None:
        """Stop the daemon's process where it stands, as if the machine had gone to sleep."""
        assert self.daemon.process is not None
        self.daemon.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> float:
        """Let the daemon go on; return when (`time.time`)."""
        assert self.daemon.process is not None
        at = time.time()
        self.daemon.process.send_signal(signal.SIGCONT)
        return at

    def resident_kib(self) -> int:
        """Return what the daemon holds in memory now (VmRSS of proc(5))."""
        assert self.daemon.process is not None
        status = Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))

    def cpu_seconds(self) -> CpuSeconds:
        """Return the processor time that the daemon and the homeserver have used so far."""
        assert self.daemon.process is not None
        return CpuSeconds(
            daemon=_cpu_seconds(self.daemon.process.pid), synapse=_cpu_seconds(self.town.synapse.process.pid)
        )

    @asynccontextmanager
    async def store(self) -> AsyncIterator[FlowContext]:
        """Open the daemon's store beside it, as the command line does."""
        store = await Store.open(config.store_url(self.settings.store), exclusive=False)
        try:
            ctx = build_context(self.settings, store, upload_limit_bytes=lambda: 0)
            await resolve_known_rooms(ctx)
            yield ctx
        finally:
            await store.close()


@asynccontextmanager
async def found_bench(state: Path, list_count: int) -> AsyncIterator[Bench]:
    """Start the servers and the daemon, with every link confirmed; stop all of them in the end."""
    async with BenchTown(state) as town:
        accounts = {name: await asyncio.to_thread(town.synapse.register, name) for name in ("lea", "passerelle", "nu")}
        rooms: dict[str, tuple[str, ...]] = {}
        for name in ("passerelle", "nu"):
            rooms[name] = await _found_rooms(accounts["lea"], accounts[name], list_count)
        addresses = {"passerelle": BRIDGE_ADDRESS, "nu": BARE_ADDRESS}
        sides = {
            name: Side(
                account=accounts[name],
                rooms=rooms[name],
                mailbox=await asyncio.to_thread(town.imap.add_mailbox, address),
            )
            for name, address in addresses.items()
        }
        configuration = _write_configuration(state / "daemon", town, sides["passerelle"])
        async with Daemon(configuration) as daemon:
            bench = Bench(
                town=town,
                bridge=sides["passerelle"],
                bare=sides["nu"],
                member=accounts["lea"],
                daemon=daemon,
                settings=config.load(configuration),
                confirmed_at=0,
            )
            await _confirm_all(bench)
            yield replace(bench, confirmed_at=time.time())


async def until(probe: Callable[[], T | None], *, what: str, deadline_seconds: float) -> T:
    """Wait until ``probe`` returns something true, and return that; unlike a thread's, this wait ends at Ctrl-C.

    :raises NotReadyError: when ``deadline_seconds`` have passed.
    """
    deadline = time.monotonic() + deadline_seconds
    while not (found := probe()):
        if time.monotonic() >= deadline:
            raise NotReadyError(f"{what}: not within {deadline_seconds:g} s")
        await asyncio.sleep(0.02)
    return found


def _cpu_seconds(pid: int) -> float:
    """Utime and stime of proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _found_rooms(maker: Account, other: Account, count: int) -> tuple[str, ...]:
    rooms = []
    async with ChatMember(maker) as lea, ChatMember(other) as guest:
        await lea.set_display_name("Léa")
        for number in range(count):
            room_id = await lea.create_room(f"Salon {number}", [other.user_id])
            await guest.join(room_id)
            rooms.append(room_id)
    return tuple(rooms)


def _write_configuration(folder: Path, town: BenchTown, side: Side) -> Path:
    folder.mkdir(parents=True)
    for name, secret in (("imap.secret", side.mailbox.password), ("matrix.secret", side.account.password)):
        (folder / name).write_text(secret)
        (folder / name).chmod(0o600)
    text = f"""\
[store]
url = "sqlite:///{folder / "passerelle.db"}"
[matrix]
homeserver = "{side.account.homeserver}"
user_id = "{side.account.user_id}"
password_file = "matrix.secret"
[[mailboxes]]
name = "main"
address = "{side.mailbox.address}"
[mailboxes.imap]
host = "{side.mailbox.host}"
port = {side.mailbox.port}
tls = "none"
username = "{side.mailbox.user}"
password_file = "imap.secret"
[mailboxes.smtp]
host = "{town.mail.host}"
port = {town.mail.port}
tls = "none"
[[associations]]
name = "{ASSOCIATION}"
title = "Comité de quartier"
[[associations.coordinators]]
name = "Monique"
address = "monique@membres.bench.test"
[associations.digests]
coordinators = "off"
"""
    path = folder / "passerelle.toml"
    path.write_text(text + "".join(_link(number, room_id) for number, room_id in enumerate(side.rooms)))
    return path


def _link(number: int, room_id: str) -> str:
    """A link whose own brakes are off: what is measured is the way, not the manners."""
    name = list_name(number)
    return f"""\
[[associations.links]]
name = "{name}"
room = "{room_id}"
list = {{ address = "{name}@{LIST_DOMAIN}", list_id = "{name}.{LIST_DOMAIN}", subject_prefix = "[{name}]" }}
policy = "each"
original = "off"
quiet_from = 00:00:00
quiet_until = 00:00:00
mails_per_day = 10000
mails_per_minute = 1e9
fuse_per_hour = 1000000
"""


async def _confirm_all(bench: Bench) -> None:
    """Confirm each link once both its sides were told, and wait until that has left."""
    asked = "SELECT count(*) FROM outbox WHERE unique_key LIKE 'consent:%' AND state = 'sent'"

    def all_told() -> bool:
        return bench.count_in_store(asked) == 2 * bench.list_count

    await until(all_told, what="both sides of every link told", deadline_seconds=60)
    async with bench.store() as ctx:
        for link in ctx.links:
            await confirm_link(ctx, link, by="bench")
