"""What was hidden, taken back or erased stands in no digest: not in those that were made, nor in those that wait."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_forgetting import Gone, without_gone
from passerelle.core.ids import AssociationName, PostId
from passerelle.store.digest_tables import digest, fiche
from passerelle.store.outbox_forgetting import cancel_unbegun
from passerelle.store.scrub_digests import (
    Span,
    delete_offers_of,
    end_offers_of,
    find_gone,
    list_departures_of_digest,
    list_departures_of_fiche,
    list_digests_holding,
    list_fiches_holding,
    make_anew,
    set_document,
)
from passerelle.store.scrub_traffic import forget_content, forget_mail_bytes

_WHY = "it told of what is gone"


@dataclass(slots=True)
class DigestTraces:
    """What is left to do elsewhere."""

    #: Departures that were leaving this instant: to be forgotten once they have.
    leaving: list[int] = field(default_factory=list)
    #: Message-IDs of mails of which no copy is to stay in the bridge's own mailboxes.
    message_ids: list[str] = field(default_factory=list)
    not_sent: int = 0


async def forget_posts_in_digests(
    conn: AsyncConnection,
    association: AssociationName,
    post_ids: Collection[PostId],
    *,
    now: datetime,
    is_final: bool = True,
    keeps_published: bool = False,
) -> DigestTraces:
    """Take what stands on these posts out of digests and fiches, and out of offers.

    Args:
        is_final: nothing is to be kept of them; else they are hidden: digests that were sent stay in the outbox.
        keeps_published: their time is over, and nobody wants them gone: what was published of them stays.
    """
    gone, span = await find_gone(conn, post_ids)
    if is_final:
        await delete_offers_of(conn, post_ids)
    else:
        await end_offers_of(conn, post_ids, now)
    return await forget_in_digests(
        conn, association, gone, span=span, now=now, is_final=is_final, keeps_published=keeps_published
    )


async def forget_in_digests(
    conn: AsyncConnection,
    association: AssociationName,
    gone: Gone,
    *,
    span: Span | None = None,
    now: datetime,
    is_final: bool = True,
    keeps_published: bool = False,
) -> DigestTraces:
    """Take what stands on `gone` out of digests and fiches.

    A digest that no server has begun to get is cancelled, and its reader is due another of the same time at once.

    Args:
        span: of which time posts of it are: no digest that is older tells of it.
        keeps_published: as `forget_posts_in_digests`.
    """
    traces = DigestTraces()
    if not gone:
        return traces
    for made in await list_digests_holding(conn, association, gone, span=span):
        document = without_gone(made["document"], gone)
        if document == made["document"] and not made["is_whole"]:
            continue
        leaving = await list_departures_of_digest(conn, made["permalink"])
        if await _call_back(conn, leaving, traces, is_final=is_final):
            traces.not_sent += 1
            await make_anew(conn, made, now)
        else:
            await set_document(conn, digest, made["id"], document)
    for one in await list_fiches_holding(conn, association, gone):
        # Each person quoted agreed that it is published, and may take that back at any time.
        if keeps_published and one["state"] == "published":
            continue
        document = without_gone(one["document"], gone)
        if document != one["document"]:
            await _call_back(conn, await list_departures_of_fiche(conn, one["id"]), traces, is_final=is_final)
            await set_document(conn, fiche, one["id"], document)
    return traces


async def _call_back(conn: AsyncConnection, departures: Sequence[Any], traces: DigestTraces, *, is_final: bool) -> bool:
    """Whether what tells of what is gone had not begun to leave, and does not."""
    found = False
    for row in departures:
        if row.state == "waiting" and await cancel_unbegun(conn, row.id, _WHY):
            await forget_content(conn, row.id, row.upload_hash)
            found = True
        elif is_final:
            await forget_departure(conn, row.id, traces)
            traces.message_ids += [row.message_id] if row.message_id else []
    return found


async def forget_departure(conn: AsyncConnection, outbox_id: int, traces: DigestTraces) -> None:
    """Keep nothing of a digest that left, or will not; it is noted where it is leaving this instant."""
    if not await forget_mail_bytes(conn, outbox_id):
        traces.leaving.append(outbox_id)
