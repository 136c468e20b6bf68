"""The register's dates as days of a calendar."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from passerelle.core.register_calendar import days_of_entries
from passerelle.core.register_export import ExportedEntry
from passerelle.render import load_words


def entry(kind: str = "action", **other: Any) -> ExportedEntry:
    values: dict[str, Any] = {
        "number": 12, "kind": kind, "kind_word": "Action", "text": "relancer la mairie", "state": "open",
        "state_word": "à faire", "names": ("Léa",), "label": "", "quantity": None, "due_on": None, "due_at": None,
        "until_on": None, "until_at": None, "said_at": datetime(2026, 11, 12, tzinfo=UTC), "author": "Karim",
        "said_for": "", "link": "bureau", "open_until": None, "review_on": None, "replaced_by": None,
        "objections": (), "url": "https://archives.example.org/epeule/register/12",
    }  # fmt: skip
    return ExportedEntry(**(values | other))


def days(*entries: ExportedEntry, language: Any = "fr") -> list[Any]:
    return list(days_of_entries(entries, uid_of=lambda number: f"e{number}@example.org", words=load_words(language)))


def test_an_action_has_the_day_by_which_it_is_due_and_names_nobody() -> None:
    (day,) = days(entry(due_on=date(2027, 1, 12), due_at=time(18)))
    assert (day.uid, day.day, day.until) == ("e12@example.org", date(2027, 1, 12), None)
    assert day.summary == "Action 12\u00a0: relancer la mairie"
    assert day.description == "18:00"
    assert day.url.endswith("/register/12")


def test_a_booking_lasts_from_its_first_day_to_its_last() -> None:
    begin, end = date(2027, 3, 14), date(2027, 3, 16)
    booked = entry("booking", state="booked", due_on=begin, due_at=time(14), until_on=end, until_at=time(17))
    (day,) = days(booked)
    assert (day.day, day.until, day.description) == (begin, end, "14:00–17:00")
    # An end that nobody can mean makes no event that ends before it begins.
    (day,) = days(entry("booking", state="booked", due_on=end, until_on=begin))
    assert (day.day, day.until) == (end, end)


def test_a_decision_has_the_day_on_which_it_is_looked_at_again() -> None:
    (day,) = days(entry("decision", state="adopted", kind_word="Decision", review_on=date(2027, 6, 1)), language="en")
    assert (day.uid, day.day) == ("review.e12@example.org", date(2027, 6, 1))
    assert day.summary == "To be reviewed, Decision 12: relancer la mairie"


@pytest.mark.parametrize(("kind", "state"), [("action", "done"), ("loan", "returned"), ("decision", "replaced")])
def test_what_is_over_has_no_day(kind: str, state: str) -> None:
    assert days(entry(kind, state=state, due_on=date(2027, 1, 12), review_on=date(2027, 1, 12))) == []


def test_of_a_kind_of_one_s_own_nobody_knows_what_is_over() -> None:
    assert len(days(entry("demande", state="done", due_on=date(2027, 1, 12)), entry())) == 1
