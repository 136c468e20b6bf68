"""What was said, as one reader's digest is chosen from it: posts, the conversations they stand in, questions, files."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.digest_facts import FileFact, PostFact
from passerelle.core.digest_weights import QUESTION_FORGOTTEN_AFTER
from passerelle.core.ids import LinkName, PostId, ThreadId
from passerelle.core.model import Origin
from passerelle.core.names import safe_name
from passerelle.core.permalinks import file_path, short_path
from passerelle.core.shelves import Shelf, shelf_of
from passerelle.store.digest_facts import (
    PostRow,
    Scope,
    list_crossed,
    list_files,
    list_posts,
    list_said,
    list_threads,
    list_unanswered,
)

#: So many posts of a digest's time are read, the newest first.
MOST_POSTS = 3000

_Crossed = Mapping[PostId, Collection[tuple[LinkName, Origin]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatWasSaid:
    posts: tuple[PostFact, ...] = ()
    files: tuple[FileFact, ...] = ()
    own_threads: frozenset[ThreadId] = frozenset()
    is_cut: bool = False


async def list_what_was_said(conn: AsyncConnection, scope: Scope) -> WhatWasSaid:
    """Posts of a digest's time; of their conversations the first post and the last one before, where the reader may
    read them; files."""
    found = await list_said(conn, scope, limit=MOST_POSTS + 1)
    said, is_cut = found[:MOST_POSTS], len(found) > MOST_POSTS
    if not said:
        return WhatWasSaid()
    threads = await list_threads(conn, scope, {post.thread_id for post in said})
    here = {post.id for post in said}
    wanted = {one.first for one in threads} | {one.before for one in threads if one.before is not None}
    earlier = await list_posts(conn, scope, wanted - here)
    posts = sorted([*earlier, *said], key=lambda post: (post.at, post.id))
    crossed = await _crossed(conn, scope, posts)
    subjects = {one.first: one.subject for one in threads}
    names = {name: safe_name(name) for name in {post.author_name for post in posts}}
    shorts = {post.id: post.permalink for post in said}
    return WhatWasSaid(
        posts=tuple(
            _fact(scope, post, crossed, name=names[post.author_name], subject=subjects.get(post.id, ""))
            for post in posts
        ),
        files=tuple(
            FileFact(
                post_id=file.post_id,
                position=file.position,
                filename=file.filename,
                media_type=file.media_type,
                size_bytes=file.size_bytes,
                inline=file.inline,
                path=_file_path(scope, shorts[file.post_id], file.position, file.filename),
            )
            for file in await list_files(conn, here)
        ),
        own_threads=frozenset(one.thread_id for one in threads if one.is_own),
        is_cut=is_cut,
    )


async def list_questions(conn: AsyncConnection, scope: Scope, *, unanswered_days: float) -> tuple[PostFact, ...]:
    """Mails that began a conversation with a question, and nobody else has said anything in it for so many days."""
    found = await list_unanswered(
        conn,
        scope,
        asked_from=scope.until - QUESTION_FORGOTTEN_AFTER,
        asked_to=scope.until - timedelta(days=unanswered_days),
    )
    crossed = await _crossed(conn, scope, [post for post, _ in found])
    return tuple(
        _fact(scope, post, crossed, name=safe_name(post.author_name), subject=subject) for post, subject in found
    )


async def _crossed(conn: AsyncConnection, scope: Scope, posts: Collection[PostRow]) -> _Crossed:
    """Further links of posts; an association with one link has none."""
    if len(scope.all_links) < 2:
        return {}
    return await list_crossed(conn, [post.id for post in posts])


def _fact(scope: Scope, post: PostRow, crossed: _Crossed, *, name: str, subject: str) -> PostFact:
    return PostFact(
        id=post.id,
        thread_id=post.thread_id,
        shelves=_shelves(post, crossed.get(post.id, ())),
        author=f"person:{post.person_id}" if post.person_id is not None else f"name:{name}",
        author_name=name,
        is_own=post.person_id == scope.person_id,
        side=post.side,
        link=post.link,
        at=post.at,
        said_at=post.said_at,
        subject=subject,
        text=post.text,
        path=short_path(post.association, post.permalink) if post.permalink else "",
    )


def _shelves(post: PostRow, crossed: Collection[tuple[LinkName, Origin]]) -> frozenset[Shelf]:
    places = [(post.link, post.origin), *crossed]
    return frozenset(
        shelf_of(association=post.association, link=link, origin=origin, side=post.side) for link, origin in places
    )


def _file_path(scope: Scope, short: str, position: int, filename: str) -> str:
    return file_path(scope.association, short, position, filename) if short else ""
