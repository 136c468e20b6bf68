"""The archive's web server: every address with its handler, the door, errors as pages, and listening."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from passerelle.core.archive_settings import WebSettings
from passerelle.errors import ConfigError, PasserelleError
from passerelle.flows.context import FlowContext
from passerelle.web import (
    sign_in,
    views_account,
    views_calendar,
    views_catch_up,
    views_coordinator,
    views_digests,
    views_entry,
    views_feeds,
    views_fiches,
    views_files,
    views_home,
    views_meetings,
    views_minutes,
    views_network,
    views_now,
    views_own,
    views_register,
    views_search,
    views_thread,
)
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, READER, door
from passerelle.web.pages import SAFE_HEADERS, bare_page, page, style_sheet
from passerelle.web.routes import ROUTES

log = logging.getLogger(__name__)
#: What aiohttp says of requests that are none: it writes down their first line, which may hold a secret, or a search.
_PROTOCOL_LOG = logging.getLogger("passerelle.web.protocol")
_PROTOCOL_LOG.disabled = True

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Forms hold a line of text.
_LARGEST_FORM_BYTES = 64 * 1024
_LONGEST_HEADER_LINE = 16 * 1024

HANDLERS: Mapping[str, Handler] = {
    "root": views_home.root,
    "robots": views_home.robots,
    "style": views_home.style,
    "root_message": views_thread.root_message,
    "root_short": views_thread.root_short,
    "bare": views_home.bare,
    "home": views_home.home,
    "link": views_home.link_months,
    "month": views_home.month,
    "thread": views_thread.thread,
    "message": views_thread.message,
    "short": views_thread.short,
    "post": views_thread.post,
    "original": views_files.original,
    "original_file": views_files.original_file,
    "file": views_files.file,
    "search": views_search.search,
    "mine": views_own.mine,
    "acts": views_own.acts,
    "now": views_now.now,
    "now_pdf": views_now.now_pdf,
    "network": views_network.network,
    "network_fiche": views_network.network_fiche,
    "network_fiche_file": views_network.network_fiche_file,
    "fiches": views_fiches.fiches,
    "fiche": views_fiches.fiche,
    "fiche_file": views_fiches.fiche_file,
    "fiche_make": views_fiches.fiche_make,
    "fiche_change": views_fiches.fiche_change,
    "register": views_register.register,
    "register_csv": views_register.register_csv,
    "register_json": views_register.register_json,
    "entry": views_entry.entry,
    "entry_change": views_entry.entry_change,
    "meetings": views_meetings.meetings,
    "meeting": views_meetings.meeting,
    "convocation": views_meetings.convocation,
    "meeting_answer": views_meetings.meeting_answer,
    "minutes": views_minutes.minutes,
    "minutes_odt": views_minutes.minutes_odt,
    "minutes_pdf": views_minutes.minutes_pdf,
    "calendar": views_calendar.calendar,
    "calendar_file": views_calendar.calendar_file,
    "keyed_calendar": views_calendar.calendar_file,
    "digests": views_digests.digests,
    "digest": views_digests.digest,
    "catch_up": views_catch_up.catch_up,
    "digest_preview": views_digests.digest_preview,
    "digest_stop": views_digests.digest_stop,
    "digest_stopped": views_digests.digest_stopped,
    "account": views_account.account,
    "account_file": views_account.account_file,
    "about": views_home.about,
    "feeds": views_feeds.feeds,
    "feed_all": views_feeds.feed_all,
    "feed_link": views_feeds.feed_link,
    "feed_thread": views_feeds.feed_thread,
    "keyed_all": views_feeds.feed_all,
    "keyed_link": views_feeds.feed_link,
    "keyed_thread": views_feeds.feed_thread,
    **sign_in.HANDLERS,
    "hide": views_coordinator.hide,
    "show": views_coordinator.show,
    "split": views_coordinator.split,
    "attach": views_coordinator.attach,
    "undo": views_coordinator.undo,
}

#: Title and sentence of an error's page (catalogues), by HTTP status.
_ERRORS = {
    400: ("web_wrong_request", "web_wrong_request_told"),
    403: ("web_forbidden", "web_forbidden_told"),
    404: ("web_not_found", "web_not_found_told"),
    405: ("web_not_found", "web_not_found_told"),
    413: ("web_wrong_request", "web_wrong_request_told"),
    429: ("web_too_often", "web_too_often_told"),
}
_FAILED = ("web_failed", "web_failed_told")


def build_app(ctx: FlowContext) -> web.Application:
    """The application with all its addresses. Raises ConfigError where its files are not installed."""
    try:
        style_sheet()
    except OSError as error:
        raise ConfigError("the archive's style sheet is not installed: install Passerelle again") from error
    app = web.Application(client_max_size=_LARGEST_FORM_BYTES, middlewares=[errors_as_pages, door])
    app[CONTEXT] = ctx
    sign_in.set_up(app)
    for route in ROUTES:
        # HEAD comes with GET, and never changes anything.
        app.router.add_route(route.method, route.path, HANDLERS[route.name])
        if route.method == "GET":
            app.router.add_route("HEAD", route.path, HANDLERS[route.name])
    return app


@web.middleware
async def errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """An error is a page in plain words, with the headers of every page; what we did wrong is logged, never shown."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            error.headers.update(SAFE_HEADERS)
            raise
        return _error_page(request, error.status, error)
    except PasserelleError as error:
        log.error("A page could not be made: %s", error, extra={"route": _route_name(request)})
        return _error_page(request, 500)
    except Exception:
        log.exception("A page failed", extra={"route": _route_name(request)})
        return _error_page(request, 500)


def _route_name(request: web.Request) -> str:
    """Which kind of page it was; never its address, which may hold a secret."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"


def _error_page(request: web.Request, status: int, error: web.HTTPException | None = None) -> web.Response:
    title, told = _ERRORS.get(status, _FAILED)
    if status == 403 and isinstance(error, views_coordinator.NotACoordinator):
        title, told = "web_not_yours", "web_not_yours_told"
    ctx = request.app[CONTEXT]
    if ASSOCIATION in request and READER in request:
        words = ctx.renderer(request[ASSOCIATION]).words
        answer = page(request, "error", status=status, title=words(title), told=words(told))
    else:
        words = ctx.renderer(ctx.settings.associations[0]).words
        answer = bare_page(ctx, "error", status=status, title=words(title), told=words(told))
    answer.headers["Cache-Control"] = "no-store"
    for name in ("Retry-After", "Allow", "X-Robots-Tag"):
        if error is not None and name in error.headers:
            answer.headers[name] = error.headers[name]
    return answer


class ArchiveServer:
    """Listens for the web server before it. Made once; `start` and `stop`."""

    def __init__(self, ctx: FlowContext, settings: WebSettings) -> None:
        self._ctx, self._settings = ctx, settings
        self._runner: web.AppRunner | None = None
        #: Where it listens, once started.
        self.port = 0

    async def run(self) -> None:
        """Listen until cancelled. Raises ConfigError where the address cannot be taken."""
        await self.start()
        log.info("The archive is read on the web", extra={"port": self.port})
        try:
            await asyncio.Event().wait()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Listen. Raises ConfigError where the address cannot be taken."""
        runner = web.AppRunner(
            build_app(self._ctx),
            access_log=None,  # who read what is nobody's business (PEOPLE 9)
            logger=_PROTOCOL_LOG,
            keepalive_timeout=30,
            max_line_size=_LONGEST_HEADER_LINE,
        )
        await runner.setup()
        self._runner = runner
        try:
            await web.TCPSite(runner, self._settings.host, self._settings.port).start()
        except OSError as error:
            await self.stop()
            where = f"{self._settings.host} port {self._settings.port}"
            raise ConfigError(f"web: cannot listen on {where} ({error.strerror})") from error
        self.port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Answer what was asked, and listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
