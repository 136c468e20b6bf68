"""`passerelle bilan`: the year's account, in figures that one can check, as files to hand on."""

import asyncio
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, chosen_association, load, out
from passerelle.cli.known import Unclear
from passerelle.cli.opened import now, opened
from passerelle.core.account_facts import AccountScope
from passerelle.core.ids import LinkName
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.flows.account import account_file_name, account_in_words, make_account, scope_of
from passerelle.flows.account_paper import FORMS, AccountForm, account_on_paper
from passerelle.i18n import _
from passerelle.wiring import build_context

_ALL = "all"
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


def bilan(  # noqa: PLR0913 - a command has its options
    year: Annotated[
        int | None,
        typer.Option(
            "--year",
            min=_FIRST_YEAR,
            max=_LAST_YEAR,
            metavar="YEAR",
            help=_("Of this year; without it, of the year that runs."),
        ),
    ] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help=_("Instead of a year: from that day on, as 2026-03-01.")),
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help=_("And up to that day, which is in it."))
    ] = None,
    file: ConfigOption = DEFAULT_CONFIG,
    association: Annotated[
        str | None, typer.Option("--association", help=_("Whose account; needed where there are several."))
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="LINK", help=_("Only of this link; several may be given.")),
    ] = None,
    tag: Annotated[
        str, typer.Option("--tag", metavar="TAG", help=_("Only of this project, as jardin for #jardin."))
    ] = "",
    to: Annotated[Path, typer.Option("--out", metavar="FOLDER", help=_("Where the files go."))] = Path("."),
    format: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help=_("html, odt, csv, or all of them."))
    ] = _ALL,
    force: Annotated[bool, typer.Option("--force", help=_("Replace the files where they are there already."))] = False,
) -> None:
    forms = _forms(format)
    settings = load(file)
    chosen = chosen_association(settings, association)
    scope = _scope(chosen, year, (first, last), [LinkName(name) for name in link or ()], tag)
    for path in asyncio.run(_write_all(settings, chosen, scope, forms, to, force)):
        out().print(Text(str(path)))
    out().print(Text(_("It names nobody. Who may read the records behind a figure is led to them.")))


def _forms(name: str) -> Sequence[AccountForm]:
    if name == _ALL:
        return FORMS
    found = [form for form in FORMS if form == name]
    if not found:
        known = ", ".join((*FORMS, _ALL))
        raise typer.BadParameter(_("there is no format {name}; there is {all}").format(name=name, all=known))
    return found


def _scope(
    association: AssociationSettings,
    year: int | None,
    days: tuple[datetime | None, datetime | None],
    links: Sequence[LinkName],
    tag: str,
) -> AccountScope:
    begin, end = days
    if year is not None and (begin or end):
        raise typer.BadParameter(_("give a year, or the first and the last day"))
    if (begin is None) != (end is None):
        raise typer.BadParameter(_("give both the first and the last day: --from and --to"))
    this_year = year if year is not None else now().astimezone(association.zone()).year
    first = begin.date() if begin is not None else date(this_year, 1, 1)
    last = end.date() if end is not None else date(this_year, 12, 31)
    if first.year < _FIRST_YEAR or last.year > _LAST_YEAR:
        raise typer.BadParameter(_("give days from 1970 to 2100"))
    try:
        return scope_of(association, first=first, last=last, links=links, tag=tag)
    except KeyError as error:
        raise typer.BadParameter(_("there is no link of this name")) from error
    except ValueError as error:
        raise typer.BadParameter(_("a period ends after it begins, and has three years at the most")) from error


async def _write_all(
    settings: Settings,
    association: AssociationSettings,
    scope: AccountScope,
    forms: Sequence[AccountForm],
    folder: Path,
    force: bool,
) -> list[Path]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        words = ctx.renderer(association).words
        paths = [folder / account_file_name(scope, words, form) for form in forms]
        for path in paths:
            if path.exists() and not force:
                raise Unclear(_("{file} is there already. To replace it: --force").format(file=path))
        account = account_in_words(ctx, association, await make_account(ctx, association, scope), words)
        for path, form in zip(paths, forms, strict=True):
            _write(path, await account_on_paper(ctx, association, account, form))
    return paths


def _write(to: Path, data: bytes) -> None:
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as written:
            written.write(data)
    except OSError as error:
        raise Unclear(_("{path} cannot be written: {why}").format(path=to, why=error.strerror)) from error
