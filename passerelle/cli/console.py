"""What every command shares: where it writes, how it ends, how it reads the configuration.

Exit codes: 0 all is well, 1 there is a problem (it is said), 2 the command was not understood.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from passerelle import config
from passerelle.core.settings import AssociationSettings, Settings
from passerelle.errors import PasserelleError
from passerelle.i18n import _

PROBLEM = 1

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        envvar="PASSERELLE_CONFIG",
        help=_("The configuration file."),
        show_default=True,
    ),
]
DEFAULT_CONFIG = Path("passerelle.toml")


def out() -> Console:
    """Where results go. Made anew each time, so that it is the stdout of now."""
    return Console(highlight=False, soft_wrap=True)


def tables() -> Console:
    """Where tables go: a terminal's width, or as much as they need in a file or a pipe."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=240)


def err() -> Console:
    """Where problems and progress go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def load(path: Path) -> Settings:
    """The settings of a command. Raises ConfigError, which `Commands` tells."""
    return config.load(path)


def chosen_association(settings: Settings, name: str | None) -> AssociationSettings:
    """The association of that name, or the only one. Raises typer.BadParameter."""
    chosen = [one for one in settings.associations if name in (None, one.name)]
    if not chosen:
        raise typer.BadParameter(_("there is no association of this name"))
    if len(chosen) > 1:
        raise typer.BadParameter(_("there are several associations: say which, with --association"))
    return chosen[0]


def tell_problem(error: PasserelleError) -> None:
    # As text: what stands in brackets in it is no markup.
    err().print(Text(str(error)))


class Commands(TyperGroup):
    """Ends a command with a sentence and code 1 where Passerelle itself says what is wrong."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PasserelleError as error:
            tell_problem(error)
            raise typer.Exit(PROBLEM) from None


def example(*lines: str) -> str:
    """The end of a command's help: what to type. A paragraph each, since Typer joins lines."""
    return "\n\n".join([_("Examples:"), *(f"$ {line}" for line in lines)])
