"""Places in time as numbers: in order, none twice, quick also where a whole import bears one date."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.chronology import NUMBERS_A_MINUTE, ChronoIds, first_chrono_id

MOMENT = datetime(2026, 3, 29, 2, 30, 59, tzinfo=UTC)


def test_later_minutes_have_higher_numbers() -> None:
    assert first_chrono_id(MOMENT) + NUMBERS_A_MINUTE == first_chrono_id(MOMENT + timedelta(seconds=1))
    assert first_chrono_id(MOMENT) == first_chrono_id(MOMENT - timedelta(seconds=59))


def test_a_wrong_date_has_a_number_too() -> None:
    assert first_chrono_id(datetime(1, 1, 1, tzinfo=UTC)) == 1
    assert first_chrono_id(datetime(9999, 12, 31, 23, 59, tzinfo=UTC)) < 2**53


def test_what_stands_in_the_store_is_passed_by() -> None:
    ids = ChronoIds()
    ids.note_taken([10, 11, 13])
    assert [ids.take(10), ids.take(10), ids.take(9), ids.take(9)] == [12, 14, 9, 15]


def test_a_hundred_thousand_of_one_minute_are_quick() -> None:
    ids = ChronoIds()
    assert [ids.take(40) for _ in range(100_000)] == list(range(40, 100_040))


@given(st.lists(st.integers(1, 30), max_size=60), st.sets(st.integers(1, 40)))
def test_the_next_free_number_upwards(firsts: list[int], taken: set[int]) -> None:
    ids = ChronoIds()
    ids.note_taken(taken)
    free = set(taken)
    for first in firsts:
        number = ids.take(first)
        assert number >= first
        assert number not in free
        assert set(range(first, number)) <= free, "none was passed by that was free"
        free.add(number)
