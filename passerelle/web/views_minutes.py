"""Minutes: the newest version at a permanent address, and on paper."""

from datetime import datetime

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MeetingId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MinutesVersion
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_words import build_sheet
from passerelle.errors import StoreError
from passerelle.flows.paper import PaperForm, minutes_on_paper
from passerelle.store.meeting_minutes import find_minutes_by_permalink
from passerelle.store.meeting_steps import list_steps
from passerelle.store.meetings import find_meeting
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import nothing_here
from passerelle.web.lists import association_name
from passerelle.web.members import link_of, member
from passerelle.web.pages import absolute, page, paths_of, words_of
from passerelle.web.views_meetings import paper

_TYPES: dict[PaperForm, str] = {"odt": "application/vnd.oasis.opendocument.text", "pdf": "application/pdf"}


async def minutes(request: web.Request) -> web.StreamResponse:
    """The minutes as they stand now; a draft says until when it may be corrected."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    async with ctx.store.read() as conn:
        found, meeting, _ = await _readable(request, conn)
        until = await _corrections_until(conn, meeting.id) if found.state == "draft" else None
    settings = ctx.settings.web
    sheet = build_sheet(
        _document(found), words=words, site=settings.url if settings is not None else "", corrections_until=until
    )
    short = request.match_info["short"]
    return page(
        request,
        "minutes",
        here="meetings",
        sheet=sheet,
        meeting=meeting.number,
        short=short,
        permanent=absolute(request, paths.minutes(short)),
    )


async def minutes_odt(request: web.Request) -> web.StreamResponse:
    """The minutes as an OpenDocument text."""
    return await _on_paper(request, "odt")


async def minutes_pdf(request: web.Request) -> web.StreamResponse:
    """The minutes as a PDF."""
    return await _on_paper(request, "pdf")


async def _on_paper(request: web.Request, form: PaperForm) -> web.Response:
    ctx = request.app[CONTEXT]
    async with ctx.store.read() as conn:
        found, meeting, link = await _readable(request, conn)
    data = await minutes_on_paper(ctx, link, _document(found), form)
    name = words_of(request)("web_file_minutes")
    return paper(data, f"{name}-{meeting.starts_local:%Y-%m-%d}.{form}", _TYPES[form])


async def _readable(request: web.Request, conn: AsyncConnection) -> tuple[MinutesVersion, Meeting, Link]:
    """The newest minutes of the address, where this reader takes part. Raises `nothing_here`."""
    me = await member(request, conn)
    found = await find_minutes_by_permalink(conn, association_name(request), request.match_info["short"])
    meeting = await find_meeting(conn, found.meeting_id) if found is not None else None
    if found is None or meeting is None or meeting.link not in me.links:
        raise nothing_here(request)
    return found, meeting, link_of(request, meeting.link)


def _document(found: MinutesVersion) -> Minutes:
    """What stands in them. Raises StoreError where that cannot be read."""
    try:
        return Minutes.from_json(found.document)
    except ValueError as error:
        raise StoreError(f"The minutes {found.id} cannot be read.") from error


async def _corrections_until(conn: AsyncConnection, id: MeetingId) -> datetime | None:
    """Until when corrections are taken; None where that is not set."""
    steps = await list_steps(conn, id)
    return next((step.due_at for step in steps if step.step == "approval" and not step.skipped), None)
