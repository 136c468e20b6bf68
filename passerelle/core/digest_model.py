"""The digest's values: who wants one and when, what was chosen for them, what they were shown already. Each mirrors a
table of `store/digest_tables.py`. The choice itself: `core.digest_choice`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, Literal

from passerelle.core.ids import AssociationName, DigestId, LinkName, OfferId, PostId

#: `coordinator`: weekly, unless switched off; `member`: at the rhythm that each chose; `chat`: a list's summary of its
#: room; `catch_up`: on demand.
DigestKind = Literal["coordinator", "member", "chat", "catch_up"]
Rhythm = Literal["daily", "days", "weekly", "fortnightly", "monthly", "off"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """How often a person wants their digest; one by association. Members' are off until asked for (PEOPLE 11)."""

    association: AssociationName
    person_id: int
    kind: Literal["coordinator", "member"]
    rhythm: Rhythm
    #: Of `days` and `weekly`: Monday is 0.
    weekdays: tuple[int, ...] = ()
    #: On the wall clock of the association.
    at: time = time(8, 0)
    medium: Literal["mail", "room"] = "mail"
    #: Every mail whole beside it (MIME multipart/digest): « tout en un ».
    whole: bool = False
    #: Nothing until then (aware); None where it is not paused.
    paused_until: datetime | None = None
    #: The end of what the last one told, and when the next is due (both aware); None where there is none.
    told_until: datetime | None = None
    next_at: datetime | None = None
    changed_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDigest:
    """A digest that was made: what was chosen, for whom, of which time."""

    association: AssociationName
    #: "" where it is of the whole association.
    link: LinkName | Literal[""] = ""
    kind: DigestKind
    #: None of a `chat` summary, which is for a list.
    person_id: int | None
    #: What it tells was said from `since` on and before `until` (aware).
    since: datetime
    until: datetime
    #: `core.digest_choice.Chosen` as JSON.
    document: Mapping[str, Any] = field(repr=False)
    #: The short permalink of its page.
    permalink: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest(NewDigest):
    id: DigestId


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownItem:
    """An item that a reader was shown, and in which state: in that state it is not shown again unless it is due."""

    #: `entry:12`, `thread:7`, `meeting:4` …
    item_key: str
    state: str
    shown_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NewOffer:
    """« je peux aider pour : écrivain public »: somebody says what they can help with, until they say otherwise."""

    association: AssociationName
    person_id: int
    text: str
    said_at: datetime
    post_id: PostId | None = None
    #: Keyed hash of the line of the room that said it, where that became no post; None otherwise.
    said_key_hash: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer(NewOffer):
    id: OfferId
    ended_at: datetime | None
