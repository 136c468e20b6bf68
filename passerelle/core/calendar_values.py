"""What an iTIP message (RFC 5546) says, as the rules see it: an invitation, an answer, a cancellation. Values only.

Read by `mail.calendar`, written by `mail.calendar_build`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from passerelle.core.ids import MailAddress
from passerelle.core.meeting_model import RsvpAnswer

CalendarMethod = Literal["PUBLISH", "REQUEST", "REPLY", "ADD", "CANCEL", "REFRESH", "COUNTER", "DECLINECOUNTER"]
#: RFC 5545 §3.2.12, of those that an event takes.
Partstat = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE", "DELEGATED"]

#: Who delegated does not come; whether the other one does, the other one says.
_ANSWERS: Mapping[Partstat, RsvpAnswer] = {
    "ACCEPTED": "yes",
    "DECLINED": "no",
    "TENTATIVE": "maybe",
    "DELEGATED": "no",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarPerson:
    """ORGANIZER: who invites."""

    #: None where the calendar names no mail address.
    address: MailAddress | None = None
    #: One line, never an address; "" where there is none.
    name: str = ""
    #: Who writes on their behalf (SENT-BY).
    sent_by: MailAddress | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarAttendee:
    """ATTENDEE: who is invited, or who answers. Rooms and other resources are none."""

    address: MailAddress
    name: str = ""
    partstat: Partstat = "NEEDS-ACTION"
    #: An answer is asked for.
    rsvp: bool = False
    #: Who answers on their behalf (SENT-BY).
    sent_by: MailAddress | None = None

    @property
    def answer(self) -> RsvpAnswer | None:
        """Their answer for the tally; None where there is none yet."""
        return _ANSWERS.get(self.partstat)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangedOccurrence:
    """An occurrence of a series that is not as its rule says (RECURRENCE-ID)."""

    #: When it would have been, and when it is; on the wall clock of the message's zone.
    was_local: datetime
    starts_local: datetime | None
    duration: timedelta | None = None
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarMessage:
    """One event of an iTIP message. Texts are cut at what a meeting needs."""

    #: PUBLISH where it has none.
    method: CalendarMethod = "PUBLISH"
    #: "" where it has none, which only PUBLISH and REQUEST may.
    uid: str = ""
    sequence: int = 0
    #: The occurrence of a series that this is about; on the wall clock of `zone`.
    recurrence_id: datetime | None = None
    summary: str = ""
    #: On the wall clock of `zone`, naive. None only in what answers, cancels or asks again. Of a COUNTER: the time that
    #: is proposed in the place of ours.
    starts_local: datetime | None = None
    #: IANA name; "" for a time that is the same on every clock (floating), such as that of a day.
    zone: str = ""
    #: False where the calendar's own zone could not be made out and another was taken: somebody should look.
    zone_is_sure: bool = True
    all_day: bool = False
    #: None where it does not say.
    duration: timedelta | None = None
    location: str = ""
    #: Where to take part from afar, or to read more; http or https.
    url: str = ""
    #: Its first lines; never of a REPLY.
    description: str = field(default="", repr=False)
    #: RRULE without its name, one that `core.recurrence_rule.parse_rrule` takes; "" for a single one.
    rrule: str = ""
    #: Occurrences left out; on the wall clock of `zone`.
    exdates: tuple[datetime, ...] = ()
    changed: tuple[ChangedOccurrence, ...] = ()
    #: None where it has none: Outlook.com answers without (nextcloud/server#53949).
    organizer: CalendarPerson | None = field(default=None, repr=False)
    attendees: tuple[CalendarAttendee, ...] = field(default=(), repr=False)
    #: What was said with it; never of a REPLY: an answer is kept, its reason is not.
    comment: str = field(default="", repr=False)
    #: Aware, UTC: when it was written.
    dtstamp: datetime | None = None
    #: METHOD:CANCEL, or STATUS:CANCELLED.
    cancelled: bool = False
    #: Events with other UIDs beside it: many make it a calendar, and no invitation.
    others: int = 0
    #: What was wrong with it, in English and without its content.
    defects: tuple[str, ...] = ()


def find_reply(message: CalendarMessage, authors: Iterable[MailAddress] = ()) -> CalendarAttendee | None:
    """Whose answer a REPLY or a COUNTER is; None where that is not clear, or where it is another message.

    Usually it names one ATTENDEE (RFC 5546 §3.2.3). Where it names all, the answer is that of the mail's author.

    Args:
        authors: addresses of who sent the mail, in any case.
    """
    if message.method not in ("REPLY", "COUNTER"):
        return None
    if len(message.attendees) == 1:
        return message.attendees[0]
    known = {address.lower() for address in authors}
    mine = [one for one in message.attendees if known & {one.address.lower(), (one.sent_by or "").lower()}]
    return mine[0] if len(mine) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarDay:
    """A date that is no meeting, in a feed: what is due, given back or booked."""

    #: Stable, and one among all.
    uid: str
    summary: str
    day: date
    #: Its last day; None for one day.
    until: date | None = None
    description: str = field(default="", repr=False)
    url: str = ""
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedHead:
    """What a calendar to subscribe to is called."""

    name: str
    description: str = ""
    #: IANA name of the association's.
    zone: str
    #: How often programs should look for changes.
    refresh_minutes: int = 60
