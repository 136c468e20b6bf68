"""A person's words in what others wrote, and in what arrived and was not relayed: marked out, or dropped.

The original of another's mail is replaced by a marked copy (`mail.redacted_copy`); where none can be made that is free
of the words, nothing is kept of the original. In small steps, each of which says how far it has come.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EventId, InboxId, PostId
from passerelle.core.links import BRIDGE_LANE
from passerelle.core.model import Post
from passerelle.core.quoted_markup import mark_out_markup
from passerelle.core.quoted_words import mark_out
from passerelle.errors import MalformedEmail
from passerelle.flows.erase_traces import Erasing, LookedFor, bridge_texts
from passerelle.flows.hide_post import redact_event
from passerelle.mail.parse import parse_headers
from passerelle.mail.redacted_copy import Wanted, redacted_copy
from passerelle.store.archive_tables import act, import_refusal, import_run, opening, thread_edit
from passerelle.store.attachments import forget_file, list_attachments
from passerelle.store.blobs import get_blob
from passerelle.store.inbox import finish_inbox
from passerelle.store.posts import find_post, get_post
from passerelle.store.privacy import set_progress
from passerelle.store.scrub import (
    list_posts_after,
    list_posts_of_bytes,
    list_texts,
    replace_bytes,
    set_post_words,
    set_state_and_reindex,
    set_texts,
)
from passerelle.store.scrub_traffic import Arrival, forget_arrival, forget_envelope, list_arrivals
from passerelle.store.tables import attachment, batch_line, incident, link_state, pending_line, post_version, thread

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
        for seen in posts:
            # Its author may have edited it, or taken it back, since it was read: what it says now counts.
            post = await get_post(conn, seen.id)
            copy = copies[post.id] if post.raw_hash == seen.raw_hash else "same"
            await _clean_post(erasing, conn, post, wanted.in_thread(post.thread_id), copy)
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
    for file in await list_attachments(conn, post.id) if wanted.files else ():
        if file.blob_hash is not None and file.blob_hash in wanted.files:
            await forget_file(conn, post.id, file.blob_hash)
            await set_state_and_reindex(conn, [post.id], post.state)
    if copy != "same" and post.raw_hash is not None:
        await replace_bytes(conn, post.raw_hash, copy if isinstance(copy, bytes) else None)
        erasing.count("quotes" if isinstance(copy, bytes) else "originals_dropped")
        erasing.note_email(post.message_id)


def _subject(subject: str, wanted: Wanted) -> str:
    """A subject that was the person's goes as a whole; words of theirs in another one are marked out."""
    marked = mark_out(f"Objet : {subject}", wanted.traces, wanted.marks)
    if not marked.count:
        return subject
    rest = marked.text.removeprefix("Objet : ")
    return "" if rest == wanted.marks.words else rest


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """What was found in an arrival, before anything is changed."""

    message_id: str = ""
    is_theirs: bool = False
    copy: Copy = "same"
    wanted: Wanted


async def in_arrivals(erasing: Erasing, wanted: LookedFor, own: frozenset[PostId]) -> bool:
    """A step through all that arrived: what is the person's goes, what quotes them becomes a copy."""
    lanes = [link.inbox_lane for link in erasing.links] + [BRIDGE_LANE]
    after = int(erasing.far.get("inbox", 0))
    async with erasing.ctx.store.read() as conn:
        rows = await list_arrivals(conn, lanes, after, STEP)
        raws = {row.id: await get_blob(conn, row.raw_hash) for row in rows if row.raw_hash is not None}
    read = {row.id: await asyncio.to_thread(_read, row, raws.get(row.id, b""), erasing, wanted) for row in rows}
    if not rows:
        return False
    async with erasing.ctx.store.write() as conn:
        # Some may have been relayed meanwhile.
        now = {row.id: row for row in await list_arrivals(conn, lanes, after, STEP) if row.id in read}
        of_posts = await list_posts_of_bytes(conn, [row.raw_hash for row in now.values() if row.raw_hash is not None])
        for row in now.values():
            of_post = of_posts.get(row.raw_hash, set()) if row.raw_hash is not None else set()
            # What is a post's of those that are erased goes with it.
            if not own & of_post:
                await _clean_arrival(erasing, conn, row, read[row.id], is_post=bool(of_post))
        erasing.far["inbox"] = rows[-1].id
        await set_progress(conn, erasing.request.id, erasing.far)
    return True


def _read(row: Arrival, raw: bytes, erasing: Erasing, looked_for: LookedFor) -> _Read:
    if row.kind == "event":
        sender = _sender_of(raw)
        if sender and sender in erasing.user_ids:
            return _Read(is_theirs=True, wanted=looked_for.near)
        return _Read(copy=copy_of_event(raw, looked_for.near) if raw else "same", wanted=looked_for.near)
    message_id, answered, is_theirs = _of_email(raw, erasing)
    # A mail of ours that came back: nothing of another's is lost with it.
    wanted = looked_for.near if row.reason == "own" else looked_for.answering(answered)
    again = message_id in looked_for.message_ids or (row.reason == "own" and message_id in looked_for.mails)
    told = row.reason == "own" and bool(raw) and looked_for.going.stands_in(bridge_texts(raw))
    if is_theirs or again or told:
        return _Read(message_id=message_id, is_theirs=True, wanted=wanted)
    return _Read(message_id=message_id, copy=copy_of_email(raw, wanted) if raw else "same", wanted=wanted)


async def _clean_arrival(erasing: Erasing, conn: AsyncConnection, row: Arrival, read: _Read, *, is_post: bool) -> None:
    if row.kind == "event":
        return await _clean_event(erasing, conn, row, read)
    if mark_out(row.envelope_from, read.wanted.traces, read.wanted.marks).count:
        await forget_envelope(conn, row.id)
    if read.is_theirs:
        if is_post and not erasing.person:
            return None  # the same Message-ID, other words: somebody else's post
        await _forget_arrival(erasing, conn, row)
        erasing.note_email(read.message_id)
        return None
    if read.copy == "same" or row.raw_hash is None:
        return None
    if row.reason == "own" or isinstance(read.copy, str):
        # An echo of a mail of ours: it proves nothing any more.
        await replace_bytes(conn, row.raw_hash, None)
    else:
        await replace_bytes(conn, row.raw_hash, read.copy)
        erasing.count("quotes")
    erasing.note_email(read.message_id)
    return None


async def _forget_arrival(erasing: Erasing, conn: AsyncConnection, row: Arrival) -> None:
    """Nothing is kept of it; what still waited to be relayed is not."""
    if row.state == "waiting":
        await finish_inbox(conn, InboxId(row.id), erasing.ctx.now(), reason="erased", forget_raw=True)
    await forget_arrival(conn, row.id, row.raw_hash)


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


async def _clean_event(erasing: Erasing, conn: AsyncConnection, row: Arrival, read: _Read) -> None:
    if read.is_theirs:
        link = erasing.ctx.links.find_by_room(row.room_id)
        if link is not None and row.room_id is not None and row.key.startswith("$"):
            erasing.count("events", await redact_event(erasing.ctx, conn, link, row.room_id, EventId(row.key)))
        await _forget_arrival(erasing, conn, row)
    elif read.copy != "same" and row.raw_hash is not None:
        await replace_bytes(conn, row.raw_hash, read.copy if isinstance(read.copy, bytes) else None)


def _sender_of(raw: bytes) -> str:
    try:
        event = json.loads(raw) if raw else {}
    except ValueError:
        return ""
    return str(event.get("sender", "")) if isinstance(event, dict) else ""


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
