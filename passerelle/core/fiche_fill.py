"""What a fiche begins with: extracts of what was said, line by line of the register. Pure; nothing that nobody wrote.

Deterministic: the same posts and entries give the same parts. Sentences are found by their words (« la prochaine
fois … »), never shortened in the middle; « […] » says where something was left out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from passerelle.core.extractive import sentences_of
from passerelle.core.fiche import Heading, Part
from passerelle.core.folding import fold
from passerelle.core.polite_words import is_polite, without_greeting
from passerelle.core.pseudonyms import Pseudonym, pseudonym_of, unname

#: Of one post under one heading: sentences, and characters.
_MOST_SENTENCES, _LONGEST = 3, 400
#: Quotations in all, beside the register's lines.
MOST_QUOTES = 12
_SHORTEST = 15
_CUES: tuple[tuple[Heading, re.Pattern[str]], ...] = (
    ("again", re.compile(
        r"\bla prochaine fois\b|\bl'an(?:nee)? prochaine?\b|\ba refaire\b|\b(?:on|nous) refer|\ba recommencer\b"
        r"|\bnext (?:time|year)\b|\bdo (?:it|this) again\b")),
    ("advice", re.compile(
        r"\bconseil|\bpensez a\b|\bn'oubliez pas\b|\bil vaut mieux\b|\bmieux vaut\b|\bil faut(?:drait)? prevoir\b"
        r"|\badvice\b|\bremember to\b|\bdon't forget\b|\bbetter to\b")),
    ("results", re.compile(
        r"\bbilan\b|\bresultats?\b|\bau total\b|\bfinalement\b|\bca a (?:bien )?marche\b|\breussi|\bau final\b"
        r"|\bin the end\b|\bit worked\b|\bwe raised\b|\bin total\b")),
)  # fmt: skip
#: Under which heading a line of the register stands, and in which states.
_RECORDS: Mapping[str, tuple[Heading, frozenset[str]]] = {
    "decision": ("done", frozenset({"adopted"})),
    "action": ("done", frozenset({"done"})),
    "agenda": ("context", frozenset({"wanted", "carried", "done"})),
    "info": ("results", frozenset({"kept"})),
    "idea": ("again", frozenset({"kept"})),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class SaidPost:
    """A post that may be quoted: its author takes part and can be asked."""

    post_id: int
    person_id: int
    author: str
    text: str
    said_at: datetime
    permalink: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """A line of the register that may stand in a fiche: everybody whom it is by or names can be asked."""

    entry_id: int
    post_id: int | None
    number: int
    kind: str
    state: str
    text: str
    author: str
    person_id: int | None
    asks: tuple[int, ...]
    said_at: datetime


def build_parts(
    posts: Sequence[SaidPost], records: Sequence[Record], *, spoken_of: Sequence[str] = ()
) -> tuple[Part, ...]:
    """The parts of a new fiche, in the order of time under each heading.

    Args:
        posts: in the order of time; the first one says what it was about.
        spoken_of: names of persons who neither write nor read: nobody can ask them, so no sentence names them.
    """
    unasked = pseudonym_of(spoken_of, "")
    records = [one for one in records if not _names(one.text, unasked)]
    parts = [part for record in records for part in _of_record(record)]
    quotes: list[Part] = []
    for number, post in enumerate(posts):
        # What the register holds a line of is told by that.
        noted = [part.text for part in parts if part.post_id == post.post_id]
        told = [one for one in quotable_sentences(post.text) if not any(text in one for text in noted)]
        for heading, text in _quoted(told, unasked, is_first=number == 0):
            quotes.append(_quote(post, heading, text))
    return (*quotes[:MOST_QUOTES], *parts)


def _names(text: str, who: Pseudonym) -> bool:
    return unname(text, who, whole_only=False) != text


def quotable_sentences(text: str) -> list[str]:
    """The sentences of somebody's own words, as they wrote them, without greetings, quotes and polite ends."""
    found = sentences_of(text)
    return [one for one in found if len(one) >= _SHORTEST and without_greeting(one) and not is_polite(one)]


def _quoted(sentences: Sequence[str], unasked: Pseudonym, *, is_first: bool) -> list[tuple[Heading, str]]:
    """What of a post's sentences is quoted under which heading: the first ones, and others by their words."""
    found: dict[Heading, list[tuple[int, str]]] = {}
    for place, one in enumerate(sentences):
        if _names(one, unasked):
            continue
        heading = next((heading for heading, cue in _CUES if cue.search(fold(one).replace("’", "'"))), None)
        if heading is None and is_first and place < _MOST_SENTENCES:
            heading = "context"
        if heading is not None:
            found.setdefault(heading, []).append((place, one))
    return [(heading, together) for heading, several in found.items() if (together := _together(several))]


def _together(sentences: Sequence[tuple[int, str]]) -> str:
    """As many whole sentences as fit; between two that did not follow one another it says so."""
    text, last = "", -1
    for place, one in sentences[:_MOST_SENTENCES]:
        between = "" if not text else " " if place == last + 1 else " […] "
        if len(text) + len(between) + len(one) > _LONGEST:
            break
        text, last = f"{text}{between}{one}", place
    return text


def _quote(post: SaidPost, heading: Heading, text: str) -> Part:
    return Part(
        heading=heading, kind="quote", text=text, author=post.author, said_at=post.said_at, person_id=post.person_id,
        asks=(post.person_id,), post_id=post.post_id, permalink=post.permalink,
    )  # fmt: skip


def _of_record(record: Record) -> list[Part]:
    heading, states = _RECORDS.get(record.kind, ("done", frozenset[str]()))
    if record.state not in states:
        return []
    return [
        Part(
            heading=heading, kind="record", text=record.text, author=record.author, said_at=record.said_at,
            person_id=record.person_id, asks=record.asks, post_id=record.post_id, entry_id=record.entry_id,
            number=record.number,
        )
    ]  # fmt: skip
