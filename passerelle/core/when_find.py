"""The date inside a sentence, and nothing that only looks like one. Pure.

What « pour », « avant », « jusqu'à » and « d'ici » introduce goes before the rest; a day before an hour alone; then
what is written first. What might be something else (« 3/4 », « le 2 », « 3 h ») counts only where its neighbours speak
for it.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from passerelle.core.search_dates import UNITS
from passerelle.core.when_days import Calendar, DaySpec, Holiday, Weekday
from passerelle.core.when_leads import CLOSERS, DAYS, DEADLINES, HOURS, lead_ends
from passerelle.core.when_model import FoundWhen
from passerelle.core.when_periods import Over, Period, Several, Week
from passerelle.core.when_resolve import resolve
from passerelle.core.when_said import Said, read_said
from passerelle.core.when_tokens import Line, tokenise
from passerelle.errors import WhenProblem

#: What stands behind is not searched.
LONGEST_SENTENCE = 2000

_OPENS = {"(", "[", "«", '"', "“", "'", ",", ";", ":", ".", "!", "?", "…", ">", "*", "-", "’"}
_GLUES = {"@", "_", "/", "\\", "#", "=", "&", "+", "%", "€", "$", "°", "<"}
#: « depuis jeudi », « sauf jeudi », « après le 12 », « un jeudi »: not that day.
_NOT_BEFORE = {
    "depuis", "since", "last", "pas", "not", "sauf", "except", "hors", "apres", "after", "un", "aucun", "quel",
}  # fmt: skip
#: « la réunion du 12 »: part of a name.
_OF = {"du", "de", "of"}
_AFTER_HOUR = {"de", "d", "of", "par", "/"}
_STOPS = {"", ".", ",", ";", ":", "!", "?", ")", "]", "»", '"', "”", "…", "-"}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hit:
    """Tokens that say when, from what introduces them on."""

    start: int
    #: Where it begins without that.
    body: int
    end: int
    said: Said
    is_deadline: bool
    is_introduced: bool


def find_when(text: str, *, now: datetime, zone: ZoneInfo, with_past: bool = False) -> FoundWhen | None:
    """The date in the sentence `text`, or None. What « pour », « avant », « jusqu'à », « d'ici » introduce goes first.

    Args:
        now: Aware.
        zone: In whose calendar and on whose wall clock it is read.
        with_past: Where nothing else is found, also what is over (`problem` is `past`): of a command that needs a date,
            « hier » is a wrong one; of a sentence, it is just what was yesterday.
    """
    text = text[:LONGEST_SENTENCE]
    line = tokenise(text)
    best: FoundWhen | None = None
    best_rank = -1
    over: FoundWhen | None = None
    for hit in _hits(line):
        rank = _rank(hit)
        if rank <= best_rank or not (_counts(line, hit) or (with_past and isinstance(hit.said.day, Over))):
            continue
        found = _found(text, line, hit, now=now, zone=zone)
        if found.problem in ("past", "unknown") and not hit.is_deadline:
            over = over or (found if found.problem == "past" else None)
            continue
        best, best_rank = found, rank
    return best or (over if with_past else None)


def _hits(line: Line) -> list[_Hit]:
    hits: list[_Hit] = []
    place = 0
    while place < len(line):
        hit = _hit(line, place)
        if hit is not None:
            hits.append(hit)
        place = hit.end if hit else place + 1
    return hits


def _hit(line: Line, place: int) -> _Hit | None:
    if not _is_beginning(line, place):
        return None
    is_deadline = DEADLINES.end(line, place) is not None
    is_introduced = any(leads.end(line, place) is not None for leads in (DEADLINES, DAYS, HOURS))
    best: _Hit | None = None
    for body in (place, *lead_ends(line, place)):
        found = read_said(line, body)
        if found is None or not _is_end(line, found[1]) or (best is not None and found[1] <= best.end):
            continue
        closed = CLOSERS.read(line, found[1])
        best = _Hit(
            start=place,
            body=body,
            end=closed[1] if closed else found[1],
            said=found[0],
            is_deadline=is_deadline or (closed is not None and closed[0]),
            is_introduced=is_introduced,
        )
    return best


def _is_beginning(line: Line, place: int) -> bool:
    """Whether a word begins at `place`, rather than the middle of an address, a number or a name."""
    return not line.is_glued(place) or (line.word(place - 1) in _OPENS and not _is_joined(line, place - 1))


def _is_joined(line: Line, place: int) -> bool:
    """Whether the sign at `place` has something on its left: `06.12`, `CR-2026`; but « l'11 novembre »."""
    return line.word(place) in (".", "-", ":", "*") and line.is_glued(place)


def _is_end(line: Line, place: int) -> bool:
    if not line.is_glued(place):
        return True
    word = line.word(place)
    if word in (".", "-", ":"):
        return not (line.is_glued(place + 1) and line.word(place + 1).isalnum())
    return not word.isalnum() and word not in _GLUES


def _rank(hit: _Hit) -> int:
    has_day = hit.said.day is not None or hit.said.rule is not None or hit.said.later is not None
    return (2 if hit.is_deadline else 0) + (1 if has_day else 0)


def _counts(line: Line, hit: _Hit) -> bool:
    """Whether `hit` says when something is to come."""
    said = hit.said
    before = line.word(hit.start - 1)
    if isinstance(said.day, Over) or (hit.is_deadline and before in UNITS):
        return False
    if before in _NOT_BEFORE and not line.word(hit.start - 2).startswith("oubli"):  # « n'oubliez pas jeudi 9h »
        return False
    if said.rule is not None or said.later is not None:
        return True
    if said.day is None:
        return _is_hour(line, hit)
    if before in _OF and said.until_day is None and said.clock is None:
        return False
    spoken_for = hit.is_deadline or said.clock is not None
    spoken_for = spoken_for or (said.until_day is not None and not isinstance(said.day, Period))
    return spoken_for or not _is_doubtful(line, hit, said.day)


def _is_hour(line: Line, hit: _Hit) -> bool:
    """Of an hour without a day: « à 18h », « 18h30 : ouvrir la salle »; no « 3 h de bénévolat », no « pour 2h »."""
    if line.word(hit.end) in _AFTER_HOUR:
        return False
    if hit.said.clock is not None and hit.said.clock.ends is not None:
        return hit.is_introduced or hit.start == 0 or line.word(hit.body) in ("de", "entre", "from", "between")
    if hit.is_deadline and line.word(hit.start) in ("pour", "d", "by") and line.word(hit.body - 1) != "a":
        minutes = hit.said.clock.begins if hit.said.clock else 0
        return 7 * 60 <= minutes < 24 * 60
    return hit.start == 0 or hit.body != hit.start


def _is_doubtful(line: Line, hit: _Hit, day: DaySpec) -> bool:
    """Whether the day may be something else, so that it needs « pour », « avant » or an hour beside it."""
    match day:
        case Several(days=days):
            return all(_is_doubtful(line, hit, one) for one in days)
        case Weekday(doubtful=doubtful) | Period(doubtful=doubtful):
            return doubtful
        case Week(ahead=0):
            return line.word(hit.body) != "dans"
        case Holiday(year=None):
            return not hit.is_introduced or line.word(hit.start) in ("le", "la", "les", "l")
        case Calendar(doubtful=True, weekday=None):
            return not (hit.is_introduced or _is_full(line, hit)) or line.word(hit.start) in ("a", "at", "vers")
    return False


def _is_full(line: Line, hit: _Hit) -> bool:
    """« 12/11 » at the end or before a stop; of « 3/4 des membres » or « 10/12 présents » nobody knows."""
    return all(len(line.word(place)) == 2 for place in (hit.body, hit.body + 2)) and line.word(hit.end) in _STOPS


def _found(text: str, line: Line, hit: _Hit, *, now: datetime, zone: ZoneInfo) -> FoundWhen:
    start, end = line.tokens[hit.start].start, line.tokens[hit.end - 1].end
    try:
        candidates = resolve(hit.said, now=now, zone=zone, text=text[start:end])
    except WhenProblem as problem:
        return FoundWhen(start=start, end=end, when=None, problem=problem.kind)
    if len(candidates) > 1:
        return FoundWhen(start=start, end=end, when=None, candidates=candidates, problem="ambiguous")
    return FoundWhen(start=start, end=end, when=candidates[0])
