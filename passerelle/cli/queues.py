"""`passerelle inbox` and `passerelle outbox`: what waits, what failed and why, and trying it again."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from passerelle import queue_words as words
from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, err, load, out, tables
from passerelle.cli.opened import moment_in, now, opened
from passerelle.core.ids import InboxId, OutboxId
from passerelle.core.model import InboxState, OutboxState
from passerelle.core.settings import Settings
from passerelle.flows.retry import Retried, retry_arrival, retry_delivery
from passerelle.i18n import _
from passerelle.store.engine import Store
from passerelle.store.inbox import get_inbox, list_inbox
from passerelle.store.outbox import get_outbox, list_outbox

#: More than anyone retries by hand.
_MANY = 100_000


class InboxFilter(StrEnum):
    """What `--state` takes; `care` is what waits or was set aside."""

    CARE = "care"
    WAITING = "waiting"
    SET_ASIDE = "set_aside"
    DONE = "done"
    ALL = "all"


class OutboxFilter(StrEnum):
    """What `--state` takes; `care` is what has not left."""

    CARE = "care"
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    ALL = "all"


_ARRIVALS: dict[InboxFilter, tuple[InboxState | None, ...]] = {
    InboxFilter.CARE: ("waiting", "set_aside"),
    InboxFilter.WAITING: ("waiting",),
    InboxFilter.SET_ASIDE: ("set_aside",),
    InboxFilter.DONE: ("done",),
    InboxFilter.ALL: (None,),
}
_DEPARTURES: dict[OutboxFilter, tuple[OutboxState | None, ...]] = {
    OutboxFilter.CARE: ("waiting", "sending", "failed", "unknown"),
    OutboxFilter.WAITING: ("waiting",),
    OutboxFilter.SENDING: ("sending",),
    OutboxFilter.SENT: ("sent",),
    OutboxFilter.FAILED: ("failed",),
    OutboxFilter.UNKNOWN: ("unknown",),
    OutboxFilter.CANCELLED: ("cancelled",),
    OutboxFilter.ALL: (None,),
}

LimitOption = Annotated[int, typer.Option("--limit", min=1, help=_("At most so many, the newest."))]
IdArgument = Annotated[int, typer.Argument(metavar="ID", help=_("The number that `list` shows."))]
SomeId = Annotated[int | None, typer.Argument(metavar="ID", help=_("The number that `list` shows."))]


def list_arrivals(
    file: ConfigOption = DEFAULT_CONFIG,
    state: Annotated[
        InboxFilter, typer.Option("--state", help=_("Which: care is what waits or was set aside."))
    ] = InboxFilter.CARE,
    limit: LimitOption = 50,
) -> None:
    settings = load(file)

    async def read() -> list[list[str]]:
        async with opened(settings) as store, store.read() as conn:
            rows = [row for one in _ARRIVALS[state] for row in await list_inbox(conn, state=one, limit=limit)]
        moment = moment_of(settings)
        rows = sorted(rows, key=lambda row: row.id)[-limit:]
        return [
            [
                str(row.id),
                moment(row.received_at),
                words.inbox_what(row),
                words.where_from(row),
                words.inbox_state(row),
                words.why_not_relayed(row.reason),
            ]
            for row in rows
        ]

    heads = [_("No."), _("Arrived"), _("What"), _("Link"), _("State"), _("Why")]
    _print_table(heads, asyncio.run(read()))


def list_departures(
    file: ConfigOption = DEFAULT_CONFIG,
    state: Annotated[
        OutboxFilter, typer.Option("--state", help=_("Which: care is all that has not left."))
    ] = OutboxFilter.CARE,
    limit: LimitOption = 50,
) -> None:
    settings = load(file)

    async def read() -> list[list[str]]:
        async with opened(settings) as store, store.read() as conn:
            rows = [row for one in _DEPARTURES[state] for row in await list_outbox(conn, state=one, limit=limit)]
        moment = moment_of(settings)
        rows = sorted(rows, key=lambda row: row.id)[-limit:]
        return [
            [
                str(row.id),
                moment(row.created_at),
                words.outbox_what(row),
                words.outbox_target(row),
                words.outbox_state(row),
                words.error_of(row),
            ]
            for row in rows
        ]

    heads = [_("No."), _("Made"), _("What"), _("For"), _("State"), _("What went wrong")]
    _print_table(heads, asyncio.run(read()))


def show_arrival(id: IdArgument, file: ConfigOption = DEFAULT_CONFIG) -> None:
    settings = load(file)

    async def read() -> list[str]:
        async with opened(settings) as store, store.read() as conn:
            return words.explain_arrival(await get_inbox(conn, InboxId(id)), moment_of(settings))

    _print_story(asyncio.run(read()))


def show_departure(id: IdArgument, file: ConfigOption = DEFAULT_CONFIG) -> None:
    settings = load(file)

    async def read() -> list[str]:
        async with opened(settings) as store, store.read() as conn:
            return words.explain_delivery(await get_outbox(conn, OutboxId(id)), moment_of(settings))

    _print_story(asyncio.run(read()))


def retry_arrivals(
    id: SomeId = None,
    file: ConfigOption = DEFAULT_CONFIG,
    all_failed: Annotated[bool, typer.Option("--all-failed", help=_("Everything that was set aside."))] = False,
) -> None:
    settings = load(file)

    async def ids(store: Store) -> Sequence[int]:
        async with store.read() as conn:
            return [row.id for row in await list_inbox(conn, state="set_aside", limit=_MANY)]

    async def one(store: Store, which: int) -> Retried:
        return await retry_arrival(store, InboxId(which), now())

    _retry(settings, id, all_failed, ids, one)


def retry_departures(
    id: SomeId = None,
    file: ConfigOption = DEFAULT_CONFIG,
    all_failed: Annotated[bool, typer.Option("--all-failed", help=_("Everything that failed."))] = False,
    even_if_unknown: Annotated[
        bool, typer.Option("--even-if-unknown", help=_("Also where it may have arrived: it may then arrive twice."))
    ] = False,
) -> None:
    settings = load(file)

    async def ids(store: Store) -> Sequence[int]:
        async with store.read() as conn:
            return [row.id for row in await list_outbox(conn, state="failed", limit=_MANY)]

    async def one(store: Store, which: int) -> Retried:
        return await retry_delivery(store, OutboxId(which), now(), even_if_unknown=even_if_unknown)

    _retry(settings, id, all_failed, ids, one)


def moment_of(settings: Settings) -> words.Moment:
    """Says instants as the clocks of the first association show them."""
    return moment_in(settings.associations[0].zone())


def _retry(
    settings: Settings,
    id: int | None,
    all_failed: bool,
    ids: Callable[[Store], Awaitable[Sequence[int]]],
    one: Callable[[Store, int], Awaitable[Retried]],
) -> None:
    if (id is None) != all_failed:
        raise typer.BadParameter(_("give either a number or --all-failed"))

    async def run() -> list[Retried]:
        async with opened(settings) as store:
            chosen = await ids(store) if id is None else [id]
            return [await one(store, which) for which in chosen]

    _say_retried(asyncio.run(run()))


def _say_retried(outcomes: Sequence[Retried]) -> None:
    said = {
        "due": _("Tried again from now on: {count}. The daemon does it within seconds, where it runs."),
        "over": _("Left as it is, because it is over or on its way: {count}."),
        "gone": _("Cannot be tried again, because nothing of it was kept: {count}."),
        "unknown": _("Not sent again, because it may have arrived: {count}. Look first; then add --even-if-unknown."),
    }
    if not outcomes:
        out().print(_("There is nothing to try again."))
    for outcome, sentence in said.items():
        count = sum(1 for one in outcomes if one == outcome)
        if count:
            console = out() if outcome == "due" else err()
            console.print(Text(sentence.format(count=count)))
    if any(outcome != "due" for outcome in outcomes):
        raise typer.Exit(PROBLEM)


def _print_table(heads: Iterable[str], rows: Sequence[Sequence[str]]) -> None:
    if not rows:
        out().print(_("There is nothing here."))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        # As text: what stands in brackets in it is no markup.
        table.add_row(*(Text(cell) for cell in row))
    tables().print(table)


def _print_story(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        out().print(Text(sentence))
