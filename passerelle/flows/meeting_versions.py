"""Versions of a meeting's minutes: made of the store, corrected, made once more; each is kept, the newest counts."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MinutesVersion, NewMinutes
from passerelle.core.minutes import apply_correction, build_minutes
from passerelle.core.minutes_model import Minutes
from passerelle.core.replacements import parse_replacement
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_facts import gather_facts, minutes_name
from passerelle.store.meeting_minutes import insert_minutes, list_corrections, newest_minutes
from passerelle.store.meetings import get_meeting


async def build_next(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, newest: MinutesVersion | None
) -> Minutes:
    """The minutes that the store makes now, as a draft; `newest` is the version that they follow."""
    facts = await gather_facts(ctx, conn, link, meeting, newest)
    return build_minutes(facts, words=ctx.renderer(link.association).words)


def says_nothing(minutes: Minutes) -> bool:
    """Whether nothing was noted and nothing said: there is nothing to read in such minutes."""
    entries = (minutes.decisions, minutes.actions, minutes.loans, minutes.counts, minutes.infos, minutes.questions,
               minutes.ideas, minutes.others)  # fmt: skip
    presence = minutes.presence
    people = presence.is_noted or presence.absent or presence.excused_count
    return not (any(entries) or people or minutes.votes or minutes.topics or minutes.source)


async def store_version(
    ctx: FlowContext, conn: AsyncConnection, meeting: Meeting, minutes: Minutes, *, by: str = ""
) -> MinutesVersion | None:
    """Store a version; None where somebody else made it meanwhile."""
    new = NewMinutes(
        meeting_id=meeting.id,
        version=minutes.version,
        state=minutes.state,
        document=minutes.to_json(),
        permalink=minutes.path.rpartition("/")[2] or minutes_name(meeting),
        made_at=ctx.now(),
        by_name=by,
    )
    return await newest_minutes(conn, meeting.id) if await insert_minutes(conn, new) is not None else None


async def change_draft(
    ctx: FlowContext, conn: AsyncConnection, meeting: Meeting, change: Callable[[Minutes], Minutes | None], *, by: str
) -> MinutesVersion | None:
    """The next version of a draft; None where there is no draft, or `change` gives none."""
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or newest.state != "draft":
        return None
    changed = change(Minutes.from_json(newest.document))
    return await store_version(ctx, conn, meeting, changed, by=by) if changed is not None else None


async def redraft(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, *, by: str
) -> MinutesVersion | None:
    """A draft made once more, with what was noted since; what was corrected in it stays corrected."""
    newest = await newest_minutes(conn, meeting.id)
    if newest is None or newest.state != "draft":
        return None
    made = await build_next(ctx, conn, link, await get_meeting(conn, meeting.id), newest)
    for correction in await list_corrections(conn, meeting.id):
        replacement = parse_replacement(correction.text) if correction.applied else None
        corrected = apply_correction(made, replacement.old, replacement.new) if replacement is not None else None
        made = replace(corrected, version=made.version) if corrected is not None else made
    return await store_version(ctx, conn, meeting, made, by=by)
