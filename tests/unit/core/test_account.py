"""What becomes of facts: sums that agree, waits that happened, persons that nobody can count back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerelle.core.account import build_account, nearest_rank
from passerelle.core.account_facts import AccountFacts, AccountMeeting, Period, PostFacts, Sides
from passerelle.core.account_model import Account, AccountTable
from passerelle.core.account_suppression import FEWEST, is_small
from tests.unit.core.account_sample import PARIS, entry, facts, scope, shown


def table(account: Account, name: str) -> AccountTable:
    return next(one for one in account.tables if one.name == name)


# ---------------------------------------------------------------- the period


def test_a_period_is_whole_days_of_its_zone_summer_time_or_not() -> None:
    period = Period(first=date(2026, 3, 28), last=date(2026, 3, 29), zone=PARIS)
    assert period.until - period.since == timedelta(hours=47)
    assert period.since == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert period.month_ends == (datetime(2026, 3, 29, 22, tzinfo=UTC),)


def test_months_over_the_end_of_a_year() -> None:
    period = Period(first=date(2025, 11, 15), last=date(2026, 2, 1), zone=ZoneInfo("UTC"))
    assert period.months == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert [end.date().isoformat() for end in period.month_ends] == [
        "2025-12-01", "2026-01-01", "2026-02-01", "2026-02-02",
    ]  # fmt: skip
    assert period.year is None
    assert Period(first=date(2026, 1, 1), last=date(2026, 12, 31), zone=PARIS).year == 2026


# ---------------------------------------------------------------- waits


@pytest.mark.parametrize(
    ("count", "share", "rank"), [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (10, 0.5, 5), (10, 0.9, 9), (11, 0.9, 10)]
)
def test_a_rank_is_a_wait_that_happened(count: int, share: float, rank: int) -> None:
    assert nearest_rank([timedelta(hours=n + 1) for n in range(count)], share) == timedelta(hours=rank)


def test_of_no_answer_there_is_no_median() -> None:
    rows = table(build_account(facts(posts=PostFacts(waits=(None, None)))), "questions").rows
    assert [row.figures[0].value for row in rows] == [2, 0, 2, None, None]


# ---------------------------------------------------------------- the whole


WAITS = st.lists(st.one_of(st.none(), st.timedeltas(timedelta(), timedelta(days=400))), max_size=30)
SIDES = st.builds(
    Sides, mail_only=st.integers(0, 12), chat_only=st.integers(0, 12), both=st.integers(0, 12)
)  # fmt: skip
MEETINGS = st.lists(
    st.builds(
        AccountMeeting, starts_on=st.dates(date(2026, 1, 1), date(2026, 6, 30)), is_held=st.just(True),
        is_cancelled=st.just(False), is_noted=st.just(True), present=st.integers(0, 9),
        represented=st.integers(0, 9), excused=st.integers(0, 9),
    ),
    max_size=8,
)  # fmt: skip
COUNTS = st.lists(
    st.builds(
        entry, st.integers(1, 9), st.just("count"), label=st.sampled_from("abc"), label_folded=st.sampled_from("abc"),
        quantity=st.integers(0, 9), said_on=st.dates(date(2026, 1, 1), date(2026, 6, 30)),
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(WAITS, SIDES, MEETINGS, COUNTS)
def test_no_small_number_of_persons_comes_out_nor_by_subtraction(
    waits: list[timedelta | None], authors: Sides, meetings: list[AccountMeeting], counts: list[object]
) -> None:
    made: AccountFacts = facts(
        posts=PostFacts(authors=authors, waits=tuple(waits)), meetings=tuple(meetings), entries=tuple(counts)
    )
    account = build_account(made)
    assert account == build_account(replace(made))
    for one in account.tables:
        for row in one.rows:
            for figure in row.figures:
                if figure.unit == "persons":
                    assert figure.value is None or not is_small(int(figure.value))
                    assert figure.hidden is None or (figure.value is None and figure.path == "")
        parts = [row for row in one.rows if not row.is_total]
        total = next((row for row in one.rows if row.is_total), None)
        for place in range(len(one.columns)) if total is not None else ():
            column = [row.figures[place] for row in parts]
            whole = total.figures[place]
            hidden = [figure for figure in column if figure.hidden]
            if whole.value is not None and whole.unit == "persons":
                rest = whole.value - sum(figure.value or 0 for figure in column)
                assert rest == 0 if not hidden else (rest >= FEWEST and len(hidden) > 1)
            elif whole.hidden:
                assert all(figure.hidden for figure in column)


def test_a_number_that_is_told_twice_is_hidden_twice() -> None:
    """Presences stand in the table of meetings and in that by month: hidden in one, they could be read in the other."""
    alone = (AccountMeeting(starts_on=date(2026, 1, 5), is_held=True, is_cancelled=False, is_noted=True, present=3),)
    account = build_account(facts(meetings=alone))
    present = next(row for row in table(account, "meetings").rows if row.key == "present")
    total = table(account, "meetings_by_month").rows[-1]
    assert (present.figures[0].hidden, total.figures[1].hidden) == ("few", "few")


# ---------------------------------------------------------------- in words


def test_every_figure_has_its_definition() -> None:
    for one in (*shown().tables, *shown("en").tables):
        for row in one.rows:
            assert row.means or one.note or row.is_total, (one.title, row.label)


def test_what_is_not_over_says_so() -> None:
    assert not any("pas finie" in one for one in shown().intro)
    assert any("pas finie" in one for one in shown(made_at=datetime(2026, 6, 30, 12, tzinfo=UTC)).intro)


def test_of_what_it_is_stands_above_it() -> None:
    account = shown(scope=replace(scope(), is_whole=False, links=frozenset({"jardin"}), tag="compost"))
    assert account.intro[:2] == ("Pour\u00a0: Jardin.", "Pour le projet #compost seulement.")
    assert account.title == "Bilan\u00a0: Comité de l’Épeule & amis <b>"
    assert account.period == "Du 1er janvier au 30 juin 2026"


@pytest.mark.parametrize(
    ("hours", "french", "english"),
    [(0.5, "0,5 heure", "0.5 hours"), (1.0, "1 heure", "1 hour"), (1.5, "1,5 heure", "1.5 hours"),
     (47.5, "47,5 heures", "47.5 hours"), (96.0, "4 jours", "4 days"), (50.0, "2,1 jours", "2.1 days")],
)  # fmt: skip
def test_waits_in_words(hours: float, french: str, english: str) -> None:
    posts = PostFacts(waits=(timedelta(hours=hours),))
    for account, expected in ((shown(posts=posts), french), (shown("en", posts=posts), english)):
        waited = [
            row.cells[0].text for one in account.tables for row in one.rows if row.cells[0].unit in ("heures", "hours")
        ]
        assert [text.replace("\u00a0", " ") for text in waited] == [expected, expected]


def test_large_numbers_have_their_spaces() -> None:
    said = next(one for one in shown().tables if one.id.endswith("said"))
    assert [cell.text for row in said.rows[6:7] for cell in row.cells] == ["1\u202f244"]
    assert said.rows[6].cells[0].plain == "1244"


def test_sentences_are_short() -> None:
    account = shown()
    means = [row.means for one in account.tables for row in one.rows]
    for sentence in (*account.intro, *account.hidden, *account.uncounted, *means):
        assert len(sentence.split()) <= 23, sentence
