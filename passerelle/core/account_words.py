"""An account in the words of a language, for every form of it: page, text document, spreadsheet, chart. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from babel.dates import format_date, get_timezone_location
from babel.numbers import format_decimal

from passerelle.core.account_model import Account, AccountTable, ChartKind, Figure, Row
from passerelle.core.names import one_line
from passerelle.core.wording import Words

#: The head of the first column, where the rows of a table are not simply figures.
_FIRST_HEADS = {
    "people": "account_who", "waits": "account_wait", "counts": "account_activity", "requests": "account_state",
    "tags": "account_tag",
}  # fmt: skip
#: Tables that have a sentence of their own, since their rows have none.
_NOTED = frozenset({"meetings_by_month", "said_by_month", "counts", "counts_by_month", "requests", "tags"})
_UNCOUNTED = ("erased", "imported", "private", "twice", "names")
#: A wait of more hours is told in days.
_MOST_HOURS = 48
_LONGEST_LABEL = 120


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountPlace:
    """Whose account it is, and where its figures lead."""

    #: What the association is called.
    title: str
    #: The archive's root on the web, without a slash at the end; "" without a web, or for whom it leads nowhere.
    web: str = ""
    #: How each link is called.
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownCell:
    #: « 1 204 », « moins de 5 », « 3 heures ».
    text: str
    #: The number alone, to be reckoned with: « 1204 », « 1,5 »; `text` where it is hidden.
    plain: str
    #: To be drawn; None where it is hidden, or none.
    number: float | None
    unit: str
    #: It stands for a number of persons that is not told.
    is_hidden: bool = False
    url: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRow:
    label: str
    #: The same for the foot of a bar: « janv. ».
    short: str
    #: The label is members' own words.
    is_own: bool
    #: What the figure counts, in a sentence; "" where the table says it.
    means: str
    cells: tuple[ShownCell, ...]
    is_total: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownTable:
    #: For an anchor, and for the name of a file; unique in the account.
    id: str
    title: str
    #: Of the first column, then of the others.
    heads: tuple[str, ...]
    rows: tuple[ShownRow, ...]
    note: str = ""
    #: What stands behind the table: so many more rows.
    more: str = ""
    chart: ChartKind = ""
    #: What the chart shows, for who does not see it.
    chart_alt: str = ""
    #: Which columns it shows, by their place among the cells of a row.
    drawn: tuple[int, ...] = (0,)
    is_by_month: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownAccount:
    language: str
    association: str
    title: str
    #: « Du 1er janvier au 31 décembre 2026 »; then of what it is, and how it was made, a sentence each.
    period: str
    intro: tuple[str, ...]
    tables: tuple[ShownTable, ...]
    #: The rule of small numbers, a sentence each.
    hidden: tuple[str, ...]
    uncounted: tuple[str, ...]


def show_account(account: Account, words: Words, place: AccountPlace) -> ShownAccount:
    """The account in words; days and months are those of its own zone."""
    scope, title = account.scope, one_line(place.title)
    year = scope.period.year
    return ShownAccount(
        language=words.language,
        association=title,
        title=words("account_title", title=title)
        if year is None
        else words("account_title_year", year=year, title=title),
        period=words(
            "account_period",
            first=words.calendar_day(
                scope.period.first, weekday=False, year=scope.period.first.year != scope.period.last.year
            ),
            last=words.calendar_day(scope.period.last, weekday=False, year=True),
        ),
        intro=_intro(account, words, place),
        tables=tuple(_table(table, number, words, place) for number, table in enumerate(account.tables, 1)),
        hidden=(words("account_hidden_rule"), words("account_hidden_beside")),
        uncounted=tuple(words(f"account_uncounted_{what}") for what in _UNCOUNTED),
    )


def _intro(account: Account, words: Words, place: AccountPlace) -> tuple[str, ...]:
    scope = account.scope
    links = ", ".join(one_line(place.links.get(name, name)) for name in sorted(scope.links))
    sentences = [
        words("account_of_links", links=links) if not scope.is_whole else "",
        words("account_of_tag", tag=scope.tag) if scope.tag else "",
        words("account_made", moment=words.moment(account.made_at, year=True)),
        words("account_zone", zone=get_timezone_location(scope.period.zone, locale=words.language, return_city=True)),
        words("account_running") if account.made_at < scope.period.until else "",
    ]
    return tuple(sentence for sentence in sentences if sentence)


def _table(table: AccountTable, number: int, words: Words, place: AccountPlace) -> ShownTable:
    title = words(f"account_table_{table.name}", **({"about": one_line(table.about)} if table.about else {}))
    heads = (_first_head(table, words), *(_head(column, words) for column in table.columns))
    return ShownTable(
        id=f"{number:02}-{table.name.replace('_', '-')}",
        title=title,
        heads=heads,
        rows=tuple(_row(row, table, words, place) for row in table.rows),
        note=words(f"account_note_{table.name}") if table.name in _NOTED else "",
        more=words.count("account_others", table.more) if table.more else "",
        chart=table.chart if _is_drawn(table) else "",
        chart_alt=words("account_chart_alt", title=title) if _is_drawn(table) else "",
        drawn=table.drawn,
        is_by_month=table.is_by_month,
    )


def _is_drawn(table: AccountTable) -> bool:
    """Nothing but zeros is not drawn, nor what is hidden for the better part: such a chart says something wrong."""
    figures = [row.figures[place] for row in table.rows if not row.is_total for place in table.drawn]
    told = sum(one.hidden is None for one in figures)
    return bool(table.chart) and any(one.value for one in figures) and told * 2 > len(figures)


def _first_head(table: AccountTable, words: Words) -> str:
    if table.is_by_month:
        return words("account_month")
    return words(_FIRST_HEADS.get(table.name, "account_figure"))


def _head(column: str, words: Words) -> str:
    return one_line(column[1:])[:_LONGEST_LABEL] if column.startswith(":") else words(f"account_column_{column}")


def _row(row: Row, table: AccountTable, words: Words, place: AccountPlace) -> ShownRow:
    has_means = bool(row.key) and row.key not in ("total", "no_activity")
    if row.key:
        label = words(f"account_row_{row.key}")
    else:
        label = words.month(row.label) if table.is_by_month else one_line(row.label)[:_LONGEST_LABEL]
    return ShownRow(
        label=label,
        short=_short_month(row.label, words) if table.is_by_month and not row.key else label,
        is_own=not row.key and not table.is_by_month,
        means=words(f"account_means_{row.key}") if has_means else "",
        cells=tuple(_cell(figure, words, place) for figure in row.figures),
        is_total=row.is_total,
    )


def _short_month(month: str, words: Words) -> str:
    """« janv. »"""
    return format_date(date.fromisoformat(f"{month}-01"), "MMM", locale=words.language)


def _cell(figure: Figure, words: Words, place: AccountPlace) -> ShownCell:
    unit = words(f"account_unit_{figure.unit}")
    if figure.hidden is not None or figure.value is None:
        text = words(f"account_{figure.hidden or 'nothing'}")
        is_hidden = figure.hidden is not None
        return ShownCell(text=text, plain=text if is_hidden else "", number=None, unit=unit, is_hidden=is_hidden)
    plain = format_decimal(figure.value, locale=words.language, group_separator=False)
    return ShownCell(
        text=_wait(figure.value, words)
        if figure.unit == "hours"
        else format_decimal(figure.value, locale=words.language),
        plain=plain,
        number=float(figure.value),
        unit=unit,
        url=f"{place.web}{figure.path}" if place.web and figure.path else "",
    )


def _wait(hours: float, words: Words) -> str:
    """« 3,5 heures », « 2,1 jours »."""
    key, value = ("account_hours", hours) if hours <= _MOST_HOURS else ("account_days", round(hours / 24, 1))
    # In French, what is less than two is one: `number` chooses the form, `value` is what is read.
    number = int(value) if words.language == "fr" or value == int(value) else 2
    return words.count(key, number, value=format_decimal(value, locale=words.language))
