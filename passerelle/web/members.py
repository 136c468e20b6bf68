"""Pages of the register and of meetings: for who takes part, and for nobody else, whatever else is open here."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName
from passerelle.core.links import Link
from passerelle.flows.membership import Membership, membership_of
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, is_signed_in, nothing_here
from passerelle.web.lists import configured


async def member(request: web.Request, conn: AsyncConnection) -> Membership:
    """Where the reader takes part. Raises `nothing_here` for a stranger, and for who takes part nowhere."""
    if not is_signed_in(request) and "key" not in request.match_info:
        raise nothing_here(request)
    found = await membership_of(request.app[CONTEXT], conn, request[READER])
    if not found.links:
        raise nothing_here(request)
    return found


def link_of(request: web.Request, name: LinkName) -> Link:
    """The configured link of that name. Raises `nothing_here`."""
    found = configured(request, name)
    if found is None:
        raise nothing_here(request)
    return found


def any_link(request: web.Request) -> Link:
    """A link of the association, for what all of them have in common: its words, its zone, its kinds."""
    return link_of(request, LinkName(request[ASSOCIATION].links[0].name))


def number_of(request: web.Request) -> int:
    """The number in the address of an entry or a meeting."""
    return int(request.match_info["number"])
