"""The table of moves of the register: nothing is adopted tacitly, an objection blocks at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.ids import AssociationName, EntryId, LinkName
from passerelle.core.register_model import Entry
from passerelle.core.register_moves import (
    FIRST_STATES,
    MOVES,
    clashes,
    find_move,
    first_state,
    is_overdue,
    judge_adoption,
    judge_move,
    state_named,
)
from passerelle.core.secretary_settings import KindSettings

NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
REQUESTS = KindSettings(name="demande", words=("demande",), states=("reçue", "étudiée", "acceptée", "refusée"))


def entry(**of: object) -> Entry:
    made = Entry(
        id=EntryId(1),
        number=1,
        association=AssociationName("epeule"),
        link=LinkName("bureau"),
        kind="decision",
        text="louer la salle",
        state="proposed",
        said_at=NOW,
        author_name="Karim",
        author_person_id=7,
        created_at=NOW,
        told_at=NOW,
        open_until=NOW + timedelta(days=7),
        replaced_by=None,
        review_on=None,
        reminded_at=None,
        changed_at=NOW,
    )
    return replace(made, **of)  # type: ignore[arg-type]


def test_a_decision_is_adopted_only_after_its_delay() -> None:
    assert judge_adoption(entry(), now=NOW, standing_objections=0) == "still_open"
    assert judge_adoption(entry(), now=NOW + timedelta(days=7), standing_objections=0) is None


def test_a_decision_that_both_sides_were_not_told_of_is_not_adopted() -> None:
    assert judge_adoption(entry(open_until=None), now=NOW + timedelta(days=90), standing_objections=0) == "not_told"


def test_an_objection_blocks_however_late_it_is() -> None:
    late = NOW + timedelta(days=90)
    assert judge_adoption(entry(state="objected"), now=late, standing_objections=1) == "objected"
    assert judge_adoption(entry(), now=late, standing_objections=1) == "objected"
    assert find_move("adopt", "decision", "objected") is None


@pytest.mark.parametrize("state", ["adopted", "dropped", "replaced", "asked"])
def test_what_is_not_proposed_is_not_adopted(state: str) -> None:
    assert judge_adoption(entry(state=state), now=NOW + timedelta(days=9), standing_objections=0) == "wrong_state"


@given(st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1)), st.integers(0, 3))  # noqa: DTZ001
def test_nothing_but_a_told_and_unobjected_proposal_is_adopted(now: datetime, objections: int) -> None:
    for state in ("asked", "proposed", "objected", "adopted", "replaced", "dropped"):
        one = entry(state=state)
        verdict = judge_adoption(one, now=now.replace(tzinfo=UTC), standing_objections=objections)
        if verdict is None:
            assert state == "proposed"
            assert not objections
            assert one.open_until is not None
            assert now.replace(tzinfo=UTC) >= one.open_until


def test_every_arrow_begins_and_ends_in_a_state_that_can_be_reached() -> None:
    reached = {(kind, state) for kind, state in FIRST_STATES.items()} | {("decision", "asked")}
    for _ in MOVES:
        reached |= {(m.kind, m.after) for m in MOVES if any((m.kind, b) in reached for b in m.before)}
    assert {(m.kind, b) for m in MOVES for b in m.before} <= reached


def test_only_its_author_or_a_coordinator_drops_an_action() -> None:
    drop = find_move("drop", "action", "open")
    assert drop is not None
    mine = entry(kind="action", state="open")
    assert judge_move(drop, mine, person_id=7, is_coordinator=False) is None
    assert judge_move(drop, mine, person_id=8, is_coordinator=True) is None
    assert judge_move(drop, mine, person_id=8, is_coordinator=False) == "not_yours"
    assert judge_move(drop, entry(kind="action", state="open", author_person_id=None), person_id=None,
                      is_coordinator=False) == "not_yours"  # fmt: skip


def test_a_coordinator_does_not_confirm_for_the_author() -> None:
    confirm = find_move("confirm", "decision", "asked")
    assert confirm is not None
    assert judge_move(confirm, entry(state="asked"), person_id=8, is_coordinator=True) == "not_yours"


def test_a_configured_kind_begins_with_its_first_state_and_knows_its_others() -> None:
    assert first_state("demande", (REQUESTS,)) == "reçue"
    assert state_named("ACCEPTEE.", "demande", (REQUESTS,)) == "acceptée"
    assert state_named("perdue", "demande", (REQUESTS,)) is None
    with pytest.raises(KeyError):
        first_state("demande")


def test_an_action_is_overdue_from_the_day_after() -> None:
    action = entry(kind="action", state="open", due_on=date(2026, 11, 12))
    assert not is_overdue(action, date(2026, 11, 12))
    assert is_overdue(action, date(2026, 11, 13))
    assert not is_overdue(replace(action, state="done"), date(2026, 11, 13))


def booking(number: int, on: date, **of: object) -> Entry:
    return entry(id=EntryId(number), kind="booking", state="booked", due_on=on, **of)


def test_bookings_clash_where_they_overlap() -> None:
    day = date(2026, 11, 21)
    morning = booking(1, day, due_at=time(9), until_at=time(12))
    afternoon = booking(2, day, due_at=time(14), until_at=time(18))
    whole = booking(3, day)
    long = booking(4, date(2026, 11, 19), until_on=day)
    assert clashes(morning, [afternoon]) == []
    assert clashes(morning, [afternoon, whole]) == [whole]
    assert clashes(long, [morning, afternoon]) == [morning, afternoon]
    assert clashes(morning, [replace(whole, state="dropped"), morning]) == []


def test_a_booking_that_begins_when_another_ends_does_not_clash() -> None:
    day = date(2026, 11, 21)
    first = booking(1, day, due_at=time(9), until_at=time(12))
    assert clashes(first, [booking(2, day, due_at=time(12), until_at=time(14))]) == []


def test_a_booking_until_midnight_leaves_the_next_day_free() -> None:
    evening = booking(1, date(2026, 11, 21), due_at=time(18, 30), until_on=date(2026, 11, 22), until_at=time(0))
    assert clashes(evening, [booking(2, date(2026, 11, 22))]) == []
