"""When lines of the room leave: event time, quiet hours over both changes of hour, the day's mails."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.batching import after_quiet_hours, day_began, departure, settled_at
from passerelle.core.settings import LinkSettings

PARIS = ZoneInfo("Europe/Paris")


def link(**keys: object) -> LinkSettings:
    given_keys = {"name": "bureau", "list": {"address": "bureau@listes.test"}, "room": "!room:test", **keys}
    return LinkSettings.model_validate(given_keys)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def test_settled_after_the_quiet_period() -> None:
    assert settled_at(at(2026, 1, 1, 10), at(2026, 1, 1, 10, 5), link()) == at(2026, 1, 1, 10, 15)


def test_settled_at_the_latest_after_the_longest_wait() -> None:
    assert settled_at(at(2026, 1, 1, 10), at(2026, 1, 1, 11, 59), link()) == at(2026, 1, 1, 12)


def test_settled_at_once_where_each_line_is_a_mail() -> None:
    said = at(2026, 1, 1, 10)
    assert settled_at(said, said, link(policy="each")) == said


@pytest.mark.parametrize(
    ("instant", "leaves"),
    [
        (at(2026, 1, 10, 12), at(2026, 1, 10, 12)),
        (at(2026, 1, 10, 20), at(2026, 1, 11, 7)),  # 21 h in Paris: until 8 h
        (at(2026, 1, 10, 19, 59, 59), at(2026, 1, 10, 19, 59, 59)),
        (at(2026, 1, 10, 3), at(2026, 1, 10, 7)),
        (at(2026, 3, 28, 22), at(2026, 3, 29, 6)),  # the night that is an hour shorter
        (at(2026, 10, 24, 22), at(2026, 10, 25, 7)),  # and the one that is longer
    ],
)
def test_quiet_hours_end_at_local_morning(instant: datetime, leaves: datetime) -> None:
    assert after_quiet_hours(instant, link(), PARIS) == leaves


def test_quiet_hours_within_one_day() -> None:
    settings = link(quiet_from=time(12), quiet_until=time(14))
    assert after_quiet_hours(at(2026, 1, 10, 11, 30), settings, PARIS) == at(2026, 1, 10, 13)
    assert after_quiet_hours(at(2026, 1, 10, 23), settings, PARIS) == at(2026, 1, 10, 23)


def test_same_hour_twice_means_no_quiet_hours() -> None:
    settings = link(quiet_from=time(0), quiet_until=time(0))
    assert after_quiet_hours(at(2026, 1, 10, 23, 30), settings, PARIS) == at(2026, 1, 10, 23, 30)


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1)))  # noqa: DTZ001
def test_quiet_hours_never_hold_longer_than_the_night(naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC)
    leaves = after_quiet_hours(instant, link(), PARIS)
    assert timedelta(0) <= leaves - instant <= timedelta(hours=12)
    local = leaves.astimezone(PARIS).time()
    assert time(8) <= local < time(21)


def test_day_begins_at_local_midnight() -> None:
    assert day_began(at(2026, 1, 10, 23, 30), PARIS) == datetime(2026, 1, 11, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("hour", "sent", "together", "leaves"),
    [
        (10, 0, False, at(2026, 1, 10, 10)),
        (10, 5, False, at(2026, 1, 10, 10)),
        (10, 6, True, at(2026, 1, 10, 18)),  # 19 h in Paris
        (19, 6, True, at(2026, 1, 10, 19)),  # the evening mail itself
        (19, 7, True, at(2026, 1, 11, 7)),  # after it: the next morning
    ],
)
def test_mails_of_the_day(hour: int, sent: int, together: bool, leaves: datetime) -> None:
    now = at(2026, 1, 10, hour)
    found = departure(now, now, sent, link(), PARIS)
    assert (found.together, found.at) == (together, leaves)


def test_a_mail_a_line_has_no_limit_a_day() -> None:
    now = at(2026, 1, 10, 10)
    assert departure(now, now, 500, link(policy="each"), PARIS).at == now
