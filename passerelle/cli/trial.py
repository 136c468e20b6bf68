"""`passerelle try`: what would happen to this mail."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from sqlalchemy import make_url

from passerelle import config
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, load, out
from passerelle.cli.opened import opened
from passerelle.core.rules import Verdict
from passerelle.core.settings import Settings
from passerelle.dry_run import empty_store
from passerelle.errors import PasserelleError
from passerelle.i18n import _
from passerelle.mail.reading import Reading
from passerelle.queue_words import why_not_relayed
from passerelle.store.engine import Store
from passerelle.store.sqlite import path_of
from passerelle.trial import Trial, try_email
from passerelle.wiring import build_context, resolve_known_rooms

#: Of a file on the homeserver, as most have it; the daemon asks.
_UPLOAD_LIMIT_BYTES = 50_000_000


def try_(
    email: Annotated[
        Path,
        typer.Argument(metavar="FILE.eml", help=_("The mail as your mail program saves it; - reads it from stdin.")),
    ],
    file: ConfigOption = DEFAULT_CONFIG,
    link: Annotated[
        str | None, typer.Option("--link", metavar="LINK", help=_("As if it came for this link: ASSOCIATION/LINK."))
    ] = None,
) -> None:
    settings = load(file)
    there = [f"{a.name}/{one.name}" for a in settings.associations for one in a.links]
    if link is not None and link not in there:
        raise typer.BadParameter(
            _("there is no link {link}; there are {links}").format(link=link, links=", ".join(there))
        )
    trial = asyncio.run(_try(settings, _read(email), link))
    for line in describe(trial):
        out().print(line)
    if trial.unreadable:
        raise typer.Exit(PROBLEM)


def _read(email: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(email) == "-" else email.read_bytes()
    except OSError as error:
        raise PasserelleError(_("{file} cannot be read: {reason}").format(file=email, reason=error.strerror)) from None


async def _try(settings: Settings, raw: bytes, link: str | None) -> Trial:
    async with _any_store(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: _UPLOAD_LIMIT_BYTES)
        await resolve_known_rooms(ctx)
        return await try_email(ctx, raw, ctx.links.get(link) if link is not None else None)


@asynccontextmanager
async def _any_store(settings: Settings) -> AsyncIterator[Store]:
    """The store, which is only read; where there is none yet, an empty one that is gone afterwards."""
    url = make_url(config.store_url(settings.store))
    if url.drivername.startswith("sqlite") and not path_of(url).exists():
        out().print(Text(_("There is no store yet: conversations and duplicates are not known.")))
        async with empty_store() as empty:
            yield empty
    else:
        async with opened(settings) as store:
            yield store


def describe(trial: Trial) -> Iterator[Text]:
    """The lines to be printed."""
    if trial.unreadable:
        yield Text(
            _("It cannot be read: {reason}. It would be kept and set aside, and a human told.").format(
                reason=trial.unreadable
            )
        )
    elif trial.foreign:
        yield Text(
            _("It belongs to no link and is not written to the bridge: it would stay in the mailbox, untouched.")
        )
        yield Text(_("Is it a list's? Compare its List-Id and recipients with the file. Or name the link: --link LINK"))
    elif trial.link is None:
        yield Text(_("It is written to the bridge itself: it is private and never relayed."))
    else:
        yield _fact(_("Link"), trial.link.path)
        if trial.verdict is not None and trial.reading is not None:
            yield from _judged(trial, trial.verdict, trial.reading)


def _judged(trial: Trial, verdict: Verdict, reading: Reading) -> Iterator[Text]:
    yield _fact(_("Verdict"), _verdict(verdict))
    if trial.unconfirmed:
        yield Text(_("The link is not confirmed yet: until then no mail is relayed, and nothing is kept of it."))
    yield _fact(_("Author in the room"), trial.author)
    yield _fact(_("Subject"), reading.email.subject)
    if trial.joins is not None:
        yield _fact(_("Conversation"), _("joins “{subject}”").format(subject=trial.joins))
    else:
        yield _fact(_("Conversation"), _("begins a new one"))
    for attachment in reading.email.attachments:
        size = _("{name}, {type}, {size} bytes").format(
            name=attachment.filename, type=attachment.media_type, size=len(attachment.data)
        )
        yield _fact(_("Attachment"), size)
    for defect in reading.email.defects:
        yield _fact(_("Not right in the mail"), defect)
    yield from _section(_("What the room reads"), reading.text)
    yield from _section(_("What is left out, one click away"), reading.elided)
    for content in trial.contents:
        yield from _section(_("Event"), json.dumps(content.content, ensure_ascii=False, indent=2))


def _verdict(verdict: Verdict) -> str:
    words = {
        "accept": _("relayed to the room"),
        "discard": _("not relayed"),
        "reject": _("not relayed, and its author is told"),
        "hold": _("kept back until a human decides"),
    }
    return words[verdict.action] + (f" ({why_not_relayed(verdict.reason)})" if verdict.reason else "")


def _fact(name: str, value: str) -> Text:
    return Text.assemble((_("{name}:").format(name=name), "bold"), " ", value)


def _section(title: str, text: str) -> Iterator[Text]:
    if text.strip():
        yield Text()
        yield Text(title, style="bold")
        yield Text(text.rstrip("\n"))
