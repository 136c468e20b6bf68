"""A general assembly: whose proxy counts, and whether enough were there."""

from __future__ import annotations

import pytest

from passerelle.core.assembly import find_name, judge_proxies, judge_quorum
from passerelle.core.minutes_model import Presence, Proxy

PRESENT = ("Paul Lefèvre", "Léa Bonnet", "Léa Ziani", "Mme Haddad")


def given(giver: str, holder: str) -> Proxy:
    return Proxy(giver=giver, holder=holder)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Paul Lefèvre", "Paul Lefèvre"), ("paul LEFEVRE", "Paul Lefèvre"), ("Paul", "Paul Lefèvre"),
        ("Lefèvre", "Paul Lefèvre"), ("M. Paul Lefèvre", "Paul Lefèvre"), ("Haddad", "Mme Haddad"),
        ("Léa", None), ("Léa Bonnet", "Léa Bonnet"), ("Sophie", None), ("", None), ("…", None),
    ],
)  # fmt: skip
def test_who_is_meant_by_a_name(name: str, found: str | None) -> None:
    assert find_name(name, PRESENT) == found


def test_a_proxy_to_somebody_who_is_not_there_counts_as_none_and_is_said() -> None:
    counted, void = judge_proxies([given("Annie", "Sophie"), given("Jean", "Paul")], PRESENT, most_held=None)
    assert [(one.giver, one.holder, one.void) for one in counted] == [("Jean", "Paul Lefèvre", "")]
    assert [(one.giver, one.void) for one in void] == [("Annie", "holder_absent")]


@pytest.mark.parametrize(("limit", "counted"), [(None, 3), (2, 2), (1, 1), (0, 0)])
def test_the_first_proxies_count_where_somebody_holds_too_many(limit: int | None, counted: int) -> None:
    proxies = [given(name, "Paul") for name in ("Annie", "Jean", "Rachid")]
    good, void = judge_proxies(proxies, PRESENT, most_held=limit)
    assert [one.giver for one in good] == ["Annie", "Jean", "Rachid"][:counted]
    assert {one.void for one in void} <= {"too_many"}
    assert len(good) + len(void) == 3


@pytest.mark.parametrize(
    ("present", "represented", "noted", "reached"), [(4, 2, True, True), (4, 1, True, False), (0, 0, False, False)]
)
def test_a_quorum_counts_who_was_there_and_whose_proxy_counts(
    present: int, represented: int, noted: bool, reached: bool
) -> None:
    presence = Presence(present_count=present, represented_count=represented, is_noted=noted)
    quorum = judge_quorum(6, presence)
    assert (quorum.counted, quorum.is_known, quorum.is_reached) == (present + represented, noted, reached)
