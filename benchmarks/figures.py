"""What a measurement says: a ratio that holds on any machine, and the raw figures that belong to this one."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.table import Table


@dataclass(frozen=True, kw_only=True, slots=True)
class Aim:
    """What the ratio should be: at most, or at least."""

    at: Literal["≤", "≥"]
    value: float

    def is_met(self, ratio: float) -> bool:
        """Return whether a ratio is as good as wished."""
        return ratio <= self.value if self.at == "≤" else ratio >= self.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One ratio: what the bridge did over what bare calls did, on the same servers, in turns."""

    letter: str
    what: str
    ratio: float
    bridge: str
    bare: str
    #: How far the ratio of single rounds went: lowest, highest.
    spread: tuple[float, float]
    aim: Aim | None = None
    notes: tuple[str, ...] = field(default=())


def ratio_of_rates(bridge: Sequence[float], bare: Sequence[float]) -> tuple[float, tuple[float, float]]:
    """Return the ratio of two rates measured in turns (each round's own ratio, their median) and its spread."""
    ratios = [one / other for one, other in zip(bridge, bare, strict=True)]
    return statistics.median(ratios), (min(ratios), max(ratios))


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value below which that share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table_of(figures: Sequence[Figure]) -> Table:
    """Return the figures as a table for a terminal."""
    table = Table(title="Passerelle over the bare work, same servers, in turns", show_lines=True)
    for title in ("", "what", "ratio", "aim", "rounds", "Passerelle", "bare"):
        table.add_column(title, overflow="fold")
    for figure in figures:
        colour = "" if figure.aim is None else "green" if figure.aim.is_met(figure.ratio) else "yellow"
        ratio = f"{figure.ratio:.2f}"
        table.add_row(
            f"({figure.letter})",
            "\n".join((figure.what, *figure.notes)),
            f"[{colour}]{ratio}[/]" if colour else ratio,
            f"{figure.aim.at} {figure.aim.value:g}" if figure.aim else "",
            f"{figure.spread[0]:.2f} to {figure.spread[1]:.2f}",
            figure.bridge,
            figure.bare,
        )
    return table
