"""How often somebody wants their digest, in their words: « hebdomadaire », « lundi et jeudi à 18 h ». Pure.

Every word must mean something: « résumé de la réunion » is no wish.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any, Literal, TypeVar

from passerelle.core.digest_model import Rhythm
from passerelle.core.spoken_words import bare_words

_LONGEST = 200
_Value = TypeVar("_Value")
#: « 18:30 » is « 18h30 ».
_COLON = re.compile(r"(?<=\d):(?=\d\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was said; None of what was not said, and stays as it is."""

    rhythm: Rhythm | None = None
    weekdays: tuple[int, ...] = ()
    #: On the wall clock of the association.
    at: time | None = None
    medium: Literal["mail", "room"] | None = None
    whole: bool | None = None

    def changes(self) -> dict[str, Any]:
        """The fields of a subscription that it changes. A new rhythm ends a pause."""
        found: dict[str, Any] = {}
        if self.rhythm is not None:
            found |= {"rhythm": self.rhythm, "weekdays": self.weekdays, "paused_until": None}
        for name in ("at", "medium", "whole"):
            value = getattr(self, name)
            if value is not None:
                found[name] = value
        return found


_RHYTHMS: Mapping[Rhythm, str] = {
    "off": "(stop|off|non|jamais|aucun|never|none)",
    "daily": "(chaque jour|tous les jours|quotidien|quotidienne|journalier|par jour|daily|every day|each day)",
    "fortnightly": "(quinzaine|par quinzaine|chaque quinzaine|une semaine sur deux|toutes les (2|deux) semaines"
    "|tous les (15|quinze) jours|bimensuel|fortnightly|every (2|two|other) weeks?)",
    "monthly": "(mensuel|mensuelle|chaque mois|tous les mois|par mois|une fois par mois|monthly|every month"
    "|each month)",
    "weekly": "(hebdomadaire|hebdo|chaque semaine|toutes les semaines|par semaine|une fois par semaine|de la semaine"
    "|weekly|every week|each week)",
}  # fmt: skip
_WEEKDAYS = (
    "(lundis?|mondays?)", "(mardis?|tuesdays?)", "(mercredis?|wednesdays?)", "(jeudis?|thursdays?)",
    "(vendredis?|fridays?)", "(samedis?|saturdays?)", "(dimanches?|sundays?)",
)  # fmt: skip
_WHOLE: Mapping[bool, str] = {
    False: "(sans les courriels|sans courriels|sans tout|short|without mails|without emails)",
    True: "(tout en un|en entier|complet|avec les courriels|all in one|whole|with all emails)",
}
_MEDIA: Mapping[Literal["mail", "room"], str] = {
    "mail": "(par (courriel|mail|email|e mail)|by (mail|email)|(en|par) courrier)",
    "room": "(dans le salon|au salon|en salon|par message|en message|en prive|par le salon|in the room|by message"
    "|by chat)",
}
_CLOCK = re.compile(r"\b(?:a |at |vers )?(?P<hour>\d{1,2}) ?(?:h|heures?|:)(?: ?(?P<minute>\d{2}))?\b")
_ENGLISH_CLOCK = re.compile(r"\b(?:at )?(?P<hour>\d{1,2})(?: (?P<minute>\d{2}))? ?(?P<half>am|pm)\b")
#: Words that mean nothing by themselves.
_FILL = frozenset(
    bare_words(
        "le la les un une de du des mes mon ma en a et and on every each chaque tous toutes the my please merci svp"
        " s'il vous te plait resume resumes digest digests"
    ).split()
)


def parse_wish(text: str) -> Wish | None:
    """What somebody wants of their digest; None where these are other words."""
    left = bare_words(_COLON.sub("h", text[:_LONGEST]))
    left, at = _clock(left)
    left, rhythm = _one_of(left, _RHYTHMS.items())
    left, whole = _one_of(left, _WHOLE.items())
    left, medium = _one_of(left, _MEDIA.items())
    weekdays = []
    for number, pattern in enumerate(_WEEKDAYS):
        shorter = _without(left, pattern)
        if shorter != left:
            weekdays.append(number)
            left = shorter
    if set(left.split()) - _FILL:
        return None
    if weekdays and rhythm in (None, "weekly"):
        rhythm = "weekly" if len(weekdays) == 1 else "days"
    wish = Wish(rhythm=rhythm, weekdays=tuple(weekdays), at=at, medium=medium, whole=whole)
    return wish if wish.changes() else None


def _without(text: str, pattern: str) -> str:
    return " ".join(re.sub(rf"(?<!\S){pattern}(?!\S)", " ", text).split())


def _one_of(text: str, patterns: Iterable[tuple[_Value, str]]) -> tuple[str, _Value | None]:
    for value, pattern in patterns:
        shorter = _without(text, pattern)
        if shorter != text:
            return shorter, value
    return text, None


def _clock(text: str) -> tuple[str, time | None]:
    for pattern in (_ENGLISH_CLOCK, _CLOCK):
        found = pattern.search(text)
        if found is None:
            continue
        hour, minute = int(found["hour"]), int(found["minute"] or 0)
        if "half" in found.groupdict():
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        if hour < 24 and minute < 60:
            return " ".join(f"{text[: found.start()]} {text[found.end() :]}".split()), time(hour, minute)
    return text, None
