"""A meeting as one object: when and where, who comes, what was captured, its minutes. Each value mirrors a table of
`store/secretary_tables.py`. What is done when: `core.meeting_cycle`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from passerelle.core.ids import AssociationName, EntryId, LinkName, MeetingId, PostId
from passerelle.core.register_model import Medium

MeetingKind = Literal["meeting", "assembly"]
#: planned → called → convened → open → closed → drafted → approved; cancelled from any of them before open.
MeetingState = Literal["planned", "called", "convened", "open", "closed", "drafted", "approved", "cancelled"]
#: The steps of the cycle, in their order. Each is done once; `approval` is when corrections end.
Step = Literal["call", "convocation", "reminder", "draft", "approval"]
RsvpAnswer = Literal["yes", "no", "maybe"]
Presence = Literal["present", "represented", "excused", "absent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMeeting:
    association: AssociationName
    link: LinkName
    kind: MeetingKind = "meeting"
    #: iCalendar UID (RFC 5545 §3.8.4.7): ours, or the invitation's.
    uid: str
    title: str
    #: On the wall clock of `zone`, without one of its own.
    starts_local: datetime
    #: IANA name.
    zone: str
    duration_minutes: int
    place: str = ""
    url: str = ""
    notes: str = ""
    #: RRULE of the series that this is an occurrence of; "" for a single one.
    rrule: str = ""
    #: The first meeting of its series.
    series_id: MeetingId | None = None
    state: MeetingState = "planned"
    organizer_name: str = ""
    organizer_person_id: int | None = None
    #: Whose calendar it stands in: ours, whose convocation carries an invitation; or somebody else's, who sent theirs.
    source: Literal["command", "invitation"] = "command"
    post_id: PostId | None = None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Meeting(NewMeeting):
    id: MeetingId
    #: What members call it: « réunion 4 ». Counted in each association, never reused.
    number: int
    #: iCalendar SEQUENCE (RFC 5545 §3.8.7.4), raised when time or place change.
    sequence: int
    chair_name: str
    secretary_name: str
    opened_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingStep:
    meeting_id: MeetingId
    step: Step
    #: Aware.
    due_at: datetime
    done_at: datetime | None = None
    #: Why it was left out (`too_late`, `off`, `cancelled`); "" where it was done, or is to be done.
    skipped: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rsvp:
    """One person's answer; the last one counts. The reason is never kept (PEOPLE 9)."""

    meeting_id: MeetingId
    person_id: int
    name: str
    answer: RsvpAnswer
    medium: Literal["mail", "calendar", "room", "web", "word"]
    #: Who passed it on; "" where they said so themselves.
    said_by: str = ""
    #: They want no reminders of this meeting.
    quiet: bool = False
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Attendance:
    """Who was there, as the meeting itself says."""

    meeting_id: MeetingId
    name: str
    person_id: int | None = None
    presence: Presence
    #: How they took part (« par téléphone »), where it was said.
    how: str = ""
    #: Who holds their proxy (« pouvoir »); "" where they are not represented.
    represented_by: str = ""
    said_by: str = ""
    at: datetime


#: How a vote was counted: by show of hands, by reply, or by ballots that were counted at the meeting.
VoteMethod = Literal["hands", "reply", "ballot"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVote:
    """A vote as it was counted; never presented as secret (PEOPLE 16)."""

    meeting_id: MeetingId
    text: str
    in_favour: int
    against: int
    abstained: int
    method: VoteMethod = "hands"
    entry_id: EntryId | None = None
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Vote(NewVote):
    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingSpan:
    """A stretch between « !début » or « !reprise » and « !pause » or « !fin »."""

    meeting_id: MeetingId
    started_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewMinutes:
    meeting_id: MeetingId
    #: 1, 2 …: a correction makes a new one.
    version: int
    state: Literal["draft", "approved"]
    #: `core.minutes.Minutes` as JSON.
    document: Mapping[str, Any] = field(repr=False)
    #: The short permalink.
    permalink: str
    made_at: datetime
    by_name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesVersion(NewMinutes):
    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewCorrection:
    """A correction that somebody asked for: `s/ancien/nouveau/`, or plain words for the chair."""

    meeting_id: MeetingId
    by_name: str
    by_person_id: int | None = None
    text: str
    #: It changed the draft; otherwise the chair has to.
    applied: bool
    medium: Medium
    at: datetime
    post_id: PostId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction(NewCorrection):
    id: int
