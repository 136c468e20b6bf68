"""What the checks look at: both sides as they were read in the end, and the little that one must know of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from lab.demo.archive import Visit
from lab.demo.script import Text
from lab.demo.sides import Email, RoomItem, Sides, says


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One run, over."""

    sides: Sides
    #: Digests of the files that members sent, by name.
    sent_files: Mapping[str, str]
    #: The bridge's account, and the addresses that the room must never show.
    bridge_user_id: str
    addresses: tuple[str, ...]
    #: Of these, each member's by name, and the list's.
    member_addresses: Mapping[str, str]
    list_address: str
    #: What a member saw in the archive.
    visit: Visit
    #: Lines of the daemon's log that are warnings or worse.
    complaints: tuple[str, ...]

    def lines(self, said: Text) -> list[RoomItem]:
        """Return the room's lines that say it, files apart."""
        return [item for item in self.sides.room if item.file is None and says(item.text, said.words)]

    def emails(self, member: str, said: Text) -> list[Email]:
        """Return the mails of the list in a member's mailbox that say it, and do not only quote it."""
        return [e for e in self.sides.mailboxes[member] if e.is_listed and says(e.unquoted, said.words)]

    def email(self, said: Text) -> Email | None:
        """Return the mail that says it in the first mailbox; None where there is none or another besides."""
        found = self.emails(next(iter(self.sides.mailboxes)), said)
        return found[0] if len(found) == 1 else None

    def line(self, said: Text) -> RoomItem | None:
        """Return the room's line that says it; None where there is none or another besides."""
        found = self.lines(said)
        return found[0] if len(found) == 1 else None


_ADAPTER = TypeAdapter(Record)


def write_record(record: Record, file: Path) -> None:
    """Keep a record as JSON."""
    file.write_bytes(_ADAPTER.dump_json(record, indent=1))


def read_record(file: Path) -> Record:
    """Read what :func:`write_record` wrote.

    :raises pydantic.ValidationError: when it is something else.
    """
    return _ADAPTER.validate_json(file.read_bytes())
