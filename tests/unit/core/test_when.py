# ruff: noqa: DTZ001 - hypothesis wants moments without a zone
"""Dates to come as French people write them: the golden table, and what must hold of any text."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.recurrence import instant_of, parse_rrule
from passerelle.core.when import LONGEST_WHEN, When, WhenProblem, find_when, parse_when
from passerelle.core.when_names import read_weekday_name
from passerelle.core.when_tokens import tokenise

GOLDEN = json.loads((Path(__file__).parents[2] / "samples" / "when" / "golden.json").read_text())
PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 3, 10, tzinfo=PARIS)


def shown(when: When) -> dict[str, str]:
    """As the golden table writes it: only what was said."""
    parts = {
        "day": when.day.isoformat(),
        "time": when.time and when.time.strftime("%H:%M"),
        "until_day": when.until_day and when.until_day.isoformat(),
        "until_time": when.until_time and when.until_time.strftime("%H:%M"),
        "rrule": when.rrule,
        "part": when.part,
    }
    if when.time == time(0):
        parts["time"] = "00:00"
    return {name: value for name, value in parts.items() if value}


def shown_shortly(when: When) -> str:
    return when.day.isoformat() + (when.time.strftime("T%H:%M") if when.time else "")


def read(text: str, now: datetime = NOW) -> When:
    zone = now.tzinfo
    assert isinstance(zone, ZoneInfo)
    return parse_when(text, now=now, zone=zone)


def problem_of(text: str, now: datetime = NOW) -> WhenProblem:
    with pytest.raises(WhenProblem) as caught:
        read(text, now)
    return caught.value


def golden_id(case: dict[str, Any]) -> str:
    return f"{case['text']} @ {case.get('now', '')}"


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=golden_id)
def test_golden_table(case: dict[str, Any]) -> None:
    now = datetime.fromisoformat(case.get("now", GOLDEN["now"])).replace(tzinfo=ZoneInfo(GOLDEN["zone"]))
    wanted = {name: value for name, value in case.items() if name not in ("text", "now", "alone")}
    if "problem" not in case:
        when = read(case["text"], now)
        assert shown(when) == wanted
        assert when.text == case["text"].strip()
        return
    problem = problem_of(case["text"], now)
    assert problem.kind == case["problem"]
    assert [shown_shortly(one) for one in problem.candidates] == case.get("candidates", [])
    assert all(one.text == case["text"].strip() for one in problem.candidates)


def test_the_golden_table_is_large() -> None:
    assert len(GOLDEN["cases"]) >= 200
    assert len({golden_id(case) for case in GOLDEN["cases"]}) == len(GOLDEN["cases"])


@pytest.mark.parametrize("case", [one for one in GOLDEN["cases"] if "rrule" in one], ids=golden_id)
def test_rules_that_we_write_are_rules(case: dict[str, Any]) -> None:
    assert parse_rrule(case["rrule"])


def test_every_day_of_three_years_comes_back() -> None:
    """As Babel writes it in full, with and without its weekday and year."""
    for ahead in range(3 * 366):
        day = NOW.date() + timedelta(days=ahead)
        for format_of in ("full", "long", "medium", "dd/MM/y", "dd.MM.yy", "EEE d MMM y", "EEEE dd/MM/y"):
            written = format_date(day, format_of, locale="fr")
            assert read(written) == When(day=day, text=written)
        for format_of in ("full", "long", "MMM d, y"):
            written = format_date(day, format_of, locale="en")
            assert read(written) == When(day=day, text=written)
        if ahead < 365:
            for format_of in ("d MMMM", "EEEE d MMMM", "dd/MM", "d MMM"):
                written = format_date(day, format_of, locale="fr")
                assert read(written) == When(day=day, text=written)


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1)),
    st.sampled_from(["%Hh%M", "%H h %M", "%H:%M"]),
)
def test_every_hour_comes_back(moment: datetime, clock: str) -> None:
    now = moment.replace(tzinfo=UTC).astimezone(PARIS)
    tomorrow = now.date() + timedelta(days=1)
    at = moment.time().replace(second=0, microsecond=0)
    assert read(f"demain à {at.strftime(clock)}", now) == When(
        day=tomorrow, time=at, text=f"demain à {at.strftime(clock)}"
    )


WORDS = [
    *(
        "le",
        "la",
        "du",
        "au",
        "ce",
        "de",
        "à",
        "et",
        "ou",
        "en",
        "mi",
        "un",
        "sur",
        "dans",
        "sous",
        "jusqu'au",
        "at",
        "pm",
    ),
    *(
        "jeudi",
        "mardi",
        "lundi",
        "prochain",
        "dernier",
        "demain",
        "soir",
        "matin",
        "midi",
        "minuit",
        "Thursday",
        "Noël",
    ),
    *("12", "31", "3", "29", "30", "2026", "0", "99", "1er", "2e", "/", ".", "-", ":", "h", "18h30", "14h", "16h"),
    *("novembre", "mars", "février", "fin", "début", "deux", "huit", "quinze", "semaines", "jours", "mois", "jour"),
    *("tous", "les", "chaque", "every", "fois", "premier", "année", "semaine", "prochaine", "week-end", "Pâques"),
]


def is_to_come(when: When, now: datetime) -> bool:
    today = now.astimezone(PARIS).date()
    last = when.until_day or when.day
    if when.time is None or when.day != today:
        return when.day >= today and last >= when.day
    return instant_of(datetime.combine(when.day, when.time), PARIS.key) > now and last >= when.day


MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2029, 1, 1), timezones=st.just(UTC))


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join) | st.text(max_size=60), MOMENTS)
def test_any_text_is_a_day_to_come_or_a_problem(text: str, now: datetime) -> None:
    try:
        found = (parse_when(text, now=now, zone=PARIS),)
    except WhenProblem as problem:
        found = problem.candidates if problem.kind == "ambiguous" else ()
    for when in found:
        assert is_to_come(when, now), text
        assert not when.rrule or parse_rrule(when.rrule)


def test_now_is_a_moment_not_a_zone() -> None:
    """Late in the evening it is another day in Paris than in UTC, and another in Nouméa."""
    now = datetime(2026, 11, 3, 23, 30, tzinfo=UTC)
    assert parse_when("demain", now=now, zone=PARIS).day == date(2026, 11, 5)
    assert parse_when("demain", now=now, zone=ZoneInfo("America/Cayenne")).day == date(2026, 11, 4)
    assert parse_when("18h", now=now, zone=ZoneInfo("Pacific/Noumea")).day == date(2026, 11, 4)


def test_an_hour_from_now_is_an_hour_from_now_when_clocks_change() -> None:
    before = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)  # 02:30, for the first time
    when = parse_when("dans une heure", now=before, zone=PARIS)
    assert (when.day, when.time) == (date(2027, 10, 31), time(2, 30))
    assert when.time is not None
    assert instant_of(datetime.combine(when.day, when.time), PARIS.key) == before + timedelta(hours=1)


def test_minutes_from_now_are_never_too_short() -> None:
    when = read("dans 3 minutes", NOW.replace(second=1))
    assert when.time == time(10, 4)


def test_what_is_missed_today_is_told_as_over() -> None:
    assert problem_of("le 3 novembre à 10h").kind == "past"
    assert read("le 3 novembre à 10h01").day == NOW.date()


@pytest.mark.parametrize(
    ("part", "hour"), [("demain matin", 9), ("demain après-midi", 14), ("demain soir", 18), ("demain", 11)]
)
def test_a_part_of_the_day_stands_for_an_hour_where_one_is_needed(part: str, hour: int) -> None:
    assert read(part).time_or(time(11)) == time(hour)


def test_an_hour_that_was_said_is_the_hour() -> None:
    assert read("demain soir à 20h").time_or(time(11)) == time(20)
    assert read("demain à 0h").time_or(time(11)) == time(0)


@pytest.mark.parametrize(
    "text",
    [
        "jeudi " * 5000, "18h" * 5000, "du 3 au 5 mars " * 2000, "tous les " * 5000, "le 1er et " * 3000,
        "1/" * 9000, "(" * 9000,
        "é" * 9000, "\u0301" * 9000, "lundi et " * 3000, "9" * 9000, "à " * 9000, "jeudi" + " " * 900 + "demain",
    ],
)  # fmt: skip
def test_a_long_text_is_no_date(text: str) -> None:
    assert problem_of(text).kind == "unknown"
    assert len(text) > LONGEST_WHEN


def test_blanks_around_it_do_not_count() -> None:
    assert read("\u202f jeudi\u00a018\u202fh\u202f30 \n").time == time(18, 30)


def test_short_weekdays_need_more() -> None:
    assert read_weekday_name(tokenise("mer"), 0) is None
    assert read_weekday_name(tokenise("mer."), 0) == (2, 2)
    assert read_weekday_name(tokenise("mer 12/11"), 0) == (2, 1)
    assert read_weekday_name(tokenise("mon 12/11"), 0) is None


DOCS = Path(__file__).parents[3] / "docs"


def table_cells(name: str, heading: str) -> list[list[str]]:
    """The cells of the first table under `heading` of a document."""
    _, _, behind = (DOCS / name).read_text().partition(heading)
    lines = behind[behind.index("|---") :].splitlines()[1:]
    rows = takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_what_members_are_told_is_understood() -> None:
    written = [text for row in table_cells("fr/dates.md", "# Écrire") for text in re.findall(r"`([^`]+)`", row[1])]
    assert len(written) > 20
    for text in written:
        try:
            read(text, datetime(2026, 11, 4, 10, tzinfo=PARIS))
        except WhenProblem as problem:
            pytest.fail(f"{text}: {problem.kind}")


def test_rules_that_developers_are_told_are_those() -> None:
    rows = table_cells("dates.md", "### What recurs")
    told = [
        (text, row[1].strip("`")) for row in rows for text in re.findall(r"« ([^»]+) »", row[0]) if "…" not in row[0]
    ]
    assert len(told) > 8
    for text, rrule in told:
        assert read(text).rrule == rrule


def test_a_sentence_that_developers_are_told_of_is_found_or_not() -> None:
    for without, with_date in table_cells("dates.md", "### In a sentence"):
        for text in re.findall(r"« ([^»]+) »", without):
            assert find_when(text, now=NOW, zone=PARIS) is None, text
        for text in re.findall(r"« ([^»]+) »", with_date):
            assert find_when(text, now=NOW, zone=PARIS) is not None, text
