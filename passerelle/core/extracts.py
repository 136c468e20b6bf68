"""The part of a text that shows why it was found, and whether an exact phrase stands in a text. Pure.

The index knows stems without accents; what is shown are the author's own words, and what stood in quotes is looked for
in them once more. Texts are cut at white space, and each piece's stems are remembered (`core.folding`), because a page
of results shows twenty extracts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from passerelle.core.folding import placed_words, stems_of_chunk, words_of, words_of_chunk
from passerelle.core.search_terms import Column, Phrase, Query

#: What stands behind that many characters is searched, but never shown as an extract.
_LONGEST_TEXT = 200_000
#: Where an extract begins before its first hit, as a part of its length.
_LEAD = 4
#: Of each phrase so many places are looked at.
_MOST_HITS = 30
#: So many beginnings of phrases are followed; a text of one word over and over stops here.
_MOST_TRIALS = 5000
_ENDS_OF_SENTENCES = (".", "!", "?", ":", "…", "»")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Part of an extract; `hit`: a word that was searched."""

    text: str
    hit: bool = False


def confirm(text: str, phrase: Phrase) -> bool:
    """Whether the words of `phrase` stand in `text` side by side: the very words, whatever accents and capitals."""
    return f" {' '.join(phrase.words)} " in f" {' '.join(words_of(text))} "


def extract(text: str, query: Query, *, length: int = 200, column: Column = "own") -> tuple[Piece, ...]:
    """The part of `text` where most of what was searched stands, its beginning where nothing does.

    Args:
        length: About how many characters are shown; the pieces together are never longer than this and one word.
        column: What `text` is: words that were searched elsewhere (`objet:`) are not marked in it.

    Returns:
        Pieces that follow one another, white space put together; with « … » where something was left out.
    """
    chunks = text[:_LONGEST_TEXT].split()
    hits = _hits(chunks, [p for p in query.phrases if not p.negated and _is_sought_in(p, column)])
    # Without a hit the beginning is shown: a chunk is a character, and a white space, at the least.
    start, end = _window(chunks if hits else chunks[: length + 2], hits, length)
    marked: dict[int, set[int]] = {}
    for hit in hits:
        for number, word in hit.words:
            if start <= number < end:
                marked.setdefault(number, set()).add(word)
    return tuple(_pieces([chunk[:length] for chunk in chunks[start:end]], start, marked, is_last=end == len(chunks)))


def _is_sought_in(phrase: Phrase, column: Column) -> bool:
    return phrase.column == column or (phrase.column is None and column != "quoted")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    """Where a phrase stands: the numbers of its chunks, with the number of each of its words within the chunk."""

    phrase: int
    words: tuple[tuple[int, int], ...]

    @property
    def chunk(self) -> int:
        return self.words[0][0]


def _hits(chunks: Sequence[str], phrases: Sequence[Phrase]) -> list[_Hit]:
    """Where the phrases stand, in the order of the text; of each the first `_MOST_HITS`."""
    firsts = {phrase.stems[0] for phrase in phrases}
    left = dict.fromkeys(range(len(phrases)), _MOST_HITS)
    trials = _MOST_TRIALS
    hits: list[_Hit] = []
    stems_of = list(map(stems_of_chunk, chunks))
    for number in [n for n, stems in enumerate(stems_of) if stems in firsts or " " in stems]:
        if trials <= 0:
            break
        stems = stems_of[number]
        for word, stem in enumerate(stems.split()):
            for which in [n for n, left_over in left.items() if left_over and phrases[n].stems[0] == stem]:
                trials -= 1
                if (words := _words_from(chunks, number, word, phrases[which])) is not None:
                    hits.append(_Hit(phrase=which, words=words))
                    left[which] -= 1
    return hits


def _words_from(chunks: Sequence[str], number: int, word: int, phrase: Phrase) -> tuple[tuple[int, int], ...] | None:
    """The places of the words of `phrase` where it begins with that word of that chunk; None where it does not."""
    wanted = phrase.words if phrase.exact else phrase.stems
    cut = words_of_chunk if phrase.exact else stems_of_chunk
    places: list[tuple[int, int]] = []
    here = cut(chunks[number]).split()
    while len(places) < len(wanted):
        while word >= len(here):
            number += 1
            if number == len(chunks):
                return None
            here, word = cut(chunks[number]).split(), 0
        if here[word] != wanted[len(places)]:
            return None
        places.append((number, word))
        word += 1
    return tuple(places)


def _window(chunks: Sequence[str], hits: Sequence[_Hit], length: int) -> tuple[int, int]:
    """The first chunk to show, and the one behind the last: where most phrases, then most hits stand together."""
    ends = list(accumulate([len(chunk) + 1 for chunk in chunks]))
    if max(map(len, chunks), default=0) > length:
        ends = list(accumulate([min(len(chunk), length) + 1 for chunk in chunks]))
    start = 0
    if hits:
        best = max(range(len(hits)), key=lambda first: (*_seen_from(hits, first, ends, length), -first))
        start = _beginning(chunks, ends, hits[best].chunk, length // _LEAD)
    # A text that ends soon is shown from further back.
    while start and ends[-1] - ends[start - 1] + len(chunks[start - 1]) < length:
        start -= 1
    before = ends[start - 1] if start else 0
    end = start
    while end < len(chunks) and (end == start or ends[end] - before <= length + 1):
        end += 1
    return start, end


def _seen_from(hits: Sequence[_Hit], first: int, ends: Sequence[int], length: int) -> tuple[int, int]:
    """How many phrases, and how many hits, an extract shows that begins just before a hit."""
    limit = ends[hits[first].chunk] + length - length // _LEAD
    shown = list(takewhile(lambda hit: ends[hit.words[-1][0]] <= limit, hits[first:]))
    return len({hit.phrase for hit in shown}), len(shown)


def _beginning(chunks: Sequence[str], ends: Sequence[int], hit: int, lead: int) -> int:
    """Where to begin before a hit: with its sentence where that begins near, else `lead` characters before."""
    start = hit
    while start and ends[hit - 1] - (ends[start - 2] if start > 1 else 0) <= lead:
        if chunks[start - 1].endswith(_ENDS_OF_SENTENCES):
            break
        start -= 1
    return start


def _pieces(chunks: Sequence[str], start: int, marked: Mapping[int, Collection[int]], *, is_last: bool) -> list[Piece]:
    """Chunks with those of their words marked that `marked` names, by number: that of the first chunk is `start`."""
    pieces: list[Piece] = []
    plain = "… " if start else ""
    shown = 0
    for number in sorted(marked):
        plain += "".join([f"{chunk} " for chunk in chunks[shown : number - start]])
        shown = number - start
        chunk, words, at = chunks[shown], marked[number], 0
        for which, placed in enumerate(placed_words(chunk)):
            if which in words and placed.start >= at:
                if plain := plain + chunk[at : placed.start]:
                    pieces.append(Piece(text=plain))
                pieces.append(Piece(text=chunk[placed.start : placed.end], hit=True))
                plain, at = "", placed.end
        shown += 1
        plain += chunk[at:] + (" " if shown < len(chunks) else "")
    plain += " ".join(chunks[shown:]) + ("" if is_last else " …")
    if plain:
        pieces.append(Piece(text=plain))
    return pieces
