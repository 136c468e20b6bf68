"""When digests are due, on the wall clock of their association, and how their rhythm is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.digest_model import Subscription
from passerelle.core.digest_rhythm import next_due, quiet_until, told_time
from passerelle.core.digest_settings import DigestSettings
from passerelle.core.digest_wishes import Wish, parse_wish
from passerelle.core.ids import AssociationName
from passerelle.core.settings import LinkSettings

PARIS = "Europe/Paris"
#: A Tuesday.
NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
SETTINGS = DigestSettings()


def subscribed(**other: Any) -> Subscription:
    values: dict[str, Any] = {"rhythm": "weekly", "changed_at": NOW, **other}
    return Subscription(association=AssociationName("epeule"), person_id=1, kind="member", **values)


def dues(subscription: Subscription, count: int, zone: str = PARIS) -> list[str]:
    found, after = [], NOW
    for _ in range(count):
        due = next_due(subscription, SETTINGS, zone, after=after)
        assert due is not None
        assert due > after
        found.append(due.astimezone(ZoneInfo(zone)).strftime("%a %d/%m/%Y %H:%M"))
        after = due
    return found


@pytest.mark.parametrize(
    ("rhythm", "weekdays", "expected"),
    [
        ("daily", (), ["Wed 18/11/2026 08:00", "Thu 19/11/2026 08:00"]),
        ("weekly", (), ["Mon 23/11/2026 08:00", "Mon 30/11/2026 08:00"]),
        ("weekly", (1,), ["Tue 24/11/2026 08:00", "Tue 01/12/2026 08:00"]),
        ("days", (0, 3), ["Thu 19/11/2026 08:00", "Mon 23/11/2026 08:00"]),
        ("fortnightly", (), ["Mon 23/11/2026 08:00", "Mon 07/12/2026 08:00"]),
        ("monthly", (), ["Mon 07/12/2026 08:00", "Mon 04/01/2027 08:00"]),
    ],
)
def test_each_rhythm_has_its_days(rhythm: str, weekdays: tuple[int, ...], expected: list[str]) -> None:
    assert dues(subscribed(rhythm=rhythm, weekdays=weekdays), 2) == expected


@pytest.mark.parametrize("zone", [PARIS, "Africa/Dakar", "Pacific/Noumea"])
@pytest.mark.parametrize("rhythm", ["daily", "weekly", "fortnightly", "monthly"])
def test_the_hour_is_that_of_the_wall_in_summer_and_winter(rhythm: str, zone: str) -> None:
    found = dues(subscribed(rhythm=rhythm), 60, zone)
    assert {one[-5:] for one in found} == {"08:00"}
    assert len(set(found)) == 60


def test_off_is_never() -> None:
    assert next_due(subscribed(rhythm="off"), SETTINGS, PARIS, after=NOW) is None


def test_a_pause_ends_on_its_day_and_the_digest_of_that_day_comes() -> None:
    paused = subscribed(paused_until=datetime(2026, 12, 6, 23, 0, tzinfo=UTC))  # Monday the 7th begins in Paris
    assert next_due(paused, SETTINGS, PARIS, after=NOW) == datetime(2026, 12, 7, 7, 0, tzinfo=UTC)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(["daily", "weekly", "monthly"]))  # noqa: DTZ001
def test_it_is_always_later_and_never_late(at: datetime, rhythm: str) -> None:
    after = at.replace(tzinfo=UTC)
    due = next_due(subscribed(rhythm=rhythm), SETTINGS, PARIS, after=after)
    assert due is not None
    assert after < due <= after + timedelta(days=36)


def test_what_a_digest_tells_goes_on_from_the_last_one() -> None:
    due = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
    last = datetime(2026, 11, 9, 7, 0, tzinfo=UTC)
    assert told_time(subscribed(told_until=last), due, due) == (last, due)
    assert told_time(subscribed(), due, due) == (due - timedelta(days=7), due)
    assert told_time(subscribed(rhythm="daily"), due, due)[0] == due - timedelta(days=1)
    late = due + timedelta(days=3)
    assert told_time(subscribed(told_until=last), due, late) == (last, late)


def test_at_night_it_waits_for_the_morning() -> None:
    link = LinkSettings.model_validate({"name": "bureau", "list": {"address": "b@lab.test"}, "room": "!a:lab.test"})
    assert quiet_until(datetime(2026, 11, 17, 22, 0, tzinfo=UTC), link, PARIS) == datetime(2026, 11, 18, 7, tzinfo=UTC)
    assert quiet_until(NOW, link, PARIS) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("hebdomadaire", Wish(rhythm="weekly")),
        ("Hebdo, s'il vous plaît", Wish(rhythm="weekly")),
        ("chaque jour", Wish(rhythm="daily")),
        ("quotidien à 18h30", Wish(rhythm="daily", at=time(18, 30))),
        ("tous les jours à 7:15", Wish(rhythm="daily", at=time(7, 15))),
        ("lundi et jeudi", Wish(rhythm="days", weekdays=(0, 3))),
        ("le vendredi", Wish(rhythm="weekly", weekdays=(4,))),
        ("chaque semaine le mardi", Wish(rhythm="weekly", weekdays=(1,))),
        ("toutes les deux semaines", Wish(rhythm="fortnightly")),
        ("une semaine sur deux, le lundi", Wish(rhythm="fortnightly", weekdays=(0,))),
        ("tous les 15 jours", Wish(rhythm="fortnightly")),
        ("chaque mois", Wish(rhythm="monthly")),
        ("tout en un", Wish(whole=True)),
        ("hebdomadaire tout en un", Wish(rhythm="weekly", whole=True)),
        ("sans les courriels", Wish(whole=False)),
        ("par courriel", Wish(medium="mail")),
        ("chaque jour dans le salon", Wish(rhythm="daily", medium="room")),
        ("stop", Wish(rhythm="off")),
        ("weekly", Wish(rhythm="weekly")),
        ("every day at 6pm", Wish(rhythm="daily", at=time(18))),
        ("Monday and Thursday", Wish(rhythm="days", weekdays=(0, 3))),
        ("every other week", Wish(rhythm="fortnightly")),
        ("de la réunion de lundi", None),
        ("de la semaine de Léa", None),
        ("le", None),
        ("", None),
        ("à 31h", None),
    ],
)
def test_a_wish_is_understood_only_where_every_word_means_something(said: str, expected: Wish | None) -> None:
    assert parse_wish(said) == expected


def test_a_new_rhythm_ends_a_pause_and_another_hour_does_not() -> None:
    assert Wish(rhythm="daily").changes() == {"rhythm": "daily", "weekdays": (), "paused_until": None}
    assert Wish(at=time(18)).changes() == {"at": time(18)}
    assert replace(subscribed(), **Wish(whole=True).changes()).whole


@given(st.text(max_size=300))
def test_whatever_is_said_nothing_breaks(text: str) -> None:
    parse_wish(text)
