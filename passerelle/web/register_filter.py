"""What is asked of the register in the address of its page: kinds, states, persons, labels, years, words. Pure.

What is not understood asks for nothing: an old address still shows a page.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from passerelle.core.ids import LinkName
from passerelle.core.register_moves import OPEN_STATES
from passerelle.core.secretary_settings import KindSettings
from passerelle.store.register_lists import Became, EntryFilter

#: The kinds in the order in which the page offers them.
KINDS = ("decision", "action", "loan", "booking", "question", "agenda", "info", "idea", "count")
#: The states of each kind in which it is shown to all; a decision that its author has not confirmed (`asked`) is not.
STATES: Mapping[str, tuple[str, ...]] = {
    "decision": ("proposed", "objected", "adopted", "replaced", "dropped"),
    "action": ("open", "done", "dropped"),
    "loan": ("out", "returned", "dropped"),
    "booking": ("booked", "dropped"),
    "question": ("open", "done", "dropped"),
    "agenda": ("wanted", "treated", "carried", "dropped"),
    "info": ("kept", "dropped"),
    "idea": ("kept", "dropped"),
    "count": ("kept", "dropped"),
}
#: Asks for whatever is still expected, of any kind.
EXPECTED = "expected"
_LONGEST = 100
_YEARS = range(1970, 2101)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the page is asked for; "" and None ask for nothing."""

    words: str = ""
    kind: str = ""
    #: EXPECTED, or a state of `kind`.
    state: str = ""
    #: Only what names the reader.
    mine: bool = False
    label: str = ""
    link: str = ""
    year: int | None = None
    #: Said from that day on, up to that day; with `became`: that came into that state in these days.
    first: date | None = None
    last: date | None = None
    became: str = ""
    #: Due from that day on, up to that day.
    due_first: date | None = None
    due_last: date | None = None

    @property
    def has_days(self) -> bool:
        """Whether days are asked for, which no field of the form has: the account leads here with them."""
        return any((self.first, self.last, self.due_first, self.due_last))

    def days(self) -> dict[str, str]:
        """As parameters of an address, those of days."""
        found = {"from": self.first, "to": self.last, "due_from": self.due_first, "due_to": self.due_last}
        days = {name: day.isoformat() for name, day in found.items() if day is not None}
        return {**days, **({"became": self.became} if self.became else {})}

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked for beside a kind."""
        return replace(self, kind="") != Asked()

    def query(self, **changes: str) -> dict[str, str]:
        """As parameters of an address, some of them changed; those that ask for nothing are left out."""
        values = {
            "q": self.words, "kind": self.kind, "state": self.state, "who": "me" if self.mine else "",
            "label": self.label, "link": self.link, "year": str(self.year or ""), **self.days(), **changes,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value}


def parse_asked(query: Mapping[str, str], *, links: Collection[LinkName], kinds: Sequence[KindSettings]) -> Asked:
    """What an address asks for.

    Args:
        links: those that the reader takes part in: no other can be asked for.
        kinds: the configured ones.
    """
    kind = query.get("kind", "")
    kind = kind if kind in states_of_kinds(kinds) else ""
    state = query.get("state", "")
    state = state if state == EXPECTED or state in states_of_kinds(kinds).get(kind, ()) else ""
    year, link = query.get("year", ""), query.get("link", "")
    number = int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else 0
    first, last = _day(query, "from"), _day(query, "to")
    became = query.get("became", "") if first is not None and last is not None else ""
    return Asked(
        words=query.get("q", "")[:_LONGEST].strip(),
        kind=kind,
        state=state,
        mine=query.get("who", "") == "me",
        label=query.get("label", "")[:_LONGEST].strip(),
        link=link if link in links else "",
        year=number if number in _YEARS else None,
        first=first,
        last=last,
        became=became if became in states_of_kinds(kinds).get(kind, ()) else "",
        due_first=_day(query, "due_from"),
        due_last=_day(query, "due_to"),
    )


def states_of_kinds(kinds: Sequence[KindSettings]) -> dict[str, tuple[str, ...]]:
    """The states of every kind that there is, in their order."""
    return {**STATES, **{kind.name: kind.states for kind in kinds}}


def filter_of(
    asked: Asked,
    *,
    links: Collection[LinkName],
    kinds: Sequence[KindSettings],
    person_id: int | None,
    zone: ZoneInfo,
) -> EntryFilter:
    """The entries that are asked for, of what this reader may see."""
    since, until = _span(asked, zone)
    became = Became(state=asked.became, since=since, until=until) if asked.became and since and until else None
    return EntryFilter(
        links=[LinkName(asked.link)] if asked.link else links,
        kinds=(asked.kind,) if asked.kind else (),
        states=_states(asked, kinds),
        person_id=person_id if asked.mine else None,
        label=asked.label,
        since=since if became is None else None,
        until=until if became is None else None,
        became=became,
        due_from=asked.due_first,
        due_to=asked.due_last,
        words=asked.words,
    )


def _span(asked: Asked, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """From when, and until when: the days that are asked for, or else the year."""
    if asked.first is None and asked.last is None and asked.year is not None:
        return _midnight(date(asked.year, 1, 1), zone), _midnight(date(asked.year + 1, 1, 1), zone)
    since = _midnight(asked.first, zone) if asked.first is not None else None
    return since, _midnight(asked.last + timedelta(days=1), zone) if asked.last is not None else None


def _states(asked: Asked, kinds: Sequence[KindSettings]) -> frozenset[str]:
    if asked.state and asked.state != EXPECTED:
        return frozenset((asked.state,))
    known = states_of_kinds(kinds)
    every = {state for states in known.values() for state in states}
    if asked.state != EXPECTED:
        return frozenset(every)
    # Of a configured kind nobody knows which states are an end: what has only begun is expected for sure.
    return frozenset((OPEN_STATES & every) | {kind.states[0] for kind in kinds})


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _day(query: Mapping[str, str], name: str) -> date | None:
    """A day as 2026-03-01, of a year that one may ask for; None for anything else."""
    text = query.get(name, "")
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
    return day if day is not None and day.year in _YEARS else None
