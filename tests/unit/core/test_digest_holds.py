"""What holds of every digest, whatever there is to tell and whoever reads: no leak, no loss, nobody late by name."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.digest_choice import Chosen, DigestFacts, candidates, choose
from passerelle.core.digest_facts import FileFact, MeetingFact, NewcomerFact, PostFact, ServiceFact, visible
from passerelle.core.digest_model import ShownItem
from passerelle.core.digest_settings import DigestSettings
from passerelle.core.digest_telling import Telling
from passerelle.core.ids import LinkName, PostId, ThreadId
from passerelle.core.shelves import Reader, Shelf
from tests.unit.core.digest_cases import SINCE, UNTIL, A, ask_of, entry_of, meeting_of


def _holds(*strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """As `given`, however busy the machine is."""
    return lambda test: settings(deadline=None)(given(*strategies)(test))


_LINKS = [LinkName(name) for name in ("bureau", "jardin", "accueil")]
_SHELVES = [
    *(Shelf(association=A, link=link, origin="live") for link in _LINKS),
    *(Shelf(association=A, link=link, origin="import", side="list") for link in _LINKS),
]
_LINK = st.sampled_from(_LINKS)
_PEOPLE = st.integers(1, 4)
_INSTANTS = st.integers(-60 * 24, 30 * 24).map(lambda hours: UNTIL + timedelta(hours=hours))
_DAYS = st.none() | st.integers(-20, 20).map(lambda days: date(2026, 11, 16) + timedelta(days=days))
_NAMES = {1: "Monique", 2: "Paul", 3: "Léa", 4: "Karim"}
_STATES = {
    "decision": ["proposed", "objected", "adopted", "dropped", "replaced"],
    "action": ["open", "done", "dropped"],
    "loan": ["out", "returned"],
    "question": ["open", "done"],
    "idea": ["kept"],
}


@st.composite
def _entries(draw: st.DrawFn, number: int) -> Any:
    kind = draw(st.sampled_from(sorted(_STATES)))
    told = {
        "kind": kind,
        "text": f"texte {number}",
        "state": draw(st.sampled_from(_STATES[kind])),
        "link": draw(_LINK),
        "people": [_NAMES[one] for one in draw(st.lists(_PEOPLE, max_size=2, unique=True))],
        "due_on": draw(_DAYS),
        "due_at": draw(st.none() | st.just(time(18, 30))),
        "said_at": draw(_INSTANTS),
        "changed_at": draw(_INSTANTS),
        "open_until": draw(st.none() | _INSTANTS),
        "review_on": draw(_DAYS),
        "objections": draw(st.integers(0, 2)),
        "announce_state": draw(st.sampled_from(["none", "wanted", "telling", "told"])),
        "post_id": draw(st.none() | st.integers(1, 12)),
    }
    return entry_of(number, told, reader=1)


@st.composite
def _posts(draw: st.DrawFn, number: int) -> PostFact:
    author, at = draw(_PEOPLE), draw(_INSTANTS)
    return PostFact(
        id=PostId(number),
        thread_id=ThreadId(draw(st.integers(1, 4))),
        shelves=frozenset(draw(st.lists(st.sampled_from(_SHELVES), min_size=1, max_size=3))),
        author=f"person:{author}",
        author_name=_NAMES[author],
        is_own=author == 1,
        side=draw(st.sampled_from(["list", "room"])),
        link=draw(_LINK),
        at=at,
        said_at=at,
        subject=draw(st.sampled_from(["", f"sujet {number}"])),
        text=f"Qui a lu le message {number} ?",
        path=f"/epeule/p/{number}",
    )


@st.composite
def _meetings(draw: st.DrawFn, number: int) -> MeetingFact:
    return meeting_of(
        number,
        {
            "starts_at": draw(_INSTANTS),
            "link": draw(_LINK),
            "state": draw(st.sampled_from(["planned", "convened", "closed", "drafted", "approved", "cancelled"])),
            "yes": draw(st.integers(0, 3)),
            "own_answer": draw(st.sampled_from([None, "yes", "no"])),
            "minutes_state": draw(st.sampled_from(["draft", "approved"])),
            "minutes_at": draw(st.none() | _INSTANTS),
            "corrections_until": draw(st.none() | _INSTANTS),
        },
    )


def _many(part: Any, most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.integers(0, most).flatmap(lambda count: st.tuples(*(part(number) for number in range(1, count + 1))))


@st.composite
def _facts(draw: st.DrawFn) -> DigestFacts:
    posts: tuple[PostFact, ...] = draw(_many(_posts, 10))
    files = [
        FileFact(post_id=post.id, position=0, filename=f"f{post.id}.pdf", media_type="application/pdf", size_bytes=9)
        for post in posts
        if draw(st.booleans())
    ]
    return DigestFacts(
        association=A,
        zone="Europe/Paris",
        links=frozenset(draw(st.lists(_LINK, max_size=3))),
        entries=draw(_many(_entries, 6)),
        meetings=draw(_many(_meetings, 4)),
        asks=tuple(
            ask_of(number, {"of": _NAMES[draw(_PEOPLE)], "link": draw(_LINK), "asked_at": draw(_INSTANTS)}, reader=1)
            for number in range(1, draw(st.integers(1, 3)))
        ),
        posts=posts,
        questions=tuple(replace(post, id=PostId(900 + post.id)) for post in posts if draw(st.booleans())),
        own_threads=frozenset(post.thread_id for post in posts if post.is_own),
        files=tuple(files),
        newcomers=tuple(
            NewcomerFact(person_id=who, name=_NAMES[who], link=draw(_LINK), side="room", since=draw(_INSTANTS))
            for who in draw(st.lists(_PEOPLE, max_size=3))
        ),
        service=tuple(
            ServiceFact(key=f"incident:{n}", what=what, kind=what, link=draw(_LINK), at=draw(_INSTANTS))
            for n, what in enumerate(draw(st.lists(st.sampled_from(["held", "failed", "bounce"]), max_size=3)))
        ),
    )


_READERS = st.builds(
    lambda shelves, is_coordinator: Reader(
        association=A, person_id=1, name="Monique", shelves=frozenset(shelves), is_coordinator=is_coordinator
    ),
    st.lists(st.sampled_from(_SHELVES), max_size=5),
    st.booleans(),
)
_SETTINGS = st.builds(DigestSettings, most_items=st.integers(1, 15))
_EVERYTHING = DigestSettings(most_items=200)


def _choose(facts: DigestFacts, reader: Reader, settings: DigestSettings, shown: tuple[ShownItem, ...] = ()) -> Chosen:
    return choose(facts, reader=reader, shown=shown, since=SINCE, until=UNTIL, settings=settings)


def _shown(chosen: Chosen, at: datetime) -> tuple[ShownItem, ...]:
    return tuple(ShownItem(item_key=item.key, state=item.state, shown_at=at) for item in chosen.items)


@_holds(_facts(), _READERS, _SETTINGS, st.integers(0, 99))
def test_the_same_whatever_order_it_was_gathered_in(
    facts: DigestFacts, reader: Reader, settings: DigestSettings, seed: int
) -> None:
    shuffled = facts
    for name in ("entries", "meetings", "asks", "posts", "questions", "files", "newcomers", "service"):
        held = list(getattr(facts, name))
        random.Random(seed).shuffle(held)
        shuffled = replace(shuffled, **{name: tuple(held)})
    assert _choose(shuffled, reader, settings) == _choose(facts, reader, settings)


@_holds(_facts(), _READERS, _SETTINGS)
def test_what_is_shown_and_what_is_counted_is_all(facts: DigestFacts, reader: Reader, settings: DigestSettings) -> None:
    everything, chosen = _choose(facts, reader, _EVERYTHING), _choose(facts, reader, settings)
    assert not everything.counted
    assert len(chosen.items) == min(settings.most_items, len(everything.items))
    for section in {item.section for item in everything.items}:
        named = len(chosen.section(section))
        assert named + chosen.counted.get(section, 0) == len(everything.section(section))
    assert set(chosen.items) <= set(everything.items)


@_holds(_facts(), _READERS)
def test_one_thing_stands_once(facts: DigestFacts, reader: Reader) -> None:
    keys = [item.key for item in _choose(facts, reader, _EVERYTHING).items]
    assert len(keys) == len(set(keys))


@_holds(_facts(), _READERS, _SETTINGS)
def test_what_the_reader_may_not_see_changes_nothing(
    facts: DigestFacts, reader: Reader, settings: DigestSettings
) -> None:
    """Facts that are not theirs may be there or not: no item, no number and no title differs."""
    links = {shelf.link for shelf in reader.shelves if shelf.origin == "live"} & facts.links
    shelves = {shelf for shelf in reader.shelves if shelf.link in facts.links}
    posts = tuple(post for post in facts.posts if post.shelves & shelves)
    theirs = replace(
        facts,
        links=frozenset(links | {shelf.link for shelf in shelves}),
        entries=tuple(fact for fact in facts.entries if fact.entry.link in links),
        meetings=tuple(fact for fact in facts.meetings if fact.meeting.link in links),
        asks=tuple(fact for fact in facts.asks if fact.ask.link in links and fact.ask.person_id == 1),
        posts=tuple(replace(post, shelves=post.shelves & shelves) for post in posts),
        questions=tuple(post for post in facts.questions if post.shelves & shelves),
        files=tuple(file for file in facts.files if file.post_id in {post.id for post in posts}),
        newcomers=tuple(fact for fact in facts.newcomers if fact.link in links and fact.person_id != 1),
        service=tuple(fact for fact in facts.service if reader.is_coordinator and fact.link in links),
    )
    assert _choose(theirs, reader, settings) == _choose(facts, reader, settings)


@_holds(_facts(), _READERS)
def test_every_item_comes_from_what_its_reader_may_see(facts: DigestFacts, reader: Reader) -> None:
    live = {shelf.link for shelf in reader.shelves if shelf.origin == "live"} & facts.links
    shelves = {shelf for shelf in reader.shelves if shelf.link in facts.links}
    readable = {post.id for post in (*facts.posts, *facts.questions) if post.shelves & shelves}
    for item in _choose(facts, reader, _EVERYTHING).items:
        if item.kind in ("thread", "file") or item.key.startswith("question:"):
            assert item.post_id in readable
            assert item.link in {shelf.link for shelf in shelves}
        else:
            assert item.link in live
        if item.section == "service":
            assert reader.is_coordinator


@_holds(_facts(), st.none() | st.just(1))
def test_a_stranger_is_told_nothing(facts: DigestFacts, person_id: int | None) -> None:
    association = A if person_id is None else "alma"
    reader = Reader(association=association, person_id=person_id, shelves=frozenset(_SHELVES), is_coordinator=True)  # type: ignore[arg-type]
    chosen = _choose(facts, reader, _EVERYTHING)
    assert chosen.is_empty
    assert chosen.figures == Chosen().figures


@_holds(_facts(), _READERS)
def test_never_twice_in_the_same_state_but_for_what_still_stands(facts: DigestFacts, reader: Reader) -> None:
    first = _choose(facts, reader, _EVERYTHING)
    at_once = _choose(facts, reader, _EVERYTHING, _shown(first, UNTIL))
    assert at_once.is_empty
    a_week_later = _choose(facts, reader, _EVERYTHING, _shown(first, UNTIL - timedelta(days=7)))
    assert {item.key for item in a_week_later.items} == {item.key for item in first.items if item.stands}


@_holds(_facts(), _READERS)
def test_what_stands_is_open_due_or_overdue(facts: DigestFacts, reader: Reader) -> None:
    standing = {
        "asked_back", "own_overdue", "own_due", "own_open", "own_objection", "rsvp_wanted", "to_decide",
        "open_to_objection", "objected", "overdue", "due", "to_come", "unanswered", "to_review", "minutes_draft",
    }  # fmt: skip
    for item in _choose(facts, reader, _EVERYTHING).items:
        assert not item.stands or item.reason.code in standing


@_holds(_facts(), _READERS)
def test_nobody_reads_whose_silence_it_is(facts: DigestFacts, reader: Reader) -> None:
    """Who is late, who was asked back, who has not answered: known to themselves only (PEOPLE 9)."""
    asks = {f"ask:{fact.ask.id}": fact.ask.person_id for fact in facts.asks}
    for item in _choose(facts, reader, _EVERYTHING).items:
        if item.reason.code == "overdue":
            assert (item.names, item.author) == ((), "")
        if item.kind == "ask":
            assert asks[item.key] == reader.person_id
        if item.kind == "meeting":
            assert item.names == ()


@_holds(_facts(), _READERS)
def test_nothing_stands_in_a_digest_before_its_notice_has_left(facts: DigestFacts, reader: Reader) -> None:
    untold = {
        f"entry:{fact.entry.id}"
        for fact in facts.entries
        if fact.entry.kind != "question" and fact.entry.announce_state in ("wanted", "telling")
    }
    assert not untold & {item.key for item in _choose(facts, reader, _EVERYTHING).items}


@_holds(_facts(), _READERS, _SETTINGS)
def test_it_is_stored_as_it_is(facts: DigestFacts, reader: Reader, settings: DigestSettings) -> None:
    chosen = _choose(facts, reader, settings)
    assert Chosen.from_json(json.loads(json.dumps(chosen.to_json()))) == chosen


@_holds(_facts(), _READERS)
def test_the_weightiest_come_first(facts: DigestFacts, reader: Reader) -> None:
    telling = Telling(
        facts=visible(facts, reader), person_id=1, shown={}, since=SINCE, until=UNTIL, unanswered_days=5
    )  # fmt: skip
    weights = [item.weight for item in candidates(telling)]
    assert weights == sorted(weights, reverse=True)
