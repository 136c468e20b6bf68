"""The register as a table for a spreadsheet (CSV) and as JSON. Pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time

from passerelle.core.spreadsheet import build_table
from passerelle.core.wording import Words


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedObjection:
    """An objection that stands."""

    name: str
    passed_on_by: str
    reason: str
    #: Aware.
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedEntry:
    """One row of the table. The names of its fields are JSON's keys; the heads of CSV are `register_head_…`."""

    number: int
    #: As the register has it (`decision`), and in words (« Décision »).
    kind: str
    kind_word: str
    text: str
    state: str
    state_word: str
    #: Whom it names.
    names: tuple[str, ...]
    label: str
    quantity: int | None
    due_on: date | None
    due_at: time | None
    until_on: date | None
    until_at: time | None
    #: Aware.
    said_at: datetime
    author: str
    said_for: str
    link: str
    open_until: datetime | None
    review_on: date | None
    #: Number of the decision that stands in its place.
    replaced_by: int | None
    objections: tuple[ExportedObjection, ...]
    #: Its page; "" without a web.
    url: str


#: Columns of the CSV: what only a program asks for is left out.
_COLUMNS = tuple(f.name for f in fields(ExportedEntry) if f.name not in ("kind", "state"))


def build_csv(entries: Sequence[ExportedEntry], words: Words) -> bytes:
    """The table, each column with a head in the reader's language, instants on the wall clock of their zone."""
    heads = [words(f"register_head_{name}") for name in _COLUMNS]
    rows = ([_text(getattr(entry, name), words) for name in _COLUMNS] for entry in entries)
    return build_table([heads, *rows], words.language)


def _text(value: object, words: Words) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(words.zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, time):
        return value.strftime("%H:%M")
    if isinstance(value, tuple):
        return "; ".join(_text(one, words) for one in value)
    if isinstance(value, ExportedObjection):
        return f"{value.name} : {value.reason}" if value.reason else value.name
    return str(value)


def build_json(entries: Sequence[ExportedEntry], *, association: str) -> bytes:
    """The same as JSON: `association`, and `entries` with instants, days and times in ISO 8601."""
    document = {"association": association, "entries": [asdict(entry) for entry in entries]}
    return json.dumps(document, ensure_ascii=False, indent=1, default=_iso).encode("utf-8", "replace")


def _iso(value: object) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    raise TypeError(type(value).__name__)
