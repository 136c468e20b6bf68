"""`passerelle archive export`: reads the archive a piece at a time and gives it to a writer of each format."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import PurePosixPath

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import BlobHash
from passerelle.core.links import Link
from passerelle.core.model import AttachmentRow, Post
from passerelle.exports import json_lines
from passerelle.exports.exported import Counts, Exported, Order, Writer
from passerelle.exports.folder import ExportFolder
from passerelle.store.blobs import get_blob
from passerelle.store.engine import Store
from passerelle.store.export import BEGINNING, Neighbourhood, count_posts, neighbourhood_of, posts_of_link
from passerelle.store.export import thread_edits_of as edits_of

#: Endings of files under which a browser shows no page and runs nothing.
_HARMLESS_SUFFIXES = (
    ".pdf", ".odt", ".ods", ".odp", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".rtf", ".epub", ".txt", ".csv",
    ".jpg", ".jpeg", ".png", ".gif", ".webp", ".heic", ".mp3", ".m4a", ".ogg", ".wav", ".mp4", ".webm", ".zip", ".ics",
    ".vcf", ".eml",
)  # fmt: skip


async def export_archive(
    store: Store,
    target: ExportFolder,
    order: Order,
    *,
    writers: Sequence[Writer],
    on_progress: Callable[[int, int], None],
) -> Counts:
    """Give every post to every writer.

    Args:
        target: entered already; finished by the caller.
        on_progress: told how many posts are done, and how many there are.

    Raises StoreError, ExportFailure.
    """
    counts = Counts()
    total = 0
    async with store.read() as conn:
        for link in order.links:
            total += await count_posts(conn, link.association_name, link.name)
    with ExitStack() as stack:
        entered = [stack.enter_context(writer) for writer in writers]
        done = 0
        for link in order.links:
            async for exported in _posts(store, target, link, order):
                if not exported.again:
                    _count(counts, exported)
                for writer in entered:
                    if writer.each_link or not exported.again:
                        writer.take(exported)
                done += 1
                on_progress(done, total)
    return counts


def _count(counts: Counts, exported: Exported) -> None:
    if not exported.is_shown:
        counts.tombstones += 1
        return
    counts.posts += 1
    counts.files += sum(1 for _, path in exported.files if path)
    if exported.post.side == "list":
        counts.emails += 1
        counts.mended_in_mbox += not exported.original.endswith(b"\n")
    else:
        counts.lines += 1


async def _posts(store: Store, target: ExportFolder, link: Link, order: Order) -> AsyncIterator[Exported]:
    """The posts of a link, a transaction for each piece: an export of hours holds no snapshot for hours."""
    after, period = BEGINNING, order.period
    before = {one.name for one in order.links[: list(order.links).index(link)]}
    while True:
        async with store.read() as conn:
            posts = await posts_of_link(
                conn, link.association_name, link.name, period=(period.since, period.until), after=after
            )
            around = await neighbourhood_of(conn, posts) if posts else None
            for post in posts:
                assert around is not None
                stands = {post.link, *around.cross_links.get(post.id, ())}
                exported = await _exported(conn, target, link, post, around)
                yield replace(exported, again=not stands.isdisjoint(before))
        if not posts:
            return
        after = (posts[-1].said_at, posts[-1].id)


async def _exported(
    conn: AsyncConnection, target: ExportFolder, link: Link, post: Post, around: Neighbourhood
) -> Exported:
    if post.state != "accepted":
        return Exported(link=link, post=post, around=around, original=b"", files=())
    files = [(file, await _write_file(conn, target, file)) for file in around.files.get(post.id, [])]
    original = await get_blob(conn, post.raw_hash) if post.raw_hash else b""
    return Exported(link=link, post=post, around=around, original=original, files=files)


async def _write_file(conn: AsyncConnection, target: ExportFolder, file: AttachmentRow) -> str | None:
    """Where the bytes of a file stand in the export, once for all posts that have it; None where they are not here."""
    if file.blob_hash is None or file.state != "here":
        return None
    path = file_path(file.blob_hash, file.filename)
    if not target.has(path):
        target.write(path, await get_blob(conn, file.blob_hash))
    return path


def file_path(blob_hash: BlobHash, filename: str) -> str:
    """The path of a file's bytes: by their hash, with an ending under which nothing runs that is opened by mistake."""
    suffix = PurePosixPath(filename).suffix.lower()
    return f"files/{blob_hash[:2]}/{blob_hash}{suffix if suffix in _HARMLESS_SUFFIXES else '.bin'}"


async def write_edits(store: Store, target: ExportFolder, links: Sequence[Link]) -> None:
    """`json/thread-edits.jsonl`: what humans changed in the trees of conversations."""
    for name in sorted({link.association_name for link in links}):
        async with store.read() as conn:
            edits = await edits_of(conn, name)
        data = b"".join(json_lines.line(json_lines.edit_value(edit)) for edit in edits)
        target.write(f"json/thread-edits.{name}.jsonl", data)
