"""A sentence as the words and signs that dates are made of, each with its place in what was written. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Generic, TypeVar

from passerelle.core.folding import fold
from passerelle.core.search_dates import NUMBERS

T = TypeVar("T")

_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\s]")
#: All that looks like a hyphen is one.
_HYPHENS = dict.fromkeys("‐‑‒–—―−", "-")
_NUMBERS = NUMBERS | {"treize": 13, "quatorze": 14, "seize": 16, "quarante": 40, "cinquante": 50, "soixante": 60}


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

    __slots__ = ("memory", "tokens", "words")

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.tokens = tuple(tokens)
        self.words = tuple(token.word for token in self.tokens)
        #: What was read at its places (`remembered`).
        self.memory: dict[tuple[object, int], object] = {}

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
        return int(word) if word.isdigit() and word.isascii() and len(word) <= 4 else None

    def number(self, place: int) -> int | None:
        """As `digits`, and in words: « quinze »."""
        word = self.word(place)
        return self.digits(place) if word.isdigit() else _NUMBERS.get(word)


def tokenise(text: str) -> Line:
    """The tokens of `text`, which the caller has cut at a limit."""
    folded, starts, ends = _folded(text)
    tokens: list[Token] = []
    behind = -1
    for found in _TOKEN.finditer(folded):
        word = _HYPHENS.get(found.group(), found.group())
        start, end = starts[found.start()], ends[found.end() - 1]
        tokens.append(Token(word=word, start=start, end=end, glued=found.start() == behind))
        behind = found.end()
    return Line(tokens)


def _folded(text: str) -> tuple[str, list[int], list[int]]:
    """`text` folded letter by letter, and where the letter that each of the result came from begins and ends."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, char in enumerate(text):
        piece = char.lower() if char.isascii() else fold(char)
        pieces.append(piece)
        starts += [place] * len(piece)
        ends += [place + 1] * len(piece)
        if not piece and ends:  # an accent behind its letter belongs to it
            ends[-1] = place + 1
    return "".join(pieces), starts, ends


def remembered(reading: Callable[[Line, int], T]) -> Callable[[Line, int], T]:
    """`reading`, which is asked once for each place of a line: several readings begin with a day."""

    @wraps(reading)
    def asked(line: Line, place: int) -> T:
        key = (reading, place)
        if key not in line.memory:
            line.memory[key] = reading(line, place)
        found: T = line.memory[key]  # type: ignore[assignment]  # what it said before
        return found

    return asked


class Phrases(Generic[T]):
    """What a date may say in one word or several, and what each means."""

    def __init__(self, table: Mapping[str, T]) -> None:
        #: By their first word, the longest first.
        self._table: dict[str, list[tuple[tuple[str, ...], T]]] = {}
        for phrase, meaning in sorted(table.items(), key=lambda entry: -len(tokenise(entry[0]))):
            words = tokenise(phrase).words
            self._table.setdefault(words[0], []).append((words, meaning))

    def read(self, line: Line, place: int) -> tuple[T, int] | None:
        """The longest phrase at `place`: its meaning, and where it ends."""
        for words, meaning in self._table.get(line.word(place), ()):
            if line.words[place : place + len(words)] == words:
                return meaning, place + len(words)
        return None

    def ends(self, line: Line, place: int) -> list[int]:
        """Where each phrase at `place` ends, the longest first."""
        phrases = self._table.get(line.word(place), ())
        return [place + len(words) for words, _ in phrases if line.words[place : place + len(words)] == words]

    def end(self, line: Line, place: int) -> int | None:
        """Where the longest phrase at `place` ends."""
        found = self.read(line, place)
        return None if found is None else found[1]


def phrases_of(*phrases: str) -> Phrases[None]:
    """Phrases that mean nothing by themselves."""
    return Phrases(dict.fromkeys(phrases))
