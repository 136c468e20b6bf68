"""A sentence as the words and signs that dates are made of, each with its place in what was written. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from passerelle.core.folding import fold
from passerelle.core.search_dates import NUMBERS

T = TypeVar("T")

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\s]")
#: All that looks like a hyphen is one.
_HYPHENS = dict.fromkeys("‐‑‒–—―−", "-")
_MORE_NUMBERS = {"treize": 13, "quatorze": 14, "seize": 16, "quarante": 40, "cinquante": 50, "soixante": 60}


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A number, a word or one sign, folded; `text[start:end]` of what was written."""

    word: str
    start: int
    end: int
    #: Nothing stands between it and the token before.
    glued: bool


class Line:
    """The tokens of a text. Beyond its ends there are empty words."""

    __slots__ = ("tokens", "words")

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.tokens = tuple(tokens)
        self.words = tuple(token.word for token in self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def word(self, place: int) -> str:
        return self.words[place] if 0 <= place < len(self.words) else ""

    def is_glued(self, place: int) -> bool:
        """Whether the token at `place` follows the one before it without a space."""
        return 0 < place < len(self.tokens) and self.tokens[place].glued

    def digits(self, place: int) -> int | None:
        """The number written in at most four digits at `place`."""
        word = self.word(place)
        return int(word) if word.isdigit() and len(word) <= 4 else None

    def number(self, place: int) -> int | None:
        """As `digits`, and in words: « quinze »."""
        word = self.word(place)
        return self.digits(place) if word.isdigit() else NUMBERS.get(word, _MORE_NUMBERS.get(word))


def tokenise(text: str) -> Line:
    """The tokens of `text`, which the caller has cut at a limit."""
    folded, origin = _folded(text)
    tokens: list[Token] = []
    behind = -1
    for found in _TOKEN.finditer(folded):
        word = _HYPHENS.get(found.group(), found.group())
        start, end = origin[found.start()], origin[found.end() - 1] + 1
        tokens.append(Token(word=word, start=start, end=end, glued=found.start() == behind))
        behind = found.end()
    return Line(tokens)


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` folded letter by letter, and which letter each of the result came from."""
    pieces: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(text):
        piece = char.lower() if char.isascii() else fold(char)
        pieces.append(piece)
        origin += [place] * len(piece)
    return "".join(pieces), origin


class Phrases(Generic[T]):
    """What a date may say in one word or several, and what each means."""

    def __init__(self, table: Mapping[str, T]) -> None:
        self._table = {tokenise(phrase).words: meaning for phrase, meaning in table.items()}
        self._lengths = sorted({len(words) for words in self._table}, reverse=True)

    def read(self, line: Line, place: int) -> tuple[T, int] | None:
        """The longest phrase at `place`: its meaning, and where it ends."""
        for length in self._lengths:
            words = line.words[place : place + length]
            if len(words) == length and words in self._table:
                return self._table[words], place + length
        return None

    def ends(self, line: Line, place: int) -> list[int]:
        """Where each phrase at `place` ends, the longest first."""
        return [place + length for length in self._lengths if line.words[place : place + length] in self._table]

    def end(self, line: Line, place: int) -> int | None:
        """Where the longest phrase at `place` ends."""
        found = self.read(line, place)
        return None if found is None else found[1]


def phrases_of(*phrases: str) -> Phrases[None]:
    """Phrases that mean nothing by themselves."""
    return Phrases(dict.fromkeys(phrases))
