"""Who may read a fiche, and what of it: decided each time anew, by who takes part and who agrees at that moment."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.fiche import Audience, Content, Fiche, consents_for, who
from passerelle.core.ids import AssociationName
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import find_place
from passerelle.store.consents import list_consenting, list_given


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenFiche:
    """A fiche as a reader sees it."""

    fiche: Fiche
    content: Content
    #: First names of who agreed.
    who: tuple[str, ...]
    #: Who agrees: persons' ids.
    agreed: frozenset[int]
    #: Its authors and the coordinators see what is not agreed to as well: they are to know what is asked for.
    as_author: bool = False


async def is_author(
    ctx: FlowContext, conn: AsyncConnection, fiche: Fiche, person_id: int | None, *, is_coordinator: bool
) -> bool:
    """Who completes a fiche, and reads its draft: who made it, who is quoted in it, coordinators.

    Whoever left the link that it was made in reads others' words there no more.
    """
    if is_coordinator:
        return True
    if person_id is None or (person_id != fiche.made_by_person_id and person_id not in fiche.content.authors()):
        return False
    place = await find_place(ctx, conn, fiche.association, person_id)
    return place is not None and place[0].takes_part(fiche.link)


async def agreed_to(conn: AsyncConnection, fiche: Fiche, audience: Audience) -> frozenset[int]:
    """Who agrees now that this audience reads their words in it: persons' ids."""
    found = [await list_consenting(conn, fiche.association, what) for what in consents_for(fiche.id, audience)]
    return frozenset().union(*found)


async def seen_by_readers(conn: AsyncConnection, fiche: Fiche, audience: Audience) -> SeenFiche | None:
    """A published fiche as members of its association, or of the network, read it; None where they may not."""
    return next(iter(await list_seen_by_readers(conn, [fiche], audience)), None)


async def list_seen_by_readers(conn: AsyncConnection, fiches: Collection[Fiche], audience: Audience) -> list[SeenFiche]:
    """The same of several, in their order: those that these readers may read. Who agrees is asked once for all."""
    readable = [one for one in fiches if _is_published(one, audience)]
    given = await list_given(conn, {one.association for one in readable})
    return [_seen(one, audience, given) for one in readable]


def _is_published(fiche: Fiche, audience: Audience) -> bool:
    return fiche.state == "published" and (audience == "association" or fiche.audience == "network")


def _seen(fiche: Fiche, audience: Audience, given: Mapping[tuple[AssociationName, str], frozenset[int]]) -> SeenFiche:
    wanted = [(fiche.association, what) for what in consents_for(fiche.id, audience)]
    agreed = frozenset[int]().union(*(given.get(key, frozenset()) for key in wanted))
    content = fiche.content.seen_by(agreed)
    return SeenFiche(fiche=fiche, content=content, who=who(content, agreed), agreed=agreed)


async def seen_by_author(conn: AsyncConnection, fiche: Fiche) -> SeenFiche:
    """A fiche as its authors see it: whole."""
    agreed = await agreed_to(conn, fiche, "association")
    return SeenFiche(fiche=fiche, content=fiche.content, who=who(fiche.content, agreed), agreed=agreed, as_author=True)


async def seen_by(
    ctx: FlowContext, conn: AsyncConnection, fiche: Fiche, person_id: int | None, *, is_coordinator: bool
) -> SeenFiche | None:
    """A fiche as a member of its association sees it; None where they may not: a draft is its authors'."""
    published = await seen_by_readers(conn, fiche, "association")
    if published is not None:
        return published
    is_theirs = await is_author(ctx, conn, fiche, person_id, is_coordinator=is_coordinator)
    return await seen_by_author(conn, fiche) if is_theirs else None
