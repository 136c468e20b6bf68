"""« Gare centrale »: the one page of an association that is always right, made from register and archive. Pure.

It says what is to come and who does what; never who is late, who did not answer or how to reach somebody (PEOPLE 9).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from passerelle.core.names import mask_contacts, one_line
from passerelle.core.register_model import Entry, NamedPerson

#: In the order in which they stand.
SectionKey = Literal["dates", "shared", "decisions", "actions", "loans", "offers", "places"]
SECTIONS: tuple[SectionKey, ...] = ("dates", "shared", "decisions", "actions", "loans", "offers", "places")
#: Lines of a section; the rest is counted.
MOST_LINES = 12

_LONGEST = 240
#: French and international telephone numbers, whatever stands between their digits: « +33 (0)6 12 34 56 78 ». A day
#: before an hour is none: « 03/12/2026 10 h ».
_APART = r"[ ._/\-\u00a0\u202f\u2010-\u2015]"
_PHONE = re.compile(
    r"(?<!\d)\(?(?!\d{1,2}[./\-]\d{1,2}[./\-](?:19|20)\d\d(?!\d))"
    rf"(?:\+|00?)[1-9](?:(?:{_APART}{{0,2}}|{_APART}?[()]{_APART}?)\d){{8,12}}(?!\d)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLine:
    """One thing, in words. What is empty is not shown."""

    text: str
    #: « jeudi 12 novembre de 18 h 30 à 20 h 30 », « pour le mardi 17 novembre ».
    when: str = ""
    place: str = ""
    #: « annulée », « on peut s’y opposer jusqu’au … ».
    note: str = ""
    people: tuple[NamedPerson, ...] = ()
    #: Below the association's address: `/register/12`.
    path: str = ""
    #: What stands on paper in the place of `text` where that names somebody; "" where nothing can.
    instead: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageSection:
    key: SectionKey
    lines: tuple[PageLine, ...] = ()
    #: How many more there are.
    more: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PageWay:
    """How one takes part in a link: a list and its room."""

    title: str
    list_address: str
    #: `#bureau:exemple.org`; "" where the room has no address to type.
    room: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OnePage:
    """The page, before it is known who reads it and on what."""

    association: str
    #: Of the day on which it was made.
    day: str
    sections: tuple[PageSection, ...]
    ways: tuple[PageWay, ...]
    #: Where it is read; "" without a web.
    url: str = ""
    #: Everyone whom the association knows by name.
    known: tuple[NamedPerson, ...] = ()
    #: Persons who agreed to their first name on paper.
    consenting: frozenset[int] = frozenset()


def shown_text(text: str, mask: str) -> str:
    """`text` on one line, short enough, and with `mask` for whatever would reach a person."""
    flat = _PHONE.sub(mask, mask_contacts(one_line(text), mask))
    return flat if len(flat) <= _LONGEST else flat[:_LONGEST].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def is_to_come(day: date | None, today: date) -> bool:
    """Whether a day may be shown: of one that is over, somebody would be late (PEOPLE 9)."""
    return day is not None and day >= today


def in_order(entries: Sequence[Entry], today: date) -> list[Entry]:
    """What has a day to come first, by that day; the others by number, so that no order says who is late."""
    far = date.max
    return sorted(
        entries,
        key=lambda one: (one.due_on if one.due_on is not None and one.due_on >= today else far, one.number),
    )


def build_section(key: SectionKey, lines: Sequence[PageLine], *, most: int = MOST_LINES, total: int = 0) -> PageSection:
    """A section of the first lines; `total`: how many there are, where `lines` are not all of them."""
    shown = tuple(lines[:most])
    return PageSection(key=key, lines=shown, more=max(total, len(lines)) - len(shown))
