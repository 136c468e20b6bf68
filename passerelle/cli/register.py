"""`passerelle register`: what was decided, what is to be done, what was lent: listed, or written into a file."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text
from sqlalchemy.ext.asyncio import AsyncConnection

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, chosen_association, example, load, out, tables
from passerelle.cli.known import Unclear, known_person
from passerelle.cli.opened import now, opened, words_in
from passerelle.cli.register_words import day_and_clock, kind_called, state_called
from passerelle.core.calendar_values import FeedHead
from passerelle.core.ids import LinkName
from passerelle.core.links import Link
from passerelle.core.register_calendar import days_of_entries
from passerelle.core.register_export import ExportedEntry, build_csv, build_json
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.context import FlowContext
from passerelle.flows.entries_shown import kind_word
from passerelle.flows.register_export import exported_entries
from passerelle.i18n import _
from passerelle.mail.calendar_build import build_feed
from passerelle.store.register_lists import EntryFilter
from passerelle.web.entry_present import state_in_words
from passerelle.wiring import build_context

register = typer.Typer(
    name="register",
    help=_("What was decided, what is to be done, what was lent: list it, look at one entry, take it out."),
    epilog=example("passerelle register list --kind action --state open"),
    no_args_is_help=True,
)

AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose register; needed where there are several."))
]
_KindOption = Annotated[
    list[str] | None,
    typer.Option("--kind", metavar="KIND", help=_("Of this kind: decision, action, loan …; several may be given.")),
]
_StateOption = Annotated[
    list[str] | None,
    typer.Option("--state", metavar="STATE", help=_("In this state: adopted, open …; several may be given.")),
]
_PersonOption = Annotated[
    str,
    typer.Option(
        "--person",
        metavar="PERSON",
        help=_("That name somebody: by an address, a Matrix account, a whole name, or a number."),
    ),
]
_LabelOption = Annotated[str, typer.Option("--label", metavar="LABEL", help=_("Of a thing, an activity or a tag."))]
_LinkOption = Annotated[str, typer.Option("--link", metavar="LINK", help=_("Only this link's."))]
_SinceOption = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help=_("Said from that day on, as 2026-09-01.")),
]
_WordsOption = Annotated[str, typer.Option("--words", metavar="WORDS", help=_("That hold these words."))]
#: What nobody has called a decision yet is listed where it is asked for by name only.
_UNCONFIRMED = "asked"
_FORMATS = ("csv", "json", "ics")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """Which entries, as they were asked for."""

    kinds: Sequence[str]
    states: Sequence[str]
    person: str
    label: str
    link: str
    since: datetime | None
    words: str


@register.command(
    "list",
    help=_("List entries, the newest first. It may name persons: keep it as safe as the store."),
    epilog=example(
        "passerelle register list",
        "passerelle register list --kind decision --state adopted --since 2026-09-01",
        "passerelle register list --kind action --state open --person 'Léa Martin' --json",
    ),
)
def list_(  # noqa: PLR0913 - a command has its options
    file: ConfigOption = DEFAULT_CONFIG,
    kind: _KindOption = None,
    state: _StateOption = None,
    person: _PersonOption = "",
    label: _LabelOption = "",
    link: _LinkOption = "",
    since: _SinceOption = None,
    words: _WordsOption = "",
    association: AssociationOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help=_("At most so many, the newest."))] = 50,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    asked = _Asked(
        kinds=kind or (), states=state or (), person=person, label=label, link=link, since=since, words=words
    )
    found = asyncio.run(_read(settings, chosen, asked))
    shown = found.entries[:limit]
    if as_json:
        typer.echo(build_json(shown, association=chosen.name).decode("utf-8"))
    elif not shown:
        out().print(_("Nothing was found."))
    else:
        _print(shown, found.link)
        out().print()
        total = _("Entries: {count}.") if len(shown) == len(found.entries) else _("Entries: {shown} of {count}.")
        out().print(Text(total.format(shown=len(shown), count=len(found.entries)), style="bold"))


def _print(entries: Sequence[ExportedEntry], link: Link) -> None:
    words = words_in(link.zone)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("No."), _("Kind"), _("What"), _("State"), _("Who"), _("By when"), _("Said")):
        table.add_column(head, overflow="fold")
    for entry in entries:
        cells = (
            str(entry.number),
            kind_word(entry.kind, link, words),
            entry.text,
            state_in_words(entry.kind, entry.state, words),
            ", ".join(entry.names) or "–",
            day_and_clock(entry.due_on, entry.due_at, words) or "–",
            words.day(entry.said_at, year=True),
        )
        table.add_row(*map(Text, cells))
    tables().print(table)


@register.command(
    "export",
    help=_("Write entries into a file: a table (csv), JSON, or their days for a calendar (ics)."),
    epilog=example(
        "passerelle register export --format csv --to registre-2026.csv --since 2026-01-01",
        "passerelle register export --format ics --to dates.ics --kind action --kind loan",
    ),
)
def export(  # noqa: PLR0913 - a command has its options
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help=_("The new file."))],
    format: Annotated[str, typer.Option("--format", metavar="FORMAT", help=_("csv, json or ics."))] = "csv",
    file: ConfigOption = DEFAULT_CONFIG,
    kind: _KindOption = None,
    state: _StateOption = None,
    person: _PersonOption = "",
    label: _LabelOption = "",
    link: _LinkOption = "",
    since: _SinceOption = None,
    words: _WordsOption = "",
    association: AssociationOption = None,
    force: Annotated[bool, typer.Option("--force", help=_("Replace the file where it is there already."))] = False,
) -> None:
    if format not in _FORMATS:
        raise typer.BadParameter(
            _("there is no format {name}; there is {all}").format(name=format, all=", ".join(_FORMATS))
        )
    settings = load(file)
    chosen = chosen_association(settings, association)
    asked = _Asked(
        kinds=kind or (), states=state or (), person=person, label=label, link=link, since=since, words=words
    )
    if to.exists() and not force:
        raise Unclear(_("{file} is there already. To replace it: --force").format(file=to))
    found = asyncio.run(_read(settings, chosen, asked))
    _write(to, found.as_file(format))
    out().print(Text(_("Entries in {file}: {count}.").format(file=to, count=len(found.entries))))
    if format != "ics":
        out().print(Text(_("It names persons: give it only to those who may read the register.")))


def _write(to: Path, data: bytes) -> None:
    try:
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as written:
            written.write(data)
    except OSError as error:
        raise Unclear(_("{path} cannot be written: {why}").format(path=to, why=error.strerror)) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What was found, the newest first."""

    ctx: FlowContext
    #: Any link of the association, for its words and its zone.
    link: Link
    entries: list[ExportedEntry]

    def as_file(self, format: str) -> bytes:
        """By number, in the association's language."""
        entries = sorted(self.entries, key=lambda entry: entry.number)
        association, words = self.link.association, self.ctx.renderer(self.link.association).words
        if format == "csv":
            return build_csv(entries, words)
        if format == "json":
            return build_json(entries, association=association.name)
        days = days_of_entries(entries, uid_of=self._uid, words=words)
        head = FeedHead(name=association.title, zone=association.timezone)
        return build_feed([], head=head, dtstamp=now().replace(microsecond=0), days=days)

    def _uid(self, number: int) -> str:
        """The same as in the calendars that members subscribe to (`flows.calendar_feed`)."""
        domain = self.link.mailbox.address.rpartition("@")[2]
        return f"{self.ctx.hashed('entry', self.link.association_name, str(number))[:24]}@{domain}"


async def _read(settings: Settings, association: AssociationSettings, asked: _Asked) -> _Found:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        link = first_link(ctx, association)
        wanted = await _filter(ctx, link, asked)
        async with store.read() as conn:
            entries = await _newest(ctx, conn, link, wanted)
    return _Found(ctx=ctx, link=link, entries=entries)


async def _newest(ctx: FlowContext, conn: AsyncConnection, link: Link, wanted: EntryFilter) -> list[ExportedEntry]:
    found = await exported_entries(ctx, conn, link, wanted, order="newest")
    return found if wanted.states else [entry for entry in found if entry.state != _UNCONFIRMED]


def first_link(ctx: FlowContext, association: AssociationSettings) -> Link:
    """Any link of an association: each has its words and its zone. Raises Unclear where it has none."""
    found = next((link for link in ctx.links if link.association.name == association.name), None)
    if found is None:
        raise Unclear(_("This association has no link yet."))
    return found


async def _filter(ctx: FlowContext, link: Link, asked: _Asked) -> EntryFilter:
    association = link.association
    if asked.link and asked.link not in [one.name for one in association.links]:
        raise typer.BadParameter(_("there is no link of this name"))
    kinds = tuple(kind_called(name, association.entry_register.kinds) for name in asked.kinds)
    return EntryFilter(
        links=[LinkName(asked.link)] if asked.link else None,
        kinds=kinds,
        states=tuple(
            state for name in asked.states for state in state_called(name, kinds, association.entry_register.kinds)
        ),
        person_id=(await known_person(ctx, association, asked.person)).id if asked.person else None,
        label=asked.label,
        since=asked.since.replace(tzinfo=link.zone).astimezone(UTC) if asked.since else None,
        words=asked.words,
    )
