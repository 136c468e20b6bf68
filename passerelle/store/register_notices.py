"""Which entries both sides are to be told of together, and which notices of them are on their way."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BigInteger, and_, bindparam, func, literal_column, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, EntryId, LinkName
from passerelle.core.register_model import Entry
from passerelle.store.register import SHAPE
from passerelle.store.register_lists import SHOWN
from passerelle.store.secretary_tables import entry
from passerelle.store.types import Instant

_OF_LINK = (entry.c.association == bindparam("association"), entry.c.link == bindparam("link"))
_THESE = entry.c.id.in_(bindparam("ids", expanding=True))
# As the partial index has it, so that it is used: of thousands of links few have something to tell.
_OPEN = entry.c.announce_state.in_([literal_column("'wanted'"), literal_column("'telling'")])
_WANTED = and_(_OPEN, entry.c.announce_state == "wanted")
_TELLING = and_(_OPEN, entry.c.announce_state == "telling")
_LINKS = select(entry.c.association, entry.c.link).where(_OPEN).distinct()
# As an expression, so that SQLite does not walk all that ever changed for the sake of its order.
_CHANGED = type_coerce(entry.c.changed_at, BigInteger) + literal_column("0")
_LIST_WANTED = (
    select(*SHAPE.columns).where(*_OF_LINK, _WANTED, SHOWN).order_by(_CHANGED, entry.c.id).limit(bindparam("limit"))
)
_LIST_TELLING = select(*SHAPE.columns).where(*_OF_LINK, _TELLING).order_by(entry.c.told_at, entry.c.id)
_OLDEST_WANTED = select(type_coerce(func.min(_CHANGED), Instant)).where(*_OF_LINK, _WANTED, SHOWN)
_LAST_TOLD = select(func.max(entry.c.told_at, type_=Instant)).where(*_OF_LINK, entry.c.told_at.is_not(None))
#: What is being told just now is looked at once more when that has left (`flows.register_notice`).
_WANT = (
    update(entry)
    .where(entry.c.id == bindparam("which"), entry.c.announce_state != "telling")
    .values(announce_state="wanted", changed_at=bindparam("now"))
)
_BEGIN = update(entry).where(_THESE, _WANTED).values(announce_state="telling", told_at=bindparam("now"))
_AGAIN = update(entry).where(_THESE, _TELLING).values(announce_state="wanted")
_LEFT = (
    update(entry)
    .where(entry.c.id == bindparam("which"), entry.c.announce_state.in_(["telling", "told"]))
    .values(announce_state="told", told_at=bindparam("left"), open_until=bindparam("until"))
)
_ANEW = update(entry).where(entry.c.id == bindparam("which")).values(open_until=None)


async def links_with_notices(conn: AsyncConnection) -> list[tuple[AssociationName, LinkName]]:
    """Links of which both sides are to be told something, or are being told."""
    return [(AssociationName(association), LinkName(link)) for association, link in await conn.execute(_LINKS)]


async def list_wanted(
    conn: AsyncConnection, association: AssociationName, link: LinkName, *, limit: int
) -> list[Entry]:
    """Entries of a link that both sides are to be told of, the longest waiting first."""
    values = {"association": association, "link": link, "limit": limit}
    return SHAPE.values((await conn.execute(_LIST_WANTED, values)).all())


async def oldest_wanted_at(conn: AsyncConnection, association: AssociationName, link: LinkName) -> datetime | None:
    """Since when the first of them waits; None where none does."""
    found: datetime | None = (await conn.execute(_OLDEST_WANTED, {"association": association, "link": link})).scalar()
    return found


async def last_notice_at(conn: AsyncConnection, association: AssociationName, link: LinkName) -> datetime | None:
    """When the last notice of entries was made or had left; None where there was none."""
    found: datetime | None = (await conn.execute(_LAST_TOLD, {"association": association, "link": link})).scalar()
    return found


async def want_telling(conn: AsyncConnection, id: EntryId, now: datetime) -> None:
    """Both sides are to be told of an entry, or of what became of it."""
    await conn.execute(_WANT, {"which": id, "now": now})


async def list_telling(conn: AsyncConnection, association: AssociationName, link: LinkName) -> list[Entry]:
    """Entries whose notice is made and not known to have left; `told_at` is when it was made."""
    return SHAPE.values((await conn.execute(_LIST_TELLING, {"association": association, "link": link})).all())


async def begin_telling(conn: AsyncConnection, ids: Collection[EntryId], now: datetime) -> None:
    """The notice of these is made."""
    await conn.execute(_BEGIN, {"ids": list(ids), "now": now})


async def tell_again(conn: AsyncConnection, ids: Collection[EntryId]) -> None:
    """The notice of these will never leave as it is: another one is to be made."""
    await conn.execute(_AGAIN, {"ids": list(ids)})


async def note_told(conn: AsyncConnection, id: EntryId, *, left_at: datetime, open_until: datetime | None) -> None:
    """Both sides have been told of an entry; of a proposed decision, objections are awaited until `open_until`."""
    await conn.execute(_LEFT, {"which": id, "left": left_at, "until": open_until})


async def begin_delay_anew(conn: AsyncConnection, id: EntryId) -> None:
    """A decision reads otherwise: objections are awaited from when both sides have been told of that."""
    await conn.execute(_ANEW, {"which": id})
