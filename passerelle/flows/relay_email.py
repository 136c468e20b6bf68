"""One email of a list becomes a post, and the post leaves for the room. One transaction."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.email import Email, Mailbox
from passerelle.core.identity import delivery_key
from passerelle.core.ids import PostId, RoomId, ThreadId
from passerelle.core.links import Link, room_lane
from passerelle.core.model import NO_MESSAGE_ID, InboxRow, LinkState, NewOutboxRow, NewPost
from passerelle.core.not_archived import NOT_ARCHIVED
from passerelle.core.permalinks import short_name
from passerelle.core.placing import kept_references
from passerelle.core.rules import Facts, Verdict, judge
from passerelle.core.subject import canonical_subject, display_subject
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_tokens import placed_by_token
from passerelle.flows.ghosts import ghost_of
from passerelle.flows.names_shown import names_besides
from passerelle.flows.obey import OBEYED
from passerelle.flows.own_email import is_echo_of_not_archived, is_own_email, note_echo
from passerelle.flows.refuse_email import refuse_email, set_aside_email
from passerelle.flows.rendering import Showing, contents_of_email, files_of
from passerelle.flows.rethread import Foreseen, foresee, rethread_chunk
from passerelle.flows.secretary import note_email, obey_email
from passerelle.flows.welcome import welcome_list_author
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.no_archive import asks_for_no_archive
from passerelle.mail.parse import parse_headers
from passerelle.mail.reading import Reading, read_email
from passerelle.store.attachments import insert_attachments
from passerelle.store.blobs import get_blob
from passerelle.store.cross_posts import find_origin, note_live
from passerelle.store.inbox import finish_inbox, set_aside_inbox
from passerelle.store.incidents import insert_incident
from passerelle.store.links import find_link_state, lock_link, note_last_email
from passerelle.store.not_kept import set_passing
from passerelle.store.outbox import insert_outbox, list_outbox_of_post
from passerelle.store.people import find_or_insert_person, note_participant
from passerelle.store.posts import (
    count_thread_posts_since,
    find_events_of_post,
    find_post_by_identity,
    get_post,
    insert_post,
)
from passerelle.store.rooms import find_room
from passerelle.store.seen import find_seen, insert_seen
from passerelle.store.tally import count
from passerelle.store.thread_places import Placed, lock_threads
from passerelle.store.threads import (
    find_message_ids,
    get_thread,
    insert_thread,
    stop_thread,
)

log = logging.getLogger(__name__)

#: What no email may take longer to be read; see docs/traps.md on regular expressions.
PARSE_SECONDS = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Relay:
    """An email on its way through this flow."""

    link: Link
    row: InboxRow
    reading: Reading
    #: Keyed hash by which this very post is known on this link.
    seen: str

    @property
    def email(self) -> Email:
        return self.reading.email

    @property
    def is_not_archived(self) -> bool:
        """Its author asks that nothing be kept of it: what leaves for the room holds its words, and nothing else."""
        return asks_for_no_archive(self.email.headers)


async def relay_email(ctx: FlowContext, row: InboxRow) -> None:
    """Relay one inbox row of kind `email` whose lane is a link's; whatever comes of it, the row is finished.

    Raises StoreError; nothing else, since a bad email is set aside with its reason.
    """
    link = ctx.links.get(row.lane.removeprefix("in:"))
    async with ctx.store.read() as conn:
        raw = await get_blob(conn, row.raw_hash) if row.raw_hash else b""
    try:
        reading = read_within_limits(raw, row, link)
    except (MalformedEmail, DeadlinePassed) as error:
        await set_aside_email(ctx, link, row, raw, str(error) or "it took too long to read")
        return
    seen = ctx.hashed("post", link.path, reading.email.message_id or "", reading.content_hash)
    relay = Relay(link=link, row=row, reading=reading, seen=seen)
    async with ctx.store.write() as conn:
        await lock_link(conn, link.association_name, link.name)
        relay = replace(relay, reading=await placed_by_token(ctx, conn, link, relay.reading))
        state = await find_link_state(conn, link.association_name, link.name)
        verdict = judge(await _facts(ctx, conn, relay, state))
        if verdict.action == "accept" and await obey_email(ctx, conn, link, row, relay.reading):
            await _obeyed(ctx, conn, relay)
        elif verdict.action == "accept":
            await _accept(ctx, conn, relay)
        else:
            await _decline(ctx, conn, relay, verdict)


def read_within_limits(raw: bytes, row: InboxRow, link: Link) -> Reading:
    """Read an email under a time limit; of one over the size limit, the header only.

    Raises MalformedEmail, DeadlinePassed.
    """
    with deadline(PARSE_SECONDS):
        if row.size_bytes > max(len(raw), link.settings.email_limit_bytes):
            email = parse_headers(raw)
            return Reading(email=email, author=None, text="", html="", elided="", original="", content_hash="")
        return read_email(raw, list_addresses=link.list_addresses)


async def _facts(ctx: FlowContext, conn: AsyncConnection, relay: Relay, state: LinkState) -> Facts:
    email = relay.email
    automatic = automatic_reason(email)
    return Facts(
        own=await is_own_email(ctx, conn, relay.link, relay.reading),
        automatic=automatic.value if automatic else "",
        spam=spam_marked(email),
        too_large=relay.row.size_bytes > relay.link.settings.email_limit_bytes,
        duplicate=await _came_before(conn, relay),
        # INTERNALDATE knows no part of a second (RFC 9051, "date-time"): who writes right after the word is relayed.
        consented=state.confirmed_at is not None and relay.row.received_at >= state.confirmed_at.replace(microsecond=0),
        link_stopped=state.stopped_at is not None,
        thread_stopped=False,
    )


async def _came_before(conn: AsyncConnection, relay: Relay) -> bool:
    """Whether an email was taken in on its link. One that only an archive brought there is still to be shown."""
    association, link = relay.link.association_name, relay.link.name
    if not await find_seen(conn, association, "post", [relay.seen]):
        return False
    message_id = relay.email.message_id or NO_MESSAGE_ID
    known = await find_post_by_identity(conn, association, message_id, relay.reading.content_hash)
    return known is None or known.state != "accepted" or await find_origin(conn, known, link) != "import"


async def _decline(ctx: FlowContext, conn: AsyncConnection, relay: Relay, verdict: Verdict) -> None:
    """Finish the row with the reason; count it; tell its author where the verdict says so."""
    link, row, now = relay.link, relay.row, ctx.now()
    log.info("Email not relayed: %s", verdict.reason, extra={"link": link.path, "inbox_id": row.id})
    await count(conn, link.association_name, link.name, now.date(), f"email_{verdict.reason}")
    if verdict.reason == "own":
        await note_echo(ctx, conn, link, relay.reading)
    if verdict.action == "hold":
        await set_aside_inbox(conn, row.id, now, verdict.reason)
        return
    if verdict.tell_author:
        await refuse_email(ctx, conn, link, relay.email, verdict.reason, row)
    # A mail that came before stands here as a post; or it was erased, and its words are not to come back.
    forget_raw = verdict.reason in ("before_consent", "duplicate") or relay.is_not_archived
    if verdict.reason == "own":
        # A list may leave out the field by which our mail asked not to be archived.
        forget_raw = forget_raw or await is_echo_of_not_archived(ctx, conn, link, relay.reading)
    await finish_inbox(conn, row.id, now, reason=verdict.reason, forget_raw=forget_raw)


async def _obeyed(ctx: FlowContext, conn: AsyncConnection, relay: Relay) -> None:
    """A command or an answer that reached the list is obeyed, not relayed, and not kept (PEOPLE 12)."""
    link, now = relay.link, ctx.now()
    log.info("Email obeyed", extra={"link": link.path, "inbox_id": relay.row.id})
    await count(conn, link.association_name, link.name, now.date(), f"email_{OBEYED}")
    await insert_seen(conn, link.association_name, "post", [relay.seen], now)
    await finish_inbox(conn, relay.row.id, now, reason=OBEYED, forget_raw=True)


async def _accept(ctx: FlowContext, conn: AsyncConnection, relay: Relay) -> None:
    link, row, now = relay.link, relay.row, ctx.now()
    association = link.association_name
    email = relay.email
    message_id, words = email.message_id or NO_MESSAGE_ID, relay.reading.content_hash
    known = await find_post_by_identity(conn, association, message_id, words)
    if known is not None:
        post_id, parent = known.id, known.parent_post_id
        await note_live(conn, known, link.name)
        if known.person_id is not None:
            await note_participant(conn, association, link.name, known.person_id, "list", now)
        if known.flagged == NOT_ARCHIVED:
            await set_passing(conn, known.id)
    else:
        await lock_threads(conn, association)
        foreseen = await foresee(conn, association, placed_as(link, relay.reading, row.received_at))
        subject = display_subject(email.subject, prefix=link.settings.mailing_list.subject_prefix)
        subject = "" if relay.is_not_archived else subject
        thread_id = foreseen.thread_id or await insert_thread(
            conn, association, subject, now, split_from=foreseen.split_from
        )
        if await _fuse_blows(ctx, conn, relay, thread_id):
            return
        post_id, parent = await _insert_post(ctx, conn, relay, thread_id, foreseen), foreseen.parent_post_id
        await rethread_chunk(conn, association, {post_id: subject}, now)
        await note_email(ctx, conn, link, await get_post(conn, post_id), email, relay.reading.author)
    await insert_deliveries(ctx, conn, link, relay.reading, post_id, parent=parent, received_at=row.received_at)
    await insert_seen(conn, association, "post", [relay.seen], now)
    await welcome_list_author(ctx, conn, link, relay.reading.author, row.received_at)
    await note_last_email(conn, association, link.name, row.received_at)
    await finish_inbox(conn, row.id, now, forget_raw=relay.is_not_archived)
    log.info("Email accepted", extra={"link": link.path, "inbox_id": row.id, "post_id": post_id})


def said_at(email: Email, received_at: datetime) -> datetime:
    """When an email was written, as it says itself: but not after it came."""
    return min(email.date or received_at, received_at)


def placed_as(link: Link, reading: Reading, received_at: datetime) -> Placed:
    """The email as the post that it will be, as far as its place depends on it."""
    email, prefix = reading.email, link.settings.mailing_list.subject_prefix
    return Placed(
        id=PostId(0),
        link=link.name,
        side="list",
        message_id=email.message_id or NO_MESSAGE_ID,
        refs=" ".join(kept_references(email.in_reply_to, email.references)),
        # Of what is not to be archived the subject is not kept either.
        subject="" if asks_for_no_archive(email.headers) else canonical_subject(email.subject, prefix=prefix),
        beginning="",
        said_at=(said_at(email, received_at) - _EPOCH) // timedelta(microseconds=1),
        content_hash=reading.content_hash,
        thread_id=ThreadId(0),
        parent_post_id=None,
    )


async def _is_shown(conn: AsyncConnection, link: Link, room_id: RoomId, post_id: PostId) -> bool:
    """Whether a post stands in the link's room, or is on its way there: another room may have it alone."""
    if await find_events_of_post(conn, post_id, room_id):
        return True
    leaving = await list_outbox_of_post(conn, post_id)
    return any(row.room_id == room_id and row.state not in ("failed", "cancelled") for row in leaving)


async def _fuse_blows(ctx: FlowContext, conn: AsyncConnection, relay: Relay, thread_id: ThreadId) -> bool:
    """Stop a thread that looks like a loop, once, and say so to a human; the email is set aside, not lost."""
    link, now = relay.link, ctx.now()
    thread = await get_thread(conn, thread_id)
    recent = await count_thread_posts_since(conn, thread_id, now - timedelta(hours=1), side="list")
    if thread.stopped_at is None and recent < link.settings.fuse_per_hour:
        return False
    if thread.stopped_at is None:
        await stop_thread(conn, thread_id, now, "fuse")
        await insert_incident(
            conn,
            association=link.association_name,
            link=link.name,
            kind="fuse",
            key=f"fuse:{thread_id}",
            detail=str(recent),
            at=now,
        )
    await set_aside_inbox(conn, relay.row.id, now, "thread_stopped")
    return True


async def _insert_post(
    ctx: FlowContext, conn: AsyncConnection, relay: Relay, thread_id: ThreadId, foreseen: Foreseen
) -> PostId:
    link, row, email, reading, now = relay.link, relay.row, relay.email, relay.reading, ctx.now()
    association, author = link.association_name, reading.author
    # An address of the list stands for one that nobody told us.
    address = author.address if author and author.address not in link.list_addresses else None
    person_id = None
    if author is not None and (address or author.name):
        person_id = await find_or_insert_person(conn, association, name=author.name, address=address, now=now)
        await note_participant(conn, association, link.name, person_id, "list", now)
    other = await find_message_ids(conn, association, [email.message_id]) if email.message_id else {}
    taken = email.message_id is not None and any(k.post_id is not None for k in other.values())
    kept = not relay.is_not_archived
    post_id = await insert_post(
        conn,
        NewPost(
            association=association,
            link=link.name,
            side="list",
            inbox_id=row.id,
            raw_hash=row.raw_hash if kept else None,
            message_id=email.message_id or NO_MESSAGE_ID,
            content_hash=reading.content_hash,
            thread_id=thread_id,
            parent_post_id=foreseen.parent_post_id,
            author_name=author.name if author and kept else "",
            author_address=address if kept else None,
            person_id=person_id if kept else None,
            subject=canonical_subject(email.subject, prefix=link.settings.mailing_list.subject_prefix) if kept else "",
            text=reading.text if kept else "",
            html=reading.html if kept else "",
            state="accepted" if kept else "passing",
            said_at=said_at(email, row.received_at),
            accepted_at=now,
            flagged=("same_id_other_content" if taken else "") if kept else NOT_ARCHIVED,
            refs=" ".join(kept_references(email.in_reply_to, email.references)),
            permalink=short_name(association, email.message_id or reading.content_hash),
        ),
    )
    await insert_attachments(conn, post_id, files_of(reading), now)
    return post_id


async def insert_deliveries(
    ctx: FlowContext,
    conn: AsyncConnection,
    link: Link,
    reading: Reading,
    post_id: PostId,
    *,
    parent: PostId | None,
    received_at: datetime,
) -> None:
    """One outbox row for each event that shows the post in the room; all name their parent by its post id."""
    now, room_id = ctx.now(), ctx.links.room_of(link)
    assert room_id is not None  # a link whose room is not resolved is not taken from the inbox
    what = f"{reading.email.message_id or ''}\x1f{reading.content_hash}"
    facts = await find_room(conn, room_id)
    names = await other_names(conn, link, reading.author)
    showing = Showing(
        received_at=received_at,
        starts_thread=parent is None or not await _is_shown(conn, link, room_id, parent),
        names=names,
        encrypted=facts is not None and facts.encrypted,
        delivery_key=lambda part: delivery_key(ctx.hash_key, link.path, what, part),
    )
    pieces = contents_of_email(ctx, link, reading, showing)
    for part, piece in enumerate(pieces):
        await insert_outbox(
            conn,
            NewOutboxRow(
                unique_key=f"post:{post_id}:{link.path}:{part}",
                lane=room_lane(room_id),
                kind="event",
                association=link.association_name,
                link=link.name,
                room_id=room_id,
                post_id=post_id,
                part=part,
                parent_post_id=parent,
                content=piece.content,
                ghost=ghost_of(ctx, link, reading.author, names),
                delivery_key=delivery_key(ctx.hash_key, link.path, what, part),
                created_at=now,
                due_at=now,
                give_up_at=ctx.give_up_at(link),
            ),
            upload=piece.upload,
        )


async def other_names(conn: AsyncConnection, link: Link, author: Mailbox | None) -> Sequence[str]:
    """Names of the link's participants other than this author, whom the author's name must not imitate."""
    return await names_besides(conn, link, author.name if author else "")
