"""Where a line of the grammar begins: its word, what stands between word and colon, and what is said. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from passerelle.core.register_line_words import MOST_WORDS, PRESENCE_KINDS, kind_of_word
from passerelle.core.said_names import is_proper_name, known_at, mentions_in, names_in
from passerelle.core.secretary_settings import KindSettings

#: The colon stands among the first characters of a line.
_LONGEST_HEAD = 100
_COLONS = ":：\uff1a\ufe55"
_HASH = re.compile(r"[#＃](?P<word>[^\W\d_][^\s:：,;#]{0,40})[ \u00a0\u202f]*[:：]?")
_COLON = re.compile(rf"[{_COLONS}]")
#: Marks of Markdown around a head: `**décision** :`, `*Décision :*`, `__décision__:`.
_MARKS = "*_~"
_HEADING = re.compile(r"#{1,6}[ \u00a0]+")
#: « décision n° 3 : »
_NUMBERED = re.compile(r"n\s?[°ºo]\.?\s?\d{1,4}", re.IGNORECASE)
_COUNTED = re.compile(r"\(?\d{1,4}\)?")
#: How somebody takes part: in a head, in parentheses or behind a comma.
HOW = re.compile(
    r"(?:par\b|en\b|à distance\b|a distance\b|au téléphone\b|à partir\b|depuis\b|jusqu|arriv|parti|by\b|on\b|online\b"
    r"|remote|via\b|from\b|until\b)",
    re.IGNORECASE,
)
_TAG = re.compile(r"[#＃]([^\W\d_][\w\-]{0,40})")
#: Whose word is passed on: at the beginning of a line or of what is said.
ON_BEHALF = re.compile(
    r"(?:de la part d(?:e\s+|['’])|au nom d(?:e\s+|['’])|pour\s+|on behalf of\s+|for\s+)"
    rf"(?P<name>[^{_COLONS},;()]{{1,60}}?)\s*[{_COLONS},]\s*",
    re.IGNORECASE,
)
_OF_WHOM = re.compile(r"(?:de\s+|d['’]|from\s+|by\s+)(?P<name>\S.{0,60})", re.IGNORECASE)
_TO_WHOM = re.compile(r"(?:à\s+|a\s+|pour\s+|to\s+|for\s+)?(?P<name>\S.{0,60})", re.IGNORECASE)
#: « ordre du jour de la réunion du 12 : »
_OF_A_MEETING = re.compile(
    r"(?:d[eu]\b|pour\b|of\b|for\b).{0,30}\b(?:réunion|reunion|assemblée|assemblee|AG|CA|bureau|séance|conseil|meeting)\b",
    re.IGNORECASE,
)
#: Kinds that somebody may pass on in their head: « question de Mme Haddad : ».
_PASSED_ON = frozenset({"question", "idea", "info", "agenda"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """What a line begins with."""

    #: A LineKind, or the name of a configured kind.
    kind: str
    #: What stands behind the colon; "" where the line introduces those below it.
    text: str
    #: Named between word and colon: « action @Léa : », « prêté à Karim : ».
    names: tuple[str, ...] = ()
    said_for: str = ""
    #: « idée #jardin : »
    label: str = ""
    #: Of a vote or a count: on what, of what (« vote du budget : »). Of a presence: how.
    topic: str = ""
    #: A heading of Markdown, or a line of bold words without a colon: it counts only where bullets follow.
    is_heading: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    """What a caller adds to the grammar."""

    kinds: Sequence[KindSettings] = ()
    names_known: Collection[str] = ()


def find_head(line: str, grammar: Grammar) -> Head | None:
    """The head of a line without its bullet; None where it is a line like any other."""
    behalf = ON_BEHALF.match(line)
    if behalf and is_proper_name(behalf["name"]):
        head = _find(line[behalf.end() :], grammar)
        return None if head is None else replace(head, said_for=behalf["name"].strip())
    return _find(line, grammar)


def _find(line: str, grammar: Grammar) -> Head | None:
    line = line.strip()
    found = _HASH.match(line)
    if found:
        kind = kind_of_word(found["word"].rstrip(_MARKS), grammar.kinds)
        return None if kind is None else Head(kind=kind, text=line[found.end() :].strip())
    heading = _HEADING.match(line)
    if heading:
        return _heading(line[heading.end() :], grammar)
    colon = _COLON.search(line, 0, _LONGEST_HEAD)
    if colon is None:
        return _heading(line, grammar) if line.startswith(("**", "__")) else None
    before, text = line[: colon.start()], line[colon.end() :]
    if text.startswith("//"):
        return None
    closing = before.lstrip()[:2] in ("**", "__") and not before.rstrip().endswith(("*", "_"))
    return _of_word(before.strip(_MARKS + " \u00a0\u202f\t"), _unmarked(text, closing=closing), grammar)


def _unmarked(text: str, *, closing: bool) -> str:
    """What stands behind the colon without the marks that close the head's."""
    text = text.strip()
    if text[:2] in ("**", "__") and text.count(text[:2]) % 2:
        return text[2:].strip()
    if text[:1] in ("*", "_") and text[1:2].isspace():
        return text[1:].strip()
    if set(text) <= set(_MARKS):
        return ""
    return text[:-2].strip() if closing and text.endswith(("**", "__")) else text


def _heading(text: str, grammar: Grammar) -> Head | None:
    word = text.strip().strip(_MARKS + " ").rstrip(_COLONS + " \u00a0\u202f").rstrip(_MARKS)
    kind = kind_of_word(word, grammar.kinds)
    return None if kind is None else Head(kind=kind, text="", is_heading=True)


def _of_word(before: str, text: str, grammar: Grammar) -> Head | None:
    """The head that begins with a word of the table, and goes on with what such a head may go on with."""
    words = before.split()
    for count in range(min(len(words), MOST_WORDS), 0, -1):
        kind = kind_of_word(" ".join(words[:count]).rstrip(_MARKS), grammar.kinds)
        if kind is not None:
            return _with_tail(Head(kind=kind, text=text), " ".join(words[count:]).strip(), grammar)
    return None


def _with_tail(head: Head, tail: str, grammar: Grammar) -> Head | None:
    """A head with what stands between its word and its colon; None where that is only a part of a sentence."""
    tag = _TAG.fullmatch(tail)
    if not tail or _NUMBERED.fullmatch(tail):
        return head
    if tag:
        return replace(head, label=tag[1])
    if head.kind in PRESENCE_KINDS:
        # « présents (12) : », « présents en visio : »
        is_how = HOW.match(tail.strip("()")) is not None
        return replace(head, topic=tail.strip("() ") if is_how else "") if is_how or _COUNTED.fullmatch(tail) else None
    if head.kind in ("vote", "count"):
        return replace(head, topic=tail) if len(tail.split()) <= 8 else None
    if head.kind == "agenda" and _OF_A_MEETING.match(tail):
        return head
    names = _names_of_tail(head, tail, grammar.names_known)
    if names:
        return replace(head, names=names)
    passed_on = _OF_WHOM.fullmatch(tail)
    if head.kind in _PASSED_ON and passed_on and is_proper_name(passed_on["name"]):
        return replace(head, said_for=passed_on["name"].strip())
    return None


def _names_of_tail(head: Head, tail: str, known: Collection[str]) -> tuple[str, ...]:
    """« @Léa », « (@Léa) », « pour Léa », « à Karim »: only names, or none."""
    found = _TO_WHOM.fullmatch(tail.strip("()[] "))
    names = names_in(found["name"]) if found else ()
    mentioned = {mention.name for mention in mentions_in(tail, known)}
    has_at = bool(names) and mentioned.issuperset(names)
    is_known = bool(names) and all(_is_known(name, known) for name in names)
    is_borrower = head.kind == "loan" and bool(names) and all(map(is_proper_name, names))
    return names if has_at or is_known or is_borrower else ()


def _is_known(name: str, known: Collection[str]) -> bool:
    found = known_at(name, 0, known)
    return found is not None and found.end == len(name)
