"""`passerelle register show`: one entry with its history, the objections to it, and where it was said."""

import asyncio
import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, chosen_association, load, out, tables
from passerelle.cli.known import Unclear
from passerelle.cli.opened import opened, words_in
from passerelle.cli.register import AssociationOption, first_link
from passerelle.core.ids import PostId
from passerelle.core.links import Link
from passerelle.core.permalinks import short_path
from passerelle.core.register_model import Entry, EntryChange, NamedPerson, Objection
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.core.wording import Words
from passerelle.flows.entries_shown import kind_word
from passerelle.i18n import _
from passerelle.store.register import (
    EntrySource,
    find_entry,
    find_entry_by_number,
    list_entry_people,
    list_entry_sources,
)
from passerelle.store.register_history import list_entry_changes, list_objections
from passerelle.store.register_lists import find_shown_entry
from passerelle.store.register_pages import standing_posts
from passerelle.web.entry_present import change_views, objection_views, span_of, state_in_words
from passerelle.web.paths import Paths
from passerelle.wiring import build_context


@dataclass(frozen=True, kw_only=True, slots=True)
class _Whole:
    """One entry and all that belongs to it."""

    entry: Entry
    people: tuple[NamedPerson, ...]
    changes: Sequence[EntryChange]
    objections: Sequence[Objection]
    sources: tuple[EntrySource, ...]
    #: Those of the posts behind objections and history that were not taken back: of the others the words go.
    standing: Collection[PostId]
    #: Number of the decision that stands in its place.
    replaced_by: int | None
    #: Members see it: what it was read out of was not taken back.
    is_shown: bool
    link: Link
    #: The archive's address; "" without a web.
    web: str


def show(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help=_("What members call it: 12 of « fait 12 »."))],
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    whole = asyncio.run(_read(settings, chosen_association(settings, association), number))
    if as_json:
        typer.echo(json.dumps(_as_json(whole), indent=2, ensure_ascii=False, default=_iso))
    else:
        _print(whole)


async def _read(settings: Settings, association: AssociationSettings, number: int) -> _Whole:
    async with opened(settings) as store, store.read() as conn:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        link = first_link(ctx, association)
        entry = await find_entry_by_number(conn, link.association_name, number)
        if entry is None:
            raise Unclear(_("There is no entry {number}. `passerelle register list` lists them.").format(number=number))
        by = await find_entry(conn, entry.replaced_by) if entry.replaced_by is not None else None
        changes, objections = await list_entry_changes(conn, entry.id), await list_objections(conn, entry.id)
        said_in = [*(one.post_id for one in changes), *(one.post_id for one in objections)]
        stand = await standing_posts(conn, {post_id for post_id in said_in if post_id is not None})
        return _Whole(
            entry=entry,
            people=(await list_entry_people(conn, [entry.id])).get(entry.id, ()),
            changes=[replace(one, detail=_if_standing(one.detail, one.post_id, stand)) for one in changes],
            objections=[replace(one, reason=_if_standing(one.reason, one.post_id, stand)) for one in objections],
            sources=(await list_entry_sources(conn, [entry.id])).get(entry.id, ()),
            standing=stand,
            replaced_by=by.number if by is not None else None,
            is_shown=await find_shown_entry(conn, entry.association, number, [entry.link]) is not None,
            link=ctx.links.find(f"{entry.association}/{entry.link}") or link,
            web=settings.web.url.rstrip("/") if settings.web is not None else "",
        )


def _if_standing(text: str, post_id: PostId | None, standing: Collection[PostId]) -> str:
    """Words of a post that was taken back are told to nobody."""
    return text if post_id is None or post_id in standing else ""


# ------------------------------------------------------------ for who reads it


def _print(whole: _Whole) -> None:
    entry, words, console = whole.entry, words_in(whole.link.zone), out()
    kind = kind_word(entry.kind, whole.link, words)
    console.print(Text(f"{kind} {entry.number}: {entry.text}", style="bold"))
    if not whole.is_shown:
        console.print(Text(_("What it was read out of was taken back: members do not see it.")))
    console.print()
    facts = Table.grid(padding=(0, 2))
    for name, text in _facts(whole, words):
        facts.add_row(Text(name), Text(text))
    tables().print(facts)
    _print_lines(_("Objections"), _objection_lines(whole, words))
    _print_lines(_("History"), _change_lines(whole, words))
    _print_lines(_("Said in"), _source_lines(whole, words))


def _print_lines(title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console = out()
    console.print()
    console.print(Text(title, style="bold"))
    for line in lines:
        console.print(Text(f"  • {line}"))


def _facts(whole: _Whole, words: Words) -> list[tuple[str, str]]:
    entry = whole.entry
    facts = [
        (_("State"), state_in_words(entry.kind, entry.state, words)),
        (_("Who"), ", ".join(one.name for one in whole.people)),
        (_("When"), span_of(entry, whole.link, words)),
        (_("Label"), entry.label),
        (_("Persons"), str(entry.quantity) if entry.quantity is not None else ""),
        (_("Said"), _said(entry, words)),
        (_("Link"), entry.link),
        (_("Told to both sides"), _told(entry, words)),
        (_("Objections until"), words.moment(entry.open_until, year=True) if entry.open_until else ""),
        (_("To be reviewed on"), words.calendar_day(entry.review_on, year=True) if entry.review_on else ""),
        (_("Replaced by"), str(whole.replaced_by) if whole.replaced_by is not None else ""),
        (_("Page"), f"{whole.web}{Paths(root=f'/{entry.association}').entry(entry.number)}" if whole.web else ""),
    ]
    return [(name, text) for name, text in facts if text]


def _said(entry: Entry, words: Words) -> str:
    at, by = words.moment(entry.said_at, year=True), entry.author_name or words("someone")
    if entry.said_for:
        return _("{at}, by {name}, for {whom}").format(at=at, name=by, whom=entry.said_for)
    return _("{at}, by {name}").format(at=at, name=by)


def _told(entry: Entry, words: Words) -> str:
    if entry.announce_state == "told" and entry.told_at is not None:
        return words.moment(entry.told_at, year=True)
    waits = {"wanted": _("in the next notice"), "telling": _("on its way"), "told": "", "none": ""}
    return waits[entry.announce_state]


def _objection_lines(whole: _Whole, words: Words) -> list[str]:
    lines = []
    for view, one in zip(
        objection_views(whole.objections, words, standing=whole.standing), whole.objections, strict=True
    ):
        who = _("{name}, passed on by {by}") if one.passed_on_by else "{name}"
        parts = [view.day, who.format(name=one.name, by=one.passed_on_by), view.reason, view.ended or _("it stands")]
        lines.append("; ".join(part for part in parts if part))
    return lines


def _change_lines(whole: _Whole, words: Words) -> list[str]:
    views = change_views(
        whole.changes, entry=whole.entry, posts={}, standing=whole.standing, words=words, paths=Paths(root="")
    )
    return [
        f"{view.moment}: {view.what}" + (f" ({change.by_name})" if view.by is not None and change.by_name else "")
        for view, change in zip(views, whole.changes, strict=True)
    ]


def _source_lines(whole: _Whole, words: Words) -> list[str]:
    sides = {"list": _("list"), "room": _("room")}
    lines = []
    for source in whole.sources:
        where = f"{words.moment(source.said_at, year=True)}, {source.link}, {sides[source.side]}"
        page = f" {_address(whole, source)}" if _address(whole, source) else ""
        gone = "" if source.state == "accepted" else f" ({source.state})"
        lines.append(f"{where}{page}{gone}")
    return lines


def _address(whole: _Whole, source: EntrySource) -> str:
    return whole.web + short_path(whole.entry.association, source.permalink) if whole.web and source.permalink else ""


# ------------------------------------------------------------ for another program


def _as_json(whole: _Whole) -> dict[str, Any]:
    def kept(value: Any, *left_out: str) -> dict[str, Any]:
        return {key: one for key, one in asdict(value).items() if key not in left_out}

    # Row numbers of the store mean nothing outside it.
    rows = ("id", "entry_id", "person_id", "post_id", "by_person_id", "author_person_id", "meeting_id", "replaced_by")
    return {
        **kept(whole.entry, *rows),
        "names": [one.name for one in whole.people],
        "replaced_by": whole.replaced_by,
        "shown_to_members": whole.is_shown,
        "history": [kept(one, *rows) for one in whole.changes],
        "objections": [kept(one, *rows) for one in whole.objections],
        "sources": [{**kept(one, *rows), "url": _address(whole, one)} for one in whole.sources],
    }


def _iso(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)
