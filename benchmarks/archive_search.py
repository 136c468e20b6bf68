"""Searches of an archive that was imported: rare and common words, three words, a phrase; newest first and by rank."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.table import Table

from benchmarks.archive_import import open_archive
from benchmarks.archive_words import vocabulary
from benchmarks.figures import quantile
from passerelle.core.search_query import parse_query
from passerelle.core.search_terms import Order
from passerelle.core.shelves import shelf_of
from passerelle.flows.index_posts import index_waiting
from passerelle.flows.search_archive import search_archive

#: Different searches of each kind.
SEARCHES = 60
ORDERS: tuple[Order, ...] = ("newest", "rank")
KINDS = ("rare", "common", "three words", "phrase")
#: Searches of each kind that are not measured, before those that are.
_BEFORE = 20
#: Ranks in the vocabulary, the most frequent word being 0.
_COMMON, _MIDDLING, _RARE = (60, 125), (10, 110), (20_000, 50_000)
PHRASES = ("salle des fêtes", "compte rendu", "grande salle", "pièce jointe", "jardin partagé", "matériel prêté",
           "dimanche soir", "demi-heure plus tard")  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Searched:
    kind: str
    order: str
    p50_ms: float
    p95_ms: float
    #: Processor time, of all threads: on a busy machine the steadier figure.
    cpu_p50_ms: float
    cpu_p95_ms: float
    #: Of all searches of this kind, on average; at most what is counted.
    hits: float


def _searches(kind: str, rng: random.Random, seed: int) -> list[str]:
    words = vocabulary(seed).words
    if kind == "phrase":
        return [f'"{rng.choice(PHRASES)}"' for _ in range(SEARCHES)]
    if kind == "three words":
        return [" ".join(words[rng.randrange(*_MIDDLING)] for _ in range(3)) for _ in range(SEARCHES)]
    return [words[rng.randrange(*(_RARE if kind == "rare" else _COMMON))] for _ in range(SEARCHES)]


async def measure_searches(folder: Path, *, seed: int) -> list[Searched]:
    """Search the archive in `folder`, as pages and commands do: hits of one page with their extracts, and a count."""
    store, ctx = await open_archive(folder, exclusive=False)
    try:
        link = next(iter(ctx.links))
        shelf = shelf_of(association=link.association_name, link=link.name, origin="import", side="list")
        found = []
        # Posts that wait to be indexed are indexed first: once, not by what is measured.
        while await index_waiting(ctx):
            pass
        for kind in KINDS:
            for order in ORDERS:
                # A daemon has run for a while: other searches come first.
                for text in _searches(kind, random.Random(f"before {seed} {kind}"), seed)[:_BEFORE]:
                    query = parse_query(text, now=datetime.now(UTC), zone=ZoneInfo("Europe/Paris"))
                    await search_archive(ctx, replace(query, order=order), shelves=[shelf])
                times, cpu, hits = [], [], 0
                for text in _searches(kind, random.Random(f"{seed} {kind}"), seed):
                    query = parse_query(text, now=datetime.now(UTC), zone=ZoneInfo("Europe/Paris"))
                    began, cpu_began = time.perf_counter(), time.process_time()
                    page = await search_archive(ctx, replace(query, order=order), shelves=[shelf])
                    times.append((time.perf_counter() - began) * 1000)
                    cpu.append((time.process_time() - cpu_began) * 1000)
                    hits += page.total
                one = Searched(
                    kind=kind,
                    order=order,
                    p50_ms=quantile(times, 0.5),
                    p95_ms=quantile(times, 0.95),
                    cpu_p50_ms=quantile(cpu, 0.5),
                    cpu_p95_ms=quantile(cpu, 0.95),
                    hits=hits / len(times),
                )
                found.append(one)
        return found
    finally:
        await store.close()


def table_of_searches(found: list[Searched], mails: int) -> Table:
    """The figures for a terminal."""
    table = Table(title=f"Searches among {mails:,} mails, 20 hits with extracts")
    for name in ("", "order", "p50 (ms)", "p95 (ms)", "CPU p50 (ms)", "CPU p95 (ms)", "hits"):
        table.add_column(name, justify="left" if name in ("", "order") else "right")
    for one in found:
        figures = one.p50_ms, one.p95_ms, one.cpu_p50_ms, one.cpu_p95_ms
        table.add_row(one.kind, one.order, *(f"{figure:.1f}" for figure in figures), f"{one.hits:,.0f}")
    return table
