"""Who reads the archive, asked anew at each request: who left since the last one reads no more."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, LinkName, RoomId, UserId
from passerelle.core.links import Link
from passerelle.core.readership import Opening, Standing, coordinates, public_shelves, shelves_of
from passerelle.core.settings import AssociationSettings
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.store.people import leave_participant
from passerelle.store.readers import find_person_of, find_standing, list_openings, list_shared
from passerelle.store.sessions import end_reader, list_persons_signed_in


def association_of(ctx: FlowContext, association: AssociationName) -> AssociationSettings | None:
    """The settings of an association; None where there is none of this name."""
    return ctx.links.association(association)


async def stranger(ctx: FlowContext, conn: AsyncConnection, association: AssociationName) -> Reader:
    """Whoever it is: reads what was opened to everyone, mostly nothing."""
    settings = association_of(ctx, association)
    if settings is None or not _opens_something(settings):
        return Reader(association=association, person_id=None)
    shelves = public_shelves(settings, await list_openings(conn, association), ctx.now())
    return Reader(association=association, person_id=None, shelves=shelves)


def _opens_something(settings: AssociationSettings) -> bool:
    return any("public" in (link.archive.visibility, link.archive.past) for link in settings.links)


async def reader_of(ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int) -> Reader:
    """What a person may read now; a stranger, without `person_id`, where they neither take part nor coordinate."""
    return (await reader_and_standing(ctx, conn, association, person_id))[0]


async def reader_and_standing(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int
) -> tuple[Reader, Standing]:
    """As `reader_of`, and their place in the association's links: in none, where they are a stranger."""
    settings = association_of(ctx, association)
    found = await find_place(ctx, conn, association, person_id)
    if settings is None or found is None:
        return await stranger(ctx, conn, association), Standing()
    standing, openings, is_coordinator = found
    if not is_coordinator and not any(standing.takes_part(LinkName(link.name)) for link in settings.links):
        return await stranger(ctx, conn, association), Standing()
    shelves = shelves_of(
        settings,
        standing,
        openings,
        now=ctx.now(),
        is_coordinator=is_coordinator,
    )
    reader = Reader(
        association=association,
        person_id=person_id,
        name=standing.name,
        shelves=shelves,
        is_coordinator=is_coordinator,
    )
    return reader, standing


async def find_place(
    ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int
) -> tuple[Standing, list[Opening], bool] | None:
    """A person's place in an association, what was opened there, and whether they are one of its coordinators; None
    where the association has no such person."""
    settings = association_of(ctx, association)
    if settings is None:
        return None
    found = await find_standing(
        conn,
        association,
        person_id,
        links=[LinkName(link.name) for link in settings.links],
        rooms={room: link.name for link, room in _rooms_of(ctx, association)},
    )
    if found is None:
        return None
    standing, openings = found
    return standing, openings, await _is_coordinator(conn, settings, person_id, standing)


def _rooms_of(ctx: FlowContext, association: AssociationName) -> Iterable[tuple[Link, RoomId]]:
    for link in ctx.links.of(association):
        room_id = ctx.links.room_of(link)
        if room_id is not None:
            yield link, room_id


async def _is_coordinator(
    conn: AsyncConnection, settings: AssociationSettings, person_id: int, standing: Standing
) -> bool:
    if not any(coordinates(c, standing, shared=frozenset()) for c in settings.coordinators):
        return False
    shared = await list_shared(conn, AssociationName(settings.name), person_id, standing.addresses)
    return any(coordinates(c, standing, shared=shared) for c in settings.coordinators)


async def end_who_left(ctx: FlowContext, conn: AsyncConnection, association: AssociationName) -> int:
    """End sessions, links and feed keys of those who take part nowhere any more; how many persons that were."""
    signed_in = await list_persons_signed_in(conn, association)
    return sum([await end_if_left(ctx, conn, association, person_id) for person_id in signed_in])


async def note_left_room(ctx: FlowContext, conn: AsyncConnection, link: Link, user_id: UserId) -> None:
    """Someone left a link's room, or was put out of it: in this very transaction they stop reading what it gave."""
    person_id = await find_person_of(conn, link.association_name, user_id)
    if person_id is None:
        return
    await leave_participant(conn, link.association_name, link.name, person_id, "room", ctx.now())
    await end_if_left(ctx, conn, link.association_name, person_id)


async def end_if_left(ctx: FlowContext, conn: AsyncConnection, association: AssociationName, person_id: int) -> bool:
    """End all that lets a person in, where nothing is left that they take part in; whether that was so."""
    if (await reader_of(ctx, conn, association, person_id)).person_id is not None:
        return False
    await end_reader(conn, person_id, ctx.now())
    return True
