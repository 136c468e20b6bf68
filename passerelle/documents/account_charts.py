"""Charts of an account: bars, as SVG and as PNG. The same table gives the same bytes.

Two greys that stay apart on a copier, one of them hatched, both told apart by who sees no red (Okabe & Ito's blue and
orange); the number stands at each bar; what is hidden is written where its bar would be. The table before it says all
of it in words, so a chart is nobody's only source.

matplotlib is imported when the first chart is drawn: the daemon does not carry it otherwise.
"""

import io
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from passerelle.core.account_words import ShownCell, ShownRow, ShownTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

ChartForm = Literal["svg", "png"]
_STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#0b5394", "edgecolor": "#000000", "linewidth": 0.6},
    {"color": "#f5c26b", "edgecolor": "#000000", "linewidth": 0.6, "hatch": "////"},
    {"color": "#ffffff", "edgecolor": "#000000", "linewidth": 0.6, "hatch": ".."},
    {"color": "#7f9f7f", "edgecolor": "#000000", "linewidth": 0.6, "hatch": "xx"},
)
#: The font that comes with matplotlib: another machine draws the same.
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "passerelle",
    "svg.fonttype": "path",
    # A dollar sign in members' words is no mathematics.
    "text.parse_math": False,
}
_WIDTH_INCHES = 6.7
_DPI = 160
#: What has no end: neither rows nor labels may make a chart that no page holds.
_MOST_BARS = 24
_LONGEST_LABEL = 34
#: Settings are matplotlib's own, and one for all threads.
_LOCK = threading.Lock()


def build_chart(table: ShownTable, form: ChartForm) -> bytes:
    """The chart of a table that has one (`table.chart`)."""
    with _LOCK:
        import matplotlib
        from matplotlib.figure import Figure

        with matplotlib.rc_context(_SETTINGS):
            figure = Figure(figsize=_size(table), dpi=_DPI, layout="constrained")
            axes = figure.add_subplot()
            (_columns if table.is_by_month else _lines)(axes, table, _drawn_rows(table))
            return _saved(figure, form)


def size_in_centimetres(table: ShownTable) -> tuple[float, float]:
    """How wide and how high the chart of a table is meant to stand on paper."""
    width, height = _size(table)
    return round(width * 2.54, 2), round(height * 2.54, 2)


def _size(table: ShownTable) -> tuple[float, float]:
    """In inches, which matplotlib counts in."""
    return _WIDTH_INCHES, 2.9 if table.is_by_month else 0.75 + 0.34 * len(_drawn_rows(table))


def _drawn_rows(table: ShownTable) -> list[ShownRow]:
    rows = [row for row in table.rows if not row.is_total]
    return rows if table.is_by_month else rows[:_MOST_BARS]


def _saved(figure: "Figure", form: ChartForm) -> bytes:
    file = io.BytesIO()
    # Neither when it was drawn nor by what: these would differ from machine to machine.
    metadata = {"Date": None, "Creator": None, "Format": None, "Type": None} if form == "svg" else {"Software": None}
    figure.savefig(file, format=form, metadata=metadata, facecolor="white")
    return file.getvalue()


def _columns(axes: "Axes", table: ShownTable, rows: Sequence[ShownRow]) -> None:
    """Upright bars, a place a month; several of a month side by side, or one on the other."""
    drawn, places = table.drawn, range(len(rows))
    is_stacked = table.chart == "stacked"
    width = 0.72 if is_stacked else 0.8 / len(drawn)
    below = [0.0] * len(rows)
    for number, column in enumerate(drawn):
        cells = [row.cells[column] for row in rows]
        heights = [cell.number or 0.0 for cell in cells]
        shift = 0.0 if is_stacked else (number - (len(drawn) - 1) / 2) * width
        at = [place + shift for place in places]
        axes.bar(
            at, heights, width, bottom=below if is_stacked else None, label=_drawable(table.heads[column + 1]),
            **_STYLES[number % len(_STYLES)],
        )  # fmt: skip
        if not is_stacked:
            _say_upright(axes, at, cells)
        else:
            below = [one + more for one, more in zip(below, heights, strict=True)]
    if is_stacked:
        _say_sums(axes, rows, below, drawn)
    axes.set_xticks(list(places), [row.short for row in rows], rotation=90 if len(rows) > 12 else 0)
    if len(drawn) == 1:
        axes.set_ylabel(_drawable(table.heads[drawn[0] + 1]))
    _dress(axes, axes.yaxis, len(drawn))
    axes.set_ylim(0, max([*below, *axes.get_ylim()]) * 1.12)


def _say_upright(axes: "Axes", at: Sequence[float], cells: Sequence[ShownCell]) -> None:
    for place, cell in zip(at, cells, strict=True):
        if cell.number or cell.is_hidden:
            small = 6.5 if cell.is_hidden else 7.5
            axes.annotate(
                _drawable(cell.text), (place, cell.number or 0), xytext=(0, 2), textcoords="offset points", ha="center",
                fontsize=small, rotation=90 if cell.is_hidden else 0,
            )  # fmt: skip


def _say_sums(axes: "Axes", rows: Sequence[ShownRow], sums: Sequence[float], drawn: Sequence[int]) -> None:
    for place, (row, total) in enumerate(zip(rows, sums, strict=True)):
        said = " + ".join(_drawable(row.cells[column].text) for column in drawn)
        if total:
            axes.annotate(
                said, (place, total), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=6.5
            )  # fmt: skip


def _lines(axes: "Axes", table: ShownTable, rows: Sequence[ShownRow]) -> None:
    """Lying bars, the first row on top."""
    column = table.drawn[0]
    cells = [row.cells[column] for row in rows]
    places = list(range(len(rows)))
    axes.barh(places, [cell.number or 0.0 for cell in cells], 0.66, **_STYLES[0])
    for place, cell in zip(places, cells, strict=True):
        axes.annotate(
            _drawable(cell.text), (cell.number or 0, place), xytext=(4, 0), textcoords="offset points", va="center"
        )  # fmt: skip
    axes.set_yticks(places, [_drawable(row.label) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(_drawable(table.heads[column + 1]))
    _dress(axes, axes.xaxis, 1)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.12)


def _dress(axes: "Axes", numbers: "Axis", series: int) -> None:
    from matplotlib.ticker import MaxNLocator

    numbers.set_major_locator(MaxNLocator(nbins=5, integer=True))
    numbers.grid(visible=True, color="#cccccc", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if series > 1:
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(series, 4), frameon=False)


def _drawable(label: str) -> str:
    """A label as far as the font goes: what it has no sign for, members' emoji say, is a small circle."""
    text = label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
    return "".join(" " if char.isspace() else char if _has_sign(char) else "◦" for char in text)


@cache
def _font() -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return get_font(findfont(FontProperties(family=_SETTINGS["font.family"]), fallback_to_default=False))


def _has_sign(char: str) -> bool:
    return char.isprintable() and _font().get_char_index(ord(char)) != 0
