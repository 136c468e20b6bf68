"""Where the dates of a search stand: behind a prefix, or in its words, « fête depuis mars », « hier ». Pure.

Words are taken for a date only at the beginning or the end of what was typed in a row, and only where they can hardly
mean anything else; in quotes they are words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from passerelle.core.folding import fold
from passerelle.core.search_dates import MONTHS, WEEKDAYS, Span, Today, read_span
from passerelle.core.search_tokens import Token

#: No date has more words: « depuis la fin de la semaine dernière ».
_MOST_WORDS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """From `since` on, and before `until`: days."""

    since: date | None = None
    until: date | None = None


def take_dates(tokens: Sequence[Token], today: Today) -> tuple[list[Token], list[Limits]]:
    """`tokens` without those that say when, and what these say. A prefix whose date is unclear stays."""
    left: list[Token] = []
    found: list[Limits] = []
    run: list[Token] = []
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.kind == "word" and not token.negated:
            run.append(token)
            position += 1
            continue
        left += _without_dates(run, today, found)
        run = []
        taken = _behind_prefix(tokens, position, today, found)
        if not taken:
            left.append(token)
        position += taken or 1
    left += _without_dates(run, today, found)
    return left, found


def _behind_prefix(tokens: Sequence[Token], position: int, today: Today, found: list[Limits]) -> int:
    """How many tokens a prefix and its date are, 0 for none: `avant:12 novembre 2026` needs no quotes."""
    token = tokens[position]
    if token.kind != "prefixed" or token.negated or token.field not in ("before", "since", "on"):
        return 0
    following = 0
    if not token.quoted:
        while following < _MOST_WORDS and position + following + 1 < len(tokens):
            word = tokens[position + following + 1]
            if word.kind != "word" or word.negated:
                break
            following += 1
    for more in range(following, -1, -1):
        words = " ".join([token.value, *(word.value for word in tokens[position + 1 : position + 1 + more])])
        if (span := read_span(words, today, loosely=more == 0)) is not None:
            since = span.start if token.field in ("since", "on") else None
            until = {"before": span.start, "on": span.end}.get(token.field)
            found.append(Limits(since=since, until=until))
            return more + 1
    return 0


def _without_dates(run: list[Token], today: Today, found: list[Limits]) -> list[Token]:
    """What is left of words in a row when the date at their beginning, and that at their end, are taken."""
    run = list(run)
    for at_the_end in (False, True):
        for count in range(min(len(run), _MOST_WORDS), 0, -1):
            words = run[-count:] if at_the_end else run[:count]
            limits = read_limits(" ".join(token.value for token in words), today)
            if limits is not None:
                found.append(limits)
                run = run[:-count] if at_the_end else run[count:]
                break
    return run


_FROM = re.compile(r"(?:depuis|since|a partir d[eu']) ?(.+)")
_BEFORE = re.compile(r"(?:avant|before) (.+)")
_AFTER = re.compile(r"(?:apres|after) (.+)")
_UP_TO = re.compile(r"(?:jusqu'a|jusqu'au|jusqu'en|until) (.+)")
_BETWEEN = re.compile(r"(?:entre|between) (.+?) (?:et|and) (.+)")
_IN = re.compile(r"(?:en|in) (.+)")
_MONTH_OR_YEAR = re.compile(r"(?:([a-z]+)(?: \d{4})?|\d{4})")
_WHOLE = re.compile(
    r"(?:hier|avant-hier|aujourd'hui|yesterday|today|"
    r"(?:la |le |l')?(?:semaine|mois|annee|an|week-end) (?:derniere?|passee?)|(?:cette|ce|this|last) .+|"
    r"(?:ces|les|last) .+ .+)"
)
#: Names of days and months that are words as well (*mer*, *mar*), and single numbers.
_TOO_SHORT = {name for name in {*MONTHS, *WEEKDAYS} if len(name) < 4} - {"mai"}


def read_limits(text: str, today: Today) -> Limits | None:
    """What words in a row say of time, or None where they say nothing, or might mean something else."""
    words = " ".join(fold(text).split()).replace("avant hier", "avant-hier")
    if (found := _FROM.fullmatch(words)) and (span := _sure(found[1], today)):
        return Limits(since=span.start)
    if (found := _BEFORE.fullmatch(words)) and (span := _sure(found[1], today, counted=False)):
        return Limits(until=span.start)
    if (found := _AFTER.fullmatch(words)) and (span := _sure(found[1], today, counted=False)):
        return Limits(since=span.start)
    if (found := _UP_TO.fullmatch(words)) and (span := _sure(found[1], today, counted=False)):
        return Limits(until=span.end)
    if found := _BETWEEN.fullmatch(words):
        return _between(found[1], found[2], today)
    whole = words if _WHOLE.fullmatch(words) else None
    if (found := _IN.fullmatch(words)) and _MONTH_OR_YEAR.fullmatch(found[1]):
        whole = found[1]
    if whole is not None and (span := _sure(whole, today)):
        return Limits(since=span.start, until=span.end)
    return None


def _between(first: str, last: str, today: Today) -> Limits | None:
    start, end = _sure(first, today, counted=False), _sure(last, today, counted=False)
    if start is None or end is None:
        return None
    if start.start > end.end:  # « entre décembre et mars »
        start, end = end, start
    return Limits(since=start.start, until=end.end)


def _sure(words: str, today: Today, *, counted: bool = True) -> Span | None:
    """The days that `words` name, where they can hardly mean anything else and have begun."""
    if words in _TOO_SHORT or (not counted and re.search(r"\b(?:jours?|ans|semaines|mois|days?|weeks|years)$", words)):
        return None
    span = read_span(words, today, loosely=False)
    return span if span is not None and span.start < today.day + timedelta(days=1) else None
