"""What an archive gives, whatever its format: one mail after the other, each with the place to go on after it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from passerelle.i18n import N_

#: A mail larger than this is refused, and its neighbours go on: it has to fit into memory some times over.
MAX_MAIL_BYTES = 64 * 1024 * 1024

#: Reasons of `Refused`: English sentences, which the command says in the administrator's language.
TOO_LARGE = N_("It is larger than 64 MB.")
NOT_A_MAIL = N_("It does not begin with header fields, as a mail does.")
UNREADABLE_FILE = N_("The file cannot be read.")
DAMAGED = N_("The file is damaged or ends too early: the mails after this place cannot be read.")
ENCRYPTED = N_("It is encrypted, and its key is not here.")
MALFORMED_EVENT = N_("It is not an event that can be read.")
KEPT_IN_ROOM = N_("Its author kept it for the room, with // before it.")


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceMail:
    """One mail out of an archive."""

    #: Its bytes as they once were, as far as the format lets them be known (docs/import.md); line ends as they stand.
    raw: bytes = field(repr=False)
    #: Where it stands, readable: "bureau.mbox, message 1204".
    place: str
    #: A JSON value; `Source.read(position)` goes on with what comes after this mail.
    position: Any
    #: When it arrived, by the archive and not by the mail itself; aware, UTC. None where the archive does not say.
    received_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """A part of an archive that is no mail, or cannot be read as one."""

    place: str
    #: One of the sentences above.
    reason: str
    position: Any


class Source(Protocol):
    """An archive that is read from front to back, in bounded memory. It does blocking I/O."""

    #: What was named on the command line, absolute.
    name: str
    #: How much there is to read, in bytes; None where nobody knows.
    total_bytes: int | None

    @property
    def bytes_done(self) -> int:
        """How much of `total_bytes` has been read so far; what `after` skipped counts as read."""
        ...

    def read(self, after: Any | None) -> Iterator[SourceMail | Refused]:
        """What stands in the archive after that position (None: all of it), always in the same order.

        Raises ImportFailure where the archive as a whole cannot be read.
        """
        ...
