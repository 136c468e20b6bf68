"""The program `passerelle`: its commands, each in a module of its own, and the sentences of their help."""

import typer

from passerelle.cli.account import bilan
from passerelle.cli.archive import archive
from passerelle.cli.archive_export import export
from passerelle.cli.archive_import import import_
from passerelle.cli.archive_openings import openings
from passerelle.cli.archive_roster import forget_roster_of, roster
from passerelle.cli.archive_threads import attach, edits, split, undo
from passerelle.cli.backup import backup, restore
from passerelle.cli.check import check
from passerelle.cli.confirm import confirm
from passerelle.cli.console import Commands, example
from passerelle.cli.digests import digests
from passerelle.cli.fiches import fiches
from passerelle.cli.init import init
from passerelle.cli.meetings import meetings
from passerelle.cli.networks import networks
from passerelle.cli.now import now
from passerelle.cli.privacy import privacy
from passerelle.cli.queues import (
    list_arrivals,
    list_departures,
    retry_arrivals,
    retry_departures,
    show_arrival,
    show_departure,
)
from passerelle.cli.register import register
from passerelle.cli.register_show import show as show_entry
from passerelle.cli.reminders import reminders
from passerelle.cli.run import run
from passerelle.cli.status import status
from passerelle.cli.stop import stop
from passerelle.cli.trial import try_
from passerelle.cli.version import version
from passerelle.i18n import _

app = typer.Typer(
    name="passerelle",
    cls=Commands,
    help=_("One conversation out of a mailing list and a Matrix room."),
    epilog=example("passerelle init", "passerelle check", "passerelle run"),
    no_args_is_help=True,
    # A traceback with local variables would print passwords.
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    add_completion=False,
)

app.command(
    help=_("Ask a few questions and write a configuration with comments. Nothing is overwritten."),
    epilog=example(
        "passerelle init",
        "passerelle init --config /etc/passerelle/passerelle.toml",
        "passerelle init --non-interactive --answer address=passerelle@example.org --answer room=#bureau:example.org",
    ),
)(init)
app.command(
    help=_("Run the bridge until it is stopped."),
    epilog=example(
        "passerelle run --config /etc/passerelle/passerelle.toml",
        "passerelle run --config /etc/passerelle/passerelle.toml --dry-run",
    ),
)(run)
app.command(
    help=_("Look at everything the bridge needs: the file, the mailbox, the room. Say how to mend what is not right."),
    epilog=example(
        "passerelle check --config /etc/passerelle/passerelle.toml",
        "passerelle check --send-test --link epeule/bureau",
    ),
)(check)
app.command(
    help=_("Confirm that both sides were told of the bridge: the relay begins, or goes on after a stop."),
    epilog=example("passerelle confirm epeule/bureau", "passerelle confirm epeule/bureau --by Monique"),
)(confirm)
app.command(
    help=_("Stop a link, or all of them. What arrives is kept until `passerelle confirm`; nothing is lost."),
    epilog=example(
        "passerelle stop epeule/bureau --reason 'general assembly'",
        "passerelle stop --all",
    ),
)(stop)
app.command(
    help=_("Show how everything is and what to do. It ends with 1 where somebody has to do something."),
    epilog=example("passerelle status", "passerelle status --json", "passerelle status --seen"),
)(status)
app.command(
    help=_("Write the year's account: figures that one can check, without a name, for the meeting and for funders."),
    epilog=example(
        "passerelle bilan --year 2026",
        "passerelle bilan --year 2026 --format csv --out bilan",
        "passerelle bilan --from 2026-03-01 --to 2026-06-30 --tag jardin",
    ),
)(bilan)
app.command(
    "try",
    help=_("Say what would happen to a mail. Nothing is stored or sent."),
    epilog=example("passerelle try mail.eml", "passerelle try mail.eml --link epeule/bureau"),
)(try_)
app.command(
    help=_("Copy the store into a new file, while the daemon runs. PostgreSQL: use pg_dump."),
    epilog=example("passerelle backup /var/backups/passerelle-2026-11-12.db"),
)(backup)
app.command(
    help=_("Put a backup back. The daemon must be stopped. PostgreSQL: use pg_restore, then --mark."),
    epilog=example(
        "passerelle restore /var/backups/passerelle-2026-11-12.db --force",
        "passerelle restore --mark",
    ),
)(restore)
app.command(help=_("Show the versions of Passerelle and Python."), epilog=example("passerelle version"))(version)

inbox = typer.Typer(
    name="inbox",
    help=_("What arrived: what waits, what was set aside and why."),
    epilog=example("passerelle inbox list"),
    no_args_is_help=True,
)
inbox.command(
    "list",
    help=_("List what waits or was set aside, the newest last."),
    epilog=example("passerelle inbox list", "passerelle inbox list --state done --limit 20"),
)(list_arrivals)
inbox.command(
    "show",
    help=_("Explain one arrival: what it is, what was tried, what will happen, what you can do."),
    epilog=example("passerelle inbox show 12"),
)(show_arrival)
inbox.command(
    "retry",
    help=_("Have something that was set aside looked at again."),
    epilog=example("passerelle inbox retry 12", "passerelle inbox retry --all-failed"),
)(retry_arrivals)
outbox = typer.Typer(
    name="outbox",
    help=_("What leaves: what waits, what failed and why."),
    epilog=example("passerelle outbox list"),
    no_args_is_help=True,
)
outbox.command(
    "list",
    help=_("List what has not left, the newest last."),
    epilog=example("passerelle outbox list", "passerelle outbox list --state failed"),
)(list_departures)
outbox.command(
    "show",
    help=_("Explain one delivery: what it is, what was tried, what will happen, what you can do."),
    epilog=example("passerelle outbox show 34"),
)(show_departure)
outbox.command(
    "retry",
    help=_("Have something that failed sent again."),
    epilog=example(
        "passerelle outbox retry 34",
        "passerelle outbox retry --all-failed",
        "passerelle outbox retry 34 --even-if-unknown",
    ),
)(retry_departures)
archive.command(
    "export",
    help=_("Take the archive out: mails for other programs, JSON, and a folder that any browser reads."),
    epilog=example(
        "passerelle archive export epeule --to /media/usb/epeule-2026",
        "passerelle archive export epeule/bureau --to bureau --format mboxrd --since 2025-09-01",
    ),
)(export)
archive.command(
    "import",
    help=_("Bring in the past of a list, or of a room. Interrupted, it goes on where it was; nothing comes in twice."),
    epilog=example(
        "passerelle archive import epeule/bureau bureau.mbox",
        "passerelle archive import epeule/bureau /var/lib/sympa/arc/bureau@example.org --dry-run",
        "passerelle archive import epeule/bureau --side room",
    ),
)(import_)
archive.command(
    "roster",
    help=_("Say who is on a list: from then on the roster decides who may read, and who was taken off is out at once."),
    epilog=example(
        "passerelle archive roster epeule/bureau membres.csv --dry-run",
        "passerelle archive roster epeule/bureau --mailman http://restadmin@localhost:8001/3.1 --password-file secret",
    ),
)(roster)
archive.command(
    "forget-roster",
    help=_("Have no roster any more: who writes to the list takes part."),
    epilog=example("passerelle archive forget-roster epeule/bureau"),
)(forget_roster_of)
archive.command(
    "openings",
    help=_("Show what more than its participants can read, or soon will be able to."),
    epilog=example("passerelle archive openings"),
)(openings)
archive.command(
    "attach",
    help=_("Have a post answer another, with all that answers it; only the archive's conversations change."),
    epilog=example("passerelle archive attach 1234 1201 --by Monique", "passerelle archive attach abcdefgh2345 1201"),
)(attach)
archive.command(
    "split",
    help=_("Have a post begin a conversation of its own, with all that answers it."),
    epilog=example("passerelle archive split 1234 --by Monique"),
)(split)
archive.command(
    "edits",
    help=_("List what was changed in conversations by hand, the newest first."),
    epilog=example("passerelle archive edits"),
)(edits)
archive.command(
    "undo",
    help=_("Undo one such change: the post stands where it would without it."),
    epilog=example("passerelle archive undo 3 --by Monique"),
)(undo)
register.command(
    "show",
    help=_("Show one entry: what it says, what became of it, who objects, where it was said."),
    epilog=example("passerelle register show 7", "passerelle register show 7 --json"),
)(show_entry)
app.command(
    help=_("Write the one page of the association on a sheet for its notice board: dates, decisions, who does what."),
    epilog=example("passerelle now --pdf affiche.pdf", "passerelle now --pdf affiche.pdf --link bureau"),
)(now)
app.add_typer(archive)
app.add_typer(inbox)
app.add_typer(outbox)
app.add_typer(privacy)
app.add_typer(register)
app.add_typer(meetings)
app.add_typer(reminders)
app.add_typer(digests)
app.add_typer(fiches)
app.add_typer(networks)


def main() -> None:
    """The entry point of the installed program."""
    app()
