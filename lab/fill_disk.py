"""A store whose disk is full, without harm to the machine's own disk.

Two ways, because no one of them is there everywhere:

- :class:`SmallDisk` mounts a file system of a few MB in memory (as root with the right to mount): writing fails with
  ENOSPC, as on a disk that is really full.
- :func:`forbid_growth` takes from one running process the right to make files longer than they may be (RLIMIT_FSIZE,
  no root needed for one's own processes): writing fails with EFBIG, which SQLite reports as a disk I/O error. It also
  stops a log file from growing, so give such a process its log on a pipe or keep the limit above the log's size.
"""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lab.process import LabError, Server
from lab.system import is_root


def mount_unavailable() -> str:
    """Return why :class:`SmallDisk` cannot work here, empty when it can."""
    if not is_root():
        return "mounting a small disk needs root"
    with tempfile.TemporaryDirectory() as folder:
        mounted = _mount(Path(folder), 1)
        if mounted:
            _unmount(Path(folder))
    return "" if mounted else "this machine lets nobody mount"


def _mount(folder: Path, megabytes: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "passerelle-lab", str(folder)]
    return subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0


def _unmount(folder: Path) -> None:
    # Lazily: a process that still has a file open there must not keep the mount.
    subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, stdin=subprocess.DEVNULL)


class SmallDisk(Server):
    """A disk of ``megabytes`` at ``path``, that can be filled and freed while a process writes to it."""

    def __init__(self, *, megabytes: int = 8) -> None:
        self.path = Path(tempfile.gettempdir())
        self._megabytes = megabytes
        self._mounted = False

    def start(self) -> None:
        """Mount it."""
        if reason := mount_unavailable():
            raise LabError(reason)
        self.path = Path(tempfile.mkdtemp(prefix="passerelle-small-disk-"))
        self._mounted = _mount(self.path, self._megabytes)

    def stop(self) -> None:
        """Unmount it; what was on it is gone."""
        if self._mounted:
            _unmount(self.path)
            self._mounted = False
            shutil.rmtree(self.path, ignore_errors=True)

    @property
    def _ballast(self) -> Path:
        return self.path / ".ballast"

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Take all the space there is, but ``leave_bytes``."""
        free = shutil.disk_usage(self.path).free - leave_bytes
        with self._ballast.open("ab") as ballast:
            if free > 0:
                os.posix_fallocate(ballast.fileno(), ballast.seek(0, os.SEEK_END), free)

    def free(self) -> None:
        """Give back what :meth:`fill` took."""
        self._ballast.unlink(missing_ok=True)


@contextlib.contextmanager
def forbid_growth(pid: int, *, limit_bytes: int) -> Iterator[None]:
    """Within the block, the process cannot write past ``limit_bytes`` of any file; then as before."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
