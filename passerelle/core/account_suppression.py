"""Small counts of persons are not told, nor can they be worked out from what is told beside them. Pure.

The rule, which `docs/account.md` says in words:

1. Alone, 1 to `FEWEST - 1` persons are told as « fewer than 5 » (`few`). Nobody at all is nobody: 0 is told.
2. Where parts stand beside their total, a small part is withheld, and after it those that follow in the table, until
   at least two are and at least `_HIDDEN_TOGETHER` persons stand in them. Which of them is the small one nobody can
   tell: all read the same (`withheld`), and the next ones are taken by their place, never by their size, since a rule
   that takes the smallest lets whoever knows it count back.
3. Where that cannot be had, no part is told, and the total stands alone.
4. The parts of a number that is not told itself are not told either.

This is cell suppression with its complement, as official statistics know it (Hundepool et al., « Statistical Disclosure
Control », 2012, chapter 4). Things (decisions, loans, posts) are no persons: their numbers are told as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

#: The smallest number of persons that is told.
FEWEST = 5
#: So many persons stand at least in what is withheld of a table: a small part may then be any number from 1 to 4.
_HIDDEN_TOGETHER = 2 * FEWEST - 1
Hidden = Literal["few", "withheld"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A number of persons as it may be told: exactly, or not."""

    #: None where it is hidden.
    number: int | None
    #: Why it is; None where it is told.
    hidden: Hidden | None = None


FEW = Told(number=None, hidden="few")
WITHHELD = Told(number=None, hidden="withheld")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldParts:
    """Parts that come to a total, none of whose small ones can be worked out."""

    parts: tuple[Told, ...]
    total: Told


def is_small(persons: int) -> bool:
    """Whether so many persons are too few to be told."""
    return 0 < persons < FEWEST


def tell(persons: int) -> Told:
    """A number of persons that stands by itself. Raises ValueError for a negative one."""
    if persons < 0:
        raise ValueError("there are no fewer persons than none")
    return FEW if is_small(persons) else Told(number=persons)


def tell_parts(parts: Sequence[int]) -> ToldParts:
    """Numbers of persons beside their total, each person in one part. Raises ValueError for a negative one."""
    told, total = tuple(tell(part) for part in parts), tell(sum(parts))
    if total.number is None:
        return ToldParts(parts=(WITHHELD,) * len(parts), total=total)
    small = [place for place, part in enumerate(parts) if is_small(part)]
    if not small:
        return ToldParts(parts=told, total=total)
    hidden = set(small)
    around = [(small[0] + step) % len(parts) for step in range(1, len(parts))]
    for place in around:
        if _is_enough(parts, hidden):
            break
        if parts[place]:
            hidden.add(place)
    if not _is_enough(parts, hidden):
        return ToldParts(parts=(WITHHELD,) * len(parts), total=total)
    return ToldParts(parts=tuple(WITHHELD if place in hidden else one for place, one in enumerate(told)), total=total)


def tell_groups(groups: Mapping[str, Sequence[int]]) -> tuple[dict[str, ToldParts], Told]:
    """Parts of several groups beside the total of each, and the total of all: a table of two levels.

    Out: each group's parts, with its total as it may be told; the total of all. Raises ValueError as above.
    """
    above = tell_parts([sum(parts) for parts in groups.values()])
    below = {
        name: tell_parts(parts)
        if total.number is not None
        else ToldParts(parts=(WITHHELD,) * len(parts), total=total)
        for (name, parts), total in zip(groups.items(), above.parts, strict=True)
    }  # fmt: skip
    return below, above.total


def _is_enough(parts: Sequence[int], hidden: set[int]) -> bool:
    return len(hidden) > 1 and sum(parts[place] for place in hidden) >= _HIDDEN_TOGETHER
