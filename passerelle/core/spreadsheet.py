"""Tables for a spreadsheet (CSV). Pure.

CSV is RFC 4180 with a byte order mark, so that spreadsheets know its UTF-8; in French with semicolons, as these expect
there. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, « CSV Injection »).
"""

import csv
import io
from collections.abc import Iterable, Sequence

from passerelle.core.names import one_line
from passerelle.core.wording import Language

_FORMULA = ("=", "+", "-", "@")


def build_table(rows: Iterable[Sequence[str]], language: Language) -> bytes:
    """The rows as a file, its heads the first of them; each cell on one line."""
    made = io.StringIO(newline="")
    table = csv.writer(made, delimiter=";" if language == "fr" else ",")
    table.writerows([_safe(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + made.getvalue().encode("utf-8", "replace")


def _safe(cell: str) -> str:
    text = one_line(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
