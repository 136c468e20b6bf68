"""Draw the pictures of the register and of a meeting for the documents, from a made association:

    python -m tests.web.pictures docs/pictures

needs Debian's Chromium (or another in PASSERELLE_CHROMIUM); asks nobody's network.
"""

from __future__ import annotations

import asyncio
import sys
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.async_api import async_playwright

from tests.web.conftest import CHROMIUM
from tests.web.scene import opened, play
from tests.web.secretary import LEA, fill_meetings, fill_register

_WIDTH, _HEIGHT, _SCALE = 1000, 1290, 1.5


async def draw(folder: Path) -> None:
    """Put each picture into a folder."""
    with TemporaryDirectory() as store:
        async with opened(Path(store)) as scene, async_playwright() as playwright:
            await play(scene)
            await fill_register(scene)
            cookies = await scene.session(**LEA)
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            context = await browser.new_context(locale="fr-FR", device_scale_factor=_SCALE)
            own = [{"name": name, "value": value, "url": f"{scene.url}/epeule"} for name, value in cookies.items()]
            await context.add_cookies(own)  # type: ignore[arg-type]
            page = await context.new_page()
            await page.set_viewport_size({"width": _WIDTH, "height": _HEIGHT})
            await page.goto(f"{scene.url}/epeule/register")
            save(await page.screenshot(), folder / "register.png")
            paths = await fill_meetings(scene)
            await page.goto(scene.url + paths["coming"])
            save(await page.screenshot(), folder / "meeting.png")
            await browser.close()


def save(data: bytes, file: Path) -> None:
    """As a PNG of few colours: a page has no more."""
    picture = Image.open(BytesIO(data)).convert("RGB")
    picture.quantize(128, method=Image.Quantize.MAXCOVERAGE).save(file, optimize=True)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
