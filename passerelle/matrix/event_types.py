"""The values that an event of the room is parsed into, and their reading as plain text. Pure.

All `said_at` are aware, UTC, the sender's server's word. Texts have no NUL and no control characters.
"""

from dataclasses import dataclass
from datetime import datetime

from passerelle.core.ids import EventId, UserId
from passerelle.core.model import NewAttachment
from passerelle.core.wording import Words

#: In the content of every event that Passerelle sends: the outbox row's key, so that it is known again (DESIGN §2).
DELIVERY_KEY = "org.passerelle.delivery"

#: In a content that is stored, an inline image's source before its upload: this, and the attachment's position.
INLINE_SOURCE = "mxc://passerelle.invalid/"

#: How a post says that it is a voice message: an `m.audio` with MSC3245's mark.
VOICE = "org.matrix.msc3245.voice"

#: What an author puts before a line that shall stay in the room.
KEEP_MARK = "//"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Event:
    event_id: EventId
    sender: UserId
    said_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """A point of an `m.location` (§ m.location, MSC3488); degrees, WGS 84."""

    description: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Poll:
    question: str
    answers: tuple[str, ...]
    max_selections: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomLine(_Event):
    """Something said in the room."""

    #: That of the event, `m.sticker`, `m.poll.start` or `m.poll.end`.
    msgtype: str
    #: The author's own words: without reply fallback; of a file, its caption; "" where there are none.
    body: str = ""
    #: HTML as it came, without reply fallback, not sanitised; "" where there is none.
    formatted_body: str = ""
    thread_root: EventId | None = None
    #: Only a real reply: the fallback that threads carry for old clients is none.
    replies_to: EventId | None = None
    mentions: tuple[UserId, ...] = ()
    mentions_room: bool = False
    files: tuple[NewAttachment, ...] = ()
    is_voice: bool = False
    location: Location | None = None
    poll: Poll | None = None
    #: Set where Passerelle itself sent it, or somebody pretends so: the table decides.
    delivery_key: str | None = None

    @property
    def is_notice(self) -> bool:
        """True for what bots say (§ m.notice): never relayed."""
        return self.msgtype == "m.notice"

    @property
    def is_emote(self) -> bool:
        return self.msgtype == "m.emote"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit(_Event):
    """New content of an earlier line (§ "Event replacements"). Only its own sender's counts: the flow checks that."""

    target: EventId
    #: What the target reads from now on. Its `event_id` is the edit's; its relations are none.
    line: RoomLine
    delivery_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Redaction(_Event):
    target: EventId
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reaction(_Event):
    target: EventId
    #: An emoji, mostly.
    key: str
    delivery_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberChange(_Event):
    user_id: UserId
    #: join, invite, leave, ban or knock.
    membership: str
    #: Already `safe_name`; "" where there is none.
    display_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomFactChange(_Event):
    """A state event that the room's exposure depends on."""

    #: `m.room.join_rules`, `m.room.history_visibility`, `m.room.name`, `m.room.encryption`, `m.room.tombstone` …
    fact: str
    #: For instance `public`, `world_readable`; "" where it was removed.
    value: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Undecryptable(_Event):
    """An encrypted event whose key is not here, or not yet."""

    session_id: str
    delivery_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ignored(_Event):
    """Nothing that the list should read; `reason` in English, for the log."""

    reason: str


Parsed = RoomLine | Edit | Redaction | Reaction | MemberChange | RoomFactChange | Undecryptable | Ignored


def is_kept_in_room(line: RoomLine) -> bool:
    """True where the author began the line with `//`: it stays in the room and is stored nowhere."""
    return line.body.lstrip(" \t\n\u00a0\u200b\u2060\ufeff").startswith(KEEP_MARK)


def readable_text(line: RoomLine, words: Words) -> str:
    """The line as plain text that needs no chat: polls, locations and stickers in words. Without the author's name.

    "" where the line is nothing but files.
    """
    if line.poll is not None:
        answers = [f"{number}. {answer}" for number, answer in enumerate(line.poll.answers, 1)]
        return "\n".join([words("poll", question=line.poll.question), *answers])
    if line.msgtype == "m.poll.end":
        return "\n".join(filter(None, [words("poll_closed"), line.body]))
    if line.location is not None:
        return _readable_location(line.location, words)
    if line.msgtype == "m.sticker":
        return words("sticker", description=line.body) if line.body else words("sticker_only")
    return line.body


def _readable_location(location: Location, words: Words) -> str:
    text = words("location", description=location.description) if location.description else words("location_only")
    if location.latitude is None or location.longitude is None:
        return text
    point = f"{location.latitude:.5f}"
    other = f"{location.longitude:.5f}"
    return f"{text}\nhttps://www.openstreetmap.org/?mlat={point}&mlon={other}#map=17/{point}/{other}"
