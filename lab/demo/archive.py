"""A visit to the archive of the demonstration, as a member makes it: a link by mail, a button, reading, searching."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from aiohttp import ClientSession, CookieJar

from lab.demo.sides import page_text
from lab.imap import Mailbox, text_of
from lab.process import wait_until

#: Words of the mail that brings the link.
LETTER_WORDS = "Le lien sert une seule fois"
#: One word that the poster's mail holds, with an accent and a plural that it has not.
SEARCHES = ("buvettes", "gobelet", "l'affiche", '"je prends la buvette"')
_LINK = re.compile(r"https?://\S+/sign-in/\S+")
_MINUTES = re.compile(r'href="([^"]+/minutes/[a-z2-7]{12})"')
_DIGEST = re.compile(r'href="([^"]+/digests/[a-z2-7]{12})"')
_HREF = re.compile(r'href="([^"]+/t/[a-z2-7]{12})[#"]')
CHROMIUM = Path("/usr/bin/chromium")


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What a member saw in the archive."""

    #: The first page's address.
    url: str
    #: The pages of conversations, as text, by address.
    threads: dict[str, str]
    #: How many posts each search found.
    found: dict[str, int]
    #: The pages of the register and of the meeting, as text, by address.
    pages: dict[str, str]
    #: The minutes as files: how each begins, in hexadecimal, by its ending.
    papers: dict[str, str]
    #: Statuses of the same pages without a session.
    strangers: tuple[int, ...]


class Archive:
    """The archive on the web, and the mailbox where the link to come in arrives."""

    def __init__(self, url: str, mailbox: Mailbox) -> None:
        self.url, self._mailbox = url, mailbox

    async def ask_for_link(self) -> str:
        """Ask for a link to come in, and take it out of the mail.

        :raises NotReadyError: when no mail comes.
        """
        known = set(await asyncio.to_thread(self._links))
        asked = {"who": self._mailbox.address}
        async with ClientSession() as session, session.post(f"{self.url}sign-in", data=asked) as answer:
            answer.raise_for_status()
        found = await asyncio.to_thread(
            wait_until, lambda: next((link for link in self._links() if link not in known), None), what="the link"
        )
        return str(found)

    def _links(self) -> list[str]:
        return [link for mail in self._mailbox.fetch() for link in _LINK.findall(text_of(mail))]

    async def visit(self) -> Visit:
        """Come in by a link and a button, read every conversation, search, and go."""
        link = await self.ask_for_link()
        # Cookies of an address without a name are refused by default.
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            async with session.get(link) as answer:
                answer.raise_for_status()
            async with session.post(link, data={"shared": "1"}) as answer:
                answer.raise_for_status()
            home = await self._get(session, self.url)
            threads = {url: page_text(await self._get(session, url)) for url in self._threads(home)}
            found = {words: await self._search(session, words) for words in SEARCHES}
            pages = {**await self._visit_meeting(session), **await self._visit_digests(session)}
            papers = {ending: await self._begins(session, url + ending) for ending in (".odt", ".pdf")
                      for url in pages if "/minutes/" in url}  # fmt: skip
        return Visit(
            url=self.url,
            threads=threads,
            found=found,
            pages=pages,
            papers=papers,
            strangers=await self._as_a_stranger((self.url, *threads, *pages)),
        )

    async def _visit_meeting(self, session: ClientSession) -> dict[str, str]:
        """The register, the meeting with its minutes, its date for calendars."""
        meeting = f"{self.url}meetings/1"
        minutes = [urljoin(self.url, path) for path in _MINUTES.findall(await self._get(session, meeting))[:1]]
        urls = (f"{self.url}register", meeting, *minutes, f"{self.url}calendar.ics")
        return {url: page_text(await self._get(session, url)) for url in urls}

    async def _visit_digests(self, session: ClientSession) -> dict[str, str]:
        """The page of the association, and the visitor's digests that were kept."""
        kept = dict.fromkeys(_DIGEST.findall(await self._get(session, f"{self.url}digests")))
        urls = (f"{self.url}now", *(urljoin(self.url, path) for path in kept))
        return {url: page_text(await self._get(session, url)) for url in urls}

    async def _begins(self, session: ClientSession, url: str) -> str:
        async with session.get(url) as answer:
            answer.raise_for_status()
            return (await answer.read())[:4].hex()

    async def _get(self, session: ClientSession, url: str, **query: str) -> str:
        async with session.get(url, params=query) as answer:
            answer.raise_for_status()
            return await answer.text()

    def _threads(self, page: str) -> Iterator[str]:
        for path in dict.fromkeys(_HREF.findall(page)):
            yield urljoin(self.url, path)

    async def _search(self, session: ClientSession, words: str) -> int:
        page = await self._get(session, f"{self.url}search", q=words)
        return len(re.findall(r'<a class="title"', page))

    async def _as_a_stranger(self, urls: Sequence[str]) -> tuple[int, ...]:
        """What comes without a session: the page to sign in, never a conversation."""
        statuses = []
        async with ClientSession() as session:
            for url in urls:
                async with session.get(url, allow_redirects=False) as answer:
                    statuses.append(answer.status)
        return tuple(statuses)


def draw_pages(visitor_link: str, url: str, file: Path) -> None:
    """Take a picture of a conversation in the archive with Debian's Chromium; blocks. The link is spent.

    :raises ImportError: without Playwright (it is one of the tests' packages).
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(locale="fr-FR", viewport={"width": 1000, "height": 760}, device_scale_factor=1.5)
        page.goto(visitor_link)
        # To go on before the answer is here would undo the pressing.
        with page.expect_navigation():
            page.get_by_role("button", name="Entrer").click()
        page.goto(url)
        # The longest conversation, from its beginning.
        href = page.locator("main a[href*='/t/']").last.get_attribute("href") or url
        page.goto(urljoin(url, href.partition("#")[0]))
        file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(file))
        browser.close()
