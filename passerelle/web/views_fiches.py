"""Fiches on the web: those that one may read, one of them, its files; made, completed and published by its authors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.command_fiches import LONGEST_TEXT, Written
from passerelle.core.fiche import HEADINGS, LICENCE_URLS, LICENCES, Fiche, Heading, Part
from passerelle.core.fiche_export import ExportedFiche, to_bazar, to_markdown
from passerelle.core.first_names import first_name
from passerelle.core.folding import stems_of
from passerelle.core.ids import LinkName
from passerelle.core.networks import networks_with
from passerelle.flows.context import FlowContext
from passerelle.flows.fiche_export import exported
from passerelle.flows.fiche_make import complete_fiche, make_fiche, title_of
from passerelle.flows.fiche_publish import publish_fiche, withdraw_fiche
from passerelle.flows.fiche_read import SeenFiche, seen_by
from passerelle.flows.fiche_search import said_in
from passerelle.flows.fiche_sources import Found, from_meeting, from_thread
from passerelle.flows.membership import Membership
from passerelle.flows.outcome import Outcome
from passerelle.flows.said import Said
from passerelle.store.archive_pages import find_by_short
from passerelle.store.fiches import find_fiche, find_fiche_by_permalink, list_fiches
from passerelle.store.meetings import find_meeting_by_number
from passerelle.store.posts import find_post
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import READER, Form, checked_form, nothing_here
from passerelle.web.lists import association_name
from passerelle.web.members import link_of, member
from passerelle.web.pages import SAFE_HEADERS, absolute, page, paths_of, renderer_of, words_of
from passerelle.web.safe_files import attached

#: A form of a wiki has a number that the wiki gives it; this is the one of the form in docs/fiches.md.
_BAZAR_FORM = 1
_TYPES = {"html": "text/html", "md": "text/markdown", "json": "application/json"}


@dataclass(frozen=True, kw_only=True, slots=True)
class PartView:
    """One text of a fiche."""

    text: str
    is_quote: bool
    #: First name of who agreed; to its authors, also of who has not answered.
    author: str
    #: Where it was said; "" where it was written for the fiche, or in another association.
    path: str
    #: What stands there: « dans la conversation », « décision 7 ».
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeadingView:
    """A heading; without parts it is a question to its authors."""

    key: Heading
    name: str
    question: str
    parts: tuple[PartView, ...]


# ------------------------------------------------------------ the list


async def fiches(request: web.Request) -> web.StreamResponse:
    """Those that are published, and drafts to their authors."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    asked = request.query.get("q", "")[:100]
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = [await _seen(ctx, conn, me, one) for one in await list_fiches(conn, association_name(request))]
    listed = [one for one in found if one is not None and one.fiche.state != "withdrawn" and _holds(one, asked)]
    lines = [
        {
            "number": one.fiche.number,
            "title": title_of(one.content, one.fiche, words),
            "path": paths.fiche(one.fiche.permalink),
            "state_word": words(f"web_fiche_{one.fiche.state}"),
            "is_draft": one.fiche.state != "published",
        }
        for one in listed
    ]
    networks = [
        {"title": one.title, "path": paths.network(one.name)}
        for one in networks_with(ctx.settings.networks, association_name(request))
    ]
    return page(request, "fiches", here="fiches", fiches=lines, asked=asked, networks=networks)


def _holds(seen: SeenFiche, asked: str) -> bool:
    """Whether all words that were asked for stand in it, as their stems do."""
    return set(stems_of(asked)) <= set(stems_of(f"{seen.content.title} {said_in(seen.content)}"))


async def _seen(ctx: FlowContext, conn: AsyncConnection, me: Membership, fiche: Fiche) -> SeenFiche | None:
    return await seen_by(ctx, conn, fiche, me.reader.person_id, is_coordinator=me.reader.is_coordinator)


# ------------------------------------------------------------ one


async def fiche(request: web.Request) -> web.StreamResponse:
    """A fiche as its reader may see it; its authors also see what to do about it."""
    words, paths = words_of(request), paths_of(request)
    async with request.app[CONTEXT].store.read() as conn:
        me = await member(request, conn)
        seen = await _readable(request, conn, me)
    found = seen.fiche
    may_write = _writes(me, found)
    return page(
        request,
        "fiche",
        here="fiches",
        number=found.number,
        title=title_of(seen.content, found, words),
        short=found.permalink,
        state=found.state,
        state_word=words(f"web_fiche_{found.state}"),
        headings=heading_views(request, seen),
        who=seen.who,
        licence=found.licence,
        licence_url=LICENCE_URLS[found.licence],
        may_write=may_write,
        # Once people were asked, it is the one that they were shown.
        licences=LICENCES if may_write and found.state == "draft" else (),
        may_withdraw=may_write and (me.reader.is_coordinator or found.made_by_person_id == me.reader.person_id),
        has_network=bool(networks_with(request.app[CONTEXT].settings.networks, association_name(request))),
        is_shared=found.audience == "network",
        permanent=absolute(request, paths.fiche(found.permalink)),
    )


def _writes(me: Membership, fiche: Fiche) -> bool:
    """As `flows.fiche_read.is_author`, by what is known of the reader already."""
    if fiche.state == "withdrawn" or fiche.link not in me.links:
        return False
    person_id = me.reader.person_id
    is_theirs = person_id == fiche.made_by_person_id or person_id in fiche.content.authors()
    return me.reader.is_coordinator or (person_id is not None and is_theirs)


async def _readable(request: web.Request, conn: AsyncConnection, me: Membership) -> SeenFiche:
    """The fiche of the address, as this reader may see it. Raises `nothing_here`."""
    found = await find_fiche_by_permalink(conn, association_name(request), request.match_info["short"])
    seen = (
        await _seen(request.app[CONTEXT], conn, me, found) if found is not None and found.state != "withdrawn" else None
    )
    if seen is None:
        raise nothing_here(request)
    return seen


def heading_views(request: web.Request, seen: SeenFiche, *, with_places: bool = True) -> list[HeadingView]:
    """The headings of a fiche with what stands under them.

    Args:
        with_places: each quotation leads to where it was said; not for readers of other associations.
    """
    words = words_of(request)
    return [
        HeadingView(
            key=heading,
            name=words(f"fiche_heading_{heading}"),
            question=words(f"fiche_question_{heading}"),
            parts=tuple(_part_view(request, seen, part, with_places) for part in seen.content.of(heading)),
        )
        for heading in HEADINGS
    ]


def _part_view(request: web.Request, seen: SeenFiche, part: Part, with_places: bool) -> PartView:
    words, paths = words_of(request), paths_of(request)
    known = seen.as_author or (part.person_id is not None and part.person_id in seen.agreed)
    path, place = "", ""
    if with_places and part.kind == "quote" and part.permalink:
        path, place = paths.short(part.permalink), words("web_fiche_said")
    elif with_places and part.number is not None:
        path, place = paths.entry(part.number), words("web_fiche_entry", number=part.number)
    return PartView(
        text=part.text, is_quote=part.kind == "quote", author=first_name(part.author) if known else "", path=path,
        place=place,
    )  # fmt: skip


async def fiche_file(request: web.Request) -> web.StreamResponse:
    """The same as a file: HTML complete in itself, Markdown, an entry of YesWiki's Bazar."""
    async with request.app[CONTEXT].store.read() as conn:
        me = await member(request, conn)
        seen = await _readable(request, conn, me)
    made = exported(request.app[CONTEXT], seen, words_of(request))
    return file_of(request, made)


def file_of(request: web.Request, made: ExportedFiche) -> web.Response:
    """A fiche in the form of the address, to be kept."""
    form = request.match_info["written"]
    text = {
        "md": lambda: to_markdown(made),
        "json": lambda: to_bazar([made], form=_BAZAR_FORM),
        "html": lambda: renderer_of(request).render("web/fiche_file.html", fiche=made, url_of=LICENCE_URLS),
    }[form]()
    how = attached(f"fiche-{made.number}.{form}", _TYPES[form])
    headers = {
        **SAFE_HEADERS, "Content-Type": f"{how.content_type}; charset=utf-8", "Content-Disposition": how.disposition,
    }  # fmt: skip
    return web.Response(body=text.encode(), headers=headers)


# ------------------------------------------------------------ made, completed, published


async def fiche_make(request: web.Request) -> web.StreamResponse:
    """A draft of a conversation (`thread`: a short permalink) or of a meeting (`meeting`: its number)."""
    form, ctx = await checked_form(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        me = await member(request, conn)
        said, found = await _source(request, conn, me, form)
        made = await make_fiche(ctx, conn, said, found, "")
    raise web.HTTPSeeOther(paths_of(request).fiche(made.permalink))


async def _source(request: web.Request, conn: AsyncConnection, me: Membership, form: Form) -> tuple[Said, Found]:
    short, number = _word(form, "thread"), _word(form, "meeting")
    if short:
        placed = await find_by_short(conn, association_name(request), short[:12], request[READER].shelves)
        post = await find_post(conn, placed[0].id) if placed else None
        if post is None or post.link not in me.links:
            raise nothing_here(request)
        said = _said(request, me, post.link)
        return said, await from_thread(conn, said.link, post)
    usable = number.isascii() and number.isdecimal() and len(number) < 10
    meeting = await find_meeting_by_number(conn, association_name(request), int(number)) if usable else None
    if meeting is None or meeting.link not in me.links:
        raise nothing_here(request)
    said = _said(request, me, meeting.link)
    return said, await from_meeting(conn, said.link, meeting)


def _said(request: web.Request, me: Membership, link: LinkName) -> Said:
    found, now = link_of(request, link), request.app[CONTEXT].now()
    return Said(link=found, actor=me.actor(found), text="", said_at=now, key=f"web:{now.isoformat()}")


async def fiche_change(request: web.Request) -> web.StreamResponse:
    """`write` a heading, choose the `licence`, `publish`, `withdraw`; whatever comes, the flow judges it."""
    form, ctx = await checked_form(request), request.app[CONTEXT]
    async with ctx.store.write() as conn:
        me = await member(request, conn)
        seen = await _readable(request, conn, me)
        found = await find_fiche(conn, seen.fiche.id)
        if found is None or not _writes(me, found) or found.link not in me.links:
            raise nothing_here(request)
        outcome = await _carry_out(request, conn, _said(request, me, found.link), found, form)
    if outcome.reason == "confirm":
        raise web.HTTPForbidden
    told = str(outcome.variables.get("sentence", ""))
    back = paths_of(request).fiche(found.permalink)
    if outcome.reason == "fiche_withdrawn":
        raise web.HTTPSeeOther(paths_of(request).fiches())
    if outcome.reaction and outcome.reason == "fiche_completed":
        raise web.HTTPSeeOther(back)
    return page(request, "fiche_told", here="fiches", told=told, back=back)


async def _carry_out(request: web.Request, conn: AsyncConnection, said: Said, fiche: Fiche, form: Form) -> Outcome:
    ctx, what = request.app[CONTEXT], _word(form, "what")
    if what == "publish":
        audience = "network" if _word(form, "audience") == "network" else "association"
        return await publish_fiche(ctx, conn, said, fiche, audience)  # type: ignore[arg-type]
    if what == "withdraw":
        return await withdraw_fiche(ctx, conn, said, fiche)
    written = _written(form, what)
    if not written:
        raise web.HTTPBadRequest
    return await complete_fiche(ctx, conn, said, fiche.id, written)


def _written(form: Form, what: str) -> Sequence[Written]:
    """What a form says for a heading, or which licence it names; nothing where it says neither."""
    if what == "licence":
        return [Written(heading="licence", text=_word(form, "licence"))]
    if what != "write":
        return []
    text = _word(form, "text")[:LONGEST_TEXT]
    headings: tuple[Heading | Literal["title"], ...] = (*HEADINGS, "title")
    return [Written(heading=one, text=text) for one in headings if one == _word(form, "heading") and text]


def _word(form: Form, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
