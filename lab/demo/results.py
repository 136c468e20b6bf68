"""One thing that was checked, and how numbers of copies are told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One thing that was checked."""

    what: str
    holds: bool
    #: What was seen, where it does not hold or figures say more.
    seen: str = ""


def counted(what: str, counts: list[int]) -> Result:
    """Return whether there is exactly one in each place."""
    return Result(what=what, holds=set(counts) == {1}, seen=added(counts))


def added(counts: list[int]) -> str:
    """Return numbers as the table shows them."""
    return " + ".join(map(str, counts))
