"""In which links a reader of the web takes part: what the register and meetings of a link are shown by.

Who reads a link only because its archive was opened to everyone is no member of it (PEOPLE 9).
"""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.links import Link
from passerelle.core.permissions import Actor
from passerelle.core.readership import Standing
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import find_place, reader_and_standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """Where a reader takes part, or coordinates."""

    reader: Reader
    standing: Standing
    links: frozenset[LinkName] = frozenset()

    def in_room(self, link: LinkName) -> bool:
        """Whether they are in the room of a link now."""
        return link in self.standing.rooms

    def actor(self, link: Link) -> Actor:
        """Them, as they act on a link from a page that they are signed in to."""
        return Actor(
            person_id=self.reader.person_id,
            name=self.reader.name,
            address=min(self.standing.addresses, default=None),
            user_id=min(self.standing.user_ids, default=None),
            medium="web",
            is_participant=self.standing.takes_part(link.name),
            is_coordinator=self.reader.is_coordinator,
            proof="session",
        )


async def membership_of(ctx: FlowContext, conn: AsyncConnection, reader: Reader) -> Membership:
    """Where a reader takes part at this moment; in nothing, where they are a stranger."""
    if reader.person_id is None:
        return Membership(reader=reader, standing=Standing())
    found = await find_place(ctx, conn, reader.association, reader.person_id)
    return _membership(reader, found[0] if found is not None else Standing())


async def membership_now(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int
) -> Membership:
    """Who a person is at this moment, what they may read, and where they take part: asked once."""
    reader, standing = await reader_and_standing(ctx, conn, association, person_id)
    return _membership(reader, standing)


def _membership(reader: Reader, standing: Standing) -> Membership:
    live = {shelf.link for shelf in reader.shelves if shelf.origin == "live"}
    links = frozenset(name for name in live if reader.is_coordinator or standing.takes_part(name))
    return Membership(reader=reader, standing=standing, links=links)
