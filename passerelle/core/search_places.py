"""What lists and rooms are called in a search: `liste:bureau`, `salon:jardin`, `dans:harmonie`. Pure."""

from collections.abc import Collection, Iterable

from passerelle.core.search_query import place_key
from passerelle.core.settings import AssociationSettings, LinkSettings
from passerelle.core.shelves import Shelf


def names_of(link: LinkSettings) -> tuple[str, ...]:
    """What a link may be called: its name, what its list's address and its room's alias begin with, the address."""
    address = link.mailing_list.address
    alias = [link.room[1:].partition(":")[0]] if link.room.startswith("#") else []
    return (link.name, address.partition("@")[0], *alias, address)


def known_places(associations: Iterable[AssociationSettings], shelves: Collection[Shelf]) -> tuple[str, ...]:
    """The names of all places that a reader may search: for `parse_query`."""
    return tuple(name for link, _ in _readable(associations, shelves) for name in names_of(link))


def shelves_of_places(
    associations: Iterable[AssociationSettings], shelves: Collection[Shelf], places: Collection[str]
) -> frozenset[Shelf]:
    """Of the shelves that a reader may read, those of the places that a query names; all where it names none.

    Args:
        places: as `Query.places` has them (`place_key`).
    """
    if not places:
        return frozenset(shelves)
    found: set[Shelf] = set()
    for link, stand_there in _readable(associations, shelves):
        if not {place_key(name) for name in names_of(link)}.isdisjoint(places):
            found |= stand_there
    return frozenset(found)


def _readable(
    associations: Iterable[AssociationSettings], shelves: Collection[Shelf]
) -> Iterable[tuple[LinkSettings, set[Shelf]]]:
    """The links of which a reader may read something, and what."""
    for association in associations:
        for link in association.links:
            found = {shelf for shelf in shelves if (shelf.association, shelf.link) == (association.name, link.name)}
            if found:
                yield link, found
