"""Free ports on loopback, each given to one owner only."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

LOOPBACK = "127.0.0.1"
# Below Linux's range for outgoing connections (net.ipv4.ip_local_port_range begins at 32768), so that no client
# takes the port between the moment it is found and the moment its server listens.
FIRST_PORT, LAST_PORT = 20_000, 32_000
_locks: dict[int, int] = {}


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens, reserved for this process while it lives.

    :raises OSError: when none is found in 1,000 tries.
    """
    folder = Path(tempfile.gettempdir()) / f"passerelle-lab-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for _ in range(1000):
        port = random.randint(FIRST_PORT, LAST_PORT)
        if port not in _locks and _reserve(folder / str(port), port):
            if _is_free(port):
                return port
            os.close(_locks.pop(port))
    raise OSError("no free port on loopback")


def _reserve(lock: Path, port: int) -> bool:
    # The kernel drops the lock when this process ends, however it ends.
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _locks[port] = descriptor
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    """Return whether something accepts connections on that port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
