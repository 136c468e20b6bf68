"""Minutes as a value: what the meeting noted wins, nobody's silence is shown, items are treated or carried."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.minutes import approve_minutes, build_minutes
from passerelle.core.minutes_model import AgendaItem, MeetingFacts, Minutes, Presence
from passerelle.core.minutes_words import build_sheet
from passerelle.render import load_words
from tests.unit.core.minutes_facts import NAMES, facts_of, load_sample

FRENCH = load_words("fr")
START = datetime(2026, 11, 12, 18, 30, tzinfo=UTC)
SPAN = {"started_at": START, "ended_at": START + timedelta(hours=2)}


def minutes(**told: Any) -> Minutes:
    return build_minutes(facts_of(told), words=FRENCH)


def presence(*attendances: dict[str, Any], rsvps: tuple[dict[str, Any], ...] = (), **told: Any) -> Presence:
    return minutes(attendances=attendances, rsvps=rsvps, **told).presence


def names(people: tuple[Any, ...]) -> list[str]:
    return [one.name for one in people]


# ---------------------------------------------------------------- presence


def test_what_the_meeting_noted_wins_over_an_answer() -> None:
    found = presence({"name": "Paul", "person_id": 7}, rsvps=({"name": "Paul L.", "person_id": 7, "answer": "no"},))
    assert names(found.present) == ["Paul"]
    assert found.excused == ()


@pytest.mark.parametrize("answer", ["yes", "maybe"])
def test_who_answered_and_was_not_noted_stands_nowhere(answer: str) -> None:
    found = presence({"name": "Léa"}, rsvps=({"name": "Paul", "answer": answer},))
    assert "Paul" not in str(found)
    assert (found.present_count, found.excused_count, found.absent_count) == (1, 0, 0)


def test_only_the_meeting_says_who_was_absent() -> None:
    found = presence({"name": "Léa"}, {"name": "Paul", "presence": "absent"})
    assert names(found.absent) == ["Paul"]


def test_an_excuse_says_who_passed_it_on() -> None:
    found = presence(rsvps=({"name": "Marie", "answer": "no", "said_by": "Monique"},))
    assert (names(found.excused), found.excused[0].said_by) == (["Marie"], "Monique")


def test_two_of_one_name_are_two_where_we_know_who_they_are() -> None:
    found = presence({"name": "Marie", "person_id": 1}, rsvps=({"name": "Marie", "person_id": 2, "answer": "no"},))
    assert (names(found.present), names(found.excused)) == (["Marie"], ["Marie"])


def test_one_noted_by_first_name_is_the_one_who_had_answered() -> None:
    found = presence({"name": "Paul"}, rsvps=({"name": "Paul Lefèvre", "person_id": 2, "answer": "no"},))
    assert (names(found.present), found.excused) == (["Paul"], ())


def test_the_last_word_on_somebody_counts() -> None:
    found = presence(
        {"name": "Léa", "presence": "excused", "at": START}, {"name": "lea", "at": START + timedelta(minutes=1)}
    )
    assert (names(found.present), found.excused) == (["lea"], ())


def test_an_excuse_does_not_take_a_proxy_back() -> None:
    annie = {"name": "Annie", "presence": "represented", "represented_by": "Paul", "at": START}
    found = presence(
        {"name": "Paul"}, annie, {"name": "Annie", "presence": "excused", "at": START + timedelta(hours=1)}
    )
    assert [(one.giver, one.holder) for one in found.represented] == [("Annie", "Paul")]
    assert found.excused == ()


def test_who_comes_after_all_needs_no_proxy() -> None:
    annie = {"name": "Annie", "presence": "represented", "represented_by": "Paul", "at": START}
    found = presence({"name": "Paul"}, annie, {"name": "Annie", "at": START + timedelta(hours=1)})
    assert (found.represented, names(found.present)) == ((), ["Paul", "Annie"])


def test_a_mail_address_is_nobodys_name() -> None:
    found = presence({"name": "jeanne@orange.example"})
    assert names(found.present) == ["Un membre de la liste"]


def test_who_typed_the_list_is_not_said_but_who_told_of_a_call_is() -> None:
    found = presence(
        {"name": "Paul", "said_by": "Léa"}, {"name": "Mme Haddad", "how": "par téléphone", "said_by": "Léa"}
    )
    assert [one.said_by for one in found.present] == ["", "Léa"]


def test_who_spoke_and_was_not_noted_is_no_attendee() -> None:
    posts = [
        {"author": name, "said_at": START, "text": "Bonsoir à toutes et à tous"} for name in ("Léa Bonnet", "Karim")
    ]
    found = presence({"name": "Léa"}, spans=[SPAN], posts=posts)
    assert (found.spoke, found.present_count) == (("Karim",), 1)


# ---------------------------------------------------------------- when and what


def test_a_captured_meeting_has_the_times_of_its_spans_and_their_pauses() -> None:
    spans = [
        {"started_at": START + timedelta(hours=1), "ended_at": START + timedelta(hours=2)},
        {"started_at": START, "ended_at": START + timedelta(minutes=50)},
    ]
    found = minutes(spans=spans)
    assert (found.starts_at, found.ends_at) == (START, START + timedelta(hours=2))
    assert [(one.starts_at, one.ends_at) for one in found.pauses] == [
        (START + timedelta(minutes=50), START + timedelta(hours=1))
    ]


def test_a_meeting_that_was_not_captured_has_its_hour_and_no_end() -> None:
    found = minutes(meeting={"closed_at": START + timedelta(days=1)})
    assert (found.starts_at, found.ends_at) == (datetime(2026, 11, 12, 17, 30, tzinfo=UTC), None)


def test_a_span_that_was_never_closed_ends_with_the_meeting() -> None:
    end = START + timedelta(hours=3)
    assert minutes(spans=[{"started_at": START}], meeting={"closed_at": end}).ends_at == end


@pytest.mark.parametrize(
    ("states", "said", "expected"),
    [
        (["wanted", "wanted"], [], ["wanted", "wanted"]),
        (["wanted", "wanted"], ["point 2"], ["carried", "treated"]),
        (["treated", "carried"], ["point 2"], ["treated", "carried"]),
        (["dropped", "wanted"], ["#topic Fête"], ["treated"]),
        (["wanted", "wanted"], ["point 3"], ["wanted", "wanted"]),
    ],
)
def test_items_that_did_not_come_up_are_carried_where_others_did(
    states: list[str], said: list[str], expected: list[str]
) -> None:
    entries = [
        {"kind": "agenda", "text": text, "state": state} for text, state in zip(("Budget", "Fête"), states, strict=True)
    ]
    posts = [{"author": "Léa", "said_at": START, "text": text} for text in said]
    assert [one.state for one in minutes(entries=entries, spans=[SPAN], posts=posts).agenda] == expected


def test_what_was_dropped_is_not_shown_but_a_decision_is() -> None:
    entries = [{"kind": kind, "text": kind, "state": "dropped"} for kind in ("decision", "action", "info", "loan")]
    found = minutes(entries=entries)
    assert [one.text for one in (*found.decisions, *found.actions, *found.infos, *found.loans)] == ["decision"]


def test_a_vote_stands_with_its_decision_and_the_others_alone() -> None:
    entries = [{"kind": "decision", "number": 5, "text": "oui"}]
    votes = [{"text": "oui", "in_favour": 3, "entry_id": 5}, {"text": "autre", "in_favour": 1, "entry_id": 99}]
    found = minutes(entries=entries, votes=votes)
    assert [vote.in_favour for vote in found.decisions[0].votes] == [3]
    assert [vote.text for vote in found.votes] == ["autre"]


def test_a_cancelled_meeting_has_no_excuses() -> None:
    found = minutes(meeting={"state": "cancelled"}, rsvps=[{"name": "Paul", "answer": "no"}])
    assert (found.was_held, found.presence.excused) == (False, ())


def test_a_long_text_is_cut() -> None:
    found = minutes(entries=[{"kind": "info", "text": "mot " * 5000}])
    assert len(found.infos[0].text) <= 1000
    assert found.infos[0].text.endswith("…")


# ---------------------------------------------------------------- stored


@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_the_same_again(name: str) -> None:
    made = load_sample(name).minutes
    assert Minutes.from_json(made.to_json()) == made


def test_keys_of_another_version_are_left_and_missing_ones_are_empty() -> None:
    stored = load_sample("assembly").minutes.to_json()
    later = {**stored, "schema": 7, "mood": "good", "presence": {**stored["presence"], "weather": "rain"}}
    assert Minutes.from_json(later) == load_sample("assembly").minutes
    earlier = {key: stored[key] for key in ("association", "title", "number", "zone", "starts_at")}
    assert Minutes.from_json(earlier).decisions == ()


@pytest.mark.parametrize("document", [{}, {"title": "x"}, {"decisions": 3}])
def test_what_is_no_minutes_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="association"):
        Minutes.from_json(document)


def test_approved_minutes_are_a_version_of_their_own() -> None:
    made = approve_minutes(minutes(version=3), date(2026, 11, 20))
    assert (made.state, made.version, made.approved_on) == ("approved", 4, date(2026, 11, 20))


# ---------------------------------------------------------------- whatever is said


@given(text=st.text(max_size=300), name=st.text(max_size=60))
def test_whatever_is_said_makes_minutes_that_can_be_stored_and_said(text: str, name: str) -> None:
    told = {
        "meeting": {"title": text, "place": text},
        "attendances": [{"name": name or "x", "how": text}],
        "entries": [{"kind": "decision", "text": text}, {"kind": "agenda", "text": text}],
        "spans": [SPAN],
        "posts": [{"author": name, "said_at": START, "text": text}],
    }
    made = build_minutes(facts_of(told), words=FRENCH)
    assert Minutes.from_json(made.to_json()) == made
    assert "\n" not in made.title
    assert build_sheet(made, words=FRENCH).subject


def test_facts_need_nothing_but_a_meeting() -> None:
    facts = facts_of({})
    made = build_minutes(MeetingFacts(meeting=facts.meeting, association="Comité"), words=FRENCH)
    assert made.agenda == ()
    assert made.presence == Presence()


def test_an_item_remembers_its_number() -> None:
    found = minutes(entries=[{"kind": "agenda", "number": 9, "text": "Budget"}])
    assert found.agenda == (AgendaItem(text="Budget", state="wanted", number=9),)
