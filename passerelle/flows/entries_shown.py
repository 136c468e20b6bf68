"""Entries of the register as templates know them: in words, in the reader's language, with what is open about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.folding import fold
from passerelle.core.links import Link
from passerelle.core.register_model import Entry, Objection
from passerelle.core.register_moves import FIRST_STATES, is_overdue
from passerelle.core.when_model import When
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.store.register import list_entry_people
from passerelle.store.register_history import list_objections

#: A question that names more days than this is none.
_MOST_CHOICES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownEntry:
    """One entry in words."""

    number: int
    kind: str
    #: « Décision », « Action », the configured kind's first word.
    kind_word: str
    text: str
    state: str
    state_word: str
    names: tuple[str, ...]
    #: The thing, the activity or the tag; "" where the text says it.
    label: str
    quantity: int | None
    #: « jeudi 12 novembre », « jeudi 12 novembre à 18 h 30 »; "" where nothing was said.
    due: str
    #: « jusqu'au mardi 3 mars », « jusqu'à 17 h »; "" where nothing was said.
    until: str
    overdue: bool
    author: str
    #: For whom its author passes it on; "" for their own word.
    said_for: str
    said_at: datetime
    #: Of a decision: until when objections are awaited (aware); None where the delay has not begun.
    open_until: datetime | None
    #: Who objects, with their reasons.
    objections: tuple[Objection, ...]
    #: Its page; "" without a web.
    url: str


async def shown_entries(
    ctx: FlowContext, conn: AsyncConnection, link: Link, entries: Sequence[Entry]
) -> list[ShownEntry]:
    """These entries in words, in their order."""
    people = await list_entry_people(conn, [entry.id for entry in entries])
    words = ctx.renderer(link.association).words
    today = ctx.now().astimezone(link.zone).date()
    web = ctx.settings.web
    root = f"{web.url.rstrip('/')}/{link.association_name}/register" if web is not None else ""
    shown = []
    for entry in entries:
        objections = await list_objections(conn, entry.id) if entry.kind == "decision" else []
        shown.append(
            ShownEntry(
                number=entry.number,
                kind=entry.kind,
                kind_word=kind_word(entry.kind, link, words),
                text=entry.text,
                state=entry.state,
                state_word=state_word(entry, words),
                names=tuple(one.name for one in people.get(entry.id, ())),
                label="" if fold(entry.label) in fold(entry.text) else entry.label,
                quantity=entry.quantity,
                due=local_moment(entry.due_on, entry.due_at, link, words),
                until=_until(entry, link, words),
                overdue=is_overdue(entry, today),
                author=entry.author_name,
                said_for=entry.said_for,
                said_at=entry.said_at,
                open_until=entry.open_until,
                objections=tuple(o for o in objections if o.withdrawn_at is None and o.settled_at is None),
                url=f"{root}/{entry.number}" if root else "",
            )
        )
    return shown


def _until(entry: Entry, link: Link, words: Words) -> str:
    if entry.until_on is None:
        return ""
    if entry.until_on == entry.due_on and entry.until_at is not None:
        at = datetime.combine(entry.until_on, entry.until_at, link.zone)
        return words("entry_until_clock", until=words.clock(at))
    return words("entry_until", until=local_moment(entry.until_on, entry.until_at, link, words))


def kind_word(kind: str, link: Link, words: Words) -> str:
    """« Décision » of a kind; of a configured one, its first word, or its name once it is configured no more."""
    own = next((one for one in link.association.entry_register.kinds if one.name == kind), None)
    if own is not None:
        return own.words[0].capitalize()
    return words(f"kind_{kind}") if kind in FIRST_STATES else kind.capitalize()


def state_word(entry: Entry, words: Words) -> str:
    """« adoptée » of an entry's state; a configured kind's state is its own word."""
    return words(f"state_{entry.kind}_{entry.state}") if entry.kind in FIRST_STATES else entry.state


def local_moment(day: date | None, clock: time | None, link: Link, words: Words) -> str:
    """« jeudi 12 novembre à 18 h 30 » of a day and a time on the wall; without a time the day alone; "" for none."""
    if day is None:
        return ""
    if clock is None:
        return words.calendar_day(day)
    return words.moment(datetime.combine(day, clock, link.zone), weekday=True)


def unclear_date(written: str, candidates: Sequence[When], link: Link, words: Words) -> str:
    """What is told of a date that may be several: which, where they are few; otherwise to say it again."""
    choices = list(dict.fromkeys(local_moment(one.day, one.time, link, words) for one in candidates))
    if not 1 < len(choices) <= _MOST_CHOICES:
        return words("date_vague", written=written)
    return words("date_unclear", written=written, days=words("or").join(choices))
