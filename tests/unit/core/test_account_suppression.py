"""No small number of persons is told, nor can it be worked out, also by somebody who knows the rule."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.account_suppression import FEWEST, ToldParts, is_small, tell, tell_groups, tell_parts

PERSONS = st.integers(0, 40)
TABLES = st.lists(st.one_of(st.integers(0, 6), PERSONS), max_size=14)


def hidden_of(parts: Sequence[int], told: ToldParts) -> list[int]:
    return [part for part, one in zip(parts, told.parts, strict=True) if one.number is None]


@pytest.mark.parametrize(
    ("persons", "number", "hidden"), [(0, 0, None), (1, None, "few"), (4, None, "few"), (5, 5, None)]
)
def test_alone(persons: int, number: int | None, hidden: str | None) -> None:
    assert (tell(persons).number, tell(persons).hidden) == (number, hidden)


@pytest.mark.parametrize(
    ("parts", "told", "total"),
    [
        ((12, 7, 9), (12, 7, 9), 28),
        ((12, 0, 9), (12, 0, 9), 21),
        ((3, 12, 9), (None, None, 9), 24),  # the next one is withheld as well, or 24 - 21 would say it
        ((12, 9, 2), (None, 9, None), 23),  # the next after the last is the first
        ((3, 0, 20), (None, 0, None), 23),
        ((3, 3, 3, 8), (None, None, None, 8), 17),
        ((4, 4), (None, None), 8),
        ((6, 1), (None, None), 7),
        ((2, 0, 1), (None, None, None), None),
        ((), (), 0),
    ],
)
def test_parts_beside_their_total(parts: tuple[int, ...], told: tuple[int | None, ...], total: int | None) -> None:
    found = tell_parts(parts)
    assert tuple(one.number for one in found.parts) == told
    assert found.total.number == total


@given(TABLES)
def test_what_is_told_is_true_and_never_small(parts: list[int]) -> None:
    told = tell_parts(parts)
    for part, one in zip((*parts, sum(parts)), (*told.parts, told.total), strict=True):
        assert one.number is None or (one.number == part and not is_small(part))


@given(TABLES)
def test_no_subtraction_leaves_a_small_number(parts: list[int]) -> None:
    told = tell_parts(parts)
    hidden = hidden_of(parts, told)
    if told.total.number is not None and any(is_small(part) for part in parts):
        assert len(hidden) > 1
        assert told.total.number - sum(one.number or 0 for one in told.parts) == sum(hidden) >= FEWEST


@given(st.dictionaries(st.text(max_size=2), TABLES.map(lambda parts: (parts + [0] * 12)[:12]), max_size=5))
def test_two_levels(groups: dict[str, list[int]]) -> None:
    below, total = tell_groups(groups)
    hidden = [name for name, told in below.items() if told.total.number is None]
    for name, told in below.items():
        assert told.total.number is None or told.parts == tell_parts(groups[name]).parts
        assert name not in hidden or all(one.number is None for one in told.parts)
    if hidden and total.number is not None:
        assert len(hidden) > 1
        assert sum(sum(groups[name]) for name in hidden) >= FEWEST


@pytest.mark.parametrize(("size", "most"), [(1, 20), (2, 24), (3, 16), (4, 9), (5, 6)])
def test_who_knows_the_rule_can_count_nobody_back(size: int, most: int) -> None:
    """Every table of that size is told; those that read the same never agree on a small part."""
    alike: dict[ToldParts, list[tuple[int, ...]]] = defaultdict(list)
    for parts in product(range(most + 1), repeat=size):
        alike[tell_parts(parts)].append(parts)
    for told, tables in alike.items():
        if told.total.number is not None and told.total.number > most:
            continue  # some tables of this total have parts that were not tried
        for place in range(size):
            values = {parts[place] for parts in tables}
            assert not (len(values) == 1 and is_small(values.pop())), (told, tables)
