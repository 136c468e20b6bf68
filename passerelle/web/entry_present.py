"""Entries of the register as pages show them: in words, with absolute dates."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from passerelle.core.first_names import is_titled
from passerelle.core.ids import EntryId, PostId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.core.names import one_line, safe_name
from passerelle.core.register_model import Entry, EntryChange, NamedPerson, Objection
from passerelle.core.register_moves import FIRST_STATES, OPEN_STATES, is_overdue
from passerelle.core.wording import Words
from passerelle.flows.entries_shown import kind_word, state_word
from passerelle.store.register import EntrySource
from passerelle.web.lists import link_title
from passerelle.web.paths import Paths
from passerelle.web.present import author_of, day_of, moment_of

_TITLE_CHARACTERS = 180
#: « Un membre de la liste », « A member of the list »: how whoever has no name is shown.
_NOBODY = frozenset({"un", "une", "a", "somebody"})
#: Moves whose line of history has a sentence of its own (catalogues: `web_move_…`).
_KNOWN_MOVES = frozenset({
    "noted", "told", "reminded", "edited", "carried", "confirm", "decline", "object", "withdraw", "settle", "adopt",
    "replace", "review", "drop", "finish", "reopen", "give_back", "treat", "carry", "take_back",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonView:
    """A name; what stands behind the first name is not printed (PEOPLE 9)."""

    first: str
    rest: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fact:
    """What is known of an entry or a meeting, under its name."""

    name: str
    text: str = ""
    people: tuple[PersonView, ...] = ()
    #: Where it leads: an address elsewhere; "" nowhere.
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryLine:
    """An entry in the table of the register."""

    number: int
    path: str
    kind_word: str
    text: str
    label: str
    #: Whom it names; else who said it.
    who: tuple[PersonView, ...]
    #: « pour le jeudi 12 novembre 2026 », « samedi 5 juin 2027, de 8 h 30 à 19 h »; "" where nothing was said.
    due: str
    overdue: bool
    state_word: str
    #: Something is still expected.
    expected: bool
    said_at: datetime
    said: str
    #: In which link; "" where there is one only.
    link: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectionView:
    by: PersonView
    passed_on_by: PersonView | None
    reason: str
    at: datetime
    day: str
    #: Why it stands no longer, in words; "" while it does.
    ended: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeView:
    """One line of an entry's history."""

    at: datetime
    moment: str
    what: str
    #: None where the bridge did it by itself.
    by: PersonView | None
    #: Permalink of the post by which it was said; "" where there is none that may be read.
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceView:
    """A post that an entry comes from, and that the reader may read."""

    path: str
    #: `source`, `mark`, `answer`.
    role: str
    author: PersonView
    side: str
    at: datetime
    moment: str


def day_on_the_wall(day: date | None, clock: time | None, link: Link, words: Words) -> str:
    """« jeudi 12 novembre 2026 à 18 h 30 », without a time the day alone; "" for no day."""
    if day is None:
        return ""
    if clock is None:
        return words.calendar_day(day, year=True)
    return words.moment(datetime.combine(day, clock, link.zone), weekday=True, year=True)


def span_of(entry: Entry, link: Link, words: Words) -> str:
    """From when to when: « samedi 5 juin 2027, de 8 h 30 à 19 h »; "" where no day was said."""
    start = day_on_the_wall(entry.due_on, entry.due_at, link, words)
    if not start or entry.until_on is None:
        return start
    if entry.until_on == entry.due_on and entry.due_on is not None:
        if entry.due_at is None or entry.until_at is None:
            return start
        ends = [words.clock(datetime.combine(entry.due_on, at, link.zone)) for at in (entry.due_at, entry.until_at)]
        day = words.calendar_day(entry.due_on, year=True)
        return words("web_day_and_hours", day=day, start=ends[0], end=ends[1])
    return words("web_from_until", start=start, end=day_on_the_wall(entry.until_on, entry.until_at, link, words))


def due_of(entry: Entry, link: Link, words: Words) -> str:
    """When an entry is due, or when it is; of a decision, until when one may object; "" where no day is known."""
    span = span_of(entry, link, words)
    if not span and entry.open_until is not None and entry.state in ("proposed", "objected"):
        return words("web_open_until", day=day_of(words, entry.open_until))
    return words("entry_due", due=span) if span and entry.kind in ("action", "loan") else span


def name_of(name: str, words: Words) -> str:
    """A name that is fit to be shown."""
    return safe_name(name) or words("someone")


def person_view(name: str) -> PersonView:
    """A name that is fit to be shown, in its two parts. « Mme Haddad » is one part: there is no first name in it."""
    first, space, rest = name.partition(" ")
    if is_titled(name) or first.casefold() in _NOBODY or not rest:
        return PersonView(first=name)
    return PersonView(first=first, rest=space + rest)


def title_of_entry(entry: Entry) -> str:
    """What an entry says, short enough for a title."""
    text = one_line(entry.text)
    return text if len(text) <= _TITLE_CHARACTERS else text[:_TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def entry_lines(
    entries: Sequence[Entry],
    *,
    people: Mapping[EntryId, tuple[NamedPerson, ...]],
    link: Link,
    words: Words,
    paths: Paths,
    today: date,
) -> list[EntryLine]:
    """Entries for the table, in their order. `link`: any of the association; `today`: of its zone."""
    several = len(link.association.links) > 1
    lines = []
    for entry in entries:
        named = [name_of(one.name, words) for one in people.get(entry.id, ())]
        lines.append(
            EntryLine(
                number=entry.number,
                path=paths.entry(entry.number),
                kind_word=kind_word(entry.kind, link, words),
                text=one_line(entry.text) or "…",
                label=one_line(entry.label),
                who=tuple(map(person_view, named or [name_of(entry.said_for or entry.author_name, words)])),
                due=due_of(entry, link, words),
                overdue=is_overdue(entry, today),
                state_word=words("web_objected") if entry.state == "objected" else state_word(entry, words),
                expected=entry.state in OPEN_STATES or is_unfinished(entry, link),
                said_at=entry.said_at,
                said=day_of(words, entry.said_at),
                link=link_title(entry.link) if several else "",
            )
        )
    return lines


def is_unfinished(entry: Entry, link: Link) -> bool:
    """Whether an entry of a configured kind is as it began."""
    own = next((one for one in link.association.entry_register.kinds if one.name == entry.kind), None)
    return own is not None and entry.state == own.states[0]


def objection_views(
    objections: Sequence[Objection], words: Words, *, standing: Collection[PostId]
) -> list[ObjectionView]:
    """Objections in their order, those that count no longer too; the reason goes where its post was taken back."""
    return [
        ObjectionView(
            by=person_view(name_of(one.name, words)),
            passed_on_by=person_view(name_of(one.passed_on_by, words)) if one.passed_on_by else None,
            reason=one_line(one.reason) if one.post_id is None or one.post_id in standing else "",
            at=one.at,
            day=day_of(words, one.at),
            ended=_ended(one, words),
        )
        for one in objections
    ]


def _ended(objection: Objection, words: Words) -> str:
    if objection.withdrawn_at is not None:
        return words("web_objection_withdrawn", day=day_of(words, objection.withdrawn_at))
    if objection.settled_at is not None:
        return words("web_objection_settled", day=day_of(words, objection.settled_at))
    return ""


def change_views(
    changes: Sequence[EntryChange],
    *,
    entry: Entry,
    posts: Mapping[PostId, Post],
    standing: Collection[PostId],
    words: Words,
    paths: Paths,
) -> list[ChangeView]:
    """The lines of an entry's history.

    Args:
        posts: those by which something was said, as far as the reader may read them.
        standing: those that were not taken back: of the others the words go.
    """
    views = []
    for change in changes:
        post = posts.get(change.post_id) if change.post_id is not None else None
        views.append(
            ChangeView(
                at=change.at,
                moment=moment_of(words, change.at),
                what=_what(change, entry, words, with_words=change.post_id is None or change.post_id in standing),
                by=person_view(name_of(change.by_name, words)) if change.medium != "clock" else None,
                path=paths.short(post.permalink) if post is not None else "",
            )
        )
    return views


def _what(change: EntryChange, entry: Entry, words: Words, *, with_words: bool) -> str:
    if change.move == "set" or change.move not in _KNOWN_MOVES:
        state = state_in_words(entry.kind, change.after_state, words)
        return words("web_move_set", state=state) if state else words("web_move_other")
    told = words(f"web_move_{change.move}")
    detail = _detail(change, words) if with_words else ""
    return f"{told} {detail}" if detail else told


def _detail(change: EntryChange, words: Words) -> str:
    text = one_line(change.detail)
    if not text:
        return ""
    if change.move == "replace" and text.isdecimal():
        return words("web_move_by_number", number=text)
    if change.move == "review":
        try:
            return words("web_move_on_day", day=words.calendar_day(date.fromisoformat(text), year=True))
        except ValueError:
            pass
    return words("web_move_for", name=safe_name(text)) if change.move == "object" else words("web_quoted", text=text)


def state_in_words(kind: str, state: str, words: Words) -> str:
    """« adoptée »; a configured kind's state is its own word."""
    return words(f"state_{kind}_{state}") if state and kind in FIRST_STATES else state


def source_views(
    sources: Sequence[EntrySource], posts: Mapping[PostId, Post], *, words: Words, paths: Paths
) -> list[SourceView]:
    """The posts that an entry comes from, as far as the reader may read them."""
    views = []
    for source in sources:
        post = posts.get(source.post_id)
        if post is not None:
            views.append(
                SourceView(
                    path=paths.short(post.permalink),
                    role=source.role,
                    author=person_view(author_of(words, post.side, post.author_name)),
                    side=post.side,
                    at=post.said_at,
                    moment=moment_of(words, post.said_at),
                )
            )
    return views
