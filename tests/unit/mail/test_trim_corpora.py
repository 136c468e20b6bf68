"""The scores reached on the public reply corpora, by their own judge; see docs/trimming.md for what differs and why."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from passerelle.mail.trim import trim, visible_text

_ROOT = Path(__file__).resolve().parents[3]
CORPORA = Path(os.environ.get("PASSERELLE_CORPORA", _ROOT.parent / "shared" / "corpora"))

pytestmark = pytest.mark.skipif(
    not (CORPORA / "eval_reply.py").exists(), reason="shared corpora not present (PASSERELLE_CORPORA)"
)

#: (exact, F1, assertions) reached by each source; None where it has none of the kind.
REACHED = {
    "discourse-email_reply_trimmer": (0.95, 0.98, None),
    "crisp-email-reply-parser": (0.88, 0.98, 1.0),
    "github-email_reply_parser": (1.0, 1.0, 1.0),
    "zapier-email-reply-parser": (1.0, 1.0, 1.0),
    "mail-parser-reply": (0.75, 0.99, 0.81),
    "fiedl-extended_email_reply_parser": (None, None, 0.71),
    "quotequail": (1.0, 1.0, None),
    "melusine": (0.5, 0.5, None),
}


@pytest.fixture(scope="module")
def judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("eval_reply", CORPORA / "eval_reply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scores(judge: ModuleType) -> tuple[dict[str, dict[str, Any]], dict[Any, Any]]:
    pool: dict[Any, Any] = {}
    by_source = {name: judge.gold(visible_text, str(CORPORA / name / "cases.jsonl"), pool=pool) for name in judge.GOLD}
    return by_source, pool


def test_each_source_keeps_its_score(scores: tuple[dict[str, dict[str, Any]], dict[Any, Any]]) -> None:
    for name, (exact, f1, asserted) in REACHED.items():
        got = scores[0][name]
        assert "errors" not in got, name
        for key, least in (("exact", exact), ("F1", f1), ("assert", asserted)):
            assert least is None or got[key] >= least, (name, key, got)


def test_pooled_scores_and_assertions(scores: tuple[dict[str, dict[str, Any]], dict[Any, Any]]) -> None:
    by_source, pool = scores
    assert len(pool) >= 141
    assert sum(ok for ok, _ in pool.values()) / len(pool) >= 0.9
    assert sum(f1 for _, f1 in pool.values()) / len(pool) >= 0.97
    asserted = [got["assert"] for got in by_source.values() if "assert" in got]
    assert sum(asserted) / len(asserted) >= 0.9


def test_no_sample_of_any_corpus_is_lost_or_crashes() -> None:
    """Whatever the file is, joining the pieces gives it back; the two regex bombs are among them."""
    read = 0
    for path in sorted(CORPORA.rglob("*.txt")):
        text = path.read_bytes().decode("utf-8", errors="replace")
        taken_apart = trim(text)
        assert "".join(piece.text for piece in taken_apart.pieces) == text, path
        read += 1
    assert read > 500
