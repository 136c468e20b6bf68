"""`passerelle digest`: what a person's digest would tell, who gets one and when, and one that leaves now."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from passerelle.cli.console import DEFAULT_CONFIG, PROBLEM, ConfigOption, chosen_association, example, load, out, tables
from passerelle.cli.known import known_person
from passerelle.cli.opened import moment_in, opened
from passerelle.core.catch_up_since import parse_since
from passerelle.core.digest_model import Subscription
from passerelle.core.ids import AssociationName
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.errors import CommandProblem
from passerelle.flows.catch_up import make_catch_up, nothing_new
from passerelle.flows.context import FlowContext
from passerelle.flows.digest_make import MadeDigest, make_digest, variables_of
from passerelle.flows.digest_send import send_digests
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.i18n import N_, _
from passerelle.store.digests import find_subscription, list_subscriptions, put_subscription
from passerelle.store.privacy import find_known_person
from passerelle.wiring import build_context, resolve_known_rooms

digests = typer.Typer(
    name="digest",
    help=_("Digests: what needs care, for coordinators each week, for members as they wish."),
    epilog=example("passerelle digest list", "passerelle digest preview monique@example.org"),
    no_args_is_help=True,
)
_RHYTHMS = {
    "daily": N_("each day"), "days": N_("chosen days"), "weekly": N_("each week"), "fortnightly": N_("each fortnight"),
    "monthly": N_("each month"), "off": N_("none"),
}  # fmt: skip
_MEDIA = {"mail": N_("email"), "room": N_("room")}

PersonArgument = Annotated[str, typer.Argument(metavar="PERSON", help=_("Name, mail address or Matrix user ID."))]
AssociationOption = Annotated[
    str | None, typer.Option("--association", help=_("Whose association; needed where there are several."))
]


class Form(StrEnum):
    """What `--form` takes."""

    TEXT = "text"
    HTML = "html"
    ROOM = "room"


@digests.command(
    "preview",
    help=_("Show what a person's digest would tell now. Nothing is sent, and nothing noted."),
    epilog=example(
        "passerelle digest preview monique@example.org",
        "passerelle digest preview Monique --days 30 --form html",
    ),
)
def preview(
    person: PersonArgument,
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help=_("How many days it tells of."))] = 7,
    form: Annotated[Form, typer.Option("--form", help=_("As a mail's text, its HTML, or in the room."))] = Form.TEXT,
) -> None:
    settings = load(file)
    made = asyncio.run(_preview(settings, chosen_association(settings, association), person, days, form))
    if made is None:
        out().print(_("This person reads nothing here."))
        raise typer.Exit(PROBLEM)
    typer.echo(made or _("There is nothing to say: nothing would be sent."))


async def _preview(settings: Settings, association: AssociationSettings, who: str, days: int, form: Form) -> str | None:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        person, until = await known_person(ctx, association, who), ctx.now()
        async with store.read() as conn:
            subscription = await find_subscription(conn, AssociationName(association.name), person.id)
            made = await make_digest(
                ctx, conn, AssociationName(association.name), person.id,
                kind=subscription.kind if subscription is not None else "member",
                since=until - timedelta(days=days), until=until,
            )  # fmt: skip
    if made is None:
        return None
    return "" if made.chosen.is_empty else _rendered(ctx, made, form)


@digests.command(
    "catch-up",
    help=_("Show what a person would be told who asks what they missed. Nothing is sent, and nothing noted."),
    epilog=example(
        "passerelle digest catch-up monique@example.org",
        "passerelle digest catch-up Monique --since '3 mars' --form room",
    ),
)
def catch_up(
    person: PersonArgument,
    file: ConfigOption = DEFAULT_CONFIG,
    association: AssociationOption = None,
    since: Annotated[
        str, typer.Option("--since", help=_("As people say it: a day, « le début »; else since their last digest."))
    ] = "",
    form: Annotated[Form, typer.Option("--form", help=_("As a mail's text, its HTML, or in the room."))] = Form.TEXT,
) -> None:
    settings = load(file)
    told = asyncio.run(_catch_up(settings, chosen_association(settings, association), person, since, form))
    if told is None:
        out().print(_("This person reads nothing here."))
        raise typer.Exit(PROBLEM)
    typer.echo(told)


async def _catch_up(
    settings: Settings, association: AssociationSettings, who: str, since: str, form: Form
) -> str | None:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        words = ctx.renderer(association).words
        try:
            begins = parse_since(since, now=ctx.now(), zone=association.zone())
        except CommandProblem as problem:
            raise typer.BadParameter(words(f"command_wrong_{problem.kind}", **problem.values)) from problem
        person, name = await known_person(ctx, association, who), AssociationName(association.name)
        async with store.read() as conn:
            made = await make_catch_up(ctx, conn, name, person.id, since=begins)
    if made is None:
        return None
    return nothing_new(made, words) if made.chosen.is_empty else _rendered(ctx, made, form)


def _rendered(ctx: FlowContext, made: MadeDigest, form: Form) -> str:
    renderer, values = ctx.renderer(made.association), variables_of(ctx, made) | {"association": made.association}
    template = "catch_up" if made.kind == "catch_up" else "digest"
    if form is Form.ROOM:
        return renderer.render(f"room/{template}", **values).strip()
    letter = renderer.letter(f"mail/{template}", **values)
    if form is Form.HTML:
        return renderer.letter_html(f"mail/{template}", subject=letter.subject, **values) or ""
    return f"{letter.subject}\n\n{letter.text}"


@digests.command(
    "list",
    help=_("List who gets a digest, how often, and when the next is due."),
    epilog=example("passerelle digest list"),
)
def list_(file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None) -> None:
    settings = load(file)
    chosen = chosen_association(settings, association)
    found = asyncio.run(_list(settings, chosen))
    if not found:
        out().print(_("Nobody gets a digest."))
        return
    moment = moment_in(chosen.zone())
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (_("Who"), _("How often"), _("By"), _("Next")):
        table.add_column(head, overflow="fold")
    for name, one in found:
        next_at = moment(one.next_at) if one.next_at is not None else "–"
        table.add_row(*map(Text, (name or "–", _(_RHYTHMS[one.rhythm]), _(_MEDIA[one.medium]), next_at)))
    tables().print(table)


async def _list(settings: Settings, association: AssociationSettings) -> Sequence[tuple[str, Subscription]]:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        # As the daemon does when it starts: the configuration may be newer.
        await subscribe_coordinators(ctx, configured_digests(ctx, settings))
        async with store.read() as conn:
            found = await list_subscriptions(conn, AssociationName(association.name))
            people = [await find_known_person(conn, one.person_id) for one in found]
    return [(person.name if person is not None else "", one) for person, one in zip(people, found, strict=True)]


@digests.command(
    "send",
    help=_("Have a person's digest leave now, instead of at its time. The next one comes as it would have."),
    epilog=example("passerelle digest send monique@example.org"),
)
def send(person: PersonArgument, file: ConfigOption = DEFAULT_CONFIG, association: AssociationOption = None) -> None:
    settings = load(file)
    told = asyncio.run(_send(settings, chosen_association(settings, association), person))
    out().print(Text(told))


async def _send(settings: Settings, association: AssociationSettings, who: str) -> str:
    async with opened(settings) as store:
        ctx = build_context(settings, store, upload_limit_bytes=lambda: 0)
        await resolve_known_rooms(ctx)
        await subscribe_coordinators(ctx, configured_digests(ctx, settings))
        person, name = await known_person(ctx, association, who), AssociationName(association.name)
        async with store.write() as conn:
            before = await find_subscription(conn, name, person.id)
            if before is None or before.rhythm == "off":
                return _("This person wants no digest.")
            await put_subscription(conn, replace(before, next_at=ctx.now(), paused_until=None))
        if await send_digests(ctx):
            return _("It is on its way.")
        async with store.read() as conn:
            after = await find_subscription(conn, name, person.id)
    if after is not None and after.told_until == before.told_until:
        return _("These are quiet hours: it leaves when they are over.")
    return _("There is nothing to say: nothing is sent.")
