"""What a line of the grammar says, as values. Pure. Who reads them out of a text: `core.register_lines`."""

from dataclasses import dataclass
from typing import Literal

from passerelle.core.meeting_model import Presence
from passerelle.core.when_model import FoundWhen


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryNote:
    """Something for the register."""

    #: A BuiltInKind, or the name of a configured kind.
    kind: str
    #: What was said behind the colon, in one line. Of actions, loans and bookings: without names and date.
    text: str
    #: Whom it names, in their order, as they were written: who does it, who has it. A Matrix ID stays one, `@` and all.
    names: tuple[str, ...] = ()
    #: Of a loan or booking: the thing. Of a count: the activity. Of anything else: its first `#tag`, without the `#`.
    label: str = ""
    #: Of a count: how many persons.
    quantity: int | None = None
    #: By when, from when (to when). Its `when` is None where it has to be asked back.
    due: FoundWhen | None = None
    #: That date as it was written.
    due_text: str = ""
    #: For whom the author passes it on; "" where it is their own word.
    said_for: str = ""
    #: The line of the text on which it begins; the first is 0.
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PresenceNote:
    """Who is there, excused or represented."""

    presence: Presence
    names: tuple[str, ...]
    #: How they took part (« par téléphone »), or in what role (« trésorier »).
    how: str = ""
    #: Who holds their proxy.
    represented_by: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class VoteNote:
    """A vote, as it was counted."""

    #: None where it was not said: of a vote that was unanimous, all who are present or represented.
    in_favour: int | None
    against: int = 0
    abstained: int = 0
    unanimous: bool = False
    #: On what; "" where it was not said.
    text: str = ""
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ReturnNote:
    """Something was given back. It counts where a loan of that number or of that thing is open."""

    #: The thing, as it was called.
    label: str = ""
    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleNote:
    """Who presides over a meeting, or writes its minutes."""

    role: Literal["chair", "secretary"]
    name: str
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class QuorumNote:
    """The quorum of an assembly: how many, and whether it is reached, where that was said."""

    quantity: int | None
    reached: bool | None = None
    line: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class OfferNote:
    """What its author can help with, or can no longer."""

    #: "" where all that they offered ends.
    text: str
    ends: bool = False
    line: int = 0


Note = EntryNote | PresenceNote | VoteNote | ReturnNote | RoleNote | QuorumNote | OfferNote
