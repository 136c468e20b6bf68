"""« hors-archive : » as people write it."""

from __future__ import annotations

import pytest

from passerelle.core.not_archived import html_without_mark, without_mark


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hors-archive: je suis malade", "je suis malade"),
        ("Hors-archive : je suis malade", "je suis malade"),
        ("HORS ARCHIVE\u00a0:\u00a0je suis malade", "je suis malade"),
        ("hors‑archive\u202f: je suis malade", "je suis malade"),
        ("Hors-Archivé : oui", "oui"),
        ("no-archive: yes", "yes"),
        ("No archive : yes: indeed", "yes: indeed"),
        ("  hors-archive:\nsur deux\nlignes", "sur deux\nlignes"),
        ("hors-archive:", ""),
        ("hors-archive: " + "a" * 100, "a" * 100),
        ("hors-archive je suis malade", None),
        ("c'est hors-archive : non", None),
        ("hors-sujet : non", None),
        ("à 10:30", None),
        ("", None),
        (":" * 1000, None),
    ],
)
def test_without_mark(text: str, words: str | None) -> None:
    assert without_mark(text) == words


@pytest.mark.parametrize(
    ("html", "kept"),
    [
        ("<p>hors-archive: je suis <b>malade</b></p>", "<p>je suis <b>malade</b></p>"),
        ("<p><b>Hors-archive</b>&nbsp;: oui</p>", "<p><b></b>oui</p>"),
        ("<p>autre chose: oui</p>", ""),
        ("<p", ""),
        ("hors-archive", ""),
        ("<b>" * 100_000, ""),
    ],
)
def test_html_without_mark(html: str, kept: str) -> None:
    assert html_without_mark(html) == kept
