"""A process that imports an mbox into a store beside whoever else uses it, as `passerelle archive import` does.

`python -m tests.integration.importing FOLDER MBOX`: FOLDER is where `tests.flows.bridge.settings_of` has the store.
Prints a line for each transaction: how many mails were read so far; goes on with a run that was interrupted.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from passerelle.flows.import_mails import Outcome, import_mails
from passerelle.imports.mbox import MboxFile
from passerelle.store.engine import Store
from passerelle.store.imports import NewImportRun, end_import_run, find_interrupted_run, insert_import_run
from passerelle.wiring import build_context
from tests.flows.bridge import MONIQUE, settings_of


async def run(folder: Path, mbox: Path) -> None:
    settings = settings_of(folder, {}, [MONIQUE])
    store = await Store.open(settings.store.url, exclusive=False)
    try:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 50_000_000)
        link = next(iter(ctx.links))
        new = NewImportRun(
            association=link.association_name,
            link=link.name,
            side="list",
            source=str(mbox),
            format="mbox",
            started_at=datetime.now(UTC),
        )
        async with store.write() as conn:
            found = await find_interrupted_run(conn, new)
            id = found.id if found is not None else await insert_import_run(conn, new)

        def say(outcome: Outcome) -> None:
            print(outcome.read, flush=True)

        await import_mails(ctx, link, id, MboxFile(mbox, "mboxrd"), on_progress=say)
        async with store.write() as conn:
            await end_import_run(conn, id, datetime.now(UTC))
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
