"""`python -m tests.e2e.digest_duty URL COUNT`: a daemon that has nothing to do but digests; a line for each alarm.

The store is one that `benchmarks.digest_towns` filled; its clock stands at the hour at which all of them are due. It
ends by SIGTERM, once it has said what it was making just then.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from dataclasses import replace
from datetime import timedelta

from benchmarks.digest_towns import DUE, settings_of
from passerelle.daemon_duties import digest_duties
from passerelle.schedule import Duty, Schedule
from passerelle.store.engine import Store
from passerelle.wiring import build_context


async def serve(url: str, count: int) -> None:
    """Ring for digests, as the daemon does, and say how many each alarm made."""
    store = await Store.open(url, exclusive=True)
    built = build_context(settings_of(count, url), store, upload_limit_bytes=lambda: 50_000_000)
    ctx = replace(built, now=lambda: DUE + timedelta(seconds=5))
    (duty,) = [duty for duty in digest_duties(ctx) if duty.name == "digests"]

    making, stopped = asyncio.Lock(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)

    async def run() -> None:
        async with making:
            print(await duty.run(), flush=True)

    ringing = asyncio.create_task(Schedule([Duty(name=duty.name, run=run, next_at=duty.next_at)], now=ctx.now).run())
    print("ready", flush=True)
    await stopped.wait()
    async with making:
        ringing.cancel()
    await asyncio.gather(ringing, return_exceptions=True)
    await store.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
