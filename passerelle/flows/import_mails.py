"""The past of a list comes in: read by one process, made into posts by several, written by one, in short transactions.

Each transaction stores a chunk of posts with their words and their places among conversations, and how far the source
was read: whatever interrupts an import, it goes on behind the last chunk, and nothing is doubled. Between two of them
the bridge gets its turn.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress, PostId
from passerelle.core.links import Link
from passerelle.core.model import Side
from passerelle.core.permalinks import copied_line
from passerelle.flows.context import FlowContext
from passerelle.flows.import_pool import ImportPool
from passerelle.flows.import_work import Made, Own, Work
from passerelle.flows.marks import MARK_FIELD
from passerelle.flows.rethread import NOWHERE, plan_chunk
from passerelle.imports.source import Refused, Source, SourceMail
from passerelle.mail.quick_reading import ListFacts
from passerelle.store.bulk import (
    BulkPost,
    KnownPost,
    Place,
    Placing,
    find_known_posts,
    find_lines,
    find_own_mails,
    find_seen_posts,
    insert_posts,
    new_post_ids,
)
from passerelle.store.cross_posts import insert_cross_posts
from passerelle.store.imports import ImportRefusal, Progress, advance_import_run, get_import_run, insert_import_refusals
from passerelle.store.links import lock_link
from passerelle.store.people import find_or_insert_person
from passerelle.store.search_index import allot_numbers
from passerelle.store.seen import insert_seen
from passerelle.store.thread_places import Placed
from passerelle.store.types import microseconds

log = logging.getLogger(__name__)

#: Given to a process at once: so many mails, or so many bytes of them.
_MAILS_AT_ONCE = 250
_BYTES_AT_ONCE = 4 * 1024 * 1024
#: How many mails the first transaction holds.
_FIRST_CHUNK = 250


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pace:
    """How long a transaction is meant to take, its mails at the least and at the most, and which of so many waits for
    the disk."""

    seconds: float
    chunks: tuple[int, int]
    durable_each: int


_BESIDE_OTHERS = _Pace(seconds=0.15, chunks=(50, 2000), durable_each=8)
#: Fewer transactions write the same page of an index less often. So many mails stand in memory at once.
_BESIDE_NOBODY = _Pace(seconds=1.0, chunks=(50, 4000), durable_each=3)
#: Between two transactions on SQLite: it looks at a lock each 0.1 s (sqliteDefaultBusyCallback).
_TURN_OF_OTHERS_SECONDS = 0.12


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of an import so far, since it was begun here."""

    read: int = 0
    imported: int = 0
    #: They stood here already, or were erased, or are the bridge's own.
    known: int = 0
    refused: int = 0


OnProgress = Callable[[Outcome], None]


async def import_mails(
    ctx: FlowContext, link: Link, run_id: int, source: Source, *, on_progress: OnProgress, processes: int | None = None
) -> Outcome:
    """Take in the mails of a source as the past of a link's list; goes on where its run was interrupted.

    Args:
        run_id: of `import_run`, which says whose past it is and how far the source was read. It is not ended here.
        on_progress: called after each transaction.
        processes: how many make posts; None: one for each core.

    Raises StoreError, ImportFailure of the source.
    """
    async with ctx.store.read() as conn:
        run = await get_import_run(conn, run_id)
    work = Work(
        association=link.association_name,
        link=link.name,
        link_path=link.path,
        side=run.side,
        facts=ListFacts(
            addresses=link.list_addresses,
            prefix=link.settings.mailing_list.subject_prefix,
            mark_field=MARK_FIELD.lower(),
        ),
        bridge=frozenset(mailbox.address.lower() for mailbox in ctx.settings.mailboxes),
        hash_key=ctx.hash_key,
        file_limit_bytes=link.settings.email_limit_bytes,
        now=ctx.now(),
    )
    writer = _Writer(ctx=ctx, link=link, run_id=run_id, side=run.side)
    async with ImportPool(work, processes) as pool:
        async for made in _made(pool, source, run.position):
            await writer.take(made)
            if writer.is_full:
                await writer.write()
                on_progress(writer.outcome)
        await writer.write()
    on_progress(writer.outcome)
    return writer.outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class _Result:
    """What became of one mail, and where the source is read on behind it."""

    made: Made
    position: Any


async def _made(pool: ImportPool, source: Source, after: Any | None) -> AsyncIterator[Sequence[_Result]]:
    """The results of the source's mails, in their order; some batches are always under way."""
    under_way: deque[tuple[list[SourceMail | Refused], asyncio.Future[list[Made]]]] = deque()
    batches = _batches(source.read(after))
    ended = False
    while under_way or not ended:
        while not ended and len(under_way) < pool.most_under_way:
            # A source does blocking I/O, and may have much to leaf through.
            batch = await asyncio.to_thread(next, batches, None)
            if batch is None:
                ended = True
            else:
                mails = [one for one in batch if isinstance(one, SourceMail)]
                under_way.append((batch, pool.submit(mails)))
        if under_way:
            batch, future = under_way.popleft()
            made = iter(await future)
            yield [
                _Result(made=next(made) if isinstance(one, SourceMail) else one, position=one.position) for one in batch
            ]


def _batches(items: Iterator[SourceMail | Refused]) -> Iterator[list[SourceMail | Refused]]:
    for first in items:
        batch, size = [], 0
        for item in chain((first,), items):
            batch.append(item)
            size += len(item.raw) if isinstance(item, SourceMail) else 0
            if len(batch) >= _MAILS_AT_ONCE or size >= _BYTES_AT_ONCE:
                break
        yield batch


@dataclass(kw_only=True, slots=True)
class _Sorted:
    """A chunk, by what becomes of each."""

    new: list[BulkPost] = field(default_factory=list)
    known: int = 0
    refused: list[Refused] = field(default_factory=list)
    #: Posts of another link that stand in this one too.
    crossed: list[PostId] = field(default_factory=list)
    flagged: set[tuple[str, str]] = field(default_factory=set)
    #: Keyed hashes of those that stand here, and were not known on this link before.
    marks: list[str] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class _Writer:
    """The one that writes: it gathers results and stores them, a chunk in each transaction."""

    ctx: FlowContext
    link: Link
    run_id: int
    side: Side
    outcome: Outcome = Outcome()
    _waiting: list[_Result] = field(default_factory=list)
    _chunk: int = _FIRST_CHUNK
    _pace: _Pace = _BESIDE_OTHERS
    _people: dict[tuple[str, MailAddress | None], int] = field(default_factory=dict)
    _ended_at: float = 0.0
    _written: int = 0

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._chunk

    async def take(self, results: Sequence[_Result]) -> None:
        self._waiting += results

    async def write(self) -> None:
        """Store what waits."""
        while self._waiting:
            # Asked each time: a daemon may start.
            pace = _BESIDE_NOBODY if self.ctx.store.is_beside_nobody() else _BESIDE_OTHERS
            if pace is not self._pace:
                self._pace, self._chunk = pace, min(self._chunk, _FIRST_CHUNK)
            chunk, self._waiting = self._waiting[: self._chunk], self._waiting[self._chunk :]
            await self._let_others()
            began = time.perf_counter()
            await self._write_chunk(chunk)
            self._ended_at = time.perf_counter()
            self._fit(len(chunk), self._ended_at - began)

    async def _let_others(self) -> None:
        if self.ctx.store.dialect == "sqlite" and self._pace is _BESIDE_OTHERS:
            await asyncio.sleep(max(0.0, self._ended_at + _TURN_OF_OTHERS_SECONDS - time.perf_counter()))

    def _fit(self, count: int, seconds: float) -> None:
        """Let the next transaction take about as long as it should; a slow disk gets smaller ones."""
        fitting = int(count * self._pace.seconds / max(seconds, 0.001))
        smallest, largest = self._pace.chunks
        # Twice as many at the most: one quick transaction promises nothing.
        self._chunk = max(smallest, min(largest, fitting, 2 * self._chunk))

    async def _write_chunk(self, chunk: Sequence[_Result]) -> None:
        # A power cut takes whole transactions, and with each of them the place where the source is read on. SQLite
        # carries its log over into the database at durable ones only.
        self._written += 1
        async with self.ctx.store.write(durable=self._written % self._pace.durable_each == 0) as conn:
            await lock_link(conn, self.link.association_name, self.link.name)
            found = await self._sort(conn, chunk)
            await self._insert(conn, found.new, frozenset(found.flagged))
            await insert_cross_posts(conn, self.link.name, found.crossed)
            # Should it be erased, it does not come back by this link's archive either.
            await insert_seen(conn, self.link.association_name, "post", found.marks, self.ctx.now())
            refusals = [ImportRefusal(place=one.place, reason=one.reason) for one in found.refused]
            await insert_import_refusals(conn, self.run_id, refusals)
            progress = Progress(
                position=chunk[-1].position,
                read=len(chunk),
                imported=len(found.new),
                known=found.known,
                refused=len(found.refused),
            )
            await advance_import_run(conn, self.run_id, progress)
        self.outcome = Outcome(
            read=self.outcome.read + progress.read,
            imported=self.outcome.imported + progress.imported,
            known=self.outcome.known + progress.known,
            refused=self.outcome.refused + progress.refused,
        )

    async def _sort(self, conn: AsyncConnection, chunk: Sequence[_Result]) -> _Sorted:
        """Tell new posts from what is known here."""
        association = self.link.association_name
        posts = [one.made for one in chunk if isinstance(one.made, BulkPost)]
        standing = await find_known_posts(conn, association, posts)
        ours = await find_own_mails(conn, association, (one.message_id for one in posts))
        copies = {one.message_id: short for one in posts if (short := copied_line(one.message_id))}
        lines = await find_lines(conn, association, copies.values())
        ours |= {message_id for message_id, short in copies.items() if short in lines}
        gone = await find_seen_posts(conn, association, (one.seen for one in posts))
        named = {message_id for message_id, _ in standing}
        erased = {message_id for (message_id, _), known in standing.items() if known.is_erased and message_id}
        found = _Sorted()
        for result in chunk:
            made = result.made
            if isinstance(made, Refused):
                found.refused.append(made)
            elif isinstance(made, Own):
                found.known += 1
            elif made.identity in standing:
                found.known += 1
                self._note_cross(standing[made.identity], found)
                if made.seen not in gone:
                    found.marks.append(made.seen)
            elif made.message_id in ours or made.seen in gone or made.message_id in erased:
                # Seen and not here: it was erased, and does not come back.
                found.known += 1
            else:
                if made.message_id and made.message_id in named:
                    found.flagged.add(made.identity)
                named.add(made.message_id)
                standing[made.identity] = KnownPost(id=PostId(0), link=self.link.name)
                found.new.append(made)
        return found

    def _note_cross(self, known: KnownPost, found: _Sorted) -> None:
        if known.link != self.link.name and known.id not in found.crossed:
            found.crossed.append(known.id)

    async def _insert(
        self, conn: AsyncConnection, posts: Sequence[BulkPost], flagged: frozenset[tuple[str, str]]
    ) -> None:
        if not posts:
            return
        now, association = self.ctx.now(), self.link.association_name
        for post in posts:
            await self._note_person(conn, post)
        numbers = await allot_numbers(conn, [post.said_at for post in posts])
        ids = await new_post_ids(conn, len(posts))
        arriving = [self._arriving(id, post) for id, post in zip(ids, posts, strict=True)]
        shown = {id: post.shown_subject for id, post in zip(ids, posts, strict=True)}
        plan = await plan_chunk(conn, association, arriving, shown, now)
        placed = []
        for number, one, post in zip(numbers, arriving, posts, strict=True):
            thread_id, parent = plan.place_of(one)
            placed.append((post, Placing(id=one.id, number=number, thread_id=thread_id, parent_post_id=parent)))
        place = Place(association=association, link=self.link.name, side=self.side, now=now)
        await insert_posts(conn, place, placed, people=self._people, flagged=flagged)
        await plan.finish(are_placed=True)

    def _arriving(self, id: PostId, post: BulkPost) -> Placed:
        return Placed(
            id=id,
            link=self.link.name,
            side="list",
            message_id=post.message_id,
            refs=post.refs,
            subject=post.subject,
            beginning="",
            said_at=microseconds(post.said_at),
            content_hash=post.content_hash,
            thread_id=NOWHERE,
            parent_post_id=None,
            origin="import",
        )

    async def _note_person(self, conn: AsyncConnection, post: BulkPost) -> None:
        """Who wrote is a person with an address, but takes part in nothing: they may have left long ago."""
        key = post.author_name, post.author_address
        if key in self._people or key == ("", None):
            return
        name, address = key
        self._people[key] = await find_or_insert_person(
            conn, self.link.association_name, name=name, address=address, now=self.ctx.now()
        )
