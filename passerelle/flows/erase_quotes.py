"""A person's words in what others wrote, in what arrived and was not relayed, and in what left: marked out, or dropped.

The original of another's mail is replaced by a marked copy (`mail.redacted_copy`); where none can be made that is free
of the words, nothing is kept of the original. In small steps, each of which says how far it has come.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, PostId
from passerelle.core.links import BRIDGE_LANE, Link
from passerelle.core.model import Post
from passerelle.core.quoted_markup import mark_out_markup
from passerelle.core.quoted_words import mark_out
from passerelle.errors import MalformedEmail
from passerelle.flows.erase_traces import Erasing, LookedFor
from passerelle.flows.hide_post import redact_event
from passerelle.flows.taking_back import unseal
from passerelle.mail.parse import parse_headers
from passerelle.mail.redacted_copy import Wanted, redacted_copy
from passerelle.store.archive_tables import act, import_refusal, import_run, opening, thread_edit
from passerelle.store.batches import get_batch
from passerelle.store.blobs import get_blob
from passerelle.store.posts import find_post
from passerelle.store.privacy import set_progress
from passerelle.store.scrub import (
    Arrival,
    forget_arrival,
    forget_content,
    forget_envelope,
    forget_error,
    forget_mail_bytes,
    list_arrivals,
    list_departures,
    list_posts_after,
    list_posts_of_bytes,
    list_texts,
    replace_bytes,
    set_post_words,
    set_texts,
)
from passerelle.store.tables import attachment, batch_line, incident, link_state, pending_line, post_version, thread
from passerelle.store.threads import find_message_ids

#: Rows that one step looks at.
STEP = 20
_SMALL_STEP = 200

#: Tables besides posts, arrivals and departures in which words or names may stand, with the columns that hold them.
TEXTS: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (thread, ("subject",)),
    (attachment, ("filename", "reason")),
    (post_version, ("text", "html")),
    (batch_line, ("text",)),
    (pending_line, ("text",)),
    (link_state, ("confirmed_by", "stopped_reason")),
    (incident, ("detail",)),
    (act, ("by",)),
    (thread_edit, ("by",)),
    (opening, ("by",)),
    (import_run, ("source",)),
    (import_refusal, ("place", "reason")),
)
#: Of these the whole text is a name: it goes where it is theirs.
_NAMES = frozenset({"by", "confirmed_by"})

Step = Callable[[Erasing, LookedFor, frozenset[PostId]], Awaitable[bool]]


async def in_posts(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through the posts of others; whether there is more."""
    async with erasing.ctx.store.read() as conn:
        ids = await list_posts_after(conn, erasing.association, int(erasing.far.get("post", 0)), STEP)
        posts = [post for id in ids if id not in own and (post := await find_post(conn, id)) is not None]
        raws = {post.id: await get_blob(conn, post.raw_hash) for post in posts if post.raw_hash is not None}
    copies = {
        post.id: await asyncio.to_thread(_copy_of, raws.get(post.id), post, wanted.in_thread(post.thread_id))
        for post in posts
    }
    if not ids:
        return False
    async with erasing.ctx.store.write() as conn:
        for post in posts:
            await _clean_post(erasing, conn, post, wanted.in_thread(post.thread_id), copies[post.id])
        erasing.far["post"] = ids[-1]
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


#: An original is `same`, `gone`, or the bytes that stand instead.
Copy = bytes | str


def _copy_of(raw: bytes | None, post: Post, wanted: Wanted) -> Copy:
    if raw is None:
        return "same"
    return copy_of_event(raw, wanted) if post.side == "room" else copy_of_email(raw, wanted)


def copy_of_email(raw: bytes, wanted: Wanted) -> Copy:
    """A mail without the words; `gone` where no copy is free of them."""
    try:
        copy = redacted_copy(raw, wanted)
        if copy is None:
            return "same"
        return copy.raw if redacted_copy(copy.raw, wanted) is None else "gone"
    except MalformedEmail:
        return "gone"


def copy_of_event(raw: bytes, wanted: Wanted) -> Copy:
    """An event without the words: all texts of its content are looked at (a reply quotes what it answers)."""
    try:
        event = json.loads(raw)
    except ValueError:
        return "gone"
    found = 0
    # A list of what is to be looked at, not a recursion: the JSON is somebody else's.
    waiting: list[Any] = [event]
    while waiting:
        holder = waiting.pop()
        for key, value in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
            if isinstance(value, dict | list):
                waiting.append(value)
            elif isinstance(value, str):
                is_markup = key == "formatted_body"
                marked = (mark_out_markup if is_markup else mark_out)(value, wanted.traces, wanted.marks)
                found += marked.count
                holder[key] = marked.text
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() if found else "same"


async def _clean_post(erasing: Erasing, conn: AsyncConnection, post: Post, wanted: Wanted, copy: Copy) -> None:
    traces, marks = wanted.traces, wanted.marks
    text = mark_out(post.text, traces, marks)
    html = mark_out_markup(post.html, traces, marks)
    subject = _subject(post.subject, wanted)
    name = mark_out(post.author_name, traces, marks).text
    if name in (marks.name, post.author_name):
        # Somebody else who is called the same; but not « Annie pour Monique Delattre ».
        name = post.author_name
    if text.count or html.count or (subject, name) != (post.subject, post.author_name):
        values = {"text": text.text, "html": html.text, "subject": subject, "author_name": name}
        await set_post_words(conn, post.id, values)
    if copy != "same" and post.raw_hash is not None:
        await replace_bytes(conn, post.raw_hash, copy if isinstance(copy, bytes) else None)
        erasing.count("quotes" if isinstance(copy, bytes) else "originals_dropped")
        erasing.note_email(post.link, post.message_id)


def _subject(subject: str, wanted: Wanted) -> str:
    """A subject that was the person's goes as a whole; words of theirs in another one are marked out."""
    marked = mark_out(f"Objet : {subject}", wanted.traces, wanted.marks)
    if not marked.count:
        return subject
    rest = marked.text.removeprefix("Objet : ")
    return "" if rest == wanted.marks.words else rest


async def in_arrivals(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through all that arrived: what is the person's goes, what quotes them becomes a copy."""
    lanes = [link.inbox_lane for link in erasing.links] + [BRIDGE_LANE]
    async with erasing.ctx.store.read() as conn:
        after = int(erasing.far.get("inbox", 0))
        rows = await list_arrivals(conn, lanes, after, STEP)
        of_posts = await list_posts_of_bytes(conn, [row.raw_hash for row in rows if row.raw_hash is not None])
        raws = {row.id: await get_blob(conn, row.raw_hash) for row in rows if row.raw_hash is not None}
    if not rows:
        return False
    async with erasing.ctx.store.write() as conn:
        for row in rows:
            # What is a post's of those that are erased goes with it.
            if row.raw_hash is None or not own & of_posts.get(row.raw_hash, set()):
                await _clean_arrival(erasing, conn, row, raws.get(row.id, b""), wanted)
        erasing.far["inbox"] = rows[-1].id
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def _clean_arrival(
    erasing: Erasing, conn: AsyncConnection, row: Arrival, raw: bytes, looked_for: LookedFor
) -> None:
    if row.kind == "event":
        return await _clean_event(erasing, conn, row, raw, looked_for.near)
    message_id, answered, is_theirs = _of_email(raw, erasing)
    # A mail of ours that came back: nothing of another's is lost with it.
    wanted = looked_for.near if row.reason == "own" else looked_for.answering(answered)
    if mark_out(row.envelope_from, wanted.traces, wanted.marks).count:
        await forget_envelope(conn, row.id)
    if is_theirs:
        await forget_arrival(conn, row.id, row.raw_hash)
        erasing.note_email("", message_id)
        return None
    copy = await asyncio.to_thread(copy_of_email, raw, wanted) if raw else "same"
    if copy == "same" or row.raw_hash is None:
        return None
    if row.reason == "own" or isinstance(copy, str):
        # An echo of a mail of ours: it proves nothing any more.
        await replace_bytes(conn, row.raw_hash, None)
    else:
        await replace_bytes(conn, row.raw_hash, copy)
        erasing.count("quotes")
    erasing.note_email("", message_id)
    return None


def _of_email(raw: bytes, erasing: Erasing) -> tuple[str, tuple[str, ...], bool]:
    """The Message-ID of a mail, those that it answers, and whether the person wrote it."""
    if not raw:
        return "", (), False
    try:
        email = parse_headers(raw)
    except MalformedEmail:
        return "", (), False
    authors = [*email.from_, *email.reply_to, *([email.sender] if email.sender else [])]
    mine = {address.lower() for address in erasing.addresses}
    shared = {a.lower() for a in (erasing.person.addresses if erasing.person else ())} - mine
    name = erasing.person.name.casefold() if erasing.person else ""
    theirs = any(one.address.lower() in mine for one in authors)
    theirs = theirs or any(one.address.lower() in shared and one.name.casefold() == name for one in email.from_)
    return email.message_id or "", (*email.in_reply_to, *email.references), theirs


async def _clean_event(erasing: Erasing, conn: AsyncConnection, row: Arrival, raw: bytes, wanted: Wanted) -> None:
    sender = _sender_of(raw)
    if sender and sender in erasing.user_ids:
        link = erasing.ctx.links.find_by_room(row.room_id)
        if link is not None and row.room_id is not None and row.key.startswith("$"):
            erasing.count("events", await redact_event(erasing.ctx, conn, link, row.room_id, EventId(row.key)))
        await forget_arrival(conn, row.id, row.raw_hash)
        return
    copy = await asyncio.to_thread(copy_of_event, raw, wanted) if raw else "same"
    if copy != "same" and row.raw_hash is not None:
        await replace_bytes(conn, row.raw_hash, copy if isinstance(copy, bytes) else None)


def _sender_of(raw: bytes) -> str:
    try:
        event = json.loads(raw) if raw else {}
    except ValueError:
        return ""
    return str(event.get("sender", "")) if isinstance(event, dict) else ""


async def in_departures(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through all that left or is to leave."""
    async with erasing.ctx.store.read() as conn:
        after = int(erasing.far.get("outbox", 0))
        rows = await list_departures(conn, erasing.association, after, STEP)
        raws = {row.id: await get_blob(conn, row.raw_hash) for row in rows if row.raw_hash is not None}
        files = {row.id: await get_blob(conn, row.upload_hash) for row in rows if row.upload_hash is not None}
    if not rows:
        return False
    async with erasing.ctx.store.write() as conn:
        for row in rows:
            await _clean_departure(erasing, conn, row, (raws.get(row.id), files.get(row.id)), wanted)
        erasing.far["outbox"] = rows[-1].id
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


async def _clean_departure(
    erasing: Erasing, conn: AsyncConnection, row: Any, held: tuple[bytes | None, bytes | None], looked_for: LookedFor
) -> None:
    raw, file = held
    known = (await find_message_ids(conn, erasing.association, [row.message_id])).get(row.message_id)
    wanted = looked_for.in_thread(known.thread_id if known is not None else -1)
    if mark_out(row.last_error, wanted.traces, wanted.marks).count:
        await forget_error(conn, row.id)
    if raw is not None and await asyncio.to_thread(copy_of_email, raw, wanted) != "same":
        batch = await get_batch(conn, known.batch_id) if known is not None and known.batch_id is not None else None
        if row.state == "waiting":
            erasing.count("mails_not_sent")
        if row.state == "waiting" and batch is not None and await unseal(erasing.ctx, conn, batch):
            return  # what others said in it leaves in another
        if not await forget_mail_bytes(conn, row.id):
            erasing.far.setdefault("leaving", []).append(row.id)
        erasing.note_email(row.link, row.message_id)
    content = json.dumps([row.content, row.ghost], ensure_ascii=False).encode()
    in_file = file is not None and mark_out(file.decode("utf-8", "replace"), wanted.traces, wanted.marks).count > 0
    if in_file or (len(content) > len(b"[null,null]") and copy_of_event(content, wanted) != "same"):
        await forget_content(conn, row.id, row.upload_hash)
        link: Link | None = erasing.ctx.links.find(f"{erasing.association}/{row.link}")
        if row.state == "sent" and row.kind == "event" and row.event_id and row.room_id and link is not None:
            erasing.count("events", await redact_event(erasing.ctx, conn, link, row.room_id, EventId(row.event_id)))


async def in_texts(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through the small tables."""
    at, offset = erasing.far.get("texts", [0, 0])
    if at >= len(TEXTS):
        return False
    table, columns = TEXTS[at]
    async with erasing.ctx.store.write() as conn:
        rows = await list_texts(conn, table, columns, limit=_SMALL_STEP, offset=offset)
        for row in rows:
            found = wanted.in_thread(row.key[0]) if table is thread else wanted.elsewhere
            changed = {
                name: new for name, text in row.texts.items() if (new := _text(erasing, name, text, found)) != text
            }
            if changed:
                await set_texts(conn, table, row, changed)
        erasing.far["texts"] = [at, offset + len(rows)] if len(rows) == _SMALL_STEP else [at + 1, 0]
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


def _text(erasing: Erasing, column: str, text: str, wanted: Wanted) -> str:
    if column in _NAMES:
        called = erasing.person.name.casefold() if erasing.person else ""
        return "" if called and text.casefold() == called else text
    if column == "subject":
        return _subject(text, wanted)
    if column == "html":
        return mark_out_markup(text, wanted.traces, wanted.marks).text
    return mark_out(text, wanted.traces, wanted.marks).text


#: In this order: posts first, so that bytes which are a post's as well are replaced once; mails last, since what is
#: composed anew is called as its conversation is called by then.
STEPS: tuple[Step, ...] = (in_posts, in_arrivals, in_texts, in_departures)
