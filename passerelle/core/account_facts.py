"""What the account of a period is made from: numbers, and rows without words of anybody. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from passerelle.core.ids import AssociationName, EntryId, LinkName
from passerelle.core.secretary_settings import KindSettings

#: An account tells of so many months at the most.
MOST_MONTHS = 36


@dataclass(frozen=True, kw_only=True)
class Period:
    """Whole days in a zone, both days included. Raises ValueError where it ends before it begins, or is too long."""

    first: date
    last: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("it ends before it begins")
        if len(self.months) > MOST_MONTHS:
            raise ValueError(f"it has more than {MOST_MONTHS} months")

    @cached_property
    def months(self) -> tuple[str, ...]:
        """The months in which it lies, as `2026-03`."""
        begin, end = (day.year * 12 + day.month - 1 for day in (self.first, self.last))
        return tuple(f"{month // 12:04}-{month % 12 + 1:02}" for month in range(begin, end + 1))

    @property
    def since(self) -> datetime:
        """When it begins (aware, UTC)."""
        return self._midnight(self.first)

    @property
    def until(self) -> datetime:
        """When it is over (aware, UTC): the first instant that is no longer in it."""
        return self._midnight(self.last + timedelta(days=1))

    @property
    def month_ends(self) -> tuple[datetime, ...]:
        """When each of its months is over (aware, UTC); the last one, when the period is."""
        begins = [self._midnight(date.fromisoformat(f"{month}-01")) for month in self.months[1:]]
        return (*begins, self.until)

    @property
    def year(self) -> int | None:
        """The year that it is the whole of; None where it is none."""
        whole = (self.first.month, self.first.day, self.last.month, self.last.day) == (1, 1, 12, 31)
        return self.first.year if whole and self.first.year == self.last.year else None

    def day_of(self, at: datetime) -> date:
        """The day on which an aware instant lies."""
        return at.astimezone(self.zone).date()

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountScope:
    """Of what an account is made."""

    association: AssociationName
    #: Of these links, and whether these are all that there are.
    links: frozenset[LinkName]
    is_whole: bool = True
    period: Period
    #: Folded, without its sign (`core.tags`); "": whatever its tag.
    tag: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sides:
    """A number of what was on one side only, or on both."""

    mail_only: int = 0
    chat_only: int = 0
    both: int = 0

    @property
    def total(self) -> int:
        return self.mail_only + self.chat_only + self.both


@dataclass(frozen=True, kw_only=True, slots=True)
class PostFacts:
    """What was said, in numbers."""

    #: Posts by month, as many as the period has: by mail, in the room.
    by_mail: tuple[int, ...] = ()
    in_chat: tuple[int, ...] = ()
    #: Who wrote.
    authors: Sides = Sides()
    #: Conversations in which something was said.
    threads: Sides = Sides()
    #: Of these, those that began in the period.
    threads_new: int = 0
    #: How long each question waited for a word of somebody else; None where it still does.
    waits: tuple[timedelta | None, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountEntry:
    """An entry of the register that was said in the period."""

    id: EntryId
    kind: str
    #: As it is now.
    state: str
    #: As its first spelling has it; and folded, as labels are compared.
    label: str
    label_folded: str
    quantity: int | None
    said_on: date
    due_on: date | None
    #: All of its tags, folded: its label where that is no thing or activity, and those in its words.
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountMove:
    """An entry came into a state within the period."""

    entry_id: EntryId
    kind: str
    state: str
    on: date
    due_on: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountMeeting:
    """A meeting of the period."""

    starts_on: date
    is_held: bool
    is_cancelled: bool
    #: Somebody noted who was there; the counts are 0 where nobody did.
    is_noted: bool = False
    present: int = 0
    represented: int = 0
    excused: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountFacts:
    """All that one account is made from."""

    scope: AccountScope
    #: Aware.
    made_at: datetime
    #: Configured kinds of entries: requests and their like.
    kinds: tuple[KindSettings, ...] = ()
    posts: PostFacts = PostFacts()
    entries: tuple[AccountEntry, ...] = ()
    moves: tuple[AccountMove, ...] = ()
    meetings: tuple[AccountMeeting, ...] = ()
    #: Decisions against which somebody objected in the period.
    objected: int = 0
    #: Actions and loans that are not done or given back, and were to be by a day of the period that is over.
    overdue: Mapping[str, int] = field(default_factory=dict)
    #: By folded tag: conversations in which it stands, of those of the period.
    tagged_threads: Mapping[str, int] = field(default_factory=dict)
