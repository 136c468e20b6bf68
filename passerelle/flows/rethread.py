"""Posts find their place among conversations, whatever came first: the same posts make the same trees (`core.tree`).

For an import there are two ways, both in one transaction with the posts. `plan_chunk` says where posts will stand, and
they are inserted there; a post is not written twice. Or insert the posts of a chunk into one new, empty thread
(`insert_thread`), the lobby, and call `rethread_chunk`, which takes the lobby away. Either way posts come with their
`refs` (`core.placing.kept_references`), canonical `subject` and `said_at`, but **no** rows of `mail_id`: `thread`,
`mail_id` and `missing_parent` are written here.

Nothing that was sent is changed by it, and what was stopped stays stopped.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, MessageId, PostId, ThreadId
from passerelle.core.model import Post
from passerelle.core.placing import BESIDE
from passerelle.core.regrouping import Home, find_homes
from passerelle.core.tree import Forest, build_forest
from passerelle.flows.context import FlowContext
from passerelle.flows.rethread_reading import Gathered, gather, names_answered
from passerelle.flows.rethread_subjects import subject_of_post
from passerelle.mail.compose import first_words
from passerelle.store.thread_moves import (
    change_splits,
    change_thread,
    delete_empty_threads,
    insert_threads,
    join_threads,
    move_batches,
    move_ids,
    move_posts,
    new_thread_ids,
    note_missing,
    own_ids,
)
from passerelle.store.thread_places import (
    Placed,
    ThreadFacts,
    event_name,
    find_named,
    find_threads,
    find_waiting,
    list_placed,
    list_split_roots,
    list_thread_sizes,
    lock_threads,
    names_of,
)

#: The thread of a post that is not stored yet.
NOWHERE = ThreadId(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """Where a post would stand; `thread_id` None: in a conversation of its own, linked to `split_from`."""

    thread_id: ThreadId | None
    parent_post_id: PostId | None
    split_from: ThreadId | None


async def foresee(conn: AsyncConnection, association: AssociationName, arriving: Placed) -> Foreseen:
    """Where a post will stand that is not stored yet; its `id` and `thread_id` are 0."""
    found = await gather(conn, association, [arriving], ())
    forest = build_forest(found.nodes)
    homes = find_homes(forest, {p.id: p.thread_id for p in found.posts.values() if p.id != arriving.id})
    home = next(home for home in homes if arriving.id in home.conversation.keys)
    answered = home.conversation.split_from
    parent = forest.parents[arriving.id]
    return Foreseen(
        thread_id=None if home.thread_id is None else ThreadId(home.thread_id),
        parent_post_id=None if parent is None else PostId(parent),
        split_from=None if answered is None else found.thread_of(PostId(answered)),
    )


async def plan_chunk(
    conn: AsyncConnection,
    association: AssociationName,
    arriving: Sequence[Placed],
    shown: Mapping[PostId, str],
    now: datetime,
) -> "Regrouping":
    """Place posts from the list before they are inserted: the quickest way for many (`docs/threading.md`).

    Insert them then with `place_of(post)` as their thread and parent, and call `finish(are_placed=True)`, all in one
    transaction. A parent may come after its answers in a chunk.

    Args:
        arriving: with the ids that they will have, and `thread_id=NOWHERE`.
        shown: of each, its subject as it is shown: what a conversation is called that begins with it.
        now: aware, UTC.
    """
    await lock_threads(conn, association)
    found = await gather(conn, association, arriving, ())
    planned = Regrouping(conn=conn, association=association, now=now, found=found, shown=shown, lobby=NOWHERE)
    await planned.settle()
    return planned


async def rethread_chunk(
    conn: AsyncConnection,
    association: AssociationName,
    arrived: Mapping[PostId, str],
    now: datetime,
    *,
    lobby: ThreadId | None = None,
) -> None:
    """Place posts that were just inserted, and anew those that waited for them.

    Args:
        arrived: of each, its subject as it is shown (`core.subject.display_subject`): what a conversation is called
            that begins with it.
        now: aware, UTC.
        lobby: the thread in which they were inserted to wait for this; it is taken away.
    """
    await lock_threads(conn, association)
    new = await list_placed(conn, arrived)
    found = await gather(conn, association, new, ())
    regrouping = Regrouping(conn=conn, association=association, now=now, found=found, shown=arrived, lobby=lobby)
    await regrouping.settle()
    await regrouping.finish()


async def settle_line(conn: AsyncConnection, line: Post, now: datetime) -> bool:
    """Place a line of the room that was put into its parent's thread; whether anything moved.

    Where all that it names is here, and nothing waited for it, it stands where it belongs already.
    """
    events = {event_name(token) for token in line.refs.split() if not token.startswith(BESIDE)}
    if events <= (await find_named(conn, line.association, events)).keys():
        own = (await names_of(conn, [line.id])).get(line.id, [])
        if not await find_waiting(conn, line.association, own):
            return False
    await rethread_chunk(conn, line.association, {line.id: first_words(line.text)}, now)
    return True


async def settle_waiting(
    conn: AsyncConnection, association: AssociationName, message_id: MessageId, now: datetime
) -> None:
    """A Message-ID of a mail of ours means something from now on: place what waited for it anew.

    Answers come before what they answer where a store was restored, or a list gives mails other Message-IDs.
    """
    waiting = await find_waiting(conn, association, [message_id])
    if waiting:
        posts = await list_placed(conn, [id for _, id in waiting])
        await regroup(conn, association, {post.thread_id for post in posts}, now)


async def regroup(
    conn: AsyncConnection, association: AssociationName, threads: Iterable[ThreadId], now: datetime
) -> None:
    """Place all posts of these conversations anew: after a human's word, or when a name means something at last."""
    await lock_threads(conn, association)
    found = await gather(conn, association, (), threads)
    regrouping = Regrouping(conn=conn, association=association, now=now, found=found, shown={})
    await regrouping.settle()
    await regrouping.finish()


async def rethread_all(
    ctx: FlowContext, association: AssociationName, *, on_progress: Callable[[int], None], most_posts: int = 1000
) -> None:
    """Place all posts of an association anew, in short transactions beside whatever runs; what humans said stands.

    Each step holds the posts of a few conversations, at the least of one, and never a text: memory does not grow with
    the archive. May be interrupted at any point, and begun again.

    Args:
        on_progress: told after each step how many conversations were looked at in it.
        most_posts: so many posts are placed at once, a longer conversation as a whole.
    """
    after = ThreadId(0)
    while True:
        async with ctx.store.read() as conn:
            sizes = await list_thread_sizes(conn, association, after=after)
        if not sizes:
            return
        while sizes:
            some, posts = [sizes[0][0]], sizes[0][1]
            for id, size in sizes[1:]:
                if posts + size > most_posts:
                    break
                some.append(id)
                posts += size
            async with ctx.store.write(durable=False, quiet=True) as conn:
                await regroup(conn, association, some, ctx.now())
            on_progress(len(some))
            sizes = sizes[len(some) :]
            after = some[-1]
            await asyncio.sleep(0)


@dataclass(kw_only=True, slots=True)
class Regrouping:
    """One regrouping on its way from what is to what ought to be."""

    conn: AsyncConnection
    association: AssociationName
    now: datetime
    found: Gathered
    #: What conversations are called that begin with a post that came in just now.
    shown: Mapping[PostId, str]
    #: Where new posts wait, and stand no longer then; NOWHERE: they are not stored yet.
    lobby: ThreadId | None = None
    forest: Forest = field(init=False)
    homes: tuple[Home, ...] = ()
    before: set[ThreadId] = field(default_factory=set)
    #: Where each post will stand.
    into: dict[int, ThreadId] = field(default_factory=dict)
    facts: dict[ThreadId, ThreadFacts] = field(default_factory=dict)
    #: The post that each thread began with as it was.
    began: dict[ThreadId, PostId | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.forest = build_forest(self.found.nodes)

    async def settle(self) -> None:
        """Make the threads that are needed; from then on it is known where each post will stand."""
        stands: dict[int, int] = {p.id: p.thread_id for p in self.found.posts.values() if p.thread_id != self.lobby}
        self.homes = find_homes(self.forest, stands)
        self.before = {ThreadId(id) for id in stands.values()}
        self.facts = await find_threads(self.conn, self.before)
        made = iter(await new_thread_ids(self.conn, sum(home.thread_id is None for home in self.homes)))
        new: list[tuple[Home, ThreadId]] = []
        for home in self.homes:
            id = ThreadId(home.thread_id) if home.thread_id is not None else next(made)
            if home.thread_id is None:
                new.append((home, id))
            for key in home.conversation.keys:
                self.into[key] = id
        facts = [await self._facts(home, ThreadFacts(id=id, subject="")) for home, id in new]
        await insert_threads(self.conn, self.association, facts, self.now)

    async def finish(self, *, are_placed: bool = False) -> None:
        """Have all stand where they ought to; `are_placed`: the new ones do already."""
        for home in self.homes:
            if home.joined:
                into = self.into[home.conversation.keys[0]]
                await join_threads(self.conn, [ThreadId(one) for one in home.joined], into)
        await self._move(are_placed=are_placed)
        await self._describe()
        await self._note_names()
        await self._clear()

    def place_of(self, post: Placed) -> tuple[ThreadId, PostId | None]:
        """The thread of a post, and the post that it answers there."""
        parent = self.forest.parents[post.id]
        return self.into[post.id], None if parent is None else PostId(parent)

    async def _move(self, *, are_placed: bool) -> None:
        moves: list[tuple[PostId, ThreadId, PostId | None]] = []
        for post in self.found.posts.values():
            if are_placed and post.id in self.shown:
                continue
            place = self.place_of(post)
            if (post.thread_id, post.parent_post_id) != place:
                moves.append((post.id, *place))
        await move_posts(self.conn, moves)
        known = self.found.posts
        follow = [(id, into) for id, into, _ in moves if id not in self.shown and known[id].thread_id != into]
        await move_ids(self.conn, follow)

    async def _facts(self, home: Home, was: ThreadFacts) -> ThreadFacts:
        """What ought to be said of a conversation of which all that may move is here."""
        stops = [self.facts[ThreadId(t)] for t in home.came_from if self.facts[ThreadId(t)].stopped_at is not None]
        stop = min(stops, key=lambda one: (one.stopped_at, one.id), default=was)
        answered = home.conversation.split_from
        return ThreadFacts(
            id=was.id,
            subject=await self._subject(home),
            split_from=None if answered is None else self._thread_of(PostId(answered)),
            stopped_at=stop.stopped_at,
            stopped_reason=stop.stopped_reason,
        )

    async def _subject(self, home: Home) -> str:
        """What a conversation is called: by its first post; a thread that began with it keeps the name it has."""
        if home.first is None:
            return ""
        first = self.found.posts[PostId(home.first)]
        if first.id in self.shown:
            return self.shown[first.id]
        began = self._first_of(first.thread_id)
        if began == first.id and first.thread_id in self.facts:
            return self.facts[first.thread_id].subject
        return await subject_of_post(self.conn, first)

    def _first_of(self, thread_id: ThreadId) -> PostId | None:
        """The post that a thread began with as it was."""
        if thread_id not in self.began:
            found = self.found.of_thread(thread_id)
            roots = [p.id for p in found if p.parent_post_id is None and p.id not in self.shown]
            self.began[thread_id] = min(roots, key=lambda id: self.forest.ranks[id], default=None)
        return self.began[thread_id]

    async def _describe(self) -> None:
        """Names of conversations that were there, where they were split from, and what is stopped with them."""
        for home in self.homes:
            if home.thread_id is None or not home.came_from:
                continue
            id = ThreadId(home.thread_id)
            if home.conversation.fixed:
                await self._stop_too(id, [self.facts[ThreadId(t)] for t in home.came_from])
            elif (wanted := await self._facts(home, self.facts[id])) != self.facts[id]:
                await change_thread(self.conn, wanted)

    async def _stop_too(self, id: ThreadId, stops: list[ThreadFacts]) -> None:
        """Posts of a stopped conversation came to another one: it is stopped with them."""
        stopped = [one for one in stops if one.stopped_at is not None]
        stop = min(stopped, key=lambda one: (one.stopped_at, one.id), default=None)
        if stop is None:
            return
        was = self.facts.get(id) or (await find_threads(self.conn, [id]))[id]
        if was.stopped_at is None:
            await change_thread(self.conn, was.stopped_like(stop))

    def _thread_of(self, id: PostId) -> ThreadId:
        return self.into[id] if id in self.into else self.found.thread_of(id)

    async def _note_names(self) -> None:
        """What each Message-ID means, and what is waited for."""
        owners: list[tuple[str, ThreadId, PostId]] = []
        for post in self.found.posts.values():
            name = post.message_id
            if post.side != "list" or not name or self.forest.owners.get(name) != post.id:
                continue
            if self.found.named.get(name) != post.id:
                owners.append((name, self.into[post.id], post.id))
        await own_ids(self.conn, self.association, owners)
        missing = [(name, PostId(key)) for key, names in self.forest.watched.items() for name in names]
        await note_missing(
            self.conn, self.association, [id for id in self.found.posts if id not in self.shown], missing
        )

    async def _clear(self) -> None:
        """Batches and splits follow; threads in which nothing stands any more go."""
        left = {p.thread_id for p in self.found.posts.values() if self.into[p.id] != p.thread_id} - {self.lobby}
        homes = self.homes
        gone = (self.before - set(self.into.values())) | {ThreadId(t) for home in homes for t in home.joined}
        changed = sorted(left | gone)
        if changed:
            await move_batches(self.conn, changed)
            described = {self.into[home.conversation.keys[0]] for home in homes if not home.conversation.fixed}
            await self._follow_splits(changed, described)
        heirs: dict[ThreadId, list[ThreadId]] = {}
        for thread_id in sorted(gone):
            heir = next((self.into[p.id] for p in self.found.of_thread(thread_id)), None)
            heir = heir or next(self.into[h.conversation.keys[0]] for h in homes if thread_id in h.joined)
            heirs.setdefault(heir, []).append(thread_id)
        for heir, threads in heirs.items():
            await delete_empty_threads(self.conn, threads, heir)
        if self.lobby:
            await delete_empty_threads(self.conn, [self.lobby], self.lobby)

    async def _follow_splits(self, changed: list[ThreadId], described: set[ThreadId]) -> None:
        """Other conversations that were split from these: each from where the post stands that it answered."""
        roots = [row for row in await list_split_roots(self.conn, changed) if row[0] not in described]
        posts = {post.id: post for post in await list_placed(self.conn, [root for _, _, root in roots])}
        names = {id: [n for n in names_answered(p)[0] if n != p.message_id] for id, p in posts.items()}
        named = await find_named(self.conn, self.association, [name for chain in names.values() for name in chain])
        answered = {id: next((named[n] for n in chain if n in named), None) for id, chain in names.items()}
        stand = {p.id: p.thread_id for p in await list_placed(self.conn, [a for a in answered.values() if a])}
        changes: dict[ThreadId, ThreadId | None] = {}
        for thread_id, _, root in roots:
            post_id = answered[root]
            if post_id is not None and stand.get(post_id) != thread_id:
                changes.setdefault(thread_id, stand.get(post_id))
        await change_splits(self.conn, sorted(changes.items(), key=lambda one: one[0]))
