"""Entries of the register as rows of a table, to be taken along: for the web and the command line alike."""

from collections.abc import Collection, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId, PostId
from passerelle.core.links import Link
from passerelle.core.register_export import ExportedEntry, ExportedObjection
from passerelle.core.register_model import Entry
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import ShownEntry, shown_entries
from passerelle.store.register import find_entry
from passerelle.store.register_lists import EntryFilter, Order, list_entries
from passerelle.store.register_pages import standing_posts

#: Entries that are read at a time.
_AT_A_TIME = 500


async def exported_entries(
    ctx: FlowContext, conn: AsyncConnection, link: Link, wanted: EntryFilter, *, order: Order = "number"
) -> list[ExportedEntry]:
    """All entries of an association that a filter finds. `link`: any of it, for its words and its zone."""
    rows: list[ExportedEntry] = []
    while True:
        found = await list_entries(conn, link.association_name, wanted, order=order, limit=_AT_A_TIME, offset=len(rows))
        shown = await shown_entries(ctx, conn, link, found)
        numbers = await _numbers(conn, found)
        said = {o.post_id for one in shown for o in one.objections if o.post_id is not None}
        standing = await standing_posts(conn, said)
        rows += [_row(entry, one, numbers, standing) for entry, one in zip(found, shown, strict=True)]
        if len(found) < _AT_A_TIME:
            return rows


async def _numbers(conn: AsyncConnection, entries: Sequence[Entry]) -> dict[EntryId, int]:
    """What the decisions that stand in the place of others are called."""
    ids = {entry.replaced_by for entry in entries if entry.replaced_by is not None}
    found = [await find_entry(conn, id) for id in sorted(ids)]
    return {entry.id: entry.number for entry in found if entry is not None}


def _row(entry: Entry, shown: ShownEntry, numbers: dict[EntryId, int], standing: Collection[PostId]) -> ExportedEntry:
    objections = tuple(
        ExportedObjection(
            name=o.name,
            passed_on_by=o.passed_on_by,
            # Its words were taken back: it counts all the same.
            reason=o.reason if o.post_id is None or o.post_id in standing else "",
            at=o.at,
        )
        for o in shown.objections
    )
    return ExportedEntry(
        number=entry.number,
        kind=entry.kind,
        kind_word=shown.kind_word,
        text=entry.text,
        state=entry.state,
        state_word=shown.state_word,
        names=shown.names,
        label=entry.label,
        quantity=entry.quantity,
        due_on=entry.due_on,
        due_at=entry.due_at,
        until_on=entry.until_on,
        until_at=entry.until_at,
        said_at=entry.said_at,
        author=entry.author_name,
        said_for=entry.said_for,
        link=entry.link,
        open_until=entry.open_until,
        review_on=entry.review_on,
        replaced_by=numbers.get(entry.replaced_by) if entry.replaced_by is not None else None,
        objections=objections,
        url=shown.url,
    )
