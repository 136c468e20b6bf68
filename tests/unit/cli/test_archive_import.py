"""`passerelle archive import`: what it says and refuses. What it does: tests/integration/test_cli_import.py."""

import csv
from pathlib import Path

from tests.unit.cli.conftest import Desk


def _mbox(folder: Path) -> Path:
    path = folder / "bureau.mbox"
    one = b"From a@x.test Tue Mar  3 10:00:00 2009\nFrom: a@x.test\nSubject: x\n\nBonjour\n\n"
    path.write_bytes(one * 5 + b"From a@x.test Tue Mar  3 10:00:00 2009\n>From b@x.test\n\nsans en-tete\n\n")
    return path


def test_a_dry_run_counts_and_needs_no_store(bare_desk: Desk, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    arguments = ("epeule/bureau", str(_mbox(tmp_path)), "--dry-run", "--report", str(report))
    result = bare_desk.run("archive", "import", *arguments)
    assert result.exit_code == 0, result.output
    assert "It can be read: 5 (mbox). Nothing was stored." in result.output
    assert "1 × It does not begin with header fields, as a mail does." in result.output
    assert "bureau.mbox, message 6" in result.output
    assert not list(tmp_path.glob("*.db"))
    with report.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1][0] == "bureau.mbox, message 6"


def test_what_cannot_be_is_said_before_anything_is_read(desk: Desk, tmp_path: Path) -> None:
    mbox = str(_mbox(tmp_path))
    for words, code, said in (
        (["epeule/nothing", mbox], 1, "There is no link of this name."),
        (["epeule/bureau"], 2, "name what to import"),
        (["epeule/bureau", mbox, "--side", "room"], 2, "comes from the homeserver"),
        (["epeule/bureau", mbox, "--side", "both"], 2, "a side is list or room"),
        (["epeule/bureau", mbox, "--format", "outlook"], 2, "there is no format outlook"),
        (["epeule/bureau", str(tmp_path / "gone.mbox")], 1, "there is no such file or folder"),
        (["epeule/bureau", mbox, "--format", "public-inbox"], 1, "this is no archive that can be imported"),
    ):
        result = desk.run("archive", "import", *words)
        assert result.exit_code == code, result.output
        assert said in " ".join(result.output.replace("│", " ").split()), result.output


def test_it_speaks_french(bare_desk: Desk, tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.setenv("LANGUAGE", "fr")  # type: ignore[attr-defined]
    result = bare_desk.run("archive", "import", "epeule/bureau", str(_mbox(tmp_path)), "--dry-run")
    assert "Lisible : 5 (mbox). Rien n’a été enregistré." in result.output.replace("\u00a0", " ")
    assert "Il ne commence pas par des champs d’en-tête" in result.output
