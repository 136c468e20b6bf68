"""Reading answers of /sync, whatever is in them."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passerelle.core.ids import UserId
from passerelle.matrix.power import judge_power
from passerelle.matrix.timeline import first_own_change, invitations, joined_windows, since_own_join

BOT = UserId("@bot:x")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["rooms", "join", "leave", "invite", "!r", "timeline", "state", "events", "limited", "prev_batch", "type",
             "content", "membership", "unsigned", "prev_content", "state_key", "users", "creators"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


def member(membership: str, before: str | None = None, who: str = BOT) -> dict[str, Any]:
    unsigned = {} if before is None else {"prev_content": {"membership": before}}
    return {"type": "m.room.member", "state_key": who, "content": {"membership": membership}, "unsigned": unsigned}


SAID = {"type": "m.room.message", "content": {"body": "x"}}


@pytest.mark.parametrize(
    ("timeline", "kept"),
    [
        ([SAID, SAID], 2),
        ([SAID, member("invite"), member("join", "invite"), SAID], 2),
        ([SAID, member("join"), SAID], 2),
        # A new name is a join after a join.
        ([SAID, member("join", "join"), SAID], 3),
        # Out and in again: what was said before the going was said to us.
        ([SAID, member("leave", "join"), SAID, member("join", "leave"), SAID], 5),
        ([SAID, member("join", "invite", who="@lea:x"), SAID], 3),
        ([], 0),
    ],
)
def test_what_was_said_before_us_is_cut_off(timeline: list[dict[str, Any]], kept: int) -> None:
    assert since_own_join(timeline, BOT) == tuple(timeline[len(timeline) - kept :])


def test_going_is_told_from_coming() -> None:
    change = first_own_change([SAID, member("ban", "join")], BOT)
    assert change is not None
    assert (change.index, change.came_in) == (1, False)


@given(_JSON)
def test_no_answer_breaks_the_reading(answer: Any) -> None:
    body = answer if isinstance(answer, dict) else {"rooms": answer}
    for window in joined_windows(body):
        since_own_join(window.timeline, BOT)
        assert all(event["room_id"] == window.room_id for event in (*window.timeline, *window.state))
        judge_power(window.state, BOT)
    invitations(body)


def _create(version: str, sender: str, **more: Any) -> dict[str, Any]:
    content = {"room_version": version, **more}
    return {"type": "m.room.create", "state_key": "", "sender": sender, "content": content}


def _levels(**content: Any) -> dict[str, Any]:
    return {"type": "m.room.power_levels", "state_key": "", "content": content}


@pytest.mark.parametrize(
    ("state", "own"),
    [
        ([_create("12", BOT), _levels(users={})], math.inf),
        ([_create("12", "@lea:x", additional_creators=[BOT]), _levels(users={})], math.inf),
        ([_create("12", "@lea:x"), _levels(users={BOT: 50})], 50),
        ([_create("11", BOT), _levels(users={})], 0),
        ([_create("11", BOT)], 100),
        ([_create("1", "@lea:x")], 0),
        ([_create("9", "@lea:x"), _levels(users={BOT: "50"})], 50),
        ([_create("10", "@lea:x"), _levels(users_default=7)], 7),
        ([], 0),
    ],
)
def test_own_power(state: list[dict[str, Any]], own: float) -> None:
    assert judge_power(state, BOT).own == own
