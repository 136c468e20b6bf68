"""What leaves before a meeting: the call for items of the agenda, the convocation, the reminder. Each once.

Everything asks for answers, so all of it has Reply-To and a visible address of the bridge (PEOPLE 12).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.calendar_values import FeedHead, Partstat
from passerelle.core.convocation import Convocation, ConvocationFacts, build_convocation
from passerelle.core.ids import MailAddress, MessageId
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.meeting_subjects import mailto_answer
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import insert_room_notice
from passerelle.flows.list_notice import NoticeExtras, insert_list_notice, notice_message_id
from passerelle.flows.meeting_shown import agenda_of, path_of, shown_meeting, tally_of
from passerelle.mail.calendar_build import build_feed
from passerelle.mail.compose_types import MailFile
from passerelle.store.people import list_named_only

_PARTSTATS: Mapping[RsvpAnswer, Partstat] = {"yes": "ACCEPTED", "no": "DECLINED", "maybe": "TENTATIVE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """A meeting that people are called to, and the paper that goes with it."""

    link: Link
    meeting: Meeting
    convocation: Convocation
    #: The convocation as a PDF of one page; None where nobody needs it on paper.
    sheet: bytes | None = None

    @property
    def files(self) -> tuple[MailFile, ...]:
        if self.sheet is None:
            return ()
        return (MailFile(filename=f"convocation-{self.meeting.number}.pdf", media_type="application/pdf",
                         data=self.sheet),)  # fmt: skip


def _about(meeting: Meeting, step: str) -> About:
    return About(kind="meeting", ids=(meeting.id,), step=step)


def list_key(link: Link, meeting: Meeting, step: str, *more: str) -> str:
    """The unique key of what the list is told of a meeting."""
    return about_key(_about(meeting, step), link.path, *more, "list")


def room_key(link: Link, meeting: Meeting, step: str, *more: str) -> str:
    """The unique key of what the room is told of a meeting."""
    return about_key(_about(meeting, step), link.path, *more, "room")


def answer_links(ctx: FlowContext, link: Link, meeting: Meeting) -> dict[str, str]:
    """How a mail is answered by a click: `mailto:` addresses of the bridge, with a subject that names the meeting."""
    words, address = ctx.renderer(link.association).words, link.mailbox.address
    subject = words("meeting_answer_subject", number=meeting.number)
    plain = words("meeting_plain_subject", number=meeting.number)
    return {
        # Bare enough to be read, and clicked, in a mail without HTML.
        "mailto": f"mailto:{address}?subject={plain}",
        "mailto_yes": mailto_answer(address, subject, words("convocation_yes")),
        "mailto_no": mailto_answer(address, subject, words("convocation_no")),
    }


# ------------------------------------------------------------ the call


async def tell_call(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """Ask both sides for items of the agenda."""
    variables = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "bridge_address": link.mailbox.address,
        **answer_links(ctx, link, meeting),
    }
    await insert_room_notice(
        ctx, conn, link, template="meeting_call", unique_key=room_key(link, meeting, "call"), variables=variables
    )
    await insert_list_notice(
        ctx,
        conn,
        link,
        template="meeting_call",
        unique_key=list_key(link, meeting, "call"),
        variables=variables,
        extras=NoticeExtras(reply_to=MailAddress(link.mailbox.address)),
    )


# ------------------------------------------------------------ the convocation


async def convocation_of(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> Convocation:
    """The convocation in words, with its agenda and who is to be told by word of mouth (PEOPLE 17)."""
    words = ctx.renderer(link.association).words
    settings, web = link.association.meetings, ctx.settings.web
    facts = ConvocationFacts(
        meeting=meeting,
        association=link.association.title,
        agenda=[item.text for item in await agenda_of(conn, meeting)],
        by_voice=[one.name for one in await list_named_only(conn, link.association_name)],
        reply_address=link.mailbox.address,
        path=path_of(link, meeting),
        quorum=settings.quorum if meeting.kind == "assembly" else 0,
    )
    made = build_convocation(facts, words=words, site=web.url if web is not None else "")
    links = answer_links(ctx, link, meeting)
    return replace(made, mailto=links["mailto"], mailto_yes=links["mailto_yes"], mailto_no=links["mailto_no"])


def needs_sheet(convocation: Convocation) -> bool:
    """Whether the convocation goes with its sheet of paper: a proxy to cut out, or somebody to be told by voice."""
    return convocation.is_assembly or bool(convocation.by_voice)


async def tell_convocation(ctx: FlowContext, conn: AsyncConnection, called: Called, *, is_everyone: bool) -> None:
    """Call the room, and the list where there may be others than those who got a mail of their own.

    Args:
        is_everyone: each member got one (`meeting_letters`).
    """
    link, meeting = called.link, called.meeting
    variables = {"meeting": await shown_meeting(ctx, conn, link, meeting)}
    await insert_room_notice(
        ctx,
        conn,
        link,
        template="meeting_convocation",
        unique_key=room_key(link, meeting, "convocation"),
        variables=variables,
    )
    if not is_everyone:
        await _to_list(ctx, conn, called)


async def _to_list(ctx: FlowContext, conn: AsyncConnection, called: Called) -> None:
    link, meeting = called.link, called.meeting
    files = (*called.files, _file_for_calendars(ctx, link, meeting))
    await insert_list_notice(
        ctx,
        conn,
        link,
        template="meeting_convocation",
        unique_key=list_key(link, meeting, "convocation"),
        variables={"convocation": called.convocation, "has_sheet": called.sheet is not None},
        extras=NoticeExtras(html=True, files=files, reply_to=MailAddress(link.mailbox.address)),
    )


def _file_for_calendars(ctx: FlowContext, link: Link, meeting: Meeting) -> MailFile:
    """The date as a file, for whom we cannot invite: nobody is named in it, and nothing asks for an answer."""
    head = FeedHead(name=link.association.title, zone=meeting.zone)
    data = build_feed([replace(meeting, rrule="")], head=head, dtstamp=ctx.now().astimezone(UTC))
    word = ctx.renderer(link.association).words("meeting_file", number=meeting.number)
    return MailFile(filename=f"{word}.ics", media_type="text/calendar", data=data)


# ------------------------------------------------------------ the reminder


async def tell_reminder(ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting) -> None:
    """The room reads the tally, which names nobody's silence; persons are reminded by `meeting_letters`."""
    words = ctx.renderer(link.association).words
    variables = {
        "meeting": await shown_meeting(ctx, conn, link, meeting),
        "tally": await tally_of(conn, meeting.id, words, with_names=True),
    }
    key = room_key(link, meeting, "reminder", str(meeting.sequence))
    await insert_room_notice(ctx, conn, link, template="meeting_tally", unique_key=key, variables=variables)


def thread_of(ctx: FlowContext, link: Link, meeting: Meeting) -> MessageId:
    """The Message-ID of the list mail that the later ones go on from."""
    return notice_message_id(ctx, link, list_key(link, meeting, "convocation"))
