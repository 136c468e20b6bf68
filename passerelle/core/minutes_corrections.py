"""`s/ancien/nouveau/`: a correction that the draft takes by itself. Pure.

It changes what was noted and what people are called. It never changes votes, counts, numbers, days and times, nor what
somebody said, which is quoted: who wants that writes to the chair.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from passerelle.core.minutes_model import (
    AgendaItem,
    Attendee,
    Minutes,
    MinutesEntry,
    MinutesObjection,
    Presence,
    Proxy,
    Topic,
)
from passerelle.core.names import one_line, safe_name

#: Shorter pieces stand everywhere.
_LEAST_WORD = 2
_LEAST_PIECE = 4
LONGEST_CORRECTION = 300
_LONGEST_RESULT = 1000
#: What keyboards type for what we set.
_LIKE = dict.fromkeys(" \u00a0\u202f", "[ \u00a0\u202f]") | dict.fromkeys("'’", "['’]")

Change = Callable[[str], str]


class _Refused(Exception):
    """The correction would leave the minutes wrong."""


def apply_correction(minutes: Minutes, old: str, new: str) -> Minutes | None:
    """The next version of a draft with `old` replaced by `new` wherever it stands.

    Whole words are looked for first; where there are none, pieces of words, from four characters on. One kind of space
    or apostrophe is as good as another.

    None where the minutes are approved, where `old` does not occur in what may be corrected or is too short, and where
    `new` would leave nothing, or make one person of two.
    """
    old, new = one_line(old[:LONGEST_CORRECTION]), one_line(new[:LONGEST_CORRECTION])
    if minutes.state != "draft" or old == new or len(old) < _LEAST_WORD:
        return None
    piece = "".join(_LIKE.get(character, re.escape(character)) for character in old)
    patterns = [rf"(?<!\w){piece}(?!\w)", *([piece] if len(old) >= _LEAST_PIECE else [])]
    for pattern in map(re.compile, patterns):
        try:
            corrected = _corrected(minutes, _changer(pattern, new))
        except _Refused:
            return None
        if corrected != minutes:
            return replace(corrected, version=minutes.version + 1)
    return None


def _changer(pattern: re.Pattern[str], new: str) -> Change:
    def change(text: str) -> str:
        changed = pattern.sub(lambda _: new, text)
        if changed == text:
            return text
        flat = " ".join(changed.split(" ")).strip()
        if not flat or len(flat) > _LONGEST_RESULT:
            raise _Refused
        return flat

    return change


def _corrected(minutes: Minutes, change: Change) -> Minutes:
    def entries(of: tuple[MinutesEntry, ...]) -> tuple[MinutesEntry, ...]:
        return tuple(_entry(one, change) for one in of)

    return replace(
        minutes,
        title=change(minutes.title),
        place=change(minutes.place),
        chair=_name(minutes.chair, change),
        secretary=_name(minutes.secretary, change),
        presence=_presence(minutes.presence, change),
        decisions=entries(minutes.decisions),
        actions=entries(minutes.actions),
        loans=entries(minutes.loans),
        infos=entries(minutes.infos),
        questions=entries(minutes.questions),
        ideas=entries(minutes.ideas),
        others=tuple(replace(other, entries=entries(other.entries)) for other in minutes.others),
        agenda=tuple(_item(item, change) for item in minutes.agenda),
        topics=tuple(_topic(topic, change) for topic in minutes.topics),
        open_before=entries(minutes.open_before),
    )


def _entry(entry: MinutesEntry, change: Change) -> MinutesEntry:
    return replace(
        entry,
        text=change(entry.text),
        label=change(entry.label),
        names=tuple(_name(name, change) for name in entry.names),
        objections=tuple(_objection(one, change) for one in entry.objections),
    )


def _objection(one: MinutesObjection, change: Change) -> MinutesObjection:
    # The reason is their own word.
    return replace(one, name=_name(one.name, change), passed_on_by=_name(one.passed_on_by, change))


def _topic(topic: Topic, change: Change) -> Topic:
    # What they said is quoted; what they are called is not.
    excerpts = tuple(replace(one, author=_name(one.author, change)) for one in topic.excerpts)
    return replace(topic, title=change(topic.title), excerpts=excerpts)


def _item(item: AgendaItem, change: Change) -> AgendaItem:
    return replace(item, text=change(item.text))


def _name(name: str, change: Change) -> str:
    changed = change(name)
    if changed == name:
        return name
    safe = safe_name(changed)
    if not safe:
        raise _Refused
    return safe


def _presence(presence: Presence, change: Change) -> Presence:
    def people(of: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
        return tuple(replace(one, name=_name(one.name, change), how=change(one.how)) for one in of)

    def proxies(of: tuple[Proxy, ...]) -> tuple[Proxy, ...]:
        return tuple(replace(one, giver=_name(one.giver, change), holder=_name(one.holder, change)) for one in of)

    changed = replace(
        presence,
        present=people(presence.present),
        represented=proxies(presence.represented),
        void_proxies=proxies(presence.void_proxies),
        excused=people(presence.excused),
        absent=people(presence.absent),
        spoke=tuple(_name(name, change) for name in presence.spoke),
    )
    if len(set(_names(changed))) < len(set(_names(presence))):
        raise _Refused
    return changed


def _names(presence: Presence) -> list[str]:
    people = (*presence.present, *presence.excused, *presence.absent)
    return [one.name for one in people] + [proxy.giver for proxy in presence.represented]
