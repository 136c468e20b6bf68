"""Whether anyone can read the list's own archive on the web (PEOPLE.md, 2)."""

import re
from http import HTTPStatus

import aiohttp

from passerelle.check import Finding, Step, ok, warning
from passerelle.i18n import _

FETCH_SECONDS = 30.0
#: A page that asks for a password does so at its top.
LOOKED_AT_BYTES = 500_000
_PASSWORD_FIELD = re.compile(rb"""type\s{0,9}=\s{0,9}["']?password""", re.IGNORECASE)


def archive_step(name: str, url: str) -> Step:
    """Fetches the archive as a stranger would."""

    async def look() -> list[Finding]:
        try:
            status, page = await fetch_as_stranger(url)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            mend = _("Is archive_url right?")
            reason = type(error).__name__
            return [warning(_("The list's archive cannot be reached ({reason}).").format(reason=reason), mend)]
        return [judge_archive(url, status, page)]

    return Step(name=name, look=look)


async def fetch_as_stranger(url: str) -> tuple[int, bytes]:
    """Status and beginning of a page, without cookies or login, redirects followed.

    Raises:
        aiohttp.ClientError, TimeoutError, OSError
    """
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(url) as response,
    ):
        page = bytearray()
        async for chunk in response.content.iter_chunked(65_536):
            page += chunk
            if len(page) >= LOOKED_AT_BYTES:
                break
        return response.status, bytes(page)


def judge_archive(url: str, status: int, page: bytes) -> Finding:
    """What a stranger's look at the archive means. Pure."""
    closed = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
    if status in closed or (status == HTTPStatus.OK and _PASSWORD_FIELD.search(page)):
        return ok(_("The list's archive asks strangers to log in."))
    if status == HTTPStatus.OK and page.strip():
        return warning(
            _("Anyone can read the list's archive at {url}.").format(url=url),
            _("What is written in the room will be public there too. Close the archive, or tell the members."),
        )
    return warning(
        _("The list's archive answers {status}: nothing can be said of it.").format(status=status),
        _("Is archive_url right?"),
    )
