"""An account as a value: tables of figures, each with where its records are. Pure; in words: `core.account_words`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from passerelle.core.account_facts import AccountScope
from passerelle.core.account_suppression import Told

Unit = Literal["things", "persons", "hours"]
#: How a table is drawn besides: bars beside each other, or bars of which each is parted.
ChartKind = Literal["", "bars", "stacked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One number."""

    #: None where there is none to tell: it is hidden, or nothing happened of which it could be (a median of nothing).
    value: int | float | None
    unit: Unit = "things"
    #: Why it is hidden (`core.account_suppression`); None where it is not.
    hidden: Literal["few", "withheld"] | None = None
    #: Below the archive's root, where the records are that it counts; "" nowhere.
    path: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One line of a table."""

    #: By which the catalogues call it and define it (`account_row_…`, `account_means_…`); "" where it has a label.
    key: str = ""
    #: A month as `2026-03`, or what members call a state, an activity, a tag.
    label: str = ""
    figures: tuple[Figure, ...]
    is_total: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountTable:
    """One table, and whether it is drawn as well."""

    #: By which the catalogues call it (`account_table_…`).
    name: str
    #: What it is about besides: a configured kind, as members call it.
    about: str = ""
    #: By which the catalogues call its columns (`account_column_…`), or, behind a colon, words of members.
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: ChartKind = ""
    #: Which columns are drawn, by their place; what is of another size is not.
    drawn: tuple[int, ...] = (0,)
    #: Its rows are months.
    is_by_month: bool = False
    #: So many more rows there would be.
    more: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """The account of a period."""

    scope: AccountScope
    made_at: datetime
    tables: tuple[AccountTable, ...]

    @property
    def has_hidden(self) -> bool:
        """Whether a number of persons is not told."""
        return any(one.hidden for table in self.tables for row in table.rows for one in row.figures)


def things(number: int, path: str = "") -> Figure:
    return Figure(value=number, path=path)


def persons(told: Told, path: str = "") -> Figure:
    """A number of persons, as it may be told. What is hidden leads nowhere: there it could be counted."""
    return Figure(value=told.number, unit="persons", hidden=told.hidden, path="" if told.hidden else path)
