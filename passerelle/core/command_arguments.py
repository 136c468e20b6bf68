"""What stands behind a command's word, as typed values. Pure. Who reads them: `core.command_reading`."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from passerelle.core.digest_wishes import Wish
from passerelle.core.fiche import Audience
from passerelle.core.meeting_model import MeetingKind
from passerelle.core.register_line_notes import Note
from passerelle.core.replacements import Replacement
from passerelle.core.when_model import FoundWhen

#: Whom a reminder is for.
Target = Literal["both", "room", "list", "person"]


@dataclass(frozen=True, kw_only=True, slots=True)
class MeetingArguments:
    """A meeting to be called."""

    kind: MeetingKind
    #: Its `when` is None where it has to be asked back: `candidates` says what it may be.
    when: FoundWhen
    #: That date as it was written.
    when_text: str
    #: "" where nothing was said about it.
    title: str = ""
    #: As it was said: « au local de l'Épeule », « chez Paul ».
    place: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class MoveArguments:
    """A new time for a meeting or reminder, a new place for a meeting."""

    what: Literal["meeting", "reminder"]
    #: None: the next one, or the one that the notice is about which this answers.
    number: int | None
    #: None where only the place changes.
    when: FoundWhen | None
    when_text: str = ""
    place: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelArguments:
    """A meeting or a reminder to be called off."""

    what: Literal["meeting", "reminder"]
    #: None: the one that the notice is about which this answers, or the next one.
    number: int | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NumbersArguments:
    """The numbers of what is meant; none where the command answers a message that says it, or means the next one."""

    numbers: tuple[int, ...] = ()
    #: What was said besides.
    text: str = ""

    @property
    def number(self) -> int | None:
        return self.numbers[0] if self.numbers else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ListArguments:
    """What is to be listed: all that is open, some numbers, what bears a tag or a word, or what somebody does."""

    numbers: tuple[int, ...] = ()
    tag: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteArguments:
    """What is to be noted. A PresenceNote without names is about whoever says it."""

    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RemindArguments:
    """A reminder to be set."""

    when: FoundWhen
    when_text: str
    text: str
    #: None where it was not said: for where it was said, of a mail for its author.
    target: Target | None = None
    #: Of another person: their name, as it was written.
    name: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplaceArguments:
    """A decision to be replaced, by another or by new words."""

    number: int | None
    by: int | None = None
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewArguments:
    """A decision to be looked at again."""

    number: int | None
    when: FoundWhen
    when_text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectArguments:
    """An objection."""

    number: int | None
    reason: str = ""
    #: For whom it is passed on; "" where it is one's own.
    said_for: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CorrectArguments:
    """Corrections of a draft of minutes; `text` is for the chair."""

    number: int | None
    replacements: tuple[Replacement, ...] = ()
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestArguments:
    """How one wants one's digest; None: what one gets is asked for."""

    wish: Wish | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestPauseArguments:
    """No digest until that day."""

    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class CatchUpArguments:
    """Since when one was away (aware); None: since the last digest, or what one wrote last."""

    since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FicheArguments:
    """A fiche to be made, shown, completed, published or taken back."""

    #: None: of what is answered, or by its number.
    source: Literal["meeting", "tag"] | None = None
    #: Of the fiche; of the meeting where it is made from one.
    number: int | None = None
    tag: str = ""
    title: str = ""
    #: What stands behind the number: « contexte : … ».
    text: str = ""
    audience: Audience = "association"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentArguments:
    """Whether one's first name may be printed; None: what holds now is asked for."""

    given: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class TextArguments:
    """Words: what is searched, what help is asked about; "" where there are none."""

    text: str = ""


Arguments = (
    MeetingArguments | MoveArguments | CancelArguments | NumbersArguments | ListArguments | NoteArguments
    | RemindArguments | ReplaceArguments | ReviewArguments | ObjectArguments | CorrectArguments | TextArguments
    | DigestArguments | DigestPauseArguments | CatchUpArguments | FicheArguments
    | ConsentArguments
)  # fmt: skip
