"""Sentences that say what a conversation is about, chosen among those that were written. Pure.

Nothing is made up: a sentence is shown as its author wrote it, white space put together. Which ones stand for a
conversation is LexRank (Erkan and Radev, 2004, §3.3): sentences that resemble each other are a graph, and the central
ones say what most of it says. Words are compared by their French stems; the graph is `networkx`'s. Why no library for
summaries: docs/digest.md.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from passerelle.core.extractive_words import SHORTENED, STOP_WORDS
from passerelle.core.folding import stems_of, words_of

#: Of one post so many characters are looked at; of one conversation so many posts, and of these so many sentences: the
#: first and the last of each. Comparing takes its time, and nobody waits for it.
_LONGEST_TEXT = 5_000
_FIRST_POSTS, _LAST_POSTS = 30, 40
_FIRST, _LAST = 10, 14
#: A sentence that is shown has so many words, or so many that say something, and is no longer than a few lines.
_FEWEST_WORDS, _FEWEST_SAYING, _LONGEST_SENTENCE = 4, 2, 240
#: Sentences that resemble each other less are not joined (LexRank's threshold).
_JOINED = 0.1
#: PageRank's damping factor.
_DAMPING = 0.85

#: A line that is as long was broken by a mail program, not by its author.
_WRAPPED = 56
_BULLET = re.compile(r"(?:[-–—*•·]|\d{1,2}[.)])\s")
_ENDS = (".", "!", "?", "…")
_CLOSING = "»\"”')]"
_OPENING = "«\"“'(["


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """One post's words, in the order of a conversation."""

    #: Whoever said it, so that several are heard.
    author: str
    #: Their own words, without what they quote.
    text: str
    #: The text goes on: its last sentence may not be whole.
    is_cut: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """A sentence, and the number of the post that it stands in."""

    text: str
    number: int


def extract_sentences(posts: Sequence[Written], *, most: int) -> tuple[Extracted, ...]:
    """The sentences that stand for a conversation, `most` at the most, in the order in which they were said.

    The same for the same posts. Every author is heard once before anyone is twice. A post of long sentences or of
    « Merci ! » alone gives none.
    """
    numbers: Sequence[int] = range(len(posts))
    if len(posts) > _FIRST_POSTS + _LAST_POSTS:
        numbers = [*numbers[:_FIRST_POSTS], *numbers[-_LAST_POSTS:]]
    found = [
        Extracted(text=text, number=number)
        for number in numbers
        for text in sentences_of(posts[number].text, is_cut=posts[number].is_cut)
        if _says_something(text)
    ]
    if len(found) > _FIRST + _LAST:
        found = [*found[:_FIRST], *found[-_LAST:]]
    vectors = _vectors([one.text for one in found])
    scores = _centrality(vectors)
    ranked = sorted(range(len(found)), key=lambda place: (-scores[place], place))
    chosen: list[int] = []
    for is_again in (False, True):
        for place in ranked:
            heard = {posts[found[one].number].author for one in chosen}
            if len(chosen) >= most or place in chosen or (posts[found[place].number].author in heard) is not is_again:
                continue
            # One that has no word more than another says nothing more.
            if not any(vectors[place].keys() <= vectors[one].keys() for one in chosen):
                chosen.append(place)
    return tuple(found[place] for place in sorted(chosen))


def _says_something(sentence: str) -> bool:
    saying = len(_content(sentence))
    is_enough = saying >= _FEWEST_SAYING or (saying > 0 and len(words_of(sentence)) >= _FEWEST_WORDS)
    return is_enough and len(sentence) <= _LONGEST_SENTENCE


# ------------------------------------------------------------ sentences


def sentences_of(text: str, *, is_cut: bool = False) -> tuple[str, ...]:
    """The sentences of a text, each as it was written, white space put together. Lines that are quoted are left out.

    Args:
        is_cut: the last one is left out, unless it ends like a sentence.
    """
    found = [sentence for block in _blocks(text[:_LONGEST_TEXT]) for sentence in _cut(block.split())]
    if found and (is_cut or len(text) > _LONGEST_TEXT) and not _ends(found[-1].split()[-1]):
        found.pop()
    return tuple(found)


def _blocks(text: str) -> Iterator[str]:
    """Lines that belong together: a sentence goes on over the lines of a mail, not over a point of a list."""
    lines: list[str] = []
    for line in text.splitlines():
        bare = line.strip()
        if bare.startswith(">"):
            bare = ""
        if lines and (not bare or _BULLET.match(bare) or len(lines[-1]) < _WRAPPED):
            yield " ".join(lines)
            lines = []
        if bare:
            lines.append(_BULLET.sub("", bare, count=1) if not lines else bare)
    if lines:
        yield " ".join(lines)


def _cut(words: Sequence[str]) -> Iterator[str]:
    """The sentences of words that follow one another. What stands between « and » is not cut."""
    begins, depth = 0, 0
    for place, word in enumerate(words):
        depth = max(0, depth + word.count("«") - word.count("»"))
        following = words[place + 1] if place + 1 < len(words) else ""
        if following and not depth and _ends(word) and _begins(following):
            yield " ".join(words[begins : place + 1])
            begins = place + 1
    if begins < len(words):
        yield " ".join(words[begins:])


def _ends(word: str) -> bool:
    """Whether a sentence may end with this word: « samedi. », « ? », not « Mme. » nor « J. »."""
    bare = word.rstrip(_CLOSING)
    if not bare.endswith(_ENDS):
        return False
    if not bare.endswith(".") or bare.endswith(".."):
        return True
    before = words_of(bare[-12:-1])
    is_initial = len(bare) == 2 and bare[0].isupper()
    return not is_initial and not (before and before[-1] in SHORTENED)


def _begins(word: str) -> bool:
    bare = word.lstrip(_OPENING)
    return not bare or (not bare[0].islower() and bare[0] not in "?!:;…")


# ------------------------------------------------------------ which of them


@cache
def _stop_stems() -> frozenset[str]:
    return frozenset(stem for word in STOP_WORDS for stem in stems_of(word))


def _content(sentence: str) -> list[str]:
    """The stems of what a sentence is about."""
    return [stem for stem in stems_of(sentence) if stem not in _stop_stems() and not stem.isdigit() and len(stem) > 1]


def _vectors(sentences: Sequence[str]) -> list[dict[str, float]]:
    """Each sentence by its stems, weighed by how few sentences have them, of length 1; in a fixed order."""
    stems = [Counter(_content(sentence)) for sentence in sentences]
    known = Counter(stem for one in stems for stem in one)
    vectors = []
    for one in stems:
        weights = {stem: count * math.log(1 + len(stems) / known[stem]) for stem, count in sorted(one.items())}
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        vectors.append({stem: weight / length for stem, weight in weights.items()})
    return vectors


def _likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """How alike two sentences are: the cosine, from 0 to 1."""
    return math.fsum(weight * other[stem] for stem, weight in one.items() if stem in other)


def _centrality(vectors: Sequence[Mapping[str, float]]) -> list[float]:
    """Of each sentence how much the others say of the same; rounded, so that what is equal stays in its order."""
    # Loaded here: it is slow to load, and only a catch-up asks for it.
    import networkx  # type: ignore[import-untyped]

    alike = [[0.0] * len(vectors) for _ in vectors]
    for place, one in enumerate(vectors):
        for further in range(place + 1, len(vectors)):
            likeness = _likeness(one, vectors[further])
            if likeness >= _JOINED:
                alike[place][further] = alike[further][place] = likeness
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(vectors)))
    for place, row in enumerate(alike):
        whole = math.fsum(row)
        graph.add_weighted_edges_from((place, to, likeness / whole) for to, likeness in enumerate(row) if likeness)
    # Katz's centrality over shares that add up to one is PageRank, and needs no numpy.
    scores = networkx.katz_centrality(graph, alpha=_DAMPING, beta=1.0, tol=1e-4, weight="weight", normalized=False)
    return [round(float(scores[place]), 3) for place in range(len(vectors))]
