"""A person in the register, in meetings, in questions that were asked back: what others said of them names nobody.

An adopted decision and approved minutes are the group's: their words stay, without the person's name; or as they are,
where a coordinator keeps them for a reason (PEOPLE 6). Entries that are nobody else's go later, with the posts
(`erase_entries`). In small steps, each of which says how far it has come.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId, PostId
from passerelle.core.pseudonyms import (
    Pseudonym,
    is_called,
    phrases_of,
    pseudonym_of,
    texts_in,
    unname,
    with_texts,
    without_entries,
    without_person,
)
from passerelle.core.quoted_words import Traces, mark_out, traces_of
from passerelle.flows.erase_traces import Erasing, Going, LookedFor, names_alone
from passerelle.store.privacy import list_other_names, set_progress
from passerelle.store.register import get_entry
from passerelle.store.scrub_digests import list_offers_by, list_written_for_fiches
from passerelle.store.scrub_secretary import (
    Row,
    list_approved_meetings,
    list_entries_after,
    list_entries_by,
    list_entries_naming,
    list_entries_standing_on,
    list_held_entries,
    list_meetings_after,
    list_meetings_naming,
    list_names_noted,
    list_rows,
    list_sayings,
    set_row,
)
from passerelle.store.secretary_tables import (
    ask,
    attendance,
    correction,
    entry,
    entry_change,
    entry_person,
    meeting,
    minutes,
    objection,
    reminder,
    rsvp,
    vote,
)

_ENTRIES_AT_ONCE = 50
_MEETINGS_AT_ONCE = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Columns:
    """Where names and words stand in a table."""

    table: Table
    #: The column by which a row belongs to an entry, a meeting or an association.
    key: str
    #: Whose the row is, called as the first of `names` says.
    person: str = ""
    names: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    #: Of the texts, what whoever `person` is said themselves.
    said: tuple[str, ...] = ()


_OF_ENTRIES = (
    _Columns(
        table=entry, key="id", person="author_person_id", names=("author_name", "said_for"), texts=("text", "label")
    ),
    _Columns(table=entry_person, key="entry_id", person="person_id", names=("name",)),
    _Columns(
        table=entry_change, key="entry_id", person="by_person_id", names=("by_name",), texts=("detail",),
        said=("detail",),
    ),
    _Columns(
        table=objection, key="entry_id", person="person_id", names=("name", "passed_on_by"), texts=("reason",),
        said=("reason",),
    ),
)  # fmt: skip
_OF_MEETINGS = (
    _Columns(
        table=meeting, key="id", person="organizer_person_id",
        names=("organizer_name", "chair_name", "secretary_name"), texts=("title", "place", "notes"),
    ),
    _Columns(table=rsvp, key="meeting_id", person="person_id", names=("name", "said_by")),
    _Columns(
        table=attendance, key="meeting_id", person="person_id", names=("name", "represented_by", "said_by"),
        texts=("how",), said=("how",),
    ),
    _Columns(table=vote, key="meeting_id", texts=("text",)),
    _Columns(
        table=correction, key="meeting_id", person="by_person_id", names=("by_name",), texts=("text",), said=("text",)
    ),
)  # fmt: skip
_MINUTES = _Columns(table=minutes, key="meeting_id", names=("by_name",))
_REMINDERS = _Columns(table=reminder, key="association", person="by_person_id", names=("by_name",), texts=("text",))
_ASKS = _Columns(table=ask, key="association", person="person_id", texts=("answer",))


@dataclass(frozen=True, kw_only=True, slots=True)
class HowCleaned:
    """How rows are cleaned: by names alone, or of a person's words too."""

    erasing: Erasing
    going: Going
    traces: Traces
    #: The rows are about the person: parts of their name mean them.
    is_about: bool

    @property
    def person_id(self) -> int | None:
        return self.erasing.person.id if self.erasing.person is not None else None


async def what_goes(erasing: Erasing, wanted: LookedFor, own: Collection[PostId]) -> Going:
    """Which entries go with these posts and the person, and what is looked for in what the bridge itself wrote."""
    person = erasing.person
    async with erasing.ctx.store.read() as conn:
        ids = set(await list_entries_standing_on(conn, own))
        said: list[str] = []
        names = set(wanted.names)
        others: list[str] = []
        if person is not None:
            ids.update(await list_entries_by(conn, person.id))
            said = [*await list_sayings(conn, person.id), *await list_offers_by(conn, person.id)]
            said += await list_written_for_fiches(conn, person.id)
            names |= {person.name, *await list_names_noted(conn, person.id)}
            others = await list_other_names(conn, erasing.association, person.id)
            for one in await list_rows(conn, ask, "person_id", [person.id]):
                said += [one["answer"], *texts_in(one["about"])]
        going = ids - await list_held_entries(conn, ids)
        entries = [await get_entry(conn, id) for id in sorted(going)]
    who = pseudonym_of(await names_alone(erasing, names), erasing.nobody, others=others) if person is not None else None
    return Going(
        entries=frozenset(going),
        numbers=frozenset(one.number for one in entries),
        phrases=phrases_of([*said, *(one.text for one in entries)]),
        who=who,
    )


# ------------------------------------------------------------ the steps


async def in_entries(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through the register; whether there is more."""
    async with erasing.ctx.store.write() as conn:
        entries = await list_entries_after(
            conn, erasing.association, int(erasing.far.get("entry", 0)), _ENTRIES_AT_ONCE
        )
        if not entries:
            return False
        rest = [one.id for one in entries if one.id not in wanted.going.entries]
        held = await list_held_entries(conn, rest)
        about = await list_entries_naming(conn, erasing.person.id, rest) if erasing.person is not None else frozenset()
        changed: set[EntryId] = set()
        for columns in _OF_ENTRIES:
            for row in await list_rows(conn, columns.table, columns.key, rest):
                id = row[columns.key]
                how = how_cleaned(erasing, wanted, is_held=id in held, is_about=id in about)
                if how is not None and await _clean(conn, row, columns, how, keep=erasing.keeps and id in held):
                    changed.add(id)
        _note(erasing, changed, held, "decisions")
        erasing.far["entry"] = entries[-1].id
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def in_meetings(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through the meetings and their minutes; whether there is more."""
    async with erasing.ctx.store.write() as conn:
        ids = await list_meetings_after(
            conn, erasing.association, int(erasing.far.get("meeting", 0)), _MEETINGS_AT_ONCE
        )
        if not ids:
            return False
        approved = await list_approved_meetings(conn, ids)
        about = await list_meetings_naming(conn, erasing.person.id, ids) if erasing.person is not None else frozenset()
        changed: set[int] = set()
        for id in ids:
            how = how_cleaned(erasing, wanted, is_held=id in approved, is_about=id in about)
            if how is not None and await _clean_meeting(conn, id, how, keep=erasing.keeps and id in approved):
                changed.add(id)
        _note(erasing, changed, approved, "minutes")
        erasing.far["meeting"] = ids[-1]
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def in_asks(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """Reminders and questions, in one step; whether there is more. Those that are the person's own go later."""
    if erasing.far.get("asks"):
        return False
    how = how_cleaned(erasing, wanted, is_held=False, is_about=False)
    async with erasing.ctx.store.write() as conn:
        for columns in (_REMINDERS, _ASKS) if how is not None else ():
            for row in await list_rows(conn, columns.table, columns.key, [erasing.association]):
                assert how is not None
                if how.person_id is None or row[columns.person] != how.person_id:
                    await _clean(conn, row, columns, how)
                    if columns is _ASKS:
                        about = with_texts(row["about"], lambda text: cleaned_text(text, how))
                        if about != row["about"]:
                            await set_row(conn, ask, row, {"about": about})
        erasing.far["asks"] = True
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


def how_cleaned(erasing: Erasing, wanted: LookedFor, *, is_held: bool, is_about: bool) -> HowCleaned | None:
    """How to clean what is held by the group, or is not; None where a post alone is erased, which the group holds."""
    if is_held and erasing.person is None:
        return None
    traces = wanted.elsewhere.traces
    if is_held:
        traces = traces_of([], names=wanted.names, addresses=erasing.addresses, user_ids=erasing.user_ids)
    return HowCleaned(erasing=erasing, going=wanted.going, traces=traces, is_about=is_about)


def _note(erasing: Erasing, changed: Collection[int], held: Collection[int], what: str) -> None:
    """Where names went, for the receipt; or were kept."""
    kept = len(set(changed).intersection(held)) if erasing.keeps else 0
    if kept:
        erasing.note_kept(what, kept)
    if erasing.person is not None:
        erasing.count(f"names_in_{what}", len(changed) - kept)


# ------------------------------------------------------------ rows


async def _clean(conn: AsyncConnection, row: Row, columns: _Columns, how: HowCleaned, *, keep: bool = False) -> bool:
    """Whether there was anything of the person in a row; it is changed unless `keep`."""
    values = _cleaned(row, columns, how)
    if values and not keep:
        await set_row(conn, columns.table, row, values)
    return bool(values)


def _cleaned(row: Row, columns: _Columns, how: HowCleaned) -> dict[str, str]:
    theirs = bool(columns.person) and how.person_id is not None and row[columns.person] == how.person_id
    values: dict[str, str] = {}
    for column in columns.names:
        own_name = theirs and column == columns.names[0]
        values[column] = how.erasing.nobody if own_name and row[column] else cleaned_name(row[column], how)
    for column in columns.texts:
        values[column] = "" if theirs and column in columns.said else cleaned_text(row[column], how)
    return {column: value for column, value in values.items() if value != row[column]}


def cleaned_name(name: str, how: HowCleaned) -> str:
    """What stands instead of a name in a row: words that name nobody where it is the person's."""
    who = how.going.who
    if who is None:
        return name
    return who.mark if is_called(name, who) else mark_out(unname(name, who), how.traces, how.erasing.marks).text


def cleaned_text(text: str, how: HowCleaned) -> str:
    """A text without the person's name and words."""
    who = how.going.who
    named = unname(text, who, whole_only=not how.is_about) if who is not None else text
    return mark_out(named, how.traces, how.erasing.marks).text


async def _clean_meeting(conn: AsyncConnection, id: int, how: HowCleaned, *, keep: bool) -> bool:
    found = False
    for columns in _OF_MEETINGS:
        rows = await list_rows(conn, columns.table, columns.key, [id])
        taken = {row["name"] for row in rows} if columns.table is attendance else set()
        for row in rows:
            values: dict[str, Any] = {**_cleaned(row, columns, how)}
            found = found or bool(values)
            if columns.table is attendance and "name" in values:
                # Each name stands once.
                values["name"] = _free(values["name"], taken)
                taken.add(values["name"])
            if values and not keep:
                await set_row(conn, columns.table, row, values)
    for row in await list_rows(conn, minutes, "meeting_id", [id]):
        values = {**_cleaned(row, _MINUTES, how)}
        document = _cleaned_minutes(row["document"], how, is_draft=row["state"] == "draft")
        if document != row["document"]:
            values["document"] = document
        found = found or bool(values)
        if values and not keep:
            await set_row(conn, minutes, row, values)
    return found


def _free(name: str, taken: Collection[str]) -> str:
    if name not in taken:
        return name
    return next(free for number in range(2, len(taken) + 3) if (free := f"{name} ({number})") not in taken)


def _cleaned_minutes(document: Mapping[str, Any], how: HowCleaned, *, is_draft: bool) -> dict[str, Any]:
    who: Pseudonym | None = how.going.who
    marks = how.erasing.marks
    cleaned = dict(document)
    if is_draft:
        cleaned = without_entries(cleaned, how.going.numbers)
    if who is not None and how.is_about:
        cleaned = without_person(cleaned, who, marks.words)
    return with_texts(cleaned, lambda text: cleaned_text(text, how))
