"""`passerelle check`: looks at everything that the bridge needs, and says how to mend what is not right."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from passerelle.check import Finding, Mark, take
from passerelle.check_plan import CheckPlan, planned_steps
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out
from passerelle.cli.opened import opened
from passerelle.core.ids import MessageId
from passerelle.core.settings import Settings
from passerelle.errors import StoreError
from passerelle.flows.marks import MARK_FIELD, mark_of
from passerelle.i18n import _
from passerelle.wiring import build_context

#: The mark says it too, for who sees no colours.
_MARKS = {Mark.OK: ("✓", "green"), Mark.WARNING: ("!", "yellow"), Mark.PROBLEM: ("✗", "red")}


def check(
    file: ConfigOption = DEFAULT_CONFIG,
    send_test: Annotated[
        bool,
        typer.Option(
            "--send-test",
            help=_("Also send one test mail to each list, which every member gets, and wait for what comes of it."),
        ),
    ] = False,
    link: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="LINK", help=_("Look at this link only, as ASSOCIATION/LINK; may be repeated.")),
    ] = None,
) -> None:
    settings = load(file)
    wanted = _links(settings, link or [])
    plan = CheckPlan(settings=settings, file=file, send_test=send_test, links=wanted)
    counted = asyncio.run(_report(plan))
    _conclude(counted)
    if counted[Mark.PROBLEM]:
        raise typer.Exit(PROBLEM)


def _links(settings: Settings, given: list[str]) -> frozenset[str]:
    there = [f"{a.name}/{link.name}" for a in settings.associations for link in a.links]
    for path in given:
        if path not in there:
            raise typer.BadParameter(
                _("there is no link {link}; there are {links}").format(link=path, links=", ".join(there))
            )
    return frozenset(given or there)


async def _report(plan: CheckPlan) -> Counter[Mark]:
    """Take the steps one after the other, and tell of each as soon as it is known."""
    if plan.send_test:
        plan = replace(plan, mark=await _mark(plan.settings))
    console, progress = out(), err()
    counted: Counter[Mark] = Counter()
    async with planned_steps(plan) as steps:
        for step in steps:
            # Without a terminal a turning sign would fill a log.
            with progress.status(Text(step.name)) if progress.is_terminal else nullcontext():
                findings = await take(step)
            console.print(Text(step.name, style="bold"))
            for finding in findings:
                _print(console, finding)
                counted[finding.mark] += 1
    return counted


async def _mark(settings: Settings) -> Callable[[str, MessageId], tuple[str, str]] | None:
    """Our mark for a test mail, so that a daemon on this store knows it as its own; None where there is no store."""
    try:
        async with opened(settings) as store:
            ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
    except StoreError:
        return None
    return lambda link, message_id: (MARK_FIELD, mark_of(ctx, ctx.links.get(link), message_id))


def _print(console: Console, finding: Finding) -> None:
    sign, style = _MARKS[finding.mark]
    console.print(Text.assemble("  ", (sign, style), " ", finding.sentence))
    if finding.mend:
        console.print(Text(f"    → {finding.mend}"))


def _conclude(counted: Counter[Mark]) -> None:
    if counted[Mark.PROBLEM]:
        sentence = _("Problems: {problems}. Mend them, then run this command again.").format(
            problems=counted[Mark.PROBLEM]
        )
    elif counted[Mark.WARNING]:
        sentence = _("It works; warnings: {warnings}.").format(warnings=counted[Mark.WARNING])
    else:
        sentence = _("All is well.")
    out().print(Text(sentence, style="bold"))
