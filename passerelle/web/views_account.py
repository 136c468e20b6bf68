"""The year's account, for coordinators: on a page, and as files to take along."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import get_args

from aiohttp import web

from passerelle.core.account_facts import AccountScope
from passerelle.core.ids import LinkName
from passerelle.core.settings import AssociationSettings
from passerelle.flows.account import account_file_name, account_in_words, make_account, scope_of
from passerelle.flows.account_paper import AccountForm, account_on_paper
from passerelle.web.app_keys import CONTEXT
from passerelle.web.door import ASSOCIATION, nothing_here, signed_in
from passerelle.web.lists import link_title
from passerelle.web.pages import local, page, paths_of, words_of
from passerelle.web.views_meetings import paper

_TYPES: Mapping[AccountForm, str] = {
    "html": "text/html; charset=utf-8",
    "odt": "application/vnd.oasis.opendocument.text",
    "csv": "text/csv; charset=utf-8",
}
_LONGEST = 60
_YEARS = range(1970, 2101)


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedAccount:
    """What the page is asked for, as its form shows it again."""

    year: int
    first: str
    last: str
    tag: str
    link: str
    scope: AccountScope
    #: The days that were given are no period: the year stands in their place.
    is_wrong: bool

    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        days = {"from": self.first, "to": self.last} if self.first and not self.is_wrong else {"year": str(self.year)}
        return {**days, "tag": self.tag, "link": self.link}


async def account(request: web.Request) -> web.StreamResponse:
    """The account of a year, or of some months, and of a project where one is asked for."""
    _for_coordinators(request)
    ctx, association, paths = request.app[CONTEXT], request[ASSOCIATION], paths_of(request)
    asked = _asked(request, association)
    made = await make_account(ctx, association, asked.scope)
    return page(
        request,
        "account",
        here="account",
        account=account_in_words(ctx, association, made, words_of(request)),
        asked=asked,
        links=[(link.name, link_title(link.name)) for link in association.links] if len(association.links) > 1 else [],
        files={form: paths.account_file(form, **asked.query()) for form in _TYPES},
    )


async def account_file(request: web.Request) -> web.StreamResponse:
    """The same as a file, with its charts where the form has pictures."""
    _for_coordinators(request)
    ctx, association = request.app[CONTEXT], request[ASSOCIATION]
    form = next(one for one in get_args(AccountForm) if one == request.match_info["paper"])
    asked, words = _asked(request, association), words_of(request)
    made = account_in_words(ctx, association, await make_account(ctx, association, asked.scope), words)
    data = await account_on_paper(ctx, association, made, form)
    return paper(data, account_file_name(asked.scope, words, form), _TYPES[form])


def _for_coordinators(request: web.Request) -> None:
    if not signed_in(request).reader.is_coordinator:
        raise nothing_here(request)


def _asked(request: web.Request, association: AssociationSettings) -> AskedAccount:
    """What an address asks for; what is not understood asks for this year."""
    query = request.query
    this_year = local(request, request.app[CONTEXT].now()).year
    year = query.get("year", "")
    number = int(year) if year.isascii() and year.isdecimal() and len(year) == 4 else this_year
    number = number if number in _YEARS else this_year
    tag, link = query.get("tag", "")[:_LONGEST].strip(), query.get("link", "")
    links = [LinkName(one.name) for one in association.links if one.name == link]
    first, last = (query.get(name, "")[:10] for name in ("from", "to"))
    scope = None
    if first or last:
        try:
            begin, end = date.fromisoformat(first), date.fromisoformat(last)
            scope = scope_of(association, first=begin, last=end, links=links, tag=tag) if _is_near(begin, end) else None
        except ValueError:
            scope = None
    is_wrong = bool(first or last) and scope is None
    if scope is None:
        scope = scope_of(association, first=date(number, 1, 1), last=date(number, 12, 31), links=links, tag=tag)
    return AskedAccount(
        year=number, first=first, last=last, tag=tag, link=link if links else "", scope=scope, is_wrong=is_wrong
    )


def _is_near(*days: date) -> bool:
    return all(day.year in _YEARS for day in days)
