"""`passerelle run`: the daemon."""

import asyncio
import sys
from typing import Annotated

import typer

from passerelle import config, logs
from passerelle.cli.console import DEFAULT_CONFIG, ConfigOption, load
from passerelle.i18n import _


def run(
    file: ConfigOption = DEFAULT_CONFIG,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Take in and decide, but send nothing; say what would be sent."))
    ] = False,
) -> None:
    settings = load(file)
    logs.configure(settings.log, secrets=config.read_secrets(settings))
    # Late, so that every other command starts quickly.
    from passerelle import daemon

    if dry_run:
        # They would say that something was sent.
        logs.cap("passerelle.delivery_emails")
        logs.cap("passerelle.delivery_events")
    asyncio.run(daemon.run(settings, dry_run=_say if dry_run else None))


def _say(sentence: str) -> None:
    # At once, also into a pipe.
    typer.echo(sentence)
    sys.stdout.flush()
