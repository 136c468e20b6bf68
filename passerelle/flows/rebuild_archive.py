"""All that can be made of the originals is made anew: own words, subjects, files' texts, the index, conversations.

A chunk of posts in each transaction, with how far it came: whatever interrupts it, the next run goes on there. Beside
it the bridge runs; a search finds what was put back into the index so far. Originals are only read.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from passerelle.core.ids import AssociationName
from passerelle.core.links import Link
from passerelle.core.wording import Words
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail, MalformedEvent, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.index_posts import index_posts
from passerelle.flows.rethread import rethread_all
from passerelle.mail.quick_reading import ListFacts, read_for_archive
from passerelle.matrix.events import RoomLine, parse_event, readable_text
from passerelle.store.blobs import get_blob
from passerelle.store.file_texts import read_again
from passerelle.store.post_versions import list_versions
from passerelle.store.search_index import INDEXED_STATES, WaitingPost, find_unkept, read_words
from passerelle.store.search_rebuild import (
    RebuildState,
    begin_rebuild,
    count_left,
    drop_old_words,
    end_rebuild,
    find_rebuild,
    list_chunk,
    lock_posts,
    note_rebuild,
    rewrite_post,
)

#: Posts made anew in one transaction; their originals were read before it.
_AT_ONCE = 50
_READ_SECONDS = 10.0
#: Between two transactions: on SQLite whoever waits looks at the lock each tenth of a second.
_TURN_OF_OTHERS_SECONDS = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Rebuilt:
    """What a run of a rebuild did."""

    posts: int = 0
    #: They read otherwise now.
    changed: int = 0
    #: Their originals are kept but could not be read; they stay as they were.
    unreadable: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reading:
    """What an original says now; None: it is not kept, or cannot be read."""

    text: str
    subject: str


Phase = Literal["posts", "threads"]
#: Told what is done, how many of it are, and how many there are in all; None where that is not known.
OnProgress = Callable[[Phase, int, int | None], None]


async def rebuild_archive(ctx: FlowContext, *, on_progress: OnProgress) -> Rebuilt:
    """Make everything anew that can be; goes on where an earlier run was interrupted.

    First each post, then all conversations: by References, and by what humans said of them.

    Raises StoreError where the database refuses.
    """
    async with ctx.store.read() as conn:
        state = await find_rebuild(conn)
    if state is None:
        async with ctx.store.write() as conn:
            state = await begin_rebuild(conn)
    async with ctx.store.read() as conn:
        total = await count_left(conn, state)
    rebuilt = Rebuilt()
    on_progress("posts", 0, total)
    while (chunk := await _rebuild_chunk(ctx, state)) is not None:
        state, done = chunk
        rebuilt = Rebuilt(
            posts=rebuilt.posts + done.posts,
            changed=rebuilt.changed + done.changed,
            unreadable=rebuilt.unreadable + done.unreadable,
        )
        on_progress("posts", rebuilt.posts, total)
        await asyncio.sleep(_TURN_OF_OTHERS_SECONDS)
    await drop_old_words(ctx.store)
    await _rethread(ctx, on_progress)
    async with ctx.store.write() as conn:
        await end_rebuild(conn)
    return rebuilt


async def _rethread(ctx: FlowContext, on_progress: OnProgress) -> None:
    done = 0

    def count(threads: int) -> None:
        nonlocal done
        done += threads
        on_progress("threads", done, None)

    for association in ctx.settings.associations:
        await rethread_all(ctx, AssociationName(association.name), on_progress=count)


async def _rebuild_chunk(ctx: FlowContext, state: RebuildState) -> tuple[RebuildState, Rebuilt] | None:
    async with ctx.store.read() as conn:
        posts = await list_chunk(conn, state, _AT_ONCE)
        unkept = await find_unkept(conn, [post.chrono_id for post in posts if post.chrono_id is not None])
    if not posts:
        return None
    # What the bridge put into the new index meanwhile.
    known = await read_words(ctx.store, unkept)
    readings = [await _read_again(ctx, post) for post in posts]
    changed = 0
    async with ctx.store.write(durable=False) as conn:
        now = {post.id: post for post in await lock_posts(conn, [post.id for post in posts])}
        for post, reading in zip(posts, readings, strict=True):
            # Somebody edited or took it back while its original was read: then that holds.
            if reading is None or now.get(post.id) != post or _says(post) == reading:
                continue
            await rewrite_post(conn, post.id, text=reading.text, subject=reading.subject)
            now[post.id] = replace(post, text=reading.text, subject=reading.subject)
            changed += 1
        await read_again(conn, list(now))
        await index_posts(conn, list(now.values()), known)
        state = replace(state, done=posts[-1].id)
        await note_rebuild(conn, state)
    kept = [post for post in posts if post.raw_hash is not None and post.state in INDEXED_STATES]
    unread = sum(1 for post, reading in zip(posts, readings, strict=True) if reading is None and post in kept)
    return state, Rebuilt(posts=len(posts), changed=changed, unreadable=unread)


def _says(post: WaitingPost) -> _Reading:
    return _Reading(text=post.text, subject=post.subject)


async def _read_again(ctx: FlowContext, post: WaitingPost) -> _Reading | None:
    """What a post's original says; None where it cannot be asked, or its words are to stay as they are."""
    link = ctx.links.find(f"{post.association}/{post.link}")
    if post.raw_hash is None or post.state not in INDEXED_STATES or link is None:
        return None
    async with ctx.store.read() as conn:
        try:
            raw = await get_blob(conn, post.raw_hash)
        except StoreError:
            return None
        if post.side == "room" and await list_versions(conn, post.id):
            return _says(post)  # it was edited: what it reads now stands in its last wording
    try:
        with deadline(_READ_SECONDS):
            if post.side == "room":
                return _read_line(raw, post, ctx.renderer(link.association).words)
            return _read_mail(raw, link)
    except (MalformedEmail, MalformedEvent, DeadlinePassed, ValueError):
        return None


def _read_mail(raw: bytes, link: Link) -> _Reading:
    facts = ListFacts(
        addresses=link.list_addresses, prefix=link.settings.mailing_list.subject_prefix, mark_field=""
    )  # fmt: skip
    read = read_for_archive(raw, facts)
    return _Reading(text=read.text, subject=read.canonical_subject)


def _read_line(raw: bytes, post: WaitingPost, words: Words) -> _Reading:
    line = parse_event(json.loads(raw))
    if not isinstance(line, RoomLine):
        return _says(post)
    return _Reading(text=readable_text(line, words), subject=post.subject)
