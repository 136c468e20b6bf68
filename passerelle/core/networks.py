"""Networks of associations: which one is in which, and figures that tell of nobody. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from passerelle.core.account_suppression import is_small
from passerelle.core.digest_settings import NetworkSettings
from passerelle.core.ids import AssociationName, LinkName


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """A network as it is configured."""

    name: str
    title: str
    associations: tuple[AssociationName, ...]
    #: Its shared links.
    links: tuple[tuple[AssociationName, LinkName], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Of one association, or of all: how much, of a year; None: too few to be told."""

    #: "" of all together.
    association: str
    title: str
    posts: int | None
    participants: int | None
    meetings: int | None
    decisions: int | None


def build_network(settings: NetworkSettings) -> Network:
    """A configured network."""
    links = [link.partition("/") for link in settings.links]
    return Network(
        name=settings.name,
        title=settings.title,
        associations=tuple(AssociationName(name) for name in settings.associations),
        links=tuple((AssociationName(association), LinkName(link)) for association, _, link in links),
    )


def networks_with(networks: Sequence[NetworkSettings], association: str) -> tuple[Network, ...]:
    """The networks that an association is in."""
    return tuple(build_network(one) for one in networks if association in one.associations)


def suppressed(count: int) -> int | None:
    """A count as others may read it: nothing is nothing, and few are not told."""
    return None if is_small(count) else count


def total(figures: Sequence[Figures], title: str) -> Figures:
    """All of them together; what one of them does not tell is not told by the sum either."""

    def together(counts: Sequence[int | None]) -> int | None:
        told = [count for count in counts if count is not None]
        return sum(told) if len(told) == len(counts) else None

    return Figures(
        association="",
        title=title,
        posts=together([one.posts for one in figures]),
        participants=together([one.participants for one in figures]),
        meetings=together([one.meetings for one in figures]),
        decisions=together([one.decisions for one in figures]),
    )
