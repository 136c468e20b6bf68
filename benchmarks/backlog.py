"""(b) A backlog of mails of many lists into their rooms, over bare concurrent PUTs of the same events.

The daemon is frozen while a slice of mails is put into its mailbox, then goes on: the clock runs from there to the
last event's answer, so reading the mailbox, storing, parsing and rendering are in it. Then the very events that came
of it are PUT into the other side's rooms, all rooms beside each other and in order within each. Slices take turns.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchmarks.figures import Aim, Figure, ratio_of_rates
from benchmarks.mails import MailMaker
from benchmarks.town import Bench, CpuSeconds, until
from lab.matrix_client import ChatMember
from lab.process import LabError

#: Every event that the store ties to a post of the list side.
_RELAYED = "SELECT count(*) FROM room_event WHERE outbox_id IS NOT NULL"
LONGEST_SECONDS = 300
#: Mails of each list before anything is measured: caches are filled, new authors are welcomed.
WARM_UP = 8

Content = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Relayed:
    """What one slice became."""

    #: Events a second.
    rate: float
    #: The contents by room, in order.
    contents: Sequence[Sequence[tuple[str, Content]]]
    cpu: CpuSeconds


async def measure_backlog(bench: Bench, mails: MailMaker, *, total: int, slices: int) -> Figure:
    """Measure `total` mails in so many slices, each followed by its bare counterpart."""
    async with ChatMember(bench.member) as lea, ChatMember(bench.bare.account) as sender:
        mails.begin_anew()
        bare = BarePuts(bench, sender)
        await bare.put((await _relay(bench, lea, mails, WARM_UP * bench.list_count)).contents)
        bridge_rates, bare_rates = [], []
        bridge_cpu = bare_cpu = CpuSeconds()
        for _ in range(slices):
            relayed = await _relay(bench, lea, mails, total // slices)
            bridge_rates.append(relayed.rate)
            bridge_cpu += relayed.cpu
            before = bench.cpu_seconds()
            bare_rates.append(await bare.put(relayed.contents))
            bare_cpu += bench.cpu_seconds() - before
    ratio, spread = ratio_of_rates(bridge_rates, bare_rates)
    count = total // slices * slices
    return Figure(
        letter="b",
        what=f"backlog of {count} mails in {bench.list_count} rooms, events a second",
        ratio=ratio,
        bridge=_rate(count, slices, bridge_rates),
        bare=_rate(count, slices, bare_rates),
        spread=spread,
        aim=Aim(at="≥", value=0.95),
        notes=(
            f"{slices} slices each way; processor time an event: daemon {bridge_cpu.daemon / count * 1000:.1f} ms, "
            f"Synapse {bridge_cpu.synapse / count * 1000:.1f} ms (bare {bare_cpu.synapse / count * 1000:.1f} ms)",
        ),
    )


def _rate(count: int, slices: int, rates: Sequence[float]) -> str:
    seconds = sum(count / slices / rate for rate in rates)
    return f"{count / seconds:.1f}/s\n({seconds:.1f} s)"


async def _relay(bench: Bench, lea: ChatMember, mails: MailMaker, count: int) -> Relayed:
    made = list(mails.make_round(bench.list_count, count))
    before = bench.count_in_store(_RELAYED)
    cpu_before = bench.cpu_seconds()
    bench.freeze()
    try:
        await asyncio.to_thread(bench.bridge.mailbox.append_all, [mail.raw for mail in made])
    finally:
        begun_at = bench.thaw()

    def all_there() -> float | None:
        return time.time() if bench.count_in_store(_RELAYED) >= before + count else None

    what = f"{count} events in the rooms"
    ended_at = await until(all_there, what=what, deadline_seconds=LONGEST_SECONDS)
    cpu = bench.cpu_seconds() - cpu_before
    wanted = Counter(mail.list_number for mail in made)
    contents = [await _newest(lea, room_id, wanted[number]) for number, room_id in enumerate(bench.bridge.rooms)]
    for number, room in enumerate(contents):
        markers = [mail.marker for mail in made if mail.list_number == number]
        if [marker in content["body"] for marker, (_, content) in zip(markers, room, strict=True)].count(False):
            raise LabError(f"room {number} has not the mails of its list in their order, once each")
    return Relayed(rate=count / (ended_at - begun_at), contents=contents, cpu=cpu)


async def _newest(lea: ChatMember, room_id: str, count: int) -> list[tuple[str, Content]]:
    if not count:
        return []
    query = {"dir": "b", "limit": str(count), "filter": json.dumps({"types": ["m.room.message"]})}
    page = await lea.call("GET", f"rooms/{quote(room_id)}/messages", query=query)
    return [(event["event_id"], event["content"]) for event in reversed(page["chunk"])]


class BarePuts:
    """PUTs of the same events into the bare side's rooms, relations kept."""

    def __init__(self, bench: Bench, sender: ChatMember) -> None:
        self._rooms = bench.bare.rooms
        self._sender = sender
        #: The bridge's event ids and ours for the same content.
        self._ours: dict[str, str] = {}

    async def put(self, contents: Sequence[Sequence[tuple[str, Content]]]) -> float:
        """PUT them, rooms beside each other; return events a second."""
        begun_at = time.perf_counter()
        await asyncio.gather(*(self._room(*pair) for pair in zip(self._rooms, contents, strict=True)))
        return sum(map(len, contents)) / (time.perf_counter() - begun_at)

    async def _room(self, room_id: str, contents: Sequence[tuple[str, Content]]) -> None:
        for theirs, content in contents:
            self._ours[theirs] = await self._sender.send_event(room_id, "m.room.message", self._related(content))

    def _related(self, content: Content) -> Content:
        relation = content.get("m.relates_to")
        if relation is None:
            return content
        mapped = dict(relation)
        if "event_id" in relation:
            mapped["event_id"] = self._ours[relation["event_id"]]
        if "m.in_reply_to" in relation:
            mapped["m.in_reply_to"] = {"event_id": self._ours[relation["m.in_reply_to"]["event_id"]]}
        return {**content, "m.relates_to": mapped}
