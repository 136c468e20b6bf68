"""The texts of posts that the index found: whether exact words stand there, and the part that shows why."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from passerelle.core.extracts import Piece, confirm, extract
from passerelle.core.ids import PostId
from passerelle.core.search_plan import columns_of
from passerelle.core.search_terms import Phrase, Query
from passerelle.core.subject import canonical_subject
from passerelle.errors import StoreError
from passerelle.flows.quoted import quoted_of
from passerelle.store.blobs import get_blob
from passerelle.store.engine import Store
from passerelle.store.search import FoundPost, list_found_files

_EXTRACT_CHARACTERS = 200
_TITLE_CHARACTERS = 150


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What a post says, by column of the index; only what was asked for."""

    subject: str
    own: str = field(repr=False)
    #: Name and text of each file.
    files: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    quoted: str = field(default="", repr=False)

    def of(self, phrase: Phrase) -> Iterator[str]:
        """The texts in which a phrase may stand."""
        columns = columns_of(phrase)
        if "subject" in columns:
            yield self.subject
        if "own" in columns:
            yield self.own
        if "files" in columns:
            for name, text in self.files:
                yield name
                yield text
        if "quoted" in columns:
            yield self.quoted


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A post that was found, and why."""

    post: FoundPost
    #: The subject, with what was searched; empty where it has none.
    title: tuple[Piece, ...]
    extract: tuple[Piece, ...]
    #: What the extract is of.
    of: Literal["own", "files", "quoted"] = "own"
    #: Of `files`: which.
    filename: str = ""


async def keep_confirmed(store: Store, posts: Sequence[FoundPost], phrases: Sequence[Phrase]) -> list[FoundPost]:
    """Of posts in which the stems of exact phrases stand, those in which the very words do (`negated`: do not)."""
    texts = await _read_texts(store, posts, {column for phrase in phrases for column in columns_of(phrase)})

    def judged() -> list[bool]:
        return [all(_holds(texts[post.id], phrase) for phrase in phrases) for post in posts]

    holds = await asyncio.to_thread(judged)
    return [post for post, stands in zip(posts, holds, strict=True) if stands]


def _holds(texts: Texts, phrase: Phrase) -> bool:
    return any(confirm(text, phrase) for text in texts.of(phrase)) is not phrase.negated


async def hits_of(store: Store, posts: Sequence[FoundPost], query: Query) -> tuple[Hit, ...]:
    """Each post with the part of its own words that shows why it was found; else of a file, or of what it quotes."""
    hits = await asyncio.to_thread(lambda: [_own_hit(post, query) for post in posts])
    columns = {column for phrase in query.phrases if not phrase.negated for column in columns_of(phrase)}
    elsewhere = columns & {"files", "quoted"}
    unexplained = [hit.post for hit in hits if not any(piece.hit for piece in hit.extract)] if elsewhere else []
    if not unexplained:
        return tuple(hits)
    texts = await _read_texts(store, unexplained, elsewhere)

    def explained() -> tuple[Hit, ...]:
        return tuple(_hit_elsewhere(hit, texts[hit.post.id], query) if hit.post.id in texts else hit for hit in hits)

    return await asyncio.to_thread(explained)


def _own_hit(post: FoundPost, query: Query) -> Hit:
    shown = _subject_shown(post)
    title = extract(shown, query, length=_TITLE_CHARACTERS, column="subject") if shown else ()
    return Hit(post=post, title=title, extract=extract(post.text, query, length=_EXTRACT_CHARACTERS))


def _subject_shown(post: FoundPost) -> str:
    """The subject with its capitals, where the conversation bears the same."""
    return post.thread_subject if _compared(post.thread_subject) == _compared(post.subject) else post.subject


@lru_cache(maxsize=2048)
def _compared(subject: str) -> str:
    return canonical_subject(subject, prefix=None)


def _hit_elsewhere(hit: Hit, texts: Texts, query: Query) -> Hit:
    for name, text in texts.files:
        pieces = extract(text, query, length=_EXTRACT_CHARACTERS, column="files") if text else ()
        by_name = extract(name, query, length=_TITLE_CHARACTERS, column="files")
        if any(piece.hit for piece in (*pieces, *by_name)):
            return Hit(post=hit.post, title=hit.title, extract=pieces, of="files", filename=name)
    pieces = extract(texts.quoted, query, length=_EXTRACT_CHARACTERS, column="quoted") if texts.quoted else ()
    if any(piece.hit for piece in pieces):
        return Hit(post=hit.post, title=hit.title, extract=pieces, of="quoted")
    return hit


async def _read_texts(store: Store, posts: Sequence[FoundPost], columns: Collection[str]) -> dict[PostId, Texts]:
    files = await _read_files(store, [post.id for post in posts]) if "files" in columns else {}
    quoted: dict[PostId, str] = {}
    if "quoted" in columns:
        async with store.read() as conn:
            quoted = {post.id: await quoted_of(conn, post.raw_hash) for post in posts if post.side == "list"}
    return {
        post.id: Texts(
            subject=post.subject,
            own=post.text,
            files=tuple(files.get(post.id, ())),
            quoted=quoted.get(post.id, ""),
        )
        for post in posts
    }


async def _read_files(store: Store, post_ids: Collection[PostId]) -> dict[PostId, list[tuple[str, str]]]:
    found: dict[PostId, list[tuple[str, str]]] = {}
    files = await list_found_files(store, post_ids)
    if not files:
        return {}
    async with store.read() as conn:
        for one in files:
            text = ""
            if one.text_hash is not None:
                try:
                    text = (await get_blob(conn, one.text_hash)).decode(errors="replace")
                except StoreError:  # it was taken back a moment ago
                    continue
            found.setdefault(one.post_id, []).append((one.filename, text))
    return found
