"""Keyed hashes of what was relayed; they outlive erasure and retention and say nothing to who has no key."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName
from passerelle.store.dialects import upsert
from passerelle.store.tables import seen

#: `post`: an email relayed on a link; `line`: a line of the room that left in a mail; `redacted`: an event of a room
#: that was taken back, before or after it came; `letter`: an email to the bridge alone that was obeyed.
SeenKind = Literal["post", "line", "redacted", "letter"]

_INSERT = upsert(seen, lambda i: i.on_conflict_do_nothing(index_elements=["association", "kind", "keyed_hash"]))
_FIND = select(seen.c.keyed_hash).where(
    seen.c.association == bindparam("association"),
    seen.c.kind == bindparam("kind"),
    seen.c.keyed_hash.in_(bindparam("hashes", expanding=True)),
)
_DELETE = delete(seen).where(
    seen.c.association == bindparam("in_association"),
    seen.c.kind == bindparam("of_kind"),
    seen.c.keyed_hash.in_(bindparam("hashes", expanding=True)),
)
#: How many are looked up by one statement: each is a parameter of its own.
_AT_ONCE = 1000


async def insert_seen(
    conn: AsyncConnection, association: AssociationName, kind: SeenKind, hashes: Iterable[str], now: datetime
) -> None:
    """Note hashes for ever; those that are noted already keep their time."""
    row = {"association": association, "kind": kind, "seen_at": now}
    if rows := [row | {"keyed_hash": keyed_hash} for keyed_hash in sorted(set(hashes))]:
        await conn.execute(_INSERT(conn), rows)


async def find_seen(
    conn: AsyncConnection, association: AssociationName, kind: SeenKind, hashes: Iterable[str]
) -> set[str]:
    """Which of these hashes are noted."""
    wanted = sorted(set(hashes))
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        values = {"association": association, "kind": kind, "hashes": wanted[start : start + _AT_ONCE]}
        found.update(row.keyed_hash for row in await conn.execute(_FIND, values))
    return found


async def delete_seen(
    conn: AsyncConnection, association: AssociationName, kind: SeenKind, hashes: Iterable[str]
) -> None:
    """What was about to leave does not: these are not seen after all."""
    wanted = sorted(set(hashes))
    for start in range(0, len(wanted), _AT_ONCE):
        values = {"in_association": association, "of_kind": kind, "hashes": wanted[start : start + _AT_ONCE]}
        await conn.execute(_DELETE, values)
