"""What holds of every catch-up, whatever there is to tell and whoever reads: the same again, no leak, no word made up;
each sentence stands where it is said to."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.catch_up import BEGINNING, MOST, SENTENCES, choose_catch_up
from passerelle.core.catch_up_since import parse_since
from passerelle.core.digest_choice import Chosen, DigestFacts
from passerelle.core.digest_facts import PostFact, visible
from passerelle.core.extractive import Written, extract_sentences, sentences_of
from passerelle.core.ids import PostId, ThreadId
from passerelle.core.shelves import Reader
from passerelle.errors import CommandProblem
from tests.unit.core.digest_cases import REPOSITORY, SINCE, UNTIL
from tests.unit.core.test_digest_holds import _EVERYTHING, _READERS, _choose, _facts, _holds

PARIS = ZoneInfo("Europe/Paris")
_WORDS = st.sampled_from(
    ["la buvette", "samedi", "M. Paul", "apporte", "les chaises", "fête", "?", "!", ".", "à 14 h.", "…", "«", "»", "\n",
     "\n\n", "> cité", "\n> ancien texte", "\n- point", "Mme Haddad", "cf. le mail", "Bonjour,",
     "https://x.test/a?b", "L’an", "é"]
)  # fmt: skip
_TEXTS = st.lists(_WORDS, max_size=30).map(" ".join) | st.text(max_size=120)


def squeezed(text: str) -> str:
    return " ".join(text.split())


@st.composite
def told(draw: st.DrawFn) -> DigestFacts:
    """As of digests, with texts of several sentences."""
    facts: DigestFacts = draw(_facts())
    return replace(facts, posts=tuple(replace(post, text=draw(_TEXTS)) for post in facts.posts))


def catch_up(facts: DigestFacts, reader: Reader, since: datetime = SINCE) -> Chosen:
    return choose_catch_up(facts, reader=reader, since=since, until=UNTIL, unanswered_days=5)


# ------------------------------------------------------------ sentences


@_holds(_TEXTS, st.booleans())
def test_each_sentence_stands_in_the_text(text: str, is_cut: bool) -> None:
    own = "\n".join(line for line in text.splitlines() if not line.strip().startswith(">"))
    for sentence in sentences_of(text, is_cut=is_cut):
        assert sentence
        assert sentence in squeezed(own)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour. M. Paul vient à 14 h. Mme Haddad ?", ["Bonjour.", "M. Paul vient à 14 h.", "Mme Haddad ?"]),
        ("Qui vient ? Moi ! Super… On verra.", ["Qui vient ?", "Moi !", "Super…", "On verra."]),
        ("Elle dit « Oui. Non. » puis part. Fin.", ["Elle dit « Oui. Non. » puis part.", "Fin."]),
        ("Cela coûte 3.50 € p. ex. chez J. Martin.", ["Cela coûte 3.50 € p. ex. chez J. Martin."]),
        (
            "Une phrase longue que le programme de courrier coupe en deux\nlignes.",
            ["Une phrase longue que le programme de courrier coupe en deux lignes."],
        ),
        ("Au menu :\n- tables\n- chaises\n1. affiches", ["Au menu :", "tables", "chaises", "affiches"]),
        ("> Qui vient ?\nMoi.", ["Moi."]),
        ("", []),
    ],
)  # fmt: skip
def test_sentences_in_french(text: str, expected: list[str]) -> None:
    assert list(sentences_of(text)) == expected


def test_a_text_that_was_cut_loses_its_last_sentence() -> None:
    assert sentences_of("La salle est louée. Le vidéoproj", is_cut=True) == ("La salle est louée.",)
    assert sentences_of("La salle est louée.", is_cut=True) == ("La salle est louée.",)


@_holds(st.lists(st.tuples(st.sampled_from("abcd"), _TEXTS), max_size=12), st.integers(0, 5))
def test_extracts_are_few_in_order_and_verbatim(posts: list[tuple[str, str]], most: int) -> None:
    written = [Written(author=author, text=text) for author, text in posts]
    found = extract_sentences(written, most=most)
    assert len(found) <= most
    assert [one.number for one in found] == sorted(one.number for one in found)
    for one in found:
        assert one.text in sentences_of(written[one.number].text)
    assert len({(one.number, one.text) for one in found}) == len(found)
    assert extract_sentences(written, most=most) == found


def test_several_are_heard_before_one_is_heard_twice() -> None:
    text = "La buvette ouvre samedi. La buvette ferme dimanche. La buvette rouvre lundi."
    posts = [Written(author="a", text=text), Written(author="b", text="Je tiens la buvette samedi matin.")]
    assert [one.number for one in extract_sentences(posts, most=2)] == [0, 1]


def test_what_most_of_a_conversation_says_is_told() -> None:
    posts = [
        Written(author="a", text="Il a plu toute la journée chez ma tante."),
        Written(author="b", text="La toiture du local fuit au-dessus de la cuisine."),
        Written(author="c", text="Un devis pour la toiture du local arrive lundi."),
        Written(author="d", text="La toiture du local sera réparée par le couvreur, devis compris."),
    ]
    (one,) = extract_sentences(posts, most=1)
    assert one.number == 2 or one.number == 3


_OTHER_PROCESS = """
import json, sys
from passerelle.core.extractive import Written, extract_sentences
posts = [Written(author=a, text=t) for a, t in json.loads(sys.stdin.read())]
print(json.dumps([[one.number, one.text] for one in extract_sentences(posts, most=5)]))
"""


def test_another_process_chooses_the_same() -> None:
    """Sets of words are read in another order in each process: it must not show."""
    said = random.Random(7)
    words = [
        "buvette",
        "salle",
        "samedi",
        "tables",
        "devis",
        "toiture",
        "jardin",
        "clés",
        "affiche",
        "courses",
        "scène",
    ]
    posts = [(name, ". ".join(" ".join(said.choices(words, k=6)) for _ in range(4)) + ".") for name in "abcdefghij"]
    heard = {
        subprocess.run(
            [sys.executable, "-c", _OTHER_PROCESS], input=json.dumps(posts), text=True, check=True,
            capture_output=True, cwd=REPOSITORY, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(REPOSITORY)},
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip
    assert len(heard) == 1


# ------------------------------------------------------------ catch-ups


@_holds(told(), _READERS, st.integers(0, 99))
def test_the_same_whatever_order_it_was_gathered_in(facts: DigestFacts, reader: Reader, seed: int) -> None:
    shuffled = facts
    for name in ("entries", "meetings", "asks", "posts", "questions"):
        held = list(getattr(facts, name))
        random.Random(seed).shuffle(held)
        shuffled = replace(shuffled, **{name: tuple(held)})
    assert catch_up(shuffled, reader) == catch_up(facts, reader)


@_holds(told(), _READERS)
def test_every_sentence_stands_in_a_post_that_its_reader_may_read(facts: DigestFacts, reader: Reader) -> None:
    seen = {post.id: post for post in visible(facts, reader).posts}
    for item in catch_up(facts, reader).items:
        assert len(item.sentences) <= SENTENCES
        for one in item.sentences:
            post = seen[one.post_id]
            assert one.text in squeezed(post.text)
            assert (one.author, one.path) == (post.author_name, post.path)
            assert post.thread_id == item.thread_id
            assert SINCE <= post.at < UNTIL


@_holds(told(), _READERS)
def test_what_the_reader_may_not_see_changes_nothing(facts: DigestFacts, reader: Reader) -> None:
    """Facts that are not theirs may be there or not: no sentence, no number and no title differs."""
    shelves = {shelf for shelf in reader.shelves if shelf.link in facts.links}
    live = {shelf.link for shelf in shelves if shelf.origin == "live"}
    theirs = replace(
        facts,
        entries=tuple(fact for fact in facts.entries if fact.entry.link in live),
        meetings=tuple(fact for fact in facts.meetings if fact.meeting.link in live),
        asks=tuple(fact for fact in facts.asks if fact.ask.link in live and fact.ask.person_id == 1),
        posts=tuple(post for post in facts.posts if post.shelves & shelves),
        questions=tuple(post for post in facts.questions if post.shelves & shelves),
    )
    assert catch_up(theirs, reader) == catch_up(facts, reader)


@_holds(told(), _READERS)
def test_it_tells_what_a_digest_would_and_leaves_nothing_out(facts: DigestFacts, reader: Reader) -> None:
    digest, made = _choose(facts, reader, _EVERYTHING), catch_up(facts, reader)
    for section, most in MOST.items():
        count = len(made.section(section)) + made.counted.get(section, 0)
        assert len(made.section(section)) <= most
        if section == "threads":
            # Also the lines of one person in the room, which a digest leaves out.
            assert count >= len(digest.section(section))
        else:
            assert count == len(digest.section(section))
    assert {item.section for item in made.items} <= MOST.keys()


@_holds(told(), _READERS)
def test_conversations_stand_by_how_many_spoke(facts: DigestFacts, reader: Reader) -> None:
    people = [item.reason.count for item in catch_up(facts, reader, BEGINNING).section("threads")]
    assert people == sorted(people, reverse=True)


@_holds(told(), st.none() | st.just(1))
def test_a_stranger_is_told_nothing(facts: DigestFacts, person_id: int | None) -> None:
    association: Any = facts.association if person_id is None else "alma"
    shelves = frozenset(shelf for post in facts.posts for shelf in post.shelves)
    made = catch_up(facts, Reader(association=association, person_id=person_id, shelves=shelves, is_coordinator=True))
    assert (made.is_empty, dict(made.counted)) == (True, {})


@_holds(told(), _READERS)
def test_it_is_stored_as_it_is(facts: DigestFacts, reader: Reader) -> None:
    made = catch_up(facts, reader)
    assert Chosen.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_a_long_conversation_takes_no_longer_than_its_first_and_last_sentences() -> None:
    """Of thousands of posts so many sentences are compared; what is chosen is the same whatever stands between."""

    def said(number: int) -> PostFact:
        return PostFact(
            id=PostId(number), thread_id=ThreadId(1), shelves=frozenset(), author=f"person:{number % 40}",
            author_name=f"Nom {number % 40}", side="list", link="bureau", at=UNTIL, said_at=UNTIL,  # type: ignore[arg-type]
            text=f"Le carton {number} de la bibliothèque est rangé dans l’entrée du local.",
        )  # fmt: skip

    posts = [Written(author=one.author, text=one.text) for one in map(said, range(3000))]
    between = [*posts[:10], *(replace(one, text="Rien à voir avec le reste.") for one in posts[10:-14]), *posts[-14:]]
    assert extract_sentences(posts, most=3) == extract_sentences(between, most=3)


# ------------------------------------------------------------ since when

NOW = datetime(2026, 11, 17, 11, 0, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("depuis mardi", "2026-11-17"), ("depuis lundi", "2026-11-16"), ("depuis lundi dernier", "2026-11-16"),
        ("depuis le 3 mars", "2026-03-03"), ("since 3 March", "2026-03-03"), ("depuis le 20 décembre", "2025-12-20"),
        ("depuis le 3", "2026-11-03"), ("depuis le 30", "2026-10-30"), ("depuis hier", "2026-11-16"),
        ("depuis 2 semaines", "2026-11-03"), ("depuis une semaine", "2026-11-10"), ("3 jours", "2026-11-14"),
        ("depuis la semaine dernière", "2026-11-09"), ("depuis septembre", "2026-09-01"),
        ("since Friday", "2026-11-13"),
        ("depuis le 1er novembre", "2026-11-01"), ("depuis le 03/03/2025", "2025-03-03"), ("depuis 2025", "2025-01-01"),
        ("à partir du 3 novembre", "2026-11-03"), ("depuis mardi.", "2026-11-17"),
        ("depuis mardi, merci !", "2026-11-17"), ("depuis lundi s’il vous plaît. Merci d’avance", "2026-11-16"),
        ("since Friday please", "2026-11-13"),
    ],
)  # fmt: skip
def test_since_when_as_people_say_it(text: str, day: str) -> None:
    found = parse_since(text, now=NOW, zone=PARIS)
    assert found is not None
    assert found.astimezone(PARIS).isoformat()[:19] == f"{day}T00:00:00"


@pytest.mark.parametrize(
    "text", ["", "merci", "s’il vous plaît", "depuis", "depuis la dernière fois", "since last time", "  "]
)
def test_nothing_said_is_since_what_one_knows(text: str) -> None:
    assert parse_since(text, now=NOW, zone=PARIS) is None


@pytest.mark.parametrize("text", ["depuis le début", "since the beginning", "depuis toujours", "le début"])
def test_the_beginning(text: str) -> None:
    assert parse_since(text, now=NOW, zone=PARIS) == BEGINNING


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("depuis demain", "since_future"), ("depuis mardi prochain", "since_future"),
        ("le 3 mars 2027", "since_future"),
        ("depuis mes vacances", "since_unclear"), ("depuis le 3 ou le 4 mars", "since_unclear"),
        ("depuis mardi ou mercredi", "since_unclear"), ("depuis le 31 février", "since_unclear"),
        ("depuis le 45", "since_unclear"), ("depuis 99999999999999999999", "since_unclear"),
    ],
)  # fmt: skip
def test_what_is_not_clear_or_not_come_is_asked_back(text: str, kind: str) -> None:
    with pytest.raises(CommandProblem) as caught:
        parse_since(text, now=NOW, zone=PARIS)
    assert caught.value.kind == kind


@settings(deadline=None)
@given(st.text(max_size=80))
def test_since_is_a_day_that_has_begun_or_a_problem(text: str) -> None:
    kind, found = "", None
    try:
        found = parse_since(text, now=NOW, zone=PARIS)
    except CommandProblem as problem:
        kind = problem.kind
    assert kind in ("", "since_unclear", "since_future")
    assert found is None or found <= NOW
