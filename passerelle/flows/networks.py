"""What the associations of a network share: dates of a shared link, fiches, figures; and nothing that one of them said.

Each reader comes in by their own association's door; a network shows them what it shares, whichever of its associations
that is of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.networks import Figures, Network, networks_with, suppressed, total
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_read import SeenFiche, list_seen_by_readers
from passerelle.flows.meeting_shown import moment_of, starts_at, titled
from passerelle.flows.readers import association_of
from passerelle.store.fiches import list_shared_fiches
from passerelle.store.meetings import list_meetings
from passerelle.store.networks import count_association

#: Of which time figures tell.
A_YEAR = timedelta(days=365)
_MOST = 60
#: A meeting stands on its own clock, which may be a day ahead or behind.
_A_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedDate:
    """A meeting of a shared link."""

    network: str
    network_title: str
    association: AssociationName
    link: LinkName
    number: int
    title: str
    #: Aware.
    starts_at: datetime
    #: « jeudi 12 novembre à 18 h 30 », on its own clock, in the reader's language.
    when: str
    place: str
    url: str
    is_assembly: bool


def networks_of(ctx: FlowContext, association: AssociationName) -> tuple[Network, ...]:
    """The networks that an association is in."""
    return networks_with(ctx.settings.networks, association)


def find_network(ctx: FlowContext, association: AssociationName, name: str) -> Network | None:
    """The network of that name, where the association is in it."""
    return next((one for one in networks_of(ctx, association) if one.name == name), None)


async def list_shared_dates(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, *, since: datetime, until: datetime
) -> list[SharedDate]:
    """The meetings of all shared links of the networks of an association that begin from `since` on and before `until`
    (aware) and were not called off, the first first; each once. Those of its own links are among them.
    """
    found: dict[tuple[str, int], SharedDate] = {}
    for network in networks_of(ctx, association):
        for one in await dates_of(ctx, conn, association, network, since=since, until=until):
            found.setdefault((one.association, one.number), one)
    return sorted(found.values(), key=lambda one: (one.starts_at, one.association, one.number))


async def dates_of(
    ctx: FlowContext,
    conn: AsyncConnection,
    association: AssociationName,
    network: Network,
    *,
    since: datetime,
    until: datetime,
) -> list[SharedDate]:
    """The dates of one network, as members of `association` read them."""
    settings = association_of(ctx, association)
    if settings is None or association not in network.associations:
        return []
    words = ctx.renderer(settings).words
    dates = []
    for owner, link in network.links:
        meetings = await list_meetings(
            conn, owner, links=[link], states=[*sorted(TO_COME), "open"], limit=_MOST,
            since_local=(since - _A_DAY).replace(tzinfo=None), until_local=(until + _A_DAY).replace(tzinfo=None),
        )  # fmt: skip
        dates += [
            SharedDate(
                network=network.name, network_title=network.title, association=owner, link=link, number=one.number,
                title=titled(one, words), starts_at=starts_at(one), when=moment_of(one, words), place=one.place,
                url=one.url, is_assembly=one.kind == "assembly",
            )
            for one in meetings
            if since <= starts_at(one) < until
        ]  # fmt: skip
    return sorted(dates, key=lambda one: (one.starts_at, one.association, one.number))


async def list_network_fiches(conn: AsyncConnection, network: Network) -> list[SeenFiche]:
    """The fiches that its associations published to it, each with what is agreed to for that."""
    return await list_seen_by_readers(conn, await list_shared_fiches(conn, network.associations), "network")


async def count_network(
    ctx: FlowContext, conn: AsyncConnection, network: Network, title: str
) -> tuple[Sequence[Figures], Figures]:
    """Figures of each association of a network in the past year, and of all; few are not told.

    Args:
        title: what all together are called.
    """
    since, figures = ctx.now() - A_YEAR, []
    for name in network.associations:
        settings = association_of(ctx, name)
        if settings is None:
            continue
        counted = await count_association(conn, name, [LinkName(link.name) for link in settings.links], since)
        figures.append(
            Figures(
                association=name,
                title=settings.title,
                posts=suppressed(counted.posts),
                participants=suppressed(counted.participants),
                meetings=suppressed(counted.meetings),
                decisions=suppressed(counted.decisions),
            )
        )
    return figures, total(figures, title)
