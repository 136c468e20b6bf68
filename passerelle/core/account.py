"""The year's account: what becomes of facts, figure by figure. Pure; small numbers of persons are hidden here.

Each row's definition stands in the catalogues (`account_means_…`), in one sentence, and in the document itself.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from passerelle.core.account_facts import AccountFacts, AccountMeeting, PostFacts, Sides
from passerelle.core.account_model import Account, AccountTable, Figure, Row, persons, things
from passerelle.core.account_paths import AccountPaths
from passerelle.core.account_register import register_tables
from passerelle.core.account_suppression import tell, tell_parts

#: The first waits longer than none of these, in the order of the table; then what waited longer, and what still waits.
_WAITED = (
    ("hour", timedelta(hours=1)),
    ("day", timedelta(days=1)),
    ("three_days", timedelta(days=3)),
    ("week", timedelta(days=7)),
)
_MONTHLY = 2


def build_account(facts: AccountFacts) -> Account:
    """The account. Tables of which there is nothing at all are left out, but those that every account has."""
    paths = AccountPaths(scope=facts.scope, today=facts.scope.period.day_of(facts.made_at))
    found = [
        *_meetings(facts, paths),
        _people(facts.posts.authors, paths),
        *_said(facts, paths),
        *_questions(facts.posts),
        *register_tables(facts, paths),
    ]
    return Account(scope=facts.scope, made_at=facts.made_at, tables=tuple(found))


# ------------------------------------------------------------ meetings


def _meetings(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    held = [one for one in facts.meetings if one.is_held]
    path = paths.meetings()
    by_month = tell_parts([sum(one.present for one in of_month) for of_month in _by_month(facts, held)])
    rows = [
        Row(key="held", figures=(things(len(held), path),)),
        Row(key="cancelled", figures=(things(sum(one.is_cancelled for one in facts.meetings), path),)),
        Row(key="unnoted", figures=(things(sum(not one.is_noted for one in held), path),)),
        Row(key="present", figures=(persons(by_month.total, path),)),
        Row(key="represented", figures=(persons(tell(sum(one.represented for one in held)), path),)),
        Row(key="excused", figures=(persons(tell(sum(one.excused for one in held)), path),)),
    ]
    yield AccountTable(name="meetings", columns=("number",), rows=tuple(rows))
    if held and len(facts.scope.period.months) >= _MONTHLY:
        counted = [len(of_month) for of_month in _by_month(facts, held)]
        months = [
            Row(label=month, figures=(things(number), persons(told)))
            for month, number, told in zip(facts.scope.period.months, counted, by_month.parts, strict=True)
        ]
        total = Row(key="total", figures=(things(len(held)), persons(by_month.total)), is_total=True)
        yield AccountTable(
            name="meetings_by_month", columns=("held", "present"), rows=(*months, total), chart="bars", drawn=(1,),
            is_by_month=True,
        )  # fmt: skip


def _by_month(facts: AccountFacts, meetings: Collection[AccountMeeting]) -> list[list[AccountMeeting]]:
    return [
        [one for one in meetings if f"{one.starts_on:%Y-%m}" == month] for month in facts.scope.period.months
    ]  # fmt: skip


# ------------------------------------------------------------ who wrote, and what


def _people(authors: Sides, paths: AccountPaths) -> AccountTable:
    told = tell_parts([authors.mail_only, authors.chat_only, authors.both])
    rows = [
        Row(key=key, figures=(persons(one),))
        for key, one in zip(("people_mail", "people_chat", "people_both"), told.parts, strict=True)
    ]
    total = Row(key="people", figures=(persons(told.total, paths.search()),), is_total=True)
    return AccountTable(name="people", columns=("persons",), rows=(*rows, total), chart="bars")


def _said(facts: AccountFacts, paths: AccountPaths) -> Iterable[AccountTable]:
    posts, threads = facts.posts, facts.posts.threads
    everything, by_mail, in_chat = paths.search(), paths.search("dans:liste"), paths.search("dans:salon")
    numbers = (
        ("threads", threads.total, everything),
        ("threads_new", posts.threads_new, everything),
        ("threads_mail", threads.mail_only, by_mail),
        ("threads_chat", threads.chat_only, in_chat),
        ("threads_both", threads.both, everything),
        ("posts", sum(posts.by_mail) + sum(posts.in_chat), everything),
        ("posts_mail", sum(posts.by_mail), by_mail),
        ("posts_chat", sum(posts.in_chat), in_chat),
    )
    rows = tuple(Row(key=key, figures=(things(number, path),)) for key, number, path in numbers)
    yield AccountTable(name="said", columns=("number",), rows=rows)
    if len(facts.scope.period.months) >= _MONTHLY and (any(posts.by_mail) or any(posts.in_chat)):
        months = [
            Row(label=month, figures=(things(mail), things(chat)))
            for month, mail, chat in zip(facts.scope.period.months, posts.by_mail, posts.in_chat, strict=True)
        ]
        total = Row(key="total", figures=(things(sum(posts.by_mail)), things(sum(posts.in_chat))), is_total=True)
        yield AccountTable(
            name="said_by_month", columns=("by_mail", "in_chat"), rows=(*months, total), chart="stacked",
            drawn=(0, 1), is_by_month=True,
        )  # fmt: skip


# ------------------------------------------------------------ how long questions wait


def _questions(posts: PostFacts) -> Iterable[AccountTable]:
    answered = sorted(wait for wait in posts.waits if wait is not None)
    rows = (
        Row(key="asked", figures=(things(len(posts.waits)),)),
        Row(key="answered", figures=(things(len(answered)),)),
        Row(key="unanswered", figures=(things(len(posts.waits) - len(answered)),)),
        Row(key="median", figures=(_hours(nearest_rank(answered, 0.5)),)),
        Row(key="p90", figures=(_hours(nearest_rank(answered, 0.9)),)),
    )
    yield AccountTable(name="questions", columns=("number",), rows=rows)
    if not posts.waits:
        return
    counted = Counter(_waited(wait) for wait in answered)
    keys = [*(key for key, _ in _WAITED), "longer"]
    waited = [Row(key=f"wait_{key}", figures=(things(counted[key]),)) for key in keys]
    waiting = Row(key="wait_none", figures=(things(len(posts.waits) - len(answered)),))
    yield AccountTable(name="waits", columns=("questions",), rows=(*waited, waiting), chart="bars")


def _waited(wait: timedelta) -> str:
    return next((key for key, most in _WAITED if wait <= most), "longer")


def nearest_rank(waits: Sequence[timedelta], share: float) -> timedelta | None:
    """The smallest of these (sorted) that no smaller share of them exceeds; None of none. It is one that happened.

    The nearest rank (Hyndman & Fan 1996, definition 1): of 10 waits the 5th is the median, the 9th the p90.
    """
    return waits[max(math.ceil(share * len(waits)), 1) - 1] if waits else None


def _hours(wait: timedelta | None) -> Figure:
    return Figure(value=None if wait is None else round(wait / timedelta(hours=1), 1), unit="hours")
