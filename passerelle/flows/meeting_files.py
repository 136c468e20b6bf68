"""Minutes that came as a file (.odt, .docx, .pdf, .txt): the same grammar is read out of it as out of a mail.

A file is read in a process of its own, which may break down without harm. A photo stays what it is: a picture, with the
mail that brought it.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email
from passerelle.core.folding import fold
from passerelle.core.links import Link
from passerelle.core.meeting_model import Meeting
from passerelle.core.meeting_subjects import meeting_named
from passerelle.core.model import Post
from passerelle.core.permissions import Actor
from passerelle.files.kinds import is_readable, kind_of
from passerelle.files.reading import read_file
from passerelle.files.texts import UnreadableFile
from passerelle.flows.context import FlowContext
from passerelle.flows.meeting_facts import papers_of
from passerelle.flows.meeting_notes import take_notes
from passerelle.flows.meeting_papers import brings_minutes
from passerelle.flows.register_notes import note_post
from passerelle.flows.said import Said
from passerelle.store.attachments import list_attachments
from passerelle.store.blobs import get_blob

log = logging.getLogger(__name__)

#: Files of one meeting that are read for its minutes.
_MOST_FILES = 10
#: Of the text of one file.
_LONGEST = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """A file that came with a post, and what it says."""

    post: Post
    position: int
    text: str


async def read_papers(ctx: FlowContext, link: Link, meeting: Meeting) -> list[Paper]:
    """What the files say that came with the minutes of a meeting; one that cannot be read says nothing."""
    found: list[Paper] = []
    async with ctx.store.read() as conn:
        posts = await papers_of(ctx, conn, link, meeting)
        files = [(post, one) for post in posts for one in await list_attachments(conn, post.id)]
    for post, one in files:
        kind = kind_of(one.media_type, one.filename)
        if kind is None or one.blob_hash is None or not is_readable(one.media_type, one.filename, one.size_bytes):
            continue
        if len(found) >= _MOST_FILES:
            break
        async with ctx.store.read() as conn:
            data = await get_blob(conn, one.blob_hash)
        try:
            text = await read_file(data, kind)
        except UnreadableFile as error:
            log.info("Minutes in a file cannot be read: %s", error, extra={"link": link.path, "post_id": post.id})
            continue
        found.append(Paper(post=post, position=one.position, text=text[:_LONGEST]))
    return found


async def text_of_files(email: Email) -> str:
    """What the files of a mail to the bridge alone say, where it answers something or is minutes by its subject."""
    if not (email.in_reply_to or brings_minutes(email.subject) or meeting_named(email.subject) is not None):
        return ""
    texts: list[str] = []
    for one in email.attachments[:_MOST_FILES]:
        kind = kind_of(one.media_type, one.filename)
        if kind is None or not is_readable(one.media_type, one.filename, len(one.data)):
            continue
        try:
            texts.append((await read_file(one.data, kind))[:_LONGEST])
        except UnreadableFile as error:
            log.info("A file of a mail to the bridge cannot be read: %s", error)
    return "\n".join(texts)


async def note_papers(
    ctx: FlowContext, conn: AsyncConnection, link: Link, meeting: Meeting, papers: Sequence[Paper]
) -> None:
    """Keep what files note, their post as the source; what the mail itself says is there already."""
    for paper in papers:
        text = _unsaid(paper)
        said = Said(
            link=link,
            actor=_author(paper.post),
            text=text,
            said_at=paper.post.said_at,
            key=f"file:{paper.post.id}:{paper.position}",
            post=paper.post,
        )
        noted = await note_post(ctx, conn, said, paper.post, meeting_id=meeting.id)
        await take_notes(ctx, conn, said, noted, meeting)


def _unsaid(paper: Paper) -> str:
    """The lines of a file that do not stand in the mail that it came with."""
    said = {" ".join(fold(line).split()) for line in paper.post.text.splitlines()}
    return "\n".join(line for line in paper.text.splitlines() if " ".join(fold(line).split()) not in said)


def _author(post: Post) -> Actor:
    """Who brought it: what is noted is proposed, whoever they are."""
    return Actor(
        person_id=post.person_id,
        name=post.author_name,
        address=None,
        user_id=None,
        medium="mail",
        is_participant=True,
        is_coordinator=False,
        proof="list",
    )
