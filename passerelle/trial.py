"""What would happen to an email (`passerelle try`): read and judged as by the daemon; nothing stored or sent."""

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import MailAddress
from passerelle.core.links import Link
from passerelle.core.names import list_author_name
from passerelle.core.routing import Route, route
from passerelle.core.rules import Facts, Verdict, judge
from passerelle.deadline import DeadlinePassed, deadline
from passerelle.errors import MalformedEmail
from passerelle.flows.context import FlowContext
from passerelle.flows.own_email import is_own_email
from passerelle.flows.relay_email import PARSE_SECONDS, other_names, placed_as
from passerelle.flows.rendering import Showing, contents_of_email
from passerelle.flows.rethread import Foreseen, foresee
from passerelle.mail.automatic import automatic_reason, spam_marked
from passerelle.mail.parse import parse_headers
from passerelle.mail.reading import Reading, read_email
from passerelle.matrix.render import RoomContent
from passerelle.store.links import find_link_state
from passerelle.store.rooms import find_room
from passerelle.store.seen import find_seen
from passerelle.store.threads import get_thread


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What would become of one email on its way to one link, or to the bridge itself (`link` None)."""

    link: Link | None
    #: Its mailbox would leave it alone: it belongs to no link and is not addressed to the bridge.
    foreign: bool = False
    #: Why it cannot be read, where it cannot.
    unreadable: str = ""
    verdict: Verdict | None = None
    #: The link is not confirmed yet: otherwise the verdict is as if it were.
    unconfirmed: bool = False
    reading: Reading | None = None
    #: As the room would see it.
    author: str = ""
    #: Subject of the conversation that it would join; None where it begins one.
    joins: str | None = None
    contents: tuple[RoomContent, ...] = field(default=(), repr=False)


def find_route(ctx: FlowContext, raw: bytes) -> Route | None:
    """To which link an email belongs, whatever mailbox it lies in. Raises MalformedEmail."""
    header = parse_headers(raw)
    for box in ctx.settings.mailboxes:
        links = [link for link in ctx.links if link.mailbox.name == box.name]
        found = route(header, links, bridge=MailAddress(box.address), recipient=None)
        if found is not None:
            return found
    return None


async def try_email(ctx: FlowContext, raw: bytes, link: Link | None = None) -> Trial:
    """Try an email on `link`, or on the one that it belongs to. Raises StoreError; a bad email is a result."""
    if link is None:
        try:
            found = find_route(ctx, raw)
        except MalformedEmail as error:
            return Trial(link=None, unreadable=str(error))
        if found is None:
            return Trial(link=None, foreign=True)
        if found.link is None:
            return Trial(link=None)
        link = found.link
    try:
        reading = _read(raw, link)
    except (MalformedEmail, DeadlinePassed) as error:
        return Trial(link=link, unreadable=str(error) or "it took too long to read")
    async with ctx.store.read() as conn:
        return await _judged(ctx, conn, link, reading, too_large=len(raw) > link.settings.email_limit_bytes)


def _read(raw: bytes, link: Link) -> Reading:
    with deadline(PARSE_SECONDS):
        return read_email(raw, list_addresses=link.list_addresses)


async def _judged(ctx: FlowContext, conn: AsyncConnection, link: Link, reading: Reading, *, too_large: bool) -> Trial:
    state = await find_link_state(conn, link.association_name, link.name)
    automatic = automatic_reason(reading.email)
    seen = ctx.hashed("post", link.path, reading.email.message_id or "", reading.content_hash)
    facts = Facts(
        own=await is_own_email(ctx, conn, link, reading),
        automatic=automatic.value if automatic else "",
        spam=spam_marked(reading.email),
        too_large=too_large,
        duplicate=bool(await find_seen(conn, link.association_name, "post", [seen])),
        link_stopped=state.stopped_at is not None,
    )
    foreseen = await foresee(conn, link.association_name, placed_as(link, reading, ctx.now()))
    words = ctx.renderer(link.association).words
    room_id = ctx.links.room_of(link)
    room = await find_room(conn, room_id) if room_id else None
    showing = Showing(
        received_at=ctx.now(),
        starts_thread=foreseen.parent_post_id is None,
        names=await other_names(conn, link, reading.author),
        encrypted=room is not None and room.encrypted,
        delivery_key=lambda part: f"try-{part}",
    )
    return Trial(
        link=link,
        verdict=judge(facts),
        unconfirmed=state.confirmed_at is None,
        reading=reading,
        author=list_author_name(reading.author.name if reading.author else "", words),
        joins=await _joined(conn, foreseen),
        contents=contents_of_email(ctx, link, reading, showing),
    )


async def _joined(conn: AsyncConnection, foreseen: Foreseen) -> str | None:
    """The subject of the conversation that it would go on with."""
    if foreseen.thread_id is None or foreseen.parent_post_id is None:
        return None
    return (await get_thread(conn, foreseen.thread_id)).subject
