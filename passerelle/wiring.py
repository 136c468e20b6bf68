"""Building what flows are given from a checked configuration; for the daemon, and for commands beside it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from passerelle.core.ids import RoomId
from passerelle.core.links import Links
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.context import FlowContext, Restored
from passerelle.render import Renderer
from passerelle.store.direct_rooms import list_direct_rooms
from passerelle.store.engine import Store
from passerelle.store.links import list_link_states


def utc_now() -> datetime:
    return datetime.now(UTC)


def renderer_for(association: AssociationSettings) -> Renderer:
    """The templates of an association, its own folder searched first. Raises ConfigError."""
    folder = Path(association.templates) if association.templates else None
    return Renderer(folder, association.language, association.zone())


def build_context(
    settings: Settings, store: Store, *, upload_limit_bytes: Callable[[], int], restored: Restored | None = None
) -> FlowContext:
    """The context of all flows. Raises ConfigError where an association's templates cannot be used."""

    renderers: dict[tuple[str | None, str, str], Renderer] = {}

    def renderer_of(association: AssociationSettings) -> Renderer:
        # Thousands of associations of one host speak alike: their templates are compiled once.
        key = association.templates, association.language, association.timezone
        if key not in renderers:
            renderers[key] = renderer_for(association)
        return renderers[key]

    return FlowContext(
        store=store,
        settings=settings,
        links=Links(settings),
        renderer=renderer_of,
        upload_limit_bytes=upload_limit_bytes,
        now=utc_now,
        restored=restored,
    )


async def resolve_known_rooms(ctx: FlowContext) -> None:
    """Let aliases be the rooms that they were found to be, and know the rooms of the bridge and one person."""
    async with ctx.store.read() as conn:
        states = await list_link_states(conn)
        for room_id, user_id in (await list_direct_rooms(conn)).items():
            ctx.links.add_direct_room(room_id, user_id)
    for state in states:
        link = ctx.links.find(f"{state.association}/{state.link}")
        if link is not None and state.room_id:
            ctx.links.set_room(link, RoomId(state.room_id))
