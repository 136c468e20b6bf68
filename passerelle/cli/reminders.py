"""`passerelle reminders`: of what somebody will be reminded."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, chosen_association, example, load, out, tables
from passerelle.cli.opened import opened, words_in
from passerelle.core.ids import AssociationName
from passerelle.core.register_model import Reminder
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.i18n import N_, _
from passerelle.store.reminders import list_reminders

reminders = typer.Typer(
    name="reminders",
    help=_("Reminders that were asked for."),
    epilog=example("passerelle reminders list"),
    no_args_is_help=True,
)
_TARGETS = {"both": N_("list and room"), "room": N_("room"), "list": N_("list"), "person": N_("one person")}


@reminders.command(
    "list",
    help=_("List the reminders to come, the next first. What is for one person is not told."),
    epilog=example("passerelle reminders list", "passerelle reminders list --json"),
)
def list_(
    file: ConfigOption = DEFAULT_CONFIG,
    association: Annotated[
        str | None, typer.Option("--association", help=_("Whose reminders; needed where there are several."))
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help=_("For another program: as JSON, in English."))] = False,
) -> None:
    settings = load(file)
    found = asyncio.run(_list(settings, chosen_association(settings, association)))
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2, ensure_ascii=False))
    elif not found:
        out().print(_("There is no reminder to come."))
    else:
        _print(found)


async def _list(settings: Settings, association: AssociationSettings) -> list[Reminder]:
    async with opened(settings) as store, store.read() as conn:
        return await list_reminders(conn, AssociationName(association.name))


def _print(found: Sequence[Reminder]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("No."), _("Next"), _("To"), _("What"), _("Again"), _("Asked for by")):
        table.add_column(head, overflow="fold")
    for one in found:
        assert one.next_at is not None  # those to come
        cells = (
            str(one.number),
            words_in(ZoneInfo(one.zone)).moment(one.next_at, weekday=True, year=True),
            _(_TARGETS[one.target]),
            _text(one) or "…",
            _("yes") if one.rrule else "–",
            one.by_name or "–",
        )
        table.add_row(*map(Text, cells))
    tables().print(table)


def _text(one: Reminder) -> str:
    """What is for one person is that person's."""
    return "" if one.target == "person" else one.text


def _as_json(one: Reminder) -> dict[str, Any]:
    return {
        "number": one.number,
        "link": one.link,
        "to": one.target,
        "text": _text(one) or None,
        "next_at": one.next_at.astimezone(UTC).isoformat(timespec="seconds") if one.next_at else None,
        "zone": one.zone,
        "rrule": one.rrule,
        "by": one.by_name,
    }
