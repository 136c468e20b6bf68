"""The register's values: what was decided, what is to be done, what was lent; each mirrors a table of
`store/secretary_tables.py`. The moves that change them: `core.register_moves`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal

from passerelle.core.ids import AskId, AssociationName, EntryId, LinkName, MeetingId, PostId, ReminderId

#: The kinds that every register has; a configured kind (`core.secretary_settings.KindSettings`) has a name of its own.
#: `count` is a headcount for those who must account for public access (« fréquentation »).
BuiltInKind = Literal["decision", "action", "info", "question", "idea", "agenda", "loan", "booking", "count"]
#: From where something was said or done.
Medium = Literal["mail", "room", "web", "command", "clock"]
#: Whether both sides hear of an entry in the next grouped notice (PEOPLE 14); `telling`: it is made and has not left.
AnnounceState = Literal["none", "wanted", "telling", "told"]
AskKind = Literal["date", "confirm_decision", "confirm_command", "who", "fiche", "digest_item", "digest_send"]


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedPerson:
    """Somebody whom an entry names, as they were named; `person_id` where it is clear who that is."""

    name: str
    person_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntry:
    association: AssociationName
    link: LinkName
    #: A BuiltInKind, or the name of a configured kind.
    kind: str
    #: What was said behind the colon, one line.
    text: str
    state: str
    #: Of a loan or booking: the thing. Of a count: the activity. Of anything: the project tag, without its #.
    label: str = ""
    #: Of a count: how many persons.
    quantity: int | None = None
    #: The day, and where it was said the time, by which it is due, given back or begins; in the association's zone.
    due_on: date | None = None
    due_at: time | None = None
    #: Of a booking: its last day and its end.
    until_on: date | None = None
    until_at: time | None = None
    #: When its source was said (aware).
    said_at: datetime
    author_name: str = ""
    author_person_id: int | None = None
    #: For whom the author passes it on (PEOPLE 17); "" where it is the author's own word.
    said_for: str = ""
    #: The post that it was first read out of.
    post_id: PostId | None = None
    #: Of an item of an agenda, or what was noted during a meeting.
    meeting_id: MeetingId | None = None
    announce_state: AnnounceState = "none"
    created_at: datetime
    #: Keyed hash of the line or sign of the room that asked for it, where that became no post; None otherwise.
    said_key_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry(NewEntry):
    id: EntryId
    #: What members call it: « fait 12 ». Counted in each association, never reused.
    number: int
    #: When both sides had been told (aware); while they are being told, when that was made; None until then.
    told_at: datetime | None
    #: Of a decision: until when objections are awaited; None until both sides were told.
    open_until: datetime | None
    replaced_by: EntryId | None
    review_on: date | None
    #: When whoever is named was last reminded.
    reminded_at: datetime | None
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEntryChange:
    """One line of an entry's history."""

    entry_id: EntryId
    at: datetime
    #: A move of `core.register_moves`, or `noted`, `told`, `reminded`, `edited`, `carried`.
    move: str
    by_name: str = ""
    by_person_id: int | None = None
    medium: Medium = "room"
    before_state: str = ""
    after_state: str = ""
    #: In words, where there is something to say: a reason, a new date, for whom.
    detail: str = ""
    post_id: PostId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryChange(NewEntryChange):
    id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewObjection:
    entry_id: EntryId
    person_id: int | None
    #: Who objects; or for whom it was passed on.
    name: str
    passed_on_by: str = ""
    reason: str = ""
    at: datetime
    medium: Medium
    post_id: PostId | None = None
    #: Keyed hash of the line or sign of the room that asked for it, where that became no post; None otherwise.
    said_key_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection(NewObjection):
    """It stands while both are None."""

    id: int
    withdrawn_at: datetime | None
    #: By the minutes of a meeting.
    settled_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewReminder:
    association: AssociationName
    link: LinkName
    #: To whom: everyone on both sides, the room, the list, or one person.
    target: Literal["both", "room", "list", "person"]
    person_id: int | None = None
    text: str
    #: The first time, on the wall clock of `zone`.
    starts_local: datetime
    zone: str
    #: RFC 5545 RRULE without its name; "" for once.
    rrule: str = ""
    #: The next time (aware); None where it is over.
    next_at: datetime | None
    by_name: str
    by_person_id: int | None = None
    medium: Medium
    created_at: datetime
    #: Keyed hash of the line or sign of the room that asked for it, where that became no post; None otherwise.
    said_key_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reminder(NewReminder):
    id: ReminderId
    number: int
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAsk:
    """A question that was asked back, and waits for one person's answer."""

    association: AssociationName
    link: LinkName
    kind: AskKind
    person_id: int | None
    #: What it is about; for `date`: the entry and its candidates; for `confirm_command`: the command.
    about: Mapping[str, Any]
    asked_at: datetime
    #: When coordinators are asked in their place (aware).
    escalate_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask(NewAsk):
    id: AskId
    escalated_at: datetime | None
    answered_at: datetime | None
    answer: str
