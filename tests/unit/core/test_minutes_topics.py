"""What was said, under the item that was current."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from passerelle.core.ids import MeetingId
from passerelle.core.meeting_model import MeetingSpan
from passerelle.core.minutes_model import MeetingPost, Topic
from passerelle.core.minutes_topics import LONGEST_EXCERPT, MOST_EXCERPTS, build_topics, cut, posts_within
from passerelle.render import load_words

START = datetime(2026, 11, 12, 18, 30, tzinfo=UTC)
AGENDA = ("Budget", "Fête des voisins", "Site web : qui s’en charge ?")


def post(text: str, minute: int = 0, author: str = "Léa") -> MeetingPost:
    return MeetingPost(author=author, said_at=START + timedelta(minutes=minute), text=text, path=f"/p/{minute}")


def topics(*texts: str, noted: dict[str, Collection[int]] | None = None) -> tuple[tuple[Topic, ...], frozenset[int]]:
    posts = [post(text, minute) for minute, text in enumerate(texts)]
    return build_topics(posts, AGENDA, noted_lines=lambda one: (noted or {}).get(one.text, ()), words=load_words("fr"))


@pytest.mark.parametrize(
    ("line", "title", "place"),
    [
        ("#topic Budget", "Budget", 0),
        ("#TOPIC budget", "Budget", 0),
        ("#sujet 2", "Fête des voisins", 1),
        ("#topic point 2", "Fête des voisins", 1),
        ("#topic Autre chose", "Autre chose", None),
        ("point 2", "Fête des voisins", 1),
        ("Point n° 2 : la fête", "Fête des voisins", 1),
        ("Point no 2.", "Fête des voisins", 1),
        ("2. Fête des voisins", "Fête des voisins", 1),
        ("- fete des voisins :", "Fête des voisins", 1),
        ("SITE WEB : QUI S'EN CHARGE ?", "Site web : qui s’en charge ?", 2),
        ("item 1", "Budget", 0),
    ],
)
def test_a_line_makes_an_item_current(line: str, title: str, place: int | None) -> None:
    found, treated = topics(line, "Voilà ce que j’en pense, moi.")
    assert [topic.title for topic in found] == [title]
    assert treated == (frozenset() if place is None else {place})


@pytest.mark.parametrize(
    "line",
    ["point 4", "point 0", "point 2 est trop long pour ce soir", "le budget est voté", "pointe 2", "2", "#budget"],
)
def test_other_lines_do_not(line: str) -> None:
    found, treated = topics(line, "Voilà ce que j’en pense, moi.")
    assert [topic.title for topic in found] == [""]
    assert treated == frozenset()


def test_an_item_that_comes_back_is_one_topic() -> None:
    found, _ = topics(
        "point 1",
        "Il reste trois cents euros.",
        "point 2",
        "Les tables sont là.",
        "point 1",
        "Et la subvention arrive.",
    )
    assert [(topic.title, topic.said_count) for topic in found] == [("Budget", 2), ("Fête des voisins", 1)]


def test_commands_quotes_and_what_was_noted_are_not_quoted() -> None:
    text = "présents : Léa\nBonsoir tout le monde !"
    found, _ = topics("!début", "> Bonsoir tout le monde", "#info ceci est noté", text, noted={text: {0}})
    assert [one.text for one in found[0].excerpts] == ["Bonsoir tout le monde !"]


def test_the_rest_of_a_noted_line_is_not_quoted() -> None:
    text = "ordre du jour :\n- le budget\n  de l’année prochaine\nEt puis nous verrons bien."
    found, _ = topics(text, noted={text: {1}})
    assert [one.text for one in found[0].excerpts] == ["Et puis nous verrons bien."]


def test_short_answers_are_counted_and_not_shown() -> None:
    found, _ = topics("ok", "+1", "D’accord", "Je propose le samedi matin.", "👍")
    assert (found[0].said_count, [one.text for one in found[0].excerpts]) == (5, ["Je propose le samedi matin."])


def test_so_many_excerpts_and_no_more() -> None:
    found, _ = topics(*(f"Remarque numéro {number} à ce sujet." for number in range(40)))
    assert (found[0].said_count, len(found[0].excerpts)) == (40, MOST_EXCERPTS)


def test_an_excerpt_is_one_short_line_without_an_address() -> None:
    found, _ = topics("Écrivez à jeanne@orange.example, elle a la clé ; " + "mot " * 200 + "\nEt encore une ligne.")
    text = found[0].excerpts[0].text
    assert text.startswith("Écrivez à [adresse masquée], elle a la clé")
    assert len(text) <= LONGEST_EXCERPT
    assert text.endswith("…")


def test_what_was_said_in_a_pause_or_after_the_end_is_not_in_it() -> None:
    spans = [
        MeetingSpan(meeting_id=MeetingId(1), started_at=START + timedelta(minutes=20), ended_at=None),
        MeetingSpan(meeting_id=MeetingId(1), started_at=START, ended_at=START + timedelta(minutes=10)),
    ]
    posts = [post("x", minute) for minute in (25, 15, 10, 9, 0, 20)]
    assert [one.path for one in posts_within(posts, spans)] == ["/p/0", "/p/9", "/p/20", "/p/25"]
    assert posts_within(posts, ()) == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [("court", "court"), ("un deux trois", "un deux…"), ("x" * 30, "x" * 11 + "…"), ("a" + " b" * 20, "a b b b b…")],
)
def test_a_line_is_cut_at_a_word(text: str, shown: str) -> None:
    assert cut(text, 12) == shown


def test_a_post_of_many_lines_does_not_take_long() -> None:
    found, _ = topics("point 2 : " * 20_000 + "\n" * 20_000, "#topic " * 5000)
    assert len(found) <= 2
