"""The door of the archive: who comes in is known before any page is made.

The middleware `door` puts a `Reader` (`core.shelves`) into `request[READER]` of each address below an association:

- who has a session reads what they may read *now*: it is asked anew at each request, and the session of someone who
  left ends there;
- below `/<association>/key/<key>/` the feed key alone counts, a cookie is not looked at; a key that is none is a 404;
- anyone else is a stranger, who reads what was opened to everyone.

Pages hand `request[READER].shelves` to every read, and answer `nothing_here(request)` where a read gave nothing: a
stranger is asked to sign in whether there is something or not, and so learns nothing. A page that needs a person says
`signed_in(request)` first, a form that changes something `await checked_form(request)`.
"""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Literal
from urllib.parse import quote, urlsplit

from aiohttp import web
from multidict import MultiDictProxy
from yarl import URL

from passerelle.core.archive_settings import WebSettings
from passerelle.core.ids import AssociationName
from passerelle.core.settings import AssociationSettings
from passerelle.core.shelves import Reader
from passerelle.flows.context import FlowContext
from passerelle.flows.readers import association_of, stranger
from passerelle.flows.sessions import Entry, feed_reader, session_reader
from passerelle.web.app_keys import CONTEXT

READER: web.RequestKey[Reader] = web.RequestKey("reader", Reader)
ASSOCIATION: web.RequestKey[AssociationSettings] = web.RequestKey("association", AssociationSettings)
#: Of who is signed in; not there for strangers and feed readers.
ENTRY: web.RequestKey[Entry] = web.RequestKey("entry", Entry)

COOKIE = "passerelle"
#: Name of the hidden field of every form that changes something.
FORM_TOKEN = "form_token"
SIGN_IN_PATH = "sign-in"

#: Longer than any address of ours: a longer one is not carried along.
_LONGEST_TARGET = 1000
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Form = MultiDictProxy[str | bytes | bytearray | web.FileField]


@web.middleware
async def door(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Find out who reads, and say how what is answered may be kept: nowhere."""
    name = request.match_info.get("association")
    if name is None:
        return await handler(request)
    ctx = request.app[CONTEXT]
    association = association_of(ctx, AssociationName(name))
    if association is None:
        raise web.HTTPNotFound
    request[ASSOCIATION] = association
    request[READER] = await _reader(request, ctx, AssociationName(name))
    try:
        answer = await handler(request)
    except web.HTTPException as error:
        _forbid_keeping(request, error)
        raise
    _forbid_keeping(request, answer)
    return answer


async def _reader(request: web.Request, ctx: FlowContext, association: AssociationName) -> Reader:
    key = request.match_info.get("key")
    if key is not None:
        found = await feed_reader(ctx, association, key)
        if found is None:
            raise web.HTTPNotFound(headers={"Cache-Control": "no-store"})
        return found
    cookie = request.cookies.get(COOKIE)
    entry = await session_reader(ctx, association, cookie) if cookie else None
    if entry is not None:
        request[ENTRY] = entry
        return entry.reader
    async with ctx.store.read() as conn:
        return await stranger(ctx, conn, association)


def _forbid_keeping(request: web.Request, answer: web.StreamResponse) -> None:
    """`no-store` behind the door (PEOPLE 10), and no search engine, unless all that is open here wants one."""
    if answer.prepared:
        return
    answer.headers["Cache-Control"] = "no-store"
    answer.headers.setdefault("Vary", "Cookie")
    if not may_be_indexed(request):
        answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"


def may_be_indexed(request: web.Request) -> bool:
    """Whether search engines may list this page: a stranger reads it, and each link that it may be about wants that."""
    reader, association = request[READER], request[ASSOCIATION]
    if reader.person_id is not None or "key" in request.match_info or not reader.shelves:
        return False
    about = {request.match_info["link"]} if "link" in request.match_info else {s.link for s in reader.shelves}
    return all(link.archive.indexed for link in association.links if link.name in about)


# ------------------------------------------------------------ answers


def is_signed_in(request: web.Request) -> bool:
    """Whether a person reads, and not a stranger or a feed reader."""
    return ENTRY in request


def signed_in(request: web.Request) -> Entry:
    """Who is signed in. Raises the redirection to the page where one signs in, which leads back here."""
    if ENTRY not in request:
        raise sign_in_first(request)
    return request[ENTRY]


def sign_in_first(request: web.Request) -> web.HTTPSeeOther:
    """To be raised: a redirection to the page where one signs in, which leads back to what was asked for.

    What was asked by POST cannot be asked again: it leads to the association's first page.
    """
    association = request[ASSOCIATION].name
    target = request.raw_path if request.method in ("GET", "HEAD") else ""
    next_ = safe_target(association, target)
    query = f"?next={quote(next_, safe='/')}" if next_ else ""
    root = root_path(request.app[CONTEXT].settings.web)
    location = f"{root}/{association}/{SIGN_IN_PATH}{query}"
    return web.HTTPSeeOther(exactly(location), headers={"Cache-Control": "no-store"})


def nothing_here(request: web.Request) -> web.HTTPException:
    """To be raised where there is nothing that this reader may read: a stranger is asked to sign in, whatever there is.

    A person who is signed in gets a 404, the same for what does not exist and for what is not theirs.
    """
    if is_signed_in(request) or "key" in request.match_info:
        return web.HTTPNotFound()
    return sign_in_first(request)


def root_path(settings: WebSettings | None) -> str:
    """The path of the archive's root on its web server, without a slash at the end: "" or `/archives`."""
    return urlsplit(settings.url).path.rstrip("/") if settings else ""


def exactly(location: str) -> URL:
    """A location as it is written: aiohttp would undo the quoting of a slash in a Message-ID."""
    return URL(location, encoded=True)


def safe_target(association: str, path: str) -> str:
    """The path to go on to after signing in, "" for none: always one below the association's own, never elsewhere.

    Browsers take a backslash for a slash and drop tabs and line ends (WHATWG URL, "basic URL parser"): none may stand
    in it, and no second slash where a host could follow.
    """
    if not path.startswith(f"/{association}/") or len(path) > _LONGEST_TARGET:
        return ""
    bare = path.partition("?")[0].partition("#")[0]
    harmless = path.isascii() and path.isprintable() and not set(path) & set('\\ "<>#')
    inside = "//" not in bare and not {".", ".."} & {piece.lower().replace("%2e", ".") for piece in bare.split("/")}
    own = f"/{association}/{SIGN_IN_PATH}"
    return path if harmless and inside and not bare.startswith(own) else ""


# ------------------------------------------------------------ forms


def form_token(request: web.Request) -> str:
    """What a form of this session has to carry in its hidden field `FORM_TOKEN`; "" for who is not signed in."""
    if ENTRY not in request:
        return ""
    return request.app[CONTEXT].hashed("form", request[ENTRY].session.keyed_hash)


async def checked_form(request: web.Request) -> Form:
    """The form that a signed-in person sent from one of our own pages.

    Raises the redirection to sign in, or HTTPForbidden where it does not come from our pages.
    """
    signed_in(request)
    form = await form_of(request)
    given = form.get(FORM_TOKEN)
    right = isinstance(given, str) and hmac.compare_digest(given.encode(), form_token(request).encode())
    if not right or comes_from(request) == "elsewhere":
        raise web.HTTPForbidden
    return form


async def form_of(request: web.Request) -> Form:
    """The form that was sent. Raises HTTPBadRequest where it is none: a charset that is not known, no boundary."""
    try:
        return await request.post()
    except (LookupError, ValueError) as error:
        raise web.HTTPBadRequest from error


def comes_from(request: web.Request) -> Literal["here", "elsewhere", "unknown"]:
    """From whose page a form was sent, as the browser says.

    Sec-Fetch-Site (W3C Fetch Metadata) where there is one; Origin (RFC 6454) or Referer with older browsers, which say
    `null` for a page that lets no referrer out.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return "here" if site in ("same-origin", "none") else "elsewhere"
    for field in ("Origin", "Referer"):
        value = request.headers.get(field)
        if value is not None and value != "null":
            return "here" if _origin(value) in _own_origins(request) else "elsewhere"
    return "unknown"


def _origin(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.scheme, parts.netloc.lower()


def _own_origins(request: web.Request) -> set[tuple[str, str]]:
    settings = request.app[CONTEXT].settings.web
    return {_origin(settings.url)} if settings else set()


# ------------------------------------------------------------ cookie and place


def set_cookie(request: web.Request, answer: web.StreamResponse, secret: str, *, lasts: timedelta | None) -> None:
    """Give the browser its session: for this host and association alone, unreadable by scripts, never sent by others.

    Args:
        lasts: None: until the browser is closed.
    """
    settings = request.app[CONTEXT].settings.web
    answer.set_cookie(
        COOKIE,
        secret,
        path=_cookie_path(request),
        max_age=None if lasts is None else int(lasts.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=settings is not None and settings.url.startswith("https:"),
    )


def drop_cookie(request: web.Request, answer: web.StreamResponse) -> None:
    """Have the browser forget its session."""
    answer.del_cookie(COOKIE, path=_cookie_path(request))


def _cookie_path(request: web.Request) -> str:
    return f"{root_path(request.app[CONTEXT].settings.web)}/{request[ASSOCIATION].name}"


def place_of(request: web.Request) -> str:
    """Where a request comes from, to count tries: an internet address, or with IPv6 the network of a household (/64).

    The last entry of X-Forwarded-For, where our own web server writes one.

    Earlier entries are whatever the client wrote.
    """
    settings = request.app[CONTEXT].settings.web
    peer = request.remote or ""
    if settings is not None and settings.behind_proxy:
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        peer = forwarded.rpartition(",")[2].strip() or peer
    return _network(peer)


def _network(peer: str) -> str:
    try:
        found = ip_address(peer.strip("[]"))
    except ValueError:
        return peer[:64]
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ip_network((found, 64), strict=False))
    return str(found.ipv4_mapped or found) if found.version == 6 else str(found)
