"""(a) From a mail in the IMAP folder to the event in the room, over the bare sum of what that needs.

Begin: the server has answered APPEND. End: another member's `/sync` has brought the event. The bare way does the same
with nothing between (:mod:`benchmarks.bare_relay`), in a mailbox and a room of its own on the same servers. Samples
take turns, each into an idle system.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import json
import re
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.bare_relay import BarePlan
from benchmarks.figures import Aim, Figure, quantile
from benchmarks.mails import MailMaker
from benchmarks.town import Bench
from lab.imap import Mailbox
from lab.matrix_client import ChatMember
from lab.process import REPOSITORY, ServerProcess

MARKER = re.compile(r"repere\d{7}")
#: Between two samples: both sides have come to rest and idle again.
REST_SECONDS = 0.35
PATIENCE_SECONDS = 30
WARM_UP = 5
ROUNDS = 4


class Watcher:
    """A member's `/sync`, which tells when each marker was seen."""

    def __init__(self, member: ChatMember, rooms: tuple[str, ...]) -> None:
        self._member = member
        lazy = {"lazy_load_members": True, "limit": 0}
        room_filter = {"rooms": list(rooms), "timeline": {"types": ["m.room.message"], "limit": 50}, "state": lazy}
        self._filter = json.dumps({"room": room_filter, "presence": {"limit": 0}, "account_data": {"limit": 0}})
        self._seen: dict[str, asyncio.Future[tuple[float, Mapping[str, Any]]]] = {}

    def expect(self, marker: str) -> asyncio.Future[tuple[float, Mapping[str, Any]]]:
        """Return when (`time.perf_counter`) an event with the marker comes, and its content."""
        self._seen[marker] = asyncio.get_running_loop().create_future()
        return self._seen[marker]

    async def run(self) -> None:
        """Follow until cancelled."""
        query = {"filter": self._filter, "timeout": "0"}
        while True:
            answer = await self._member.call("GET", "sync", query=query)
            at = time.perf_counter()
            query |= {"since": answer["next_batch"], "timeout": "20000"}
            for room in answer.get("rooms", {}).get("join", {}).values():
                for event in room["timeline"]["events"]:
                    self._note(event["content"], at)

    def _note(self, content: Mapping[str, Any], at: float) -> None:
        found = MARKER.search(str(content.get("body", "")))
        future = self._seen.pop(found[0], None) if found else None
        if future is not None and not future.done():
            future.set_result((at, content))


async def measure_latency(bench: Bench, mails: MailMaker, *, samples: int, scratch: Path) -> Figure:
    """Measure `samples` mails each way, in turns."""
    async with ChatMember(bench.member) as lea:
        watcher = Watcher(lea, (bench.bridge.rooms[0], bench.bare.rooms[0]))
        following = asyncio.create_task(watcher.run())
        try:
            with _connected(bench.bridge.mailbox) as to_bridge, _connected(bench.bare.mailbox) as to_bare:
                for _ in range(WARM_UP):
                    _, content = await _sample(watcher, to_bridge, mails)
                async with _bare_relay(bench, content, scratch):
                    for _ in range(WARM_UP):
                        await _sample(watcher, to_bare, mails)
                    bridge, bare = [], []
                    for _ in range(samples):
                        bridge.append((await _sample(watcher, to_bridge, mails))[0])
                        bare.append((await _sample(watcher, to_bare, mails))[0])
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
    return _figure(bridge, bare)


def _figure(bridge: list[float], bare: list[float]) -> Figure:
    size = max(1, len(bridge) // ROUNDS)
    parts = [slice(start, start + size) for start in range(0, len(bridge) - size + 1, size)]
    rounds = [statistics.median(bridge[part]) / statistics.median(bare[part]) for part in parts]
    return Figure(
        letter="a",
        what="mail in the IMAP folder → event in the room, latency",
        ratio=statistics.median(bridge) / statistics.median(bare),
        bridge=_milliseconds(bridge),
        bare=_milliseconds(bare),
        spread=(min(rounds), max(rounds)),
        aim=Aim(at="≤", value=1.2),
        notes=(f"{len(bridge)} mails each way, one by one, medians",),
    )


def _milliseconds(values: list[float]) -> str:
    return f"{statistics.median(values) * 1000:.1f} ms\n(p95 {quantile(values, 0.95) * 1000:.1f} ms)"


async def _sample(watcher: Watcher, imap: imaplib.IMAP4, mails: MailMaker) -> tuple[float, Mapping[str, Any]]:
    await asyncio.sleep(REST_SECONDS)
    mail = mails.make(0)
    seen = watcher.expect(mail.marker)
    appended_at = await asyncio.to_thread(_append, imap, mail.raw)
    async with asyncio.timeout(PATIENCE_SECONDS):
        seen_at, content = await seen
    return seen_at - appended_at, content


def _append(imap: imaplib.IMAP4, raw: bytes) -> float:
    status, answer = imap.append("INBOX", "", "", raw)
    at = time.perf_counter()
    if status != "OK":
        raise RuntimeError(f"APPEND: {answer!r}")
    return at


@contextlib.contextmanager
def _connected(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    imap = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=60)
    imap.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    imap.login(mailbox.user, mailbox.password)
    try:
        yield imap
    finally:
        imap.logout()


@contextlib.asynccontextmanager
async def _bare_relay(bench: Bench, content: Mapping[str, Any], scratch: Path) -> AsyncIterator[None]:
    mailbox, account = bench.bare.mailbox, bench.bare.account
    # What the content relates to stands in the other room.
    plan = BarePlan(
        imap_host=mailbox.host,
        imap_port=mailbox.port,
        imap_user=mailbox.user,
        imap_password=mailbox.password,
        homeserver=account.homeserver,
        access_token=account.access_token,
        room_id=bench.bare.rooms[0],
        content={key: value for key, value in content.items() if key != "m.relates_to"},
        database=str(scratch / "bare.db"),
    )
    file = scratch / "bare.json"
    plan.save(file)
    log = scratch / "bare.log"
    process = ServerProcess([sys.executable, "-m", "benchmarks.bare_relay", str(file)], log=log, folder=REPOSITORY)
    await asyncio.to_thread(process.start)
    try:
        await asyncio.to_thread(process.wait_ready, lambda: "ready" in log.read_text())
        yield
    finally:
        await asyncio.to_thread(process.stop)
