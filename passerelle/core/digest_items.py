"""A digest as a value: what was chosen, and why. A reason is a code with its values, the words are a catalogue's.

It is stored as JSON (`digest.document`), so fields are only ever added, each with a default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from passerelle.core.ids import AskId, EntryId, LinkName, MeetingId, PostId, ThreadId

#: The form of the stored JSON.
SCHEMA = 1

#: What stands together, in this order.
Section = Literal[
    "asked", "decisions", "actions", "questions", "meetings", "threads", "newcomers", "files", "service"
]  # fmt: skip
SECTIONS: tuple[Section, ...] = (
    "asked", "decisions", "actions", "questions", "meetings", "threads", "newcomers", "files", "service",
)  # fmt: skip

#: What an item is.
ItemKind = Literal[
    "ask", "decision", "action", "loan", "question", "meeting", "minutes", "thread", "newcomers", "file", "held",
    "failed", "bounce",
]  # fmt: skip

#: Why an item stands in a digest; the catalogue's key is `reason_` and the code.
ReasonCode = Literal[
    "asked_back", "rsvp_wanted", "own_objection", "own_overdue", "own_due", "own_open", "open_to_objection",
    "to_decide", "objected", "to_review", "adopted", "replaced", "dropped", "overdue", "due", "unanswered", "to_come",
    "cancelled", "minutes_draft", "minutes_approved", "woken", "new", "goes_on", "newcomers", "file", "held", "failed",
    "bounce",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why an item was chosen. Only what its code needs is set."""

    code: ReasonCode
    #: Persons, objections, tries: what is counted.
    count: int = 0
    #: Lists and rooms, as links.
    links: int = 0
    #: For how many days.
    days: int = 0
    #: A day of the calendar of the association.
    day: date | None = None
    clock: time | None = None
    #: Aware.
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """How many said that they come, that they do not, that they may."""

    yes: int = 0
    no: int = 0
    maybe: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A sentence that somebody wrote, as they wrote it; who said it stands beside it."""

    text: str
    author: str
    post_id: PostId
    #: Below the archive's root.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing that a digest names."""

    #: `entry:12`, `thread:7`, `meeting:4` …: the same thing in every digest.
    key: str
    section: Section
    kind: ItemKind
    #: In which it is not told again, unless it is still open or due.
    state: str
    #: In members' own words, one line; "" where the form has to say it (newcomers, a conversation without a name).
    title: str = ""
    reason: Reason
    #: By `core.digest_weights`; the highest first.
    weight: int
    #: "" where it is about the whole association.
    link: LinkName | Literal[""] = ""
    #: It is open, due or overdue: it may be told again in the same state.
    stands: bool = False
    entry_id: EntryId | None = None
    meeting_id: MeetingId | None = None
    ask_id: AskId | None = None
    thread_id: ThreadId | None = None
    #: What an answer to the item answers: the post it was read out of, of a conversation its last one.
    post_id: PostId | None = None
    #: What members call it: « fait 12 », « réunion 4 ».
    number: int | None = None
    #: Below the archive's root: `/epeule/register/12`; "" without a page.
    path: str = ""
    #: The beginning of what was said, on one line.
    extract: str = ""
    #: Of a conversation in a catch-up: sentences that stand for it, in their order.
    sentences: tuple[Sentence, ...] = ()
    author: str = ""
    #: Whom it names, who is new. Never who is late, but to themselves (PEOPLE 9).
    names: tuple[str, ...] = ()
    due_on: date | None = None
    due_at: time | None = None
    #: Of a meeting: when it starts; of a decision: until when it is open to objection (aware).
    at: datetime | None = None
    place: str = ""
    tally: Tally | None = None
    #: When the newest thing about it happened (aware).
    happened_at: datetime | None = None
    #: Of a file.
    size_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The digest's time in numbers, of what its reader may see."""

    #: Persons who spoke, on both sides together and on each; somebody who did both counts once.
    people: int = 0
    people_by_mail: int = 0
    people_in_room: int = 0
    posts_by_mail: int = 0
    posts_in_room: int = 0
    #: Lists and rooms, as links, on which something was said.
    links: int = 0
    actions_done: int = 0
    #: At its end.
    actions_open: int = 0
    questions_answered: int = 0
    #: At its end, of the register.
    questions_open: int = 0
    decisions_adopted: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """A digest: what it names, and how much more there is."""

    #: By section, in the order of `SECTIONS`; in each by weight.
    items: tuple[Item, ...] = ()
    #: How many more of each section there are, that are not named.
    counted: Mapping[Section, int] = field(default_factory=dict)
    figures: Figures = Figures()
    #: There was more than a digest reads: the oldest conversations of its time are neither named nor counted.
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """There is nothing to say, and nothing is sent."""
        return not self.items

    def section(self, name: Section) -> tuple[Item, ...]:
        """The items of a section, the weightiest first."""
        return tuple(item for item in self.items if item.section == name)

    @property
    def sections(self) -> tuple[Section, ...]:
        """Those that hold something, in their order."""
        return tuple(name for name in SECTIONS if any(item.section == name for item in self.items))

    @property
    def more(self) -> int:
        """How many there are beside those that are named."""
        return sum(self.counted.values())

    def to_json(self) -> dict[str, Any]:
        """As it is stored: plain JSON values, instants in ISO 8601."""
        return {"schema": SCHEMA, **_adapter().dump_python(self, mode="json")}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Chosen":
        """What `to_json` gave, of this version or another: keys that are not known are left, missing ones are empty.

        Raises ValueError where it is no digest at all.
        """
        return _adapter().validate_python({key: value for key, value in document.items() if key != "schema"})


@cache
def _adapter() -> TypeAdapter[Chosen]:
    return TypeAdapter(Chosen)
