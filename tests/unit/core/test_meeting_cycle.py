"""When the steps of a meeting are due: at most three mails, none that makes no sense any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_cycle import steps_of
from passerelle.core.meeting_model import MeetingStep
from passerelle.core.secretary_settings import MeetingSettings

STARTS = datetime(2026, 12, 10, 17, 30, tzinfo=UTC)


def steps(before: timedelta, **settings: float) -> dict[str, MeetingStep]:
    made = steps_of(
        MeetingId(1), starts_at=STARTS, created_at=STARTS - before, settings=MeetingSettings.model_validate(settings)
    )
    return {one.step: one for one in made}


def test_a_meeting_in_three_weeks_has_its_three_steps() -> None:
    found = steps(timedelta(days=21))
    assert [one.skipped for one in found.values()] == ["", "", ""]
    assert found["call"].due_at == STARTS - timedelta(days=10)
    assert found["convocation"].due_at == STARTS - timedelta(days=7)
    assert found["reminder"].due_at == STARTS - timedelta(days=2)


def test_a_meeting_in_eight_days_is_not_called_for_items_any_more() -> None:
    found = steps(timedelta(days=8))
    assert found["call"].skipped == "too_late"
    assert found["convocation"].due_at == STARTS - timedelta(days=7)


def test_a_meeting_tomorrow_has_its_convocation_at_once_and_nothing_else() -> None:
    found = steps(timedelta(days=1))
    assert found["convocation"].due_at == STARTS - timedelta(days=1)
    assert (found["convocation"].skipped, found["reminder"].skipped) == ("", "too_late")


def test_a_reminder_does_not_leave_with_the_convocation() -> None:
    found = steps(timedelta(days=2, hours=1))
    assert found["convocation"].due_at == STARTS - timedelta(days=2, hours=1)
    assert found["reminder"].skipped == "too_late"


def test_a_step_that_is_off_is_left_out() -> None:
    found = steps(timedelta(days=21), call_days=0, reminder_days=0)
    assert (found["call"].skipped, found["reminder"].skipped) == ("off", "off")


def test_a_meeting_that_is_over_has_no_steps() -> None:
    assert {one.skipped for one in steps(timedelta(hours=-1)).values()} == {"too_late"}


_DAYS = st.one_of(st.just(0.0), st.floats(0.001, 30))


@given(st.floats(0.001, 400), _DAYS, _DAYS, _DAYS)
def test_no_step_is_due_before_the_meeting_is_known_and_the_convocation_always_leaves(
    days: float, call: float, convocation: float, reminder: float
) -> None:
    created = STARTS - timedelta(days=days)
    found = steps(timedelta(days=days), call_days=call, convocation_days=convocation, reminder_days=reminder)
    leaving = [one for one in found.values() if not one.skipped]
    assert all(created <= one.due_at <= STARTS for one in leaving)
    assert convocation == 0 or not found["convocation"].skipped
    if not found["call"].skipped and not found["convocation"].skipped:
        assert found["call"].due_at < found["convocation"].due_at
