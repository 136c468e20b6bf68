"""A person's words in what left, or is to leave: mails are made anew without them, or kept no longer; events go."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.about import parse_about
from passerelle.core.ids import EventId, PostId
from passerelle.core.links import Link
from passerelle.core.model import KnownMessageId
from passerelle.core.pseudonyms import texts_in
from passerelle.core.quoted_words import mark_out
from passerelle.flows.erase_digests import in_digests, in_fiches
from passerelle.flows.erase_quotes import STEP, copy_of_email, copy_of_event, in_arrivals, in_posts, in_texts
from passerelle.flows.erase_register import in_asks, in_entries, in_meetings
from passerelle.flows.erase_traces import Erasing, Going, LookedFor, bridge_texts
from passerelle.flows.hide_post import redact_event
from passerelle.flows.taking_back import unseal
from passerelle.store.batches import get_batch
from passerelle.store.blobs import get_blob
from passerelle.store.privacy import set_progress
from passerelle.store.scrub_traffic import forget_content, forget_error, forget_mail_bytes, list_departures
from passerelle.store.threads import find_message_ids

#: Of what the bridge tells of the register, meetings and reminders, and of digests: how its unique keys begin.
_TOLD = ("about/", "answer:", "ask:", "digest/")

Step = Callable[[Erasing, LookedFor, frozenset[PostId]], Awaitable[bool]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leaving:
    """What was found in a departure, before anything is changed."""

    known: KnownMessageId | None
    in_mail: bool
    in_event: bool
    in_error: bool


async def in_departures(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through all that left or is to leave."""
    after = int(erasing.far.get("outbox", 0))
    async with erasing.ctx.store.read() as conn:
        rows = await list_departures(conn, erasing.association, after, STEP)
        raws = {row.id: await get_blob(conn, row.raw_hash) for row in rows if row.raw_hash is not None}
        files = {row.id: await get_blob(conn, row.upload_hash) for row in rows if row.upload_hash is not None}
        known = await find_message_ids(conn, erasing.association, [row.message_id for row in rows if row.message_id])
    read = {}
    for row in rows:
        if _is_kept(erasing, row):
            continue
        held = (raws.get(row.id), files.get(row.id))
        read[row.id] = await asyncio.to_thread(_read_departure, row, held, known.get(row.message_id), wanted)
    if not rows:
        return False
    async with erasing.ctx.store.write() as conn:
        # Some may have left meanwhile.
        for row in await list_departures(conn, erasing.association, after, STEP):
            if row.id in read:
                await _clean_departure(erasing, conn, row, read[row.id])
        erasing.far["outbox"] = rows[-1].id
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


def _is_kept(erasing: Erasing, row: Any) -> bool:
    """Minutes that a coordinator keeps as they are stay where they were sent."""
    about = parse_about(row.unique_key) if erasing.keeps else None
    return about is not None and about.kind == "meeting" and about.step == "minutes"


def _read_departure(
    row: Any, held: tuple[bytes | None, bytes | None], known: KnownMessageId | None, looked_for: LookedFor
) -> _Leaving:
    raw, file = held
    wanted = looked_for.in_thread(known.thread_id if known is not None else -1)
    # An answer to a search holds pieces of what was found, too short to be told from anyone's words.
    is_search = row.unique_key.startswith("search:")
    # What the bridge tells of the register says things in few words, too.
    going = looked_for.going if row.unique_key.startswith(_TOLD) else Going()
    content = json.dumps([row.content, row.ghost], ensure_ascii=False).encode()
    has_content = row.content is not None or row.ghost is not None
    in_file = row.upload_hash in wanted.files or (
        file is not None and mark_out(file.decode("utf-8", "replace"), wanted.traces, wanted.marks).count > 0
    )
    in_search = is_search and any(f"/{one}" in content.decode() for one in looked_for.permalinks)
    return _Leaving(
        known=known,
        in_mail=raw is not None
        and (is_search or copy_of_email(raw, wanted) != "same" or going.stands_in(bridge_texts(raw))),
        in_event=in_file
        or in_search
        or (has_content and (copy_of_event(content, wanted) != "same" or _stands_in(row.content, going))),
        in_error=mark_out(row.last_error, wanted.traces, wanted.marks).count > 0,
    )


def _stands_in(content: Any, going: Going) -> bool:
    return isinstance(content, dict) and any(going.stands_in(text) for text in texts_in(content))


async def _clean_departure(erasing: Erasing, conn: AsyncConnection, row: Any, read: _Leaving) -> None:
    known = read.known
    if read.in_error:
        await forget_error(conn, row.id)
    if read.in_mail:
        batch = await get_batch(conn, known.batch_id) if known is not None and known.batch_id is not None else None
        if row.state == "waiting":
            erasing.count("mails_not_sent")
        if row.state == "waiting" and batch is not None and await unseal(erasing.ctx, conn, batch):
            return  # what others said in it leaves in another
        if not await forget_mail_bytes(conn, row.id):
            erasing.far.setdefault("leaving", []).append(row.id)
        erasing.note_email(row.message_id)
    if read.in_event:
        await forget_content(conn, row.id, row.upload_hash)
        link: Link | None = erasing.ctx.links.find(f"{erasing.association}/{row.link}")
        if row.state == "sent" and row.kind == "event" and row.event_id and row.room_id and link is not None:
            erasing.count("events", await redact_event(erasing.ctx, conn, link, row.room_id, EventId(row.event_id)))
    elif row.unique_key.startswith("search:") and row.state == "sent":
        await forget_content(conn, row.id, row.upload_hash)


#: In this order: posts first, so that bytes which are a post's as well are replaced once; mails last, since what is
#: composed anew is called as its conversation is called by then.
STEPS: tuple[Step, ...] = (
    in_posts, in_arrivals, in_texts, in_entries, in_meetings, in_asks, in_digests, in_fiches, in_departures,
)  # fmt: skip
