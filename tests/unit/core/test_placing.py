"""What an email says that it answers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.ids import MessageId
from passerelle.core.placing import MAX_KEPT, MAX_REFERENCES, ancestors, kept_references


def ids(*names: str) -> list[MessageId]:
    return [MessageId(name) for name in names]


def test_ancestors_run_from_the_nearest() -> None:
    assert ancestors(ids("c"), ids("a", "b", "c")) == ("c", "b", "a")


def test_ancestors_the_first_of_in_reply_to_is_the_parent() -> None:
    assert ancestors(ids("c", "other"), ids("a", "b")) == ("c", "b", "a", "other")


def test_ancestors_of_a_header_that_holds_thousands_are_cut() -> None:
    many = [MessageId(str(number)) for number in range(10_000)]
    assert len(ancestors([], many)) == MAX_REFERENCES
    assert ancestors([], many)[0] == "9999"


def test_kept_references_are_the_nearest_and_the_oldest() -> None:
    many = [MessageId(str(number)) for number in range(50)]
    kept = kept_references(ids("49"), many)
    assert len(kept) == MAX_KEPT
    assert kept[:3] == ("49", "48", "47")
    assert kept[-1] == "0"


names = st.lists(st.sampled_from("abcdefgh"), max_size=8).map(lambda chosen: [MessageId(name) for name in chosen])


@given(chain=names, answered=names)
def test_ancestors_each_once_and_none_left_out(chain: list[MessageId], answered: list[MessageId]) -> None:
    found = ancestors(answered, chain)
    assert len(set(found)) == len(found)
    assert set(found) == {*chain, *answered}
