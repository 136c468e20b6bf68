"""Steering the lab's own server programs while they run: one JSON object a line over loopback, one answer a line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lab.ports import LOOPBACK
from lab.process import LabError

Operation = Callable[..., Awaitable[Any]]
LINE_LIMIT_BYTES = 256 * 1024 * 1024


async def serve_control(port: int, operations: Mapping[str, Operation]) -> asyncio.Server:
    """Serve ``operations`` by name; an operation that raises answers with its error and harms nobody else."""

    async def answer(line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            if request["operation"] == "ping":
                return {"result": True}
            return {"result": await operations[request.pop("operation")](**request)}
        except Exception as error:  # noqa: BLE001 - the edge of this little server: the caller is told
            return {"error": f"{type(error).__name__}: {error}"}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(json.dumps(await answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()

    return await asyncio.start_server(converse, LOOPBACK, port, limit=LINE_LIMIT_BYTES)


async def until_stopped() -> None:
    """Wait for SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


class Control:
    """The other end: calls the operations of one server program. Blocks, for milliseconds."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ping(self) -> bool:
        """Return True once the program answers.

        :raises OSError: when it does not listen yet.
        """
        return bool(self.call("ping"))

    def call(self, operation: str, **arguments: Any) -> Any:
        """Run one operation and return its result.

        :raises OSError: when the program does not listen.
        :raises LabError: when the operation failed.
        """
        with socket.create_connection((LOOPBACK, self.port), timeout=60) as connection:
            connection.sendall(json.dumps({"operation": operation, **arguments}).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
        if not line:
            raise LabError(f"{operation}: the program hung up")
        answer = json.loads(line)
        if "error" in answer:
            raise LabError(f"{operation}: {answer['error']}")
        return answer["result"]
