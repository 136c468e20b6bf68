"""The register as a table: what a spreadsheet opens, and what it must not run."""

import csv
import io
import json
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from passerelle.core.register_export import ExportedEntry, ExportedObjection, build_csv, build_json
from passerelle.render import load_words

NOW = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


def row(**other: Any) -> ExportedEntry:
    values: dict[str, Any] = {
        "number": 4, "kind": "decision", "kind_word": "Décision", "text": "louer la salle", "state": "adopted",
        "state_word": "adoptée", "names": ("Léa", "Karim"), "label": "loto", "quantity": None,
        "due_on": date(2026, 12, 12), "due_at": time(18, 30), "until_on": None, "until_at": None, "said_at": NOW,
        "author": "Karim", "said_for": "", "link": "bureau", "open_until": None, "review_on": None,
        "replaced_by": None, "objections": (), "url": "https://archives.example/epeule/register/4",
    }  # fmt: skip
    return ExportedEntry(**(values | other))


def read(data: bytes, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_a_spreadsheet_opens_it_in_the_reader_s_language() -> None:
    data = build_csv([row()], load_words("fr"))
    assert data.startswith(b"\xef\xbb\xbf")
    (cells,) = read(data, ";")
    assert cells["Numéro"] == "4"
    assert cells["Sorte"] == "Décision"
    assert cells["Qui"] == "Léa; Karim"
    assert cells["Pour le"] == "2026-12-12"
    assert cells["À"] == "18:30"
    assert cells["Dit le"] == "2026-11-17 11:00"
    assert cells["Personnes"] == ""
    (cells,) = read(build_csv([row()], load_words("en")), ",")
    assert cells["Number"] == "4"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    objection = ExportedObjection(name=text, passed_on_by="", reason="", at=NOW)
    values = {name: text for name in ("text", "label", "author", "said_for")}
    data = build_csv([row(names=(text,), objections=(objection,), **values)], load_words("fr"))
    (cells,) = read(data, ";")
    assert not [cell for cell in cells.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_lines_and_separators_stay_in_their_cell() -> None:
    (cells,) = read(build_csv([row(text='a;b\n"c", d')], load_words("fr")), ";")
    assert cells["Quoi"] == 'a;b "c", d'


def test_objections_stand_in_one_cell_with_their_reasons() -> None:
    objections = (
        ExportedObjection(name="Paul", passed_on_by="", reason="trop cher", at=NOW),
        ExportedObjection(name="Annie", passed_on_by="Monique", reason="", at=NOW),
    )
    (cells,) = read(build_csv([row(objections=objections)], load_words("fr")), ";")
    assert cells["Objections"] == "Paul : trop cher; Annie"


def test_json_has_days_times_and_instants_as_iso_8601() -> None:
    objection = ExportedObjection(name="Paul", passed_on_by="", reason="", at=NOW)
    document = json.loads(build_json([row(objections=(objection,), quantity=3)], association="epeule"))
    assert document["association"] == "epeule"
    (entry,) = document["entries"]
    assert entry["due_on"] == "2026-12-12"
    assert entry["due_at"] == "18:30:00"
    assert entry["said_at"] == "2026-11-17T10:00:00+00:00"
    assert entry["kind"] == "decision"
    assert entry["quantity"] == 3
    assert entry["names"] == ["Léa", "Karim"]
    assert entry["objections"][0]["at"] == "2026-11-17T10:00:00+00:00"


def test_half_of_a_surrogate_pair_breaks_nothing() -> None:
    build_csv([row(text="\ud83d")], load_words("fr"))
    json.loads(build_json([row(text="\ud83d")], association="epeule"))
