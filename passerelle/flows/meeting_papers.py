"""What brings the minutes of a meeting that was not held in the room: a mail that answers its convocation, names it, or
begins with « compte rendu »; typed or dictated, with a file or a photo of paper."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.links import Link
from passerelle.core.meeting_cycle import TO_COME
from passerelle.core.meeting_model import Meeting, MeetingState
from passerelle.core.meeting_subjects import meeting_named
from passerelle.flows.confirm_act import LONGEST_WORDS
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_capture import close_meeting
from passerelle.flows.meeting_meant import meeting_answered
from passerelle.flows.meeting_shown import starts_at
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_notes import notes_of
from passerelle.flows.said import Heard, Said
from passerelle.store.meetings import find_meeting_by_number, get_meeting, list_past_meetings

#: How long after a meeting its minutes are awaited.
AWAITED = timedelta(days=60)
#: States of a meeting whose minutes may still be brought.
_AWAITING: Sequence[MeetingState] = (*sorted(TO_COME), "closed", "drafted")
#: Not of what answers one: « Re: CR de jeudi » may be said of any of them.
_MINUTES = re.compile(
    r"(?:(?:tr|fwd?) ?: ?){0,3}(?:comptes?[ -]?rendus?|cr|pv|proces[ -]?verbal|releve de decisions|minutes)\b"
)
_LONGEST_SUBJECT = 300


async def meeting_brought(ctx: FlowContext, conn: AsyncConnection, said: Said) -> Meeting | None:
    """The meeting whose minutes a mail or line brings; None where it brings none. It is over from then on."""
    meeting = await find_brought(ctx, conn, said)
    if meeting is not None and meeting.state in TO_COME:
        await close_meeting(ctx, conn, said.link, meeting, at=_ended_at(meeting, said.said_at))
        return await get_meeting(conn, meeting.id)
    return meeting


async def find_brought(ctx: FlowContext, conn: AsyncConnection, heard: Heard) -> Meeting | None:
    """The same, and nothing is changed."""
    meeting = await _meant(ctx, conn, heard)
    if meeting is None or meeting.state not in _AWAITING or starts_at(meeting) > min(heard.said_at, ctx.now()):
        return None
    return meeting


def subject_of(heard: Heard) -> str:
    """The subject of a mail, without the list's prefix; of a line of the room its first line."""
    if heard.email is None:
        return heard.text.strip().partition("\n")[0]
    return heard.email.subject.replace(heard.link.settings.mailing_list.subject_prefix or "", "", 1).strip()


def brings_minutes(subject: str) -> bool:
    """Whether a subject says that a mail is minutes: « CR de jeudi », « Compte-rendu »; who asks for them has none."""
    folded = " ".join(fold(subject[:_LONGEST_SUBJECT]).split())
    return _MINUTES.match(folded) is not None and not folded.endswith("?")


async def _meant(ctx: FlowContext, conn: AsyncConnection, heard: Heard) -> Meeting | None:
    answered = await meeting_answered(conn, heard)
    if answered is not None:
        # « Désolé, j'ai oublié » answers the convocation, too.
        return answered if _says_something(heard) else None
    subject = subject_of(heard)
    is_minutes, number = brings_minutes(subject), meeting_named(subject)
    if not is_minutes and (number is None or heard.email is None):
        return None
    if not (is_minutes and heard.email is not None) and not _says_something(heard):
        return None
    if number is not None:
        found = await find_meeting_by_number(conn, heard.link.association_name, number)
        return found if found is not None and found.link == heard.link.name else None
    return await last_meeting(ctx, conn, heard.link, heard.said_at) if brings_minutes(subject) else None


def _says_something(heard: Heard) -> bool:
    """Lines of the grammar, or a file."""
    return bool(notes_of(heard)) or (heard.email is not None and bool(heard.email.attachments))


async def last_meeting(ctx: FlowContext, conn: AsyncConnection, link: Link, at: datetime) -> Meeting | None:
    """The meeting that was held last before an instant (aware) and whose minutes are awaited."""
    local = min(at, ctx.now()).astimezone(link.zone).replace(tzinfo=None)
    past = await list_past_meetings(
        conn,
        link.association_name,
        before_local=local + timedelta(days=1),
        links=[link.name],
        states=_AWAITING,
        limit=20,
    )
    return next((one for one in past if at - AWAITED <= starts_at(one) <= at), None)


def _ended_at(meeting: Meeting, said_at: datetime) -> datetime:
    return min(starts_at(meeting) + timedelta(minutes=meeting.duration_minutes), said_at)


def too_long_for_yes(ctx: FlowContext, said: Said, refused: Outcome) -> Outcome:
    """What is told of minutes that nothing proves, and that are too long for a « oui »: the list knows its members."""
    if refused.reason != "confirm" or said.about is None or len(said.text) <= LONGEST_WORDS:
        return refused
    words = ctx.renderer(said.link.association).words
    return sentence("paper_to_list", words("paper_to_list", address=said.link.list_address), is_private=True)
