"""The register: its list with filters, and as a table to take along. One entry: `views_entry`."""

import math
from dataclasses import replace

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.core.links import Link
from passerelle.core.register_export import build_csv, build_json
from passerelle.core.wording import Words
from passerelle.flows.entries_shown import kind_word
from passerelle.flows.membership import Membership
from passerelle.flows.register_export import exported_entries
from passerelle.store.register import list_entry_people
from passerelle.store.register_lists import EntryFilter, count_entries, list_entries
from passerelle.store.register_pages import count_kinds, list_labels, span_of_entries
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, nothing_here
from passerelle.web.entry_present import (
    entry_lines,
    state_in_words,
)
from passerelle.web.heavy import made
from passerelle.web.lists import association_name, link_title
from passerelle.web.members import any_link, member
from passerelle.web.pages import SAFE_HEADERS, local, page, page_number, paths_of, words_of
from passerelle.web.register_filter import EXPECTED, KINDS, Asked, filter_of, parse_asked, states_of_kinds
from passerelle.web.safe_files import attached

_ENTRIES_A_PAGE = 50
_LABELS_OFFERED = 40
#: Of an entry in a table, about.
_ROW_CHARACTERS = 300


# ------------------------------------------------------------ the list


async def register(request: web.Request) -> web.StreamResponse:
    """What is noted, the newest first, as far as the form above asks for it."""
    words, paths, number = words_of(request), paths_of(request), page_number(request)
    async with request.app[CONTEXT].store.read() as conn:
        link, me = any_link(request), await member(request, conn)
        asked, wanted = _asked(request, me)
        found = await list_entries(
            conn, association_name(request), wanted, limit=_ENTRIES_A_PAGE, offset=(number - 1) * _ENTRIES_A_PAGE
        )
        if not found and number > 1:
            raise nothing_here(request)
        total = await count_entries(conn, association_name(request), wanted)
        kinds = await count_kinds(conn, association_name(request), _of_any_kind(request, asked, me))
        ids = [entry.id for entry in found]
        people = await list_entry_people(conn, ids)
        labels = await list_labels(conn, association_name(request), me.links, limit=_LABELS_OFFERED)
        years = await _years(request, conn, me)
    pages = math.ceil(total / _ENTRIES_A_PAGE)
    lines = entry_lines(
        found,
        people=people,
        link=link,
        words=words,
        paths=paths,
        today=local(request, request.app[CONTEXT].now()).date(),
    )
    return page(
        request,
        "register",
        here="register",
        entries=lines,
        size=words.count("entries_count", total),
        asked=asked,
        kinds=_tabs(request, asked, kinds, link),
        states=_state_choices(asked, link, words),
        days=_days_in_words(asked, words),
        labels=labels,
        links=[(name, link_title(name)) for name in sorted(me.links)] if len(me.links) > 1 else [],
        years=years,
        csv=paths.register_file("csv", **asked.query()),
        json=paths.register_file("json", **asked.query()),
        number=number,
        pages=pages,
        newer=paths.register(**asked.query(page=str(number - 1) if number > 2 else "")) if number > 1 else "",
        older=paths.register(**asked.query(page=str(number + 1))) if number < pages else "",
    )


def _asked(request: web.Request, me: Membership) -> tuple[Asked, EntryFilter]:
    kinds = request[ASSOCIATION].entry_register.kinds
    asked = parse_asked(request.query, links=me.links, kinds=kinds)
    return asked, _filter(request, asked, me)


def _filter(request: web.Request, asked: Asked, me: Membership) -> EntryFilter:
    return filter_of(
        asked,
        links=me.links,
        kinds=request[ASSOCIATION].entry_register.kinds,
        person_id=me.reader.person_id,
        zone=request[ASSOCIATION].zone(),
    )


def _of_any_kind(request: web.Request, asked: Asked, me: Membership) -> EntryFilter:
    """What is asked for of every kind: a state of one kind says nothing of the others."""
    state = asked.state if asked.state == EXPECTED else ""
    return _filter(request, replace(asked, kind="", state=state, became=""), me)


def _days_in_words(asked: Asked, words: Words) -> list[str]:
    """Which days are asked for, a sentence each, since the form has no field for them."""
    said = "web_days_became" if asked.became else "web_days_said"
    found = []
    for key, first, last in ((said, asked.first, asked.last), ("web_days_due", asked.due_first, asked.due_last)):
        if first is not None and last is not None:
            days = {
                name: words.calendar_day(day, weekday=False, year=True)
                for name, day in (("first", first), ("last", last))
            }
            state = {"state": state_in_words(asked.kind, asked.became, words)} if key == "web_days_became" else {}
            found.append(words(key, **days, **state))
    return found


async def _years(request: web.Request, conn: AsyncConnection, me: Membership) -> list[int]:
    """The years from the last entry to the first."""
    span = await span_of_entries(conn, association_name(request), me.links)
    if span is None:
        return []
    first, last = (local(request, at).year for at in span)
    return list(range(last, first - 1, -1))[:60]


def _tabs(request: web.Request, asked: Asked, numbers: dict[str, int], link: Link) -> list[dict[str, object]]:
    """All, and each kind of which there is something, with how much."""
    words, paths = words_of(request), paths_of(request)
    state = asked.state if asked.state == EXPECTED else ""
    tabs: list[dict[str, object]] = [{
        "title": words("web_kinds_all"),
        "number": sum(numbers.values()),
        "path": paths.register(**asked.query(kind="", state=state)),
        "here": not asked.kind,
    }]  # fmt: skip
    configured = [kind.name for kind in link.association.entry_register.kinds]
    for kind in (*KINDS, *configured):
        if numbers.get(kind) or kind == asked.kind:
            tabs.append({
                "title": words(f"web_kinds_{kind}") if kind in KINDS else kind_word(kind, link, words),
                "number": numbers.get(kind, 0),
                "path": paths.register(**asked.query(kind=kind, state=state)),
                "here": kind == asked.kind,
            })  # fmt: skip
    return tabs


def _state_choices(asked: Asked, link: Link, words: Words) -> list[tuple[str, str]]:
    """The states that may be asked for: of a kind, its own."""
    states = states_of_kinds(link.association.entry_register.kinds).get(asked.kind, ())
    of_kind = [(state, state_in_words(asked.kind, state, words)) for state in states]
    return [(EXPECTED, words("web_state_expected")), *of_kind]


# ------------------------------------------------------------ to take along


async def register_csv(request: web.Request) -> web.StreamResponse:
    """What the page lists, all of it, for a spreadsheet."""
    return await _exported(request, "csv")


async def register_json(request: web.Request) -> web.StreamResponse:
    """The same as JSON."""
    return await _exported(request, "json")


async def _exported(request: web.Request, form: str) -> web.Response:
    ctx = request.app[CONTEXT]
    async with ctx.store.read() as conn:
        me = await member(request, conn)
        _, wanted = _asked(request, me)
        rows = await exported_entries(ctx, conn, any_link(request), wanted)
    words, association = words_of(request), request[ASSOCIATION].name
    if form == "csv":
        body = await made(len(rows) * _ROW_CHARACTERS, lambda: build_csv(rows, words))
        content_type = "text/csv; charset=utf-8"
    else:
        body = await made(len(rows) * _ROW_CHARACTERS, lambda: build_json(rows, association=association))
        content_type = "application/json"
    name = words("web_register_file")
    how = attached(f"{name}-{association}.{form}", content_type)
    headers = {**SAFE_HEADERS, "Content-Type": how.content_type, "Content-Disposition": how.disposition}
    return web.Response(body=body, headers=headers)
