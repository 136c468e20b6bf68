"""What the daemon asks of the outside, as small protocols, and the values that cross them.

The adapters (`mail/imap.py`, `mail/lmtp.py`, `mail/smtp.py`, `matrix/bot.py`, `matrix/appservice.py`) keep to these;
`intake.py` and `delivery.py` know nothing else of them. Adapters raise the errors of `passerelle.errors` only.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from passerelle.core.ids import EventId, MailAddress, RoomId, UserId


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionState:
    """How the connection of one source fares, for `status` and the log. No secret and no address in it."""

    source: str
    up: bool
    #: Why it is not up, in plain English; "" where it is.
    reason: str = ""
    #: True where only an administrator can mend it: it is tried again, but seldom.
    refused: bool = False
    retry_in_seconds: float | None = None


OnState = Callable[[ConnectionState], None]


# ---------------------------------------------------------------- mail in


@dataclass(frozen=True, kw_only=True, slots=True)
class ImapCursor:
    """Where reading a mailbox stands (RFC 9051 §2.3.1.1): everything up to `last_uid` is stored."""

    uidvalidity: int
    #: 0 where nothing of this UIDVALIDITY is stored yet.
    last_uid: int
    #: The newest INTERNALDATE that was seen, UTC: after a change of UIDVALIDITY nothing much older is read again.
    newest_at: datetime | None = None

    def __str__(self) -> str:
        """`uidvalidity:last_uid` or `uidvalidity:last_uid:newest_at`; `parse` reads both."""
        newest = f":{self.newest_at.astimezone(UTC).isoformat()}" if self.newest_at else ""
        return f"{self.uidvalidity}:{self.last_uid}{newest}"

    @classmethod
    def parse(cls, text: str) -> "ImapCursor":
        """The inverse of `str`. Raises ValueError."""
        uidvalidity, last_uid, *newest = text.split(":", 2)
        return cls(
            uidvalidity=int(uidvalidity),
            last_uid=int(last_uid),
            newest_at=datetime.fromisoformat(newest[0]) if newest else None,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class RawEmail:
    """One email as it arrived, for one recipient."""

    #: Unique within its source: `uidvalidity:uid` from IMAP; a hash of content and recipient from LMTP.
    key: str
    #: The RFC 5322 message as the server gave it; only its header where it is over the size limit.
    raw: bytes = field(repr=False)
    #: Whole size, also where `raw` holds only the header.
    size_bytes: int
    received_at: datetime
    #: RCPT TO of LMTP; None from IMAP, where header fields tell.
    recipient: MailAddress | None = None
    #: MAIL FROM of LMTP; "" is the null path; None from IMAP, where Return-Path tells.
    envelope_from: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EmailArrivals:
    """What one look at a mailbox brought, ascending by UID, and the cursor that says so."""

    source: str
    before: ImapCursor | None
    after: ImapCursor
    emails: tuple[RawEmail, ...]
    #: Emails that belong to no link: left in the mailbox, untouched.
    foreign: int = 0
    #: True where nothing newer was on the server when this was fetched.
    caught_up: bool = True


OnEmails = Callable[[EmailArrivals], Awaitable[None]]
#: LMTP: one RawEmail per accepted recipient of one transaction. Returning means: stored.
OnLmtp = Callable[[tuple[RawEmail, ...]], Awaitable[None]]
#: Whether an email, known by its header block alone, is ours to take in.
Wanted = Callable[[bytes], bool]


# ---------------------------------------------------------------- mail out


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """RFC 5321 envelope."""

    sender: MailAddress
    recipients: tuple[MailAddress, ...]


class EmailSession(Protocol):
    async def send(self, envelope: Envelope, raw: bytes, *, before_data: Callable[[], Awaitable[None]]) -> str:
        """Send `raw` once; return the server's final reply.

        `before_data` is awaited after RCPT and before the content goes out: from then on the fate may be unknown.

        Raises:
            TemporaryFailure, PermanentFailure: the server said so, for at least one recipient.
            UnknownFate: the connection broke or fell silent after the content was on its way.
        """


class EmailSender(Protocol):
    def session(self) -> AbstractAsyncContextManager[EmailSession]:
        """One connection for a batch of emails. Raises TemporaryFailure or PermanentFailure on entering."""


# ---------------------------------------------------------------- Matrix in

#: A Matrix event as JSON, decrypted where it was encrypted and the keys are here.
EventJson = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomUpdate:
    """What happened in one room, oldest first."""

    room_id: RoomId
    timeline: tuple[EventJson, ...] = ()
    #: State events that are not in the timeline: members, join rules, name …
    state: tuple[EventJson, ...] = ()
    #: True where a part of the past could not be fetched for ever: a human must be told.
    lost_past: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncArrivals:
    """One answer of `/sync` with its gaps filled, one page of a gap, or one application-service transaction."""

    source: str
    #: Tokens; equal where a page of a gap brings events but does not move the cursor; None for a transaction.
    before: str | None
    after: str | None
    rooms: tuple[RoomUpdate, ...] = ()
    #: True where nothing newer was on the homeserver when it answered.
    live: bool = True
    #: Application service: the transaction's id, for de-duplication.
    transaction_id: str | None = None
    #: Application service: marks that the daemons put before asking what is still queued, and that came back.
    marks: tuple[str, ...] = ()


OnSync = Callable[[SyncArrivals], Awaitable[None]]


class Marks(Protocol):
    """What several daemons behind one address know together of what the homeserver still holds back."""

    async def wanted(self) -> bool:
        """Whether it matters now that nothing newer waits: something is due that a newer event could take back."""

    async def take(self, marks: Collection[str]) -> bool:
        """Whether one of these marks of one daemon has come back and is stored, to whichever it came; it is forgotten
        then."""


# ---------------------------------------------------------------- Matrix out


@dataclass(frozen=True, kw_only=True, slots=True)
class GhostProfile:
    """On whose behalf an event is sent, where the transport has ghosts; a bot ignores it."""

    #: Stable and opaque: a keyed hash of the author.
    localpart: str
    display_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A file on the homeserver: `url`, or `file` of an encrypted room (EncryptedFile of the specification)."""

    url: str
    file: Mapping[str, Any] | None = None


class MatrixTransport(Protocol):
    #: Changes when a new device was made: transaction ids of the old one protect no longer.
    device_id: str
    user_id: UserId

    async def send_event(
        self,
        room_id: RoomId,
        content: Mapping[str, Any],
        *,
        transaction_id: str,
        event_type: str = "m.room.message",
        ghost: GhostProfile | None = None,
    ) -> EventId:
        """PUT one event. The same transaction id gives the same event.

        Raises TemporaryFailure (network, 5xx, 429 with `retry_after_seconds`) or PermanentFailure (other 4xx).
        """

    async def redact(self, room_id: RoomId, event_id: EventId, *, transaction_id: str, reason: str = "") -> EventId:
        """Redact an event. Raises as `send_event`."""

    async def upload(self, data: bytes, *, media_type: str, filename: str, encrypted: bool) -> Media:
        """Upload a file. Raises as `send_event`; over the homeserver's limit is PermanentFailure."""

    async def download(self, media: Media) -> bytes:
        """Fetch and decrypt a file. Raises as `send_event`."""

    async def upload_limit_bytes(self) -> int:
        """What the homeserver takes at the most."""

    async def find_own_event(
        self, room_id: RoomId, *, key: str, value: str, not_before: datetime, ghost: GhostProfile | None = None
    ) -> EventId | None:
        """Look back in the room's timeline, to `not_before`, for an own event with `content[key] == value`."""

    async def open_direct_room(self, user_id: UserId) -> RoomId:
        """The direct room with a user; made, and the user invited, where there is none."""

    async def join(self, room: str) -> RoomId:
        """Join by ID or alias, or say that we are in. Raises as `send_event`."""
