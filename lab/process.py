"""Starting a server program, waiting until it is ready, and stopping it whatever happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

KEEPER = Path(__file__).with_name("keeper.py")
REPOSITORY = Path(__file__).resolve().parent.parent
LOG_TAIL_BYTES = 4000

T = TypeVar("T")


class LabError(Exception):
    """A server of the lab did not do what it should; the message is for whoever runs the tests."""


class NotReadyError(LabError):
    """A server ended or was still not ready when the deadline had passed."""


def wait_until(
    probe: Callable[[], T | None], *, what: str, deadline_seconds: float = 30, pause_seconds: float = 0.02
) -> T:
    """Call ``probe`` until it returns something true, and return that.

    :raises NotReadyError: when ``deadline_seconds`` have passed; its message names ``what``.
    """
    deadline = time.monotonic() + deadline_seconds
    while True:
        if found := probe():
            return found
        if time.monotonic() >= deadline:
            raise NotReadyError(f"{what}: not within {deadline_seconds:g} s")
        time.sleep(pause_seconds)


class ServerProcess:
    """One program under a keeper (see :mod:`lab.keeper`): it never outlives this object's process."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 10,
    ) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self.pid = 0
        self._environment = dict(environment or {})
        self._folder = folder
        self._stop_signal = stop_signal
        self._grace_seconds = grace_seconds
        self._keeper: subprocess.Popen[bytes] | None = None
        self._lifeline = -1

    def start(self) -> None:
        """Start the program; its output is appended to ``log``.

        :raises LabError: when it runs already, or cannot be executed.
        """
        if self.running:
            raise LabError(f"{self.command[0]} runs already")
        self._release()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        lifeline_reader, self._lifeline = os.pipe()
        status_reader, status_writer = os.pipe()
        words = [str(lifeline_reader), str(status_writer), str(self._grace_seconds), str(int(self._stop_signal))]
        try:
            with self.log.open("ab") as output:
                self._keeper = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(KEEPER), *words, *self.command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    cwd=self._folder,
                    env={**os.environ, **self._environment},
                    pass_fds=(lifeline_reader, status_writer),
                    start_new_session=True,
                )
        finally:
            os.close(lifeline_reader)
            os.close(status_writer)
        with open(status_reader, "rb") as status:
            line = status.readline()
        if not line:
            self.stop()
            raise LabError(f"cannot start {self.command[0]}: {self.log_tail()}")
        self.pid = int(line)

    @property
    def running(self) -> bool:
        """Whether the program has been started and has not ended."""
        return self._keeper is not None and self._keeper.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the program ended (128 plus the number for a signal); None while it runs or was never started."""
        return None if self._keeper is None else self._keeper.poll()

    def wait_ready(self, probe: Callable[[], T | None], *, deadline_seconds: float = 60) -> T:
        """Wait until ``probe`` returns something true; it may raise OSError for "not yet".

        :raises NotReadyError: when the program ends meanwhile or the deadline passes, with the end of its log.
        """

        def living_probe() -> T | None:
            if not self.running:
                raise NotReadyError(f"{self.command[0]} ended with {self.exit_code}: {self.log_tail()}")
            with contextlib.suppress(OSError):
                return probe()
            return None

        try:
            return wait_until(living_probe, what=self.command[0], deadline_seconds=deadline_seconds)
        except NotReadyError as error:
            raise NotReadyError(f"{error}\n{self.log_tail()}") from None

    def wait(self, *, deadline_seconds: float = 30) -> int:
        """Wait until the program ends by itself; return its exit code.

        :raises NotReadyError: when it still runs after the deadline.
        """
        if self._keeper is None:
            raise LabError("it was never started")
        try:
            return self._keeper.wait(deadline_seconds)
        except subprocess.TimeoutExpired:
            raise NotReadyError(f"{self.command[0]} still runs after {deadline_seconds:g} s") from None

    def stop(self) -> None:
        """Ask the program to stop, wait, and kill what is left of it and its descendants."""
        if self._keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._keeper.terminate()
        try:
            self._keeper.wait(self._grace_seconds + 10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()  # its child has a parent-death signal
            self._keeper.wait()
        self._release()

    def kill(self) -> None:
        """Kill the program and all its descendants at once, as a crash would (SIGKILL), and wait for its end."""
        if self._keeper is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._keeper.send_signal(signal.SIGUSR1)
        self._keeper.wait(15)
        self._release()

    def send_signal(self, number: signal.Signals) -> None:
        """Send one signal to the program itself (SIGSTOP and SIGCONT make it hang and go on)."""
        os.kill(self.pid, number)

    def log_tail(self) -> str:
        """Return the end of what the program wrote, for a message."""
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
                return log.read().decode(errors="replace")
        except FileNotFoundError:
            return ""

    def _release(self) -> None:
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def __del__(self) -> None:
        # A forgotten process must not outlive its object: the keeper sees the pipe's end.
        with contextlib.suppress(OSError):
            self._release()


class Server(ABC):
    """A server of the lab: ``with`` or ``async with`` starts it, ready for use, and stops it in the end."""

    @abstractmethod
    def start(self) -> None:
        """Start and wait until the protocol itself answers. Blocks."""

    @abstractmethod
    def stop(self) -> None:
        """Stop whatever was started; harmless when nothing was. Blocks."""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        starting = asyncio.create_task(asyncio.to_thread(self.__enter__))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # The thread cannot be cancelled: wait for its end, then undo it.
            with contextlib.suppress(LabError):
                await starting
                await asyncio.to_thread(self.stop)
            raise

    async def __aexit__(self, *_: object) -> None:
        await asyncio.shield(asyncio.to_thread(self.stop))
