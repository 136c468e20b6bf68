"""A throw-away PostgreSQL, where the system has one (Debian's package postgresql); never the system's own cluster."""

from __future__ import annotations

import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from lab.ports import LOOPBACK, free_port
from lab.process import Server, ServerProcess
from lab.system import as_user, is_root, missing_programs, reachable_folder, require

USER = "passerelle"
_SYSTEM_USER = "postgres"


def _binaries() -> Path | None:
    """Return the folder of the newest version's programs: Debian keeps them out of the PATH."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if found:
        return max(found, key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).parent if on_path else None


def unavailable() -> str:
    """Return why no PostgreSQL can be started here, empty when one can."""
    if _binaries() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    return missing_programs("setpriv") if is_root() else ""


class Postgres(Server):
    """One cluster in a folder of its own, on loopback, without passwords; removed when stopped."""

    def __init__(self, log: Path, *, durable: bool = False) -> None:
        """Prepare; ``durable`` leaves fsync on, as where figures of speed are to mean something."""
        self.port = free_port()
        self._log = log
        self._durable = durable
        self._folder: Path | None = None
        self.process: ServerProcess | None = None

    def start(self) -> None:
        """Make a cluster, start it, and wait until it accepts connections."""
        require(unavailable())
        binaries = _binaries()
        assert binaries is not None
        # PostgreSQL refuses to run as root.
        prefix = as_user(_SYSTEM_USER) if is_root() else []
        self._folder = reachable_folder("postgres")
        if is_root():
            shutil.chown(self._folder, _SYSTEM_USER, _SYSTEM_USER)
        data = self._folder / "data"
        words = ["--username", USER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run([*prefix, str(binaries / "initdb"), *words, "-D", str(data)])
        settings = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": str(self._folder),
            "fsync": "on" if self._durable else "off",
            "max_connections": "200",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.process = ServerProcess(
            [*prefix, binaries / "postgres", "-D", data, *options],
            log=self._log,
            folder=self._folder,
            # SIGTERM would wait for every client to leave ("smart shutdown").
            stop_signal=signal.SIGINT,
        )
        self.process.start()
        ready = [str(binaries / "pg_isready"), "-q", "-h", LOOPBACK, "-p", str(self.port)]
        self.process.wait_ready(lambda: subprocess.run(ready, check=False).returncode == 0)

    def stop(self) -> None:
        """Stop and remove everything."""
        if self.process is not None:
            self.process.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def create_database(self, name: str = "") -> str:
        """Make an empty database and return its URL for SQLAlchemy (asyncpg)."""
        name = name or f"lab_{uuid.uuid4().hex[:12]}"
        binaries = _binaries()
        assert binaries is not None
        self._run([str(binaries / "createdb"), "-h", LOOPBACK, "-p", str(self.port), "-U", USER, name])
        return f"postgresql+asyncpg://{USER}@{LOOPBACK}:{self.port}/{name}"

    def _run(self, command: list[str]) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._folder)
