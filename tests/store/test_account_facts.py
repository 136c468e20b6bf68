"""A year's account, each figure as it was counted by hand, on both databases (the year: `account_year`)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from passerelle.core.account_model import Account
from passerelle.core.ids import LinkName
from passerelle.flows.account import make_account, scope_of
from passerelle.store.engine import Store
from tests.store.account_year import MADE_AT, association_of, context, filled, paris
from tests.store.made import LINK
from tests.store.made_secretary import OTHER

Value = int | float | str | None

GOLDEN: dict[str, dict[str, Value | tuple[Value, ...]]] = {
    "meetings": {"held": 3, "cancelled": 1, "unnoted": 1, "present": 15, "represented": "few", "excused": "few"},
    "meetings_by_month": {
        "2026-01": (1, 9), "2026-02": (0, 0), "2026-03": (1, 6), "2026-04": (0, 0), "2026-05": (0, 0),
        "2026-06": (1, 0), "2026-07": (0, 0), "2026-08": (0, 0), "2026-09": (0, 0), "2026-10": (0, 0),
        "2026-11": (0, 0), "2026-12": (0, 0), "total": (3, 15),
    },
    "people": {"people_mail": 7, "people_chat": 5, "people_both": 6, "people": 18},
    "said": {
        "threads": 15, "threads_new": 14, "threads_mail": 3, "threads_chat": 2, "threads_both": 10,
        "posts": 49, "posts_mail": 26, "posts_chat": 23,
    },
    "said_by_month": {
        "2026-01": (6, 0), "2026-02": (0, 1), "2026-03": (0, 5), "2026-04": (0, 0), "2026-05": (6, 6),
        "2026-06": (1, 3), "2026-07": (0, 0), "2026-08": (0, 0), "2026-09": (12, 8), "2026-10": (0, 0),
        "2026-11": (0, 0), "2026-12": (1, 0), "total": (26, 23),
    },
    "questions": {"asked": 10, "answered": 8, "unanswered": 2, "median": 20.0, "p90": 400.0},
    "waits": {"wait_hour": 2, "wait_day": 2, "wait_three_days": 2, "wait_week": 1, "wait_longer": 1, "wait_none": 2},
    "decisions": {"decisions_proposed": 4, "decisions_adopted": 2, "decisions_dropped": 1, "decisions_objected": 1},
    "actions": {"actions_noted": 5, "actions_done": 3, "actions_late": 1, "actions_overdue": 1},
    "counts": {"goûter": (2, 15), "Permanence": (3, 35), "total": (5, 50)},
    # « permanence » was 3 in February: March, which follows, is withheld with it, or a subtraction would say it.
    "counts_by_month": {
        "2026-01": (0, 12), "2026-02": (0, "withheld"), "2026-03": (15, "withheld"), "2026-04": (0, 0),
        "2026-05": (0, 0), "2026-06": (0, 0), "2026-07": (0, 0), "2026-08": (0, 0), "2026-09": (0, 0),
        "2026-10": (0, 0), "2026-11": (0, 0), "2026-12": (0, 0), "total": (15, 35),
    },
    "loans": {"loans_lent": 3, "loans_returned": 1, "loans_out": 2, "loans_overdue": 1},
    "requests": {"reçue": 2, "étudiée": 0, "acceptée": 1, "refusée": 0, "total": 3},
    "noted": {"noted_idea": 1},
    "tags": {"#jardin": (1, 2), "#verger": (0, 1)},
}  # fmt: skip


def figures(account: Account) -> dict[str, dict[str, Any]]:
    """Every figure by table and row; what is hidden by why."""
    found: dict[str, dict[str, Any]] = {}
    for table in account.tables:
        for row in table.rows:
            values = tuple(one.hidden or one.value for one in row.figures)
            found.setdefault(table.name, {})[row.key or row.label] = values[0] if len(values) == 1 else values
    return found


async def of_year(store: Store, **asked: Any) -> Account:
    values = {"first": date(2026, 1, 1), "last": date(2026, 12, 31), **asked}
    now = values.pop("now", MADE_AT)
    ctx = context(store, now=now)
    association = association_of(ctx)
    return await make_account(ctx, association, scope_of(association, **values))


async def test_the_golden_year(store: Store) -> None:
    await filled(store)
    assert figures(await of_year(store)) == GOLDEN


async def test_a_project(store: Store) -> None:
    await filled(store)
    found = figures(await of_year(store, tag="#Jardin"))
    assert found["said"] == {
        "threads": 1, "threads_new": 1, "threads_mail": 0, "threads_chat": 0, "threads_both": 1,
        "posts": 4, "posts_mail": 1, "posts_chat": 3,
    }  # fmt: skip
    # Four persons: neither they nor the sides on which they wrote.
    assert found["people"] == {
        "people_mail": "withheld", "people_chat": "withheld", "people_both": "withheld", "people": "few"
    }  # fmt: skip
    assert found["decisions"]["decisions_proposed"] == 1
    assert found["actions"] == {"actions_noted": 1, "actions_done": 1, "actions_late": 1, "actions_overdue": 0}
    assert found["meetings"]["held"] == 1
    assert "tags" not in found


async def test_a_few_months_and_their_first_and_last_day(store: Store) -> None:
    await filled(store)
    found = figures(await of_year(store, first=date(2026, 3, 5), last=date(2026, 5, 20)))
    assert found["said_by_month"] == {"2026-03": (0, 5), "2026-04": (0, 0), "2026-05": (6, 0), "total": (6, 5)}
    assert found["meetings"]["held"] == 1
    assert found["actions"]["actions_noted"] == 4


async def test_one_month_has_no_table_by_month(store: Store) -> None:
    await filled(store)
    found = figures(await of_year(store, first=date(2026, 5, 1), last=date(2026, 5, 31)))
    assert found["said"]["posts"] == 12
    assert not [name for name in found if name.endswith("_by_month")]


async def test_another_link_has_its_own(store: Store) -> None:
    await filled(store)
    assert figures(await of_year(store, links=[LINK])) == GOLDEN
    other = figures(await of_year(store, links=[OTHER]))
    assert other["said"]["posts"] == other["meetings"]["held"] == other["decisions"]["decisions_proposed"] == 0
    assert other["people"]["people"] == 0
    assert other["questions"]["median"] is None
    with pytest.raises(KeyError):
        await of_year(store, links=[LinkName("nulle-part")])


async def test_what_is_due_is_overdue_only_when_its_day_is_over(store: Store) -> None:
    await filled(store)
    on_the_day = figures(await of_year(store, now=paris(2026, 7, 1)))
    assert on_the_day["actions"]["actions_overdue"] == 0
    assert on_the_day["loans"]["loans_overdue"] == 1
    the_day_after = figures(await of_year(store, now=paris(2026, 7, 2)))
    assert the_day_after["actions"]["actions_overdue"] == 1


@pytest.mark.parametrize(
    ("first", "last"), [(date(2026, 5, 2), date(2026, 5, 1)), (date(2020, 1, 1), date(2026, 1, 1))]
)
async def test_no_period(store: Store, first: date, last: date) -> None:
    with pytest.raises(ValueError, match="it "):
        await of_year(store, first=first, last=last)


async def test_many_posts_with_a_tag_are_looked_through_page_by_page(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("passerelle.store.account_posts._AT_A_TIME", 2)
    await filled(store)
    assert figures(await of_year(store)) == GOLDEN
