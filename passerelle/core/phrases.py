"""A small notation for what people say, compiled to regular expressions when modules are imported. Pure.

One phrase a line, in words as `core.spoken_words.bare_words` spells them. `(a|b c)` is one of several, `[a|b]` one of
several or nothing, `{name}` one of the lines of another block, `{n}` numbers of entries, or none, `{d}` a day of a
month, `{t}` an hour, `…` whatever follows. Nothing is compiled from what was received.
"""

import re
from collections.abc import Mapping
from typing import Literal

#: What `…` may be; without its end.
_REST = r"(?P<rest>.{0,200})"
_NUMBERS = r"(?P<n>(?:(?:pour|la|le|les|l'|n|no|numeros?|et|and|numbers?|actions?|l'action|decision|#?\d{1,6}) ){0,20})"
#: A day of a month; an hour, whose colon is gone.
_DAY = r"(?:\d{1,2}(?:er|st|nd|rd|th)?|premier) "
_CLOCK = r"\d{1,2}(?: ?(?:h|heures?|am|pm) ?(?:\d{2})?| \d{2}) "

_SPECIAL = {"…": _REST, "{n}": _NUMBERS, "{d}": _DAY, "{t}": _CLOCK, "|": "|"}
_TOKEN = re.compile(r"[()\[\]|…]|\{\w+\}|[^\s()\[\]|{}…]+")
_OPENING = {"(": "(?:", "[": "(?:"}
_CLOSING = {")": ")", "]": ")?"}


class Phrases:
    """The phrases of a block; whole clauses are matched against all of them at once."""

    __slots__ = ("_patterns",)

    def __init__(self, block: str, slots: Mapping[str, str] | None = None) -> None:
        lines = [_compiled(line, slots or {}) for line in _lines(block)]
        # A group that has a name may stand in a pattern once only.
        alone = [line for line in lines if "(?P<" in line]
        together = [line for line in lines if "(?P<" not in line]
        sources = [*(["|".join(together)] if together else []), *alone]
        self._patterns = tuple(re.compile(source) for source in sources)

    def match(self, words: str) -> re.Match[str] | None:
        """The first phrase that `words`, which are bare words, are as a whole."""
        text = f"{words} "
        return next((found for pattern in self._patterns if (found := pattern.fullmatch(text))), None)


def part_of(found: re.Match[str], name: Literal["n", "rest"]) -> str:
    """What stands in the place of `{n}` or `…`; "" where the phrase has none."""
    return (found.groupdict().get(name) or "").strip()


def _lines(block: str) -> list[str]:
    return [line.strip() for line in block.splitlines() if line.strip()]


def _compiled(line: str, slots: Mapping[str, str]) -> str:
    """A phrase as an expression that wants a space behind each word."""
    return "".join(_part(token, slots) for token in _TOKEN.findall(line))


def _part(token: str, slots: Mapping[str, str]) -> str:
    if token in _OPENING:
        return _OPENING[token]
    if token in _CLOSING:
        return _CLOSING[token]
    if token in _SPECIAL:
        return _SPECIAL[token]
    if token.startswith("{"):
        return "(?:" + "|".join(_compiled(line, slots) for line in _lines(slots[token[1:-1]])) + ")"
    return re.escape(token) + " "
