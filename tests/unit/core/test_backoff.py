import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.backoff import Backoff

SECONDS = st.floats(min_value=0.01, max_value=3600)
RANDOM = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_grows_by_its_factor_up_to_the_longest() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=10, factor=2)
    assert [backoff.delay_seconds(n, 1.0) for n in range(1, 7)] == [1, 2, 4, 8, 10, 10]


def test_jitter_takes_at_most_half() -> None:
    backoff = Backoff(first_seconds=8, longest_seconds=100)
    assert backoff.delay_seconds(1, 0.0) == 4
    assert backoff.delay_seconds(1, 0.5) == 6


def test_obeys_what_the_other_side_asks_and_adds_the_jitter() -> None:
    backoff = Backoff(first_seconds=1, longest_seconds=10)
    assert backoff.delay_seconds(1, 0.0, at_least_seconds=60) == 60
    assert backoff.delay_seconds(1, 0.5, at_least_seconds=60) == 60.25
    assert backoff.delay_seconds(4, 1.0, at_least_seconds=0.1) == 8


@given(failures=st.integers(1, 10**6), random=RANDOM, first=SECONDS, longest=SECONDS)
def test_always_between_half_and_whole_however_many_failures(
    failures: int, random: float, first: float, longest: float
) -> None:
    delay = Backoff(first_seconds=first, longest_seconds=longest).delay_seconds(failures, random)
    assert min(first, longest) / 2 <= delay <= longest


@given(failures=st.integers(1, 100), random=RANDOM, asked=SECONDS)
def test_never_comes_back_before_it_was_asked_to(failures: int, random: float, asked: float) -> None:
    assert Backoff().delay_seconds(failures, random, at_least_seconds=asked) >= asked


@pytest.mark.parametrize(("failures", "random"), [(0, 0.5), (-1, 0.5), (1, 1.5), (1, -0.1)])
def test_refuses_nonsense(failures: int, random: float) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Backoff().delay_seconds(failures, random)
