"""What servers of the operating system need: folders that their own users can reach, and those users."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from lab.process import LabError


def is_root() -> bool:
    """Return whether this process may become other users."""
    return os.geteuid() == 0


def reachable_folder(purpose: str) -> Path:
    """Make a folder that other users can enter (pytest's are closed to them); the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix=f"passerelle-{purpose}-"))
    folder.chmod(0o755)
    return folder


def as_user(user: str) -> list[str]:
    """Return the words before a command that make it run as ``user``."""
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--"]


def missing_programs(*programs: str) -> str:
    """Return a sentence that names the programs that are not installed, empty when all are."""
    missing = [name for name in programs if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


def require(reason: str) -> None:
    """Stop here when there is a reason why a server cannot be started.

    :raises LabError: with that reason.
    """
    if reason:
        raise LabError(reason)
