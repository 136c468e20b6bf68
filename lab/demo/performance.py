"""One whole demonstration: servers, association, daemon, conversation, and then the checks or the stay."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lab.association import Association, found_association
from lab.daemon import Daemon, write_configuration
from lab.demo import script
from lab.demo.archive import CHROMIUM, Archive, Visit, draw_pages
from lab.demo.checks import check
from lab.demo.conversation import Scene, nothing_comes_twice, play
from lab.demo.digest import digest_section, play_digest
from lab.demo.display import WIDEST, Stage, render_email, render_item, render_sides
from lab.demo.drawings import draw_poster, draw_tables
from lab.demo.meeting import play_meeting
from lab.demo.picture import draw_meeting, draw_picture
from lab.demo.record import Record, write_record
from lab.demo.results import Result
from lab.demo.servers import AUTHSERV_ID, StartingTown, start_shown, starting
from lab.demo.sides import Sides, sha256
from lab.demo.typography import unbroken
from lab.demo.watch import Watch
from lab.demo.where_to_look import show_where_to_look
from lab.matrix_client import ChatMember
from lab.ports import LOOPBACK, free_port
from passerelle.config import load
from passerelle.core.wording import french_spaces

FAILED_CHECK = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    once: bool
    state: Path
    picture: Path | None


async def perform(console: Console, wishes: Wishes) -> int:
    """Play it all; return the exit code. Whatever happens, no server is left.

    :raises lab.process.LabError: when a server does not start, or something does not arrive.
    """
    began = time.monotonic()
    console.print()
    console.print(Text(f"Passerelle · {script.PLAN.name}", style="bold"))
    console.print(
        french_spaces("Par courriel : Monique (coordinatrice), Paul et Annie (une adresse pour deux)."), highlight=False
    )
    console.print("Dans le salon\u00a0: Léa, Karim et Inès.", highlight=False)
    console.print()
    console.print(french_spaces("De vrais serveurs démarrent sur cette machine, pour elle seule :"), highlight=False)
    async with AsyncExitStack() as stack:
        town = await stack.enter_async_context(StartingTown(wishes.state, console))
        with console.status("L’association, sa liste, ses boîtes, son salon…"):
            association = await _found(town)
        daemon = Daemon(_configure(wishes.state, association))
        stack.push_async_callback(asyncio.to_thread, daemon.stop)
        with starting(console) as progress:
            await asyncio.to_thread(start_shown, progress, "Passerelle, le démon (passerelle run)", daemon)
        chatting = {name: await stack.enter_async_context(association.chat(name)) for name in association.chat_accounts}
        watch = Watch(association, chatting[script.LEA], mailbox_of=script.MONIQUE)
        stage = Stage(console, watch)
        async with watch.running():
            scene = Scene(association=association, daemon=daemon, chatting=chatting, watch=watch, stage=stage)
            await play(scene)
            await play_meeting(scene)
            archive = _archive_of(association, daemon)
            await play_digest(scene, page_url=f"{archive.url}now")
            await nothing_comes_twice(scene)
        if wishes.picture is not None:
            draw_picture(stage.seen, wishes.picture)
            draw_meeting(stage.seen, wishes.picture.with_name(f"meeting-{wishes.picture.name}"))
            await _draw_archive(archive, wishes.picture)
        if not wishes.once:
            show_where_to_look(
                console, association, town, daemon, way_in=await archive.ask_for_link(), pages=archive.url
            )
            await _stay(console, watch)
            return 0
        with console.status("Monique ouvre les archives, lit et cherche…"):
            visit = await archive.visit()
        # Nothing new leaves from here on; what Mailman still holds arrives.
        await asyncio.to_thread(daemon.stop)
        await asyncio.to_thread(town.mailman.wait_idle)
        record = _record(await watch.read_all(), association, daemon, visit)
        write_record(record, wishes.state / "sides.json")
    results = check(record)
    show_results(console, results, seconds=time.monotonic() - began)
    return 0 if all(result.holds for result in results) else FAILED_CHECK


async def _draw_archive(archive: Archive, picture: Path) -> None:
    """Beside the picture of the conversation, one of the archive, where there is a browser to take it."""
    if CHROMIUM.exists():
        link = await archive.ask_for_link()
        await asyncio.to_thread(draw_pages, link, archive.url, picture.with_name("archive.png"))


async def _found(town: StartingTown) -> Association:
    association = await found_association(town, script.PLAN)
    async with ChatMember(association.bot) as bot:
        await bot.set_display_name("Passerelle")
    return association


def _configure(state: Path, association: Association) -> Path:
    port = free_port()
    return write_configuration(
        state / "daemon",
        association,
        link={"quiet_minutes": round(script.QUIET_SECONDS / 60, 4)},
        sections={**script.SECTIONS, "digests": digest_section(datetime.now(UTC))},
        authserv_id=AUTHSERV_ID,
        extra=f'[web]\nport = {port}\nurl = "http://{LOOPBACK}:{port}"\nbehind_proxy = false\n',
    )


def _archive_of(association: Association, daemon: Daemon) -> Archive:
    settings = load(daemon.configuration)
    assert settings.web is not None
    return Archive(f"{settings.web.url}/epeule/", association.mail_members[script.MONIQUE].mailbox)


def _record(sides: Sides, association: Association, daemon: Daemon, visit: Visit) -> Record:
    log = daemon.log.read_text(errors="replace").splitlines()
    members = [member.address for member in association.mail_members.values()]
    return Record(
        sides=sides,
        sent_files={script.POSTER_NAME: sha256(draw_poster()), script.TABLES_NAME: sha256(draw_tables())},
        bridge_user_id=association.bot.user_id,
        addresses=(*members, association.bridge_mailbox.address, association.mlist.address),
        member_addresses={name: member.address for name, member in association.mail_members.items()},
        list_address=association.mlist.address,
        visit=visit,
        complaints=tuple(line for line in log if {"WARNING", "ERROR", "CRITICAL"} & set(line.split()[1:2])),
    )


async def _stay(console: Console, watch: Watch) -> None:
    """Show whatever comes to either side, until stopped."""
    console.print()
    console.print(
        french_spaces("Tout reste en marche. Écrivez d'un côté : l'autre s'affiche ici. Ctrl-C arrête tout."),
        style="bold",
        highlight=False,
    )
    try:
        async with watch.running():
            await _show_what_comes(console, watch)
    except asyncio.CancelledError:
        # Here being stopped is the ordinary end.
        if task := asyncio.current_task():
            task.uncancel()


async def _show_what_comes(console: Console, watch: Watch) -> None:
    emails, room = set(watch.emails), set(watch.room)
    while True:
        await asyncio.sleep(0.5)
        new_emails = [email for email in watch.emails if email not in emails]
        new_items = [item for item in watch.room if item not in room]
        emails.update(new_emails)
        room.update(new_items)
        if new_emails or new_items:
            left = [render_email(email) for email in new_emails]
            right = [render_item(item, watch.room) for item in new_items]
            console.print(render_sides(left, right, width=console.width))


def show_results(console: Console, results: tuple[Result, ...], *, seconds: float) -> None:
    """Print the table of checks, and whether all hold."""
    table = Table(box=box.SIMPLE_HEAD, width=min(console.width, WIDEST), show_edge=False)
    table.add_column("", width=3)
    table.add_column("Vérifié des deux côtés", overflow="fold", ratio=1)
    table.add_column("Vu", overflow="fold", max_width=30)
    for result in results:
        mark = Text("✓", style="bold green") if result.holds else Text("✗", style="bold red")
        what = Text(result.what, style="" if result.holds else "bold red")
        table.add_row(mark, unbroken(what), unbroken(Text(result.seen)))
    console.print()
    console.print(table)
    broken = sum(not result.holds for result in results)
    told = f"{seconds:.0f}\u00a0s en tout."
    if broken:
        console.print(f"[bold red]Pas juste\u00a0: {broken} sur {len(results)}.[/] {told}", highlight=False)
    else:
        console.print(
            f"[bold green]Tout est juste\u00a0: {len(results)} sur {len(results)}.[/] {told}", highlight=False
        )
