"""What is known for one reader when their digest is made: `flows.digest_facts` gathers, `core.digest_choice` chooses.

Each fact says where it stands: what was said by the shelves that it stands on, the rest by its link. The choice looks at
these once more: a fact that the reader may not see never comes out, whoever gathered it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from passerelle.core.ids import AssociationName, LinkName, MeetingId, PostId, ThreadId
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.model import Side
from passerelle.core.register_model import Ask, Entry, NamedPerson
from passerelle.core.shelves import Shelf


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryFact:
    """An entry of the register with what is open about it."""

    entry: Entry
    people: tuple[NamedPerson, ...] = ()
    #: Objections that stand.
    objections: int = 0
    #: One of them is the reader's.
    reader_objects: bool = False
    #: The conversation that it was read out of.
    thread_id: ThreadId | None = None
    #: Its page below the archive's root.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingFact:
    """A meeting with its tally: how many come, never who has not answered (PEOPLE 9)."""

    meeting: Meeting
    #: Aware.
    starts_at: datetime
    yes: int = 0
    no: int = 0
    maybe: int = 0
    #: What the reader answered; None where they have not, or said that they want no reminders of it.
    own_answer: RsvpAnswer | None = None
    #: The reader wants to hear no more of it.
    is_quiet: bool = False
    #: Answers are awaited: everyone was called to it.
    is_called: bool = False
    #: Its newest minutes, and when they were made; "" and None where there are none.
    minutes_state: Literal["", "draft", "approved"] = ""
    minutes_at: datetime | None = None
    #: Until when corrections of a draft are taken.
    corrections_until: datetime | None = None
    minutes_path: str = ""
    #: Its page below the archive's root.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskFact:
    """Something that the reader was asked back, and has not answered. Nobody else's is ever gathered."""

    ask: Ask
    #: What it is about, in its author's words.
    text: str = ""
    entry_number: int | None = None
    meeting_id: MeetingId | None = None
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PostFact:
    """Something that was said: in the digest's time, or before it where a conversation went on."""

    id: PostId
    thread_id: ThreadId
    #: It may be read from any of them.
    shelves: frozenset[Shelf]
    #: By its author's person, where it is known; otherwise by name.
    author: str
    author_name: str = ""
    #: Its author is the reader.
    is_own: bool = False
    side: Side
    #: In which link it is shown.
    link: LinkName
    #: When it came to those who read (aware): what counts for a digest's time.
    at: datetime
    said_at: datetime
    subject: str = ""
    #: The beginning of its author's words.
    text: str = ""
    parent_post_id: PostId | None = None
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFact:
    """A file of a post of these facts; it may be read where its post may."""

    post_id: PostId
    position: int
    filename: str
    media_type: str
    size_bytes: int
    inline: bool = False
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NewcomerFact:
    """Somebody who takes part in a link since then, and was seen there by all: they wrote, or joined the room."""

    person_id: int
    name: str
    link: LinkName
    side: Side
    since: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceFact:
    """Something that went wrong, for coordinators: never a body, never an address."""

    #: Names it once: `incident:12`, `outbox:7`.
    key: str
    what: Literal["held", "failed", "bounce"]
    #: The incident's kind, or the delivery's.
    kind: str
    #: "" where it is about the whole association.
    link: LinkName | Literal[""]
    #: In words of the daemon; "" where there are none.
    detail: str = ""
    at: datetime
    #: It waits for somebody still.
    is_open: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestFacts:
    """All that is known for one reader."""

    association: AssociationName
    #: IANA name: in it days are counted.
    zone: str
    entries: tuple[EntryFact, ...] = ()
    meetings: tuple[MeetingFact, ...] = ()
    asks: tuple[AskFact, ...] = ()
    #: Of the digest's time, and of conversations that went on in it, the first and the last one before.
    posts: tuple[PostFact, ...] = ()
    files: tuple[FileFact, ...] = ()
    newcomers: tuple[NewcomerFact, ...] = ()
    service: tuple[ServiceFact, ...] = ()
