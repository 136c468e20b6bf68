"""The minutes of a meeting as a value: what is stored, corrected, approved, and shown in every form. Pure.

It holds no words of ours but what members said and how they are called; `core.minutes_words` says it in a language. It
is stored as JSON (`store.secretary_tables.minutes`), so fields are only ever added, each with a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from passerelle.core.meeting_model import Attendance, Meeting, MeetingKind, MeetingSpan, Rsvp, Vote, VoteMethod
from passerelle.core.register_model import Entry, NamedPerson, Objection
from passerelle.core.secretary_settings import KindSettings

#: The form of the stored JSON. A reader takes what it knows, and leaves what it does not.
SCHEMA = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Attendee:
    """Somebody who was there, or is excused, or absent."""

    name: str
    #: How they took part (« par téléphone »).
    how: str = ""
    #: Who passed it on (PEOPLE 17); "" where they said so themselves, or the meeting noted it.
    said_by: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy (« pouvoir »)."""

    giver: str
    holder: str
    #: Why it counts as none; "" where it counts.
    void: Literal["", "holder_absent", "too_many"] = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """Who was there, as the meeting says; nobody stands in it because of their silence (PEOPLE 9).

    The counts stay where the names are left out.
    """

    present: tuple[Attendee, ...] = ()
    represented: tuple[Proxy, ...] = ()
    void_proxies: tuple[Proxy, ...] = ()
    excused: tuple[Attendee, ...] = ()
    absent: tuple[Attendee, ...] = ()
    #: Who spoke in the room during the meeting without being noted as present.
    spoke: tuple[str, ...] = ()
    present_count: int = 0
    represented_count: int = 0
    excused_count: int = 0
    absent_count: int = 0
    #: The meeting said who was there, or represented.
    is_noted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Quorum:
    """Whether enough members were there; `is_known` is false where nobody noted who was."""

    needed: int
    counted: int
    is_known: bool
    is_reached: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesVote:
    """A vote as it was counted."""

    text: str = ""
    in_favour: int = 0
    against: int = 0
    abstained: int = 0
    method: VoteMethod = "hands"


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesObjection:
    name: str
    passed_on_by: str = ""
    reason: str = ""
    state: Literal["standing", "withdrawn", "settled"] = "standing"


@dataclass(frozen=True, kw_only=True, slots=True)
class MinutesEntry:
    """An entry of the register, as these minutes knew it."""

    kind: str
    #: What members call it: « fait 12 ».
    number: int
    text: str
    state: str = ""
    #: Whom it names: who does it, who has it.
    names: tuple[str, ...] = ()
    label: str = ""
    quantity: int | None = None
    due_on: date | None = None
    due_at: time | None = None
    until_on: date | None = None
    until_at: time | None = None
    #: Of a decision: until when objections are awaited (aware).
    open_until: datetime | None = None
    review_on: date | None = None
    author: str = ""
    #: For whom the author passed it on (PEOPLE 17).
    said_for: str = ""
    objections: tuple[MinutesObjection, ...] = ()
    votes: tuple[MinutesVote, ...] = ()
    #: The permalink's path below the archive's root; "" without one.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherKind:
    """Entries of a configured kind."""

    title: str
    entries: tuple[MinutesEntry, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgendaItem:
    text: str
    #: `wanted` where nobody can say whether it was dealt with.
    state: Literal["treated", "carried", "wanted"] = "wanted"
    number: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Excerpt:
    """The beginning of what somebody said, on one line."""

    author: str
    #: Aware.
    said_at: datetime
    text: str
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What was said under one item."""

    #: "" for what was said before there was one.
    title: str = ""
    #: How many posts there were.
    said_count: int = 0
    excerpts: tuple[Excerpt, ...] = ()
    #: Where it begins.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftCorrection:
    """A correction that the draft could not take by itself."""

    by: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """The mail that the minutes were read out of."""

    author: str
    said_at: datetime
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NextMeeting:
    title: str
    starts_at: datetime
    place: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Minutes:
    association: str
    title: str
    #: What members call the meeting: « réunion 4 ».
    number: int
    #: IANA name, in which its times are told.
    zone: str
    #: Aware.
    starts_at: datetime
    #: None where it is not known.
    ends_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    kind: MeetingKind = "meeting"
    #: False where it was called off.
    was_held: bool = True
    place: str = ""
    url: str = ""
    chair: str = ""
    secretary: str = ""
    presence: Presence = Presence()
    quorum: Quorum | None = None
    decisions: tuple[MinutesEntry, ...] = ()
    actions: tuple[MinutesEntry, ...] = ()
    #: Loans and bookings.
    loans: tuple[MinutesEntry, ...] = ()
    counts: tuple[MinutesEntry, ...] = ()
    infos: tuple[MinutesEntry, ...] = ()
    questions: tuple[MinutesEntry, ...] = ()
    ideas: tuple[MinutesEntry, ...] = ()
    others: tuple[OtherKind, ...] = ()
    #: Votes that belong to no decision of these minutes.
    votes: tuple[MinutesVote, ...] = ()
    agenda: tuple[AgendaItem, ...] = ()
    topics: tuple[Topic, ...] = ()
    #: What was still open when the meeting began.
    open_before: tuple[MinutesEntry, ...] = ()
    corrections_left: tuple[LeftCorrection, ...] = ()
    next_meeting: NextMeeting | None = None
    source: Source | None = None
    #: The short permalink's path of these minutes.
    path: str = ""
    version: int = 1
    state: Literal["draft", "approved"] = "draft"
    approved_on: date | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is stored: plain JSON values, instants in ISO 8601."""
        document = _adapter().dump_python(self, mode="json")
        return {"schema": SCHEMA, **document}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Minutes":
        """What `to_json` gave, of this version or another: keys that are not known are left, missing ones are empty.

        Raises ValueError where it is no minutes at all.
        """
        return _adapter().validate_python({key: value for key, value in document.items() if key != "schema"})


@cache
def _adapter() -> TypeAdapter[Minutes]:
    return TypeAdapter(Minutes)


# ---------------------------------------------------------------- what minutes are made of


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryFacts:
    entry: Entry
    people: tuple[NamedPerson, ...] = ()
    objections: tuple[Objection, ...] = ()
    #: Its permalink's path.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingPost:
    """What somebody said while the meeting was under way: their own words."""

    author: str
    said_at: datetime
    text: str
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingFacts:
    """All that is known of a meeting when its minutes are made."""

    meeting: Meeting
    #: The association's title.
    association: str
    #: What was noted in it, and its agenda, in the order of their numbers.
    entries: tuple[EntryFacts, ...] = ()
    open_before: tuple[EntryFacts, ...] = ()
    rsvps: tuple[Rsvp, ...] = ()
    attendances: tuple[Attendance, ...] = ()
    votes: tuple[Vote, ...] = ()
    spans: tuple[MeetingSpan, ...] = ()
    posts: tuple[MeetingPost, ...] = ()
    #: The mail that brought them, after a physical meeting.
    source: Source | None = None
    corrections_left: tuple[LeftCorrection, ...] = ()
    next_meeting: Meeting | None = None
    #: Members who must be there or represented (`MeetingSettings.quorum`); 0 where none is asked for.
    quorum: int = 0
    #: How many proxies one person may hold; None where there is no limit.
    proxy_limit: int | None = None
    kinds: tuple[KindSettings, ...] = ()
    #: The short permalink's path of the minutes.
    path: str = ""
    version: int = 1
