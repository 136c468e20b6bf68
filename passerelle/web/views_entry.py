"""One entry of the register: what it says, where it was said, what became of it, and what one may do with it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.ids import EntryId
from passerelle.core.links import Link
from passerelle.core.names import one_line
from passerelle.core.register_model import Entry, EntryChange, NamedPerson, Objection
from passerelle.core.register_moves import OPEN_STATES
from passerelle.core.wording import Words
from passerelle.flows.entries_shown import kind_word
from passerelle.flows.membership import Membership
from passerelle.flows.outcome import Outcome, sentence
from passerelle.flows.register_acts import Wish, change_entry, replace_decision, review_decision, set_state
from passerelle.flows.said import Said
from passerelle.store.archive_pages import posts_of_ids
from passerelle.store.register import find_entry, list_entry_people, list_entry_sources
from passerelle.store.register_history import list_entry_changes, list_objections
from passerelle.store.register_lists import find_shown_entry
from passerelle.store.register_pages import standing_posts
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, Form, checked_form, nothing_here
from passerelle.web.entry_present import (
    Fact,
    change_views,
    is_unfinished,
    name_of,
    objection_views,
    person_view,
    source_views,
    span_of,
    state_in_words,
    title_of_entry,
)
from passerelle.web.entry_ways import WAYS, Way, Ways, find_ways
from passerelle.web.lists import association_name, link_title
from passerelle.web.members import link_of, member, number_of
from passerelle.web.pages import absolute, page, paths_of, words_of
from passerelle.web.present import day_of

#: What one may write into the one line of a form.
_LONGEST_REASON = 500
#: How long after a change its author is told that it was noted.
_A_MOMENT = timedelta(minutes=2)


async def entry(request: web.Request) -> web.StreamResponse:
    """One entry: what it says, where it was said, what became of it, and what one may do with it."""
    ctx, words, paths = request.app[CONTEXT], words_of(request), paths_of(request)
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        found = await readable_entry(request, conn, me)
        link = link_of(request, found.link)
        people = (await list_entry_people(conn, [found.id])).get(found.id, ())
        sources = (await list_entry_sources(conn, [found.id])).get(found.id, ())
        changes = await list_entry_changes(conn, found.id)
        objections = await list_objections(conn, found.id)
        said = [source.post_id for source in sources] + [o.post_id for o in objections] + [c.post_id for c in changes]
        ids = {id for id in said if id is not None}
        stand = await standing_posts(conn, ids)
        posts = await posts_of_ids(conn, ids, request[READER].shelves)
        by = await _replacement(conn, found.replaced_by)
    now = ctx.now()
    standing = [one for one in objections if one.withdrawn_at is None and one.settled_at is None]
    settings = request[ASSOCIATION]
    ways = find_ways(
        found,
        standing,
        actor=me.actor(link),
        permissions=settings.permissions,
        kinds=settings.entry_register.kinds,
        now=now,
    )
    return page(
        request,
        "entry",
        here="register",
        entry=found,
        title=title_of_entry(found),
        kind_word=kind_word(found.kind, link, words),
        state_word=state_in_words(found.kind, found.state, words),
        facts=_facts(request, found, link, people),
        by=by,
        is_expected=found.state in OPEN_STATES or is_unfinished(found, link),
        permanent=absolute(request, paths.entry(found.number)),
        objections=objection_views(objections, words, standing=stand),
        standing=len(standing),
        history=change_views(changes, entry=found, posts=posts, standing=stand, words=words, paths=paths),
        sources=source_views(sources, posts, words=words, paths=paths),
        ways=ways,
        not_yet=_not_yet(ways, found, [one.name for one in standing], words),
        is_noted=_is_noted(me, changes, objections, now),
        states=[(state, state_in_words(found.kind, state, words)) for state in ways.states],
    )


def _is_noted(me: Membership, changes: Sequence[EntryChange], objections: Sequence[Objection], now: datetime) -> bool:
    """Whether what the reader did from this page a moment ago has come of it: nothing else says so to them."""
    mine = [one.at for one in changes if one.medium == "web" and one.by_person_id == me.reader.person_id]
    taken_back = [o.withdrawn_at for o in objections if o.withdrawn_at and o.person_id == me.reader.person_id]
    return max((*mine, *taken_back), default=now - _A_MOMENT) > now - _A_MOMENT


async def readable_entry(request: web.Request, conn: AsyncConnection, me: Membership) -> Entry:
    """The entry of the address, where this reader may see it. Raises `nothing_here`."""
    found = await find_shown_entry(conn, association_name(request), number_of(request), me.links)
    if found is None:
        raise nothing_here(request)
    # What its author has not called a decision is nobody's business yet.
    is_author = found.author_person_id is not None and found.author_person_id == me.reader.person_id
    if found.state == "asked" and not (is_author or me.reader.is_coordinator):
        raise nothing_here(request)
    return found


async def _replacement(conn: AsyncConnection, id: EntryId | None) -> int | None:
    """What the decision is called that stands in its place."""
    found = await find_entry(conn, id) if id is not None else None
    return found.number if found is not None else None


def _facts(request: web.Request, entry: Entry, link: Link, people: Sequence[NamedPerson]) -> list[Fact]:
    """What is known of an entry, each with its name; what is not is left out."""
    words = words_of(request)
    several = len(request[ASSOCIATION].links) > 1
    texts = {
        f"web_due_{entry.kind}" if entry.kind in ("loan", "action") else "web_fact_when": span_of(entry, link, words),
        "web_fact_label": one_line(entry.label),
        "web_fact_quantity": str(entry.quantity) if entry.quantity is not None else "",
        "web_fact_said": day_of(words, entry.said_at),
        "web_fact_open_until": _open_until(entry, words),
        "web_fact_review": words.calendar_day(entry.review_on, year=True) if entry.review_on else "",
        "web_fact_link": link_title(entry.link) if several else "",
    }
    named = {
        "web_fact_who": [one.name for one in people],
        "web_fact_proposed" if entry.kind == "decision" else "web_fact_author": [entry.author_name]
        if entry.author_name
        else [],
        "web_fact_said_for": [entry.said_for] if entry.said_for else [],
    }
    return [
        *(
            Fact(name=words(key), people=tuple(person_view(name_of(name, words)) for name in names))
            for key, names in named.items()
            if any(names)
        ),
        *(Fact(name=words(key), text=text) for key, text in texts.items() if text),
    ]


def _open_until(entry: Entry, words: Words) -> str:
    if entry.open_until is None or entry.state not in ("proposed", "objected"):
        return ""
    return words.moment(entry.open_until, weekday=True, year=True)


def _not_yet(ways: Ways, entry: Entry, names: list[str], words: Words) -> str:
    """Why a decision cannot be adopted yet, to who might."""
    if ways.not_yet is None:
        return ""
    return words(
        f"register_refused_{ways.not_yet}",
        number=entry.number,
        state=state_in_words(entry.kind, entry.state, words),
        day=words.day(entry.open_until, weekday=True, year=True) if entry.open_until is not None else "",
        names=words.names(tuple(name_of(name, words) for name in names)),
    )


# ------------------------------------------------------------ changing it


async def entry_change(request: web.Request) -> web.StreamResponse:
    """One move of an entry, as its page offers it; whatever comes, the flow judges it."""
    form, ctx = await checked_form(request), request.app[CONTEXT]
    way = next((way for way in WAYS if way == _word(form, "move")), None)
    async with ctx.store.write() as conn:
        me = await member(request, conn)
        found = await readable_entry(request, conn, me)
        if way is None:
            raise web.HTTPBadRequest
        link = link_of(request, found.link)
        said = Said(
            link=link,
            actor=me.actor(link),
            text="",
            said_at=ctx.now(),
            key=f"web:{found.id}:{ctx.now().isoformat()}",
        )
        outcome = await _carry_out(request, conn, said, found, way, form)
    back = paths_of(request).entry(found.number)
    if outcome.is_private:
        status = 403 if outcome.reason == "refused" else 409
        told = str(outcome.variables.get("sentence", ""))
        return page(request, "not_done", status=status, here="register", told=told, back=back)
    raise web.HTTPSeeOther(back)


async def _carry_out(
    request: web.Request, conn: AsyncConnection, said: Said, entry: Entry, way: Way, form: Form
) -> Outcome:
    """What comes of it, also where the form does not say what it has to."""
    ctx, words = request.app[CONTEXT], words_of(request)
    if way == "replace":
        number = _word(form, "by")
        usable = number.isascii() and number.isdecimal() and len(number) < 10
        me = await member(request, conn)
        by = await find_shown_entry(conn, association_name(request), int(number), me.links) if usable else None
        if by is None:
            return sentence("unknown", words("web_replace_unknown"), is_private=True)
        return await replace_decision(ctx, conn, said, entry, by)
    if way == "review":
        try:
            day = date.fromisoformat(_word(form, "day"))
        except ValueError:
            return sentence("unknown", words("web_review_unknown"), is_private=True)
        return await review_decision(ctx, conn, said, entry, day)
    if way == "set":
        outcome = await set_state(ctx, conn, said, entry, _word(form, "state"))
        return outcome or sentence("unknown", words("web_state_unknown"), is_private=True)
    detail = one_line(_word(form, "reason"))[:_LONGEST_REASON]
    return await change_entry(ctx, conn, said, entry, Wish(name=way, detail=detail))


def _word(form: Form, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""
