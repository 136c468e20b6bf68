"""Draw the pictures of the register, a meeting, a digest and the one page for the documents, from a made association:

    python -m tests.web.pictures docs/pictures

needs Debian's Chromium (or another in PASSERELLE_CHROMIUM) and, for the sheet of the notice board, poppler-utils; asks
nobody's network.
"""

from __future__ import annotations

import asyncio
import html
import subprocess
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image, ImageOps
from playwright.async_api import async_playwright

from passerelle.flows.digest_send import send_digests
from passerelle.flows.digest_wishes import configured_digests, subscribe_coordinators
from passerelle.store.digests import list_digests
from tests.web.conftest import CHROMIUM
from tests.web.scene import EPEULE, Scene, opened, play
from tests.web.secretary import LEA, MONIQUE, fill_meetings, fill_register

_WIDTH, _HEIGHT, _SCALE = 1000, 1290, 1.5
_MAIL_WIDTH = 760
#: The Monday after the week that is played.
_MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
#: A mail program, as far as it matters: who, to whom, what about, and the mail's own HTML in a frame.
_MAIL_PROGRAM = """\
<!doctype html><html lang="fr"><meta charset="utf-8"><title>Courriel</title>
<style>
html {{ color-scheme: light; }}
body {{ margin: 0; background: #e9ebef; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1d2330; }}
header {{ padding: 14px 20px; background: #f7f8fa; border-bottom: 1px solid #c9cdd6; }}
header b {{ font-size: 18px; }}
dl {{ margin: 6px 0 0; display: grid; grid-template-columns: max-content 1fr; gap: 0 12px; }}
dt {{ color: #596273; }}
dd {{ margin: 0; }}
iframe {{ border: 0; width: 100%; height: {height}px; background: #fff; display: block; }}
</style>
<header><b>{subject}</b><dl><dt>De</dt><dd>{sender}</dd><dt>À</dt><dd>{to}</dd><dt>Date</dt><dd>{date}</dd></dl></header>
<iframe srcdoc="{mail}"></iframe></html>"""


async def draw(folder: Path) -> None:
    """Put each picture into a folder."""
    with TemporaryDirectory() as store:
        async with opened(Path(store)) as scene, async_playwright() as playwright:
            await play(scene)
            await fill_register(scene)
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = await _signed_in(browser, scene, LEA)
            await page.goto(f"{scene.url}/epeule/register")
            save(await page.screenshot(), folder / "register.png")
            paths = await fill_meetings(scene)
            await page.goto(scene.url + paths["coming"])
            save(await page.screenshot(), folder / "meeting.png")
            await page.goto(f"{scene.url}/epeule/now")
            save(await page.screenshot(), folder / "now.png")
            sheet = await (await page.request.get(f"{scene.url}/epeule/now.pdf")).body()
            save_sheet(sheet, folder / "now-sheet.png")
            letter, path = await digest(scene)
            page = await _signed_in(browser, scene, MONIQUE)
            await page.goto(scene.url + path)
            save(await page.screenshot(), folder / "digest.png")
            page = await browser.new_page(
                viewport={"width": _MAIL_WIDTH, "height": _HEIGHT}, device_scale_factor=_SCALE, color_scheme="light"
            )
            await page.set_content(as_in_a_mail_program(letter))
            save(await page.screenshot(), folder / "digest-mail.png")
            await draw_figures(page, folder / "digest-figures.png")
            await browser.close()


async def draw_figures(page: Any, file: Path) -> None:
    """The end of the mail, where the week stands in numbers."""
    mail = page.frame_locator("iframe")
    await page.set_viewport_size({"width": _MAIL_WIDTH, "height": 4 * _HEIGHT})
    await page.locator("iframe").evaluate("frame => frame.style.height = '4000px'")
    head, table = await mail.locator("h2").last.bounding_box(), await mail.locator("main > table").bounding_box()
    top, end = head["y"] - 12, table["y"] + table["height"] + 12
    save(await page.screenshot(clip={"x": 0, "y": top, "width": _MAIL_WIDTH, "height": end - top}), file)


async def _signed_in(browser: Any, scene: Scene, who: dict[str, str]) -> Any:
    cookies = await scene.session(**who)
    context = await browser.new_context(
        locale="fr-FR", device_scale_factor=_SCALE, viewport={"width": _WIDTH, "height": _HEIGHT}
    )
    own = [{"name": name, "value": value, "url": f"{scene.url}/epeule"} for name, value in cookies.items()]
    await context.add_cookies(own)
    return await context.new_page()


async def digest(scene: Scene) -> tuple[EmailMessage, str]:
    """Monique's digest of the week: the mail, and its page."""
    await subscribe_coordinators(scene.ctx, configured_digests(scene.ctx, scene.ctx.settings))
    scene.bridge.clock[0] = _MONDAY
    assert await send_digests(scene.ctx) == 1
    async with scene.ctx.store.read() as conn:
        (one,) = await list_digests(conn, EPEULE, limit=5)
    (letter,) = [one for one in await scene.bridge.personal_mails() if one["List-Unsubscribe"]]
    return letter, f"/epeule/digests/{one.permalink}"


def as_in_a_mail_program(letter: EmailMessage) -> str:
    """The mail's HTML below what a mail program says of it."""
    body = letter.get_body(("html",))
    assert body is not None
    return _MAIL_PROGRAM.format(
        height=_HEIGHT,
        subject=html.escape(str(letter["Subject"])),
        sender=html.escape(str(letter["From"])),
        to=html.escape(str(letter["To"])),
        date="lundi 23 novembre 2026, 8 h",
        mail=html.escape(str(body.get_content())),
    )


def save(data: bytes, file: Path) -> None:
    """As a PNG of few colours: a page has no more."""
    picture = Image.open(BytesIO(data)).convert("RGB")
    picture.quantize(128, method=Image.Quantize.MAXCOVERAGE).save(file, optimize=True)


def save_sheet(data: bytes, file: Path) -> None:
    """The first page of a PDF, with its edge."""
    done = subprocess.run(
        ["pdftoppm", "-png", "-r", "90", "-f", "1", "-l", "1"], input=data, capture_output=True, check=True
    )
    sheet = Image.open(BytesIO(done.stdout)).convert("RGB")
    edged = BytesIO()
    ImageOps.expand(sheet, border=2, fill=(160, 165, 175)).save(edged, "PNG")
    save(edged.getvalue(), file)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
