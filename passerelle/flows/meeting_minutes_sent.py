"""Minutes leave: by mail to the list as text and HTML with files, in short for the room; and when a draft has left."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, MinutesVersion
from passerelle.core.minutes_model import Minutes
from passerelle.core.minutes_sheet import MinutesSheet
from passerelle.core.minutes_words import build_sheet
from passerelle.core.wording import Words
from passerelle.documents.odt import build_odt
from passerelle.documents.pdf import build_pdf
from passerelle.errors import DocumentFailure
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice, notice_message_id
from passerelle.mail.compose_types import MailFile
from passerelle.store.incidents import insert_incident
from passerelle.store.outbox import find_outbox_by_unique_key

log = logging.getLogger(__name__)

#: No document takes longer to be made.
_MAKE_SECONDS = 60
_SIDES = ("room", "list")
_ODT = "application/vnd.oasis.opendocument.text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaving:
    """A version of minutes on its way out."""

    link: Link
    meeting: Meeting
    version: MinutesVersion
    files: tuple[MailFile, ...]
    #: Until when corrections are taken (aware); None where they are not.
    corrections_until: datetime | None = None


def sheet_of(
    ctx: FlowContext, link: Link, version: MinutesVersion, *, corrections_until: datetime | None = None
) -> MinutesSheet:
    """A version of minutes in the words of the association."""
    words, web = ctx.renderer(link.association).words, ctx.settings.web
    site = web.url if web is not None else ""
    minutes = Minutes.from_json(version.document)
    return build_sheet(minutes, words=words, site=site, corrections_until=corrections_until)


def minutes_key(link: Link, meeting: Meeting, step: str, side: str) -> str:
    """The unique key of the notice in which a draft, or approved minutes, leave for a side."""
    return about_key(About(kind="meeting", ids=(meeting.id,), step=step), link.path, side)


async def tell_minutes(ctx: FlowContext, conn: AsyncConnection, leaving: Leaving, *, step: str) -> None:
    """Both sides get the minutes; who answers the mail writes to the bridge alone (PEOPLE 12).

    Args:
        step: `draft` or `approval`.
    """
    link, meeting = leaving.link, leaving.meeting
    sheet = sheet_of(ctx, link, leaving.version, corrections_until=leaving.corrections_until)
    key = minutes_key(link, meeting, step, "room")
    await insert_room_notice(
        ctx, conn, link, template="minutes_shown", unique_key=key, variables={"sheet": sheet, "name": ""}
    )
    address = MailAddress(link.mailbox.address)
    draft = notice_message_id(ctx, link, minutes_key(link, meeting, "draft", "list")) if step == "approval" else None
    await insert_list_notice(
        ctx,
        conn,
        link,
        template="minutes/minutes",
        unique_key=minutes_key(link, meeting, step, "list"),
        variables={"sheet": sheet, "reply_address": address},
        extras=NoticeExtras(
            html=True,
            files=leaving.files,
            reply_to=address,
            in_reply_to=draft,
            references=(draft,) if draft is not None else (),
            archived_at=(sheet.url,) if sheet.url else (),
        ),
    )


async def draft_left_at(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> datetime | None:
    """When the draft had left for both sides; None while it is on its way. What will never leave holds nothing up."""
    left: list[datetime] = []
    for side in _SIDES:
        row = await find_outbox_by_unique_key(conn, minutes_key(link, meeting, "draft", side))
        if row is not None and row.state in ("waiting", "sending"):
            return None
        if row is not None:
            left.append(row.sent_at or row.created_at)
    return max(left, default=ctx.now())


# ------------------------------------------------------------ files


async def files_of(ctx: FlowContext, link: Link, meeting: Meeting, version: MinutesVersion) -> tuple[MailFile, ...]:
    """The files of a version: to work on, and once it is approved to keep. One that cannot be made is left out."""
    words = ctx.renderer(link.association).words
    minutes, web, now = Minutes.from_json(version.document), ctx.settings.web, ctx.now()
    site = web.url if web is not None else ""
    folder = Path(link.association.templates) if link.association.templates is not None else None
    name = _file_name(words, meeting, minutes)
    made = [
        await _made(ctx, link, meeting, "odt", _ODT, name, lambda: build_odt(
            minutes, words, site=site, is_signed=True, made_at=now,
        ))
    ]  # fmt: skip
    if version.state == "approved":
        made.append(await _made(ctx, link, meeting, "pdf", "application/pdf", name, lambda: build_pdf(
            minutes, words, site=site, is_signed=True, folder=folder, made_at=now,
        )))  # fmt: skip
    return tuple(file for file in made if file is not None)


def _file_name(words: Words, meeting: Meeting, minutes: Minutes) -> str:
    key = "minutes_file_assembly" if minutes.kind == "assembly" else "minutes_file_meeting"
    return words(key, number=meeting.number, day=f"{meeting.starts_local:%Y-%m-%d}")


async def _made(
    ctx: FlowContext, link: Link, meeting: Meeting, form: str, media_type: str, name: str, make: Callable[[], bytes]
) -> MailFile | None:
    try:
        data = await asyncio.wait_for(asyncio.to_thread(make), _MAKE_SECONDS)
    except (DocumentFailure, TimeoutError, ValueError, OSError):
        log.exception("A file of minutes could not be made", extra={"link": link.path, "form": form})
        await _note_failure(ctx, link, meeting, form)
        return None
    return MailFile(filename=f"{name}.{form}", media_type=media_type, data=data)


async def _note_failure(ctx: FlowContext, link: Link, meeting: Meeting, form: str) -> None:
    async with ctx.store.write() as conn:
        await insert_incident(
            conn,
            link.association_name,
            link.name,
            kind="document_failed",
            key=f"document_failed:{meeting.id}:{form}",
            detail=f"{meeting.number}.{form}",
            at=ctx.now(),
        )
