"""What stands in a digest: the golden situations, and one rule each. What always holds: `test_digest_holds`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any, get_args

import pytest

from passerelle.core.digest_choice import Chosen
from passerelle.core.digest_facts import EVERYONE
from passerelle.core.digest_items import ReasonCode
from passerelle.core.digest_telling import cut_line
from passerelle.core.digest_threads import asks_something
from passerelle.core.digest_weights import AGAIN_AFTER, WEIGHTS
from tests.unit.core.digest_cases import NAMES, REPOSITORY, SAMPLES, SINCE, UNTIL, load_situation, situation_of, told_of

# ---------------------------------------------------------------- golden situations


@pytest.mark.parametrize("name", NAMES)
def test_each_situation_has_its_digest(name: str) -> None:
    assert told_of(load_situation(name).choose()) == (SAMPLES / name / "chosen.txt").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_a_digest_is_stored_and_read_again(name: str) -> None:
    chosen = load_situation(name).choose()
    assert Chosen.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen


def test_there_are_situations_enough() -> None:
    assert len(NAMES) >= 15


@pytest.mark.parametrize("name", ["empty", "told_before", "member_no_troubles"])
def test_nothing_is_sent_where_there_is_nothing_to_say(name: str) -> None:
    assert load_situation(name).choose().is_empty


@pytest.mark.parametrize("name", ["restricted", "not_yet_told"])
def test_what_may_not_be_seen_is_nowhere_in_the_stored_digest(name: str) -> None:
    chosen = load_situation(name).choose()
    assert chosen.items
    assert "SECRET" not in json.dumps(chosen.to_json(), ensure_ascii=False)


def test_a_later_version_adds_fields_and_an_older_one_lacks_them() -> None:
    document = load_situation("quiet").choose().to_json()
    item = document["items"][0]
    item["colour"] = "green"
    del item["happened_at"]
    read = Chosen.from_json({**document, "mood": "good"})
    assert (read.items[0].key, read.items[0].happened_at) == ("thread:1", None)


# ---------------------------------------------------------------- one rule each


def chosen_of(**told: Any) -> Chosen:
    return situation_of(told).choose()


def test_the_reason_that_is_nearest_to_the_reader_wins() -> None:
    late = {"kind": "action", "text": "ranger", "people": ["Léa"], "due_on": date(2026, 11, 10)}
    for reader, section, names in (("Léa", "asked", ("Léa",)), ("Paul", "actions", ())):
        (item,) = chosen_of(reader=reader, entries=[late]).items
        assert (item.section, item.names) == (section, names)


def test_who_is_late_is_not_told_as_the_author_either() -> None:
    (item,) = chosen_of(reader="Paul", entries=[{"kind": "action", "text": "x", "due_on": date(2026, 11, 10)}]).items
    assert (item.reason.code, item.author, item.names) == ("overdue", "", ())


def test_what_is_open_is_told_again_after_some_days_and_what_is_settled_never() -> None:
    standing = {"kind": "action", "text": "ranger", "people": ["Monique"]}
    settled = {"kind": "decision", "text": "louer", "state": "adopted", "changed_at": UNTIL - timedelta(hours=1)}
    (first, second) = chosen_of(entries=[standing, settled]).items
    for days, expected in ((AGAIN_AFTER.days - 1, []), (AGAIN_AFTER.days, [first.key])):
        at = UNTIL - timedelta(days=days)
        shown = {item.key: [item.state, at] for item in (first, second)}
        assert [item.key for item in chosen_of(entries=[standing, settled], shown=shown).items] == expected


def test_a_decision_whose_delay_ends_is_another_state() -> None:
    decision = {"kind": "decision", "text": "louer", "open_until": UNTIL + timedelta(hours=1)}
    (before,) = chosen_of(entries=[decision]).items
    shown = {before.key: [before.state, UNTIL]}
    assert chosen_of(entries=[decision], shown=shown).is_empty
    later = {**decision, "open_until": UNTIL}
    assert [item.reason.code for item in chosen_of(entries=[later], shown=shown).items] == ["to_decide"]


def test_who_wants_no_reminders_of_a_meeting_is_not_asked() -> None:
    starts_at = UNTIL + timedelta(days=3)
    for more, section in (({}, "asked"), ({"is_quiet": True}, "meetings"), ({"own_answer": "no"}, "meetings")):
        (item,) = chosen_of(meetings=[{"starts_at": starts_at, **more}]).items
        assert item.section == section


def test_a_meeting_that_has_begun_is_not_to_come() -> None:
    assert chosen_of(meetings=[{"starts_at": UNTIL - timedelta(minutes=1)}]).is_empty


def test_a_question_that_stands_in_the_register_is_told_once() -> None:
    asked_at = UNTIL - timedelta(days=6)
    question = {"thread": 1, "id": 500, "by": "Odile", "at": asked_at, "text": "Qui a la clé du local ?"}
    noted = {"kind": "question", "text": "qui a la clé du local ?", "post_id": 500, "said_at": asked_at}
    found = chosen_of(questions=[dict(question)], entries=[noted])
    assert [item.key for item in found.items] == ["entry:1"]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Qui a la clé du local ?", True),
        ("Bonjour,\nquelqu’un peut m’aider\u202f?", True),
        ("Il demande « qui a la clé ? »", True),
        ("Ça va ? Bien.", False),
        ("Voyez https://exemple.org/?page=3 ou https://exemple.org/quoi?", False),
        ("> Qui a la clé du local", False),
        ("Merci beaucoup !", False),
        ("", False),
    ],
)
def test_what_asks_something(text: str, asks: bool) -> None:
    assert asks_something(text) is asks


@pytest.mark.parametrize(
    ("text", "cut"),
    [("un\n deux  trois", "un deux trois"), ("un deux trois quatre", "un deux trois…"), ("a" * 50, "a" * 15 + "…")],
)
def test_a_line_is_cut_at_a_word(text: str, cut: str) -> None:
    assert cut_line(text, 16) == cut


def test_every_reason_has_its_weight() -> None:
    assert set(WEIGHTS) == set(get_args(ReasonCode))


def test_the_document_has_the_weights_of_the_code() -> None:
    text = (REPOSITORY / "docs" / "digest.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    assert {code: int(weight) for code, weight in rows} == WEIGHTS
    assert [code for code, _ in rows] == list(WEIGHTS)


def test_no_news_weighs_more_than_what_is_asked_of_the_reader() -> None:
    """Twelve people of two lists and both sides, in a thread of the reader's, stand below what only they can do."""
    news = max(WEIGHTS[code] for code in ("new", "woken", "goes_on")) + 2 * 10 + 6 + 4 + 10
    assert news < WEIGHTS["rsvp_wanted"]
    assert news < WEIGHTS["own_overdue"]


def test_more_messages_of_the_same_people_weigh_no_more() -> None:
    def weight(times: int) -> int:
        posts = [
            {"by": by, "at": SINCE + timedelta(hours=n), "text": "oui"}
            for n, by in enumerate(["Léa", "Paul"] * times)
        ]  # fmt: skip
        (item,) = chosen_of(threads=[{"id": 1, "subject": "Fête", "posts": posts}]).items
        return item.weight

    assert weight(1) == weight(20)


def test_nothing_is_asked_of_everyone() -> None:
    """Where a room is summed up for its list, an invitation is to come, and an action is nobody's own."""
    made = situation_of({
        "entries": [{"kind": "action", "text": "ranger", "people": ["Monique"], "due_on": date(2026, 11, 18)}],
        "meetings": [{"starts_at": UNTIL + timedelta(days=3)}],
    })  # fmt: skip
    made = replace(made, reader=replace(made.reader, person_id=EVERYONE))
    assert {item.reason.code for item in made.choose().items} == {"due", "to_come"}


def test_an_instant_is_told_in_utc_or_elsewhere_alike() -> None:
    (item,) = chosen_of(meetings=[{"starts_at": UNTIL + timedelta(days=1)}]).items
    read = Chosen.from_json(json.loads(json.dumps(Chosen(items=(item,)).to_json())))
    assert read.items[0].at == (UNTIL + timedelta(days=1)).astimezone(UTC)
