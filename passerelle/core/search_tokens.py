"""What a search is made of, as it was typed: words, quoted phrases, and values behind a prefix such as `de:`. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from passerelle.core.folding import fold, words_of

Field = Literal["author", "subject", "list", "room", "before", "since", "on", "files", "quoted", "own", "in", "order"]

#: Prefixes without accents, the French ones first: the first of a field is how suggestions write it.
_PREFIX_NAMES: dict[Field, str] = {
    "author": "de auteur autrice par from author by",
    "subject": "objet sujet titre subject title",
    "list": "liste list",
    "room": "salon room",
    "before": "avant before",
    "since": "apres depuis after since",
    "on": "le date jour on",
    "files": "piece pieces piece-jointe pj fichier file attachment",
    "quoted": "cite citation quoted",
    "own": "non-cite noncite unquoted own",
    "in": "dans in",
    "order": "tri sort order",
}
PREFIXES: dict[str, Field] = {name: field for field, names in _PREFIX_NAMES.items() for name in names.split()}
#: How a prefix is written in a suggestion, where it has accents.
_ACCENTED = {
    "apres": "après", "piece": "pièce", "pieces": "pièces", "piece-jointe": "pièce-jointe", "cite": "cité",
    "non-cite": "non-cité",
}  # fmt: skip

#: What stands before a colon and is no prefix: beginnings of addresses (URI schemes), marks of replies in subjects.
_SCHEMES = {"http", "https", "ftp", "mailto", "matrix", "tel", "sms", "xmpp", "news", "geo", "urn", "file"}
_REPLY_MARKS = {"re", "tr", "ref", "rep", "fw", "fwd", "aw"}

_QUOTES = {'"': '"”“', "“": '”"“', "”": '”"', "„": '“”"', "«": "»"}
_MINUS = "-−‐‑"
_PREFIX = re.compile(r"([^\W\d_][^\W\d_]{1,20}(?:-[^\W\d_]{1,20})?)(\s{0,2}):(\s{0,2})")
_RUN = re.compile(r"[^\s\"“”„«»]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One part of a search. `source`: as it was typed, for suggestions."""

    kind: Literal["word", "quoted", "prefixed", "unknown", "unclosed"]
    value: str
    source: str
    negated: bool = False
    #: Of `prefixed`: its field. Of `prefixed` and `unknown`: the prefix as it was typed.
    field: Field | None = None
    prefix: str = ""
    #: Of `prefixed`: the value stood in quotes.
    quoted: bool = False


def nearest_prefix(prefix: str, *, cutoff: float = 0.6) -> str | None:
    """The prefix that `prefix` was probably meant to be, as it is written; None where there is none."""
    near = get_close_matches(fold(prefix), PREFIXES, n=1, cutoff=cutoff)
    return _ACCENTED.get(near[0], near[0]) if near else None


def tokens_of(text: str) -> Iterator[Token]:
    """The tokens of `text` in their order. Never raises; linear in the length of `text`."""
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token, end = _next_token(text, position)
        if token is not None:
            yield token
        position = max(end, position + 1)


def _next_token(text: str, start: int) -> tuple[Token | None, int]:
    position = start
    negated = text[position] in _MINUS and position + 1 < len(text) and not text[position + 1].isspace()
    if negated:
        position += 1
    if text[position] in _QUOTES:
        value, end, closed = _quoted(text, position)
        kind: Literal["quoted", "unclosed"] = "quoted" if closed else "unclosed"
        return Token(kind=kind, value=value, source=text[start:end], negated=negated), end
    if (found := _PREFIX.match(text, position)) and (answer := _prefixed(text, start, found)) is not None:
        return answer
    run = _RUN.match(text, position)
    if run is None:  # a closing quote on its own
        return None, position + 1
    end = run.end()
    if end < len(text) and text[end] in '"”“»':  # an inch mark, or a closing quote that nothing opened
        end += 1
    return Token(kind="word", value=run.group(), source=text[start:end], negated=negated), end


def _quoted(text: str, start: int) -> tuple[str, int, bool]:
    """What stands between the quote at `start` and the one that closes it, where that ends, and whether it is there."""
    closing = _QUOTES[text[start]]
    for position in range(start + 1, len(text)):
        if text[position] in closing:
            return text[start + 1 : position].strip(), position + 1, True
    return text[start + 1 :].strip(), len(text), False


def _prefixed(text: str, start: int, found: re.Match[str]) -> tuple[Token | None, int] | None:
    """The token of a prefix and its value; None where the word before the colon is a word like any other."""
    prefix, before, after = found.groups()
    folded = fold(prefix)
    field = PREFIXES.get(folded)
    rest = text[found.end() :]
    if rest.startswith("//") or (folded in _SCHEMES and not before + after and field is None):
        return None
    if field is None and folded in _REPLY_MARKS:
        return None, found.end()
    if field is None and not _looks_like_a_prefix(folded, before, after, rest):
        return None
    value, end, quoted = _value(text, found.end())
    if value is None:
        return Token(kind="unclosed", value=text[end:], source=text[start:], prefix=prefix), len(text)
    negated = text[start] in _MINUS
    kind: Literal["prefixed", "unknown"] = "unknown" if field is None else "prefixed"
    return Token(
        kind=kind, value=value, source=text[start:end], negated=negated, field=field, prefix=prefix, quoted=quoted
    ), end


def _looks_like_a_prefix(folded: str, before: str, after: str, rest: str) -> bool:
    """Whether a word that is no prefix was meant as one. A subject that was copied has a space behind its colon."""
    if not rest or rest[0].isspace() or not words_of(rest):
        return False
    if before or after:
        return len(folded) > 3 and nearest_prefix(folded, cutoff=0.8) is not None
    value = _RUN.match(rest)
    return nearest_prefix(folded) is not None or not (value and value.group().isdigit())


def _value(text: str, start: int) -> tuple[str | None, int, bool]:
    """The value that begins at `start`, where it ends, and whether it stood in quotes. None: its quote never ends."""
    if start < len(text) and text[start] in _QUOTES:
        value, end, closed = _quoted(text, start)
        return (value, end, True) if closed else (None, start, True)
    run = _RUN.match(text, start)
    if run is None:
        return "", start, False
    following = _PREFIX.match(text, start)
    if following and fold(following.group(1)) in PREFIXES and not text.startswith("//", following.end()):
        return "", start, False  # `de: objet:budget`: nothing stands behind the first
    return run.group(), run.end(), False
