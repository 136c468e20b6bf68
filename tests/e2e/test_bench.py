"""``make bench`` works: four ratios come of it. What they are is for a quiet machine to say."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.__main__ import Scale, measure
from benchmarks.digests import measure_digests, table_of_digests
from benchmarks.figures import Aim, Figure, ratio_of_rates, table_of

TINY = Scale(lists=3, latency_samples=2, backlog_mails=12, departing_events=12, slices=2)


async def test_four_finite_ratios(tmp_path: Path) -> None:
    figures = await measure(TINY, "abcd", tmp_path, Console(file=sys.stderr))
    assert [figure.letter for figure in figures] == ["a", "b", "c", "d"]
    assert all(math.isfinite(figure.ratio) and figure.ratio > 0 for figure in figures)

    console = Console(width=150, record=True, file=sys.stderr)
    console.print(table_of(figures))
    printed = console.export_text()
    for figure in figures:
        assert f"({figure.letter})" in printed
        assert f"{figure.ratio:.2f}" in printed


def test_all_digests_are_made_on_each_database(tmp_path: Path) -> None:
    """Whoever measures counts what the store holds."""
    rounds = measure_digests(tmp_path, 12, Console(file=sys.stderr))
    assert [len(one.workers) for one in rounds] in ([1], [1, 1, 2])
    for one in rounds:
        assert one.digests == 12
        assert one.cpu_seconds > 0
        assert all(0 < worker.idle_kib <= worker.most_kib for worker in one.workers)
        assert (one.database_cpu_seconds > 0) == one.name.startswith("PostgreSQL")
    console = Console(width=150, record=True, file=sys.stderr)
    console.print(table_of_digests(rounds))
    assert all(one.name in console.export_text(clear=False) for one in rounds)


def test_a_ratio_is_the_median_of_the_rounds() -> None:
    ratio, spread = ratio_of_rates([10, 90, 30], [20, 100, 100])
    assert ratio == 0.5
    assert spread == (0.3, 0.9)


@pytest.mark.parametrize(
    ("aim", "good", "bad"), [(Aim(at="≤", value=1.2), 1.2, 1.21), (Aim(at="≥", value=0.9), 1, 0.8)]
)
def test_an_aim(aim: Aim, good: float, bad: float) -> None:
    assert aim.is_met(good)
    assert not aim.is_met(bad)


def test_markup_of_the_table_is_no_text() -> None:
    figure = Figure(letter="x", what="w", ratio=1.5, bridge="b", bare="n", spread=(1, 2), aim=Aim(at="≤", value=1))
    console = Console(width=120, record=True, file=sys.stderr)
    console.print(table_of([figure]))
    assert "yellow" not in console.export_text()
