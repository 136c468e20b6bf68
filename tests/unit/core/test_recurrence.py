# ruff: noqa: DTZ001 - wall times have no zone of their own
"""Wall time, zone and rule make instants: a simulated clock is walked over changes of hour, leap days and outages."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.recurrence import Occurrence, instant_of, instants_between, next_instant
from passerelle.errors import MalformedRecurrence, PasserelleError

PARIS = "Europe/Paris"
#: Two changes a year; none; none, on the other side of the world; none, south of the equator.
ZONES = (PARIS, "Africa/Dakar", "America/Cayenne", "Pacific/Noumea", "Indian/Reunion")


def walked(starts: datetime, zone: str, rrule: str, *, begins: datetime, ends: datetime) -> list[Occurrence]:
    """As the daemon does it: sleep until the next instant, act, look for the next one after it."""
    seen: list[Occurrence] = []
    clock = begins
    while (found := next_instant(starts, zone, rrule, after=clock)) is not None and found[1] <= ends:
        assert found[1] > clock, "time stands still"
        seen.append(found)
        clock = found[1]
    return seen


def instants_showing(wall: datetime, zone: str) -> list[datetime]:
    """By looking at the clock every quarter of an hour, for two days: when it shows `wall`."""
    looked = datetime.combine(wall.date() - timedelta(days=1), time(0), tzinfo=UTC)
    moments = (looked + timedelta(minutes=15 * quarter) for quarter in range(4 * 72))
    return [moment for moment in moments if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall]


def days(first: date, last: date, wanted: Callable[[date], bool] = lambda day: True) -> list[date]:
    span = range((last - first).days + 1)
    return [day for day in (first + timedelta(days=ahead) for ahead in span) if wanted(day)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(9), time(18, 30), time(2, 30), time(0), time(23, 45)])
@pytest.mark.parametrize(
    ("rrule", "wanted"),
    [
        ("FREQ=DAILY", lambda day: True),
        ("FREQ=WEEKLY;BYDAY=TH", lambda day: day.weekday() == 3),
        ("FREQ=WEEKLY;BYDAY=SU", lambda day: day.weekday() == 6),
        ("FREQ=MONTHLY;BYDAY=1MO", lambda day: day.weekday() == 0 and day.day <= 7),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", lambda day: (day + timedelta(days=1)).day == 1),
        ("FREQ=MONTHLY;BYMONTHDAY=31", lambda day: day.day == 31),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", lambda day: (day.month, day.day) == (2, 29)),
        ("FREQ=DAILY;INTERVAL=2", lambda day: (day - date(2027, 1, 1)).days % 2 == 0),
    ],
)
def test_two_years_by_the_clock(zone: str, at: time, rrule: str, wanted: Callable[[date], bool]) -> None:
    first, last = date(2027, 1, 1), date(2028, 12, 31)
    begins = instant_of(datetime.combine(first, time(0)), zone) - timedelta(seconds=1)
    ends = instant_of(datetime.combine(last + timedelta(days=1), time(0)), zone) - timedelta(seconds=1)
    seen = walked(datetime.combine(first, at), zone, rrule, begins=begins, ends=ends)
    assert [wall for wall, _ in seen] == [datetime.combine(day, at) for day in days(first, last, wanted)]
    assert len({instant for _, instant in seen}) == len(seen)
    assert all(instant.utcoffset() == timedelta(0) for _, instant in seen)
    for wall, instant in seen:
        shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        if zone == PARIS and wall in (datetime(2027, 3, 28, 2, 30), datetime(2028, 3, 26, 2, 30)):
            assert shown == wall + timedelta(hours=1), "the hour that is skipped"
        else:
            assert shown == wall
    assert instants_between(
        datetime.combine(first, at), zone, rrule, after=begins, until=ends
    ) == seen, "all at once is the same as one after the other"  # fmt: skip


@pytest.mark.parametrize("wall", [datetime(2027, 10, 31, 2, 30), datetime(2028, 10, 29, 2, 0)])
def test_of_an_hour_that_comes_twice_the_first_counts(wall: datetime) -> None:
    both = instants_showing(wall, PARIS)
    assert len(both) == 2
    assert instant_of(wall, PARIS) == both[0]
    assert instant_of(wall.replace(fold=1), PARIS) == both[1]
    assert next_instant(wall, PARIS, "FREQ=DAILY", after=both[0]) == (
        wall + timedelta(days=1),
        instant_of(wall + timedelta(days=1), PARIS),
    ), "the second time it is not told again"


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_is_skipped_moves_forward(fold: int) -> None:
    wall = datetime(2027, 3, 28, 2, 30, fold=fold)
    assert instants_showing(wall, PARIS) == []
    assert instant_of(wall, PARIS).astimezone(ZoneInfo(PARIS)).time() == time(3, 30)


def test_a_day_that_is_skipped_moves_forward() -> None:
    """Apia went from the 29th to the 31st of December 2011."""
    missing = datetime(2011, 12, 30, 18, 30)
    assert instants_showing(missing, "Pacific/Apia") == []
    assert instant_of(missing, "Pacific/Apia").astimezone(ZoneInfo("Pacific/Apia")).day == 31


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1)),
    st.sampled_from([PARIS, "Australia/Lord_Howe"]),
)
def test_an_instant_shows_the_wall_time_it_was_made_of(wall: datetime, zone: str) -> None:
    wall = wall.replace(minute=wall.minute // 15 * 15, second=0, microsecond=0, fold=0)
    shown = instants_showing(wall, zone)
    if shown:
        assert instant_of(wall, zone) == shown[0]
    else:
        assert instant_of(wall, zone).astimezone(ZoneInfo(zone)).replace(tzinfo=None) > wall


def test_the_29th_of_february_waits_for_its_year() -> None:
    starts = datetime(2024, 2, 29, 18, 30)
    seen = walked(
        starts, PARIS, "FREQ=YEARLY", begins=datetime(2024, 3, 1, tzinfo=UTC), ends=datetime(2037, 1, 1, tzinfo=UTC)
    )
    assert [wall.date() for wall, _ in seen] == [date(2028, 2, 29), date(2032, 2, 29), date(2036, 2, 29)]


def test_the_31st_is_passed_over_where_there_is_none() -> None:
    seen = walked(
        datetime(2027, 1, 31, 9),
        PARIS,
        "FREQ=MONTHLY",
        begins=datetime(2027, 1, 1, tzinfo=UTC),
        ends=datetime(2028, 1, 1, tzinfo=UTC),
    )
    assert [wall.month for wall, _ in seen] == [1, 3, 5, 7, 8, 10, 12]


def test_what_was_missed_in_three_days_is_what_stands_between() -> None:
    """The daemon stops on Friday evening and is back on Monday evening; the clock changed on Sunday."""
    starts, rrule = datetime(2026, 1, 1, 2, 30), "FREQ=DAILY"
    down, up = datetime(2027, 3, 26, 20, tzinfo=UTC), datetime(2027, 3, 29, 20, tzinfo=UTC)
    before = walked(starts, PARIS, rrule, begins=down - timedelta(days=5), ends=down)
    missed = instants_between(starts, PARIS, rrule, after=down, until=up)
    afterwards = walked(starts, PARIS, rrule, begins=up, ends=up + timedelta(days=5))
    assert [wall.day for wall, _ in missed] == [27, 28, 29]
    assert [instant.hour for _, instant in missed] == [1, 1, 0]
    whole = walked(starts, PARIS, rrule, begins=down - timedelta(days=5), ends=up + timedelta(days=5))
    assert before + missed + afterwards == whole, "nothing twice, nothing left out"


def test_of_much_that_was_missed_the_first_come() -> None:
    after, until = datetime(2027, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    found = instants_between(datetime(2027, 1, 1, 9), PARIS, "FREQ=DAILY", after=after, until=until, limit=5)
    assert [wall.day for wall, _ in found] == [1, 2, 3, 4, 5]
    assert instants_between(datetime(2027, 1, 1, 9), PARIS, "FREQ=DAILY", after=after, until=until, limit=0) == []


def test_strictly_after() -> None:
    at = instant_of(datetime(2027, 1, 7, 18, 30), PARIS)
    for rrule in ("", "FREQ=WEEKLY"):
        first = next_instant(datetime(2027, 1, 7, 18, 30), PARIS, rrule, after=at - timedelta(microseconds=1))
        assert first == (datetime(2027, 1, 7, 18, 30), at)
    assert next_instant(datetime(2027, 1, 7, 18, 30), PARIS, "", after=at) is None
    following = next_instant(datetime(2027, 1, 7, 18, 30), PARIS, "FREQ=WEEKLY", after=at)
    assert following is not None
    assert following[0] == datetime(2027, 1, 14, 18, 30)


@pytest.mark.parametrize(
    ("rrule", "last"),
    [
        ("FREQ=DAILY;UNTIL=20270110", datetime(2027, 1, 10, 18, 30)),  # that whole day
        ("FREQ=DAILY;UNTIL=20270110T183000", datetime(2027, 1, 10, 18, 30)),  # on the wall clock
        ("FREQ=DAILY;UNTIL=20270110T182959", datetime(2027, 1, 9, 18, 30)),
        ("FREQ=DAILY;UNTIL=20270110T173000Z", datetime(2027, 1, 10, 18, 30)),  # an hour earlier in UTC
        ("FREQ=DAILY;UNTIL=20270110T172959Z", datetime(2027, 1, 9, 18, 30)),
        ("FREQ=DAILY;COUNT=10", datetime(2027, 1, 10, 18, 30)),
        ("rrule:freq=daily;count=10", datetime(2027, 1, 10, 18, 30)),
    ],
)
def test_the_end_of_a_rule(rrule: str, last: datetime) -> None:
    seen = walked(
        datetime(2027, 1, 1, 18, 30),
        PARIS,
        rrule,
        begins=datetime(2026, 1, 1, tzinfo=UTC),
        ends=datetime(2029, 1, 1, tzinfo=UTC),
    )
    assert seen[0][0] == datetime(2027, 1, 1, 18, 30)
    assert seen[-1][0] == last


def test_an_end_in_utc_amid_the_hour_that_comes_twice() -> None:
    """02:45 comes at 00:45 UTC first. 01:30 UTC shows 02:30, and is later all the same."""
    rrule = "FREQ=DAILY;UNTIL=20271031T013000Z"
    seen = walked(
        datetime(2027, 10, 29, 2, 45),
        PARIS,
        rrule,
        begins=datetime(2027, 1, 1, tzinfo=UTC),
        ends=datetime(2028, 1, 1, tzinfo=UTC),
    )
    assert [wall.day for wall, _ in seen] == [29, 30, 31]


def test_hours_that_change_places_are_told_in_their_order() -> None:
    """On the night of the change 02:45 becomes 03:45, behind 03:30; and 02:30 becomes 03:30: told once."""
    rrule = "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=30,45"
    seen = walked(
        datetime(2027, 3, 28),
        PARIS,
        rrule,
        begins=datetime(2027, 3, 27, 12, tzinfo=UTC),
        ends=datetime(2027, 3, 28, 12, tzinfo=UTC),
    )
    shown = [instant.astimezone(ZoneInfo(PARIS)).strftime("%H:%M") for _, instant in seen]
    assert shown == ["03:30", "03:45"]


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "FREQ=WEEKLY;INTERVAL=3;WKST=SU;BYDAY=SU,SA",
        "FREQ=MONTHLY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR",
        "FREQ=YEARLY;INTERVAL=4", "FREQ=YEARLY;BYDAY=1MO", "FREQ=YEARLY;BYYEARDAY=-1", "FREQ=YEARLY;BYWEEKNO=1,53",
        "FREQ=YEARLY;BYMONTH=6;BYDAY=1SA", "FREQ=WEEKLY;BYDAY=MO,FR;BYSETPOS=1",
    ],
)  # fmt: skip
def test_a_rule_that_began_long_ago_gives_the_same(rrule: str) -> None:
    """Looked for from far and from near: what is leapt over changes nothing."""
    starts = datetime(1961, 5, 31, 9)
    ends = datetime(2029, 1, 1, tzinfo=UTC)
    whole = instants_between(starts, PARIS, rrule, after=datetime(1960, 1, 1, tzinfo=UTC), until=ends, limit=100_000)
    assert whole
    begins = datetime(2025, 1, 1, tzinfo=UTC)
    assert walked(starts, PARIS, rrule, begins=begins, ends=ends) == [one for one in whole if one[1] > begins]


def test_a_week_of_the_year_without_a_weekday_has_that_of_the_first_day() -> None:
    """RFC 5545 §3.3.10: what the rule does not say is taken from DTSTART."""
    found = next_instant(
        datetime(2026, 11, 3, 9), PARIS, "FREQ=YEARLY;BYWEEKNO=20", after=datetime(2026, 11, 3, tzinfo=UTC)
    )
    assert found is not None
    assert found[0] == datetime(2027, 5, 18, 9)


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=9", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYDAY=2MO",
    ],
)  # fmt: skip
def test_what_never_occurs_is_none(rrule: str) -> None:
    after = datetime(2026, 11, 3, tzinfo=UTC)
    assert next_instant(datetime(2026, 11, 3, 9), PARIS, rrule, after=after) is None
    assert (
        instants_between(datetime(2026, 11, 3, 9), PARIS, rrule, after=after, until=datetime(2199, 1, 1, tzinfo=UTC))
        == []
    )


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY", "FREQ=", "FREQ", "DAILY", "INTERVAL=2", "=", ";",
        "FREQ=DAILY;;COUNT=1",
        "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=99999",
        "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=1000000", "FREQ=DAILY;COUNT=x", "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;UNTIL=20271301", "FREQ=DAILY;UNTIL=20270101T256000Z",
        "FREQ=DAILY;UNTIL=",
        "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYDAY=", "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=99MO",
        "FREQ=WEEKLY;BYMONTHDAY=3", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=YEARLY;BYMONTH=13",
        "FREQ=MONTHLY;BYWEEKNO=3", "FREQ=MONTHLY;BYYEARDAY=3", "FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=0,10,20,30,40", "FREQ=DAILY;WKST=XX",
        "FREQ=DAILY;X-RUN=1", "FREQ=DAILY;BYHOUR=٣", "RRULE:RRULE:FREQ=DAILY",
        "FREQ=DAILY;BYMONTH=" + ",".join("1" * 400),
    ],
)  # fmt: skip
def test_a_damaged_rule_is_refused(rrule: str) -> None:
    with pytest.raises(MalformedRecurrence) as problem:
        next_instant(datetime(2026, 11, 3, 9), PARIS, rrule, after=datetime(2026, 11, 3, tzinfo=UTC))
    assert isinstance(problem.value, ValueError)
    assert isinstance(problem.value, PasserelleError)


@given(st.text(alphabet="FREQ=DAILYWKMONTHBYUS;,0123456789-+:TZ", max_size=80))
def test_any_rule_is_understood_or_refused(rrule: str) -> None:
    try:
        found = next_instant(datetime(2026, 11, 3, 9), PARIS, rrule, after=datetime(2026, 11, 3, tzinfo=UTC))
    except MalformedRecurrence:
        return
    assert found is None or found[1] > datetime(2026, 11, 3, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["", "Europe", "Europe/Atlantis", "../etc/passwd", "/etc/passwd", "x" * 300, "a\0b"])
def test_a_zone_that_there_is_not(zone: str) -> None:
    with pytest.raises(MalformedRecurrence):
        instant_of(datetime(2026, 11, 3, 9), zone)


def test_a_wall_time_has_no_zone() -> None:
    with pytest.raises(TypeError):
        instant_of(datetime(2026, 11, 3, 9, tzinfo=UTC), PARIS)


def test_a_first_day_out_of_all_calendars_is_refused() -> None:
    with pytest.raises(MalformedRecurrence):
        next_instant(datetime(1, 1, 1), PARIS, "FREQ=DAILY", after=datetime(2026, 11, 3, tzinfo=UTC))
