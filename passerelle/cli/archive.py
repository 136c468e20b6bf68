"""`passerelle archive`: searching, and building anew what can be built anew."""

import typer

from passerelle.cli.console import example
from passerelle.i18n import _

#: Further commands are registered by the modules `cli/archive_*.py`, in `cli/__init__.py`.
archive = typer.Typer(
    name="archive",
    help=_("What was said on either side: search it, bring it in, take it out."),
    epilog=example("passerelle archive search 'fête de quartier' --association epeule"),
    no_args_is_help=True,
)
