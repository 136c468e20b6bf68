"""`s/ancien/nouveau/`: corrections as those who type a lot write them, and in plain words with quotes. Pure."""

import re
from dataclasses import dataclass

#: Longer pieces are no correction, and more of them no reply.
_LONGEST = 500
_MOST = 50
#: What may stand between the pieces: nothing that a French word has behind its s.
_DELIMITERS = "/|#!%~+=@_"
_QUOTED = r"[«\"“]\s?(?P<{}>[^«»\"“”]{{1,200}}?)\s?[»\"”]"
_IN_WORDS = (
    re.compile(
        rf"(?:remplacer|remplacez|replace)\s+{_QUOTED.format('old')}\s+(?:par|by|with)\s+{_QUOTED.format('new')}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:lire|lisez|read)\s+{_QUOTED.format('new')}\s+(?:au lieu de|et non|à la place de|instead of)\s+"
        rf"{_QUOTED.format('old')}",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?:au lieu de|à la place de|instead of)\s+{_QUOTED.format('old')}\s?,?\s?"
        rf"(?:lire|lisez|mettre|écrire|read)\s+{_QUOTED.format('new')}",
        re.IGNORECASE,
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Replacement:
    """`old` is to be read as `new`; `new` may be empty."""

    old: str
    new: str


def parse_replacement(line: str) -> Replacement | None:
    """The correction that a whole line is; None where it is none."""
    line = line.strip()
    if len(line) > 2 * _LONGEST:
        return None
    for pattern in _IN_WORDS:
        found = pattern.fullmatch(line.rstrip(" ."))
        if found:
            return _replacement(found["old"], found["new"])
    if line[:1] not in ("s", "S") or line[1:2] not in _DELIMITERS or not line[1:2]:
        return None
    pieces = _pieces(line[2:], line[1])
    if len(pieces) not in (2, 3) or (len(pieces) == 3 and pieces[2].strip(" .gi")):
        return None
    return _replacement(pieces[0], pieces[1])


def parse_replacements(text: str) -> tuple[tuple[Replacement, ...], str]:
    """The corrections of a text, one a line, and what else it says."""
    found: list[Replacement] = []
    others: list[str] = []
    for line in text.splitlines():
        one = parse_replacement(line) if len(found) < _MOST else None
        if one is None:
            others.append(line)
        else:
            found.append(one)
    return tuple(found), "\n".join(others).strip()


def _pieces(text: str, delimiter: str) -> list[str]:
    """`text` cut at its delimiters; one behind a backslash is a character like any other."""
    pieces, piece = [], ""
    escaped = False
    for char in text:
        if escaped:
            piece += char if char == delimiter else "\\" + char
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == delimiter:
            pieces.append(piece)
            piece = ""
        else:
            piece += char
    return [*pieces, piece + ("\\" if escaped else "")]


def _replacement(old: str, new: str) -> Replacement | None:
    old, new = old.strip(), new.strip()
    fits = bool(old) and old != new and len(old) <= _LONGEST and len(new) <= _LONGEST
    return Replacement(old=old, new=new) if fits else None
