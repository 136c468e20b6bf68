"""The daemon as users run it: its own process, stopped after each test whatever happens."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.process import ServerProcess


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Callable[[Path], ServerProcess]]:
    """Starts ``passerelle run --config FILE``: ``daemon = start_daemon(file)``; ``daemon.kill()`` is kill -9."""
    with ExitStack() as stack:

        def start(configuration: Path) -> ServerProcess:
            program = Path(sys.executable).with_name("passerelle")
            daemon = ServerProcess([program, "run", "--config", configuration], log=tmp_path / "daemon.log")
            stack.callback(daemon.stop)
            daemon.start()
            return daemon

        yield start
