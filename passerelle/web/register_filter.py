"""What is asked of the register in the address of its page: kinds, states, persons, labels, years, words. Pure.

What is not understood asks for nothing: an old address still shows a page.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from passerelle.core.ids import LinkName
from passerelle.core.register_moves import OPEN_STATES
from passerelle.core.secretary_settings import KindSettings
from passerelle.store.register_lists import EntryFilter

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

    @property
    def is_narrowed(self) -> bool:
        """Whether anything is asked for beside a kind."""
        return replace(self, kind="") != Asked()

    def query(self, **changes: str) -> dict[str, str]:
        """As parameters of an address, some of them changed; those that ask for nothing are left out."""
        values = {
            "q": self.words, "kind": self.kind, "state": self.state, "who": "me" if self.mine else "",
            "label": self.label, "link": self.link, "year": str(self.year or ""), **changes,
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
    return Asked(
        words=query.get("q", "")[:_LONGEST].strip(),
        kind=kind,
        state=state,
        mine=query.get("who", "") == "me",
        label=query.get("label", "")[:_LONGEST].strip(),
        link=link if link in links else "",
        year=number if number in _YEARS else None,
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
    return EntryFilter(
        links=[LinkName(asked.link)] if asked.link else links,
        kinds=(asked.kind,) if asked.kind else (),
        states=_states(asked, kinds),
        person_id=person_id if asked.mine else None,
        label=asked.label,
        since=_new_year(asked.year, zone) if asked.year is not None else None,
        until=_new_year(asked.year + 1, zone) if asked.year is not None else None,
        words=asked.words,
    )


def _states(asked: Asked, kinds: Sequence[KindSettings]) -> frozenset[str]:
    if asked.state and asked.state != EXPECTED:
        return frozenset((asked.state,))
    known = states_of_kinds(kinds)
    every = {state for states in known.values() for state in states}
    if asked.state != EXPECTED:
        return frozenset(every)
    # Of a configured kind nobody knows which states are an end: what has only begun is expected for sure.
    return frozenset((OPEN_STATES & every) | {kind.states[0] for kind in kinds})


def _new_year(year: int, zone: ZoneInfo) -> datetime:
    return datetime(year, 1, 1, tzinfo=zone).astimezone(UTC)
