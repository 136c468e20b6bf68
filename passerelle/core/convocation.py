"""A convocation in the words of a language: for the mail, the room and the sheet of paper. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from passerelle.core.meeting_model import Meeting
from passerelle.core.minutes_topics import cut
from passerelle.core.minutes_words import web_address
from passerelle.core.names import one_line, safe_name
from passerelle.core.recurrence import instant_of
from passerelle.core.wording import Words

_LONGEST_LINE = 300
_LONGEST_NOTES = 600
MOST_ITEMS = 200
MOST_NAMES = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Convocation:
    """What is empty is not shown."""

    language: str
    association: str
    #: « Convocation à l’assemblée générale », « Invitation ».
    kind: str
    title: str
    #: « Réunion du bureau, jeudi 12 novembre à 18 h 30 ».
    subject: str
    #: « jeudi 12 novembre 2026 ».
    day: str
    #: « de 18 h 30 à 20 h 30 ».
    hours: str
    is_assembly: bool
    place: str = ""
    #: Of a video conference.
    url: str = ""
    notes: str = ""
    agenda: tuple[str, ...] = ()
    #: « Il faut 12 personnes présentes ou représentées. »
    quorum: str = ""
    organizer: str = ""
    #: Who neither reads mail nor chats, and is told by word of mouth (PEOPLE 17).
    by_voice: tuple[str, ...] = ()
    #: The private address of the bridge that answers go to; "" where there is none.
    reply_address: str = ""
    #: The same as a bare `mailto:` address, to be read, and clicked, in a mail without HTML.
    mailto: str = ""
    #: `mailto:` addresses that write the answer (RFC 6068).
    mailto_yes: str = ""
    mailto_no: str = ""
    #: Where all of it can be read; "" without a web.
    page_url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvocationFacts:
    meeting: Meeting
    #: The association's title.
    association: str
    #: The items' texts.
    agenda: Sequence[str] = ()
    by_voice: Sequence[str] = ()
    reply_address: str = ""
    #: The permalink's path below the archive's root.
    path: str = ""
    #: Members who must be there or represented; 0 where none is asked for.
    quorum: int = 0


def build_convocation(facts: ConvocationFacts, *, words: Words, site: str = "") -> Convocation:
    """The convocation to a meeting, in words.

    Args:
        words: of the association; times are told in the meeting's own zone.
        site: the archive's root, before the path; "" where there is no web.

    Raises MalformedRecurrence where the meeting's zone is none.
    """
    meeting = facts.meeting
    starts_at = instant_of(meeting.starts_local, meeting.zone)
    words = replace(words, zone=ZoneInfo(meeting.zone))
    ends_at = starts_at + timedelta(minutes=meeting.duration_minutes)
    title = cut(one_line(meeting.title), _LONGEST_LINE)
    title = title[:1].upper() + title[1:]
    is_assembly = meeting.kind == "assembly"
    subject = words("convocation_subject", title=title, moment=words.moment(starts_at, weekday=True))
    return Convocation(
        language=words.language,
        association=one_line(facts.association),
        kind=words("convocation_kind_assembly" if is_assembly else "convocation_kind_meeting"),
        title=title,
        subject=subject,
        day=words.day(starts_at, weekday=True, year=True),
        hours=words("convocation_hours", start=words.clock(starts_at), end=words.clock(ends_at)),
        is_assembly=is_assembly,
        place=cut(one_line(meeting.place), _LONGEST_LINE),
        url=web_address(one_line(meeting.url)),
        notes=cut(one_line(meeting.notes), _LONGEST_NOTES),
        agenda=tuple(cut(one_line(item), _LONGEST_LINE) for item in facts.agenda[:MOST_ITEMS]),
        quorum=words.count("convocation_quorum", facts.quorum) if is_assembly and facts.quorum else "",
        organizer=safe_name(meeting.organizer_name),
        by_voice=tuple(name for name in map(safe_name, facts.by_voice[:MOST_NAMES]) if name),
        reply_address=facts.reply_address,
        mailto=f"mailto:{facts.reply_address}" if facts.reply_address else "",
        mailto_yes=_mailto(facts.reply_address, subject, words("convocation_yes")),
        mailto_no=_mailto(facts.reply_address, subject, words("convocation_no")),
        page_url=site.rstrip("/") + facts.path if site and facts.path else "",
    )


def _mailto(address: str, subject: str, body: str) -> str:
    """RFC 6068 §2: everything but unreserved characters and `@` is percent-encoded; `+` may stand in the address."""
    if not address:
        return ""
    return f"mailto:{quote(address, safe='@+')}?subject={quote(subject, safe='')}&body={quote(body, safe='')}"
