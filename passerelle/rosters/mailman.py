"""Members as Mailman's core tells them over REST (https://docs.mailman3.org/projects/mailman/, "Membership")."""

from dataclasses import dataclass, field
from urllib.parse import quote

import aiohttp

from passerelle.core.ids import MailAddress
from passerelle.errors import AccessRefused, MalformedRoster, PermanentFailure, TemporaryFailure
from passerelle.mail.addresses import parse_address
from passerelle.rosters.roster import Roster, RosterMember, build_roster

_PAGE = 500
#: More than any list has: a server that never ends is not followed for ever.
_MOST_PAGES = 1000
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class MailmanAccess:
    """Where Mailman's REST API is. `url` ends with its version, as `http://localhost:8001/3.1`."""

    url: str
    user: str
    password: str = field(repr=False)


async def fetch_roster(access: MailmanAccess, list_id: str) -> Roster:
    """The members of a list; those whose delivery is switched off too, since they are members.

    Raises AccessRefused, PermanentFailure (no such list), TemporaryFailure, MalformedRoster (an answer that is none).
    """
    header = aiohttp.encode_basic_auth(access.user, access.password)
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_SECONDS)
    members: list[RosterMember] = []
    try:
        async with aiohttp.ClientSession(headers={"Authorization": header}, timeout=timeout) as session:
            for page in range(1, _MOST_PAGES + 1):
                found = await _page(session, access, list_id, page)
                members += found
                if len(found) < _PAGE:
                    break
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TemporaryFailure(f"Mailman does not answer at {access.url}: {type(error).__name__}.") from error
    return build_roster("mailman", members)


async def _page(session: aiohttp.ClientSession, access: MailmanAccess, list_id: str, page: int) -> list[RosterMember]:
    url = f"{access.url.rstrip('/')}/lists/{quote(list_id, safe='@')}/roster/member"
    async with session.get(url, params={"count": str(_PAGE), "page": str(page)}, allow_redirects=False) as answer:
        if answer.status in (401, 403):
            raise AccessRefused("Mailman refuses this user name or password.")
        if answer.status == 404:
            raise PermanentFailure(f"Mailman knows no list {list_id}.")
        if answer.status != 200:
            raise TemporaryFailure(f"Mailman answers with {answer.status}.")
        try:
            content = await answer.json()
        except (ValueError, aiohttp.ContentTypeError) as error:
            raise MalformedRoster("This is no answer of Mailman's: does the address end with /3.1?") from error
    entries = content.get("entries", []) if isinstance(content, dict) else []
    return [member for entry in entries if isinstance(entry, dict) and (member := _member(entry)) is not None]


def _member(entry: dict[str, object]) -> RosterMember | None:
    email, name = entry.get("email"), entry.get("display_name")
    address = parse_address(email) if isinstance(email, str) else None
    if address is None:
        return None
    return RosterMember(address=MailAddress(address), name=name if isinstance(name, str) else "")
