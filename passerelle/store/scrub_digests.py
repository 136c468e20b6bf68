"""Erasing, hiding and retention: digests, what readers were shown, offers, consents, fiches.

Nothing here decides what goes. What a document stands on is looked for in its text first, then in its values.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    and_,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    true,
    type_coerce,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import About, about_key
from passerelle.core.digest_forgetting import Gone
from passerelle.core.ids import AssociationName, LinkName, PostId, ThreadId
from passerelle.store.digest_tables import consent, digest, digest_shown, digest_subscription, fiche, offer
from passerelle.store.retention import Amount
from passerelle.store.scrub_secretary import Row, list_entries_standing_on
from passerelle.store.tables import outbox, post
from passerelle.store.types import Flag

#: In which ways a digest leaves; the end of its unique key.
_WAYS = ("mail", "room", "list")
#: Looked for in one statement.
_MOST_WRITTEN = 200
#: The digest's reader gets all that was said, whole, beside it.
_WANTS_ALL = exists().where(
    digest_subscription.c.association == digest.c.association,
    digest_subscription.c.person_id == digest.c.person_id,
    digest_subscription.c.whole == true(),
)
#: Of a fiche that was not published yet.
_UNPUBLISHED = ("draft", "asked")


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """From when the first was said until the last had come (aware)."""

    since: datetime
    until: datetime


async def find_gone(conn: AsyncConnection, post_ids: Collection[PostId]) -> tuple[Gone, Span | None]:
    """These posts with their conversations and the entries that no other post holds; of which time they are."""
    if not post_ids:
        return Gone(), None
    statement = select(post.c.thread_id, post.c.said_at, post.c.accepted_at).where(post.c.id.in_(list(post_ids)))
    rows = (await conn.execute(statement)).all()
    gone = Gone(
        posts=frozenset(post_ids),
        threads=frozenset(ThreadId(row.thread_id) for row in rows),
        entries=frozenset(await list_entries_standing_on(conn, post_ids)),
    )
    since = min((min(row.said_at, row.accepted_at) for row in rows), default=None)
    until = max((max(row.said_at, row.accepted_at) for row in rows), default=None)
    return gone, Span(since=since, until=until) if since is not None and until is not None else None


# ------------------------------------------------------------ documents


async def list_digests_holding(
    conn: AsyncConnection, association: AssociationName, gone: Gone, *, span: Span | None
) -> list[Row]:
    """Digests of which the document may stand on `gone`, and those beside which it left whole: `is_whole`.

    Args:
        span: of which time it is; nothing that is older tells of it.
    """
    whole: ColumnElement[bool] = false()
    if span is not None:
        whole = (digest.c.since <= span.until) & (digest.c.until >= span.since) & _WANTS_ALL
    statement = select(digest, type_coerce(whole, Flag).label("is_whole")).where(
        digest.c.association == association, or_(_may_hold(digest.c.document, gone), whole)
    )
    if span is not None:
        statement = statement.where(digest.c.made_at >= span.since)
    return [row._asdict() for row in await conn.execute(statement.order_by(digest.c.id))]


async def list_fiches_holding(conn: AsyncConnection, association: AssociationName, gone: Gone) -> list[Row]:
    """Fiches of which the document may stand on `gone`."""
    statement = select(fiche).where(fiche.c.association == association, _may_hold(fiche.c.document, gone))
    return [row._asdict() for row in await conn.execute(statement.order_by(fiche.c.id))]


def _may_hold(column: Column[Any], gone: Gone) -> ColumnElement[bool]:
    """12 is looked for as `"post_id":12`, which 120 has as well: the values decide."""
    written = type_coerce(column, Text)
    looked_for = (
        ("post_id", gone.posts), ("thread_id", gone.threads), ("entry_id", gone.entries), ("meeting_id", gone.meetings),
    )  # fmt: skip
    written_ids = [f'"{key}":{id}' for key, ids in looked_for for id in sorted(ids)]
    # SQLite's expressions may be a thousand deep: of more than a few, the values alone decide.
    if len(written_ids) > _MOST_WRITTEN:
        return true()
    return or_(false(), *(written.contains(one, autoescape=True) for one in written_ids))


async def list_documents_after(
    conn: AsyncConnection, table: Table, association: AssociationName, after: int, limit: int
) -> list[Row]:
    """The next digests, or fiches, of an association by id."""
    statement = select(table).where(table.c.association == association, table.c.id > after)
    return [row._asdict() for row in await conn.execute(statement.order_by(table.c.id).limit(limit))]


async def set_document(conn: AsyncConnection, table: Table, id: int, document: Mapping[str, Any]) -> None:
    """Another document for a digest or a fiche."""
    await conn.execute(update(table).where(table.c.id == id).values(document=document))


# ------------------------------------------------------------ what left of a digest


async def list_departures_of_digest(conn: AsyncConnection, permalink: str) -> list[Any]:
    """The mails and messages of a digest: id, state, hash of an upload, Message-ID."""
    keys = [f"digest/{permalink}/{way}" for way in _WAYS]
    return await _departures(conn, outbox.c.unique_key.in_(keys))


async def list_departures_of_fiche(conn: AsyncConnection, id: int) -> list[Any]:
    """The same of letters and messages that show a fiche's draft."""
    begins = about_key(About(kind="fiche", ids=(id,), step="draft"))
    # As a range of keys, by their index; "0" is what follows "/".
    return await _departures(conn, and_(outbox.c.unique_key >= begins, outbox.c.unique_key < f"{begins.rstrip('/')}0"))


async def _departures(conn: AsyncConnection, which: ColumnElement[bool]) -> list[Any]:
    columns = (outbox.c.id, outbox.c.state, outbox.c.upload_hash, outbox.c.message_id)
    return list((await conn.execute(select(*columns).where(which).order_by(outbox.c.id))).all())


async def make_anew(conn: AsyncConnection, made: Row, now: datetime) -> None:
    """A digest that nobody got is none: its reader is owed one of the same time, now, and was shown nothing by it."""
    await conn.execute(delete(digest).where(digest.c.id == made["id"]))
    if made["person_id"] is None or made["kind"] == "catch_up":
        return
    keys = [item["key"] for item in made["document"].get("items", ())]
    reader = (digest_shown.c.association == made["association"], digest_shown.c.person_id == made["person_id"])
    await conn.execute(delete(digest_shown).where(*reader, digest_shown.c.item_key.in_(keys)))
    await conn.execute(
        update(digest_subscription)
        .where(
            digest_subscription.c.association == made["association"],
            digest_subscription.c.person_id == made["person_id"],
            digest_subscription.c.kind == made["kind"],
            digest_subscription.c.told_until == made["until"],
            digest_subscription.c.next_at.is_not(None),
        )
        .values(next_at=now, told_until=made["since"])
    )


# ------------------------------------------------------------ offers, and whose rows are


async def end_offers_of(conn: AsyncConnection, post_ids: Collection[PostId], now: datetime) -> None:
    """Offers that were made in these posts, which are hidden, stand no longer."""
    statement = update(offer).where(offer.c.post_id.in_(list(post_ids)), offer.c.ended_at.is_(None))
    await conn.execute(statement.values(ended_at=now))


async def delete_offers_of(conn: AsyncConnection, post_ids: Collection[PostId]) -> None:
    """Nothing is kept of offers that were made in these posts."""
    await conn.execute(delete(offer).where(offer.c.post_id.in_(list(post_ids))))


async def list_own_permalinks(conn: AsyncConnection, person_id: int) -> list[str]:
    """The short permalinks of a person's digests."""
    statement = select(digest.c.permalink).where(digest.c.person_id == person_id).order_by(digest.c.id)
    return list((await conn.execute(statement)).scalars())


async def list_offers_by(conn: AsyncConnection, person_id: int) -> list[str]:
    """What a person said they can help with."""
    return list((await conn.execute(select(offer.c.text).where(offer.c.person_id == person_id))).scalars())


async def list_written_for_fiches(conn: AsyncConnection, person_id: int) -> list[str]:
    """What a person wrote for fiches, as it stands in them and stood in them before."""
    written = type_coerce(fiche.c.document, Text).contains(f'"person_id":{person_id}', autoescape=True)
    documents = (await conn.execute(select(fiche.c.document).where(written))).scalars()
    return [
        part["text"]
        for document in documents
        for part in (*(document.get("parts") or ()), *(document.get("versions") or ()))
        if isinstance(part, dict) and part.get("person_id") == person_id and isinstance(part.get("text"), str)
    ]


async def list_fiches_quoting(conn: AsyncConnection, person_id: int) -> frozenset[int]:
    """Fiches that a person made, or was asked to agree to."""
    asked = (await conn.execute(select(consent.c.what).where(consent.c.person_id == person_id))).scalars()
    made = (await conn.execute(select(fiche.c.id).where(fiche.c.made_by_person_id == person_id))).scalars()
    # `fiche:12`, and `fiche:12:network`.
    ids = [what.split(":")[1] for what in asked if what.startswith("fiche:")]
    return frozenset(made) | {int(id) for id in ids if id.isascii() and id.isdigit()}


async def delete_reader(conn: AsyncConnection, person_id: int) -> int:
    """A person's digests, how often they wanted them, what they were shown, offers, consents, fiches that nobody else
    has read; of published ones they are no longer who made them. How many rows went.
    """
    mine = (fiche.c.made_by_person_id == person_id,)
    drafts = select(fiche.c.id).where(*mine, fiche.c.state.in_(_UNPUBLISHED))
    asked = [f"fiche:{id}{more}" for id in (await conn.execute(drafts)).scalars() for more in ("", ":network")]
    statements = [
        *(delete(t).where(t.c.person_id == person_id) for t in (digest_subscription, digest_shown, digest, offer)),
        delete(consent).where(or_(consent.c.person_id == person_id, consent.c.what.in_(asked))),
        delete(fiche).where(*mine, fiche.c.state.in_(_UNPUBLISHED)),
    ]
    count = sum([(await conn.execute(statement)).rowcount for statement in statements])
    await conn.execute(update(fiche).where(*mine).values(made_by_person_id=None))
    return count


# ------------------------------------------------------------ retention


async def forget_old_digests(
    conn: AsyncConnection, association: AssociationName, link: LinkName | None, before: datetime
) -> int:
    """Digests that were made before then; of the whole association (None) also what was shown and offers that ended.

    Of the last summary of a room stays until when it told. How many rows went.
    """
    old = [delete(digest).where(*_digests_of(association, link), digest.c.made_at < before)]
    if link is not None:
        later = digest.alias("later")
        is_last = ~exists().where(
            later.c.association == association, later.c.kind == digest.c.kind, later.c.reader == digest.c.reader,
            later.c.until > digest.c.until,
        )  # fmt: skip
        last = update(digest).where(*_digests_of(association, link), digest.c.made_at < before, is_last)
        await conn.execute(last.values(document={}))
        old = [old[0].where(~is_last)]
    else:
        old += [
            delete(digest_shown).where(digest_shown.c.association == association, digest_shown.c.shown_at < before),
            delete(offer).where(offer.c.association == association, offer.c.ended_at < before),
        ]
    return sum([(await conn.execute(statement)).rowcount for statement in old])


async def amount_of_digests(
    conn: AsyncConnection, association: AssociationName, link: LinkName | None, before: datetime | None
) -> Amount:
    """Digests of a link's room, or of the whole association (None)."""
    counted: Select[Any] = select(func.count()).select_from(digest).where(*_digests_of(association, link))
    count = (await conn.execute(counted)).scalar_one()
    over = 0 if before is None else (await conn.execute(counted.where(digest.c.made_at < before))).scalar_one()
    return Amount(count=count, over=over)


def _digests_of(association: AssociationName, link: LinkName | None) -> tuple[ColumnElement[bool], ...]:
    return (digest.c.association == association, digest.c.link == (link or ""))
