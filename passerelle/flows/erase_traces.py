"""What an erasure is about, and by what a person's words are known in what others wrote."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import AssociationName, BlobHash, EntryId, MailAddress, PostId, ThreadId, UserId
from passerelle.core.links import Link
from passerelle.core.model import Post
from passerelle.core.pseudonyms import Pseudonym, says, unname
from passerelle.core.quoted_words import MarkWords, Traces, tokens_of, traces_of
from passerelle.deadline import DeadlinePassed
from passerelle.errors import MalformedEmail, StoreError
from passerelle.flows.context import FlowContext
from passerelle.mail.compose import first_words
from passerelle.mail.html_text import html_to_text
from passerelle.mail.parse import parse_email
from passerelle.mail.redacted_copy import Wanted
from passerelle.mail.trim import PieceKind, trim
from passerelle.store.attachments import list_attachments
from passerelle.store.batches import list_sealed_with
from passerelle.store.blobs import get_blob
from passerelle.store.post_versions import list_versions
from passerelle.store.posts import find_post
from passerelle.store.privacy import KnownPerson, PrivacyRequest, find_known_person, is_shared, list_other_names
from passerelle.store.scrub import find_opening_post, list_files_of_others, list_posts_of_person, list_posts_of_thread
from passerelle.store.threads import get_thread

#: What of a mail's text its author wrote.
_OWN = (PieceKind.OWN, PieceKind.SIGNATURE)


@dataclass(kw_only=True)
class Erasing:
    """A request on its way. `far` is stored with each step, so that it goes on after a crash."""

    ctx: FlowContext
    request: PrivacyRequest
    #: None: a post or a conversation.
    person: KnownPerson | None
    #: Addresses that are theirs alone: of a couple's address only what bears the asker's name is theirs (PEOPLE 6).
    addresses: tuple[MailAddress, ...] = ()
    far: dict[str, Any] = field(default_factory=dict)

    @property
    def association(self) -> AssociationName:
        return self.request.association

    @property
    def user_ids(self) -> tuple[UserId, ...]:
        return self.person.user_ids if self.person else ()

    @property
    def links(self) -> list[Link]:
        return [link for link in self.ctx.links if link.association_name == self.association]

    @property
    def marks(self) -> MarkWords:
        words = self.ctx.renderer(self.links[0].association).words
        return MarkWords(words=words("erased_words"), name=words("erased_name"))

    @property
    def nobody(self) -> str:
        """What stands in the register instead of a name."""
        return self.ctx.renderer(self.links[0].association).words("erased_person")

    @property
    def keeps(self) -> bool:
        """Approved minutes and decisions are kept as they are, for a reason that the receipt tells (PEOPLE 6)."""
        return bool(self.far.get("keep"))

    def count(self, what: str, number: int = 1) -> None:
        """Add to the receipt."""
        counts = self.far.setdefault("counts", {})
        counts[what] = counts.get(what, 0) + number

    def note_kept(self, what: str, number: int = 1) -> None:
        """What the receipt says was kept."""
        kept = self.far.setdefault("kept", {})
        kept[what] = kept.get(what, 0) + number

    def note_email(self, message_id: str) -> None:
        """A mail of which no copy is to stay in the bridge's own mailboxes: one to two lists came into both."""
        for box in dict.fromkeys(link.mailbox.name for link in self.links):
            ids = self.far.setdefault("emails", {}).setdefault(box, [])
            if message_id and message_id not in ids:
                ids.append(message_id)


async def begin(ctx: FlowContext, conn: AsyncConnection, request: PrivacyRequest) -> Erasing:
    """The request with what is known of whom it is about. Raises StoreError where its association is not served."""
    person_id = request.subject.get("person")
    person = await find_known_person(conn, person_id) if person_id is not None else None
    # What a list wrote into From may have been taken for somebody's: it is nobody's.
    lists = {a.lower() for link in ctx.links for a in link.list_addresses}
    alone = [a for a in person.addresses if a.lower() not in lists and not ctx.is_bridge(a)] if person else []
    own = [a for a in alone if not await is_shared(conn, request.association, a)]
    erasing = Erasing(
        ctx=ctx, request=request, person=person, addresses=tuple(own), far=_copied(request.progress or {})
    )
    if not erasing.links:
        raise StoreError(f"The association {request.association} is not in the configuration.")
    return erasing


def _copied(far: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **far,
        "counts": dict(far.get("counts", {})),
        "kept": dict(far.get("kept", {})),
        "emails": {box: list(ids) for box, ids in far.get("emails", {}).items()},
    }


async def targets(erasing: Erasing, conn: AsyncConnection) -> list[PostId]:
    """The posts that are to be erased and are not yet."""
    subject = erasing.request.subject
    if "post" in subject:
        post = await find_post(conn, PostId(subject["post"]))
        return [post.id] if post is not None and post.state != "erased" else []
    if "thread" in subject:
        return await list_posts_of_thread(conn, ThreadId(subject["thread"]))
    if erasing.person is None:
        return []
    return await list_posts_of_person(
        conn,
        erasing.association,
        erasing.person.id,
        addresses=erasing.addresses,
        user_ids=erasing.user_ids,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Going:
    """What goes of the register, and how a person is called in it."""

    entries: frozenset[EntryId] = frozenset()
    #: Of these entries, what members call them.
    numbers: frozenset[int] = frozenset()
    #: What the person said, in few words: too short to be told from anyone's, but in what the bridge itself wrote.
    phrases: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    #: None: a post or a conversation.
    who: Pseudonym | None = None

    def stands_in(self, text: str) -> bool:
        """Whether the bridge's own words `text` say what goes, or name the person."""
        return says(text, self.phrases) or (self.who is not None and unname(text, self.who, whole_only=False) != text)


@dataclass(frozen=True, kw_only=True, slots=True)
class LookedFor:
    """What is to be found. A subject is known as the person's in its own conversation only: « Réunion » is anyone's."""

    near: Wanted
    elsewhere: Wanted
    threads: frozenset[int]
    message_ids: frozenset[str]
    #: Message-IDs of the mails in which lines of theirs left.
    mails: frozenset[str]
    #: Short names of the posts.
    permalinks: frozenset[str]
    #: What the person is called that nobody else is.
    names: frozenset[str] = frozenset()
    going: Going = field(default_factory=Going)

    def in_thread(self, thread_id: int) -> Wanted:
        return self.near if thread_id in self.threads else self.elsewhere

    def answering(self, message_ids: Iterable[str]) -> Wanted:
        return self.elsewhere if self.message_ids.isdisjoint(message_ids) else self.near

    def __bool__(self) -> bool:
        return bool(self.near.traces or self.near.files or self.going.entries)


@dataclass(slots=True)
class _Gathered:
    threads: set[int] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    subjects: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    #: By hash, when each was first sent.
    files: dict[BlobHash, datetime] = field(default_factory=dict)
    mails: set[str] = field(default_factory=set)
    permalinks: set[str] = field(default_factory=set)


async def looked_for(erasing: Erasing, ids: Iterable[PostId]) -> LookedFor:
    """What is to be found elsewhere: the words, subjects and files of these posts; of a person, their names too."""
    gathered = _Gathered()
    chosen = list(ids)
    for post_id in chosen:
        async with erasing.ctx.store.read() as conn:
            post = await find_post(conn, post_id)
            if post is not None:
                await _gather(conn, post, gathered, frozenset(chosen))
    person = erasing.person
    names = await names_alone(erasing, {person.name, *gathered.names}) if person else set()
    # What somebody else had sent before, as an emblem in a signature, is not theirs.
    async with erasing.ctx.store.read() as conn:
        others = await list_files_of_others(conn, erasing.association, list(gathered.files), frozenset(chosen))
    for _, file, said_at in others:
        if file in gathered.files and said_at < gathered.files[file]:
            del gathered.files[file]
    near, elsewhere = [await _wanted(erasing, gathered, names, subjects) for subjects in (gathered.subjects, set())]
    return LookedFor(
        near=near,
        elsewhere=elsewhere,
        threads=frozenset(gathered.threads),
        message_ids=frozenset(gathered.message_ids),
        mails=frozenset(gathered.mails),
        permalinks=frozenset(gathered.permalinks),
        names=frozenset(names),
    )


async def _wanted(erasing: Erasing, gathered: _Gathered, names: set[str], subjects: set[str]) -> Wanted:
    traces: Traces = await asyncio.to_thread(
        traces_of,
        gathered.texts,
        subjects=subjects,
        names=names,
        addresses=erasing.addresses,
        user_ids=erasing.user_ids,
    )
    return Wanted(traces=traces, marks=erasing.marks, files=frozenset(gathered.files))


async def names_alone(erasing: Erasing, names: set[str]) -> set[str]:
    """Names that are the person's alone: nobody else's is to go, be it a first name in an attribution line."""
    assert erasing.person is not None
    async with erasing.ctx.store.read() as conn:
        others = [list(tokens_of(n)) for n in await list_other_names(conn, erasing.association, erasing.person.id)]
    firsts = {word for words in others for word in words}

    def is_alone(name: str) -> bool:
        words = list(tokens_of(name))
        return words[0] not in firsts if len(words) == 1 else bool(words) and words not in others

    return {name for name in names if is_alone(name)}


async def _gather(conn: AsyncConnection, post: Post, gathered: _Gathered, chosen: frozenset[PostId]) -> None:
    gathered.threads.add(post.thread_id)
    gathered.message_ids.add(post.message_id or "?")
    gathered.texts.append(post.text)
    gathered.texts += [version.text for version in await list_versions(conn, post.id)]
    if post.author_name:
        gathered.names.add(post.author_name)
    for file in await list_attachments(conn, post.id):
        gathered.texts.append(file.filename)
        if file.blob_hash is not None:
            before = gathered.files.get(file.blob_hash, post.said_at)
            gathered.files[file.blob_hash] = min(before, post.said_at)
    gathered.mails.update(batch.message_id for batch in await list_sealed_with(conn, post.id))
    if post.permalink:
        gathered.permalinks.add(post.permalink)
    if post.raw_hash is not None and post.side == "list":
        gathered.texts += await asyncio.to_thread(own_texts, await get_blob(conn, post.raw_hash))
    opening = await find_opening_post(conn, post.thread_id)
    thread = await get_thread(conn, post.thread_id)
    # Who began a conversation gave it its name; an answer under that name gave none.
    began = opening is None or opening in chosen
    if post.subject and (began or post.subject.casefold() != thread.subject.casefold()):
        gathered.subjects.add(post.subject)
    if began and post.side == "room":
        gathered.subjects.add(first_words(post.text))


def bridge_texts(raw: bytes) -> str:
    """What a mail of the bridge's own says, subject and page too; nothing where it cannot be read."""
    try:
        email = parse_email(raw)
    except (MalformedEmail, DeadlinePassed):
        return ""
    return "\n".join([email.subject or "", email.text or "", html_to_text(email.html) if email.html else ""])


def own_texts(raw: bytes) -> list[str]:
    """What a mail's author wrote in it, signature included, quotes not; nothing where it cannot be read."""
    try:
        email = parse_email(raw)
    except (MalformedEmail, DeadlinePassed):
        return []
    texts = [email.text or "", html_to_text(email.html) if email.html else ""]
    return [piece.text for text in texts for piece in trim(text).pieces if piece.kind in _OWN and piece.text.strip()]
