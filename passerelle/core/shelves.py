"""Parts of the archive with one rule of access each. A post stands on one shelf, a cross-post on one in each link."""

from dataclasses import dataclass

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.model import Origin, Side


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Shelf:
    """What was said on a link while the bridge was there (`live`, both sides), or before on one of its sides."""

    association: AssociationName
    link: LinkName
    origin: Origin
    #: Of an imported past: whose it is. None for `live`: both sides have read all of it.
    side: Side | None = None


def shelf_of(*, association: AssociationName, link: LinkName, origin: Origin, side: Side) -> Shelf:
    """The shelf of a post."""
    return Shelf(association=association, link=link, origin=origin, side=side if origin == "import" else None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads, and what they may read. `person_id` None: a stranger, who reads what was opened to all."""

    association: AssociationName
    person_id: int | None
    name: str = ""
    shelves: frozenset[Shelf] = frozenset()
    is_coordinator: bool = False
