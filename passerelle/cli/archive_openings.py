"""`passerelle archive openings`: what is readable by more than its participants, or soon will be."""

import asyncio
from datetime import datetime

from rich.table import Table

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, load, out, tables
from passerelle.cli.opened import moment_in, now, opened
from passerelle.core.links import Link, Links
from passerelle.core.model import Side
from passerelle.core.openings import changes
from passerelle.core.readership import Opening, OpenTo, What
from passerelle.core.settings import Settings
from passerelle.i18n import _
from passerelle.store.openings import list_openings_of, list_sides_with_past

_WHAT: dict[What, str] = {
    "posts": _("what is said"),
    "past_list": _("the imported past of the list"),
    "past_room": _("the imported past of the room"),
}
_TO: dict[OpenTo, str] = {"public": _("everyone"), "participants": _("participants of both sides")}


def openings(file: ConfigOption = DEFAULT_CONFIG) -> None:
    settings = load(file)
    rows = asyncio.run(_rows(settings))
    if not rows:
        out().print(_("Nothing is open: each archive is read by its participants alone."))
        return
    table = Table(box=None, pad_edge=False)
    for title in (_("Link"), _("What"), _("To whom"), _("State")):
        table.add_column(title)
    for row in rows:
        table.add_row(*row)
    tables().print(table)


async def _rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    found: list[tuple[str, str, str, str]] = []
    async with opened(settings) as store, store.read() as conn:
        for link in Links(settings):
            known = await list_openings_of(conn, link.association_name, link.name)
            sides = await list_sides_with_past(conn, link.association_name, link.name)
            found += _rows_of(link, known, sides, now())
    return found


def _rows_of(link: Link, known: list[Opening], sides: list[Side], at: datetime) -> list[tuple[str, str, str, str]]:
    moment = moment_in(link.zone)
    due = changes(link.settings.archive, known, past_of=sides, now=at)
    rows = []
    for opening in known:
        if opening in due.close:
            state = _("closed by the configuration")
        elif opening.opens_at is None:
            state = _("waits until the notices have left")
        elif opening.opens_at > at:
            state = _("opens {when}").format(when=moment(opening.opens_at))
        else:
            state = _("open since {when}").format(when=moment(opening.opens_at))
        rows.append((link.path, _WHAT[opening.what], _TO[opening.to], state))
    told = _("to be told to both sides by the daemon, then {days} days")
    rows += [
        (link.path, _WHAT[what], _TO[to], told.format(days=link.settings.archive.opening_delay_days))
        for what, to in due.announce
    ]
    return rows
