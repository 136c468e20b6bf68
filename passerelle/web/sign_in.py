"""Pages of signing in and out, and of the feed key. None of them tells a stranger who is known."""

import asyncio
import logging
from typing import Any

from aiohttp import web

from passerelle.core.ids import AssociationName
from passerelle.errors import PasserelleError
from passerelle.flows.sessions import Entry, end_feed_key, lasts, make_feed_key, sign_out
from passerelle.flows.sign_in import enter, find_invitation, is_too_often, send_link
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import (
    ASSOCIATION,
    ENTRY,
    Form,
    checked_form,
    comes_from,
    drop_cookie,
    exactly,
    form_of,
    is_signed_in,
    place_of,
    root_path,
    safe_target,
    set_cookie,
)
from passerelle.web.pages import page, paths_of

log = logging.getLogger(__name__)

#: What is done after an answer was given.
AFTERWARDS: web.AppKey[set[asyncio.Task[None]]] = web.AppKey("afterwards", set)
#: The answer is on its way by then, whatever the work is.
_AFTER_SECONDS = 0.05
#: More at a time are a flood: what is asked for then is not done.
_MOST_AT_ONCE = 50


def set_up(app: web.Application) -> None:
    """Give an application what these pages need of it."""
    app[AFTERWARDS] = set()

    async def finish(app: web.Application) -> None:
        await asyncio.gather(*app[AFTERWARDS], return_exceptions=True)

    app.on_shutdown.append(finish)


def _name(request: web.Request) -> AssociationName:
    return AssociationName(request[ASSOCIATION].name)


def _word(form: Form, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


async def ask(request: web.Request) -> web.Response:
    """GET: the page with its one field; `next` is the page to come back to."""
    target = safe_target(_name(request), request.query.get("next", ""))
    if is_signed_in(request):
        raise _go_on(request, target)
    return _form_page(request, "sign_in", target=target)


async def send(request: web.Request) -> web.Response:
    """POST: the same answer whatever was typed, given before anything is looked up."""
    if comes_from(request) == "elsewhere":
        raise web.HTTPForbidden
    ctx, form = request.app[CONTEXT], await form_of(request)
    if await is_too_often(ctx, place_of(request)):
        return _form_page(request, "sign_in_too_often", status=429)
    typed, target = _word(form, "who"), safe_target(_name(request), _word(form, "next"))
    tasks = request.app[AFTERWARDS]
    if len(tasks) < _MOST_AT_ONCE:
        task = asyncio.create_task(_send_afterwards(request.app, _name(request), typed, target))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    return _form_page(request, "sign_in_sent", minutes=ctx.settings.web.link_minutes if ctx.settings.web else 60)


async def _send_afterwards(app: web.Application, association: AssociationName, typed: str, target: str) -> None:
    await asyncio.sleep(_AFTER_SECONDS)
    try:
        await send_link(app[CONTEXT], association, typed, target)
    except PasserelleError:
        log.exception("A link to sign in could not be written", extra={"association": association})


async def confirm(request: web.Request) -> web.Response:
    """GET: a button, and nothing is spent; whose address is shared says who they are."""
    return await _confirm_page(request)


async def _confirm_page(request: web.Request, *, nobody_chosen: bool = False) -> web.Response:
    secret = request.match_info["token"]
    invitation = await find_invitation(request.app[CONTEXT], _name(request), secret)
    good = invitation.state == "good"
    return _form_page(
        request,
        "sign_in_confirm",
        status=200 if good else 410,
        state=invitation.state,
        people=invitation.people,
        nobody_chosen=nobody_chosen,
    )


async def come_in(request: web.Request) -> web.Response:
    """POST: spends the link, once, and goes on to the very page that was asked for (PEOPLE 10)."""
    if comes_from(request) == "elsewhere":
        raise web.HTTPForbidden
    ctx, form = request.app[CONTEXT], await form_of(request)
    person, shared = _word(form, "person"), "shared" in form
    entered = await enter(
        ctx,
        _name(request),
        request.match_info["token"],
        person_id=int(person) if person.isascii() and person.isdecimal() and len(person) < 19 else None,
        shared=shared,
    )
    if entered is None:
        return await _confirm_page(request, nobody_chosen=True)
    answer = _go_on(request, entered.target)
    set_cookie(request, answer, entered.secret, lasts=None if shared else lasts(ctx, shared=False))
    raise answer


async def leave(request: web.Request) -> web.Response:
    """POST: ends this session, here and in the store."""
    entry = await _of_form(request)
    await sign_out(request.app[CONTEXT], entry)
    del request[ENTRY]
    answer = _form_page(request, "signed_out")
    drop_cookie(request, answer)
    # What the browser kept of the pages, for whoever comes to this computer next (W3C Clear Site Data).
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


async def make_key(request: web.Request) -> web.Response:
    """POST: a new secret address of feeds, shown this once."""
    entry = await _of_form(request)
    key = await make_feed_key(request.app[CONTEXT], entry)
    settings = request.app[CONTEXT].settings.web
    site = settings.url.removesuffix(root_path(settings)).rstrip("/") if settings else ""
    return _form_page(request, "feed_key", key=key, site=site)


async def end_key(request: web.Request) -> web.Response:
    """POST: the secret address of feeds is worth nothing any more."""
    entry = await _of_form(request)
    await end_feed_key(request.app[CONTEXT], entry)
    raise web.HTTPSeeOther(paths_of(request).feeds())


async def _of_form(request: web.Request) -> Entry:
    await checked_form(request)
    return request[ENTRY]


def _go_on(request: web.Request, target: str) -> web.HTTPSeeOther:
    root = root_path(request.app[CONTEXT].settings.web)
    checked = safe_target(_name(request), target)
    return web.HTTPSeeOther(exactly(f"{root}{checked}" if checked else paths_of(request).home()))


def _form_page(request: web.Request, name: str, *, status: int = 200, **values: Any) -> web.Response:
    answer = page(request, name, status=status, here="sign_in", **values)
    # Without it older browsers say `Origin: null` with our own forms; nothing leaves to other sites either way.
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


#: The rows of `web.routes` that are answered here.
HANDLERS = {
    "sign_in": ask,
    "sign_in_send": send,
    "sign_in_confirm": confirm,
    "sign_in_enter": come_in,
    "sign_out": leave,
    "feed_key_make": make_key,
    "feed_key_end": end_key,
}
