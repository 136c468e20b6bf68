"""The program `passerelle`: its commands, each in a module of its own, and the sentences of their help."""

import typer

from passerelle.cli.check import check
from passerelle.cli.confirm import confirm
from passerelle.cli.console import Commands, example
from passerelle.cli.init import init
from passerelle.cli.run import run
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
app.command(help=_("Show the versions of Passerelle and Python."), epilog=example("passerelle version"))(version)


def main() -> None:
    """The entry point of the installed program."""
    app()
