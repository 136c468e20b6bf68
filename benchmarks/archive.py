"""The archive's figures: import beside the peers, searches, pages; each on the mails of `benchmarks.archive_mails`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.console import Console

from benchmarks.archive_grown import grow
from benchmarks.archive_import import measure_passerelle, measure_peers, table_of_imports
from benchmarks.archive_mails import made_mbox
from benchmarks.archive_pages import measure_pages, table_of_pages
from benchmarks.archive_search import measure_searches, table_of_searches

SEED = 1
#: What `--only` takes for the archive.
PARTS = ("import", "search", "pages")


def measure_archive(parts: list[str], *, mails: int, folder: Path, say: Console, out: Console, times: int = 1) -> None:
    """Import, and measure these parts; prints a table each.

    Args:
        times: how often each post stands in the archive that is searched and read (`benchmarks.archive_grown`).
        folder: for the mbox, the stores and those of the peers.
    """
    say.print(f"Making {mails:,} mails…")
    mbox = made_mbox(folder, count=mails, seed=SEED)
    store = folder / "passerelle"
    store.mkdir()
    say.print("Importing…")
    imports = [measure_passerelle(store, mbox, mails)]
    if "import" in parts:
        say.print("The peers…")
        imports += measure_peers(folder, mbox, mails, seed=SEED)
        out.print(table_of_imports(imports, mbox.stat().st_size / mails))
    if times > 1:
        say.print(f"Making {mails * times:,} posts of them…")
        grow(store, times)
    mails *= times
    if "search" in parts:
        say.print("Searching…")
        out.print(table_of_searches(asyncio.run(measure_searches(store, seed=SEED)), mails))
    if "pages" in parts:
        say.print("Pages…")
        out.print(table_of_pages(asyncio.run(measure_pages(store)), mails))
