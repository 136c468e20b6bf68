"""`passerelle digest catch-up`, as an administrator types it."""

from __future__ import annotations

import pytest

from passerelle.store.digests import list_digests
from passerelle.store.outbox import list_outbox
from tests.unit.cli import test_digest_command
from tests.unit.cli.conftest import A, Desk

filled = test_digest_command.filled


@pytest.mark.parametrize(
    ("form", "expected"), [("text", "CONVERSATIONS"), ("html", "<h2>Conversations"), ("room", "Conversations")]
)
def test_it_shows_what_would_be_told_and_notes_nothing(filled: Desk, form: str, expected: str) -> None:
    for _ in range(2):
        told = filled.run("digest", "catch-up", "monique@example.org", "--since", "le début", "--form", form).stdout
        assert expected in told
        assert "Depuis le début." in told
        assert "Monique Delattre" in told
        assert "Qui vient au loto ?" in " ".join(told.split())
    assert filled.write(lambda conn: list_digests(conn, A, limit=5)) == []
    assert filled.write(lambda conn: list_outbox(conn, limit=5)) == []


def test_nothing_new_is_a_sentence(filled: Desk) -> None:
    assert (
        "vous êtes à jour" in filled.run("digest", "catch-up", "monique@example.org", "--since", "aujourd'hui").stdout
    )


def test_a_day_that_cannot_be_read_is_said(filled: Desk) -> None:
    told = filled.run("digest", "catch-up", "monique@example.org", "--since", "mes vacances")
    assert told.exit_code == 2
    assert "mes vacances" in " ".join((told.stdout + told.stderr).split())
