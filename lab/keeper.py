"""Runs one server, and ends it with all its descendants when its owner stops or dies. Standard library only.

Started by :mod:`lab.process` as ``python -I -S keeper.py LIFELINE STATUS GRACE STOP_SIGNAL COMMAND...``. LIFELINE is
the reading end of a pipe whose writing end only the owner holds: end of file means that the owner closed it or is gone,
however it ended (SIGKILL included). The keeper reaps orphans below it (PR_SET_CHILD_SUBREAPER, prctl(2)), so a
server that forks into the background cannot escape. A parent-death signal alone would not do: it follows the
parent's *thread*, and does not reach grandchildren.

SIGTERM asks for a clean stop, SIGUSR1 kills everything at once (a crash, as power loss would be).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
AFTER_TERM_SECONDS = 1.0


def prctl(option: int, value: int) -> None:
    """Set one process attribute of Linux; elsewhere the process group alone must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def descendants() -> list[int]:
    """Return the process ids below this process, children before their own children (Linux's /proc)."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as stat:
                    # The program's name stands in parentheses and may hold anything.
                    parent = int(stat.read().rpartition(b")")[2].split()[1])
                    children.setdefault(parent, []).append(int(name))
    found, queue = [], [os.getpid()]
    while queue:
        below = children.get(queue.pop(0), [])
        found += below
        queue += below
    return found


def reap(server: int) -> int | None:
    """Collect whatever ended; return the server's wait status if it was among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, ended = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == server:
                status = ended
    return status


def signal_all(number: int, server: int) -> None:
    """Send a signal to all descendants, and to the server's process group where there is no /proc."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server, number)
    for pid in descendants():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def wait_for_none(server: int, seconds: float) -> tuple[bool, int | None]:
    """Wait until no descendant is left; return whether that is so, and the server's wait status if it ended."""
    deadline, status = time.monotonic() + seconds, None
    while True:
        status = reap(server) if status is None else (reap(server), status)[1]
        if not descendants():
            return True, status
        if time.monotonic() >= deadline:
            return False, status
        time.sleep(0.01)


def end_all(server: int, stop_signal: int, grace: float) -> int | None:
    """Stop the server as it likes it, then less gently; return its wait status."""
    final = None
    with contextlib.suppress(ProcessLookupError):
        os.kill(server, stop_signal)
    for number, seconds in ((0, grace), (signal.SIGTERM, AFTER_TERM_SECONDS), (signal.SIGKILL, 5.0)):
        if number:
            signal_all(number, server)
        done, status = wait_for_none(server, seconds)
        final = status if status is not None else final
        if done:
            break
    return final


def start(command: list[str]) -> subprocess.Popen[bytes]:
    """Start the server in a session of its own, tied to this process's life."""
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL),
    )


def keep(lifeline: int, server: int, stop_signal: int, grace: float) -> int:
    """Wait for the server's end, the owner's end or a signal; return the exit code to end with."""
    wake_reader, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    os.write(wake_writer, bytes([signal.SIGCHLD]))  # it may have ended before the handlers stood
    while True:
        ready, _, _ = select.select([lifeline, wake_reader], [], [])
        numbers = os.read(wake_reader, 64) if wake_reader in ready else b""
        status = reap(server)
        if status is None and signal.SIGUSR1 in numbers:
            signal_all(signal.SIGKILL, server)
            status = end_all(server, signal.SIGKILL, 5.0)
        elif status is None and (lifeline in ready or signal.SIGTERM in numbers):
            status = end_all(server, stop_signal, grace)
        elif status is None:
            continue
        else:
            end_all(server, signal.SIGTERM, 0)
        return exit_code(status)


def exit_code(status: int | None) -> int:
    """Translate a wait status as a shell would: 128 plus the signal's number for a killed process."""
    if status is None:
        return 255
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def main(arguments: list[str]) -> int:
    """Keep one server; the arguments are those of the module's docstring."""
    lifeline, status_writer, grace, stop_signal = (
        int(arguments[0]),
        int(arguments[1]),
        float(arguments[2]),
        int(arguments[3]),
    )
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    server = start(arguments[4:])
    os.write(status_writer, b"%d\n" % server.pid)
    os.close(status_writer)
    # The object is held until the end: if it went, it would collect the exit status that we wait for.
    code = keep(lifeline, server.pid, stop_signal, grace)
    server.returncode = code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
