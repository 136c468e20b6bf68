"""How a page is made: its frame, its template in the association's language, and the headers that keep it harmless."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256

from aiohttp import web

from passerelle.core.settings import AssociationSettings, LinkSettings
from passerelle.core.wording import Words
from passerelle.flows.context import FlowContext
from passerelle.render import TEMPLATES, Renderer
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import (
    ASSOCIATION,
    FORM_TOKEN,
    READER,
    form_token,
    is_signed_in,
    may_be_indexed,
    root_path,
    safe_target,
)
from passerelle.web.paths import Paths

#: Nothing runs, nothing is loaded from elsewhere, nothing is sent elsewhere.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
#: Of every answer.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it browsers say `Origin: null` of our own forms (Fetch standard, "append a request Origin
    # header"). Other sites learn nothing either way.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=(), browsing-topics=()",
    "Content-Security-Policy": CONTENT_POLICY,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What stands around every page of an association. `association` None: an error page of the server itself."""

    association: AssociationSettings | None
    style: str
    icon: str
    paths: Paths
    #: Their name, "" where it is not known; only of use where `signed_in`.
    reader: str = ""
    signed_in: bool = False
    #: There is something that they may read.
    reads: bool = False
    is_coordinator: bool = False
    #: Where a stranger signs in, to come back to this page.
    sign_in: str = ""
    #: Name and value of the hidden field of each form that changes something.
    token_name: str = FORM_TOKEN
    token: str = ""
    indexed: bool = False
    #: Which entry of the menu this page is.
    here: str = ""
    #: What was searched, to stand in the field.
    searched: str = ""

    @property
    def title(self) -> str:
        return self.association.title if self.association else "Passerelle"


@cache
def style_sheet() -> tuple[str, bytes]:
    """The version and the bytes of the style sheet; the version is made of the bytes (and the
    icon's), so that it may be kept for ever.

    Raises OSError where it is not installed.
    """
    data = (TEMPLATES / "web" / "style.css").read_bytes()
    return sha256(data + icon()).hexdigest()[:12], data


@cache
def icon() -> bytes:
    """The icon of every page. Raises OSError where it is not installed."""
    return (TEMPLATES / "web" / "icon.svg").read_bytes()


def paths_of(request: web.Request) -> Paths:
    """The paths of the association of this request."""
    return Paths(root=f"{root_path(request.app[CONTEXT].settings.web)}/{request[ASSOCIATION].name}")


def renderer_of(request: web.Request) -> Renderer:
    """The templates and words of the association of this request."""
    return request.app[CONTEXT].renderer(request[ASSOCIATION])


def words_of(request: web.Request) -> Words:
    return renderer_of(request).words


def link_settings(request: web.Request, name: str) -> LinkSettings | None:
    """The configured link of the association of this request; None where there is none of this name."""
    return next((link for link in request[ASSOCIATION].links if link.name == name), None)


def page(
    request: web.Request, name: str, /, *, status: int = 200, here: str = "", searched: str = "", **values: object
) -> web.Response:
    """Template `web/<name>.html` as a page of the association of this request.

    The template knows `frame` and `values`; it extends `web/base.html.j2`. Raises ConfigError as `Renderer.render`.
    """
    ctx = request.app[CONTEXT]
    if ASSOCIATION not in request:
        return bare_page(ctx, name, status=status, **values)
    signed_in = is_signed_in(request)
    paths = paths_of(request)
    reader = request.get(READER)
    frame = Frame(
        association=request[ASSOCIATION],
        style=_style_path(ctx, "css"),
        icon=_style_path(ctx, "svg"),
        paths=paths,
        reader=reader.name if reader else "",
        signed_in=signed_in,
        reads=reader is not None and bool(reader.shelves),
        is_coordinator=signed_in and reader is not None and reader.is_coordinator,
        sign_in="" if signed_in else paths.sign_in(safe_target(request[ASSOCIATION].name, request.raw_path)),
        token=form_token(request),
        indexed=reader is not None and may_be_indexed(request),
        here=here,
        searched=searched,
    )
    return _answer(renderer_of(request).render(f"web/{name}.html", frame=frame, **values), status)


def bare_page(ctx: FlowContext, name: str, /, *, status: int, **values: object) -> web.Response:
    """A page of no association: in the language of the first."""
    frame = Frame(
        association=None,
        style=_style_path(ctx, "css"),
        icon=_style_path(ctx, "svg"),
        paths=Paths(root=root_path(ctx.settings.web)),
    )
    renderer = ctx.renderer(ctx.settings.associations[0])
    answer = _answer(renderer.render(f"web/{name}.html", frame=frame, **values), status)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _answer(html: str, status: int) -> web.Response:
    return web.Response(text=html, content_type="text/html", charset="utf-8", status=status, headers=SAFE_HEADERS)


def _style_path(ctx: FlowContext, ending: str) -> str:
    return f"{root_path(ctx.settings.web)}/style/{style_sheet()[0]}.{ending}"


def absolute(request: web.Request, path: str) -> str:
    """A path of ours as the address that stands in a mail or a feed."""
    settings = request.app[CONTEXT].settings.web
    return f"{settings.url.rstrip('/').removesuffix(root_path(settings))}{path}" if settings else path


def page_number(request: web.Request) -> int:
    """Which page of a long list was asked for, from 1 on. Raises HTTPNotFound where that is no number."""
    asked = request.query.get("page", "1")
    if not (asked.isascii() and asked.isdecimal() and len(asked) < 7 and int(asked) > 0):
        raise web.HTTPNotFound
    return int(asked)


def local(request: web.Request, at: datetime) -> datetime:
    """An aware instant in the association's time zone."""
    return at.astimezone(request[ASSOCIATION].zone())


#: Later than any post.
END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
