"""`passerelle version`: what to say in a report of a fault."""

import platform
from importlib import metadata

from passerelle.cli.console import out


def version() -> None:
    out().print(f"Passerelle {metadata.version('passerelle')}, Python {platform.python_version()}")
