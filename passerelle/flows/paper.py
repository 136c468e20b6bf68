"""Minutes, convocations and the one page on paper, made in a thread: the bridge goes on relaying meanwhile."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.core.minutes_model import Minutes
from passerelle.core.one_page import OnePage
from passerelle.core.one_page_sheet import build_sheet
from passerelle.documents.convocation import build_convocation_pdf
from passerelle.documents.odt import build_odt
from passerelle.documents.one_page import build_page_pdf
from passerelle.documents.pdf import build_pdf
from passerelle.errors import DocumentFailure
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_notices import convocation_of

PaperForm = Literal["odt", "pdf"]
#: No paper takes longer to make.
_SECONDS = 30


async def minutes_on_paper(ctx: FlowContext, link: Link, minutes: Minutes, form: PaperForm) -> bytes:
    """Minutes as a file to keep. Raises DocumentFailure where it cannot be made, or not in time."""
    words, web = ctx.renderer(link.association).words, ctx.settings.web
    site = web.url if web is not None else ""
    if form == "odt":
        return await _made(lambda: build_odt(minutes, words, site=site))
    return await _made(lambda: build_pdf(minutes, words, site=site, folder=_folder(link)))


async def convocation_on_paper(ctx: FlowContext, link: Link, meeting: Meeting) -> bytes:
    """The convocation on one sheet. Raises DocumentFailure as above."""
    words = ctx.renderer(link.association).words
    async with ctx.store.read() as conn:
        convocation = await convocation_of(ctx, conn, link, meeting)
    return await _made(lambda: build_convocation_pdf(convocation, words, made_at=ctx.now(), folder=_folder(link)))


async def page_on_paper(ctx: FlowContext, link: Link, page: OnePage) -> bytes:
    """The one page on one sheet, for the notice board. Raises DocumentFailure as above.

    Args:
        link: any of the association.
    """
    words = ctx.renderer(link.association).words
    sheet = build_sheet(page, words)
    return await _made(lambda: build_page_pdf(sheet, words, made_at=ctx.now(), folder=_folder(link)))


def _folder(link: Link) -> Path | None:
    return Path(link.association.templates) if link.association.templates is not None else None


async def _made(make: Callable[[], bytes]) -> bytes:
    try:
        return await asyncio.wait_for(asyncio.to_thread(make), _SECONDS)
    except TimeoutError as error:
        raise DocumentFailure("it took too long") from error
