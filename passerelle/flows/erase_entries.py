"""Entries of the register that go with what was erased: those that stand on these posts alone, and are nobody else's.

What an adopted decision or approved minutes hold stays, and says no longer who said it or where.
"""

from collections.abc import Collection

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId, PostId
from passerelle.core.pseudonyms import pseudonym_of, unname
from passerelle.core.register_model import Entry
from passerelle.flows.erase_traces import Erasing
from passerelle.store.privacy import list_other_names, set_progress
from passerelle.store.register import get_entry
from passerelle.store.scrub_secretary import (
    delete_asks_about,
    delete_entries,
    leave_posts,
    list_entries_by,
    list_entries_standing_on,
    list_held_entries,
    set_row,
)
from passerelle.store.secretary_tables import entry

_AT_ONCE = 20


async def erase_entries_of(erasing: Erasing, conn: AsyncConnection, post_ids: Collection[PostId]) -> None:
    """These posts are being erased: entries that no other post holds go with them."""
    standing = await list_entries_standing_on(conn, post_ids)
    held = await list_held_entries(conn, standing)
    for id in sorted(held):
        await leave_posts(conn, id, standing[id])
        if not erasing.keeps:
            await _without_author(erasing, conn, await get_entry(conn, id))
    erasing.count("entries", await _delete(conn, erasing.association, frozenset(standing) - held))


async def forget_entries_of(conn: AsyncConnection, association: AssociationName, post_id: PostId) -> None:
    """Nothing is to be kept of a post: nor are entries that no other post holds, and that bind nobody yet."""
    standing = await list_entries_standing_on(conn, [post_id])
    held = await list_held_entries(conn, standing)
    for id in sorted(held):
        await leave_posts(conn, id, standing[id])
    await _delete(conn, association, frozenset(standing) - held)


async def erase_entries_by(erasing: Erasing) -> bool:
    """A step through what a person said to the register alone, in no post; whether there is more."""
    if erasing.person is None:
        return False
    async with erasing.ctx.store.write() as conn:
        ids = await list_entries_by(conn, erasing.person.id)
        going = sorted(set(ids) - await list_held_entries(conn, ids))[:_AT_ONCE]
        erasing.count("entries", await _delete(conn, erasing.association, going))
        await set_progress(conn, erasing.request.id, erasing.far)
    return bool(going)


async def _delete(conn: AsyncConnection, association: AssociationName, ids: Collection[EntryId]) -> int:
    await delete_asks_about(conn, association, ids)
    return await delete_entries(conn, ids)


async def _without_author(erasing: Erasing, conn: AsyncConnection, one: Entry) -> None:
    """Nobody is known to have said it. Of a person this was done already, unless it was adopted since."""
    if not one.author_name or one.author_name == erasing.nobody:
        return
    others = await list_other_names(conn, erasing.association, one.author_person_id or 0)
    who = pseudonym_of([one.author_name], erasing.nobody, others=others)
    values = {
        "author_name": erasing.nobody,
        "author_person_id": None,
        "text": unname(one.text, who, whole_only=False),
        "label": unname(one.label, who, whole_only=False),
    }
    await set_row(conn, entry, {"id": one.id}, values)
