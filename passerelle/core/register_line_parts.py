"""Parts of what a line says: for whom it is said, its tag, whom it names, by when; each is cut out. Pure."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.folding import fold
from passerelle.core.register_line_heads import ON_BEHALF
from passerelle.core.register_line_words import kind_of_word
from passerelle.core.said_names import Mention, is_proper_name, known_at, mentions_in
from passerelle.core.tags import TAG
from passerelle.core.when import find_when
from passerelle.core.when_model import FoundWhen

#: An entry's words are cut here; its source says the rest.
LONGEST_ENTRY = 600
_MOST_DATES = 5
#: Names at one end of a line take no more room.
_LONGEST_NAMES = 200

_SPACES = re.compile(r"\s+")
_EMPTY_BRACKETS = re.compile(r"[(\[]\s{0,9}[,;:]?\s{0,9}[)\]]")
_LOOSE = re.compile(r"\s+([,.)\]])")
_DOUBLED = re.compile(r"([,;:])(?:\s{0,9}[,;:])+")
_ENDS = " \t\u00a0\u202f,;–—-"
_SAID = re.compile(r"[^\W_]")
_PASSED_ON_AT_END = re.compile(
    r"\s*[,(–—-]?\s*(?:de la part d(?:e\s+|['’])|on behalf of\s+)(?P<name>[^,;:()]{1,60})\)?[\s.]*$", re.IGNORECASE
)
_PASSED_ON = re.compile(r"(?:de la part|au nom|on behalf)\b", re.IGNORECASE)
#: What makes a date a deadline, folded.
_DEADLINE = re.compile(
    r"(?:a faire )?(?:pour|avant|d'ici|jusqu|au plus tard|a rendre|echeance|by|before|until|due|no later)\b"
)
#: What makes it the date of something else: « la réunion du 12 ».
_OF_SOMETHING = re.compile(r"(?:^|\s)(?:de|du|des|d'|of|from|apres|after|depuis|since)\s*$")
_OF_SOMETHING_INSIDE = re.compile(r"(?:du|de|des|d'|of|from|apres|after|depuis|since)\s")
#: Behind these a name is part of the sentence: « un cadeau pour @Léa ».
_PREPOSITION = re.compile(r"(?:^|\s)(?:avec|de|d'|a|au|pour|chez|par|sur|sans|et|with|to|for|from|by|of|about|and)\s*$")
_BETWEEN_NAMES = re.compile(r"\s*(?:,|&|\+|/|et|and)\s*(?:et\s+|and\s+)?", re.IGNORECASE)
#: « Léa relancer la mairie »
_INFINITIVE = re.compile(r"\s+(?:s['’]|se |l['’]|la |le |les |lui |leur )?[a-zà-ÿœ]{1,20}(?:er|ir|re|oir)\b")
_AFTER_NAMES = re.compile(r"\s*[:,;–—-]?\s*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """From where and when something is said."""

    #: Aware.
    now: datetime
    zone: ZoneInfo
    names_known: Collection[str] = field(default=(), repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What is left of a text, and what was found in it so far."""

    text: str
    names: tuple[str, ...] = ()
    due: FoundWhen | None = None
    due_text: str = ""
    said_for: str = ""
    tag: str = ""


def tidied(text: str) -> str:
    """One line, without the punctuation that stands loose where something was cut out; a last full stop goes."""
    text = _EMPTY_BRACKETS.sub(" ", _SPACES.sub(" ", text))
    text = _DOUBLED.sub(r"\1", _LOOSE.sub(r"\1", text)).strip(_ENDS + ":")
    if text.endswith(".") and not text.endswith("..") and not fold(text).endswith((" etc.", ",etc.")):
        text = text[:-1].rstrip(_ENDS)
    return text[:LONGEST_ENTRY].strip()


def says_something(text: str) -> bool:
    """Whether there is a letter or a digit."""
    return any(char.isalnum() for char in text)


def take_said_for(said: Said) -> Said:
    """« de la part de Mme Haddad : … », « …, de la part de Mme Haddad »."""
    start = ON_BEHALF.match(said.text) if _PASSED_ON.match(said.text) else None
    if start and is_proper_name(start["name"]):
        return replace(said, text=said.text[start.end() :], said_for=start["name"].strip())
    end = _PASSED_ON_AT_END.search(said.text[-120:])
    if end and is_proper_name(end["name"]):
        cut = max(0, len(said.text) - 120) + end.start()
        return replace(said, text=said.text[:cut], said_for=end["name"].strip())
    return said


def take_tag(said: Said) -> Said:
    """The first `#tag` as the tag. At the ends tags are cut out, amid the sentence they stay as words."""
    tag, pieces, position = said.tag, [], 0
    tags = [found for found in TAG.finditer(said.text) if kind_of_word(found["tag"]) is None]
    words = [found.start() for found in _SAID.finditer(TAG.sub(lambda one: " " * len(one.group()), said.text))]
    for found in tags:
        tag = tag or found["tag"]
        is_amid = bool(words) and words[0] < found.start() < words[-1]
        pieces.append(said.text[position : found.start()] + (found["tag"] if is_amid else ""))
        position = found.end()
    return replace(said, text="".join(pieces) + said.text[position:], tag=tag)


def take_names(said: Said, setting: Setting) -> Said:
    """Names at the beginning and at the end, with `@` or known, are cut out."""
    begun, text = _names_at_start(said.text, setting.names_known)
    ended, text = _names_at_end(text, setting.names_known)
    return replace(said, text=text, names=tuple(dict.fromkeys((*said.names, *begun, *ended))))


def take_other_names(said: Said, setting: Setting) -> Said:
    """Names with `@` amid the sentence stay in it, without their `@`; they count where no other does."""
    names = said.names or tuple(mention.name for mention in mentions_in(said.text, setting.names_known))
    return replace(said, text=without_at(said.text, setting.names_known), names=tuple(dict.fromkeys(names)))


def without_at(text: str, known: Collection[str] = ()) -> str:
    """`text` with names in place of mentions: « voir avec Léa »; of a Matrix ID, its first part."""
    pieces, position = [], 0
    for mention in mentions_in(text, known):
        shown = mention.name.removeprefix("@").split(":")[0]
        pieces += [text[position : mention.start], shown]
        position = mention.end
    return "".join(pieces) + text[position:]


def take_due(said: Said, setting: Setting, *, anywhere: bool = False) -> Said:
    """The date by which it is due, cut out: one that a deadline's word introduces, or that stands at an end.

    Args:
        anywhere: any date is meant, as of a booking.
    """
    offset = 0
    for _ in range(_MOST_DATES):
        found = find_when(said.text[offset:], now=setting.now, zone=setting.zone)
        if found is None or found.end <= found.start:
            return said
        start, end = offset + found.start, offset + found.end
        if anywhere or _is_deadline(said.text, start, end):
            text = f"{said.text[:start]} {said.text[end:]}"
            return replace(said, text=text, due=found, due_text=tidied(said.text[start:end]))
        offset = end
    return said


def _is_deadline(text: str, start: int, end: int) -> bool:
    inside, before = fold(text[start:end]).strip(), fold(text[:start])
    if _DEADLINE.match(inside):
        return True
    if _OF_SOMETHING.search(before) or _OF_SOMETHING_INSIDE.match(inside):
        return False
    return not says_something(before) or not says_something(text[end:])


def _names_at_start(text: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """« @Léa et @Karim … », « (Léa) … », « Léa : … »."""
    start = len(text) - len(text.lstrip(" \t\u00a0("))
    is_bracketed = "(" in text[:start]
    names, end = _run_of_names(text, start, _mentions(text[:_LONGEST_NAMES], known), known)
    if not names:
        return (), text
    rest = text[end:]
    has_at = text[start : start + 1] in ("@", "[")
    if is_bracketed:
        return (names, rest.lstrip()[1:]) if rest.lstrip().startswith(")") else ((), text)
    if has_at or rest.lstrip()[:1] in (":", ",") or _INFINITIVE.match(rest):
        return names, rest[_match_end(_AFTER_NAMES, rest) :]
    return (), text


def _names_at_end(text: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """« … (Léa) », « … @Léa et @Karim », « … : Léa », « …, Léa »."""
    stripped = text.rstrip(" \t\u00a0.)]")
    away = max(0, len(stripped) - _LONGEST_NAMES)
    mentions = {away + at: _moved(one, away) for at, one in _mentions(stripped[away:], known).items()}
    starts = {*mentions, *(place for place in _word_starts(stripped, away) if known_at(stripped, place, known))}
    for start in sorted(starts):
        names, end = _run_of_names(stripped, start, mentions, known)
        if not names or says_something(stripped[end:]):
            continue
        before = stripped[:start].rstrip()
        is_part = _PREPOSITION.search(fold(before)) is not None
        is_apart = before.endswith(("(", "[", ",", ":", "–", "—", "->", "→", " -"))
        if not is_part and (is_apart or stripped[start] == "@"):
            return names, before.rstrip("([,:–—->→ ")
    return (), text


def _mentions(text: str, known: Collection[str]) -> dict[int, Mention]:
    return {mention.start: mention for mention in mentions_in(text, known)}


def _moved(mention: Mention, by: int) -> Mention:
    return replace(mention, start=mention.start + by, end=mention.end + by)


def _word_starts(text: str, away: int) -> list[int]:
    """Where the words of `text` begin, from `away` on."""
    return [match.start() for match in re.finditer(r"(?<!\w)\w", text) if match.start() >= away]


def _run_of_names(
    text: str, start: int, mentions: Mapping[int, Mention], known: Collection[str]
) -> tuple[tuple[str, ...], int]:
    """The names that stand one after the other from `start` on, and where they end."""
    names: list[str] = []
    position = end = start
    while True:
        found: Mention | None = mentions.get(position) or known_at(text, position, known)
        if found is None:
            return tuple(names), end
        names.append(found.name)
        end = found.end
        between = _BETWEEN_NAMES.match(text, end)
        if between is None:
            return tuple(names), end
        position = between.end()


def _match_end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
