"""What has to be looked at to place posts: those that may move, and those beside which they will stand.

Posts that may move are the new ones, and all of the conversations in which a post waits for one of them, or for the
same missing parent. All others stand where they stand: they are looked at as parents only.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, PostId, ThreadId
from passerelle.core.placing import BESIDE
from passerelle.core.subject import canonical_subject
from passerelle.core.tree import Moved, Node
from passerelle.mail.compose import first_words
from passerelle.render import load_words
from passerelle.store.thread_places import (
    Placed,
    ThreadFacts,
    event_name,
    find_edits,
    find_named,
    find_threads,
    find_waiting,
    list_placed,
    list_placed_of_threads,
    list_said_beside,
    list_watched,
    names_of,
)

log = logging.getLogger(__name__)

#: So many posts are placed anew at once. More wait for one another only where somebody wants them to.
MOST_POSTS = 50_000


@lru_cache(maxsize=4096)
def _canonical(subject: str) -> str:
    return canonical_subject(subject, prefix=None)


@lru_cache(maxsize=1)
def _evening() -> tuple[str, ...]:
    """What an evening mail is called, which holds several conversations: answers to it go on with its first."""
    return tuple(
        canonical_subject(load_words(language, UTC)("subject_evening"), prefix=None)  # type: ignore[arg-type]
        for language in ("fr", "en")
    )


def names_answered(post: Placed) -> tuple[tuple[str, ...], str]:
    """The names that a post answers, nearest first, and the one beside which it was said, or ""."""
    tokens = post.refs.split(" ") if post.refs else []
    if post.side == "list":
        return tuple(tokens), ""
    chain = tuple(event_name(token) for token in tokens if not token.startswith(BESIDE))
    beside = next((event_name(token[1:]) for token in tokens if token.startswith(BESIDE)), "")
    return chain, beside


@dataclass(kw_only=True, slots=True)
class Gathered:
    """Posts that may move, and what their places depend on."""

    #: Those that may move.
    posts: dict[PostId, Placed] = field(default_factory=dict)
    #: Those that stay where they are.
    context: dict[PostId, Placed] = field(default_factory=dict)
    #: Which post each name means, as it is stored.
    named: dict[str, PostId] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    _by_thread: dict[ThreadId, list[Placed]] | None = None

    def of_thread(self, id: ThreadId) -> list[Placed]:
        """The posts that may move and stand in that thread now."""
        if self._by_thread is None:
            self._by_thread = {}
            for post in self.posts.values():
                self._by_thread.setdefault(post.thread_id, []).append(post)
        return self._by_thread.get(id, [])

    def thread_of(self, id: PostId) -> ThreadId:
        """Where a post stands now."""
        return (self.posts.get(id) or self.context[id]).thread_id


async def gather(
    conn: AsyncConnection, association: AssociationName, new: Sequence[Placed], threads: Iterable[ThreadId]
) -> Gathered:
    """All that the places of `new`, and of all posts of `threads`, depend on."""
    reader = _Reader(conn, association, new)
    await reader.read(set(threads))
    return await reader.finish()


class _Reader:
    def __init__(self, conn: AsyncConnection, association: AssociationName, new: Sequence[Placed]) -> None:
        self.conn, self.association = conn, association
        self.found = Gathered()
        self.new = {post.id for post in new}
        self.loaded: set[ThreadId] = set()
        self.names: dict[PostId, set[str]] = {}
        #: Names that posts which may move are called by.
        self.own: set[str] = set()
        self.fresh: list[Placed] = list(new)

    async def read(self, threads: set[ThreadId]) -> None:
        """Take in conversations until nothing outside waits for what is inside, or for the same as it."""
        while self.fresh or threads:
            if len(self.found.posts) > MOST_POSTS:
                log.warning("Too many posts wait for each other: the rest stay where they are")
                return
            self.loaded |= threads
            if threads:
                self.fresh += await list_placed_of_threads(self.conn, threads)
            fresh = [post for post in self.fresh if post.id not in self.found.posts]
            self.fresh = []
            self.found.posts |= {post.id: post for post in fresh}
            threads = await self._touched_by(fresh)

    async def _touched_by(self, fresh: list[Placed]) -> set[ThreadId]:
        await self._name(fresh)
        answered = {name for post in fresh for name in names_answered(post)[0]}
        ids = {post.message_id for post in fresh if post.side == "list" and post.message_id}
        self.found.named |= await find_named(self.conn, self.association, answered | ids)
        # Also what they have waited for until now: their word on what a missing parent answered may change.
        waited_for = await list_watched(self.conn, [post.id for post in fresh if post.id not in self.new])
        for post in fresh:
            if post.id in self.new:
                waited_for |= self.names[post.id]
            for name in names_answered(post)[0]:
                if name in self.names[post.id]:
                    continue
                if name in self.own or name in self.found.named:
                    break
                waited_for.add(name)
        touched = {id for _, id in await find_waiting(self.conn, self.association, waited_for)}
        # A second post of the same name: which of the two the name means may change.
        touched |= {self.found.named[name] for name in ids if name in self.found.named}
        touched -= self.found.posts.keys()
        return {post.thread_id for post in await list_placed(self.conn, touched)} - self.loaded

    async def _name(self, posts: list[Placed]) -> None:
        noted = await names_of(self.conn, [p.id for p in posts if p.id not in self.new or p.side == "room"])
        for post in posts:
            names = set(noted.get(post.id, ()))
            if post.side == "list" and post.message_id:
                names.add(post.message_id)
            self.names[post.id] = names
            self.own |= names

    async def finish(self) -> Gathered:
        found = self.found
        edits = await find_edits(self.conn, [id for id in found.posts if id not in self.new])
        besides = {names_answered(post)[1] for post in found.posts.values() if post.side == "room"} - {""}
        found.named |= await find_named(self.conn, self.association, besides - found.named.keys())
        wanted = {id for name, id in found.named.items() if name not in self.own}
        wanted |= {to for _, to in edits.values() if to is not None}
        context = await list_placed(self.conn, wanted - found.posts.keys())
        context += await self._said_beside()
        found.context = {post.id: post for post in context if post.id not in found.posts}
        await self._name_context()
        lines = [post for post in (*found.posts.values(), *found.context.values()) if post.side == "room"]
        edits |= await find_edits(self.conn, [post.id for post in lines if post.id in found.context])
        threads = await find_threads(self.conn, {post.thread_id for post in lines})
        for post in (*found.posts.values(), *found.context.values()):
            fixed = None if post.id in found.posts else post.thread_id
            found.nodes.append(self._node(post, threads, edits.get(post.id), fixed))
        return found

    async def _said_beside(self) -> list[Placed]:
        """Lines that were said along with those that may move: they tell where these belong, if nothing else does."""
        talks: dict[tuple[str, str], Placed] = {}
        for post in self.found.posts.values() if not self.new else ():
            chain, beside = names_answered(post)
            if post.side == "room" and not chain:
                for name in (beside,) if beside else self.names[post.id]:
                    talks.setdefault((post.link, f"{BESIDE}{name.removeprefix(' ')}"), post)
        some: list[Placed] = []
        for (_, refs), post in talks.items():
            some += await list_said_beside(self.conn, self.association, post, refs)
        return some

    async def _name_context(self) -> None:
        called: dict[PostId, set[str]] = {}
        for name, id in self.found.named.items():
            called.setdefault(id, set()).add(name)
        for post in self.found.context.values():
            self.names[post.id] = called.get(post.id, set())

    def _node(
        self,
        post: Placed,
        threads: dict[ThreadId, ThreadFacts],
        edit: tuple[str, PostId | None] | None,
        fixed: ThreadId | None,
    ) -> Node:
        chain, beside = names_answered(post)
        subjects: tuple[str, ...] = (post.subject,)
        if post.side == "room":
            thread = threads.get(post.thread_id)
            named = thread.subject if thread is not None else ""
            subjects = (_canonical(named), _canonical(first_words(post.beginning)), *_evening()) if named else ("",)
        moved = None
        if edit is not None:
            moved = Moved(kind="attach", to=edit[1]) if edit[1] is not None else Moved(kind="split")
        return Node(
            key=post.id,
            names=tuple(sorted(self.names[post.id])),
            chain=chain,
            subjects=subjects,
            said_at=post.said_at,
            tie=post.content_hash,
            may_split=post.side == "list",
            is_past=post.side == "room" and post.origin == "import",
            beside=beside,
            moved=moved,
            fixed=fixed,
        )
