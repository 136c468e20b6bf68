"""(c) Events that are already stored, each to leave as a mail of its own, over bare sends of the same mails.

The daemon is frozen while a slice of events is stored by its own intake, then goes on: the clock runs from there to
the moment at which the SMTP server has taken the last mail. Then the very mails that it took are sent again by
aiosmtplib, over one connection a list, all beside each other. Slices take turns.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import aiosmtplib

from benchmarks.figures import Aim, Figure, ratio_of_rates
from benchmarks.mails import LIST_DOMAIN, SENTENCES, list_name
from benchmarks.town import BRIDGE_ADDRESS, Bench, CpuSeconds, until
from lab.process import LabError
from passerelle.core.ids import RoomId
from passerelle.core.ports import RoomUpdate, SyncArrivals
from passerelle.intake import Intake

LONGEST_SECONDS = 300
#: Lines of each room before anything is measured.
WARM_UP = 2
Taken = dict[str, list[bytes]]


class Kept:
    """The mails that the SMTP server took, as they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = {path.name for path in folder.glob("*.json")}

    async def wait(self, count: int) -> tuple[float, Taken]:
        """Wait for `count` new ones; return when the last was taken (`time.time`) and all by recipient, in order."""

        def look() -> list[Path] | None:
            new = [path for path in self._folder.glob("*.json") if path.name not in self._known]
            return new if len(new) >= count else None

        new = sorted(await until(look, what=f"{count} mails", deadline_seconds=LONGEST_SECONDS))
        if len(new) > count:
            raise LabError(f"{len(new)} mails instead of {count}")
        self._known |= {path.name for path in new}
        taken: Taken = {}
        last = 0.0
        for path in new:
            facts = json.loads(path.read_text())
            taken.setdefault(facts["to"][0], []).append(path.with_suffix(".eml").read_bytes())
            last = max(last, datetime.fromisoformat(facts["at"]).timestamp())
        return last, taken


async def measure_departures(bench: Bench, *, total: int, slices: int) -> Figure:
    """Measure `total` events in so many slices, each followed by its bare counterpart."""
    kept = Kept(bench.town.mail.state / "kept")
    numbers = itertools.count()
    _, warm = await _leave(bench, kept, numbers, WARM_UP * bench.list_count)
    await _send_bare(bench, kept, warm)
    bridge_rates, bare_rates = [], []
    cpu = CpuSeconds()
    for _ in range(slices):
        before = bench.cpu_seconds()
        rate, taken = await _leave(bench, kept, numbers, total // slices)
        cpu += bench.cpu_seconds() - before
        bridge_rates.append(rate)
        bare_rates.append(await _send_bare(bench, kept, taken))
    ratio, spread = ratio_of_rates(bridge_rates, bare_rates)
    count = total // slices * slices
    return Figure(
        letter="c",
        what=f"{count} stored events of {bench.list_count} links → SMTP, one mail each, mails a second",
        ratio=ratio,
        bridge=_rate(count, slices, bridge_rates),
        bare=_rate(count, slices, bare_rates),
        spread=spread,
        aim=Aim(at="≥", value=0.9),
        notes=(f"{slices} slices each way; processor time a mail: daemon {cpu.daemon / count * 1000:.1f} ms",),
    )


def _rate(count: int, slices: int, rates: Sequence[float]) -> str:
    seconds = sum(count / slices / rate for rate in rates)
    return f"{count / seconds:.1f}/s\n({seconds:.1f} s)"


async def _leave(bench: Bench, kept: Kept, numbers: Iterator[int], count: int) -> tuple[float, Taken]:
    async with bench.store() as ctx:
        bench.freeze()
        try:
            await Intake(ctx).take_sync(_arrivals(bench, numbers, count))
        finally:
            begun_at = bench.thaw()
    ended_at, taken = await kept.wait(count)
    return count / (ended_at - begun_at), taken


def _arrivals(bench: Bench, numbers: Iterator[int], count: int) -> SyncArrivals:
    """Lines of every room, as one answer of the homeserver would bring them."""
    rooms: list[list[dict[str, Any]]] = [[] for _ in bench.bridge.rooms]
    # Right after the consent: the homeserver has since told that nothing older is missing, so nothing is waited for.
    said_at = int(bench.confirmed_at * 1000) + 1
    for number, position in zip(numbers, range(count), strict=False):
        words = SENTENCES[number % len(SENTENCES)]
        rooms[position % len(rooms)].append(
            {
                "type": "m.room.message",
                "event_id": f"$bench{number}",
                "sender": bench.member.user_id,
                "origin_server_ts": said_at,
                "content": {"msgtype": "m.text", "body": f"Ligne {number} : {words}"},
            }
        )
    updates = zip(bench.bridge.rooms, rooms, strict=True)
    return SyncArrivals(
        source="bench",
        before=None,
        after=None,
        rooms=tuple(RoomUpdate(room_id=RoomId(room), timeline=tuple(events)) for room, events in updates),
        live=False,
    )


async def _send_bare(bench: Bench, kept: Kept, mails: Taken) -> float:
    count = sum(map(len, mails.values()))
    if set(mails) - {f"{list_name(number)}@{LIST_DOMAIN}" for number in range(bench.list_count)}:
        raise LabError("a mail went to nobody's list")
    begun_at = time.time()
    await asyncio.gather(*(_send_all(bench, recipient, raws) for recipient, raws in mails.items()))
    ended_at, _ = await kept.wait(count)
    return count / (ended_at - begun_at)


async def _send_all(bench: Bench, recipient: str, raws: Sequence[bytes]) -> None:
    mail = bench.town.mail
    client = aiosmtplib.SMTP(hostname=mail.host, port=mail.port, local_hostname="bench.test", start_tls=False)
    async with client:
        for raw in raws:
            await client.sendmail(BRIDGE_ADDRESS, [recipient], raw)
