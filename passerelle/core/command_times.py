"""Commands with a date: meetings, reminders, what is moved, called off or looked at again. Pure.

« réunion jeudi 18h30 au local de l'Épeule : budget de la fête » says when, where and about what, in any order that
people use. A date that may be two stays so: it is asked back.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from passerelle.core.command_arguments import (
    Arguments,
    CancelArguments,
    ListArguments,
    MeetingArguments,
    MoveArguments,
    RemindArguments,
    ReviewArguments,
    Target,
)
from passerelle.core.command_reading import Asked, split_number
from passerelle.core.folding import fold
from passerelle.core.register_line_parts import tidied
from passerelle.core.said_names import mentions_in
from passerelle.core.spoken_words import numbers_in
from passerelle.core.when import find_when
from passerelle.core.when_model import FoundWhen

_URL = re.compile(r"https?://[^\s<>\"«»]{3,500}", re.IGNORECASE)
#: The colon before what it is about; not that of `18:30` or of an address.
_COLON = re.compile(r"(?<!\d)\s*[:：]\s*(?!//)|\s+[:：]\s*|(?<=\d)[:：]\s+")
_PLACE = re.compile(
    r"(?:@\s*)?(?:au|aux|à|a la|a l['’]|chez|en|dans|sur|salle|local|mairie|maison|place|lieu|visio|at|in|on)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?:lieu|où|place|where)\s*[:：]\s*", re.IGNORECASE)
_OF = re.compile(r"(?:du|de la|de l['’]|des|d['’]|de|of the|of)\b", re.IGNORECASE)
_WHAT = re.compile(
    r"(?:la |l['’]|le |the )?(?P<what>réunion|reunion|assemblée|assemblee|ag|meeting|assembly|rappel|reminder)\b\s*"
    r"(?:générale\s*|generale\s*)?",
    re.IGNORECASE,
)
_TARGETS: tuple[tuple[Target, re.Pattern[str]], ...] = (
    ("person", re.compile(r"(?:(?:à|a) moi|moi|me|to me|pour moi)\b", re.IGNORECASE)),
    ("list", re.compile(r"(?:(?:à|a|pour|sur) la liste|to the list)\b", re.IGNORECASE)),
    ("room", re.compile(r"(?:au salon|dans le salon|pour le salon|to the room)\b", re.IGNORECASE)),
    (
        "both",
        re.compile(
            r"(?:(?:à|a|pour) (?:tous|toutes et (?:à )?tous|tout le monde|toutes)|to everyone|to all)\b", re.IGNORECASE
        ),
    ),
)
_EDGES = " \t\u00a0\u202f,;:.–—-"


def read_meeting(asked: Asked) -> Arguments:
    """A meeting to be called; without a date but a number or nothing, the ones that there are."""
    rest = asked.rest
    numbers = numbers_in(rest)
    if not rest or numbers:
        return ListArguments(numbers=numbers)
    rest, url = _without_url(rest)
    before, title = _split_colon(rest)
    found = _found(asked, before)
    if found is None:
        # « budget de la fête : jeudi 18h30 »
        before, title = title, before
        found = _found(asked, before)
    if found is None:
        asked.problem("date_missing")
    when_text = tidied(before[found.start : found.end])
    if found.when is not None and found.when.time is None:
        asked.problem("time_missing", f"{when_text} {asked.in_language('18h30', '6:30pm')}", day=when_text)
    named, place = _place_and_title(before[: found.start], before[found.end :])
    if title and named:
        title = named if fold(title) == fold(named) else f"{named} : {title}"
    return MeetingArguments(
        kind="assembly" if asked.head.name == "assembly" else "meeting",
        when=found, when_text=when_text, title=_titled(asked, title or named), place=place, url=url,
    )  # fmt: skip


def read_move(asked: Asked) -> Arguments:
    """« réunion 4 au jeudi 19 à 18h », « rappel 3 à vendredi 9h », « au jeudi 19 » in answer to it."""
    what, rest = _what(asked.rest)
    number, rest = split_number(rest) if _is_numbered(asked, rest) else (None, rest)
    rest, url = _without_url(rest)
    found = _found(asked, rest)
    before, after = (rest[: found.start], rest[found.end :]) if found else ("", rest)
    _, place = _place_and_title(before, after)
    if found is None and not place and not url:
        asked.problem("date_missing")
    when_text = tidied(rest[found.start : found.end]) if found else ""
    return MoveArguments(what=what, number=number, when=found, when_text=when_text, place=place, url=url)


def read_cancel(asked: Asked) -> Arguments:
    """« réunion 4 », « rappel 3 », « 4 »; nothing in answer to what tells of it."""
    found = _WHAT.match(asked.rest)
    what, rest = _what(asked.rest)
    number, reason = split_number(rest)
    if number is None and reason and not found:
        asked.problem("cancel_unclear")
    return CancelArguments(what=what, number=number, reason=reason)


def read_remind(asked: Asked) -> Arguments:
    """« jeudi 9h apporter les clés », « à la liste tous les lundis 9h : sortir les poubelles »."""
    target, name, rest = _target(asked)
    found = _found(asked, rest)
    if found is None:
        asked.problem("date_missing")
    when_text = tidied(rest[found.start : found.end])
    text = tidied(f"{rest[: found.start].strip(_EDGES)} {_after(rest[found.end :])}")
    if target is None:
        # « jeudi 9h à tous : apporter les clés »
        target, text = _target_of(text)
    if not text:
        asked.problem("text_missing", f"{when_text} {asked.in_language('apporter les clés', 'bring the keys')}")
    return RemindArguments(when=found, when_text=when_text, text=text, target=target, name=name)


def read_review(asked: Asked) -> Arguments:
    """« 7 le 3 mars », « le 3 mars » in answer to it."""
    number, rest = split_number(asked.rest) if _is_numbered(asked, asked.rest) else (None, asked.rest)
    found = _found(asked, rest)
    if found is None:
        asked.problem("date_missing")
    return ReviewArguments(number=number, when=found, when_text=tidied(rest[found.start : found.end]))


def _found(asked: Asked, text: str) -> FoundWhen | None:
    """The date in `text`, or the problem with it; one that may be two is neither."""
    found = find_when(text, now=asked.now, zone=asked.zone, with_past=True) if text else None
    if found is not None and found.when is None and not found.candidates:
        written = tidied(text[found.start : found.end])
        asked.problem("date_past" if found.problem == "past" else "date_unclear", words=written)
    return found


def _is_numbered(asked: Asked, text: str) -> bool:
    """Whether the number at its beginning is that of a meeting or decision, not the day of a date: « 7 le 3 mars »."""
    number, rest = split_number(text)
    if number is None:
        return False
    whole = find_when(text, now=asked.now, zone=asked.zone)
    behind = find_when(rest, now=asked.now, zone=asked.zone)
    first = text.find(str(number))
    return whole is None or whole.start > first or behind is not None


def _without_url(text: str) -> tuple[str, str]:
    found = _URL.search(text)
    if not found:
        return text, ""
    url = found.group().rstrip(".,;:!?)")
    return f"{text[: found.start()]} {text[found.start() + len(url) :]}".strip(), url


def _split_colon(text: str) -> tuple[str, str]:
    """What stands before and behind the colon; all of it before where there is none."""
    found = _COLON.search(text)
    return (text[: found.start()].strip(), text[found.end() :].strip()) if found else (text.strip(), "")


def _place_and_title(before: str, after: str) -> tuple[str, str]:
    """Of what surrounds a date: what it is about, and where."""
    before, after = before.strip(_EDGES), _LABEL.sub("", after.strip(_EDGES), count=1)
    if _PLACE.match(before) and not after:
        return "", tidied(before)
    if not after:
        return tidied(before), ""
    first, _, others = after.partition(",")
    if _PLACE.match(after) or before:
        return tidied(before or others), tidied(first if others and not before else after)
    return tidied(after), ""


def _titled(asked: Asked, title: str) -> str:
    """« du bureau » is « réunion du bureau »."""
    return f"{asked.head.word} {title}" if _OF.match(title) else title


def _what(text: str) -> tuple[Literal["meeting", "reminder"], str]:
    found = _WHAT.match(text)
    if not found:
        return "meeting", text
    is_reminder = fold(found["what"]) in ("rappel", "reminder")
    return "reminder" if is_reminder else "meeting", text[found.end() :].strip()


def _target(asked: Asked) -> tuple[Target | None, str, str]:
    """For whom, at the beginning: « à la liste », « à @Léa », « rappelle-moi »; and what follows."""
    rest = asked.rest
    target: Target | None = "person" if fold(asked.head.word).endswith(("moi", " me")) else None
    for one, pattern in _TARGETS:
        found = pattern.match(rest)
        if found:
            return one, "", rest[found.end() :].strip(_EDGES)
    mentioned = mentions_in(rest, asked.names_known)
    if mentioned and fold(rest[: mentioned[0].start]).strip() in ("", "a", "pour", "to", "for"):
        return "person", mentioned[0].name, rest[mentioned[0].end :].strip(_EDGES)
    return target, "", rest


def _target_of(text: str) -> tuple[Target | None, str]:
    """For whom, before a colon or at the end of the words of a reminder."""
    for one, pattern in _TARGETS:
        start = pattern.match(text)
        if start and text[start.end() :].lstrip()[:1] in (":", ","):
            return one, text[start.end() :].strip(_EDGES)
        end = re.search(rf"[\s,(]+{pattern.pattern}\)?$", text, re.IGNORECASE) if one != "person" else None
        if end:
            return one, text[: end.start()].strip(_EDGES)
    return None, text


def _after(text: str) -> str:
    return re.sub(r"^(?:de |d['’]|que |to |that )", "", text.strip(_EDGES), flags=re.IGNORECASE)


TIMED_READERS: Mapping[str, Callable[[Asked], Arguments]] = {
    "meeting": read_meeting,
    "assembly": read_meeting,
    "move": read_move,
    "cancel": read_cancel,
    "remind": read_remind,
    "review": read_review,
}
