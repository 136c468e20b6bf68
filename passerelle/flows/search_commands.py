"""Searches from the room and by mail: obeyed, never relayed nor archived (PEOPLE 12).

What is asked in the room is answered there, so it finds what all of its members may read, the newest of them too, and
shows no more of a post than its title: what stands in a room stays there when a post is taken back. A mail is answered
to its writer alone, with extracts, from what that person may read. What was found is looked for before the transaction
in which it is told: a search has its own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_heads import CommandHead, find_command, find_mail_command
from passerelle.core.email import Email, Mailbox
from passerelle.core.ids import AssociationName, LinkName
from passerelle.core.links import Link
from passerelle.core.model import InboxRow
from passerelle.core.permalinks import short_path
from passerelle.core.readership import Standing, named_alike, shelves_of
from passerelle.core.search_places import known_places
from passerelle.core.search_query import parse_query
from passerelle.core.search_terms import Query
from passerelle.core.search_wording import describe, problem_sentence
from passerelle.core.shelves import Shelf
from passerelle.core.wording import Words
from passerelle.errors import QueryProblem, StoreError
from passerelle.flows.context import FlowContext
from passerelle.flows.direct_message import DirectMessage, insert_direct_message
from passerelle.flows.fiche_search import FoundFiche, find_fiches
from passerelle.flows.found_minutes import FoundMinutes, find_minutes
from passerelle.flows.found_texts import Hit
from passerelle.flows.membership import Membership, membership_now
from passerelle.flows.personal_email import Personal, insert_personal_email
from passerelle.flows.room_notice import RoomAnswer, insert_room_notice
from passerelle.flows.search_archive import search_archive
from passerelle.matrix.events import RoomLine
from passerelle.store.readers import list_openings, list_persons_at
from passerelle.store.rooms import find_room
from passerelle.store.sessions import count_try

#: Posts that one answer names; all of them are on the web.
SHOWN = 5
#: Minutes, and fiches, that it names besides.
SHOWN_PAPERS = 3
#: Searches that one person may make in an hour: more than anyone makes, fewer than would flood a room.
SEARCHES_AN_HOUR = 20
#: Why an arrival ends that was a search: nothing is kept of it.
SEARCH_REASONS = frozenset({"search", "search_wrong", "search_too_often", "search_too_late"})
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """One post of an answer, or minutes, as templates know it."""

    title: str
    #: "" of minutes.
    author: str
    #: The day on which it was said, with its year.
    day: str
    extract: str
    #: Where it is read; "" without a web.
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What comes of a search: what was found, or why it was not understood."""

    #: What was searched, as it was typed.
    asked: str = field(repr=False)
    #: Of a wrong search: one sentence, and the nearest right one.
    problem: str = ""
    suggestion: str = ""
    #: What was understood, in words.
    understood: str = field(default="", repr=False)
    found: tuple[Shown, ...] = field(default=(), repr=False)
    #: Minutes and published fiches that answer it as well.
    minutes: tuple[Shown, ...] = field(default=(), repr=False)
    fiches: tuple[Shown, ...] = field(default=(), repr=False)
    total: int = 0
    #: There are more than `total`.
    is_more: bool = False

    @property
    def variables(self) -> dict[str, Any]:
        """For the templates."""
        return {name: getattr(self, name) for name in self.__slots__}


# ---------------------------------------------------------------- in the room


def search_of_line(line: RoomLine) -> str | None:
    """What a line of the room asks to search, "" where it does not say; None where it is no search."""
    command = find_command(line.body)
    is_search = isinstance(command, CommandHead) and command.name == "search" and not line.is_notice and not line.files
    return command.rest if isinstance(command, CommandHead) and is_search else None


async def search_for_room(ctx: FlowContext, link: Link, asked: str) -> Answer:
    """Search what every member of a link's room may read. Not within a transaction. Raises StoreError."""
    async with ctx.store.read() as conn:
        shelves = await _shelves_of_room(ctx, conn, link)
    return await _search(ctx, [link], asked, shelves, {link.association_name: [link.name]})


async def answer_in_room(ctx: FlowContext, conn: AsyncConnection, link: Link, line: RoomLine, answer: Answer) -> str:
    """Tell what was found, under the line that asked; a wrong search is explained to its author alone."""
    if line.said_at < ctx.now() - _HOUR:
        return "search_too_late"
    who = ctx.hashed("search", line.sender)
    if await count_try(conn, "search", who, now=ctx.now(), window=_HOUR) > SEARCHES_AN_HOUR:
        return "search_too_often"
    if answer.problem:
        await insert_direct_message(
            ctx,
            conn,
            link,
            DirectMessage(
                to=line.sender,
                template="search_problem",
                unique_key=f"search:{line.event_id}",
                variables=answer.variables,
            ),
        )
        return "search_wrong"
    told = RoomAnswer(purpose="search", template="search_found", variables=answer.variables)
    await insert_room_notice(ctx, conn, link, line, told)
    return "search"


async def _shelves_of_room(ctx: FlowContext, conn: AsyncConnection, link: Link) -> frozenset[Shelf]:
    """What someone may read who came into the room just now: whoever is there reads as much."""
    room_id = ctx.links.room_of(link)
    room = await find_room(conn, room_id) if room_id is not None else None
    standing = Standing(rooms={link.name: room.history_visibility if room is not None else ""})
    openings = await list_openings(conn, link.association_name)
    shelves = shelves_of(link.association, standing, openings, now=ctx.now(), is_coordinator=False)
    return frozenset(shelf for shelf in shelves if shelf.link == link.name)


# ---------------------------------------------------------------- by mail


@dataclass(frozen=True, kw_only=True, slots=True)
class MailedSearch:
    """A search that a known person sent by mail, and what comes of it."""

    link: Link
    #: As the store knows the address, not as the mail writes it.
    to: Mailbox
    answer: Answer
    #: The person takes part in several associations that share this address of the bridge: none is named.
    nameless: bool = False


def search_of_email(email: Email) -> str | None:
    """What an email asks to search, by its subject, its first line, or both; None where it is no search."""
    command = find_mail_command(email.subject, email.text or "")
    return command.rest if isinstance(command, CommandHead) and command.name == "search" else None


async def search_for_mail(ctx: FlowContext, links: Iterable[Link], author: Mailbox, asked: str) -> MailedSearch | None:
    """Search what the writer of an email may read. Not within a transaction.

    Args:
        links: those of the address that the email came to.

    Returns:
        None where nobody of that address takes part anywhere.

    Raises StoreError.
    """
    known: dict[AssociationName, tuple[Link, Mailbox, _Readable]] = {}
    async with ctx.store.read() as conn:
        for link in links:
            if link.association_name not in known:
                found = await _reader_at(ctx, conn, link, author)
                if found is not None:
                    known[link.association_name] = (link, *found)
    if not known:
        return None
    link, to, _ = next(iter(known.values()))
    shelves = frozenset[Shelf]().union(*(readable.shelves for _, _, readable in known.values()))
    places = {association: readable.links for association, (_, _, readable) in known.items()}
    answer = await _search(ctx, [link for link, _, _ in known.values()], asked, shelves, places)
    return MailedSearch(link=link, to=to, answer=answer, nameless=len(known) > 1)


async def answer_by_mail(
    ctx: FlowContext, conn: AsyncConnection, row: InboxRow, email: Email, search: MailedSearch
) -> str:
    """Write to the person who searched, and to nobody else."""
    who = ctx.hashed("search", search.to.address.lower())
    if await count_try(conn, "search", who, now=ctx.now(), window=_HOUR) > SEARCHES_AN_HOUR:
        return "search_too_often"
    answer = search.answer
    await insert_personal_email(
        ctx,
        conn,
        search.link,
        Personal(
            to=search.to,
            template="search_problem" if answer.problem else "search_found",
            unique_key=f"search:{row.id}",
            answers=email,
            variables=answer.variables | {"bridge_address": search.link.mailbox.address},
            nameless=search.nameless,
        ),
    )
    return "search_wrong" if answer.problem else "search"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Readable:
    """What is read in an association, and where its reader takes part."""

    shelves: frozenset[Shelf]
    links: frozenset[LinkName]


async def _reader_at(
    ctx: FlowContext, conn: AsyncConnection, link: Link, author: Mailbox
) -> tuple[Mailbox, _Readable] | None:
    """Who reads in an association at the address of an email, and what.

    Of several who share it, the one whose name it bears; where it bears none, what all of them may read.
    """
    readers: list[tuple[Mailbox, Membership]] = []
    for person_id, name, address in await list_persons_at(conn, link.association_name, author.address):
        member = await membership_now(ctx, conn, link.association_name, person_id)
        if member.reader.person_id is not None:
            readers.append((Mailbox(name=name, address=address), member))
    if not readers:
        return None
    named = [found for found in readers if author.name and named_alike(author.name, found[1].reader.name)]
    readers = named if len(named) == 1 else readers
    readable = _Readable(
        shelves=frozenset.intersection(*(member.reader.shelves for _, member in readers)),
        links=frozenset.intersection(*(member.links for _, member in readers)),
    )
    return Mailbox(name=author.name, address=readers[0][0].address), readable


# ---------------------------------------------------------------- both


async def _search(
    ctx: FlowContext,
    links: list[Link],
    asked: str,
    shelves: Collection[Shelf],
    places: Mapping[AssociationName, Collection[LinkName]],
) -> Answer:
    link = links[0]
    words = ctx.renderer(link.association).words
    try:
        query = _understood(ctx, links, asked, shelves)
    except QueryProblem as problem:
        return Answer(asked=asked, problem=problem_sentence(problem, words), suggestion=problem.suggestion)
    try:
        found = await search_archive(ctx, query, shelves=shelves, limit=SHOWN)
        minutes = await find_minutes(ctx, query, places=places, limit=SHOWN_PAPERS)
        fiches = [
            (association, one)
            for association, taking_part in places.items()
            if taking_part
            for one in await find_fiches(ctx, query, association, words, limit=SHOWN_PAPERS)
        ]
    except StoreError:  # it takes too long; a store that refuses everything refuses the answer as well
        return Answer(asked=asked, problem=words("query_too_slow"))
    return Answer(
        asked=asked,
        understood=", ".join(describe(query, words)),
        found=tuple(_shown(ctx, hit, words) for hit in found.hits),
        minutes=tuple(_shown_paper(ctx, one.association, one, words) for one in minutes),
        fiches=tuple(_shown_paper(ctx, name, one, words) for name, one in fiches[:SHOWN_PAPERS]),
        total=found.total,
        is_more=found.total_is == "at_least",
    )


def _understood(ctx: FlowContext, links: list[Link], asked: str, shelves: Collection[Shelf]) -> Query:
    """Raises QueryProblem."""
    zone: ZoneInfo = links[0].zone
    places = known_places([link.association for link in links], shelves)
    query = parse_query(asked, now=ctx.now(), zone=zone, places=places)
    if query.is_empty:
        raise QueryProblem("nothing", {}, "")
    return query


def _shown_paper(
    ctx: FlowContext, association: AssociationName, found: FoundMinutes | FoundFiche, words: Words
) -> Shown:
    """`association`: the reader's own, below which they read it."""
    web, path = ctx.settings.web, f"minutes/{found.permalink}"
    if isinstance(found, FoundFiche):
        path = f"network/{found.network}/fiches/" if found.network else "fiches/"
        path += found.permalink
    return Shown(
        title="".join(piece.text for piece in found.hit.title),
        author="",
        day=words.day(found.hit.at, year=True),
        extract="".join(piece.text for piece in found.hit.extract),
        url=web.url.rstrip("/") + f"/{association}/{path}" if web is not None else "",
    )


def _shown(ctx: FlowContext, hit: Hit, words: Words) -> Shown:
    post, web = hit.post, ctx.settings.web
    # Never a line's first words: an answer in the room outlives a line that is taken back.
    untitled = "search_in_room" if post.side == "room" else "search_no_subject"
    return Shown(
        title="".join(piece.text for piece in hit.title) or words(untitled),
        author=post.author_name,
        day=words.day(post.said_at, year=True),
        extract="".join(piece.text for piece in hit.extract),
        url=web.url.rstrip("/") + short_path(post.association, post.permalink) if web is not None else "",
    )
