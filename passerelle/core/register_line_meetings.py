"""What a line says of a meeting: who was there, proxies, votes, who presides, the quorum. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from passerelle.core.folding import fold
from passerelle.core.meeting_model import Presence
from passerelle.core.register_line_cutting import Item
from passerelle.core.register_line_heads import HOW, Grammar, find_head
from passerelle.core.register_line_notes import Note, PresenceNote, QuorumNote, RoleNote, VoteNote
from passerelle.core.register_line_parts import tidied
from passerelle.core.register_line_words import MEETING_KINDS
from passerelle.core.said_names import is_name, is_proper_name, names_in

#: More names on one line are no list of a meeting.
_MOST_NAMES = 300
_MOST_HEADS = 12
_LONGEST = 6000

_BETWEEN_HEADS = re.compile(r"[;.|,–—]\s+(?=[^\W\d_])")
_COUPLE = re.compile(r"\b(M\.?|Mr\.?|Monsieur)\s+(?:et|&)\s+(Mme|Madame)\s+([^\W\d_][\w'’\-]*)", re.IGNORECASE)
_PART = re.compile(r"\s*[,;\n]\s*|\s+(?:et|and|ainsi que)\s+", re.IGNORECASE)
_BRACKETS = re.compile(r"^(?P<name>[^(]{1,80}?)\s*\((?P<inside>[^()]{0,120})\)?$")
_PROXY_OF = re.compile(
    r"(?:a\s+)?(?:donne\s+|donné\s+|gives?\s+)?(?:son\s+|sa\s+)?(?:pouvoir|procuration|proxy|représentée?|representee?"
    r"|represented|par|by)\s*(?:donnée?\s+)?(?:à|a|par|to|by|:)?\s*(?P<holder>[^\W\d_].{0,60})",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"(?:de\s+|d['’]|from\s+)?(?P<giver>[^,;→>()]{1,60}?)\s*"
    r"(?:\((?:pouvoir |procuration )?(?:donnée? )?(?:à|a|to)\s+(?P<inside>[^()]{1,60})\)"
    r"|(?:\s(?:donne (?:son )?(?:pouvoir|procuration) )?(?:à|a|to|(?:est )?représentée? par|par)\s+|->|=>|→)"
    r"\s*(?P<holder>[^,;→>()]{1,60}))\s*",
    re.IGNORECASE,
)

_NUMBERS = {
    "zero": 0, "aucun": 0, "aucune": 0, "no": 0, "un": 1, "une": 1, "one": 1, "deux": 2, "two": 2, "trois": 3,
    "three": 3, "quatre": 4, "four": 4, "cinq": 5, "five": 5, "six": 6, "sept": 7, "seven": 7, "huit": 8, "eight": 8,
    "neuf": 9, "nine": 9, "dix": 10, "ten": 10, "onze": 11, "eleven": 11, "douze": 12, "twelve": 12, "treize": 13,
    "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "twenty": 20,
}  # fmt: skip
_NUMBER = rf"(?P<number>\d{{1,5}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_SIDE = r"(?P<side>pour|contre|abstentions?|abstenue?s?|for|in favou?r|against|abstain(?:ed|ing)?)"
_VOICES = r"(?:\s+(?:voix|votes?|personnes?|membres?|members?))?"
_SIDE_FIRST = re.compile(rf"\b{_SIDE}\s{{0,3}}[:=]?\s{{0,3}}\(?{_NUMBER}\b")
_NUMBER_FIRST = re.compile(rf"\b{_NUMBER}{_VOICES}\s{{1,3}}(?:s'est |se sont )?{_SIDE}\b")
_UNANIMOUS = re.compile(r"(?:a l')?unanimite|\bunanimes?\b|\bunanimously\b|\bunanimous\b")
_ADOPTED = re.compile(r"(?:^|\s)(?:est |sont )?(?:adoptee?s?|approuvee?s?|votee?s?|acceptee?s?|adopted|approved|a)\s*$")
_ON = re.compile(r"(?:sur\s+|du\s+|de\s+la\s+|de\s+l['’]|de\s+|d['’]|des\s+|on\s+|for\s+)", re.IGNORECASE)
#: « pouvoir : aller à Paris » gives no proxy.
_INFINITIVE = re.compile(r"(?:er|ir|re)$")
_OF_SO_MANY = re.compile(r"\d\s{0,3}(?:sur|/|of)\s{0,3}\d", re.IGNORECASE)
_QUORUM = re.compile(r"\d{1,6}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Person:
    name: str
    how: str = ""
    represented_by: str = ""


def read_meeting(item: Item, grammar: Grammar) -> Iterator[Note]:
    """What an item of one of the MEETING_KINDS, or a vote, says; nothing where it says nothing of that kind."""
    if item.head.kind == "vote":
        vote = _read_vote(item)
        if vote is not None:
            yield vote
        return
    for part in _parts(replace(item, text=item.text[:_LONGEST]), grammar):
        yield from _read_part(part)


def _parts(item: Item, grammar: Grammar) -> Iterator[Item]:
    """« présents : Léa ; excusée : Annie » is two."""
    text, start = item.text, 0
    head = item.head
    heads = 0
    for found in _BETWEEN_HEADS.finditer(text):
        if heads == _MOST_HEADS:
            break
        if ":" not in text[found.end() : found.end() + 60] and "：" not in text[found.end() : found.end() + 60]:
            continue
        further = find_head(text[found.end() :], grammar)
        if further is not None and further.kind in MEETING_KINDS and further.text:
            yield replace(item, head=head, text=text[start : found.start()])
            heads, head = heads + 1, further
            start = len(text) - len(further.text)
    yield replace(item, head=head, text=text[start:])


def _read_part(item: Item) -> Iterator[Note]:
    kind = item.head.kind
    if kind == "quorum":
        numbers = _QUORUM.findall(item.text)
        # « 12 sur 25 »: the second is what is asked for.
        needed = int(numbers[1 if _OF_SO_MANY.search(item.text) else 0]) if numbers else None
        yield QuorumNote(quantity=needed, reached=_is_reached(item.text), line=item.line)
    elif kind == "chair" or kind == "secretary":
        role: Literal["chair", "secretary"] = "chair" if kind == "chair" else "secretary"
        for name in names_in(re.sub(r"\([^()]*\)", " ", tidied(item.text))):
            if is_name(name):
                yield RoleNote(role=role, name=name, line=item.line)
    elif kind == "proxy":
        yield from _read_proxies(item)
    else:
        yield from _read_presence(item)


def _is_reached(text: str) -> bool | None:
    folded = fold(text)
    if re.search(r"\bnon atteint|\bpas atteint|\bnot reached", folded):
        return False
    return True if re.search(r"\batteint|\breached", folded) else None


def _read_presence(item: Item) -> Iterator[PresenceNote]:
    presence: Presence = next(p for p in _PRESENCES if p == item.head.kind)
    persons = [replace(p, how=p.how or item.head.topic) for p in _persons(item.text, presence)]
    plain = [p.name for p in persons if not p.how and not p.represented_by]
    if plain:
        yield PresenceNote(presence=presence, names=tuple(dict.fromkeys(plain)), line=item.line)
    for person in persons:
        if person.how or person.represented_by:
            yield PresenceNote(
                presence="represented" if person.represented_by else presence,
                names=(person.name,),
                how=person.how,
                represented_by=person.represented_by,
                line=item.line,
            )


_PRESENCES: tuple[Presence, ...] = ("present", "represented", "excused", "absent")


def _persons(text: str, presence: Presence) -> list[_Person]:
    persons: list[_Person] = []
    text = _COUPLE.sub(r"\1 \3, \2 \3", text)
    for part in _split_outside_brackets(text)[:_MOST_NAMES]:
        person = _person(part.strip(" \t.–—-*_@"), presence)
        if person is not None:
            persons.append(person)
        elif persons and HOW.match(part) and not persons[-1].how:
            # « Mme Haddad, par téléphone »
            persons[-1] = replace(persons[-1], how=tidied(part))
    return persons


def _person(part: str, presence: Presence) -> _Person | None:
    """« Karim », « Karim en visio », « Paul (trésorier) », « Annie (pouvoir à Paul) », « Annie par Paul »."""
    bracketed = _BRACKETS.match(part)
    name, inside = (bracketed["name"], bracketed["inside"]) if bracketed else (part, "")
    if not inside:
        aside = re.search(r"\s(?=(?:par|en|à distance|au téléphone|depuis|jusqu|by|online|remotely|via)\b)", name)
        name, inside = (name[: aside.start()], name[aside.end() :]) if aside else (name, "")
    name = name.strip(" \t@.:")
    if not is_name(name):
        return None
    holder = _PROXY_OF.fullmatch(inside.strip()) if inside else None
    if holder and is_proper_name(holder["holder"]) and (presence == "represented" or not HOW.match(inside)):
        return _Person(name=name, represented_by=holder["holder"].strip())
    return _Person(name=name, how=tidied(inside))


def _split_outside_brackets(text: str) -> list[str]:
    parts, start, depth = [], 0, 0
    marks = [(m.start(), m.end(), "") for m in _PART.finditer(text)]
    marks += [(i, i + 1, char) for i, char in enumerate(text) if char in "()"]
    for begin, end, char in sorted(marks):
        if char:
            depth = max(0, depth + (1 if char == "(" else -1))
        elif depth == 0:
            parts.append(text[start:begin])
            start = end
    parts.append(text[start:])
    return [part for part in parts if part.strip()]


def _read_proxies(item: Item) -> Iterator[PresenceNote]:
    for part in re.split(r"\s*[;,\n]\s*|\s+et\s+(?=d['’]|de\s|[A-ZÀ-Ý])", tidied(item.text)):
        found = _GIVEN.fullmatch(part.strip(" ."))
        giver = found["giver"].strip() if found else ""
        holder = (found["holder"] or found["inside"]).strip(" .") if found else ""
        if is_name(giver) and is_name(holder) and (is_proper_name(giver) or not _INFINITIVE.search(giver)):
            yield PresenceNote(presence="represented", names=(giver,), represented_by=holder, line=item.line)


def _read_vote(item: Item) -> VoteNote | None:
    """« pour 12, contre 1, abstention 2 », « 12 voix pour », « à l'unanimité »; None where nothing was counted."""
    text = tidied(f"{item.head.topic} : {item.text}" if item.head.topic else item.text)
    folded = fold(text)
    if len(folded) != len(text):
        text = folded
    tallies = [_tally(pattern, folded) for pattern in (_SIDE_FIRST, _NUMBER_FIRST)]
    counts, start = max(tallies, key=lambda tally: len(tally[0]))
    unanimous = _UNANIMOUS.search(folded)
    if unanimous is None and not counts:
        return None
    begin = min(start, unanimous.start() if unanimous else start)
    topic = text[:begin].strip(" ,;:–—-(")
    for _ in range(2):
        adopted = _ADOPTED.search(fold(topic))
        topic = topic[: adopted.start()].rstrip(" ,;:–—-(") if adopted else topic
    topic = _ON.sub("", topic, count=1) if _ON.match(topic) else topic
    dissent = bool(counts.get("contre") or counts.get("abstention"))
    total = re.search(r"(\d{1,5})\s+(?:voix|votes|votants|presents)", folded) if unanimous and not counts else None
    return VoteNote(
        in_favour=counts.get("pour", int(total[1]) if total else None),
        against=counts.get("contre", 0),
        abstained=counts.get("abstention", 0),
        unanimous=unanimous is not None and not dissent,
        text=topic,
        line=item.line,
    )


def _tally(pattern: re.Pattern[str], folded: str) -> tuple[dict[str, int], int]:
    """What each side counts, and where the first of them stands; nothing where one side is counted twice."""
    counts: dict[str, int] = {}
    start = len(folded)
    for found in pattern.finditer(folded):
        side = found["side"]
        key = "pour" if side in ("pour", "for") or side.startswith("in ") else "contre"
        key = key if side in ("contre", "against") or key == "pour" else "abstention"
        if key in counts:
            return {}, len(folded)
        counts[key] = int(found["number"]) if found["number"].isdigit() else _NUMBERS[found["number"]]
        start = min(start, found.start())
    return counts, start
