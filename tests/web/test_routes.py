"""The table of addresses and its document say the same; the server listens, or says why not."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from passerelle.core.archive_settings import WebSettings
from passerelle.errors import ConfigError
from passerelle.web.routes import ROUTES, Route
from passerelle.web.server import ArchiveServer
from tests.web.scene import Scene

DOCUMENT = Path(__file__).parents[2] / "docs" / "urls.md"
NAMES = {
    "association": "A", "link": "L", "short": "S", "key": "KEY", "token": "TOKEN", "message_id": "MESSAGE-ID",
    "month": "2026-11", "position": "1", "filename": "NAME", "edit": "1", "version": "VERSION", "ending": "css",
    "form": "atom", "number": "1", "written": "html", "paper": "html", "network": "N",
}  # fmt: skip


def as_documented(route: Route) -> str:
    return re.sub(r"{(\w+)(?::(?:[^{}]|{[^{}]*})*)?}", lambda match: NAMES[match[1]], route.path)


def rows() -> dict[str, list[str]]:
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `/")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].strip("`"): row for row in cells}


def test_every_address_is_documented_and_no_other() -> None:
    assert set(rows()) == {as_documented(route) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_what_is_permanent_is_said_to_be(route: Route) -> None:
    row = rows()[as_documented(route)]
    assert (row[3] == "yes") == route.permanent
    assert ("POST" in row[1]) == any(r.method == "POST" and r.path == route.path for r in ROUTES)


async def test_a_port_that_is_taken_is_said(scene: Scene) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = ArchiveServer(scene.ctx, WebSettings(url="http://archives.lab.test", port=port))
        with pytest.raises(ConfigError, match=f"web: cannot listen on 127.0.0.1 port {port}"):
            await server.start()
