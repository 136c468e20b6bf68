"""What is known for one reader when their digest is made: `flows.digest_facts` gathers, `core.digest_choice` chooses.

Each fact says where it stands: what was said by the shelves that it stands on, the rest by its link. `visible` looks at
that once more before anything is chosen: what the reader may not see never comes out, whoever gathered it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from passerelle.core.ids import AssociationName, EntryId, LinkName, MeetingId, PostId, ThreadId
from passerelle.core.meeting_model import Meeting, RsvpAnswer
from passerelle.core.model import Side
from passerelle.core.register_model import Ask, Entry, NamedPerson
from passerelle.core.shelves import Reader, Shelf

#: Nobody's id: who reads is everyone on a link's list, for whom what was said in its room is summed up.
EVERYONE = 0


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
    entry_id: EntryId | None = None
    meeting_id: MeetingId | None = None
    #: Of the entry or the meeting.
    number: int | None = None
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
    #: Where it was said first; `visible` puts a link of the reader's in its place.
    link: LinkName
    #: When it came to those who read (aware): what counts for a digest's time.
    at: datetime
    said_at: datetime
    #: What its conversation is called; "" of any post but the one that began it, which may not be the reader's to read.
    subject: str = ""
    #: The beginning of its author's words.
    text: str = ""
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
    #: Links in which the reader takes part, or that they coordinate. Who only reads an archive that was opened to
    #: everyone is told nothing of its register (PEOPLE 9), and no news of it.
    links: frozenset[LinkName]
    entries: tuple[EntryFact, ...] = ()
    meetings: tuple[MeetingFact, ...] = ()
    asks: tuple[AskFact, ...] = ()
    #: Of the digest's time; and of conversations that went on in it, the first and the last one before.
    posts: tuple[PostFact, ...] = ()
    #: Mails that ask something, and nobody else has said anything in their conversation since.
    questions: tuple[PostFact, ...] = ()
    #: Conversations in which the reader has written, ever.
    own_threads: frozenset[ThreadId] = frozenset()
    files: tuple[FileFact, ...] = ()
    newcomers: tuple[NewcomerFact, ...] = ()
    service: tuple[ServiceFact, ...] = ()
    #: There was more than a digest reads: the oldest of its time is left out.
    is_cut: bool = False


def visible(facts: DigestFacts, reader: Reader) -> DigestFacts:
    """What of these facts that reader may see, and nothing else: the choice knows only this.

    The register, meetings and newcomers are for who takes part in their link, posts and files for who may read a shelf
    that they stand on, what went wrong for coordinators.
    """
    mine = reader.association == facts.association and reader.person_id is not None
    shelves = frozenset(s for s in reader.shelves if mine and s.association == facts.association)
    links = frozenset(s.link for s in shelves if s.origin == "live") & facts.links
    posts, questions = (
        tuple(_shown(post, shelves, facts.links) for post in found if _may_read(post, shelves, facts.links))
        for found in (facts.posts, facts.questions)
    )
    known = {post.id for post in posts}
    return replace(
        facts,
        links=links,
        entries=tuple(fact for fact in facts.entries if fact.entry.link in links),
        meetings=tuple(fact for fact in facts.meetings if fact.meeting.link in links),
        asks=tuple(
            fact for fact in facts.asks if fact.ask.person_id == reader.person_id and fact.ask.link in links
        ),
        posts=posts,
        questions=questions,
        own_threads=facts.own_threads & {post.thread_id for post in posts},
        files=tuple(fact for fact in facts.files if fact.post_id in known),
        newcomers=tuple(
            fact for fact in facts.newcomers if fact.link in links and fact.person_id != reader.person_id
        ),
        service=tuple(
            fact for fact in facts.service if mine and reader.is_coordinator and (fact.link in links or not fact.link)
        ),
    )  # fmt: skip


def _readable(post: PostFact, shelves: frozenset[Shelf], links: frozenset[LinkName]) -> list[Shelf]:
    return [shelf for shelf in post.shelves & shelves if shelf.link in links]


def _may_read(post: PostFact, shelves: frozenset[Shelf], links: frozenset[LinkName]) -> bool:
    return bool(_readable(post, shelves, links))


def _shown(post: PostFact, shelves: frozenset[Shelf], links: frozenset[LinkName]) -> PostFact:
    """A post as its reader finds it: on their shelves, in its own link or the first of theirs."""
    readable = _readable(post, shelves, links)
    names = {shelf.link for shelf in readable}
    if len(readable) == len(post.shelves) and post.link in names:
        return post
    return replace(post, shelves=frozenset(readable), link=post.link if post.link in names else min(names))
