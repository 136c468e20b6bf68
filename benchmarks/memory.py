"""(d) What the daemon holds in memory when idle, and after the backlog."""

from __future__ import annotations

from benchmarks.figures import Figure


def memory_figure(idle_kib: int, after_kib: int) -> Figure:
    """Return the figure of two readings of VmRSS (KiB)."""
    ratio = after_kib / idle_kib
    return Figure(
        letter="d",
        what="resident memory of the daemon: after the backlog over idle",
        ratio=ratio,
        bridge=f"{after_kib / 1024:.0f} MiB after",
        bare=f"{idle_kib / 1024:.0f} MiB idle",
        spread=(ratio, ratio),
        notes=("the last column is the daemon too, just started",),
    )
