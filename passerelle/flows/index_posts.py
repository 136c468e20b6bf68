"""What was said can be found: the words of posts that wait for it are indexed, a few in each transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import LinkName
from passerelle.core.model import Origin
from passerelle.core.search_words import Findable, SearchWords, build_words
from passerelle.core.shelves import Shelf, shelf_of
from passerelle.files.kinds import is_readable
from passerelle.flows.context import FlowContext
from passerelle.flows.quoted import quoted_of
from passerelle.store.blobs import get_blob
from passerelle.store.engine import note_work
from passerelle.store.file_texts import insert_waiting_texts
from passerelle.store.search_index import (
    INDEXED_STATES,
    WaitingFile,
    WaitingPost,
    allot_numbers,
    claim_waiting,
    find_unkept,
    has_waiting,
    list_crossed,
    list_files,
    list_waiting,
    mark_indexed,
    put_words,
    read_words,
    remove_words,
)

#: Posts indexed in one transaction: it is short, and others write in between.
_AT_ONCE = 20


async def index_waiting(ctx: FlowContext, *, limit: int = 1000, live_only: bool = False) -> int:
    """Index up to `limit` posts that wait for it; how many were.

    Args:
        live_only: leave those of an imported past to a later call. There may be thousands, before which nothing new
            would be found; and what they are found by may have to be read out of the index, which takes seconds.
    """
    if not await has_waiting(ctx.store):
        return 0
    async with ctx.store.read() as conn:
        listed = await list_waiting(conn, limit, live_only=live_only)
        unkept = await find_unkept(conn, [post.chrono_id for post in listed if post.chrono_id is not None])
    # What an import put there is read out of the index, before it is taken out: in a thread, once for all of them.
    known = await read_words(ctx.store, unkept)
    done = 0
    for start in range(0, len(listed), _AT_ONCE):
        async with ctx.store.write(durable=False, quiet=True) as conn:
            posts = await claim_waiting(conn, [post.id for post in listed[start : start + _AT_ONCE]])
            await index_posts(conn, posts, known)
        done += len(posts)
    return done


async def index_posts(conn: AsyncConnection, posts: Sequence[WaitingPost], known: Mapping[int, SearchWords]) -> None:
    """Index posts inside a transaction of the caller, and mark them as indexed.

    Args:
        known: what stands in the index of those that `store.search_index.find_unkept` named.
    """
    new = [post for post in posts if post.chrono_id is None]
    numbers = {post.id: post.chrono_id for post in posts if post.chrono_id is not None}
    allotted = await allot_numbers(conn, [post.said_at for post in new])
    numbers |= dict(zip((post.id for post in new), allotted, strict=True))
    shown = [post for post in posts if post.state in INDEXED_STATES and post.flagged != "no_archive"]
    ids = [post.id for post in shown]
    crossed, files = await list_crossed(conn, ids), await list_files(conn, ids)
    await _note_files(conn, [one for of_post in files.values() for one in of_post])
    words = {}
    for post in shown:
        findable = await _findable(conn, post, crossed.get(post.id, ()), files.get(post.id, ()))
        words[numbers[post.id]] = build_words(findable)
    # An imported past changes hardly ever, and is most of an archive: its words are not kept twice.
    unkept = {numbers[post.id] for post in shown if post.origin == "import" and post.id not in files}
    await put_words(conn, words, known=known, unkept=unkept)
    await remove_words(conn, set(numbers.values()) - set(words), known=known)
    await mark_indexed(conn, numbers)


async def _note_files(conn: AsyncConnection, files: Sequence[WaitingFile]) -> None:
    """Files whose text nobody looked for yet are to be read."""
    new = [
        one.id
        for one in files
        if one.text_state is None
        and one.blob_hash is not None
        and is_readable(one.media_type, one.filename, one.size_bytes)
    ]
    if new:
        await insert_waiting_texts(conn, new)
        note_work(conn, "words")


async def _findable(
    conn: AsyncConnection,
    post: WaitingPost,
    crossed: Sequence[tuple[LinkName, Origin]],
    files: Sequence[WaitingFile],
) -> Findable:
    texts = [await get_blob(conn, one.text_hash) for one in files if one.text_hash]
    return Findable(
        shelves=(_shelf(post, post.link, post.origin), *(_shelf(post, *other) for other in crossed)),
        side=post.side,
        author_name=post.author_name,
        subject=post.subject,
        own=post.text,
        quoted=await quoted_of(conn, post.raw_hash) if post.side == "list" else "",
        file_names=tuple(one.filename for one in files),
        file_texts=tuple(data.decode(errors="replace") for data in texts),
    )


def _shelf(post: WaitingPost, link: LinkName, origin: Origin) -> Shelf:
    return shelf_of(association=post.association, link=link, origin=origin, side=post.side)
