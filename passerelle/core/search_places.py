"""What lists and rooms are called in a search: `liste:bureau`, `salon:jardin`, `dans:harmonie`. Pure."""

from collections.abc import Collection, Iterable

from passerelle.core.settings import AssociationSettings, LinkSettings
from passerelle.core.shelves import Shelf


def names_of(link: LinkSettings) -> tuple[str, ...]:
    """What a link may be called: its name, what its list's address and its room's alias begin with, the address."""
    address = link.mailing_list.address
    alias = [link.room[1:].partition(":")[0]] if link.room.startswith("#") else []
    return (link.name, address.partition("@")[0], *alias, address)


def known_places(associations: Iterable[AssociationSettings], shelves: Collection[Shelf]) -> tuple[str, ...]:
    """The names of all places of which a reader may read something: for `parse_query`."""
    readable = {(shelf.association, shelf.link) for shelf in shelves}
    links = [(association.name, link) for association in associations for link in association.links]
    return tuple(name for association, link in links if (association, link.name) in readable for name in names_of(link))
