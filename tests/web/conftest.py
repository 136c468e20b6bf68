"""Fixtures of the archive on the web: see `tests.web.scene`."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.scene import Scene, opened, play

CHROMIUM = os.environ.get("PASSERELLE_CHROMIUM", "/usr/bin/chromium")
NO_BROWSER = "no Chromium: install Debian's chromium, or name another in PASSERELLE_CHROMIUM"


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A served archive in which nothing was said yet."""
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def played(scene: Scene) -> Scene:
    """A served archive after a week of an association."""
    await play(scene)
    return scene


@pytest.fixture
async def chromium() -> AsyncIterator[Any]:
    """A real browser."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip(NO_BROWSER)
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        # Chromium has no sandbox of its own where it runs as root.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()
