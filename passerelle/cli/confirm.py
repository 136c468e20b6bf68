"""`passerelle confirm`: a coordinator says that both sides were told; the relay begins."""

import asyncio
import getpass
from typing import Annotated

import typer

from passerelle import config
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out
from passerelle.core.settings import Settings
from passerelle.flows.consent import Confirmed, confirm_link
from passerelle.i18n import _
from passerelle.store.engine import Store
from passerelle.wiring import build_context, resolve_known_rooms

_SAID: dict[Confirmed, str] = {
    "now": _("Confirmed. From now on, what is said on one side is heard on the other."),
    "before": _("This link was confirmed before; nothing changes."),
    "goes_on": _("Confirmed. The link goes on; what waited leaves now."),
    "exposed": _("Strangers may read this room. If that is meant, confirm once more; otherwise close the room."),
    "too_early": _("Not yet: both sides must be told first. Start the daemon (`passerelle run`) and try again."),
}


def confirm(
    link: Annotated[str, typer.Argument(metavar="LINK", help=_("The link, for instance epeule/bureau."))],
    file: ConfigOption = DEFAULT_CONFIG,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help=_("Who confirms; for the log."))] = "",
) -> None:
    outcome = asyncio.run(_confirm(load(file), link, by or getpass.getuser()))
    if outcome is None:
        err().print(_("There is no link of this name. `passerelle status` lists them."))
        raise typer.Exit(PROBLEM)
    out().print(_SAID[outcome])
    if outcome in ("too_early", "exposed"):
        raise typer.Exit(PROBLEM)


async def _confirm(settings: Settings, path: str, by: str) -> Confirmed | None:
    store = await Store.open(config.store_url(settings.store), exclusive=False)
    try:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        link = ctx.links.find(path)
        return await confirm_link(ctx, link, by=by) if link is not None else None
    finally:
        await store.close()
