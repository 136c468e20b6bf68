"""Who may read which shelf of the archive. Private by default: who takes part reads, who leaves does not any more.

- What was said while the bridge was there is read by who takes part on either side, and by the association's
  coordinators.
- A past that was imported stays its own side's (PEOPLE 8), until the configuration opens it, both sides were told and
  the delay has gone by.
- Where a roster was imported, it alone says who is on the list. Who is in the room is what the homeserver says.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from passerelle.core.ids import AssociationName, LinkName, MailAddress, UserId
from passerelle.core.model import Side
from passerelle.core.settings import AssociationSettings, Coordinator, LinkSettings
from passerelle.core.shelves import Shelf

What = Literal["posts", "past_list", "past_room"]
OpenTo = Literal["public", "participants"]

#: Which part of the archive an opening is about, for each side's imported past.
PAST_OF: Mapping[Side, What] = {"list": "past_list", "room": "past_room"}

#: History visibilities by which a member reads what was said before they came (Matrix specification, "Room history
#: visibility").
_OPEN_TO_MEMBERS = frozenset({"shared", "world_readable"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """Something is opened to more readers: both sides were told of it."""

    link: LinkName
    what: What
    to: OpenTo
    told_at: datetime
    #: Aware; None: a notice has not left yet, and the delay has not begun.
    opens_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What the store knows of one person's place in an association."""

    name: str = ""
    addresses: frozenset[MailAddress] = frozenset()
    user_ids: frozenset[UserId] = frozenset()
    #: Links on whose list they have written.
    wrote_to: frozenset[LinkName] = frozenset()
    #: Links that have a roster, and those on whose roster they are.
    rostered: frozenset[LinkName] = frozenset()
    on_roster: frozenset[LinkName] = frozenset()
    #: History visibility of the rooms that they are in now.
    rooms: Mapping[LinkName, str] = field(default_factory=dict)

    def on_list(self, link: LinkName) -> bool:
        return link in (self.on_roster if link in self.rostered else self.wrote_to)

    def reads_past_of_room(self, link: LinkName) -> bool:
        """Whether the room itself would show them what was said before they came.

        Elsewhere it shows what was said since they joined: that is no imported past, which ends when the bridge came.
        """
        return self.rooms.get(link) in _OPEN_TO_MEMBERS

    def takes_part(self, link: LinkName) -> bool:
        return self.on_list(link) or link in self.rooms


def coordinates(coordinator: Coordinator, standing: Standing, *, shared: Collection[MailAddress]) -> bool:
    """Whether that person is that coordinator: by user ID, or by address.

    Args:
        shared: the person's addresses that others have too (a couple's): there the name has to agree as well.
    """
    if coordinator.matrix is not None and coordinator.matrix in standing.user_ids:
        return True
    wanted = coordinator.address.lower() if coordinator.address else None
    mine = next((address for address in standing.addresses if address.lower() == wanted), None)
    if mine is None:
        return False
    return mine not in shared or named_alike(coordinator.name, standing.name)


def named_alike(known_as: str, name: str) -> bool:
    """Whether every word of `known_as` (a first name, or all of it) stands in a name, whatever the order and case."""
    return set(_words(known_as)) <= set(_words(name))


def _words(name: str) -> list[str]:
    return name.casefold().replace("-", " ").split()


def public_shelves(association: AssociationSettings, openings: Collection[Opening], now: datetime) -> frozenset[Shelf]:
    """What everyone may read: opened by the configuration, told to both sides, and the delay has gone by."""
    in_force = _in_force(openings, now)
    shelves: set[Shelf] = set()
    for link in association.links:
        name = LinkName(link.name)
        if link.archive.visibility == "public" and (name, "posts", "public") in in_force:
            shelves.add(_live(association, name))
        if link.archive.past == "public":
            shelves |= {
                _past(association, name, side) for side, what in PAST_OF.items() if (name, what, "public") in in_force
            }
    return frozenset(shelves)


def shelves_of(
    association: AssociationSettings,
    standing: Standing,
    openings: Collection[Opening],
    *,
    now: datetime,
    is_coordinator: bool,
) -> frozenset[Shelf]:
    """What one person may read."""
    shelves = set(public_shelves(association, openings, now))
    for link in association.links:
        name = LinkName(link.name)
        if standing.takes_part(name) or is_coordinator:
            shelves.add(_live(association, name))
        if standing.on_list(name):
            shelves.add(_past(association, name, "list"))
        if standing.reads_past_of_room(name):
            shelves.add(_past(association, name, "room"))
        if standing.takes_part(name):
            shelves |= _past_of_both_sides(association, link, openings, now)
    return frozenset(shelves)


def _past_of_both_sides(
    association: AssociationSettings, link: LinkSettings, openings: Collection[Opening], now: datetime
) -> set[Shelf]:
    if link.archive.past == "own_side":
        return set()
    name, in_force = LinkName(link.name), _in_force(openings, now)
    return {
        _past(association, name, side)
        for side, what in PAST_OF.items()
        if {(name, what, "participants"), (name, what, "public")} & in_force
    }


def _in_force(openings: Collection[Opening], now: datetime) -> set[tuple[LinkName, str, str]]:
    return {(o.link, o.what, o.to) for o in openings if o.opens_at is not None and o.opens_at <= now}


def _live(association: AssociationSettings, link: LinkName) -> Shelf:
    return Shelf(association=AssociationName(association.name), link=link, origin="live")


def _past(association: AssociationSettings, link: LinkName, side: Side) -> Shelf:
    return Shelf(association=AssociationName(association.name), link=link, origin="import", side=side)
