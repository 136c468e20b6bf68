"""Words as they are searched: without accents, capitals or elisions, and by their stem. Pure.

Both databases are given what these functions make of a text and of a query, so they find the same. A text is cut at
white space first; each piece is folded, cut and stemmed once and then remembered, because a few thousand pieces make up
most of what people write.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock

import Stemmer  # type: ignore[import-not-found]  # no stubs

#: Longer "words" are damage or encoded data: what stands behind is not searched.
LONGEST_WORD = 64
#: How many pieces of text are remembered with their words, up to twice; about 20 MB.
_REMEMBERED = 1 << 15

#: What no letter of a word can be, whatever folding makes of it. The apostrophe stays: `l'harmonie` is one piece.
_PIECE = re.compile(r"[^\s\x00-&(-/:-@\[-`{-\x7f«»…–—“”•]+")
#: A word of a folded piece: letters and digits of any script, as SQLite's unicode61 cuts them as well. Vowel signs of
#: Indic scripts part words there and here: such a word is found as a phrase. Never `_`: words of `facets` begin with
#: it, and no post can hold one.
_WORD = re.compile(r"[^\W_]+")
#: French elisions. Where only part of a word would stay (`quelqu'un`, `presqu'île`), both parts are words.
_ELISION = re.compile(r"(?<![^\W_])(?:[ldjmtsncq]|qu|jusqu|lorsqu|puisqu|quoiqu)'(?=[^\W_])")

#: Letters that Unicode does not take apart, apostrophes, and what is not seen.
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "þ": "th"}
    | dict.fromkeys("’‘ʼʹ′‛＇´", "'")
    | dict.fromkeys("\u00ad\u034f\u0640\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", None)
)
#: It remembers nothing: pieces are remembered here.
_STEMMER = Stemmer.Stemmer("french", 0)
#: A stemmer may not be asked by two threads at once (PyStemmer's documentation), and searches run in threads.
_STEMMER_LOCK = Lock()


class _Memory(dict[str, str]):
    """What a function said of texts: half of the time of `lru_cache` where nearly all is known.

    Two threads may ask at once: at the worst both ask the function.
    """

    def __init__(self, ask: Callable[[str], str]) -> None:
        super().__init__()
        self._ask = ask
        #: What is not asked for again goes when this is full once more.
        self._older: dict[str, str] = {}

    def __missing__(self, text: str) -> str:
        if len(self) >= _REMEMBERED:
            self._older = self.copy()
            self.clear()
        found = self._older.get(text)
        self[text] = answer = self._ask(text) if found is None else found
        return answer


def fold(text: str) -> str:
    """`text` as it is compared: no accents, no capitals, œ as oe, one kind of apostrophe, nothing invisible.

    Folding twice changes nothing more. Accents are the marks with a combining class (Unicode §4.3) after NFKD.
    """
    if text.isascii():
        return text.lower()
    folded = text.translate(_LETTERS)
    folded = unicodedata.normalize("NFKD", folded).casefold().translate(_LETTERS)
    folded = unicodedata.normalize("NFKD", folded)
    return "".join([char for char in folded if not unicodedata.combining(char)])


def words_of(text: str) -> list[str]:
    """The folded words of `text` in order, without French elisions; each has at most `LONGEST_WORD` characters."""
    return " ".join(map(words_of_chunk, text.split())).split()


def stems_of(text: str) -> list[str]:
    """The French stems (Snowball) of `words_of(text)`: same order, same length."""
    return stemmed(text).split()


def stemmed(text: str) -> str:
    """`stems_of(text)` in one string, with one space or more between them: quicker where a database cuts it again."""
    return " ".join(map(stems_of_chunk, text.split()))


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedWord:
    """A word and where it stands in the text as it was written: `text[start:end]`."""

    start: int
    end: int
    word: str


def placed_words(text: str) -> Iterator[PlacedWord]:
    """As `words_of`, with the place of each word in `text`."""
    for piece in _PIECE.finditer(text):
        for start, end, word in _places(piece.group()):
            yield PlacedWord(start=piece.start() + start, end=piece.start() + end, word=word)


def _words_of_chunk(chunk: str) -> str:
    return " ".join([" ".join(_words_of_piece(piece)) for piece in _PIECE.findall(chunk)])


def _stems_of_chunk(chunk: str) -> str:
    return " ".join([_stems_of_pieces[piece] for piece in _PIECE.findall(chunk)])


def _words_of_piece(piece: str) -> list[str]:
    return [word for _, _, word in _cut(fold(piece))]


def _stems_of_piece(piece: str) -> str:
    words = [piece.lower()] if piece.isascii() and piece.isalnum() and len(piece) <= LONGEST_WORD else None
    with _STEMMER_LOCK:
        return " ".join(_STEMMER.stemWords(words or _words_of_piece(piece)))


#: The words of what stands between two white spaces, with one space or more between them.
words_of_chunk = _Memory(_words_of_chunk).__getitem__
#: The stems of those.
stems_of_chunk = _Memory(_stems_of_chunk).__getitem__
#: `harmonie,` and `harmonie` are two chunks; the stem is looked for once.
_stems_of_pieces = _Memory(_stems_of_piece)


def _cut(folded: str) -> Iterator[tuple[int, int, str]]:
    """Where the words of a folded piece stand in it, and the words."""
    elided = _ELISION.sub(lambda found: " " * len(found.group()), folded) if "'" in folded else folded
    for found in _WORD.finditer(elided):
        yield found.start(), found.end(), found.group()[:LONGEST_WORD]


def _places(piece: str) -> list[tuple[int, int, str]]:
    """As `_cut`, with places in the piece as it was written."""
    folded = fold(piece)
    if len(folded) == len(piece):
        return list(_cut(folded))
    origin: list[int] = []
    for place, char in enumerate(piece):
        origin += [place] * len(fold(char))
    if len(origin) != len(folded):  # letters that fold only together: the whole piece stands for each of its words
        return [(0, len(piece), word) for _, _, word in _cut(folded)]
    # An accent that stands behind its letter belongs to it.
    ends = [*origin[1:], len(piece)]
    return [(origin[start], max(ends[end - 1], origin[end - 1] + 1), word) for start, end, word in _cut(folded)]
